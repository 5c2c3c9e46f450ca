"""The plain forms of the kernels: NumPy in float64, one operation after the other, from the papers."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

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


def random_below(bits: int, n: int) -> int:
    """The upper half of the bits as an integer in [0, n)."""
    return ((bits >> 32) * n) >> 32


def draw_alias(bits: int, thresholds: Sequence[int], aliases: Sequence[int]) -> int:
    """An outcome of an alias table."""
    index = random_below(bits, len(thresholds))
    return index if (bits & 0xFFFFFFFF) < thresholds[index] else int(aliases[index])


def alias_probabilities(thresholds: NDArray, aliases: NDArray) -> NDArray[np.float64]:
    """The distribution of an alias table."""
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


def input_rows(W: NDArray, inputs: NDArray) -> NDArray:
    """The rows of words, or where `inputs` is a matrix of weights, weighted sums of all rows."""
    return W[inputs] if inputs.ndim == 1 else inputs @ W


def add_steps(W: NDArray, inputs: NDArray, steps: NDArray, frozen: Sequence[int] = ()) -> NDArray:
    """W after the steps of its inputs; rows that are listed twice move twice, the rows `frozen` stay."""
    result = W.copy()
    if inputs.ndim == 1:
        np.add.at(result, inputs, steps)
    else:
        result += inputs.T @ steps
    result[list(frozen)] = W[list(frozen)]
    return result


def logistic_loss(W: NDArray, C: NDArray, inputs: NDArray, outputs: NDArray, weights: NDArray) -> float:
    """Sum over inputs i and outputs k of |weights[i, k]| * -log P(label | x . y), of their rows x and y.

    The label is 1 where the weight is positive, else 0.
    """
    scores = input_rows(W, inputs) @ C[outputs].T
    return float((np.abs(weights) * softplus(np.where(weights > 0, -scores, scores))).sum())


def logistic_step(
    W: NDArray,
    C: NDArray,
    inputs: NDArray,
    outputs: NDArray,
    weights: NDArray,
    lr: float,
    frozen: Sequence[int] = (),
    shares: float | NDArray = 1,
) -> tuple[NDArray, NDArray]:
    """W and C after one step down the gradient of `logistic_loss`, that of each input times its share.

    Rows that are listed twice move twice. The rows `frozen` of W stay.
    """
    X, Y = input_rows(W, inputs), C[outputs]
    G = lr * np.abs(weights) * ((weights > 0) - sigmoid(X @ Y.T))
    C = C.copy()
    np.add.at(C, outputs, G.T @ X)
    return add_steps(W, inputs, (G @ Y) * np.reshape(shares, (-1, 1)), frozen), C


def numerical_gradient(f: Callable[[NDArray], float], x: NDArray, epsilon: float = 1e-6) -> NDArray:
    """Central differences of f at x, element by element."""
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = epsilon
        gradient[place] = (f(x + step) - f(x - step)) / (2 * epsilon)
    return gradient


# --- Windows ----------------------------------------------------------------------------------------------------------


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


class Block(NamedTuple):
    """Centres that follow each other, the words around each, and the noise words that they share."""

    centres: list[int]
    contexts: list[list[int]]
    noise: list[int]


def draw_blocks(
    middles: list[tuple[int, list[int], int]],
    noise_table: tuple[NDArray, NDArray] | None,
    *,
    window: int,
    dynamic: bool,
    n_noise: int,
    block: int,
    state: int,
) -> Iterator[Block]:
    """The blocks of a chunk; without a table they have no noise, and draw none."""
    generator = Generator(state)

    def draw() -> list[int]:
        return [] if noise_table is None else [draw_alias(generator(), *noise_table) for _ in range(n_noise)]

    following = draw()
    for start in range(0, len(middles), block):
        members = middles[start : start + block]
        noise, following = following, draw()
        around = []
        for _, sentence, place in members:
            reach = 1 + random_below(generator(), window) if dynamic else window
            around.append(contexts(sentence, place, reach))
        yield Block([word for word, _, _ in members], around, noise)


# --- Negative sampling ------------------------------------------------------------------------------------------------


def skipgram_noise(block: Block, negative: float) -> tuple[NDArray, NDArray, NDArray]:
    """(inputs, outputs, weights) of a block of skip-gram.

    A centre's pair with each of its contexts weighs 1, that with noise word k is negative (label 0) and weighs
    (number of its contexts that are not k) * negative / n_noise.
    """
    outputs = block.noise + [word for words in block.contexts for word in words]
    weights = np.zeros((len(block.centres), len(outputs)))
    column = n_noise = len(block.noise)
    for i, words in enumerate(block.contexts):
        weights[i, :n_noise] = [-sum(word != k for word in words) * negative / n_noise for k in block.noise]
        weights[i, column : column + len(words)] = 1
        column += len(words)
    return np.array(block.centres), np.array(outputs), weights


def skipgram_blocks(
    middles: list[tuple[int, list[int], int]], noise_table: tuple[NDArray, NDArray], *, negative: float, **drawn: int
) -> Iterator[tuple[NDArray, NDArray, NDArray, int]]:
    """(inputs, outputs, weights, pairs) of every block of a chunk."""
    for block in draw_blocks(middles, noise_table, **drawn):
        yield *skipgram_noise(block, negative), sum(map(len, block.contexts))


def means(block: Block, n_words: int) -> NDArray:
    """Weights by which row i is the mean of the contexts of centre i, or 0 where it has none."""
    weights = np.zeros((len(block.contexts), n_words))
    for i, words in enumerate(block.contexts):
        for word in words:
            weights[i, word] += 1 / len(words)
    return weights


def tiles(block: Block, stride: int, n_noise: int = 0) -> Iterator[Block]:
    """The tiles of a block, with noise of their own: centres 0, stride, …, then 1, 1 + stride, …."""
    for first in range(min(stride, len(block.centres))):
        members, noise = slice(first, None, stride), block.noise[first * n_noise : (first + 1) * n_noise]
        yield Block(block.centres[members], block.contexts[members], noise)


def cbow_noise(block: Block, negative: float, n_words: int) -> tuple[NDArray, NDArray, NDArray]:
    """(inputs, outputs, weights) of a tile of CBOW.

    A mean's pair with its centre weighs 1, that with each noise word that is not its centre is negative (label 0) and
    weighs negative / n_noise.
    """
    n_noise, n_centres = len(block.noise), len(block.centres)
    weights = np.zeros((n_centres, n_centres + n_noise))
    for i, (centre, words) in enumerate(zip(block.centres, block.contexts, strict=True)):
        if words:
            weights[i, i] = 1
            weights[i, n_centres:] = [-(k != centre) * negative / n_noise for k in block.noise]
    return means(block, n_words), np.array(block.centres + block.noise), weights


# --- Hierarchical softmax ---------------------------------------------------------------------------------------------


def huffman_cost(counts: Sequence[int]) -> int:
    """The least possible length of a text, in binary decisions."""
    heap, cost = list(counts), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        heapq.heappush(heap, joined)
        cost += joined
    return cost


def huffman_paths(counts: Sequence[int]) -> list[list[tuple[int, int]]]:
    """(node, side) from the root to each word; side 1 leads to the lighter child.

    Of equal ones joined trees go first, in turn, then words, the last first.
    """
    heap: list[tuple[int, int, int, list[int]]] = [(int(n), 1, -word, [word]) for word, n in enumerate(counts)]
    heapq.heapify(heap)
    paths: list[list[tuple[int, int]]] = [[] for _ in counts]
    for node in range(len(counts) - 1):
        weight, members = 0, []
        for side in (1, -1):
            n, _, _, words = heapq.heappop(heap)
            weight, members = weight + n, members + words
            for word in words:
                paths[word].insert(0, (node, side))
        heapq.heappush(heap, (weight, 0, node, members))
    return paths


def skipgram_paths(block: Block, paths: list[list[tuple[int, int]]]) -> tuple[NDArray, NDArray, NDArray]:
    """(inputs, outputs, weights) of a block of skip-gram: contexts predict the sides of their centre's path."""
    inputs = [word for words in block.contexts for word in words]
    steps = [step for centre in block.centres for step in paths[centre]]
    weights = np.zeros((len(inputs), len(steps)))
    row = column = 0
    for centre, words in zip(block.centres, block.contexts, strict=True):
        path = paths[centre]
        weights[row : row + len(words), column : column + len(path)] = [side for _, side in path]
        row, column = row + len(words), column + len(path)
    return np.array(inputs, int), np.array([node for node, _ in steps]), weights


def cbow_path(block: Block, paths: list[list[tuple[int, int]]], n_words: int) -> tuple[NDArray, NDArray, NDArray]:
    """(inputs, outputs, weights) of one centre of CBOW: the mean predicts the sides of the centre's path."""
    ((centre,), (words,), _) = block
    nodes, sides = np.array(paths[centre]).T
    return means(block, n_words), nodes, sides[None] * float(bool(words))
