"""Counts that GloVe's programs wrote: the same as adding up the records one by one, or refused by number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedtrain.counts.glove_bin import read_cooccurrence_bin
from embedtrain.errors import DataError, SettingError

RECORD = np.dtype([("word", "<i4"), ("context", "<i4"), ("count", "<f8")])
RIGHT = [(1, 2, 0.5), (2, 1, 0.5), (3, 3, 7.0), (1, 4, 1.25)]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("stanford") / "cooccurrence.bin"


def write(path, cells):
    np.array(cells, RECORD).tofile(path)


def added_up(cells, n_words):
    """The plain form: every cell a sum in float64."""
    dense = np.zeros((n_words, n_words))
    for word, context, count in cells:
        dense[word - 1, context - 1] += count
    return dense


def refused(part):
    """An error whose message is one line with the file's name and `part` in it."""
    return pytest.raises(DataError, match=rf"\A[^\n]*cooccurrence\.bin[^\n]*{part}[^\n]*\Z")


@pytest.fixture(params=[1, 3, 1 << 18])
def at_once(request, monkeypatch):
    monkeypatch.setattr("embedtrain.counts.glove_bin._AT_ONCE", request.param)


def test_records_are_sixteen_packed_bytes(path):
    assert RECORD.itemsize == 16
    path.write_bytes(bytes.fromhex("02000000 01000000 000000000000f83f"))  # 1.5
    assert read_cooccurrence_bin(path, 2).toarray().tolist() == [[0, 0], [1.5, 0]]


@pytest.mark.usefixtures("at_once")
def test_shuffled_records_become_sorted_rows(path):
    rng = np.random.default_rng(3)
    places = rng.permutation(30 * 30)[:400]
    cells = [(place // 30 + 1, place % 30 + 1, count) for place, count in zip(places, rng.random(400), strict=True)]
    write(path, cells)
    matrix = read_cooccurrence_bin(path, 31)
    assert matrix.has_canonical_format
    assert [part.dtype for part in (matrix.data, matrix.indices, matrix.indptr)] == [np.float32, np.int32, np.int32]
    np.testing.assert_array_equal(matrix.toarray(), added_up(cells, 31).astype(np.float32))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**40)), min_size=1, max_size=40),
    st.integers(3, 5),
)
def test_records_of_the_same_words_are_added_up_in_any_order(path, cells, n_words):
    write(path, cells)
    expected = added_up(cells, n_words).astype(np.float32)  # sums of integers are exact in float64
    np.testing.assert_array_equal(read_cooccurrence_bin(path, n_words).toarray(), expected)


def test_a_sum_is_rounded_once(path):
    write(path, [(1, 2, 2.0**24), *[(1, 2, 1.0)] * 1000])
    assert read_cooccurrence_bin(path, 2)[0, 1] == np.float32(2**24 + 1000)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("place", [0, 3, 4])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ((0, 2, 1), "it is of the words 0 and 2, and the vocabulary has the words 1 to 4"),
        ((2, 0, 1), "it is of the words 2 and 0, "),
        ((5, 1, 1), "it is of the words 5 and 1, "),
        ((1, 5, 1), "it is of the words 1 and 5, "),
        ((-(2**31), 1, 1), "it is of the words -2147483648 and 1, "),
        ((1, 2**31 - 1, 1), "it is of the words 1 and 2147483647, "),
        (
            (1, 2, -0.5),
            "the count of word 1 beside word 2 is -0.5; counts must be finite, as float32 too, and at least 0",
        ),
        ((1, 2, np.nan), "the count of word 1 beside word 2 is nan; "),
        ((1, 2, np.inf), "the count of word 1 beside word 2 is inf; "),
        ((4, 4, 1e39), r"the count of word 4 beside word 4 is 1e\+39; "),
    ],
)
def test_a_wrong_record_is_named(path, place, wrong, message):
    write(path, [*RIGHT[:place], wrong, *RIGHT[place:]])
    with refused(f", record {place + 1}: {message}"):
        read_cooccurrence_bin(path, 4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no counts: it is empty"),
        (b"\0" * 15, "has 15 bytes: 0 records of 16 bytes and 15 more; it is cut, or no counts"),
        (b"\1\0\0\0" * 9, "has 36 bytes: 2 records of 16 bytes and 4 more; it is cut, or no counts"),
    ],
)
def test_a_file_that_is_empty_or_cut_is_refused(path, content, message):
    path.write_bytes(content)
    with refused(message):
        read_cooccurrence_bin(path, 4)


def test_what_does_not_fit_is_refused(path, monkeypatch):
    monkeypatch.setattr("embedtrain.machine.memory.available_memory", lambda: 60)
    write(path, RIGHT[:3])
    assert read_cooccurrence_bin(path, 4).nnz == 3
    write(path, RIGHT)
    with pytest.raises(
        SettingError, match=r"cooccurrence\.bin need 64 bytes of memory, 60 bytes are free; count again"
    ):
        read_cooccurrence_bin(path, 4)


def test_a_missing_file_is_refused(tmp_path):
    with refused("no such file"):
        read_cooccurrence_bin(tmp_path / "cooccurrence.bin", 4)


@pytest.mark.parametrize("cells", [[(4, 1, 1.0)] * 4, RIGHT[:3], [*RIGHT, RIGHT[0]]])
def test_a_file_that_changes_while_it_is_read_is_refused(path, monkeypatch, cells):
    from embedtrain.counts import glove_bin as stanford

    count = stanford._count_cells

    def count_and_change(*args):
        indptr = count(*args)
        write(path, cells)
        return indptr

    write(path, RIGHT)
    monkeypatch.setattr(stanford, "_count_cells", count_and_change)
    with refused("was changed while it was read"):
        read_cooccurrence_bin(path, 4)
