"""GloVe's cooccurrence.bin: records are summed one by one, or refused by number."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_files import refused

from embedtrain.counts.glove_bin import read_glove_bin
from embedtrain.errors import DataError, SettingError

RECORD = np.dtype([("word", "<i4"), ("context", "<i4"), ("count", "<f8")])
RIGHT = [(1, 2, 0.5), (2, 1, 0.5), (3, 3, 7.0), (1, 4, 1.25)]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("glove") / "cooccurrence.bin"


def write(path, cells):
    path.unlink(missing_ok=True)  # it may be mapped
    np.array(cells, RECORD).tofile(path)


def refused_file(part, error=DataError):
    """Expect an error whose message is one line with the file's name and `part` in it."""
    return refused(rf"cooccurrence\.bin[^\n]*{part}", error)


def test_records_are_sixteen_packed_bytes(path):
    assert RECORD.itemsize == 16
    path.write_bytes(bytes.fromhex("02000000 01000000 000000000000f83f"))  # 1.5
    assert read_glove_bin(path, 2).toarray().tolist() == [[0, 0], [1.5, 0]]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**40)), min_size=1, max_size=40),
    st.integers(3, 5),
)
def test_records_of_the_same_words_are_summed_in_float64_in_any_order(path, cells, n_words):
    write(path, cells)
    dense = np.zeros((n_words, n_words))
    for word, context, count in cells:
        dense[word - 1, context - 1] += count
    matrix = read_glove_bin(path, n_words)
    assert (matrix.has_canonical_format, matrix.dtype, matrix.indices.dtype) == (True, np.float64, np.int32)
    np.testing.assert_array_equal(matrix.toarray(), dense)


@pytest.mark.parametrize("place", [0, 3, 4])
@pytest.mark.parametrize(
    "wrong",
    [(0, 2, 1.0), (2, 0, 1.0), (5, 1, 1.0), (1, 5, 1.0), (-(2**31), 1, 1.0), (1, 2**31 - 1, 1.0), (1, 2, -0.5),
     (1, 2, np.nan), (1, 2, np.inf), (4, 4, 1e39)],
)  # fmt: skip
def test_a_wrong_record_is_named(path, place, wrong):
    write(path, [*RIGHT[:place], wrong, *RIGHT[place:]])
    found = re.escape(f"{wrong[0]}, {wrong[1]} and {wrong[2]}")
    with refused_file(
        rf", record {place + 1}: expected two words of 1 to 4 and a count of 0 to 3\.4e38, got {found}; was it"
    ):
        read_glove_bin(path, 4)


@pytest.mark.parametrize("size", [0, 15, 36])
def test_a_file_that_is_empty_or_cut_is_refused(path, size):
    path.write_bytes(b"\1" * size)
    with refused_file(f"its size must be a multiple of 16 bytes, got {size}"):
        read_glove_bin(path, 4)


def test_what_does_not_fit_is_refused(path, monkeypatch):
    monkeypatch.setattr("embedtrain.machine.memory.available_memory", lambda: 102)
    write(path, RIGHT[:3])
    assert read_glove_bin(path, 4).nnz == 3
    write(path, RIGHT)
    with refused_file(" need 136 bytes of memory, 102 bytes are free; count again", SettingError):
        read_glove_bin(path, 4)


def test_a_missing_file_is_refused(tmp_path):
    with refused_file("no such file"):
        read_glove_bin(tmp_path / "cooccurrence.bin", 4)
