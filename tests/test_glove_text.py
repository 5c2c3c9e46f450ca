import bz2
import gzip
import lzma

import numpy as np
import pytest

from embedtrain.errors import DataError
from embedtrain.formats import glove_text, word2vec_text
from embedtrain.formats.content import Choice, Content

LIBRARIES = {".gz": gzip, ".bz2": bz2, ".xz": lzma}
LARGE = 20_000, 60  # words and values: several blocks of text


@pytest.fixture(scope="module")
def large():
    n_words, dim = LARGE
    vectors = np.random.default_rng(3).normal(size=(n_words, dim)).astype(np.float32)
    return Content([f"wörd{number}" for number in range(n_words)], vectors)


@pytest.fixture(scope="module")
def large_file(large, tmp_path_factory):
    path = tmp_path_factory.mktemp("vectors") / "large.txt"
    glove_text.write(path, large)
    return path


def read(tmp_path, data, **choice):
    path = tmp_path / "x.txt"
    path.write_bytes(data)
    return glove_text.read(path, Choice(**choice))


def test_a_file_is_rows_and_nothing_else(tmp_path):
    glove_text.write(tmp_path / "x.txt", Content(["a", "<unk>"], np.array([[1, 0.5], [-2, 1e-7]], np.float32)))
    assert (tmp_path / "x.txt").read_bytes() == b"a 1 0.5\n<unk> -2 1e-07\n"


def test_what_was_written_reads_back(large, large_file):
    for threads in (1, 2, 3):
        got = glove_text.read(large_file, Choice(threads=threads))
        assert got.words == large.words
        assert got.vectors.dtype == np.float32
        assert np.array_equal(got.vectors, large.vectors)
        assert got.vectors.base is None, "no larger table is kept"


def test_with_a_header_it_is_the_word2vec_format(large, large_file, tmp_path):
    word2vec_text.write(tmp_path / "x.vec", large)
    header, _, rows = (tmp_path / "x.vec").read_bytes().partition(b"\n")
    assert header == b"%d %d" % LARGE
    assert rows == large_file.read_bytes()
    got = glove_text.read(tmp_path / "x.vec")
    assert got.words == large.words
    assert np.array_equal(got.vectors, large.vectors)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_the_name_asks_for_compression_and_the_content_tells_of_it(tmp_path, large, suffix):
    if suffix == ".zst":
        pytest.importorskip("zstandard", reason="the extra zstd is not installed")
    part = Content(large.words[:500], large.vectors[:500])
    for module in (glove_text, word2vec_text):
        path, plain = tmp_path / f"x.txt{suffix}", tmp_path / "x.txt"
        module.write(path, part)
        module.write(plain, part)
        if suffix in LIBRARIES:
            assert LIBRARIES[suffix].decompress(path.read_bytes()) == plain.read_bytes()
        renamed = path.rename(tmp_path / "no-suffix")
        got = module.read(renamed)
        assert got.words == part.words
        assert np.array_equal(got.vectors, part.vectors)


def test_the_same_vectors_are_the_same_compressed_bytes(tmp_path, large):
    part = Content(large.words[:50], large.vectors[:50])
    for name in ("a.gz", "b.gz"):
        glove_text.write(tmp_path / name, part)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_a_compressed_table_grows_as_it_is_read(tmp_path, large, large_file):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(large_file.read_bytes(), 1))
    got = glove_text.read(path)
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
    got = glove_text.read(large_file, Choice(limit=limit))
    assert got.words == large.words[:limit]
    assert np.array_equal(got.vectors, large.vectors[:limit])


def test_a_limit_ends_reading(tmp_path, large_file):
    path = tmp_path / "x.txt"
    path.write_bytes(large_file.read_bytes() + b"short 1\n")
    assert len(glove_text.read(path, Choice(limit=10, threads=1)).words) == 10
    with pytest.raises(DataError, match=r"line 20001: 'short' has 1 values instead of 60"):
        glove_text.read(path)


def test_a_vocabulary_chooses_in_the_order_of_the_file(large, large_file):
    got = glove_text.read(large_file, Choice(vocabulary={"wörd19999", "wörd3", "missing"}))
    assert got.words == ["wörd3", "wörd19999"]
    assert np.array_equal(got.vectors, large.vectors[[3, 19999]])
    got = glove_text.read(large_file, Choice(vocabulary={"wörd19999", "wörd3"}, limit=10))
    assert got.words == ["wörd3"]
    got = glove_text.read(large_file, Choice(vocabulary=[]))
    assert got.vectors.shape == (0, 60)


def test_half_precision_is_the_nearest(large, large_file):
    got = glove_text.read(large_file, Choice(dtype=np.dtype(np.float16)))
    assert got.vectors.dtype == np.float16
    assert np.array_equal(got.vectors, large.vectors.astype(np.float16))


def test_a_value_beyond_half_precision_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"the vector of 'b' has a value beyond float16; read it as float32"):
        read(tmp_path, b"a 1 2\nb 3 70000\n", dtype=np.dtype(np.float16))


# --- A header or a word -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words", "dim"),
    [
        (b"2 3\na 1 2 3\nb 4 5 6\n", ["a", "b"], 3),
        (b"2 3\r\na 1 2 3\r\nb 4 5 6\r\n", ["a", "b"], 3),
        (b"2007 3\n2008 4\n", ["2007", "2008"], 1),
        (b"2007 3 1\n2008 4 2\n", ["2007", "2008"], 2),
        (b"2007 3\n", ["2007"], 1),
        (b". . . 1 2\na 1 2\n", None, 2),
    ],
)
def test_two_whole_numbers_are_a_header_if_the_second_line_agrees(tmp_path, data, words, dim):
    if words is None:
        with pytest.raises(DataError, match=r"line 1: the word '\. \. \.' has a space; .*makes it '\._\._\.'"):
            read(tmp_path, data)
        words = ["._._.", "a"]
        got = read(tmp_path, data, report=lambda change: None)
    else:
        got = read(tmp_path, data)
    assert got.words == words
    assert got.vectors.shape == (len(words), dim)


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"\n\n\n", b" \n", b"word\n", b"two words\n", b"\xff\xfe\x00\x01" * 99, b"a\tb\n", b"\xef\xbb\xbf"],
)
def test_what_has_no_vectors_is_refused(tmp_path, data):
    with pytest.raises(DataError, match=r"\A[^\n]*x\.txt, line 1: expected (a )?words? and (its|their) values[^\n]*\Z"):
        read(tmp_path, data)


# --- What would be read as something else -----------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "value"), [("1", 1), ("3", 1), ("-7", 2), ("\ufeffa", 0.5), ("\ufeff", 1)])
def test_a_beginning_like_a_header_or_a_mark_is_not_written(tmp_path, word, value):
    vectors = np.array([[value], [2]], np.float32)
    with pytest.raises(DataError, match=r"GloVe's format cannot begin with .* write word2vec's \(\.vec\)"):
        glove_text.write(tmp_path / "x.glove", Content([word, "b"], vectors))
    glove_text.write(tmp_path / "x.glove", Content(["b", word], vectors))
    assert glove_text.read(tmp_path / "x.glove").words == ["b", word]
    word2vec_text.write(tmp_path / "x.vec", Content([word, "b"], vectors))
    assert word2vec_text.read(tmp_path / "x.vec").words == [word, "b"]
