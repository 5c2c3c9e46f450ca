"""Queries and evaluations give gensim's results."""

import numpy as np
import pytest

from embedtrain import WordVectors, train_skipgram
from embedtrain.vectors.evaluation_files import BUNDLED, resolve

pytest.importorskip("gensim", reason="gensim is not installed")
pytestmark = pytest.mark.clients


def of_known_words(dim, seed):
    """Random vectors for the words of the bundled questions, which come in both cases here and there."""
    lines = resolve("google").read_text().splitlines()
    words = sorted({word for line in lines if line[0] != ":" for word in line.split()})
    words = [*words, *(word.lower() for word in words[::3] if word != word.lower())]
    words = list(dict.fromkeys(words))
    rng = np.random.default_rng(seed)
    return WordVectors(words, rng.normal(size=(len(words), dim)).astype(np.float32), rng.integers(1, 99, len(words)))


@pytest.fixture(scope="module", params=[5, 40])
def vectors(request):
    return of_known_words(request.param, 0)


@pytest.fixture(scope="module")
def keyed(vectors):
    return vectors.to_gensim()


def test_to_gensim_gives_words_vectors_and_counts(vectors, keyed):
    assert keyed.index_to_key == vectors.index_to_key == vectors.words
    assert keyed.key_to_index == vectors.key_to_index
    assert keyed.vector_size == vectors.vector_size
    assert np.array_equal(keyed.vectors, vectors.vectors)
    assert [keyed.get_vecattr(word, "count") for word in vectors.words] == vectors.counts.tolist()


@pytest.mark.parametrize(
    "query",
    [
        lambda wv, x: wv.most_similar("king", None),
        lambda wv, x: wv.most_similar(["king", "woman"], ["man"]),
        lambda wv, x: wv.most_similar_cosmul(["Athens"], []),
        lambda wv, x: wv.most_similar_cosmul(["king", "woman"], ["man"]),
        lambda wv, x: wv.most_similar_cosmul(["Paris", "Rome"], ["France", "he"]),
        lambda wv, x: wv.most_similar(5, [7, "man"]),
        lambda wv, x: wv.most_similar(["king", x], ["Rome"], 10, restrict_vocab=100),
        lambda wv, x: wv.most_similar([("king", 2.0), (x, 0.5)], [("man", 0.3), "Rome"]),
        lambda wv, x: wv.most_similar(np.array([x, 2 * x])),
        lambda wv, x: wv.most_similar("king", restrict_vocab=0),
        lambda wv, x: wv.similar_by_vector(x, 3, 100),
    ],
)
def test_all_kinds_of_queries_give_gensims_neighbours(vectors, keyed, query):
    x = vectors["Athens"] - 2
    got, wanted = query(vectors, x), query(keyed, x)
    assert [word for word, _ in got] == [word for word, _ in wanted]
    assert [score for _, score in got] == pytest.approx([score for _, score in wanted], abs=2e-6, rel=1e-5)


@pytest.mark.parametrize(
    "query",
    [
        lambda wv: wv[["king", "queen"]],
        lambda wv: wv["king", "queen"],
        lambda wv: wv[5],
        lambda wv: wv.get_vector(key=5, norm=True),
        lambda wv: wv.most_similar(["king"], ["man"], topn=None),
        lambda wv: wv.most_similar("king", topn=None, restrict_vocab=9),
        lambda wv: wv.most_similar_cosmul(["king", "woman"], "man", topn=None),
        lambda wv: wv.similarity(w1=3, w2="king"),
        lambda wv: [wv.rank("king", word) for word in ("king", "queen", "man", "Rome")],
        lambda wv: wv.key_to_index[wv.doesnt_match(["king", "queen", "man", "Athens"])],
    ],
)
def test_numbers_are_gensims(vectors, keyed, query):
    got, wanted = query(vectors), query(keyed)
    assert np.shape(got) == np.shape(wanted)
    assert np.asarray(got, float) == pytest.approx(np.asarray(wanted, float), abs=2e-6, rel=2e-5)


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Every twentieth of the bundled analogies."""
    lines = resolve("google").read_text().splitlines()
    path = tmp_path_factory.mktemp("questions") / "few.txt"
    path.write_text("".join(f"{line}\n" for number, line in enumerate(lines) if line[0] == ":" or number % 20 == 0))
    return path


@pytest.mark.parametrize("restrict", [300_000, 300])
@pytest.mark.parametrize("case_insensitive", [True, False])
def test_analogies_are_right_and_wrong_as_with_gensim(vectors, keyed, few, restrict, case_insensitive):
    assert vectors.evaluate_word_analogies(few, restrict, case_insensitive) == keyed.evaluate_word_analogies(
        str(few), restrict_vocab=restrict, case_insensitive=case_insensitive
    )


@pytest.mark.usefixtures("warm_kernels")
def test_analogies_of_trained_vectors_are_right_and_wrong_as_with_gensim(tmp_path):
    import generate

    vectors = train_skipgram(generate.sentences(600), dim=16, epochs=2, min_count=2, threads=1, progress=False)
    rng = np.random.default_rng(0)
    lines = [" ".join(rng.choice(vectors.words[:40], 4, replace=False)) for _ in range(300)]
    (tmp_path / "q").write_text(": toy\n" + "\n".join(lines))
    score, sections = vectors.evaluate_word_analogies(tmp_path / "q")
    assert 0 < score < 1
    assert (score, sections) == vectors.to_gensim().evaluate_word_analogies(str(tmp_path / "q"))


@pytest.mark.parametrize("name", ["wordsim353", "simlex999"])
@pytest.mark.parametrize("case_insensitive", [True, False])
def test_correlations_are_gensims(name, case_insensitive):
    words = {word for line in resolve(name).read_text().splitlines()[2:] for word in line.split("\t")[:2]}
    words = sorted(words)[::2] + sorted(words)[1::4]
    vectors = WordVectors(words, np.random.default_rng(0).normal(size=(len(words), 9)).astype(np.float32))
    got = vectors.evaluate_word_pairs(name, case_insensitive=case_insensitive)
    wanted = vectors.to_gensim().evaluate_word_pairs(str(resolve(name)), case_insensitive=case_insensitive)
    for one, other in zip(got[:2], wanted[:2], strict=True):
        assert one == pytest.approx(tuple(map(float, other)), abs=1e-6)
        assert (one.statistic, one.pvalue) == pytest.approx((other.statistic, other.pvalue), abs=1e-6)
    assert got[2] == pytest.approx(wanted[2])


def test_bundled_files_are_found():
    assert all(resolve(name).is_file() for name in BUNDLED)
