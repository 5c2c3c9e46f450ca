"""The text formats: what is written, read back, chosen and refused; `test_text_defects` has damaged files."""

import bz2
import gzip
import lzma
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from embedtrain import formats
from embedtrain.errors import DataError
from embedtrain.formats.format import ReadOptions, VectorTable

LIBRARIES = {".gz": gzip, ".bz2": bz2, ".xz": lzma}
LARGE = 20_000, 60  # words and values: several blocks of text
LARGEST = 0x7F7FFFFF  # bits of the largest float32
PATTERNS = st.integers(0, LARGEST) | st.integers(0x80000000, 0x80000000 | LARGEST)
WORDS = st.lists(
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1, max_size=8),
    min_size=1,
    max_size=8,
    unique=True,
)
UNUSUAL = ["naïve", "日本語", "😀", "zero\u200bwidth", "\ufeffmark", "</s>", "-1.5", "1", "don't", '"', "\\", "_"]


@st.composite
def words_and_vectors(draw):
    words = draw(WORDS)
    shape = (len(words), draw(st.integers(1, 6)))
    return words, draw(hnp.arrays(np.uint32, shape, elements=PATTERNS)).view(np.float32)


@pytest.fixture(scope="module")
def large():
    n_words, dim = LARGE
    vectors = np.random.default_rng(3).normal(size=(n_words, dim)).astype(np.float32)
    words = [*UNUSUAL, *(f"wörd{number}" for number in range(n_words - len(UNUSUAL)))]
    return VectorTable(words, vectors)


@pytest.fixture(scope="module")
def large_file(large, tmp_path_factory):
    path = tmp_path_factory.mktemp("vectors") / "large.glove"
    formats.write(path, large)
    return path


def read(tmp_path, data, format="glove", **options):
    path = tmp_path / "x.txt"
    path.write_bytes(data)
    return formats.read(path, ReadOptions(**options), format)


def bits(vectors):
    return vectors.view(np.uint32).tolist()


# --- Written and read -------------------------------------------------------------------------------------------------


@settings(derandomize=True, deadline=None, max_examples=150)
@given(words_and_vectors())
def test_what_was_written_is_what_every_reader_takes_and_reads_back_to_the_bit(tmp_path_factory, data):
    words, vectors = data
    path = tmp_path_factory.mktemp("vectors") / "x.vec"
    formats.write(path, VectorTable(words, vectors), threads=1)
    read_words, read_vectors, *_ = formats.read(path, format="word2vec")
    assert read_words == words
    assert read_vectors.dtype == np.float32
    assert bits(read_vectors) == bits(vectors)
    header, *rows, end = path.read_bytes().split(b"\n")
    assert header == b"%d %d" % vectors.shape
    assert end == b""
    fields = [row.split(b" ") for row in rows]
    assert [word.decode() for word, *_ in fields] == words
    assert {len(values) for _, *values in fields} == {vectors.shape[1]}
    assert all(re.fullmatch(rb"-?\d+(\.\d+)?(e[+-]\d\d)?", value) for _, *values in fields for value in values)


def test_a_small_file_is_read_without_loading_a_compiler(tmp_path, large):
    formats.write(tmp_path / "x.vec.gz", VectorTable(large.words[:2000], large.vectors[:2000]))
    code = (
        "import sys; from embedtrain import WordVectors; print(len(WordVectors.load(sys.argv[1])))\n"
        "print([name for name in ('numba', 'llvmlite', 'scipy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, tmp_path / "x.vec.gz"]
    assert subprocess.run(command, capture_output=True, check=True).stdout.split() == [b"2000", b"[]"]


def test_a_value_whose_nearest_double_lies_halfway_reads_back_to_the_bit(tmp_path):
    vectors = np.array([[0x15AE43FD, 0x95AE43FD]], np.uint32).view(np.float32)  # ±7.038531e-26
    formats.write(tmp_path / "x.vec", VectorTable(["word"], vectors))
    assert bits(formats.read(tmp_path / "x.vec")[1]) == bits(vectors)


def test_glove_is_rows_and_nothing_else(tmp_path):
    formats.write(tmp_path / "x.glove", VectorTable(["a", "<unk>"], np.array([[1, 0.5], [-2, 1e-7]], np.float32)))
    assert (tmp_path / "x.glove").read_bytes() == b"a 1 0.5\n<unk> -2 1e-07\n"


@pytest.mark.parametrize("threads", [1, 2, 3, None])
def test_the_number_of_threads_leaves_no_trace(tmp_path, large, large_file, threads):
    formats.write(tmp_path / "x.vec", large, threads=threads)
    header, _, rows = (tmp_path / "x.vec").read_bytes().partition(b"\n")
    assert header == b"%d %d" % LARGE
    assert rows == large_file.read_bytes()
    for path, format in ((tmp_path / "x.vec", "word2vec"), (tmp_path / "x.vec", "glove"), (large_file, "glove")):
        got = formats.read(path, ReadOptions(threads=threads), format)
        assert got.words == large.words
        assert bits(got.vectors) == bits(large.vectors)
        assert got.vectors.base is None, "no larger table is kept"


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_the_name_asks_for_compression_and_the_content_tells_of_it(tmp_path, large, suffix):
    if suffix == ".zst":
        pytest.importorskip("zstandard", reason="the extra zstd is not installed")
    part = VectorTable(large.words[:500], large.vectors[:500])
    for format in ("glove", "word2vec"):
        path, plain = tmp_path / f"x.txt{suffix}", tmp_path / "x.txt"
        formats.write(path, part, format)
        formats.write(plain, part, format)
        if suffix in LIBRARIES:
            assert LIBRARIES[suffix].decompress(path.read_bytes()) == plain.read_bytes()
        got = formats.read(path.rename(tmp_path / "no-suffix"), format=format)
        assert got.words == part.words
        assert np.array_equal(got.vectors, part.vectors)


def test_the_same_vectors_are_the_same_compressed_bytes(tmp_path, large):
    part = VectorTable(large.words[:50], large.vectors[:50])
    for name in ("a.gz", "b.gz"):
        formats.write(tmp_path / name, part)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_a_compressed_table_grows_as_it_is_read(tmp_path, large, large_file):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(large_file.read_bytes(), 1))
    got = formats.read(path)
    assert got.words == large.words
    assert np.array_equal(got.vectors, large.vectors)


def test_short_lines_first_and_long_ones_later_still_fit(tmp_path):
    rows = [b"w%d 1 2" % number for number in range(300_000)]
    rows += [b"v%d 0.123456789 0.987654321" % number for number in range(300_000)]
    got = read(tmp_path, b"\n".join(rows[::-1]))
    assert got.vectors.shape == (600_000, 2)
    assert got.vectors[-1].tolist() == [1, 2]


# --- What is wanted of it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 7, 15_000, 20_000, 30_000])
def test_a_limit_takes_the_first_words(large, large_file, limit):
    got = formats.read(large_file, ReadOptions(limit=limit))
    assert got.words == large.words[:limit]
    assert np.array_equal(got.vectors, large.vectors[:limit])


def test_a_limit_ends_reading(tmp_path, large_file):
    path = tmp_path / "x.txt"
    path.write_bytes(large_file.read_bytes() + b"short 1\n")
    assert len(formats.read(path, ReadOptions(limit=10, threads=1)).words) == 10
    with pytest.raises(DataError, match=r"line 20,001: 'short' has 1 values instead of 60"):
        formats.read(path)


def test_a_vocabulary_chooses_in_the_order_of_the_file(large, large_file):
    got = formats.read(large_file, ReadOptions(vocabulary={"wörd19900", "-1.5", "missing"}))
    assert got.words == ["-1.5", "wörd19900"]
    assert np.array_equal(got.vectors, large.vectors[[6, 19900 + len(UNUSUAL)]])
    assert formats.read(large_file, ReadOptions(vocabulary={"wörd19900", "-1.5"}, limit=10)).words == ["-1.5"]
    assert formats.read(large_file, ReadOptions(vocabulary=[])).vectors.shape == (0, 60)


def test_half_precision_is_the_nearest_or_refused(tmp_path, large, large_file):
    got = formats.read(large_file, ReadOptions(dtype=np.dtype(np.float16)))
    assert got.vectors.dtype == np.float16
    assert np.array_equal(got.vectors, large.vectors.astype(np.float16))
    with pytest.raises(DataError, match=r"the vector of 'b' exceeds float16; read it as float32"):
        read(tmp_path, b"a 1 2\nb 3 70000\n", dtype=np.dtype(np.float16))


# --- A header or a word -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words", "dim"),
    [
        (b"2 3\na 1 2 3\nb 4 5 6\n", ["a", "b"], 3),
        (b"2007 3\n2008 4\n", ["2007", "2008"], 1),
        (b"2007 3 1\n2008 4 2\n", ["2007", "2008"], 2),
        (b"2007 3\n", ["2007"], 1),
    ],
)
def test_two_whole_numbers_are_a_header_if_the_second_line_agrees(tmp_path, data, words, dim):
    got = read(tmp_path, data)
    assert got.words == words
    assert got.vectors.shape == (len(words), dim)


@pytest.mark.parametrize(("word", "value"), [("1", 1), ("3", 1), ("-7", 2), ("\ufeffa", 0.5), ("\ufeff", 1)])
def test_a_beginning_like_a_header_or_a_mark_is_not_written(tmp_path, word, value):
    vectors = np.array([[value], [2]], np.float32)
    with pytest.raises(DataError, match=r"GloVe's format cannot begin with .* write word2vec's \(\.vec\)"):
        formats.write(tmp_path / "x.glove", VectorTable([word, "b"], vectors))
    formats.write(tmp_path / "x.glove", VectorTable(["b", word], vectors))
    assert formats.read(tmp_path / "x.glove", format="glove").words == ["b", word]
    formats.write(tmp_path / "x.vec", VectorTable([word, "b"], vectors))
    assert formats.read(tmp_path / "x.vec", format="word2vec").words == [word, "b"]


# --- What is not written, or read -------------------------------------------------------------------------------------

ONES = np.ones((2, 3), np.float32)


def ones_but(value):
    vectors = ONES.copy()
    vectors[1, 2] = value
    return vectors


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("words", "vectors", "message"),
    [
        (["twin", "twin"], ONES, "the word 'twin' appears twice"),
        (["a", "two words"], ONES, "the word 'two words' holds a space, which this file cannot; write .npz, which can"),
        (["a", "two\u00a0words"], ONES, "is empty or holds whitespace"),
        (["a", "line\n"], ONES, "is empty or holds whitespace"),
        (["a", ""], ONES, "the word '' is empty"),
        (["a", "nul\0"], ONES, "a control character"),
        (["a", "c1\x80"], ONES, "a control character"),
        (["a", "half\ud800"], ONES, "surrogate"),
        (["a", "wrong"], ones_but(np.nan), "the vector of 'wrong' is not finite"),
        (["a", "wrong"], ones_but(-np.inf), "the vector of 'wrong' is not finite"),
        (["both", "wrong"], np.float32([[np.inf], [-np.inf]]), "the vector of 'both' is not finite"),
        (["a"], ONES, r"1 words need a row each, float32 or float16, got an array of shape \(2, 3\)"),
        (["a", "b"], ONES[0], r"got an array of shape \(3,\)"),
        (["a", "b"], ONES[:, :, None], r"got an array of shape \(2, 3, 1\)"),
        ([], ONES[:0], r"got an array of shape \(0, 3\)"),
    ],
)
def test_what_no_file_can_hold_is_refused_and_the_old_file_kept(tmp_path, words, vectors, message):
    path = tmp_path / "x.vec"
    path.write_bytes(b"old")
    with pytest.raises(DataError, match=rf"\A[^\n]*{message}[^\n]*\Z"):
        formats.write(path, VectorTable(words, vectors))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("threads", [1, 2])
def test_after_an_error_in_the_middle_the_old_file_is_as_it_was(tmp_path, large, threads):
    class Failing(list):
        def __getitem__(self, place):
            if isinstance(place, slice) and place.start:
                raise RuntimeError("in the middle")
            return super().__getitem__(place)

    path = tmp_path / "x.vec"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="in the middle"):
        formats.write(path, VectorTable(Failing(large.words), large.vectors), threads=threads)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"cannot write .*x\.vec"):
        formats.write(tmp_path / "missing" / "x.vec", VectorTable(["a", "b"], ONES))


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
        (b"2 -2\na 1 2\nb 3 4\n", "line 1: .*must be positive, got 2 and -2"),
        (b"900000000000 2\na 1 2\nb 3 4\n", "the first line promises 900,000,000,000 words, 2 follow"),
        (b"2 900000000000\na 1 2\nb 3 4\n", "the first line promises 900,000,000,000 values a word, 2 follow"),
    ],
)
def test_what_is_not_word2vec_text_is_refused(tmp_path, content, message):
    with pytest.raises(DataError, match=rf"\A[^\n]*x\.txt[,:][^\n]*{message}[^\n]*\Z"):
        read(tmp_path, content, "word2vec")


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"\n\n\n", b" \n", b"word\n", b"two words\n", b"\xff\xfe\x00\x01" * 99, b"a\tb\n", b"\xef\xbb\xbf"],
)
def test_what_has_no_vectors_is_refused(tmp_path, data):
    with pytest.raises(DataError, match=r"\A[^\n]*x\.txt, line 1: expected (a )?words? and (its|their) values[^\n]*\Z"):
        read(tmp_path, data)


def test_a_file_cut_short_is_refused_wherever_it_is_cut(tmp_path):
    path = tmp_path / "x.vec"
    vectors = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    formats.write(path, VectorTable(["first", "second", "third"], vectors))
    whole = path.read_bytes()
    last_value = len(whole.rsplit(b" ", 1)[1])
    for size in range(len(whole) - last_value + 1):  # a shorter number is still a number
        path.write_bytes(whole[:size])
        with pytest.raises(DataError, match=r"x\.vec"):
            formats.read(path, format="word2vec")


@pytest.mark.parametrize("name", ["missing.vec", "."], ids=["missing file", "folder"])
def test_what_cannot_be_opened_is_refused(tmp_path, name):
    with pytest.raises(DataError, match=r"\Acannot read [^\n]*\Z"):
        formats.read(tmp_path / name, format="word2vec")
