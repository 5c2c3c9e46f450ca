"""Speed and accuracy of training with subwords, against gensim's FastText and fastText's C++ (package fasttext-numpy2).

    python bench/subwords.py text8.xz                            training phase, 1 epoch, 2 threads, in turns
    python bench/subwords.py text8.xz --accuracy FOLDER          5 epochs; FOLDER holds the files of `quality.py`

Dimensions 100, window 5, negative 5, sample 1e-4, min-count 5, n-grams of 3 to 6 characters. fastText's training phase
is the time of a run less that of one of 0 epochs.

Found on an AMD Zen 5, 2 cores, 100 MB of Wikipedia: 4.5 M words/s, gensim 0.36, fastText 0.20. With the noise words and
blocks of plain skip-gram it was 7 M words/s, but 0.564 instead of 0.580 correct analogies, and words left out of the
text had 0.36 instead of 0.43 of their neighbours: `SUBWORD_N_NOISE` in models/block_shape.py. N-grams of one word only
had rows then, which half of all have (bench/unknown_words.py). Memory
bounds the speed, as 20 rows a word are read and written. Prefetching them one word ahead was 5 % slower, composing for
96 or 192 centres at once no faster, rows in the order of buckets 10 % slower than in that of the words. Initial values
of 2 / dim instead of 0.5 / dim: 0.525 instead of 0.506 correct analogies on 20 MB, 0.40 instead of 0.37 of the
neighbours.
"""

from __future__ import annotations

import argparse
import statistics
import time
from functools import partial
from pathlib import Path

from text import cut_into_lines
from throughput import in_turns

from embedtrain import WordVectors, evaluate_analogies, evaluate_similarity, train_cbow, train_skipgram

TRAIN = {"skipgram": train_skipgram, "cbow": train_cbow}


def ours(model: str, text: Path, work: Path, epochs: int = 1, **more: str) -> WordVectors:
    """Train with embedtrain."""
    return TRAIN[model](
        text, subwords="3-6", sample=1e-4, epochs=epochs, threads=2, cache=work / "cache", progress=False, **more
    )


def our_speed(model: str, text: Path, work: Path) -> float:
    """Words/s of embedtrain's training phase."""
    report = ours(model, text, work).report
    assert report is not None
    return report.speed


def gensim_speed(model: str, text: Path, epochs: int = 1, save: Path | None = None) -> float:
    """Words/s of gensim's training phase; saves the model if asked for."""
    from gensim.models.fasttext import FastText, save_facebook_model

    theirs = FastText(
        sg=model == "skipgram", vector_size=100, window=5, negative=5, sample=1e-4, min_count=5, workers=2,
        alpha=0.025 if model == "skipgram" else 0.05,
    )  # fmt: skip
    theirs.build_vocab(corpus_file=str(text))
    started = time.perf_counter()
    theirs.train(
        corpus_file=str(text), total_examples=theirs.corpus_count, total_words=theirs.corpus_total_words, epochs=epochs
    )
    seconds = time.perf_counter() - started
    if save is not None:
        save_facebook_model(theirs, str(save))
    return epochs * theirs.corpus_total_words / seconds


def fasttext_speed(model: str, text: Path) -> float:
    """Words/s of fastText's training phase."""
    import fasttext

    seconds = []
    for epochs in (0, 1):
        started = time.perf_counter()
        fasttext.train_unsupervised(
            str(text), model=model, dim=100, ws=5, neg=5, t=1e-4, minCount=5, minn=3, maxn=6, epoch=epochs, thread=2,
            verbose=0,
        )  # fmt: skip
        seconds.append(time.perf_counter() - started)
    n_words = len(text.read_bytes().split())
    return n_words / (seconds[1] - seconds[0])


def compare_speed(model: str, text: Path, work: Path, runs: int) -> None:
    """Print the medians and their ratios."""
    measures = (
        partial(our_speed, model, text, work),
        partial(gensim_speed, model, text),
        partial(fasttext_speed, model, text),
    )
    our_speed(model, text, work)  # compiles, and fills the cache
    medians = [statistics.median(figures) for figures in in_turns(runs, *measures)]
    for name, median in zip(("embedtrain", "gensim", "fastText"), medians, strict=True):
        print(f"{model:10} {name:12} {median / 1e6:6.2f} M words/s, 1/{medians[0] / median:.1f}", flush=True)


def compare_accuracy(model: str, text: Path, work: Path, questions: Path) -> None:
    """Print scores after 5 epochs."""
    gensim_speed(model, text, epochs=5, save=work / "gensim.bin")
    for name, vectors in (
        ("embedtrain", ours(model, text, work, 5)),
        ("gensim", WordVectors.load(work / "gensim.bin")),
    ):
        analogies = evaluate_analogies(vectors, questions / "questions-words.txt", restrict=30_000).total.accuracy
        scores = [
            evaluate_similarity(vectors, questions / f"{file}.tsv", restrict=None).spearman
            for file in ("wordsim353", "simlex999")
        ]
        print(model, name, *(f"{score:.3f}" for score in (analogies, *scores) if score is not None), flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--models", nargs="+", choices=TRAIN, default=["skipgram"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--accuracy", type=Path, metavar="FOLDER", help="files of questions")
    settings = parser.parse_args()
    text = cut_into_lines(settings.text, settings.work)
    for model in settings.models:
        if settings.accuracy:
            compare_accuracy(model, text, settings.work, settings.accuracy)
        else:
            compare_speed(model, text, settings.work, settings.runs)


if __name__ == "__main__":
    main()
