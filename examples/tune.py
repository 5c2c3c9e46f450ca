"""Search settings: ``pip install ".[examples]"``, then ``python examples/tune.py text.txt --analogies questions.txt``.

Without arguments the text is ``corpora/toy.txt``. Optuna tries settings of skip-gram on a sample of the text; then the
best few are trained on all of it. Both texts are encoded once, in a cache that all runs share. Settings are chosen by
analogies of one half of the word pairs (dev), and the winner is judged once by those of the other half (test): the best
of many scores is partly luck, and too high.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path
from typing import Any

import optuna

from embedtrain import EmbedtrainWarning, evaluate_analogies, train_skipgram
from embedtrain.vectors.evaluation_files import Section, read_analogies

USUAL = {"dim": 100, "window": 5, "negative": 5, "sample": 1e-3, "noise_exponent": 0.75, "lr": 0.025}
CORPORA = Path(__file__).parent.parent / "corpora"


def dev_and_test(path: Path) -> tuple[list[Section], list[Section]]:
    """Divide the pairs of words of each section in two, and with them the questions; mixed questions are left out."""
    halves: tuple[list[Section], list[Section]] = [], []
    for name, questions in read_analogies(path):
        pairs = list(dict.fromkeys(pair for a, b, c, d in questions for pair in ((a, b), (c, d))))
        for side, sections in enumerate(halves):
            own = set(pairs[side::2])
            sections.append(Section(name, [q for q in questions if q[:2] in own and q[2:] in own]))
    return halves


def suggested(trial: optuna.Trial) -> dict[str, Any]:
    """Draw settings; what is varied by factors is drawn by its logarithm."""
    return {
        "dim": trial.suggest_categorical("dim", [50, 100, 200]),
        "window": trial.suggest_int("window", 2, 12),
        "negative": trial.suggest_int("negative", 3, 15),
        "sample": trial.suggest_float("sample", 1e-5, 1e-2, log=True),
        "noise_exponent": trial.suggest_float("noise_exponent", 0.25, 1),
        "lr": trial.suggest_float("lr", 0.01, 0.1, log=True),
    }


def main() -> None:
    """Search on a sample, choose on the whole text, and print the best command."""
    parser = argparse.ArgumentParser(description="Search settings of skip-gram.")
    parser.add_argument("text", type=Path, nargs="?", default=CORPORA / "toy.txt")
    parser.add_argument("--analogies", type=Path, default=CORPORA / "toy-questions.txt", help="as Google's")
    parser.add_argument("--sampler", choices=["tpe", "random"], default="tpe", help="[%(default)s]")
    parser.add_argument("--trials", type=int, default=20, help="on the sample [%(default)s]")
    parser.add_argument("--every", type=int, default=3, help="the sample is one line of so many [%(default)s]")
    parser.add_argument("--epochs", type=int, default=3, help="[%(default)s]")
    options = parser.parse_args()
    dev, test = dev_and_test(options.analogies)
    warnings.simplefilter("ignore", EmbedtrainWarning)  # of odd settings, which are tried on purpose
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    with tempfile.TemporaryDirectory() as folder:

        def score(settings: dict[str, Any], text: Path, questions: list[Section]) -> float:
            vectors = train_skipgram(text, **settings, epochs=options.epochs, cache=folder, progress=False)
            return evaluate_analogies(vectors, questions).total.accuracy or 0.0

        sample = Path(folder, "sample.txt")
        with open(options.text, encoding="utf-8") as lines, open(sample, "w", encoding="utf-8") as file:
            file.writelines(line for number, line in enumerate(lines) if number % options.every == 0)
        samplers = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}
        study = optuna.create_study(direction="maximize", sampler=samplers[options.sampler](seed=1))
        study.enqueue_trial(
            {"dim": 100, "window": 5, "negative": 5, "sample": 1e-3, "noise_exponent": 0.75, "lr": 0.025}
        )
        study.optimize(lambda trial: score(suggested(trial), sample, dev), n_trials=options.trials)
        first, *others = study.trials
        best = sorted(others, key=lambda trial: -(trial.value or 0))[:3]
        for trial in [first, *best]:
            print(f"# {trial.value:.3f} on dev, sample: {'usual' if trial is first else trial.params}")
        chosen = max([first, *best], key=lambda trial: score(trial.params, options.text, dev)).params
        print(f"{score(first.params, options.text, test):.3f}  test, usual settings")
        print(f"{score(chosen, options.text, test):.3f}  test, chosen settings")
    spelled = " ".join(f"--{name.replace('_', '-')} {value:.3g}" for name, value in chosen.items())
    print(f"# embedtrain skipgram {options.text} --epochs {options.epochs} {spelled} -o vectors.vec")


if __name__ == "__main__":
    main()
