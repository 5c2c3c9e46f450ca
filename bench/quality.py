"""Accuracy of embedtrain's and gensim's word2vec on the same text: analogies and similarities, over seeds.

    python bench/quality.py text8.xz --seeds 5 --gensim-seeds 3
    python bench/quality.py text8.xz --modes cbow cbow-hs skipgram-hs cbow-corrected
    python bench/quality.py text8.xz --modes cbow-corrected --lr 0.1 0.15 0.2 --gensim-seeds 0

Analogies are 3CosAdd over the 30,000 most frequent words, on the questions whose four words are all among them;
similarities are Spearman's correlation over the pairs whose words are known. The questions are those bundled
with gensim, or in `--eval`.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from modes import MODES, in_gensim, new_gensim, train_embedtrain
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
    parser.add_argument("--modes", nargs="+", choices=MODES, default=["skipgram"])
    parser.add_argument("--lr", type=float, nargs="+", help="of embedtrain; default: the usual one of the mode")
    settings = parser.parse_args()
    questions = settings.eval or bundled_questions()
    text = cut_into_lines(settings.text, settings.work)

    print(f"{'':32} {'seed':>4}  analogies (asked)  WordSim-353 (known)  SimLex-999 (known)")
    run = {"dim": settings.dim, "sample": settings.sample, "epochs": settings.epochs}
    for mode in settings.modes:
        for lr in settings.lr or [None]:
            named = f"embedtrain {mode}{'' if lr is None else f' lr {lr}'}"
            more = {} if lr is None else {"lr": lr}
            results = (
                train_embedtrain(mode, text, seed=seed, work=settings.work, **run, **more)
                for seed in range(1, settings.seeds + 1)
            )
            show(named, ((result.words, result.vectors) for result in results), questions)
        if in_gensim(mode):
            models = (
                trained(new_gensim(mode, seed=seed, workers=settings.workers, **run), text)
                for seed in range(1, settings.gensim_seeds + 1)
            )
            show(f"gensim {mode}", ((model.wv.index_to_key, model.wv.vectors) for model in models), questions)


def trained(model: Any, text: Path) -> Any:
    """The model of gensim, trained."""
    model.build_vocab(corpus_file=str(text))
    model.train(
        corpus_file=str(text), total_examples=model.corpus_count, total_words=model.corpus_total_words,
        epochs=model.epochs,
    )  # fmt: skip
    return model


def show(name: str, results: Iterable[tuple[Sequence[str], NDArray]], questions: Path) -> None:
    """Print the scores of each seed, their mean and standard deviation."""
    row = "{:32} {:>4}    {:.4f} ({:.3f})      {:.4f} ({:.3f})       {:.4f} ({:.3f})"
    scores = []
    for seed, (words, vectors) in enumerate(results, 1):
        scores.append(evaluate(words, vectors, questions))
        print(row.format(name, seed, *scores[-1]), flush=True)
    columns = list(zip(*scores, strict=True))
    if scores:
        print(row.format(name, "mean", *map(statistics.mean, columns)), flush=True)
    if len(scores) > 1:
        print(row.format(name, "sd", *map(statistics.stdev, columns)), flush=True)


if __name__ == "__main__":
    main()
