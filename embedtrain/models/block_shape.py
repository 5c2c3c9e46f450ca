"""How many pairs are scored before a row moves: one rule that keeps the training of skip-gram and CBOW stable.

The scores of a step are those of the rows before it, and a row moves by the sum of the gradients of all its pairs, of
which each is at most as long as the other row. If that sum is too long, the row overshoots, and training diverges.
`block_shape` bounds, for each row that a step updates, `lr` times the total weight of its pairs:

- an input row: the contexts of one centre, each with its `negative` noise words;
- the most frequent word: its share `p_max` of the contexts and noise words of all centres;
- a noise word: all centres with all their contexts, with a weight of `negative / n_noise`;
- a noise word that waits for the end of the block: its part of the control variate (`kernels/word2vec/negatives.py`).

The control variate adds running means, which lag behind the rows: where few words repeat, a centre follows the mean of
their outputs, and these outputs that of the same centres. The gain of this loop is bounded: the product of both weights
and of the `repetition`, the probability that two of 64 consecutive tokens are the same word.

With few words or wide windows, tiles have fewer centres, and windows are trained in portions of `tile_tokens` tokens.
In CBOW, a row receives the step of a mean as often as its word is in the window. Where a few words fill wide windows, a
mean would so move by many times its step; there its rows receive a share of the step.
The nodes of a Huffman tree need no bound: the root has one pair with each of at most `ROWS` inputs.
"""

from __future__ import annotations

import math
import sys
from typing import NamedTuple

from embedtrain.kernels.simd.tiles import ROWS
from embedtrain.kernels.word2vec.cbow import CENTRE_STRIDE
from embedtrain.models.word2vec_settings import Word2vecSettings

#: Noise words that centres share, by model and whether its update is corrected: a trade-off of accuracy and speed
#: (bench/block_shape.py), in multiples of 4. The corrected update has a higher learning rate.
N_NOISE = {("skipgram", False): 16, ("cbow", False): 8, ("cbow", True): 16}
#: Contexts that share these noise words in skip-gram, about: 48 centres with 6 contexts each.
SHARING_CONTEXTS = 288
#: The same two with subwords, whose n-grams would meet the same noise words with many words of a block: more correct
#: analogies, and vectors of unknown words that are nearer to those of known ones (bench/subwords.py).
SUBWORD_N_NOISE, SUBWORD_CONTEXTS = 64, 144
#: Baseline of the control variate times (1 + negative), since a noise word's mean sigmoid is about 1 / (1 + negative);
#: lower than what reduces the variance most (bench/control_variate.py), as held-out loss is lower.
BASELINE = 0.6
#: Limits, each of `lr` times a weight (bench/stability.py). The weight of an input's pairs in a step.
INPUT_LIMIT = 3.01
#: The weight of an output's pairs in a step.
OUTPUT_LIMIT = 1.5
#: The weight of the control variate's part of the step of a noise word, which is added at the end of the block.
CONTROL_LIMIT = 0.25
#: The product of this weight, that of a centre of at least `LAG_CONTEXTS` and the repetition, which counts more above
#: `LAG_REPETITION`, as words may then repeat for longer than 64 tokens; held-out loss rises from 3e-4 on.
LAG_LIMIT = 2.2e-4
LAG_CONTEXTS = 6
LAG_REPETITION = 0.02

#: The weight of the pairs of a mean in CBOW, times the occurrences of each of its words in the window.
MEAN_LIMIT = 12
#: Pairs of a mean by hierarchical softmax, about, of which each has a gradient that matters.
_PATH_PAIRS = 5

#: The weight in a block of the pairs of all words, each by its share of the rows of a word with subwords.
SUBWORD_LIMIT = 30


class BlockShape(NamedTuple):
    """The sizes of blocks and tiles, and the baseline of the control variate."""

    n_centres: int  # in a block, which share noise words in skip-gram
    tile_centres: int  # scored together
    tile_tokens: int  # tokens of the windows of a tile that are scored together
    n_noise: int
    baseline: float
    mean_share: float = 1.0  # of the step of a mean in CBOW, which each of its rows receives


def block_shape(
    settings: Word2vecSettings, window: int, p_max: float, repetition: float, shared: float = 0.0
) -> BlockShape:
    """Choose the largest tiles, portions and blocks that are stable if the most frequent word has the share `p_max`.

    With subwords, `shared` is the share of all others that a word moves with by the n-grams in common.
    """
    lr, negative = settings.lr, settings.negative
    moved = lr * (1 + window) * (1 + negative) * shared
    most_centres = max(1, int(SUBWORD_LIMIT / moved)) if moved else sys.maxsize
    skipgram = settings.model != "cbow"
    n_noise = N_NOISE["skipgram" if skipgram else "cbow", settings.corrected]
    sharing = SHARING_CONTEXTS
    if skipgram and settings.subwords is not None:
        n_noise, sharing = SUBWORD_N_NOISE, SUBWORD_CONTEXTS
    contexts: float = 2 * window  # of a centre in a step
    if skipgram:
        contexts = min(contexts, max(1.0, INPUT_LIMIT / (lr * (1 + negative))))
    # for one context of one centre, the larger of the weights of the most frequent word and of a noise word
    weight = lr * max((1 + negative) * p_max, negative / n_noise if skipgram else 0)
    tile_centres = ROWS
    while tile_centres > 1 and tile_centres * contexts * weight > OUTPUT_LIMIT:
        tile_centres //= 2
    if not skipgram:
        occurrences = 1 + (contexts - 1) * repetition  # of a word in the largest window, about
        weight = lr * (1 + negative + _PATH_PAIRS * settings.hs) * occurrences
        n_centres = min(CENTRE_STRIDE * tile_centres, most_centres)
        return BlockShape(n_centres, tile_centres, 0, n_noise, 0.0, min(1.0, MEAN_LIMIT / weight))
    contexts = min(contexts, OUTPUT_LIMIT / (tile_centres * weight))
    tile_tokens = 2 * window + ROWS if contexts == 2 * window else max(1, int(contexts))

    # the control variate: share noise words as long as its part of a row stays short, then make it weaker
    mean_contexts = window + 1 if settings.window_mode == "dynamic" else 2 * window
    baseline = BASELINE / (1 + negative)
    push = lr * negative * mean_contexts  # times the baseline, the weight of a centre
    limit = CONTROL_LIMIT * n_noise / push if negative else math.inf
    groups = max(1, int(min(sharing / mean_contexts, limit / baseline) / ROWS))
    n_centres = min(ROWS * groups, most_centres)
    if negative == 0 or tile_centres < ROWS:
        return BlockShape(n_centres, tile_centres, tile_tokens, n_noise, 0.0)
    lag = push**2 * n_centres / n_noise * repetition  # times the baseline squared
    lag *= max(1, LAG_CONTEXTS / mean_contexts) * (1 + repetition / LAG_REPETITION)
    baseline = min(baseline, limit / n_centres, math.sqrt(LAG_LIMIT / max(lag, LAG_LIMIT)))
    return BlockShape(n_centres, tile_centres, tile_tokens, n_noise, baseline)
