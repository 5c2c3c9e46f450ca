"""Vectors files with the traits of published ones and of other programs, and files that only look like vectors."""

import gzip
import pickle
import warnings

import numpy as np
import pytest
from commands import run

from embedtrain import WordVectors, cooccurrence_counts, formats, train_skipgram
from embedtrain.errors import DataError
from embedtrain.formats import text_parsing, word2vec_binary
from embedtrain.formats.format import ReadOptions, VectorTable

VECTORS = np.random.default_rng(5).normal(size=(4, 10)).astype(np.float32)
ROWS = [" ".join(map(str, row)) for row in VECTORS.tolist()]


@pytest.fixture(params=["Python", "kernels"])
def parser(request, monkeypatch):
    """Parse small files in Python, as they are, or in blocks of at least two lines by kernels."""
    if request.param == "kernels":
        monkeypatch.setattr(text_parsing, "_BLOCK", 8)


def lines(*words, header=None, encoding="utf-8"):
    rows = [f"{word} {ROWS[number % 4]}\n" for number, word in enumerate(words)]
    return "".join([*(header or []), *rows]).encode(encoding)


def load(path, data, **options):
    """The vectors, and the note on them."""
    path.write_bytes(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        vectors = WordVectors.load(path, **options)
    assert len(caught) <= 1
    return vectors, str(caught[0].message).replace(str(path), path.name) if caught else None


# --- Published vectors ------------------------------------------------------------------------------------------------


def test_words_with_spaces_are_read_as_in_glove_840b(tmp_path, parser):
    words = [",", ". . .", "at name@domain.com", "•", "\u00a0", "\x85", "<unk>"]
    vectors, note = load(tmp_path / "x.txt", lines(*words))
    assert vectors.words == words
    assert note == "x.txt: 2 words with spaces, the first in line 2: '. . .'"
    np.testing.assert_array_equal(vectors["at name@domain.com"], VECTORS[2])
    chosen, note = load(tmp_path / "x.txt", lines(*words), vocabulary=["•", "at"])
    assert (chosen.words, note) == (["•"], None)
    status, listed = (done := run("check", tmp_path / "x.txt")).exit_code, done.stdout
    assert (status, listed.count("\n")) == (1, 4)
    assert "4 problems, 3 good rows" in done.stderr
    assert "line 2: the word '. . .' has whitespace" in run("convert", tmp_path / "x.txt", tmp_path / "y.vec").stderr


def test_a_number_within_a_word_is_an_error_since_it_may_be_a_value(tmp_path, parser):
    data = lines("a", "b 5", "c 5 d", "e")
    with pytest.raises(DataError, match=r"line 2: 'b' has 11 values instead of 10; .*--errors skip"):
        load(tmp_path / "x.txt", data)
    assert load(tmp_path / "x.txt", data, errors="skip")[0].words == ["a", "e"]


def test_a_row_more_than_promised_is_that_of_unknown_words_as_glove_writes_it(tmp_path, parser):
    data = lines("a", "b", "c", "<unk>", header=["3 10\n"])
    for options in ({}, {"vocabulary": ["b"]}):
        vectors, note = load(tmp_path / "x.txt", data, **options)
        assert vectors.words == options.get("vocabulary", ["a", "b", "c", "<unk>"])
        assert note == "x.txt: the first line promises 3 words, 4 follow, the last is <unk>, as GloVe writes it"
    for words in (("a", "b", "<unk>", "c"), ("a", "b", "c", "d", "<unk>")):
        with pytest.raises(DataError, match="line 1: the first line promises 3 words"):
            load(tmp_path / "x.txt", lines(*words, header=["3 10\n"]))
    assert run("convert", tmp_path / "x.txt", tmp_path / "y.vec", "--errors", "skip").exit_code == 0


def test_whitespace_of_unicode_belongs_to_words_as_in_vectors_of_fasttext(tmp_path, parser):
    words = ["1\u00a0000", "a\u2009b", "\u3000", "c"]
    assert load(tmp_path / "x.vec", lines(*words, header=["4 10\n"]))[0].words == words


def test_words_that_are_not_utf8_are_read_with_a_note(tmp_path, parser):
    words = ["caf\u00e9", "b", "na\u00efve", "c"]
    vectors, note = load(tmp_path / "x.vec", lines(*words, header=["4 10\n"], encoding="latin-1"))
    assert vectors.words == ["caf\ufffd", "b", "na\ufffdve", "c"]
    assert note == ("x.vec: 2 words with bytes that are not UTF-8 and became U+FFFD, the first in line 2: 'caf\ufffd'")
    with pytest.raises(DataError, match="line 3: the word 'b\ufffd' appears twice, first in line 2"):
        load(tmp_path / "x.vec", lines("b\u00e9", "b\u00e8", encoding="latin-1").join([b"2 10\n", b""]))


BYTES = [b"in", b"caf\xe9", b"\xd0\xba\xd0", b"b"]


def binary(words, vectors, feed):
    rows = [word + b" " + row.tobytes() + feed for word, row in zip(words, vectors, strict=True)]
    return b"%d %d\n" % vectors.shape + b"".join(rows)


@pytest.mark.parametrize("feed", [b"\n", b""], ids=["word2vec.c", "gensim"])
@pytest.mark.parametrize("size", [100, 1 << 22])
def test_binary_words_that_are_not_utf8_are_read_with_a_note(tmp_path, monkeypatch, feed, size):
    monkeypatch.setattr(word2vec_binary, "_BLOCK", size)
    monkeypatch.setattr(word2vec_binary, "_LONGEST_WORD", 20)
    data = binary(BYTES, VECTORS, feed)
    vectors, note = load(tmp_path / "x.bin", data)
    assert vectors.words == ["in", "caf\ufffd", "к\ufffd", "b"]
    np.testing.assert_array_equal(vectors.vectors, VECTORS)
    assert note == ("x.bin: 2 words with bytes that are not UTF-8 and became U+FFFD, the first in word 2: 'caf\ufffd'")
    done = run("check", tmp_path / "x.bin")
    assert (done.exit_code, done.stdout.count("\n"), "1 problem, 4 good rows" in done.stderr) == (1, 1, True)
    assert load(tmp_path / "x.bin", data, vocabulary=["b"])[1] is None
    assert load(tmp_path / "x.bin", binary([b"a", b"b", b"c", b"d"], VECTORS, feed))[1] is None


@pytest.mark.parametrize("extra", [" ", " x", " é", " xyz", " York", " New York"])
@pytest.mark.parametrize("seed", range(5))
def test_a_space_in_a_binary_word_is_not_taken_for_bytes_that_are_not_utf8(tmp_path, extra, seed):
    vectors = np.random.default_rng(seed).normal(size=(9, 50)).astype(np.float32) / 10
    words = [f"w{number}{extra if number == 3 else ''}".encode() for number in range(9)]
    data = binary(words, vectors, b"")
    try:
        vectors, note = load(tmp_path / "x.bin", data)
    except DataError as error:
        assert "is not a word; the word before has a space" in str(error) or "word" in str(error)  # noqa: PT017
    else:
        assert note is None  # the bytes happen to be UTF-8


# --- Tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [[], ["4 10\n"], ["4\t10\n"]], ids=["no header", "header", "header with a tab"])
def test_tabs_separate_as_spaces_do(tmp_path, header, parser):
    data = "".join(header).encode() + lines("a", "b", "c", "2007").replace(b" ", b"\t")
    for packed in (data, gzip.compress(data)):
        vectors, note = load(tmp_path / "x.tsv", packed)
        assert (vectors.words, note) == (["a", "b", "c", "2007"], None)
        np.testing.assert_array_equal(vectors.vectors, VECTORS)
    spaced = data.replace(b"b\t", b"new york\t")
    assert load(tmp_path / "x.tsv", spaced)[0].words[1] == "new york"


@pytest.mark.parametrize("counts", [None, [9, 5, 5, 1]])
@pytest.mark.parametrize("name", ["vectors.tsv", "x.tsv"])
def test_a_pair_of_the_projector_is_read(tmp_path, counts, name):
    formats.write(tmp_path / name, VectorTable(["the", "é", "5", "x"], VECTORS, counts))
    vectors = WordVectors.load(tmp_path / name)
    assert (vectors.words, formats.recognise(tmp_path / name).name) == (["the", "é", "5", "x"], "projector")
    assert (vectors.counts is None) == (counts is None)
    assert counts is None or vectors.counts.tolist() == counts
    np.testing.assert_array_equal(vectors.vectors, VECTORS)
    part = formats.read(tmp_path / name, ReadOptions(limit=3, vocabulary={"é", "x"}))
    assert part.words == ["é"]
    assert run("convert", tmp_path / name, tmp_path / "y.vec").exit_code == 0
    assert run("info", tmp_path / name).exit_code == 0


def test_a_damaged_pair_of_the_projector_is_refused(tmp_path):
    path, words = tmp_path / "vectors.tsv", tmp_path / "metadata.tsv"
    path.write_text("0.5\t1\n0.25\t2\n")
    with pytest.raises(DataError, match=r"vectors\.tsv has values without words; name the file .*metadata\.tsv$"):
        WordVectors.load(path)
    words.write_text("a\r\nb\r\n")
    assert WordVectors.load(path).words == ["a", "b"]
    words.write_text("a\nb\nc\n")
    with pytest.raises(DataError, match=r"vectors\.tsv with .*metadata\.tsv: 3 words need a row each, float32 or "):
        WordVectors.load(path)
    words.write_text("word\tcount\na\tmany\nb\t1\n")
    with pytest.raises(DataError, match=r"metadata\.tsv is not UTF-8, or a count is not a number"):
        WordVectors.load(path)
    words.write_text("a\nb\n")
    path.write_text("0.5\t1\n" * 9 + "x\t2\n")
    with pytest.raises(DataError, match=r"cannot read .*vectors\.tsv: .*could not convert string 'x'"):
        WordVectors.load(path)


COMMAS = {
    "decimal commas": (b"a 0,123 0,456\nb 0,1 0,2\n", "line 1: '0,123' has a decimal comma; write a point instead"),
    "decimal commas after a header": (
        b"2 2\na 1 0\nb 0,1 0,2\n",
        "line 3: '0,1' among the values of 'b' is not a numb",
    ),
    "decimal commas in all": (b"2 2\na 0,123 0,456\nb 0,1222 0,2\n", "line 2: '0,123' has a decimal comma"),
    "decimal commas as long as a binary file": (b"2 3\nthe 0,12 0,33 0,44\nof 0,5 0,34 0,7\n", "line 2: '0,12' has a"),
    "CSV": (b"king,0.1,0.2\nqueen,0.3,0.4\n", "line 1: values are separated by commas, got b'king,0.1,0.2'"),
    "CSV with names": (b"word,x,y\nking,0.1,0.2\nqueen,0.3,0.4\n", "line 2: values are separated by commas"),
    "names": (b"word x y\nking 0.1 0.2\nqueen 0.3 0.4\n", "line 1: b'word x y' are names of columns; remove the line"),
    "names and tabs": (b"word\tx\ty\nking\t0.1\t0.2\nqueen\t0.3\t0.4\n", "line 1: b'word x y' are names of columns"),
    "numbers": (b"w 0 1 2 3 4 5 6 7 8 9\n" + lines("a", "b"), "line 1: b'w 0 1 2 3 4 5 6 7 8 9' are names"),
}


@pytest.mark.parametrize(("data", "problem"), COMMAS.values(), ids=COMMAS)
def test_commas_and_names_of_columns_are_named_by_their_line(tmp_path, data, problem):
    with pytest.raises(DataError) as caught:
        load(tmp_path / "x.vec", data)
    assert f"x.vec, {problem}" in str(caught.value)


def test_names_of_columns_are_left_out_with_other_errors(tmp_path, parser):
    vectors, _ = load(tmp_path / "x.vec", COMMAS["names"][0], errors="skip")
    assert (vectors.words, vectors.vectors.shape) == (["king", "queen"], (2, 2))


# --- Other files ------------------------------------------------------------------------------------------------------


class Word2Vec:
    """An object whose pickle looks like gensim's."""


class KeyedVectors(Word2Vec):
    """Another one."""


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize(
    ("kind", "module", "code"),
    [
        (Word2Vec, "word2vec", 'from gensim.models import Word2Vec; Word2Vec.load("x.model").wv.'),
        (KeyedVectors, "keyedvectors", 'from gensim.models import KeyedVectors; KeyedVectors.load("x.model").'),
    ],
)
def test_a_model_of_gensim_comes_with_the_code_to_convert_it(tmp_path, monkeypatch, kind, module, code, protocol):
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps(kind(), protocol).replace(b"test_files_in_the_wild", f"gensim.models.{module}".encode())
    (tmp_path / "x.model").write_bytes(data)
    with pytest.raises(DataError) as caught:
        WordVectors.load("x.model")
    assert str(caught.value) == (
        f'x.model is a Python pickle of gensim; convert it in Python: {code}save_word2vec_format("x.vec")'
    )


def test_a_list_of_words_is_not_a_pickle(tmp_path):
    with pytest.raises(DataError, match="is not a file of vectors: 'cat' is neither two numbers nor a word and values"):
        load(tmp_path / "x.txt", b"cat\ndog\nhorse\n")


TEXT = [["a", "b", "c", "a", "b"]] * 20


def test_checkpoints_and_counts_are_not_vectors(tmp_path):
    settings = {"dim": 4, "epochs": 1, "min_count": 1, "threads": 1, "progress": False, "sample": 0}
    train_skipgram(TEXT, checkpoint=tmp_path / "x.ckpt", **settings)
    with pytest.raises(DataError, match=r"x\.ckpt is a checkpoint, not vectors; continue its run with resume="):
        WordVectors.load(tmp_path / "x.ckpt")
    assert f"continue its run with --resume {tmp_path / 'x.ckpt'}" in run("info", tmp_path / "x.ckpt").stderr
    cooccurrence_counts(TEXT, min_count=1, progress=False).save(tmp_path / "x.npz")
    done = run("neighbors", tmp_path / "x.npz", "a")
    assert (done.exit_code, "x.npz holds counts, not vectors; train on it: embedtrain glove" in done.stderr) == (
        1,
        True,
    )


@pytest.mark.parametrize(
    "data", [b"the 1061396\nof 593677\n", b"</s> 0\nthe 9\nof 5\n", b"word\tcount\nthe\t9\nof\t5\n", b"a 2\r\nb 1\r\n"]
)
def test_a_vocabulary_is_not_vectors(tmp_path, data):
    with pytest.raises(DataError, match=r"x\.vec is a vocabulary, words and their counts, for read_vocab; .*--from"):
        load(tmp_path / "x.vec", data)
    if b"word" not in data:
        assert formats.read(tmp_path / "x.vec", format="glove").vectors.shape[1] == 1


def test_scores_of_pairs_are_not_vectors(tmp_path):
    for separator in ("\t", " "):
        data = "".join(f"tiger{separator}cat{number}{separator}7.35\n" for number in range(30)).encode()
        with pytest.raises(DataError, match="line 1: expected a word and its values"):
            load(tmp_path / "x.txt", data)
