"""Questions get gensim's answers."""

import numpy as np
import pytest

from embedtrain import WordVectors, train_skipgram
from embedtrain.vectors.questions import BUNDLED, find

pytest.importorskip("gensim", reason="gensim is not installed")


def of_known_words(dim, seed):
    """Random vectors for the words of the bundled questions, which come in both cases here and there."""
    lines = find("google").read_text().splitlines()
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


@pytest.mark.parametrize("restrict", [None, 100])
@pytest.mark.parametrize("name", ["most_similar", "most_similar_cosmul"])
def test_neighbours_are_gensims(vectors, keyed, name, restrict):
    if name == "most_similar_cosmul" and restrict:
        restrict = None  # gensim's does not heed it
    for positive, negative in ((["Athens"], []), (["king", "woman"], ["man"]), (["Paris", "Rome"], ["France", "he"])):
        got = getattr(vectors, name)(positive, negative, 10, restrict_vocab=restrict)
        wanted = getattr(keyed, name)(positive, negative, topn=10, restrict_vocab=restrict)
        assert [word for word, _ in got] == [word for word, _ in wanted]
        assert [score for _, score in got] == pytest.approx([score for _, score in wanted], abs=2e-6, rel=1e-5)


def test_other_questions_get_gensims_answers(vectors, keyed):
    words = ["king", "queen", "man", "Athens"]
    vector = vectors["king"] + 3 * vectors["Rome"]
    assert vectors.similarity("king", "queen") == pytest.approx(float(keyed.similarity("king", "queen")), abs=1e-6)
    assert vectors.doesnt_match(words) == keyed.doesnt_match(words)
    assert np.allclose(vectors.get_vector("king", norm=True), keyed.get_vector("king", norm=True), atol=1e-7)
    assert [word for word, _ in vectors.similar_by_vector(vector)] == [
        word for word, _ in keyed.similar_by_vector(vector)
    ]
    mixed = [["king", vector], ["Rome"]]
    assert [word for word, _ in vectors.most_similar(*mixed)] == [word for word, _ in keyed.most_similar(*mixed)]


@pytest.mark.parametrize(
    "ask",
    [
        lambda wv, x: wv.most_similar("king", None),
        lambda wv, x: wv.most_similar(5, [7, "man"]),
        lambda wv, x: wv.most_similar([("king", 2.0), (x, 0.5)], [("man", 0.3), "Rome"]),
        lambda wv, x: wv.most_similar(np.array([x, 2 * x])),
        lambda wv, x: wv.most_similar("king", restrict_vocab=0),
        lambda wv, x: wv.similar_by_word("king", 3),
        lambda wv, x: wv.similar_by_key(5, 3, 100),
        lambda wv, x: wv.similar_by_vector(x, 3, 100),
    ],
)
def test_all_that_gensim_can_be_asked_for_is_answered(vectors, keyed, ask):
    x = vectors["Athens"] - 2
    got, wanted = ask(vectors, x), ask(keyed, x)
    assert [word for word, _ in got] == [word for word, _ in wanted]
    assert [score for _, score in got] == pytest.approx([score for _, score in wanted], abs=2e-6)


@pytest.mark.parametrize(
    "ask",
    [
        lambda wv: wv[["king", "queen"]],
        lambda wv: wv["king", "queen"],
        lambda wv: wv[5],
        lambda wv: wv.get_vector(key=5, norm=True),
        lambda wv: wv.most_similar(["king"], ["man"], topn=None),
        lambda wv: wv.most_similar("king", topn=None, restrict_vocab=9),
        lambda wv: wv.most_similar_cosmul(["king", "woman"], "man", topn=None),
        lambda wv: wv.similarity(w1=3, w2="king"),
        lambda wv: wv.distance("king", "queen"),
        lambda wv: wv.n_similarity(["king", "nobody", "man"], ["queen"]),
        lambda wv: [wv.rank("king", word) for word in ("king", "queen", "man", "Rome")],
        lambda wv: [wv.get_index("queen"), wv.get_index(7), wv.get_index("nobody", -3)],
        lambda wv: [wv.has_index_for(key) for key in ("king", "nobody", 5, 10**9, -1)],
        lambda wv: wv.get_vecattr("king", "count"),
        lambda wv: wv.get_mean_vector(["king", 5, "nobody", np.ones(wv.vector_size)], [1, -2, 5, 0.5]),
        lambda wv: wv.get_mean_vector(["king", "man"], pre_normalize=False, post_normalize=True),
        lambda wv: wv.get_mean_vector(["nobody"]),
    ],
)
def test_what_stands_at_words_is_what_gensim_says(vectors, keyed, ask):
    got, wanted = ask(vectors), ask(keyed)
    assert np.shape(got) == np.shape(wanted)
    assert np.asarray(got, float) == pytest.approx(np.asarray(wanted, float), abs=2e-6, rel=2e-5)


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Every twentieth of the bundled analogies."""
    lines = find("google").read_text().splitlines()
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
    words = {word for line in find(name).read_text().splitlines()[2:] for word in line.split("\t")[:2]}
    words = sorted(words)[::2] + sorted(words)[1::4]
    vectors = WordVectors(words, np.random.default_rng(0).normal(size=(len(words), 9)).astype(np.float32))
    got = vectors.evaluate_word_pairs(name, case_insensitive=case_insensitive)
    wanted = vectors.to_gensim().evaluate_word_pairs(str(find(name)), case_insensitive=case_insensitive)
    for one, other in zip(got[:2], wanted[:2], strict=True):
        assert one == pytest.approx(tuple(map(float, other)), abs=1e-6)
        assert (one.statistic, one.pvalue) == pytest.approx((other.statistic, other.pvalue), abs=1e-6)
    assert got[2] == pytest.approx(wanted[2])


def test_bundled_files_are_found():
    assert all(find(name).is_file() for name in BUNDLED)
