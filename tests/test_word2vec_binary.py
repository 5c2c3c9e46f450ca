import random
import tracemalloc

import numpy as np
import pytest

from embedtrain.errors import DataError
from embedtrain.formats import word2vec_binary
from embedtrain.formats.content import Choice, Content

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


def read(path, **choice):
    return word2vec_binary.read(path, Choice(**choice))


@pytest.mark.parametrize("feed", [b"\n", b""], ids=["word2vec.c", "gensim"])
def test_both_dialects_are_read(write, feed):
    words, vectors, counts, _ = read(write(binary(feed=feed)))
    assert list(words) == WORDS
    np.testing.assert_array_equal(vectors, VECTORS)
    assert counts is None


def test_it_is_written_as_word2vec_does(tmp_path):
    word2vec_binary.write(tmp_path / "x.bin", Content(WORDS, VECTORS))
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
    "a billion dimensions": (binary(header=b"4 1000000000\n"), "no room"),
    "truncated": (binary()[:-8], "promises 4 words"),
    "one word too many": (binary(header=b"3 3\n"), "after the 3 words"),
    "twice": (binary(["a", "b", "b", "c"]), "word 3: it stands twice"),
    "not UTF-8": (binary(["a", b"\xff", "b", "c"]), "word 2: .*not UTF-8"),
    "control": (binary(["a", "b\x07", "b", "c"]), "word 2: .*no word"),
    "no word": (binary(["a", "", "b", "c"]), "word 2: .*no word"),
    "NaN": (binary(vectors=NAN), "word 2: .*not finite"),
    "long": (b"1 1\n" + b"x" * (1 << 21), "word 1: no space"),
}


@pytest.mark.parametrize(("data", "complaint"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said_in_a_line(write, data, complaint):
    with pytest.raises(DataError, match=complaint) as caught:
        read(write(data))
    assert "\n" not in str(caught.value)
    assert "x.bin" in str(caught.value)


REPAIRED = {
    "truncated": (binary()[:-8], WORDS[:3]),
    "one word too many": (binary(header=b"3 3\n"), WORDS),
    "twice": (binary(["a", "b", "b", "c"]), ["a", "b", "c"]),
    "not UTF-8": (binary(["a", b"\xff", "b", "c"]), ["a", "\ufffd", "b", "c"]),
    "whitespace": (binary(["a", "x\u00a0y", "b", "c"]), ["a", "x_y", "b", "c"]),
    "NaN": (binary(["a", "x", "b", "c"], NAN), ["a", "b", "c"]),
}


@pytest.mark.parametrize(("data", "words"), REPAIRED.values(), ids=REPAIRED)
def test_repairs_are_reported(write, data, words):
    reports = []
    assert list(read(write(data), report=reports.append).words) == words
    assert reports
    assert all("repair" in report for report in reports)


ASTRAY = {
    "a space in a word": b"4 3\n" + binary(["a", "b x", "c", "d"]).partition(b"\n")[2],
    "a space in the first word": binary(["a x", "b", "c", "d"]),
    "a long word after a space": binary(["a", "b longerword", "c", "d"]),
    "fewer values in the header": binary(header=b"4 2\n"),
    "more values in the header": binary(header=b"4 4\n"),
    "a feed in a word": binary(["a", "b\nx", "c", "d"]),
    "a space in a word of gensim": binary(["a", "b \u00e9", "c", "d"], feed=b""),
    "no UTF-8 in gensim": binary(["a", b"\xff", "c", "d"], feed=b""),
}


@pytest.mark.parametrize("data", ASTRAY.values(), ids=ASTRAY)
def test_what_may_be_no_words_is_not_repaired(write, data):
    with pytest.raises(DataError, match=r"is no word; .* what follows cannot be told: write the file again"):
        read(write(data), report=lambda change: None)
    with pytest.raises(DataError, match="is no word"):
        read(write(data))


def test_only_one_feed_is_no_part_of_a_word(write):
    with pytest.raises(DataError, match=r"word 2: '\\rb' is no word"):
        read(write(binary(["a", "\rb", "b", "c"])))
    reports = []
    assert read(write(binary(["a", "\rb", "b", "c"])), report=reports.append).words == ["a", "_b", "b", "c"]
    assert len(reports) == 1


def test_long_words_are_read_or_not_written(tmp_path):
    path, vectors = tmp_path / "x.bin", VECTORS[:3]
    words = ["a", "b" * ((1 << 20) - 1), "c"]
    word2vec_binary.write(path, Content(words, vectors))
    assert read(path).words == words
    with pytest.raises(DataError, match=r"the word 'bbb.*'… has 1,048,576 bytes or more"):
        word2vec_binary.write(path, Content(["a", words[1] + "b", "c"], vectors))
    assert read(path).words == words


def test_half_precision_that_is_too_small_is_refused(write):
    with pytest.raises(DataError, match="beyond float16"):
        read(write(binary(vectors=VECTORS * 1e6)), dtype=np.dtype(np.float16))


def test_fuzzed_files_are_read_or_refused(write, exhaustive):
    n_files = 20_000 if exhaustive else 500
    chance = random.Random(1)
    seed = binary()
    refused = 0
    tracemalloc.start()
    for _ in range(n_files):
        data = bytearray(seed)
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(min(len(data), 20 if chance.random() < 0.5 else len(data)) or 1)
            kind = chance.randrange(4)
            if kind == 0:
                data[place : place + 1] = bytes([chance.randrange(256)])
            elif kind == 1:
                del data[place : place + chance.randint(1, 9)]
            elif kind == 2:
                data[place:place] = chance.choice([b" ", b"\n", b"999999", b"\xff\xff", b"-", b"\x00"])
            else:
                del data[place:]
        report = chance.choice([None, lambda change: None])
        try:
            content = word2vec_binary.read(write(bytes(data)), Choice(report=report))
            assert len(content.words) == len(content.vectors) == len(set(content.words))
        except DataError as error:
            refused += 1
            assert "\n" not in str(error)  # noqa: PT017  either is right
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused > n_files / 4
    assert peak < 64 << 20
