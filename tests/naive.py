"""The plain forms of the kernels: NumPy in float64, one operation after the other, from the papers."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise
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


def permuted(key: int, index: int, n: int) -> int:
    """Where a random permutation of [0, n) leads: six steps of multiplying, adding and shifting, until below n."""
    width = (n - 1).bit_length()
    while True:
        for bits in (random_at(key, step) for step in range(6)):
            index = (index * (bits | 1) + (bits >> 32)) % (1 << width)
            index ^= index >> ((width + 1) // 2)
        if index < n:
            return index


def shuffled(ids: NDArray, offsets: NDArray, key: int) -> NDArray:
    """The ids with each sentence in the order that the key gives."""
    orders = (
        begin + np.array([permuted(random_at(key, begin), i, end - begin) for i in range(end - begin)])
        for begin, end in pairwise(offsets.tolist())
    )
    return ids[np.concatenate(list(orders))]


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


def composed(W: NDArray, word_rows: NDArray) -> NDArray:
    """The vectors of words with subwords: means of rows of W, each as often as (n_words, n_rows) `word_rows` say."""
    return word_rows @ W / word_rows.sum(axis=1, keepdims=True)


def logistic_loss(W: NDArray, C: NDArray, inputs: NDArray, outputs: NDArray, weights: NDArray) -> float:
    """Sum over inputs i and outputs k of |weights[i, k]| * -log P(label | x . y), of their rows x and y.

    The label is 1 where the weight is positive, else 0.
    """
    scores = input_rows(W, inputs) @ C[outputs].T
    return float((np.abs(weights) * softplus(np.where(weights > 0, -scores, scores))).sum())


def tile_step(
    W: NDArray,
    C: NDArray,
    inputs: NDArray,
    outputs: NDArray,
    weights: NDArray,
    lr: float,
    *,
    frozen: Sequence[int] = (),
    shares: float | NDArray = 1,
    baseline: float = 0,
    added: float | NDArray = 0,
    fixed: bool = False,
) -> tuple[NDArray, NDArray]:
    """W and C after one step down the gradient of `logistic_loss`, that of each input times its share.

    The scores are those before the step. Outputs follow each other: each gives its row as it is to the steps of the
    inputs, then takes its own step, from the inputs before theirs; so a row that is listed twice moves twice, and gives
    its new values the second time. The inputs move at the end, also by `added`, but for the rows `frozen`. The sigmoid
    of pairs of label 0 is taken less the `baseline`. With `fixed`, C stays.
    """
    X = input_rows(W, inputs)
    probabilities = sigmoid(X @ C[outputs].T)
    G = lr * weights * np.where(weights > 0, 1 - probabilities, probabilities - baseline)
    C, steps = C.copy(), np.zeros_like(X) + added
    for g, output in zip(G.T, outputs, strict=True):
        steps += np.outer(g, C[output])
        C[output] += 0 if fixed else g @ X
    return add_steps(W, inputs, steps * np.reshape(shares, (-1, 1)), frozen), C


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
    tokens: list[list[int]]  # of the contexts, by their number in the kept text; the first centre is token 0
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
        around, tokens = [], []
        for token, (_, sentence, place) in enumerate(members):
            reach = 1 + random_below(generator(), window) if dynamic else window
            around.append(contexts(sentence, place, reach))
            tokens.append(contexts(list(range(token - place, token - place + len(sentence))), place, reach))
        yield Block([word for word, _, _ in members], around, tokens, noise)


# --- Negative sampling ------------------------------------------------------------------------------------------------


def skipgram_tiles(
    block: Block, negative: float, tile_centres: int = 1, tile_tokens: int | None = None
) -> Iterator[tuple[NDArray, NDArray, NDArray]]:
    """(inputs, outputs, weights) of a block of skip-gram: tiles of consecutive centres, their windows in portions.

    A centre's pair with each of its contexts weighs 1, that with noise word k is negative (label 0) and weighs
    (number of its contexts that are not k) * negative / n_noise. Portions begin at the first token of all windows, a
    window's own centre included, and have `tile_tokens` tokens each, or all.
    """
    n_noise = len(block.noise)
    words = dict(zip(chain(*block.tokens), chain(*block.contexts), strict=True))
    for first in range(0, len(block.centres), tile_centres):
        members = range(first, min(first + tile_centres, len(block.centres)))
        reached = [token for i in members for token in (i, *block.tokens[i])]
        low, high = min(reached), max(reached) + 1
        step = tile_tokens or high - low
        for begin in range(low, high, step):
            end = min(begin + step, high)
            tokens = sorted({t for i in members for t in block.tokens[i] if begin <= t < end})
            weights = np.zeros((len(members), n_noise + len(tokens)))
            for row, i in enumerate(members):
                inside = [t for t in block.tokens[i] if begin <= t < end]
                weights[row, :n_noise] = [-sum(words[t] != k for t in inside) * negative / n_noise for k in block.noise]
                weights[row, n_noise:] = [t in inside for t in tokens]
            yield np.array(block.centres)[members], np.array(block.noise + [words[t] for t in tokens]), weights


class RunningMeans:
    """The means of the last rows, about `n_rows`, of noise words and of centres with contexts.

    These are among the first `n_centres` centres of each block.
    """

    def __init__(self, dim: int, n_rows: int, n_centres: int) -> None:
        self.output, self.input = np.zeros(dim), np.zeros(dim)
        self._n_rows, self._n_centres = n_rows, n_centres
        self._n_outputs = self._n_inputs = 0

    def update(self, W: NDArray, C: NDArray, block: Block) -> None:
        """Move them towards the rows of a block."""
        for word in block.noise:
            self._n_outputs += 1
            self.output += (C[word] - self.output) / min(self._n_outputs, self._n_rows)
        for word, around in list(zip(block.centres, block.contexts, strict=True))[: self._n_centres]:
            if around:
                self._n_inputs += 1
                self.input += (W[word] - self.input) / min(self._n_inputs, self._n_rows)


def skipgram_noise(
    W: NDArray,
    C: NDArray,
    block: Block,
    running: RunningMeans,
    *,
    negative: float,
    tile_centres: int,
    tile_tokens: int,
    baseline: float,
    lr: float,
    frozen: Sequence[int] = (),
    fixed: bool = False,
) -> tuple[NDArray, NDArray, float]:
    """W, C and the loss after a block of skip-gram with its control variate.

    A pair of weight w with a noise word y takes w (sigmoid - baseline) y + w baseline mean(y) instead of w sigmoid y;
    the noise word takes w (sigmoid - baseline) x from its centre x, and w baseline mean(x) when the block ends.
    """
    loss, n_noise = 0.0, len(block.noise)
    if lr > 0 and baseline > 0:
        running.update(W, C, block)
    noise_weights = np.zeros(n_noise)
    for inputs, outputs, weights in skipgram_tiles(block, negative, tile_centres, tile_tokens):
        loss += logistic_loss(W, C, inputs, outputs, weights)
        added = lr * baseline * weights[:, :n_noise].sum(axis=1, keepdims=True) * running.output
        moves = {"frozen": frozen, "fixed": fixed}
        W, C = tile_step(W, C, inputs, outputs, weights, lr, baseline=baseline, added=added, **moves)
        noise_weights += weights[:, :n_noise].sum(axis=0)
    np.add.at(C, block.noise, (not fixed) * lr * baseline * np.outer(noise_weights, running.input))
    return W, C, loss


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
        yield Block(block.centres[members], block.contexts[members], block.tokens[members], noise)


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


def skipgram_paths(
    block: Block, paths: list[list[tuple[int, int]]], n_inputs: int
) -> Iterator[tuple[NDArray, NDArray, NDArray]]:
    """(inputs, outputs, weights) of a block of skip-gram: `n_inputs` contexts at a time predict their centre's path."""
    for centre, words in zip(block.centres, block.contexts, strict=True):
        nodes, sides = np.array(paths[centre]).T
        for first in range(0, len(words), n_inputs):
            inputs = words[first : first + n_inputs]
            yield np.array(inputs), nodes, np.tile(sides.astype(float), (len(inputs), 1))


def cbow_path(block: Block, paths: list[list[tuple[int, int]]], n_words: int) -> tuple[NDArray, NDArray, NDArray]:
    """(inputs, outputs, weights) of one centre of CBOW: the mean predicts the sides of the centre's path."""
    (centre,), (words,), *_ = block
    nodes, sides = np.array(paths[centre]).T
    return means(block, n_words), nodes, sides[None] * float(bool(words))


# --- Changes of rows --------------------------------------------------------------------------------------------------


def bfloat16(values: NDArray) -> NDArray:
    """Round to the nearest numbers of 8 significant bits, in the middle away from zero."""
    fractions, exponents = np.frexp(values.astype(np.float64))
    return np.ldexp(np.trunc(fractions * 256 + np.copysign(0.5, fractions)), exponents - 8)


def row_changes(rows: NDArray, before: NDArray, which: NDArray) -> NDArray:
    """What has changed in the rows `which`, rounded."""
    return bfloat16((rows - before)[which])


def changed_by(before: NDArray, which: NDArray, changes: NDArray) -> NDArray:
    """The rows before, with changes added to the rows `which`, each once."""
    after = before.astype(np.float64)
    after[which] += changes
    return after
