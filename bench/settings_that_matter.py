"""Accuracy and speed of skip-gram as one setting changes: the tables of docs/choosing-settings.md, in Markdown.

    python bench/settings_that_matter.py text8.txt --eval FOLDER
    python bench/settings_that_matter.py text8.txt --eval FOLDER --only dim window --seeds 1 2 3

`--eval` has the files of `quality.py`, whose scores are printed. Time is that of training, relative to the usual
settings, which are trained first and last; nothing else may run.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

from quality import evaluate

from embedtrain import train_skipgram

USUAL = {"dim": 100, "window": 5, "epochs": 5, "negative": 5, "sample": 1e-4, "noise_exponent": 0.75, "min_count": 5}
OTHERS: dict[str, list[float]] = {
    "dim": [50, 200, 300],
    "window": [2, 10],
    "epochs": [1, 2, 10, 20],
    "negative": [2, 10, 20],
    "sample": [0, 1e-3, 1e-5],
    "noise_exponent": [0, 0.5, 1],
    "min_count": [20],
}


def main() -> None:
    """Train, evaluate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path, help="lines of 1,000 words")
    parser.add_argument("--eval", type=Path, help="folder with questions-words.txt, wordsim353.tsv, simlex999")
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--only", nargs="*", choices=OTHERS, default=list(OTHERS))
    chosen = parser.parse_args()

    def measured(settings: dict[str, Any]) -> list[float]:
        """Mean scores and seconds over seeds."""
        runs = []
        for seed in chosen.seeds:
            vectors = train_skipgram(chosen.text, **settings, seed=seed, cache=chosen.work / "cache", progress=False)
            assert vectors.report is not None
            runs.append([*evaluate(vectors.words, vectors.vectors, chosen.eval)[::2], vectors.report.seconds["train"]])
        return [statistics.mean(column) for column in zip(*runs, strict=True)]

    rows = [("usual", "", measured(USUAL))]
    for name in chosen.only:
        for value in OTHERS[name]:
            rows.append((name, f"{value:g}", measured({**USUAL, name: value})))
    rows.append(("usual", "", measured(USUAL)))
    usual_seconds = min(rows[0][-1][-1], rows[-1][-1][-1])
    for name, number, (analogies, wordsim, simlex, seconds) in rows:
        print(f"| {name} | {number} | {analogies:.3f} | {wordsim:.3f} | {simlex:.3f} | {seconds / usual_seconds:.2f} |")


if __name__ == "__main__":
    main()
