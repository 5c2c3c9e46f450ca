"""The plain forms of the kernels: NumPy in float64, one operation after the other, from the papers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_64 = (1 << 64) - 1


# --- Random numbers ---------------------------------------------------------------------------------------------------


def mix(x: int) -> int:
    """SplitMix64's finaliser, with Python's integers."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _64
    return x ^ (x >> 31)


def random_at(key: int, index: int) -> int:
    """Number `index` of the sequence `key`."""
    return mix((key + index * 0x9E3779B97F4A7C15) & _64)


def below(bits: int, n: int) -> int:
    """The upper half of the bits as an integer in [0, n)."""
    return ((bits >> 32) * n) >> 32


def draw_alias(bits: int, thresholds: Sequence[int], aliases: Sequence[int]) -> int:
    """An outcome of an alias table."""
    index = below(bits, len(thresholds))
    return index if (bits & 0xFFFFFFFF) < thresholds[index] else int(aliases[index])


def alias_probabilities(thresholds: NDArray, aliases: NDArray) -> NDArray[np.float64]:
    """The distribution that an alias table stands for."""
    n = len(thresholds)
    own = thresholds.astype(np.float64) / 2**32
    probabilities = own / n
    np.add.at(probabilities, aliases, (1 - own) / n)
    return probabilities


# --- Logistic regression between rows ---------------------------------------------------------------------------------


def sigmoid(x: NDArray) -> NDArray:
    """1 / (1 + e^-x)."""
    return 1 / (1 + np.exp(-x))


def softplus(x: NDArray) -> NDArray:
    """log(1 + e^x)."""
    return np.logaddexp(0, x)


def logistic_loss(
    W: NDArray, C: NDArray, inputs: NDArray, outputs: NDArray, weights: NDArray, labels: NDArray
) -> float:
    """Sum over inputs i and outputs k of weights[i, k] * -log P(labels[k] | W[inputs[i]] . C[outputs[k]])."""
    scores = W[inputs] @ C[outputs].T
    return float((weights * softplus((1 - 2 * labels) * scores)).sum())


def logistic_step(
    W: NDArray,
    C: NDArray,
    inputs: NDArray,
    outputs: NDArray,
    weights: NDArray,
    labels: NDArray,
    lr: float,
    frozen: Sequence[int] = (),
) -> tuple[NDArray, NDArray]:
    """W and C after one step down the gradient of `logistic_loss`; rows that occur twice move twice.

    The rows `frozen` of W stay.
    """
    X, Y = W[inputs], C[outputs]
    G = lr * weights * (labels - sigmoid(X @ Y.T))
    W, C = W.copy(), C.copy()
    learns = ~np.isin(inputs, frozen)
    np.add.at(W, inputs[learns], (G @ Y)[learns])
    np.add.at(C, outputs, G.T @ X)
    return W, C


def numerical_gradient(f: Callable[[NDArray], float], x: NDArray, epsilon: float = 1e-6) -> NDArray:
    """Central differences of f at x, element by element."""
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = epsilon
        gradient[place] = (f(x + step) - f(x - step)) / (2 * epsilon)
    return gradient


# --- Skip-gram --------------------------------------------------------------------------------------------------------


def kept_sentences(ids: NDArray, offsets: NDArray, thresholds: NDArray, key: int) -> list[list[int]]:
    """Positions of the kept tokens, sentence by sentence."""
    return [
        [p for p in range(begin, end) if random_at(key, p) >> 33 < thresholds[ids[p]]]
        for begin, end in pairwise(offsets)
    ]


def centres(
    ids: NDArray, offsets: NDArray, begin: int, end: int, thresholds: NDArray, key: int
) -> list[tuple[int, list[int], int]]:
    """(word, kept words of its sentence, its place among them) for each kept token in [begin, end)."""
    return [
        (int(ids[position]), [int(ids[p]) for p in sentence], place)
        for sentence in kept_sentences(ids, offsets, thresholds, key)
        for place, position in enumerate(sentence)
        if begin <= position < end
    ]


def contexts(sentence: list[int], place: int, reach: int) -> list[int]:
    """The words around a place, without it."""
    return sentence[max(0, place - reach) : place] + sentence[place + 1 : place + 1 + reach]


class Generator:
    """The generator of a chunk: a counter whose scrambled values are the random numbers."""

    def __init__(self, state: int) -> None:
        self.state = state

    def __call__(self) -> int:
        self.state = (self.state + 1) & _64
        return random_at(self.state, 0)


def skipgram_blocks(
    middles: list[tuple[int, list[int], int]],
    noise_table: tuple[NDArray, NDArray],
    *,
    window: int,
    dynamic: bool,
    negative: int,
    n_noise: int,
    block: int,
    state: int,
) -> Iterator[tuple[NDArray, NDArray, NDArray, NDArray, int]]:
    """(inputs, outputs, weights, labels, pairs) of every block of a chunk.

    Every input asks each of its contexts once with label 1, and noise word k with label 0 as often as
    (its contexts that are not k) * negative / n_noise.
    """
    generator = Generator(state)

    def draw() -> list[int]:
        return [draw_alias(generator(), *noise_table) for _ in range(n_noise)]

    following = draw()
    for start in range(0, len(middles), block):
        members = middles[start : start + block]
        noise, following = following, draw()
        asked = []
        for _, sentence, place in members:
            reach = 1 + below(generator(), window) if dynamic else window
            asked.append(contexts(sentence, place, reach))
        outputs = noise + [word for words in asked for word in words]
        weights = np.zeros((len(members), len(outputs)))
        column = n_noise
        for i, words in enumerate(asked):
            weights[i, :n_noise] = [sum(word != k for word in words) * negative / n_noise for k in noise]
            weights[i, column : column + len(words)] = 1
            column += len(words)
        labels = np.array([0] * n_noise + [1] * (column - n_noise))
        yield np.array([word for word, _, _ in members]), np.array(outputs), weights, labels, column - n_noise
