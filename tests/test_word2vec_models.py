"""Skip-gram and CBOW by negative sampling and by hierarchical softmax, from a corpus to vectors."""

import itertools
import math

import generate
import numpy as np
import planted
import pytest
from programs import python
from runs import TOY, some_vectors

import embedtrain
from embedtrain import DataError, Interrupted, SettingError, TrainingError, WordVectors, train_skipgram
from embedtrain.models.cbow import plan_cbow, train_cbow
from embedtrain.training.checkpoint import Checkpoint

TEXT = list(generate.sentences(3000, 3))
WORDS = sorted({word for words in TEXT for word in words})
MODES = {
    "skipgram": (train_skipgram, {}),
    "cbow": (train_cbow, {}),
    "cbow corrected": (train_cbow, {"cbow_update": "corrected", "lr": 0.15}),
    "cbow hs": (train_cbow, {"negative": 0, "hs": True}),
    "cbow corrected hs": (train_cbow, {"cbow_update": "corrected", "lr": 0.15, "negative": 0, "hs": True}),
    "cbow both": (train_cbow, {"hs": True}),
    "skipgram hs": (train_skipgram, {"negative": 0, "hs": True}),
    "skipgram both": (train_skipgram, {"hs": True}),
}
LEAST = {  # of the analogies, a little below the worst of four seeds
    "skipgram": 0.8,
    "cbow": 0.7, "cbow corrected": 0.9, "cbow hs": 0.9, "cbow corrected hs": 0.8, "cbow both": 0.9,
    "skipgram hs": 0.85, "skipgram both": 0.95,
}  # fmt: skip
every_mode = pytest.mark.parametrize("mode", MODES)


def small(mode, corpus=TEXT, **settings):
    train, usual = MODES[mode]
    quick = {"dim": 8, "epochs": 1, "min_count": 1, "threads": 1, "progress": False}
    return train(corpus, **{**quick, **usual, **settings})


def tables(vectors):
    contexts = vectors.context_vectors
    return vectors.vectors.tobytes(), None if contexts is None else contexts.tobytes()


# --- What is learnt ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def learnt():
    """Vectors of the committed sample, trained when first asked for."""
    done = {}

    def learnt(mode):
        if mode not in done:
            train, usual = MODES[mode]
            done[mode] = train(TOY, dim=50, epochs=8, threads=2, progress=False, **usual)
        return done[mode]

    return learnt


@every_mode
def test_planted_classes_are_recovered(learnt, mode):
    assert planted.class_accuracy(learnt(mode)) >= (0.95 if mode == "skipgram" else 0.9)


@every_mode
@pytest.mark.parametrize("relation", generate.PAIRS)
def test_planted_analogies_are_recovered(learnt, mode, relation):
    assert planted.analogy_accuracy(learnt(mode), relation) >= LEAST[mode]


@every_mode
def test_loss_falls_from_that_of_chance(learnt, mode):
    losses, settings = learnt(mode).report.losses, learnt(mode).settings
    assert len(losses) == 8
    assert all(later < earlier for earlier, later in itertools.pairwise(losses))
    n_words = len(learnt(mode))
    chance = (6 * (settings["negative"] > 0) + settings["hs"] * math.log2(n_words)) * math.log(2)
    assert losses[0] < chance


@every_mode
def test_loss_is_as_good_on_two_threads_as_on_one(mode):
    train, usual = MODES[mode]
    settings = {"dim": 16, "epochs": 2, "progress": False, **usual}
    one, two = (train(TOY, threads=threads, **settings).report.losses[-1] for threads in (1, 2))
    assert two == pytest.approx(one, rel=0.03)


@every_mode
@pytest.mark.parametrize("lr", [0.025, 0.1, pytest.param(0.05, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("n_words", [2, 5, pytest.param(3, marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize("sample", [0, 1e-3])
def test_tiny_vocabularies_stay_finite(mode, n_words, lr, sample):
    rng = np.random.default_rng(n_words)
    lines = [[f"w{i}" for i in rng.integers(0, n_words, 50)] for _ in range(400)]
    vectors = small(mode, lines, lr=lr, sample=sample, epochs=5)
    assert np.isfinite(vectors.vectors).all()
    assert np.abs(vectors.vectors).max() < 50
    bound = 6 * (vectors.settings["negative"] > 0) + vectors.settings["hs"] * (n_words - 1)
    share = 1 if mode == "skipgram" else 1.02
    assert vectors.report.losses[-1] < share * bound * math.log(2), "there is nothing to learn"


@every_mode
def test_two_worlds_that_never_meet_are_told_apart(mode):
    """Even words with even, odd with odd."""
    rng = np.random.default_rng(5)
    lines = [[str(2 * i + line % 2) for i in rng.integers(0, 10, 20)] for line in range(2000)]
    vectors = small(mode, lines, epochs=5, sample=0, dim=10)
    for word in map(str, range(20)):
        near = [int(other) % 2 for other, _ in vectors.most_similar(word, topn=9)]
        assert near == [int(word) % 2] * 9


@every_mode
@pytest.mark.parametrize(("window", "window_mode"), [(20, "fixed"), (70, "dynamic"), (40, "fixed")])
def test_wide_windows_over_equally_frequent_words_learn(mode, window, window_mode):
    """Sessions of items of two kinds that never meet, without subsampling: blocks of 64 diverged."""
    rng = np.random.default_rng(3)
    lines = [[str(2 * i + line % 2) for i in rng.integers(0, 150, 100)] for line in range(400)]
    vectors = small(mode, lines, window=window, window_mode=window_mode, sample=0, epochs=2, dim=16)
    assert np.isfinite(vectors.vectors).all()
    same = [int(other) % 2 == int(word) % 2 for word in vectors.words[:50] for other, _ in vectors.most_similar(word)]
    assert np.mean(same) > 0.9


@every_mode
@pytest.mark.parametrize("lr", [10, 1000])
def test_divergence_stops_with_epoch_rate_and_remedy(mode, lr):
    train, usual = MODES[mode]
    with pytest.raises(TrainingError, match=r"diverged in epoch 1.*learning rate .*; try lr="):
        train(TOY, dim=16, epochs=2, progress=False, **{**usual, "lr": lr})


# --- Settings ---------------------------------------------------------------------------------------------------------


@every_mode
def test_one_thread_gives_the_same_bytes_every_time(mode):
    first, second = (small(mode, epochs=2) for _ in range(2))
    assert tables(first) == tables(second)
    assert first.report.losses == second.report.losses


CHANGES = [
    *itertools.product(
        ["skipgram", "cbow", "cbow hs", "skipgram hs"],
        [{"seed": 2}, {"window": 3}, {"window_mode": "fixed"}, {"negative": 3}, {"sample": 0.01}, {"min_count": 2},
         {"epochs": 2}, {"lr": 0.03}, {"dim": 9}],
    ),
    ("skipgram", {"noise_exponent": 0.5}), ("cbow", {"noise_exponent": 0.5}), ("cbow", {"hs": True}),
    ("cbow", {"cbow_update": "corrected"}), ("cbow hs", {"cbow_update": "corrected"}),
    ("skipgram both", {"hs": False}), ("cbow both", {"negative": 0}),
]  # fmt: skip


@pytest.mark.parametrize(("mode", "change"), CHANGES, ids=str)
def test_every_setting_changes_the_result_and_is_remembered(mode, change):
    usual, changed = small(mode), small(mode, **change)
    assert usual.vectors.shape != changed.vectors.shape or (usual.vectors != changed.vectors).any()
    ((name, value),) = change.items()
    assert changed.settings[name] == value != usual.settings[name]
    assert changed.settings["model"] == mode.split()[0]
    assert changed.settings["version"] == embedtrain.__version__


@pytest.mark.parametrize("model", ["cbow", "skipgram"])
def test_only_negative_samples_are_drawn_and_have_context_vectors(model):
    vectors, without = small(f"{model} both"), small(f"{model} hs")
    assert vectors.context_vectors.shape == vectors.vectors.shape
    assert np.abs(vectors.context_vectors).max() > 0
    assert without.context_vectors is None
    assert tables(small(f"{model} hs", noise_exponent=0.1)) == tables(without)


@pytest.mark.parametrize("mode", ["cbow", "cbow hs", "skipgram both"])
@pytest.mark.parametrize(
    ("lines", "settings", "message"),
    [
        ([["a", "a"]] * 5, {}, "at least two different words"),
        ([["a", "b", "a"]] * 5, {"min_count": 6}, "only one word occurs 6 times or more"),
        ([["a"], ["b"]] * 5, {}, "nothing to learn from: 10 tokens in 10 sentences, one in each"),
    ],
    ids=["one type", "one word", "alone"],
)
def test_text_with_nothing_to_learn_is_refused(mode, lines, settings, message):
    with pytest.raises(DataError, match=message):
        small(mode, lines, sample=0, **settings)


@pytest.mark.parametrize(
    ("change", "tables"), [({}, "two"), ({"hs": True}, "three"), ({"hs": True, "negative": 0}, "two")], ids=str
)
def test_the_plan_counts_the_tables(monkeypatch, change, tables):
    monkeypatch.setattr("embedtrain.training.loop._PROBE", 0.01)
    found = plan_cbow(TEXT, dim=8, min_count=1, threads=1, **change)
    assert f"{tables} tables of {found.words:,} × 8" in found.memory
    assert ("the tree" in found.memory) == ("hs" in change)
    assert found.speed > 0


@every_mode
def test_fewer_words_than_lanes_and_wide_windows(mode):
    vectors = small(mode, [["a", "b", "a"]], dim=1, window=60, sample=0)
    assert (vectors.words, vectors.counts.tolist()) == (["a", "b"], [2, 1])
    assert vectors.vectors.shape == (2, 1)
    assert np.isfinite(vectors.vectors).all()


# --- Held-out text, starting from vectors, and runs that are cut short ------------------------------------------------


@every_mode
def test_held_out_loss_is_measured_and_changes_nothing(mode):
    vectors = small(mode, epochs=3, valid_share=0.3)
    losses = vectors.report.valid_losses
    assert len(losses) == 3
    assert losses[2] < losses[0]
    with_it, without = small(mode, epochs=2, valid=TEXT[:50]), small(mode, epochs=2)
    assert tables(with_it) == tables(without)
    assert with_it.report.losses == without.report.losses
    assert (len(with_it.report.valid_losses), without.report.valid_losses) == (2, [])


LONGER = """
from embedtrain import train_cbow, train_skipgram

quick = dict(dim=8, epochs=1, min_count=1, threads=1, sample=0, lr=1e-9, progress=False, window=100)
lines, longer = [["a", "b"], ["c", "d"], ["c", "a"], ["b", "d"]] * 100, [list("abcd") * 100] * 9
for train in train_cbow, train_skipgram:
    for settings in {}, {"negative": 0, "hs": True}, {"hs": True}:
        print(*train(lines, valid=longer, **quick, **settings).report.valid_losses)
"""


def test_held_out_sentences_may_be_longer_than_any_other():
    """Windows are as wide as the held-out text has them; in a process of its own, which a wrong one may bring down."""
    done = python("-c", LONGER)
    assert done.returncode == 0, done.stderr
    bounds = [(1, 6), (2, 2), (3, 8)] * 2  # noise may be a context; two nodes on a path
    for loss, (least, most) in zip(map(float, done.stdout.split()), bounds, strict=True):
        assert least * math.log(2) - 1e-5 <= loss <= most * math.log(2) + 1e-5


@every_mode
@pytest.mark.parametrize("threads", [1, 2])
def test_frozen_vectors_stay_byte_for_byte_while_others_learn(mode, threads):
    frozen = some_vectors(WORDS[::3])
    vectors = small(mode, epochs=2, init=frozen, freeze=True, threads=threads)
    without = small(mode, init=frozen, lr=1e-9, threads=threads)
    assert all(vectors[word].tobytes() == frozen[word].tobytes() for word in frozen.words)
    assert all((vectors[word] != without[word]).any() for word in vectors.words[:20] if word not in frozen)
    assert all(without[word] == pytest.approx(frozen[word], abs=1e-6) for word in frozen.words)
    learning = small(mode, init=frozen, threads=threads)
    assert all((learning[word] != frozen[word]).any() for word in vectors.words[:20] if word in frozen)


@every_mode
def test_a_resumed_run_gives_the_bytes_of_one_that_never_stopped(mode, tmp_path, interrupt_after):
    path = tmp_path / "run.checkpoint"
    whole = small(mode, epochs=3)
    interrupt_after(17)
    with pytest.raises(Interrupted) as interruption:
        small(mode, epochs=3, checkpoint=path)
    assert isinstance(interruption.value.vectors, WordVectors)
    interrupt_after(10**9)
    assert tables(interruption.value.vectors) != tables(small(mode, lr=1e-9))
    resumed = small(mode, epochs=3, resume=path)
    assert tables(resumed) == tables(whole)
    assert resumed.report.losses == whole.report.losses


def test_a_checkpoint_holds_the_nodes(tmp_path):
    path = tmp_path / "run.checkpoint"
    vectors = small("cbow hs", checkpoint=path)
    state = Checkpoint.load(path)
    assert state.tables["word_vectors"].tobytes() == vectors.vectors.tobytes()
    assert state.tables["node_vectors"].shape == (len(vectors) - 1, 8)
    assert np.abs(state.tables["node_vectors"]).max() > 0


@pytest.mark.parametrize("change", [{"hs": True}, {"cbow_update": "corrected"}, {"negative": 3}], ids=str)
def test_a_checkpoint_of_another_mode_is_refused(change, tmp_path):
    path = tmp_path / "run.checkpoint"
    small("cbow", checkpoint=path, callback=lambda epoch: True)
    with pytest.raises(SettingError, match=next(iter(change))):
        small("cbow", resume=path, **change)
