"""Why the baseline of the control variate is one constant, 0.1 with 5 negative samples: variances of steps.

    python bench/control_variate.py text8.xz

Trains skip-gram, then draws centres x and noise words y of the trained tables and prints, relative to that without a
baseline, the variance of (sigmoid(x . y) - a) y, the step of a centre, and of (sigmoid(x . y) - a) x, that of a noise
word: for constants a, for the best constant, the best for each of 16 bands of frequency, and the best for each word.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from text import cut_into_lines

from embedtrain import train_skipgram
from embedtrain.models.distributions import keep_probability, noise_distribution

N_CENTRES, N_NOISE, BANDS = 2_000, 4_000, 16


def variance(error: NDArray, other: NDArray, axis: int) -> float:
    """Mean squared distance of error * other from its mean along `axis`, of rows `other`."""
    squares = (error**2 * (other**2).sum(1).reshape(-1, 1) if axis == 0 else error**2 * (other**2).sum(1)).mean()
    means = error.T @ other / len(other) if axis == 0 else error @ other / len(other)
    return float(squares - (means**2).sum(1).mean())


def main() -> None:
    """Train and print the variances."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--epochs", type=int, nargs="+", default=[1, 5])
    settings = parser.parse_args()
    text = cut_into_lines(settings.text, settings.work)
    for epochs in settings.epochs:
        result = train_skipgram(text, sample=1e-4, epochs=epochs, cache=settings.work / "cache", progress=False)
        assert result.context_vectors is not None
        assert result.counts is not None
        rng = np.random.default_rng(1)
        counts = np.asarray(result.counts)
        kept = counts * keep_probability(counts, 1e-4)
        centres = rng.choice(len(counts), N_CENTRES, p=kept / kept.sum())
        noise = np.sort(rng.choice(len(counts), N_NOISE, p=noise_distribution(counts, 0.75)))
        X, Y = result.vectors[centres].astype(float), result.context_vectors[noise].astype(float)
        sigmoid = 1 / (1 + np.exp(-X @ Y.T))
        print(f"{epochs} epochs: mean sigmoid {sigmoid.mean():.3f}; variance of a centre's step, of a noise word's")
        bands = np.array_split(np.arange(N_NOISE), BANDS)
        by_band = np.concatenate([np.full(len(band), sigmoid[:, band].mean()) for band in bands])
        names = {f"a = {a}": np.full(N_NOISE, a) for a in (0, 0.05, 0.1, 0.15, 0.2)}
        names |= {"mean": np.full(N_NOISE, sigmoid.mean()), "by band": by_band, "by word": sigmoid.mean(0)}
        plain = None
        for name, a in names.items():
            error = sigmoid - a
            pair = np.array([variance(error, Y, axis=1), variance(error, X, axis=0)])
            plain = pair if plain is None else plain
            print(f"  {name:10} {pair[0] / plain[0]:6.3f} {pair[1] / plain[1]:6.3f}", flush=True)


if __name__ == "__main__":
    main()
