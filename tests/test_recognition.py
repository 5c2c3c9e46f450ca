"""Files that look like another kind: few dimensions, words like magic numbers, pipes, odd names."""

import gzip
import io
import os
import tarfile
import zipfile

import numpy as np
import pytest

from embedtrain import WordVectors, formats
from embedtrain.errors import DataError
from embedtrain.formats.format import ReadOptions, VectorTable

MAGICS = ["PAR1", "Rar!", "%PDF-", "FiFu", "<html>", "ARROW1", "<!doctype", "version", ":", "#"]


def content_of(*words, dim=2):
    return VectorTable(words, np.arange(1, 1 + len(words) * dim, dtype=np.float32).reshape(-1, dim) / 8)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("feed", [b"\n", b""], ids=["word2vec.c", "gensim"])
def test_binary_rows_of_few_values_are_no_text(tmp_path, dim, feed):
    for seed in range(100):
        generator = np.random.default_rng(seed)
        n_words = int(generator.choice([1, 2, 5, 12]))
        words = [f"é{number}" if generator.random() < 0.2 else f"w{number}" for number in range(n_words)]
        vectors = generator.standard_normal((n_words, dim)).astype(np.float32)
        rows = (word.encode() + b" " + row.tobytes() + feed for word, row in zip(words, vectors, strict=True))
        (tmp_path / "x").write_bytes(b"%d %d\n" % vectors.shape + b"".join(rows))
        found = WordVectors.load(tmp_path / "x", threads=1)
        assert (found.words, found.vectors.tolist()) == (words, vectors.tolist()), seed


def test_binary_rows_of_letters_are_told_by_their_number(tmp_path):
    (tmp_path / "x").write_bytes(b"2 1\na wor=\nb let>\n")
    assert formats.recognise(tmp_path / "x").name == "word2vec-bin"
    assert WordVectors.load(tmp_path / "x").words == ["a", "b"]


@pytest.mark.parametrize("word", MAGICS)
def test_words_like_magic_numbers_are_words(tmp_path, word):
    for dim in (1, 2):
        formats.write(tmp_path / "x.glove", content_of(word, "b", dim=dim))
        assert formats.read(tmp_path / "x.glove").words == [word, "b"]


@pytest.mark.parametrize("first", [b"2 3\n", b""], ids=["with header", "without"])
@pytest.mark.parametrize("word", [b"b\0x", b"b\x07", b"\x1f\xe9"])
def test_a_damaged_word_does_not_hide_that_a_file_is_text(tmp_path, first, word):
    path = tmp_path / "x"
    path.write_bytes(first + word + b" 1 2 3\na 4 5 6\n")
    with pytest.raises(DataError, match="`embedtrain convert --errors skip`"):
        formats.read(path)
    assert formats.read(path, ReadOptions(on_error=lambda problem: None)).words == ["a"]


def test_archives_are_told_by_the_names_in_them(tmp_path):
    path, rows = tmp_path / "x", b"the 1 2\ncat 3 4\n"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("w.txt")
        member.size = len(rows)
        archive.addfile(member, io.BytesIO(rows))
    with pytest.raises(DataError, match="is a tar archive"):
        formats.recognise(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w.txt", rows)
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(DataError, match=r"is a zip archive with 'w\.txt'; unpack it first"):
        formats.recognise(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("format", [None, "word2vec"])
def test_a_pipe_is_refused_without_waiting(tmp_path, format):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="pipe is a pipe or device, and is read twice; save it to a file first"):
        WordVectors.load(tmp_path / "pipe", format=format)


def test_standard_input_is_refused():
    with pytest.raises(DataError, match=r"standard input is not a vectors file, .* save it to a file first"):
        WordVectors.load("-")


@pytest.mark.skipif(os.name == "nt", reason="names have no line feeds there")
@pytest.mark.parametrize("path", ["a\0b", "", 5, "x" * 300 + ".vec", "missing\nfolder/x.vec", "folder\n"], ids=repr)
def test_paths_that_cannot_be_are_refused_in_a_line(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder\n").mkdir()
    (tmp_path / "folder\n" / "other").write_text("")
    vectors = WordVectors(["a"], np.ones((1, 2), np.float32))
    for use in (vectors.save, WordVectors.load):
        with pytest.raises(DataError) as caught:
            use(path)
        assert str(caught.value).isprintable()
