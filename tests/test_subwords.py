"""Subwords: n-grams and their rows, vectors of unknown words in every look-up, and the files that hold them."""

import random
from itertools import pairwise

import numpy as np
import pytest
from naive_text import bucket_of, ngrams_of

from embedtrain import UnknownWord, WordVectors, evaluate_analogies, evaluate_similarity
from embedtrain.errors import DataError, EmbedtrainWarning, SettingError
from embedtrain.formats.subwords import Subwords
from embedtrain.machine.ngrams import ngram_buckets
from embedtrain.vectors.evaluation_files import Section
from embedtrain.vectors.neighbors import nearest_to_rows

WORDS = ["<", "house", "houses", "naïve", "東京", "𝄞", "a", "</s>", "do"]
N_BUCKETS = 500


def rows(n, dim=6, seed=1):
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def plain_vector(word, subwords, own=None):
    """The mean of the rows in float64, one n-gram after the other."""
    found = [
        subwords.all_rows(bucket, bucket + 1)[0].astype(np.float64)
        for ngram in ngrams_of(word.encode(), subwords.min_length, subwords.max_length)
        for bucket in [bucket_of(ngram, subwords.n_buckets)]
    ]
    return np.mean(found if own is None else [own, *found], axis=0)


def make(buckets=None, min_length=2, max_length=4):
    n_rows = N_BUCKETS if buckets is None else len(buckets)
    subwords = Subwords(min_length, max_length, N_BUCKETS, rows(n_rows), buckets)
    own = rows(len(WORDS), seed=2)
    vectors = subwords.compose([word.encode() for word in WORDS], own)
    return WordVectors(WORDS, vectors, np.arange(9, 0, -1), subwords=subwords), own


@pytest.fixture(params=["all", "some"])
def table(request):
    """Vectors with subwords, of which all buckets have rows, or those of the words."""
    used = None
    if request.param == "some":
        used = np.unique(ngram_buckets([word.encode() for word in WORDS], 2, 4, N_BUCKETS)[1])
    return make(used)


# --- n-grams ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lengths", [(1, 1), (1, 3), (2, 4), (3, 6), (5, 5), (20, 30)])
def test_buckets_are_those_of_the_plain_form(lengths):
    chance = random.Random(1)
    odd = [b"", b"a", b"<", b"</s>", "naïve東京𝄞".encode(), b"\x80\x80", b"\xff\x80x", b"x" * 50]
    words = odd + [bytes(chance.choices(range(1, 256), k=chance.randrange(9))) for _ in range(200)]
    starts, found = ngram_buckets(words, *lengths, 1000)
    got = [found[begin:end].tolist() for begin, end in pairwise(starts)]
    assert got == [[bucket_of(ngram, 1000) for ngram in ngrams_of(word, *lengths)] for word in words]


def test_known_buckets_and_no_words():
    """The hash that fastText computes: FNV-1a, with bytes above 127 extended by their sign."""
    assert bucket_of(b"a", 1 << 32) == 0xE40C292C  # of FNV's authors
    assert bucket_of("é".encode(), 1 << 32) != bucket_of(b"\x43\x29", 1 << 32)
    starts, found = ngram_buckets([], 3, 6, 10)
    assert (starts.tolist(), found.tolist()) == ([0], [])


def test_a_word_of_10000_characters():
    starts, found = ngram_buckets([b"x" * 10_000], 3, 6, 7)
    assert starts.tolist() == [0, len(found)]
    assert len(found) == sum(10_002 - length + 1 for length in range(3, 7))


# --- Vectors ----------------------------------------------------------------------------------------------------------


def test_vectors_are_means_of_rows(table):
    vectors, own = table
    for row, word in enumerate(WORDS):
        np.testing.assert_allclose(vectors[word], plain_vector(word, vectors.subwords, own[row]), atol=1e-6)
    for word in ("housing", "mouse", "東京都", "doo", "x" * 100):
        np.testing.assert_allclose(vectors[word], plain_vector(word, vectors.subwords), atol=1e-6)
    again = vectors.subwords.own_rows([word.encode() for word in WORDS], vectors.vectors)
    np.testing.assert_allclose(again, own, atol=1e-5)


def test_without_a_known_ngram_a_word_is_unknown():
    used = np.unique(ngram_buckets([b"house"], 3, 4, N_BUCKETS)[1])
    vectors, _ = make(used, 3, 4)
    assert "housing" not in vectors
    assert vectors.can_embed("housing")
    assert vectors.can_embed("do")  # of the vocabulary
    for word in ("", "é", "\ud800", "</s>x"[:0]):  # without n-grams, or with one in an unused bucket
        assert not vectors.can_embed(word), word
        with pytest.raises(UnknownWord, match="is not among the 9 words, and none of its n-grams is known"):
            vectors[word]
    with pytest.raises(UnknownWord, match="neither a word nor a row"):
        vectors[99]
    assert not WordVectors(["a"], rows(1)).can_embed("housing")


def test_look_ups_take_unknown_words(table):
    vectors, _ = table
    unknown = vectors["housed"]
    np.testing.assert_array_equal(vectors[["housed", "do", 3]], [unknown, vectors["do"], vectors.vectors[3]])
    assert np.linalg.norm(vectors.get_vector("housed", norm=True)) == pytest.approx(1)
    cosine = unknown @ vectors["house"] / np.linalg.norm(unknown) / np.linalg.norm(vectors["house"])
    assert vectors.similarity("housed", "house") == pytest.approx(cosine, abs=1e-6)
    assert vectors.similarity(2 * unknown, "house") == pytest.approx(cosine, abs=1e-6)
    nearest = vectors.similar_by_vector(unknown, topn=9)
    assert vectors.most_similar("housed", topn=9) == nearest
    assert len(nearest) == 9  # no word is left out
    assert vectors.rank("housed", nearest[2][0]) == 3
    assert vectors.doesnt_match(["houses", "housed", "do"]) in ("houses", "housed", "do")
    many = vectors.neighbors(["housed", "do", "housing"] * 10, topn=3)
    one_by_one = [vectors.most_similar(word, topn=3) for word in ["housed", "do", "housing"]]
    assert [[word for word, _ in found] for found in many[:3]] == [[word for word, _ in one] for one in one_by_one]
    assert many[27:] == many[:3]


def test_neighbours_of_given_vectors_leave_out_no_row():
    table, queries = rows(50), rows(3, seed=5)
    found = nearest_to_rows(table, np.linalg.norm(table, axis=1), np.array([51, 4, 50]), 50, 50, queries[:2])
    units = table / np.linalg.norm(table, axis=1)[:, None]
    for got, query in ((found.rows[0], queries[1]), (found.rows[2], queries[0])):
        assert got.tolist() == np.argsort(-(units @ query)).tolist()
    assert found.rows[1, -1] == -1


def test_an_embedding_matrix_has_rows_of_unknown_words(table):
    vectors, _ = table
    matrix = vectors.embedding_matrix(["", "house", "housed"], unknown=np.full(6, 7.0))
    np.testing.assert_array_equal(matrix, [np.full(6, 7), vectors["house"], vectors["housed"]])
    assert vectors.embedding_matrix(["housed"]).any()  # without a warning


def test_evaluation_counts_the_words_that_ngrams_give(tmp_path):
    vectors, _ = make()
    pairs = [("house", "houses", 3.0), ("Housed", "do", 1.0), ("housing", "houser", 2.0)]
    score = evaluate_similarity(vectors, pairs)
    assert (score.n_known, score.n_subwords, score.coverage) == (3, 2, 1)
    kept = evaluate_similarity(vectors, pairs, subwords=False)
    assert (kept.n_known, kept.n_subwords) == (1, 0)
    (tmp_path / "pairs").write_text("".join(f"{a}\t{b}\t{score}\n" for a, b, score in pairs))
    assert vectors.evaluate_word_pairs(tmp_path / "pairs")[-1] == 0  # % unknown
    section = Section("x", [("house", "houses", "do", "a"), ("Housed", "housing", "do", "a"), ("a", "do", "do", "doo")])
    total = evaluate_analogies(vectors, [section]).total
    assert (total.n_known, total.n_subwords, total.n_questions) == (2, 1, 3)  # no word beyond the table is an answer
    assert evaluate_analogies(vectors, [section], subwords=False).total.n_known == 1
    for method in ("add", "mul"):
        answer = vectors.most_similar if method == "add" else vectors.most_similar_cosmul
        best = answer(["housing", "do"], ["housed"], topn=1)[0][0]
        question = Section("x", [("housed", "housing", "do", best)])
        assert evaluate_analogies(vectors, [question], method=method).total.accuracy == 1


# --- Files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.npz", "x.bin"])
def test_files_keep_subwords(tmp_path, table, name):
    vectors, _ = table
    vectors.save(tmp_path / name)
    found = WordVectors.load(tmp_path / name)
    assert (found.words, found.counts.tolist()) == (WORDS, vectors.counts.tolist())
    np.testing.assert_allclose(found.vectors, vectors.vectors, atol=1e-6)
    for word in ("housing", "東京都", "é", "zzz"):
        assert found.can_embed(word) == vectors.can_embed(word)
        if vectors.can_embed(word):
            np.testing.assert_allclose(found[word], vectors[word], atol=1e-6)
    assert str(found.subwords).startswith("n-grams of 2-4 characters in 500 buckets")
    found.save(tmp_path / "again.bin")  # rows that are mapped
    assert WordVectors.load(tmp_path / "again.bin").can_embed("housing") == vectors.can_embed("housing")
    assert not WordVectors.load(tmp_path / name, subwords=False).can_embed("housing")


@pytest.mark.parametrize("name", ["x.vec", "x.safetensors", "x.npy"])
def test_leaving_subwords_out_is_said(tmp_path, name):
    vectors, _ = make()
    with pytest.warns(
        EmbedtrainWarning, match="no vectors for unknown words: .* holds no subwords; write npz .+ or fasttext .+bin.$"
    ):
        vectors.save(tmp_path / name)
    found = WordVectors.load(tmp_path / name)
    np.testing.assert_array_equal(found.vectors, vectors.vectors)
    assert not found.can_embed("housing")


def test_a_damaged_npz_is_refused(tmp_path):
    vectors, _ = make()
    vectors.save(tmp_path / "x.npz")
    arrays = dict(np.load(tmp_path / "x.npz"))
    changes = {"ngrams": [4, 2, 500], "ngram_rows": rows(3), "ngram_buckets": np.arange(7)}
    for name, value in changes.items():
        np.savez(tmp_path / "y.npz", **{**arrays, name: np.array(value)})
        with pytest.raises(DataError, match="subwords do not fit"):
            WordVectors.load(tmp_path / "y.npz")
    np.savez(tmp_path / "y.npz", **{**arrays, "ngram_rows": rows(N_BUCKETS, 2)})
    with pytest.raises(DataError, match="must have the 6 dimensions"):
        WordVectors.load(tmp_path / "y.npz")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ((4, 3, 10), "min_length of subwords must be a whole number from 1 to max_length, got 4"),
        ((0, 3, 10), "from 1 to max_length, got 0"),
        ((-1, 3, 10), "got -1"),
        ((1, 101, 10), "max_length of subwords must be a whole number from 1 to 100"),
        ((1, 3, -1), "n_buckets of subwords must be"),
        ((1, 3, 1 << 31), "from 0 to 2,147,483,647"),
        ((1.5, 3, 10), "whole number"),
    ],
)
def test_wrong_settings_are_refused(settings, complaint):
    with pytest.raises(SettingError, match=complaint):
        Subwords(*settings, rows(10))


def test_wrong_arrays_are_refused():
    with pytest.raises(DataError, match="need 10 rows of float32"):
        Subwords(1, 3, 10, rows(9))
    for buckets in ([3, 3], [4, 2], [-1, 2], [0, 10], [0.5, 1], np.array([4, 2], np.uint64)):
        with pytest.raises(DataError, match="ascending, from 0 to 9"):
            Subwords(1, 3, 10, rows(2), np.array(buckets))
    with pytest.raises(DataError, match="2 dimensions of the vectors, got 6"):
        WordVectors(["a"], rows(1, 2), subwords=Subwords(1, 3, 10, rows(10)))
