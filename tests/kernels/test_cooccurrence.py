"""The index of a stretch of text, and rows summed, taken and merged, against plain loops."""

from itertools import pairwise

import numpy as np
import pytest

from embedtrain.counts.summing import Workspace
from embedtrain.kernels.glove import cooccurrence

N_WORDS = 6
_MANY = 400_000  # words: a bitmap of many groups


@pytest.fixture(scope="module")
def text():
    """Sentences of 1 to 12 tokens, some with no kept token, then a long one: ids and offsets."""
    rng = np.random.default_rng(0)
    lengths = [*rng.integers(1, 13, 20), 3, 40]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = rng.integers(0, 2 * N_WORDS, offsets[-1]).astype(np.int32)
    ids[offsets[20] : offsets[21]] = N_WORDS
    for array in (ids, offsets):
        array.setflags(write=False)
    return ids, offsets


def kept_before(ids, offsets, position):
    """Places of kept tokens of the same sentence, the nearest first."""
    start = max(offset for offset in offsets if offset <= position)
    return [place for place in range(position - 1, start - 1, -1) if ids[place] < N_WORDS]


def kept_after(ids, offsets, position):
    stop = min(offset for offset in offsets if offset >= position)
    return [place for place in range(position, stop) if ids[place] < N_WORDS]


@pytest.mark.parametrize("window", [1, 2, 5, 100])
def test_halos_hold_a_window_of_kept_tokens_or_what_the_sentence_has(text, window):
    ids, offsets = text
    for position in range(len(ids)):
        near = kept_before(ids, offsets, position)[:window]
        assert cooccurrence.begin_before(ids, offsets, position, N_WORDS, window) == min(near, default=position)
    for position in range(1, len(ids) + 1):
        near = kept_after(ids, offsets, position)[:window]
        assert cooccurrence.end_after(ids, offsets, position, N_WORDS, window) == max(near, default=position - 1) + 1


def test_tokens_are_kept_the_same_wherever_the_text_is_divided(text):
    ids, offsets = text
    kept = [[word for word in ids[a:b] if word < N_WORDS] for a, b in pairwise(offsets)]
    expected = [int(word) - 2**31 * (i == 0) for sentence in kept for i, word in enumerate(sentence)]
    for border in range(len(ids) + 1):
        tokens = np.full(len(expected) + 1, 77, np.int32)
        place = cooccurrence.copy_kept_tokens(ids, offsets, 0, border, N_WORDS, tokens, 0)
        assert cooccurrence.copy_kept_tokens(ids, offsets, border, len(ids), N_WORDS, tokens, place) == len(expected)
        assert tokens.tolist() == [*expected, 77]


def test_an_index_has_the_places_of_each_word_in_order(text):
    ids, offsets = text
    counts = np.zeros(N_WORDS, np.int64)
    cooccurrence.count_words(ids, 0, len(ids), counts)
    assert counts.tolist() == np.bincount(ids)[:N_WORDS].tolist()
    tokens = np.empty(counts.sum(), np.int32)
    cooccurrence.copy_kept_tokens(ids, offsets, 0, len(ids), N_WORDS, tokens, 0)
    starts = np.concatenate([[0], np.cumsum(counts)])
    positions, following = np.full(len(tokens) + 1, 77, np.int32), starts[:-1].copy()
    cooccurrence.index_tokens(tokens, 0, len(tokens), following, positions)
    assert following.tolist() == starts[1:].tolist()
    words = tokens & 0x7FFFFFFF
    assert positions.tolist() == [*np.argsort(words, kind="stable"), 77]


@pytest.mark.parametrize("columns", [[], [0], [_MANY - 1], [0, 63, 64, 4095, 4096, 399_999], "random", "all"], ids=str)
def test_a_row_is_taken_in_order_and_leaves_nothing(columns):
    rng = np.random.default_rng(1)
    columns = {"random": rng.permutation(_MANY)[:5000], "all": rng.permutation(_MANY)}.get(str(columns), columns)
    added = np.array([*columns, *columns[::-1]], np.int32)
    sums = rng.integers(1, 2**40, len(added))
    workspace = Workspace.of(_MANY, _MANY)
    n_touched = cooccurrence.add_cells(added, sums, 0, len(added), workspace.tally, 0)
    assert workspace.tally.touched[:n_touched].tolist() == list(columns)
    end = cooccurrence.take_row(workspace.tally, n_touched, workspace.columns, workspace.sums, 0)
    expected = np.zeros(_MANY, np.int64)
    np.add.at(expected, added, sums)
    assert workspace.columns[:end].tolist() == sorted(columns)
    assert (workspace.sums[:end] == expected[workspace.columns[:end]]).all()
    for array in (workspace.tally.sums, workspace.tally.columns, workspace.tally.groups):
        assert not array.any()


def test_merged_rows_are_the_sums_of_the_pieces():
    rng = np.random.default_rng(2)
    n_words, n_rows = 200, 7
    pieces = rng.integers(1, 2**50, (3, n_rows, n_words)) * (rng.random((3, n_rows, n_words)) < 0.2)
    pieces[:, 3] = 0
    columns, starts = [], []
    for piece in pieces:
        starts.append(len(columns) + np.concatenate([[0], np.cumsum(np.count_nonzero(piece, axis=1))]))
        columns.extend(np.nonzero(piece)[1])
    workspace, lengths = Workspace.of(n_words, n_rows * n_words), np.full(n_rows, 77)
    n = cooccurrence.merge_rows(
        np.array(columns, np.int32), pieces[pieces > 0], np.array(starts), *workspace, lengths
    )  # fmt: skip
    expected = pieces.sum(axis=0)
    assert lengths.tolist() == np.count_nonzero(expected, axis=1).tolist()
    assert workspace.columns[:n].tolist() == np.nonzero(expected)[1].tolist()
    assert workspace.sums[:n].tolist() == expected[expected > 0].tolist()
