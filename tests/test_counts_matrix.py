"""Counts that somebody made, brought into the one form that kernels trust, or refused."""

import numpy as np
import pytest
from scipy import sparse
from text_files import refused

from embedtrain.counts.matrix import as_counts
from embedtrain.machine.words import PackedWords

WORDS = ["the", "king", "queen", "наш"]
DENSE = np.array([[0, 2, 0.5, 0], [2, 0, 0, 1], [0.5, 0, 4, 0], [0, 1, 0, 0]])
PACKED = PackedWords(np.frombuffer("".join(WORDS).encode(), np.uint8), np.array([0, 3, 7, 12, 18]))


def canonical(dense=DENSE):
    return sparse.csr_array(np.asarray(dense, np.float32))


def parts_of(matrix):
    return [matrix.data, matrix.indices, matrix.indptr]


def require_canonical(counts, dense=DENSE):
    matrix = counts.matrix
    assert isinstance(matrix, sparse.csr_array)
    assert [part.dtype for part in parts_of(matrix)] == [np.float32, np.int32, np.int32]
    assert matrix.has_canonical_format
    assert all(part.flags.c_contiguous and part.flags.aligned for part in parts_of(matrix))
    assert not any(part.flags.writeable for part in parts_of(matrix))
    np.testing.assert_array_equal(matrix.toarray(), np.asarray(dense, np.float32))


# --- What is taken ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
@pytest.mark.parametrize("family", ["array", "matrix"])
def test_any_format_and_type_becomes_the_canonical_one(kind, family, dtype):
    if kind == "lil" and dtype == np.longdouble:
        dtype = np.float64  # SciPy has no such lists
    given_matrix = getattr(sparse, f"{kind}_{family}")(DENSE.astype(dtype))
    before = given_matrix.copy()
    require_canonical(as_counts(given_matrix, WORDS))
    assert (given_matrix.format, given_matrix.dtype) == (before.format, before.dtype)
    np.testing.assert_array_equal(given_matrix.toarray(), before.toarray())


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint8, np.int64, np.uint64])
def test_integers_become_float32(dtype):
    dense = np.ceil(DENSE).astype(dtype)
    require_canonical(as_counts(sparse.csr_array(dense), WORDS), dense)


def test_duplicate_cells_are_summed_whatever_the_type_can_hold():
    rows, columns = np.array([1, 0, 1, 1]), np.array([2, 3, 2, 0])
    for dtype in (np.uint8, np.float32):
        given_matrix = sparse.coo_array((np.array([200, 3, 100, 5], dtype), (rows, columns)), shape=(4, 4))
        expected = np.zeros((4, 4))
        expected[1, 2], expected[0, 3], expected[1, 0] = 300, 3, 5
        require_canonical(as_counts(given_matrix, WORDS), expected)
        assert (given_matrix.row.tolist(), given_matrix.data.tolist()) == ([1, 0, 1, 1], [200, 3, 100, 5])
        require_canonical(as_counts(sparse.coo_matrix(given_matrix), WORDS), expected)


def test_a_sum_is_rounded_once():
    """A million small counts beside a large one: added one by one in float32, they would vanish."""
    n = 100_000
    values = np.concatenate([[2.0**24], np.ones(n)]).astype(np.float32)
    given_matrix = sparse.coo_array((values, (np.zeros(n + 1, int), np.ones(n + 1, int))), shape=(4, 4))
    assert as_counts(given_matrix, WORDS).matrix[0, 1] == np.float32(2**24 + n)


def test_unsorted_and_repeated_columns_are_put_right_and_the_given_matrix_stays():
    data, indices, indptr = np.array([1, 2, 4], np.float32), np.array([2, 0, 2]), np.array([0, 3, 3, 3, 3])
    given_matrix = sparse.csr_array((data, indices, indptr), shape=(4, 4))
    given_matrix.has_canonical_format = True  # as somebody might claim
    expected = np.zeros((4, 4))
    expected[0, [0, 2]] = 2, 5
    require_canonical(as_counts(given_matrix, WORDS), expected)
    assert given_matrix.indices.tolist() == [2, 0, 2]
    assert given_matrix.data.tolist() == [1, 2, 4]


@pytest.mark.parametrize("family", [sparse.csr_array, sparse.csr_matrix])
def test_what_is_canonical_is_not_copied(family):
    given_matrix = family(canonical())
    made = as_counts(given_matrix, WORDS).matrix
    assert all(map(np.shares_memory, parts_of(made), parts_of(given_matrix)))
    assert all(part.flags.writeable for part in parts_of(given_matrix)), "the caller's own stay as they are"


def test_wide_indices_become_narrow():
    given_matrix = canonical()
    for name in ("indices", "indptr"):
        setattr(given_matrix, name, getattr(given_matrix, name).astype(np.int64))
    require_canonical(as_counts(given_matrix, WORDS))


def test_spare_room_at_the_end_of_the_arrays_is_left_out():
    given_matrix = canonical()
    given_matrix.data = np.append(given_matrix.data, np.float32([np.nan]))
    given_matrix.indices = np.append(given_matrix.indices, np.int32([-7]))
    made = as_counts(given_matrix, WORDS)
    require_canonical(made)
    assert len(made.matrix.data) == len(made.matrix.indices) == 7


def test_arrays_that_are_not_aligned_are_copied_to_be():
    given_matrix = canonical()
    unaligned = np.zeros(4 * given_matrix.nnz + 1, np.uint8)[1:].view(np.float32)
    unaligned[:] = given_matrix.data
    given_matrix.data = unaligned
    assert not given_matrix.data.flags.aligned
    require_canonical(as_counts(given_matrix, WORDS))


def test_explicit_zeros_stay():
    given_matrix = canonical()
    given_matrix.data[0] = 0
    assert as_counts(given_matrix, WORDS).matrix.nnz == given_matrix.nnz


@pytest.mark.parametrize("words", [tuple(WORDS), np.array(WORDS), dict.fromkeys(WORDS).keys(), PACKED])
def test_words_are_any_sequence(words):
    counts = as_counts(canonical(), words, np.array([9, 8, 7, 0], np.uint16), {"window": 3})
    assert (list(counts.words), counts.counts.tolist(), counts.counts.dtype) == (WORDS, [9, 8, 7, 0], np.int64)
    assert (len(counts), counts.settings) == (4, {"window": 3})
    assert repr(counts) == "<Counts: 4 words, 7 cells>"


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-1, r"-1\.0"), (-1e-60, "-1e-60"), (np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf"), (1e39, r"1e\+39")],
)
@pytest.mark.parametrize("kind", ["csr", "csc", "coo"])
def test_a_value_that_no_count_can_have_is_named_with_its_words(kind, value, shown):
    dense = DENSE.copy()
    dense[1, 3] = value
    place = r'the count of "king" \(row 1\) beside "наш" \(column 3\) is '
    with refused(f"{place}{shown}; counts must be finite, as float32 too, and at least 0"):
        as_counts(getattr(sparse, f"{kind}_array")(dense), WORDS)


def test_a_large_matrix_is_rounded_and_checked_to_its_end():
    dense = np.random.default_rng(0).random((600, 600))
    words = list(map(str, range(600)))
    made = as_counts(sparse.csr_array(dense), words).matrix
    assert (made.toarray() == dense.astype(np.float32)).all()
    dense[598, 3] = -1
    with refused(r'the count of "598" \(row 598\) beside "3" \(column 3\) is -1\.0'):
        as_counts(sparse.csr_array(dense), words)


def test_a_sum_that_float32_cannot_hold_is_refused():
    values = np.full(2, 3e38, np.float32)
    with refused(r'"the" \(row 0\) beside "king" \(column 1\) is 6.0.*e\+38'):
        as_counts(sparse.coo_array((values, ([0, 0], [1, 1])), shape=(4, 4)), WORDS)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (DENSE, "must be a sparse one of scipy with two axes, such as csr_array, got ndarray"),
        (None, "got NoneType"),
        (
            sparse.csr_array(DENSE[:3]),
            "must be square, words by words, got 3 rows and 4 columns; svd takes others, with context_words",
        ),
        (sparse.csr_array(DENSE[:3, :3]), "got 3 rows and 4 words"),
        (sparse.csr_array(DENSE.astype(complex)), "must hold real numbers, got the type complex128"),
        (sparse.csr_array((4, 4)), "there is nothing to learn from"),
        (sparse.csr_array((np.zeros(1), ([0], [1])), shape=(4, 4)), "there is nothing to learn from"),
    ],
)
def test_a_matrix_that_cannot_be_one_of_counts_is_refused(matrix, message):
    with refused(message):
        as_counts(matrix, WORDS)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", "b", "a", "c"], "the word 'a' appears twice"),
        (["a", "b", "c", ""], "the word '' is empty or holds whitespace"),
        (["a", "b", "c", "d\te"], r"the word 'd\\te' is empty or holds whitespace"),
        (["a", "b", "c", "\x85"], r"'\\x85' is empty or holds"),
        (["a", "b", "c", "\ud800"], r"'\\ud800' is empty or holds"),
        (["a", "b", "c", b"d"], "words must be str, got bytes b'd'; convert it"),
        ("abcd", "words must be a sequence of str, .* got one str"),
        (["a"], "at least two words are needed to learn from, got 1"),
        ([], "at least two words are needed to learn from, got 0"),
    ],
)
def test_words_that_cannot_be_those_of_rows_are_refused(words, message):
    with refused(message):
        as_counts(canonical(), words)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([1, 2, 3], r"an integer for each of 4 words, got shape \(3,\)"),
        ([1.0, 2, 3, 4], "got shape .* of float64"),
        ([1, 2, -3, 4], "the word 'queen' has the count -3"),
        (np.array([1, 2**63, 3, 4], np.uint64), "the word 'king' has the count 9223372036854775808"),
    ],
)
def test_counts_of_words_that_cannot_be_are_refused(counts, message):
    with refused(message):
        as_counts(canonical(), WORDS, counts)


DAMAGE = [
    ("indices", 2, 4, "its indices hold 4, and must be 0 to 3"),
    ("indices", 0, -1, "its indices hold -1, and must be 0 to 3"),
    ("indptr", 0, 1, "its indptr must be 5 numbers from 0 that never fall"),
    ("indptr", 1, 100, "its indptr must be 5 numbers from 0 that never fall"),
    ("indptr", 2, -5, "its indptr must be 5 numbers from 0 that never fall"),
    ("indptr", 4, 100, "its indptr ends with 100, there are 7 indices and 7 values"),
]


@pytest.mark.parametrize(("name", "place", "value", "message"), DAMAGE)
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_a_damaged_matrix_is_refused_before_anything_reads_it(kind, name, place, value, message):
    given_matrix = kind(DENSE)
    getattr(given_matrix, name)[place] = value
    with refused(f"the matrix is damaged: {message}"):
        as_counts(given_matrix, WORDS)


def test_arrays_of_wrong_lengths_are_refused():
    given_matrix = canonical()
    given_matrix.indptr = given_matrix.indptr[:-1]
    with refused("its indptr must be 5 numbers"):
        as_counts(given_matrix, WORDS)
    given_matrix = canonical()
    given_matrix.data = given_matrix.data[:-1]
    with refused("there are 7 indices and 6 values"):
        as_counts(given_matrix, WORDS)


@pytest.mark.parametrize("axis", ["row", "col"])
def test_coordinates_that_were_changed_are_refused(axis):
    given_matrix = sparse.coo_matrix(DENSE)
    getattr(given_matrix, axis)[0] = 10**6
    with refused("its indices hold 1,000,000, and must be 0 to 3"):
        as_counts(given_matrix, WORDS)
