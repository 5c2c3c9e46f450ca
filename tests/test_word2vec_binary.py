"""The binary format of word2vec."""

import numpy as np
import pytest

from embedtrain import formats
from embedtrain.errors import DataError
from embedtrain.formats import word2vec_binary
from embedtrain.formats.format import ReadOptions, VectorTable

WORDS = ["the", "é", "日本", "a" * 200]
VECTORS = np.arange(12, dtype=np.float32).reshape(4, 3) / 7


def binary(words=WORDS, vectors=VECTORS, header=None, feed=b"\n"):
    spelled = [word if isinstance(word, bytes) else word.encode() for word in words]
    header = b"%d %d\n" % vectors.shape if header is None else header
    return header + b"".join(word + b" " + row.tobytes() + feed for word, row in zip(spelled, vectors, strict=True))


@pytest.fixture
def write(tmp_path):
    def write(data):
        path = tmp_path / "x.bin"
        path.write_bytes(data)
        return path

    return write


def read(path, **options):
    return formats.read(path, ReadOptions(**options), "word2vec-bin")


@pytest.mark.parametrize("feed", [b"\n", b""], ids=["word2vec.c", "gensim"])
def test_both_dialects_are_read(write, feed):
    words, vectors, counts, *_ = read(write(binary(feed=feed)))
    assert list(words) == WORDS
    np.testing.assert_array_equal(vectors, VECTORS)
    assert counts is None


def test_it_is_written_as_word2vec_does(tmp_path):
    formats.write(tmp_path / "x.bin", VectorTable(WORDS, VECTORS))
    assert (tmp_path / "x.bin").read_bytes() == binary()


def test_blocks_end_anywhere(write, monkeypatch):
    monkeypatch.setattr(word2vec_binary, "_BLOCK", 100)
    monkeypatch.setattr(word2vec_binary, "_LONGEST_WORD", 210)
    words = [f"w{n}" * (n % 30 + 1) for n in range(300)]
    vectors = np.random.default_rng(1).standard_normal((300, 3)).astype(np.float32)
    found = read(write(binary(words, vectors)))
    assert list(found.words) == words
    np.testing.assert_array_equal(found.vectors, vectors)


def test_limit_vocabulary_and_dtype(write):
    path = write(binary())
    assert list(read(path, limit=2).words) == WORDS[:2]
    chosen = read(path, vocabulary={"日本", "not there"}, dtype=np.dtype(np.float16))
    assert list(chosen.words) == ["日本"]
    assert chosen.vectors.dtype == np.float16
    np.testing.assert_array_equal(chosen.vectors, VECTORS[2:3].astype(np.float16))


NAN = np.where(np.arange(12).reshape(4, 3) == 4, np.nan, VECTORS).astype(np.float32)
BAD = {
    "empty": (b"", "expected a line"),
    "no header": (b"the cat\n", "expected a line"),
    "no words": (b"0 3\n", "must be positive"),
    "a billion words": (binary(header=b"1000000000 3\n"), "1,000,000,000 words"),
    "a billion dimensions": (binary(header=b"4 1000000000\n"), "longer than the file"),
    "truncated": (binary()[:-8], "promises 4 words"),
    "one word too many": (binary(header=b"3 3\n"), "follow them"),
    "twice": (binary(["a", "b", "b", "c"]), "word 3: .* appears twice, first in word 2"),
    "control": (binary(["a", "b\x07", "b", "c"]), "word 2: .*control character"),
    "no word": (binary(["a", "", "b", "c"]), "word 2: .*control character"),
    "NaN": (binary(vectors=NAN), "word 2: .*not finite"),
    "long": (b"1 1\n" + b"x" * (1 << 21), "word 1: no space"),
}


@pytest.mark.parametrize(("data", "complaint"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said_in_a_line(write, data, complaint):
    with pytest.raises(DataError, match=complaint) as caught:
        read(write(data))
    assert "\n" not in str(caught.value)
    assert "x.bin" in str(caught.value)


SKIPPED = {
    "truncated": (binary()[:-8], WORDS[:3]),
    "one word too many": (binary(header=b"3 3\n"), WORDS),
    "twice": (binary(["a", "b", "b", "c"]), ["a", "b", "c"]),
    "carriage return": (binary(["a", "\rb", "b", "c"]), ["a", "b", "c"]),
    "NaN": (binary(["a", "x", "b", "c"], NAN), ["a", "b", "c"]),
}


@pytest.mark.parametrize(("data", "words"), SKIPPED.values(), ids=SKIPPED)
def test_bad_rows_are_reported_and_left_out(write, data, words):
    reports = []
    assert list(read(write(data), on_error=reports.append).words) == words
    assert len(reports) == 1
    assert "x.bin" in reports[0]


MISALIGNED = {
    "a space in a word": b"4 3\n" + binary(["a", "b x", "c", "d"]).partition(b"\n")[2],
    "a space in the first word": binary(["a x", "b", "c", "d"]),
    "a long word after a space": binary(["a", "b longerword", "c", "d"]),
    "fewer values in the header": binary(header=b"4 2\n"),
    "more values in the header": binary(header=b"4 4\n"),
    "a feed in a word": binary(["a", "b\nx", "c", "d"]),
    "a space in a word of gensim": binary(["a", "b \u00e9", "c", "d"], feed=b""),
    "no UTF-8 after large values in gensim": binary(["a", b"\xff", "c", "d"], VECTORS * 1e9, feed=b""),
}


@pytest.mark.parametrize("data", MISALIGNED.values(), ids=MISALIGNED)
def test_what_may_not_be_words_is_refused(write, data):
    for on_error in (None, print):
        with pytest.raises(DataError, match=r"is not a word; .* what follows cannot be read: write the file again"):
            read(write(data), on_error=on_error)


def test_long_words_are_read_or_not_written(tmp_path):
    path, vectors = tmp_path / "x.bin", VECTORS[:3]
    words = ["a", "b" * ((1 << 20) - 1), "c"]
    formats.write(path, VectorTable(words, vectors))
    assert read(path).words == words
    with pytest.raises(DataError, match=r"the word 'bbb.*'… has 1,048,576 bytes or more"):
        formats.write(path, VectorTable(["a", words[1] + "b", "c"], vectors))
    assert read(path).words == words


def test_half_precision_that_is_too_small_is_refused(write):
    with pytest.raises(DataError, match="exceeds float16"):
        read(write(binary(vectors=VECTORS * 1e6)), dtype=np.dtype(np.float16))
