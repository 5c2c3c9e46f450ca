"""Which tokens of a chunk are kept, and their windows, against the plain form."""

import naive
import numpy as np
import pytest
from small_text import KEY, STATE

from embedtrain.kernels.word2vec import windows


def keep(text, sampling, begin, end, window, shuffled=False):
    words, begins, ends = (np.zeros(128 + 2 * window, np.int32) for _ in range(3))
    kept = windows.Kept(words, words, begins, ends)
    return kept, *windows.subsample(*text, begin, end, sampling.keep_thresholds, np.uint64(KEY), window, shuffled, kept)


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("window", [1, 3, 50])
@pytest.mark.parametrize(("begin", "end"), [(0, 121), (0, 1), (20, 60), (41, 44), (60, 61), (120, 121)])
def test_kept_tokens_and_their_neighbours_beyond_the_chunk(text, sampling, window, begin, end, shuffled):
    kept, first, last, n = keep(text, sampling, begin, end, window, shuffled)
    if shuffled:
        text = text._replace(ids=naive.shuffled(*text, KEY))
    middles = naive.centres(*text, begin, end, sampling.keep_thresholds, KEY)
    words, _, begins, ends = (array.tolist() for array in kept)
    assert last - first == len(middles)
    assert last <= n
    for token, (word, sentence, place) in zip(range(first, last), middles, strict=True):
        assert words[token] == word
        near = range(max(begins[token], token - window), min(ends[token], token + window + 1))
        assert [words[t] for t in near if t != token] == naive.contexts(sentence, place, window)


@pytest.mark.parametrize("dynamic", [True, False])
@pytest.mark.parametrize("window", [1, 3, 50])
@pytest.mark.parametrize("block", [1, 6, 32])
def test_windows_are_those_of_the_plain_form(text, sampling, block, window, dynamic):
    kept, first, last, _ = keep(text, sampling, 5, 110, window)
    middles = naive.centres(*text, 5, 110, sampling.keep_thresholds, KEY)
    expected = naive.draw_blocks(middles, None, window=window, dynamic=dynamic, n_noise=0, block=block, state=STATE)
    drawn = windows.Windows(*(np.full(32, 99, np.int32) for _ in range(2)))
    state = np.uint64(STATE)
    for t0, right in zip(range(first, last, block), expected, strict=True):
        t1 = min(t0 + block, last)
        n_contexts, n_predicted, state = windows.draw_windows(
            drawn, kept, t0, t1, window, window if dynamic else 0, np.uint64(state)
        )
        around = [
            [int(kept.words[t]) for t in range(begin, end) if t != centre]
            for centre, begin, end in zip(range(t0, t1), *drawn, strict=False)
        ]
        assert around == right.contexts
        tokens = [[t - t0 for t in range(begin, end)] for begin, end in zip(*drawn, strict=True)][: t1 - t0]
        assert [[t for t in near if t != i] for i, near in enumerate(tokens)] == right.tokens
        assert n_contexts == sum(map(len, around))
        assert n_predicted == sum(map(bool, around))


def test_frozen_words_step_into_the_discard_row():
    rows, update_rows = np.array([0, 24, 8, 32, 8, 40]), np.zeros(6, int)
    mask = np.array([0, 1, 0, 1], np.uint8)
    windows.redirect_frozen(update_rows, rows, 5, windows.Frozen(mask, 99), 8)
    assert update_rows.tolist() == [0, 99, 99, 32, 99, 0]
