"""Accuracy of embedtrain's and gensim's skip-gram on the same text: analogies and similarities, over seeds.

    python bench/quality.py text8.xz --seeds 5 --gensim-seeds 3

Analogies are 3CosAdd over the 30,000 most frequent words, on the questions whose four words are all among them;
similarities are Spearman's correlation over the pairs whose words are known. The questions are those bundled
with gensim, or in `--eval`.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

from numpy.typing import NDArray
from text import cut_into_lines

from embedtrain import WordVectors
from embedtrain.vectors.evaluation import evaluate_analogies, evaluate_similarity

RESTRICTION = 30_000


def evaluate(words: Sequence[str], vectors: NDArray, folder: Path) -> list[float]:
    """Scores and coverages: analogies, WordSim-353, SimLex-999."""
    simlex = next(path for path in (folder / "simlex999.tsv", folder / "simlex999.txt") if path.exists())
    table = WordVectors(list(words), vectors)
    analogies = evaluate_analogies(table, folder / "questions-words.txt", restrict=RESTRICTION).total
    pairs = [evaluate_similarity(table, path, restrict=None) for path in (folder / "wordsim353.tsv", simlex)]
    return [analogies.accuracy or 0.0, analogies.coverage, *(x for one in pairs for x in (one.spearman, one.coverage))]


def bundled_questions() -> Path:
    """Where gensim keeps the questions it comes with."""
    from gensim.test.utils import datapath

    return Path(datapath("questions-words.txt")).parent


def train_embedtrain(text: Path, seed: int, settings: argparse.Namespace) -> tuple[Sequence[str], NDArray]:
    """A run of embedtrain."""
    import embedtrain

    result = embedtrain.train_skipgram(
        text,
        dim=settings.dim,
        sample=settings.sample,
        epochs=settings.epochs,
        seed=seed,
        temp_folder=settings.work,
        progress=False,
    )
    return result.words, result.vectors


def train_gensim(text: Path, seed: int, settings: argparse.Namespace) -> tuple[Sequence[str], NDArray]:
    """A run of gensim."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        corpus_file=str(text), sg=1, vector_size=settings.dim, window=5, negative=5, sample=settings.sample,
        min_count=5, epochs=settings.epochs, workers=settings.workers, seed=seed,
    )  # fmt: skip
    return model.wv.index_to_key, model.wv.vectors


def main() -> None:
    """Train, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--eval", type=Path, help="folder with questions-words.txt, wordsim353.tsv, simlex999")
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--gensim-seeds", type=int, default=3)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--sample", type=float, default=1e-4)
    parser.add_argument("--workers", type=int, default=2)
    settings = parser.parse_args()
    questions = settings.eval or bundled_questions()
    text = cut_into_lines(settings.text, settings.work)

    print(f"{'':12} {'seed':>4}  analogies (asked)  WordSim-353 (known)  SimLex-999 (known)")
    row = "{:12} {:>4}    {:.4f} ({:.3f})      {:.4f} ({:.3f})       {:.4f} ({:.3f})"
    for name, train, n_seeds in (
        ("embedtrain", train_embedtrain, settings.seeds),
        ("gensim", train_gensim, settings.gensim_seeds),
    ):
        scores = []
        for seed in range(1, n_seeds + 1):
            scores.append(evaluate(*train(text, seed, settings), questions))
            print(row.format(name, seed, *scores[-1]), flush=True)
        columns = list(zip(*scores, strict=True))
        if scores:
            print(row.format(name, "mean", *map(statistics.mean, columns)), flush=True)
        if len(scores) > 1:
            print(row.format(name, "sd", *map(statistics.stdev, columns)), flush=True)


if __name__ == "__main__":
    main()
