import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from embedtrain.errors import DataError
from embedtrain.formats import word2vec_text
from embedtrain.formats.content import Content

LARGEST = 0x7F7FFFFF  # bits of the largest float32
PATTERNS = st.integers(0, LARGEST) | st.integers(0x80000000, 0x80000000 | LARGEST)
WORDS = st.lists(
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1, max_size=8),
    min_size=1,
    max_size=8,
    unique=True,
)


@st.composite
def words_and_vectors(draw):
    words = draw(WORDS)
    shape = (len(words), draw(st.integers(1, 6)))
    return words, draw(hnp.arrays(np.uint32, shape, elements=PATTERNS)).view(np.float32)


def bits(vectors):
    return vectors.view(np.uint32).tolist()


def random_vectors(n_words, dim, seed=0):
    return np.random.default_rng(seed).normal(size=(n_words, dim)).astype(np.float32)


def unusual_words(n_words):
    first = [
        "the",
        "naïve",
        "日本語",
        "😀",
        "zero\u200bwidth",
        "\ufeffmark",
        "</s>",
        "-1.5",
        "1",
        "don't",
        '"',
        "\\",
        "_",
    ]
    return [*first, *(f"w{number}" for number in range(n_words - len(first)))]


# --- Written and read -------------------------------------------------------------------------------------------------


@settings(derandomize=True, deadline=None, max_examples=150)
@given(words_and_vectors())
def test_what_was_written_reads_back_to_the_bit(tmp_path_factory, data):
    words, vectors = data
    path = tmp_path_factory.mktemp("vectors") / "x.vec"
    word2vec_text.write(path, Content(words, vectors), threads=1)
    read_words, read_vectors, *_ = word2vec_text.read(path)
    assert read_words == words
    assert read_vectors.dtype == np.float32
    assert bits(read_vectors) == bits(vectors)


def test_a_value_whose_nearest_double_lies_halfway_reads_back_to_the_bit(tmp_path):
    vectors = np.array([[0x15AE43FD, 0x95AE43FD]], np.uint32).view(np.float32)  # ±7.038531e-26
    word2vec_text.write(tmp_path / "x.vec", Content(["word"], vectors))
    assert bits(word2vec_text.read(tmp_path / "x.vec")[1]) == bits(vectors)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(words_and_vectors())
def test_the_bytes_are_what_every_reader_takes(tmp_path_factory, data):
    words, vectors = data
    path = tmp_path_factory.mktemp("vectors") / "x.vec"
    word2vec_text.write(path, Content(words, vectors), threads=1)
    header, *rows, end = path.read_bytes().split(b"\n")
    assert header == b"%d %d" % vectors.shape
    assert end == b""
    fields = [row.split(b" ") for row in rows]
    assert [word.decode() for word, *_ in fields] == words
    assert {len(values) for _, *values in fields} == {vectors.shape[1]}
    assert all(re.fullmatch(rb"-?\d+(\.\d+)?(e[+-]\d\d)?", value) for _, *values in fields for value in values)


@pytest.mark.parametrize("threads", [2, 3, None])
def test_the_number_of_threads_leaves_no_trace(tmp_path, threads):
    words, vectors = unusual_words(4000), random_vectors(4000, 75)  # more than two threads take at once
    word2vec_text.write(tmp_path / "1.vec", Content(words, vectors), threads=1)
    word2vec_text.write(tmp_path / "n.vec", Content(words, vectors), threads=threads)
    assert (tmp_path / "n.vec").read_bytes() == (tmp_path / "1.vec").read_bytes()
    read_words, read_vectors, *_ = word2vec_text.read(tmp_path / "n.vec")
    assert read_words == words
    assert bits(read_vectors) == bits(vectors)


def test_a_view_into_a_wider_table_is_written(tmp_path):
    table = random_vectors(6, 16)
    word2vec_text.write(tmp_path / "x.vec", Content(list("abcde"), table[:5, :11]))
    assert (word2vec_text.read(tmp_path / "x.vec")[1] == table[:5, :11]).all()


def test_an_old_file_is_replaced(tmp_path):
    for n_words in (9, 2):
        word2vec_text.write(tmp_path / "x.vec", Content(list("abcdefghi")[:n_words], random_vectors(n_words, 3)))
    assert len(word2vec_text.read(tmp_path / "x.vec")[0]) == 2


@pytest.mark.clients
def test_gensim_reads_the_same_and_finds_the_same_neighbours(tmp_path):
    reason = "gensim, an optional dependency of the tests, is not installed"
    keyed_vectors = pytest.importorskip("gensim.models", reason=reason).KeyedVectors
    from embedtrain.vectors.word_vectors import WordVectors

    words, vectors = unusual_words(300), random_vectors(300, 20)
    vectors[7] *= np.float32(1e-20)
    path = tmp_path / "x.vec"
    word2vec_text.write(path, Content(words, vectors))
    theirs, ours = keyed_vectors.load_word2vec_format(path), WordVectors.load(path)
    assert theirs.index_to_key == words
    assert bits(theirs.vectors) == bits(vectors)
    for positive, negative in (
        (["the"], []),
        (["日本語", "w5"], ["😀"]),
        (["zero\u200bwidth", "</s>"], ["\ufeffmark", "1"]),
    ):
        wanted = theirs.most_similar(positive, negative, topn=15)
        got = ours.most_similar(positive, negative, topn=15)
        assert [word for word, _ in got] == [word for word, _ in wanted]
        assert [cosine for _, cosine in got] == pytest.approx([cosine for _, cosine in wanted], abs=1e-5)


@pytest.mark.parametrize(
    "content",
    [
        b"2 2\na 1 2\nb 3 4.5\n",
        b"2 2\na 1 2\nb 3 4.5",
        b"2 2\r\na 1 2\r\nb 3 4.5\r\n",
        b"2 2 \na 1 2 \nb 3 4.5 \n",
        b"2 2\na 1.000 2e0\nb 3.0E+0 +4.50\n",
    ],
    ids=["usual", "no end", "CRLF", "spaces at the end", "other spellings"],
)
def test_what_other_programs_write_is_read(tmp_path, content):
    (tmp_path / "x.vec").write_bytes(content)
    words, vectors, *_ = word2vec_text.read(tmp_path / "x.vec")
    assert words == ["a", "b"]
    assert vectors.tolist() == [[1, 2], [3, 4.5]]


# --- What is not written ----------------------------------------------------------------------------------------------

ONES = np.ones((2, 3), np.float32)


def ones_but(value):
    vectors = ONES.copy()
    vectors[1, 2] = value
    return vectors


@pytest.mark.parametrize(
    ("words", "vectors", "message"),
    [
        (["twin", "twin"], ONES, "the word 'twin' stands twice"),
        (["a", "two words"], ONES, "the word 'two words' is empty or holds whitespace"),
        (["a", "two\u00a0words"], ONES, "is empty or holds whitespace"),
        (["a", "line\n"], ONES, "is empty or holds whitespace"),
        (["a", " "], ONES, "the word ' ' is empty or holds whitespace"),
        (["a", ""], ONES, "the word '' is empty"),
        (["a b", ""], ONES, "is empty or holds whitespace"),
        (["a", "nul\0"], ONES, "a control character"),
        (["a", "c1\x80"], ONES, "a control character"),
        (["a", "half\ud800"], ONES, "surrogate"),
        (["a", "wrong"], ones_but(np.nan), "the vector of 'wrong' is not finite"),
        (["a", "wrong"], ones_but(np.inf), "the vector of 'wrong' is not finite"),
        (["a", "wrong"], ones_but(-np.inf), "the vector of 'wrong' is not finite"),
        (["a"], ONES, r"1 words need a row each, got an array of shape \(2, 3\)"),
        (["a", "b", "c"], ONES, r"3 words need a row each, got an array of shape \(2, 3\)"),
        (["a", "b"], ONES[0], r"got an array of shape \(3,\)"),
        (["a", "b"], ONES[:, :, None], r"got an array of shape \(2, 3, 1\)"),
        (["a", "b"], ONES[:, :0], r"got an array of shape \(2, 0\)"),
        ([], ONES[:0], r"got an array of shape \(0, 3\)"),
    ],
)
def test_what_no_file_can_hold_is_refused_and_the_old_file_kept(tmp_path, words, vectors, message):
    path = tmp_path / "x.vec"
    path.write_bytes(b"old")
    with pytest.raises(DataError, match=rf"\A[^\n]*{message}[^\n]*\Z"):
        word2vec_text.write(path, Content(words, vectors))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.filterwarnings("error")
def test_infinities_that_cancel_are_found(tmp_path):
    vectors = ones_but(np.inf)
    vectors[0, 0] = -np.inf
    with pytest.raises(DataError, match="the vector of 'a' is not finite"):
        word2vec_text.write(tmp_path / "x.vec", Content(["a", "b"], vectors))


def test_the_largest_values_are_finite(tmp_path):
    vectors = np.full((50, 20), np.finfo(np.float32).max)
    word2vec_text.write(tmp_path / "x.vec", Content(unusual_words(50), vectors))
    assert (word2vec_text.read(tmp_path / "x.vec")[1] == vectors).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_after_an_error_in_the_middle_the_old_file_is_as_it_was(tmp_path, threads):
    class Failing(list):
        def __getitem__(self, place):
            if isinstance(place, slice) and place.start:
                raise RuntimeError("in the middle")
            return super().__getitem__(place)

    path = tmp_path / "x.vec"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="in the middle"):
        word2vec_text.write(path, Content(Failing(unusual_words(4000)), random_vectors(4000, 75)), threads=threads)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"cannot write .*x\.vec"):
        word2vec_text.write(tmp_path / "missing" / "x.vec", Content(["a", "b"], ONES))


# --- What is not read -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: expected words and their values, the file is empty"),
        (b"\n", "line 1: expected the numbers of words and dimensions"),
        (b"a 1 2\nb 3 4\n", "line 1: expected the numbers of words and dimensions, got b'a 1 2"),
        (b"2\na 1 2\nb 3 4\n", "line 1: expected the numbers"),
        (b"2 2 2\na 1 2\nb 3 4\n", "line 1: expected the numbers"),
        (b"2.0 2\na 1 2\nb 3 4\n", "line 1: expected the numbers"),
        (b"\x00\xff" * 1000, "line 1: expected the numbers"),
        (b"0 2\n", "line 1: the numbers of words and dimensions must be positive, got 0 and 2"),
        (b"2 -2\na 1 2\nb 3 4\n", "line 1: .*must be positive, got 2 and -2"),
        (b"2 2\na 1 2\nlong 3\n", "line 3: 'long' has 1 values instead of 2; .*drops the line"),
        (b"2 2\na 1 2 3\nb 3 4\n", "line 2: 'a' has 3 values instead of 2"),
        (b"2 2\na 1 2\n\nb 3 4\n", "line 3: the line is blank"),
        (b"2 2\na 1 2\nb 3 four\n", "line 3: 'four' among the values of 'b' is no number"),
        (b"2 2\na 1 2\ntwo words 3\n", "line 3: 'words' among the values of 'two' is no number"),
        (b"2 2\na 1 2\nb\xff 3 4\n", "line 3: .*is not UTF-8"),
        (b"3 2\na 1 2\nb 3 4\n", "line 1: the first line promises 3 words, 2 follow"),
        (b"1 2\na 1 2\nb 3 4\n", "line 1: the first line promises 1 words, 2 follow"),
        (b"2 3\na 1 2\nb 3 4\n", "line 1: the first line promises 3 values a word, 2 follow"),
        (b"900000000000 2\na 1 2\nb 3 4\n", "the first line promises 900,000,000,000 words, 2 follow"),
        (b"2 900000000000\na 1 2\nb 3 4\n", "the first line promises 900,000,000,000 values a word, 2 follow"),
    ],
)
def test_what_is_no_vectors_file_is_refused_with_the_line(tmp_path, content, message):
    path = tmp_path / "x.vec"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"\A[^\n]*x\.vec[,:][^\n]*{message}[^\n]*\Z"):
        word2vec_text.read(path)


def test_a_file_cut_short_is_refused_wherever_it_is_cut(tmp_path):
    path = tmp_path / "x.vec"
    word2vec_text.write(path, Content(["first", "second", "third"], random_vectors(3, 2)))
    whole = path.read_bytes()
    last_value = len(whole.rsplit(b" ", 1)[1])
    for size in range(len(whole) - last_value + 1):  # a shorter number is still a number
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match=r"x\.vec"):
            word2vec_text.read(path)


@pytest.mark.parametrize("name", ["missing.vec", "."], ids=["missing file", "folder"])
def test_what_cannot_be_opened_is_refused(tmp_path, name):
    with pytest.raises(DataError, match=r"\Acannot read [^\n]*\Z"):
        word2vec_text.read(tmp_path / name)
