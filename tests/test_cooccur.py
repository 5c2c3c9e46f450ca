"""Counts of a text, whole: against the plain form, in whatever memory, and what is refused."""

import gzip
from collections import Counter
from pathlib import Path

import generate
import naive_counts
import numpy as np
import pytest
from runs import files_in, lines_of
from scipy import sparse
from text_files import refused

import embedtrain
from embedtrain import Corpus, SettingError, cooccurrence, cooccurrence_counts
from embedtrain.machine.memory import mapping_of

TEXT = list(generate.sentences(1500, 3))
OCCURRENCES = Counter(word for words in TEXT for word in words)


def count(corpus=TEXT, **settings):
    return cooccurrence_counts(corpus, **{"min_count": 1, "threads": 1, "progress": False, **settings})


def bytes_of(counts):
    matrix = counts.matrix
    arrays = matrix.data, matrix.indices, matrix.indptr, counts.counts
    return [list(counts.words), *(array.tobytes() for array in arrays)]


# --- What is counted --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighting", ["distance", "uniform"])
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize(("window", "min_count"), [(1, 1), (4, 1), (10, 3), (16, 1)])
def test_the_matrix_is_that_of_the_plain_form(weighting, symmetric, window, min_count):
    counts = count(weighting=weighting, symmetric=symmetric, window=window, min_count=min_count)
    row = {word: number for number, word in enumerate(counts.words)}
    sentences = [[row.get(word, len(counts)) for word in words] for words in TEXT]  # words that are left out are cut
    X = naive_counts.window_counts(sentences, len(counts), window, weighting, symmetric)
    assert (counts.matrix.toarray() == naive_counts.dense(X, len(counts))).all()
    assert counts.matrix.nnz == len(X)
    assert symmetric == (counts.matrix.toarray() == counts.matrix.T.toarray()).all()


def test_the_result_tells_words_occurrences_and_settings():
    counts = count(min_count=2, window=7, weighting="uniform", symmetric=False)
    frequent = {word: n for word, n in OCCURRENCES.items() if n >= 2}
    assert dict(zip(counts.words, counts.counts.tolist(), strict=True)) == frequent
    assert (np.diff(counts.counts) <= 0).all()
    assert counts.settings == {
        "window": 7, "min_count": 2, "max_vocab": None, "weighting": "uniform", "symmetric": False,
        "map": None, "drop": None, "phrases": None, "version": embedtrain.__version__,
    }  # fmt: skip
    assert isinstance(counts.matrix, sparse.csr_array)
    assert (counts.matrix.dtype, counts.matrix.has_canonical_format) == (np.float32, True)


def test_the_matrix_alone_is_that_of_the_counts():
    matrix = cooccurrence(TEXT, min_count=1, window=4, progress=False)
    counts = count(window=4)
    assert isinstance(matrix, sparse.csr_array)
    assert (matrix.toarray() == counts.matrix.toarray()).all()


def test_the_vocabulary_may_be_cut_given_and_saved(tmp_path):
    words = count(max_vocab=50, save_vocab=tmp_path / "vocab").words
    assert list(words) == list(count().words[:50])
    assert (tmp_path / "vocab").read_text().splitlines() == [f"{word} {OCCURRENCES[word]}" for word in words]
    assert bytes_of(count(read_vocab=tmp_path / "vocab")) == bytes_of(count(max_vocab=50))


# --- However it is counted --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("threads", [1, 2, 8])
def test_threads_memory_and_the_cache_change_no_byte(tmp_path, little_memory, temporary_files, symmetric, threads):
    settings = {"symmetric": symmetric, "max_vocab": 200}
    expected = bytes_of(count(**settings))
    of_text = len(temporary_files)
    temporary_files.clear()
    small = count(**settings, threads=threads, memory=little_memory(200), temp_folder=tmp_path)
    assert len(temporary_files) >= of_text + 5, "shards and the result were in files"
    assert bytes_of(small) == expected
    assert mapping_of(small.matrix.data) is None
    assert not files_in(tmp_path)
    path = tmp_path / "text.txt"
    path.write_text(lines_of(TEXT))
    for _ in range(2):
        assert bytes_of(count(path, **settings, threads=threads, cache=tmp_path / "cache")) == expected


def test_text_in_whatever_form_gives_the_same_bytes(tmp_path):
    lines = [" ".join(words) for words in TEXT]
    path = tmp_path / "text.txt.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    for corpus in (iter(TEXT), lines, iter(lines), path, str(path), Corpus(path)):
        assert bytes_of(count(corpus)) == bytes_of(count())


# --- What is refused --------------------------------------------------------------------------------------------------


def test_too_little_memory_is_refused_with_the_least():
    message = (
        r"^memory must be at least [\d.]+ MB to count the co-occurrences of \d+ words, got 2\.0 MB; allow more, or"
    )
    with refused(message, SettingError):
        count(memory="2M")


def test_a_result_that_does_not_fit_into_memory_is_refused(tmp_path, little_memory, monkeypatch):
    monkeypatch.setattr("embedtrain.machine.memory.available_memory", lambda: 1000)
    message = r"^the counts need [\d.]+ kB of memory, 1\.0 kB are free; raise min_count, or count into a file with: "
    with pytest.raises(SettingError, match=message):
        count(max_vocab=200, memory=little_memory(200), temp_folder=tmp_path)
    assert not files_in(tmp_path)


def test_the_vocabulary_replaces_no_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("a b\n" * 9)
    with pytest.raises(SettingError, match=r"^save_vocab text.txt would replace the corpus; name another file$"):
        count("text.txt", save_vocab="text.txt")
    assert Path("text.txt").read_text() == "a b\n" * 9
