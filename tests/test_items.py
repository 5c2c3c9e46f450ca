"""Sessions: windows of whole lines, item2vec, recommendations, complements, and the ranks of last items."""

import json
import math

import naive_items as naive
import numpy as np
import pytest
from text_files import refused

from embedtrain import (
    Interrupted,
    SettingError,
    UnknownWord,
    WordVectors,
    cooccurrence_counts,
    evaluate_sessions,
    train_cbow,
    train_glove,
    train_item2vec,
    train_skipgram,
)
from embedtrain.vectors import neighbors, sessions

QUICK = {"dim": 8, "epochs": 2, "min_count": 1, "sample": 0, "threads": 1, "progress": False}
TRAIN = {"skipgram": train_skipgram, "cbow": train_cbow}
every_model = pytest.mark.parametrize("model", TRAIN)


def grouped(n_sessions, length, n_groups=5, size=12):
    """Sessions of items of one group, in any order."""
    rng = np.random.default_rng(3)
    return [[f"g{k}i{i}" for i in rng.integers(0, size, length)] for k in rng.integers(0, n_groups, n_sessions)]


def group_share(vectors):
    """Share of the items whose nearest neighbour is of the same group."""
    nearest = vectors.neighbors(vectors, 1)
    return np.mean([near[:2] == word[:2] for word, [(near, _)] in zip(vectors, nearest, strict=True)])


# --- Windows of whole lines -------------------------------------------------------------------------------------------


def test_all_pairs_of_a_line_are_counted_once_each():
    lines = grouped(30, 9)
    counts = cooccurrence_counts(lines, window="all", min_count=1, progress=False)
    index = {word: row for row, word in enumerate(counts.words)}
    expected = np.zeros((len(index), len(index)))
    for line in lines:
        for i, one in enumerate(line):
            for j, other in enumerate(line):
                expected[index[one], index[other]] += i != j
    assert np.array_equal(counts.matrix.toarray(), expected)
    assert (counts.settings["window"], counts.settings["weighting"]) == ("all", "uniform")


def test_glove_counts_whole_lines():
    usual = {"dim": 8, "epochs": 2, "min_count": 1, "progress": False}
    whole, wide = (
        train_glove(grouped(40, 20), window=window, weighting=weighting, **usual)
        for window, weighting in (("all", "distance"), (1000, "uniform"))
    )
    assert np.array_equal(whole.vectors, wide.vectors)


@every_model
def test_lines_with_few_items_have_all_pairs_in_any_order(model):
    lines = grouped(50, 4)
    whole, fixed = (
        TRAIN[model](lines, **QUICK, **window).report.losses
        for window in ({"window": "all"}, {"window": 5, "window_mode": "fixed"})
    )
    assert whole == pytest.approx(fixed, rel=0.05)


@every_model
def test_items_of_long_lines_meet_wherever_they_are(model):
    """Each line is of two halves of other groups; near windows never see items of both."""
    rng = np.random.default_rng(0)
    lines = [[f"{half}{k}i{i}" for half in "ab" for i in rng.integers(0, 12, 200)] for k in rng.integers(0, 4, 60)]
    vectors = TRAIN[model](lines, **{**QUICK, "epochs": 20, "lr": 0.05}, window="all")
    assert np.mean([vectors.most_similar(word, topn=1)[0][0][1] == word[1] for word in vectors]) == 1
    halves = [near[0] != word[0] for word in vectors for near, _ in vectors.most_similar(word, topn=12)]
    assert np.mean(halves) > 0.3


@every_model
@pytest.mark.parametrize("partners", [1, 7])
def test_partners_are_drawn_anew_and_the_same_again(model, partners):
    first, second = (TRAIN[model](grouped(20, 300), **QUICK, window="all", partners=partners) for _ in range(2))
    assert first.vectors.tobytes() == second.vectors.tobytes()
    other = TRAIN[model](grouped(20, 300), **QUICK, window="all", partners=partners + 1)
    assert other.vectors.tobytes() != first.vectors.tobytes() or partners % 2
    assert first.settings["window"] == "all"
    assert first.settings["partners"] == partners


def test_partners_without_whole_lines_are_refused():
    with refused("partners are drawn with window='all' only", SettingError):
        train_skipgram([["a", "b"]], partners=3)


@pytest.mark.parametrize("n_words", [2, 5, 50, 1000])
@pytest.mark.parametrize("settings", [{}, {"window": "all", "model": "cbow", "lr": 0.05}], ids=["item2vec", "cbow"])
def test_long_sessions_of_equally_frequent_items_do_not_diverge(n_words, settings):
    rng = np.random.default_rng(n_words)
    lines = [[f"w{i}" for i in line] for line in rng.integers(0, n_words, (3, 8000))]
    train = TRAIN.get(settings.get("model"), train_item2vec)
    settings = {name: value for name, value in settings.items() if name != "model"}
    report = train(lines, **{**QUICK, "epochs": 3}, **settings).report
    assert report.losses[-1] < 6 * math.log(2)


def test_a_resumed_run_shuffles_as_one_that_never_stopped(tmp_path):
    lines, usual = grouped(30, 100), {**QUICK, "epochs": 4}
    whole = train_item2vec(lines, **usual)

    def stop(epoch):
        if epoch.number == 2:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        train_item2vec(lines, **usual, checkpoint=tmp_path / "x", checkpoint_every=0, callback=stop)
    resumed = train_item2vec(lines, **usual, resume=tmp_path / "x")
    assert resumed.vectors.tobytes() == whole.vectors.tobytes()


# --- item2vec ---------------------------------------------------------------------------------------------------------


def test_item2vec_learns_groups_and_keeps_rare_items():
    vectors = train_item2vec([*grouped(200, 15), ["g1i1", "g1rare"]], dim=16, epochs=10, progress=False)
    assert group_share(vectors) > 0.95
    assert "g1rare" in vectors
    assert vectors.settings["model"] == "item2vec"


def test_whole_numbers_are_ids():
    vectors = train_item2vec([[7, 8, 0], [7, 8]] * 5, **QUICK)
    assert sorted(vectors) == ["0", "7", "8"]
    assert vectors.recommend([7], 2) == vectors.recommend(["7"], 2)
    assert vectors.complements(0) == vectors.complements("0") != vectors.complements(vectors.words[0])
    with refused("^7 is neither a word nor a row from 0 to 2; write '7' for the word$", UnknownWord):
        vectors.most_similar(7)


SPACED = "tokens with spaces are taken as they are; of the formats of vectors, .npz can hold them"


@pytest.mark.parametrize("as_file", [False, True])
def test_items_may_have_spaces(tmp_path, as_file):
    lines = [["red mug", "blue  cup ", "x"], ["x", "red mug"]] * 3
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.warns(UserWarning, match=SPACED):
        items = train_item2vec(tmp_path / "x.jsonl" if as_file else lines, **QUICK)
    assert dict(zip(items.words, items.counts, strict=True)) == {"red mug": 6, "x": 6, "blue  cup ": 3}
    items.save(tmp_path / "x.npz")
    assert WordVectors.load(tmp_path / "x.npz").recommend(["red mug"]) == items.recommend(["red mug"])
    with refused(r"the word 'red mug' holds a space, which this file cannot; write \.npz, which can"):
        items.save(tmp_path / "x.vec")
    with refused(r"holds a space, which this file cannot"), pytest.warns(UserWarning, match=SPACED):
        train_item2vec(lines, **QUICK, save_vocab=tmp_path / "x.vocab")


def test_items_with_spaces_are_counted():
    with pytest.warns(UserWarning, match=SPACED):
        counts = cooccurrence_counts([["red mug", "x"]] * 3, window="all", min_count=1)
    assert train_glove(counts, dim=4, epochs=1).words == ["red mug", "x"]


def test_sessions_of_one_item_are_refused():
    with refused("there is nothing to learn from: 2 tokens in 2 sentences, one in each"):
        train_item2vec([["a"], ["b"]])


# --- Recommendations --------------------------------------------------------------------------------------------------


def some_items(n=40, dim=6, *, with_contexts=True):
    rng = np.random.default_rng(1)
    vectors, contexts = rng.normal(size=(2, n, dim)).astype(np.float32)
    return WordVectors([f"i{row}" for row in range(n)], vectors, context_vectors=contexts if with_contexts else None)


HISTORIES = [["i3"], ["i1", "i2", "i7", "i1"], [f"i{n}" for n in range(38)], ["i9", "i39", "i20"], ["i0"]]


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("topn", [1, 5, 100])
@pytest.mark.parametrize(("copies", "with_contexts"), [(1, True), (20, True), (20, False)])
def test_recommendations_are_those_of_the_plain_form(monkeypatch, copies, with_contexts, topn, repeats):
    monkeypatch.setattr(neighbors, "_ROWS", 16)
    monkeypatch.setattr(neighbors, "_FLOATS", 96)
    items = some_items(with_contexts=with_contexts)
    found = items.recommend(HISTORIES * copies, topn, repeats=repeats)
    expected = [naive.recommended(items, history, topn, repeats=repeats) for history in HISTORIES]
    for one, other in zip(found, expected * copies, strict=True):
        assert [item for item, _ in one] == [item for item, _ in other]
        assert [cosine for _, cosine in one] == pytest.approx([cosine for _, cosine in other], abs=1e-5)


def test_one_history_has_one_answer():
    items = some_items()
    assert items.recommend(["i1", "i2"], 3) == items.recommend([["i1", "i2"]], 3)[0]
    assert items.recommend("i1") == items.recommend(("i1",))


@pytest.mark.parametrize("copies", [1, 9])
def test_unknown_items_are_left_out_and_counted(copies):
    items = some_items()
    with pytest.warns(UserWarning, match=rf"^{2 * copies} items without a vector, as 'x'; {copies} of {2 * copies} "):
        found = items.recommend([["i1", "x"], ["y"]] * copies, 4)
    alone = [item for item, _ in items.recommend(["i1"], 4)]
    assert [[item for item, _ in one] for one in found] == [alone, []] * copies
    with pytest.warns(UserWarning, match="^1 item without a vector, as 'x'$"):
        assert items.recommend(["i1", "x"], 4) == items.recommend(["i1"], 4)


@pytest.mark.parametrize(
    ("history", "settings", "message", "error"),
    [
        (["x", "y"], {}, r"no item of the history has a vector: \['x', 'y'\]", UnknownWord),
        ([], {}, r"no item of the history has a vector: \[\]$", UnknownWord),
        (["i", "33"], {}, "has a vector: .*; similar spelling: i33", UnknownWord),
        ([1.5], {}, r"an item must be a str or a whole number, got float; convert it with str\(\)", ValueError),
        (["i1", ["i2"]], {}, "an item must be a str or a whole number, got list", ValueError),
        (None, {}, "an item must be a str or a whole number, got NoneType", ValueError),
        (["i1"], {"topn": 0}, "topn must be a whole number of items, at least 1, got 0", SettingError),
        (["i1"], {"topn": None}, "topn must be a whole number of items, at least 1, got None", SettingError),
    ],
)
def test_bad_histories_are_refused(history, settings, message, error):
    with refused(message, error):
        some_items().recommend(history, **settings)


def test_complements_have_the_greatest_products_with_context_vectors(tmp_path):
    items = some_items()
    products = items.context_vectors @ items["i5"]
    order = [f"i{row}" for row in np.argsort(-products) if row != 5]
    assert [item for item, _ in items.complements("i5", 7)] == order[:7]
    assert items.complements("i5", 1)[0][1] == pytest.approx(max(np.delete(products, 5)))
    items.save(tmp_path / "x.npz")
    assert WordVectors.load(tmp_path / "x.npz").complements("i5") == items.complements("i5")
    assert all(int(item[1:]) < 9 for item, _ in items.complements("i5", 30, 9))


def test_complements_of_glove_are_products_of_its_two_tables(tmp_path):
    trained = train_glove(grouped(50, 9), dim=8, epochs=2, window="all", min_count=1, progress=False)
    trained.save(tmp_path / "x.npz")
    loaded = WordVectors.load(tmp_path / "x.npz")
    assert [item for item, _ in loaded.complements("g1i1")] == [item for item, _ in trained.complements("g1i1")]


@pytest.mark.parametrize(
    ("change", "word", "message"),
    [
        ({"context_vectors": None}, "i1", r"complements need context vectors, which \.npz files keep; train again"),
        (
            {"context_vectors": None, "settings": {"negative": 0}},
            "i1",
            r"\.npz files keep; train again with negative=5",
        ),
        ({}, "x", "'x' is not among the 40 words"),
    ],
)
def test_complements_need_context_vectors_and_a_known_item(change, word, message):
    items = some_items()
    contexts = change.get("context_vectors", items.context_vectors)
    with refused(message):
        WordVectors(items.words, items.vectors, None, contexts, change.get("settings", {})).complements(word)


# --- Evaluation -------------------------------------------------------------------------------------------------------

TEST = [
    ["i1", "i2", "i3"], ["i4", "i5"], ["i6"], ["x", "i7", "i8"], ["i1", "x", "i2"], ["i9", "i9"], ["i2", "i3", "x"],
    ["i30", "i31", "i30", "i32", "i31"], ["i0", "i39"], ["i5", "i1", "i5"],
]  # fmt: skip
LEARNT = [
    ["i1", "i2", "i2", "x"], ["i4", "i5", "i1"], ["i9"], ["i30", "i31", "i32", "i1"], ["i2", "i3", "i1"], ["x", "y"],
]  # fmt: skip


@pytest.mark.parametrize("k", [1, 3, 10, 100])
@pytest.mark.parametrize("at_once", [1 << 22, 100])
def test_rankings_are_those_of_the_plain_form(monkeypatch, at_once, k):
    monkeypatch.setattr(sessions, "_AT_ONCE", at_once)
    items = some_items()
    with pytest.warns(
        UserWarning,
        match="^3 of 10 sessions are left out: one item alone, or one of the last two has no vector",
    ):
        rankings = evaluate_sessions(items, TEST, LEARNT, k=k)
    assert [ranking[:2] for ranking in rankings] == [
        (method, query)
        for method in ("vectors", "popularity", "co-occurrence", "co-occurrence, cosine")
        for query in ("item before", "whole history")
    ]
    for ranking in rankings:
        expected = naive.figures(items, TEST, LEARNT, ranking.method, ranking.query, k)
        assert ranking[2:5] == pytest.approx(expected, abs=1e-6)
        assert 0 < ranking.coverage <= 1
        assert ranking.n_sessions == 7


def test_popularity_alone_stands_beside_without_training_sessions():
    rankings = evaluate_sessions(some_items(), [["i1", "i2", "i3"], ["i4", "i5"]])
    assert {ranking.method for ranking in rankings} == {"vectors", "popularity"}
    assert rankings[2].coverage == pytest.approx(11 / 40)


def test_item2vec_beats_popularity_where_there_are_groups():
    lines = grouped(300, 12)
    items = train_item2vec([line[:-1] for line in lines], dim=16, epochs=10, progress=False)
    vectors, whole, popularity, *_ = evaluate_sessions(items, lines)
    assert vectors.hit_rate > 3 * popularity.hit_rate
    assert whole.hit_rate > 3 * popularity.hit_rate


@pytest.mark.parametrize(
    ("test", "train", "settings", "message", "error"),
    [
        ([["i1"], ["i2"]], None, {}, "all sessions have one item; the last of two or more is ranked", ValueError),
        ([["i1", "x"], ["y", "i2"]], None, {}, "none of the 2 sessions has vectors for its last two items", ValueError),
        ([["i1", "i2"]], [["x", "y"]], {}, "none of the items in the training sessions has a vector", ValueError),
        ([["i1", "i2"]], None, {"k": 0}, "k must be a whole number of at least 1, got 0", SettingError),
        ([["i1", "i2"]], None, {"k": 2.5}, "k must be a whole number of at least 1, got 2.5", SettingError),
        ([], None, {}, "holds no words", ValueError),
        ("missing.txt", None, {}, "cannot read missing.txt", ValueError),
    ],
)
def test_bad_sessions_are_refused(test, train, settings, message, error):
    with refused(message, error):
        evaluate_sessions(some_items(), test, train, **settings)
