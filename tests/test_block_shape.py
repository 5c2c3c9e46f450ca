"""The sizes of blocks, tiles and portions: the limits hold for all settings, and are reached."""

import itertools

import pytest

from embedtrain.kernels.simd.tiles import ROWS
from embedtrain.kernels.word2vec.cbow import CENTRE_STRIDE, CENTRES_PER_TILE
from embedtrain.models.block_shape import (
    BASELINE,
    CONTROL_LIMIT,
    INPUT_LIMIT,
    LAG_CONTEXTS,
    LAG_LIMIT,
    LAG_REPETITION,
    MEAN_LIMIT,
    N_NOISE,
    OUTPUT_LIMIT,
    SHARING_CONTEXTS,
    SUBWORD_LIMIT,
    block_shape,
)
from embedtrain.models.cbow import Cbow
from embedtrain.models.skipgram import SkipGram

GRID = [
    {"lr": lr, "negative": negative, "window": window, "window_mode": mode, "hs": negative == 0}
    for lr, negative, window, mode in itertools.product(
        (1e-4, 0.025, 0.1, 1, 100), (0, 1, 5, 20), (1, 5, 20, 100, 1000), ("dynamic", "fixed")
    )
]
SHARES = (1e-4, 0.01, 0.05, 0.3, 0.5, 1)
REPETITIONS = (0, 0.005, 0.02, 0.1, 1)
ROUNDING = 1 + 1e-9


def mean_contexts(settings):
    return settings.window + 1 if settings.window_mode == "dynamic" else 2 * settings.window


def output_weight(settings, shape, p_max, tile_centres, contexts):
    """`lr` times the weight of the pairs of the most frequent word, or a noise word, in a step."""
    frequent, noise = (1 + settings.negative) * p_max, settings.negative / shape.n_noise
    return settings.lr * tile_centres * contexts * max(frequent, noise if settings.model == "skipgram" else 0)


@pytest.mark.parametrize("repetition", REPETITIONS)
@pytest.mark.parametrize("p_max", SHARES)
def test_limits_of_skipgram_hold_and_are_reached(p_max, repetition):
    for settings in (SkipGram(**chosen) for chosen in GRID):
        window, lr, negative = settings.window, settings.lr, settings.negative
        shape = block_shape(settings, window, p_max, repetition)
        contexts = min(shape.tile_tokens, 2 * window)
        assert shape.tile_centres in (1, 2, ROWS)
        assert shape.n_noise == N_NOISE["skipgram", False]
        assert shape.n_noise % 4 == 0, "weights are written in groups"
        assert shape.tile_tokens == 2 * window + ROWS or 1 <= shape.tile_tokens < 2 * window

        # an input row, the most frequent word, and a noise word
        def input_weight(contexts, lr=lr, negative=negative):
            return lr * contexts * (1 + negative)

        assert shape.tile_tokens == 1 or input_weight(contexts) <= INPUT_LIMIT * ROUNDING
        of_outputs = output_weight(settings, shape, p_max, shape.tile_centres, contexts)
        assert (shape.tile_tokens, shape.tile_centres) == (1, 1) or of_outputs <= OUTPUT_LIMIT * ROUNDING
        if shape.tile_centres < ROWS:
            input_contexts = max(1, min(2 * window, INPUT_LIMIT / (lr * (1 + negative))))
            assert (
                output_weight(settings, shape, p_max, 2 * shape.tile_centres, input_contexts) > OUTPUT_LIMIT / ROUNDING
            )
        if shape.tile_tokens < 2 * window:
            more = output_weight(settings, shape, p_max, shape.tile_centres, contexts + 1)
            assert input_weight(contexts + 1) > INPUT_LIMIT / ROUNDING or more > OUTPUT_LIMIT / ROUNDING

        # the control variate
        n_contexts = shape.n_centres * mean_contexts(settings)
        assert shape.n_centres % ROWS == 0
        assert n_contexts <= SHARING_CONTEXTS or shape.n_centres == ROWS
        assert 0 <= shape.baseline <= BASELINE / (1 + negative)
        of_centre = lr * shape.baseline * negative * mean_contexts(settings)
        of_noise = of_centre * shape.n_centres / shape.n_noise
        gain = of_centre * of_noise * repetition * (1 + repetition / LAG_REPETITION)
        gain *= max(1, LAG_CONTEXTS / mean_contexts(settings))
        assert of_noise <= CONTROL_LIMIT * ROUNDING
        assert gain <= LAG_LIMIT * ROUNDING
        assert (shape.baseline > 0) == (negative > 0 and shape.tile_centres == ROWS)
        if 0 < shape.baseline < BASELINE / (1 + negative):  # no larger one
            assert of_noise > CONTROL_LIMIT / ROUNDING or gain > LAG_LIMIT / ROUNDING


@pytest.mark.parametrize("p_max", SHARES)
@pytest.mark.parametrize("update", ["word2vec", "corrected"])
def test_limits_of_cbow_hold_and_are_reached(p_max, update):
    for chosen in GRID:
        settings = Cbow(**chosen, cbow_update=update)
        shape = block_shape(settings, settings.window, p_max, 0.01)
        assert shape.n_centres == CENTRE_STRIDE * shape.tile_centres
        assert shape.tile_centres in (1, 2, CENTRES_PER_TILE)
        assert (shape.n_noise, shape.baseline) == (N_NOISE["cbow", update == "corrected"], 0)
        weight = output_weight(settings, shape, p_max, shape.tile_centres, 2 * settings.window)
        assert shape.tile_centres == 1 or weight <= OUTPUT_LIMIT * ROUNDING
        assert shape.tile_centres == CENTRES_PER_TILE or 2 * weight > OUTPUT_LIMIT / ROUNDING


@pytest.mark.parametrize("repetition", REPETITIONS)
def test_limit_of_a_mean_holds_and_is_reached(repetition):
    for settings in (Cbow(**chosen) for chosen in GRID):
        share = block_shape(settings, settings.window, 0.01, repetition).mean_share
        occurrences = 1 + (2 * settings.window - 1) * repetition
        weight = settings.lr * (1 + settings.negative + 5 * settings.hs) * occurrences
        assert share == pytest.approx(min(1, MEAN_LIMIT / weight))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"window_mode": "fixed"},
        {"window": 9},
        {"window": 8, "window_mode": "fixed"},
        {"lr": 0.04},
        {"negative": 10},
    ],
    ids=str,
)
def test_usual_settings_have_whole_windows_and_tiles(change):
    settings = SkipGram(**change)
    shape = block_shape(settings, settings.window, 0.01, 0.01)
    assert (shape.tile_centres, shape.tile_tokens) == (ROWS, 2 * settings.window + ROWS)
    assert shape.baseline > 0.03
    shape = block_shape(Cbow(**change), settings.window, 0.01, 0.01)
    assert (shape.n_centres, shape.tile_centres) == (64, 4)


def test_default_settings_share_the_noise_of_48_centres():
    assert block_shape(SkipGram(), 5, 0.01, 0.005) == (48, 4, 14, 16, pytest.approx(0.1), 1)
    assert block_shape(Cbow(), 5, 0.01, 0.01) == (64, 4, 0, 8, 0, 1)
    assert block_shape(Cbow(cbow_update="corrected"), 5, 0.01, 0.01) == (64, 4, 0, 16, 0, 1)


def test_wide_windows_and_few_words_have_smaller_tiles_and_portions():
    wide = SkipGram(window=1000, window_mode="fixed")
    usual, few = block_shape(wide, 1000, 0.001, 0.01), block_shape(wide, 1000, 0.5, 0.5)
    assert usual.n_centres == ROWS
    assert few.tile_tokens <= usual.tile_tokens < 100
    assert few.tile_centres < ROWS
    assert few.baseline == 0


def test_repeated_words_weaken_the_control_variate():
    baselines = [block_shape(SkipGram(), 5, 0.01, repetition).baseline for repetition in (0.005, 0.02, 0.08)]
    assert baselines[0] == pytest.approx(0.1)
    assert baselines[1] == pytest.approx(10**0.5 * baselines[2])
    assert 0.05 < baselines[1] < 0.08


def test_shared_ngrams_shorten_blocks():
    for settings in (SkipGram(subwords="1-1"), Cbow(subwords="1-1")):
        usual, long, short = (block_shape(settings, 5, 0.01, 0.01, shared) for shared in (0, 0.1, 8))
        assert long == usual
        assert short.n_centres == int(SUBWORD_LIMIT / (settings.lr * 6 * 6 * 8)) < usual.n_centres


def test_the_window_is_that_of_the_text():
    """Of at most the longest sentence, whatever the setting."""
    settings = SkipGram(window=1000, window_mode="fixed")
    assert block_shape(settings, 3, 0.01, 0.01).tile_tokens == 6 + ROWS
