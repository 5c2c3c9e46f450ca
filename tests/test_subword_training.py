"""Training with subwords: vectors of words and n-grams, runs that go on, initial vectors, outputs and refusals."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from commands import SETTINGS, error_of, run
from runs import clear_stop, lines_of, train_small

from embedtrain import DataError, EmbedtrainWarning, SettingError, WordVectors, plan_skipgram, train_cbow
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.machine.ngrams import ngram_buckets
from embedtrain.models.ngram_rows import NgramRows
from embedtrain.models.skipgram import SkipGram

STEMS = ["lovak", "mirun", "petol", "gusib", "zafer", "honul"]
ENDINGS = ["", "ka", "keti", "mon", "soro", "lin", "vata"]
STILL = {"lr": 1e-9, "epochs": 1}


def inflected():
    """Sentences, each about one stem in its forms; the last ending is never seen."""
    rng = np.random.default_rng(1)
    return [[stem + ending for ending in rng.choice(ENDINGS[:-1], 12)] for stem in rng.choice(STEMS, 1500)]


TEXT = inflected()


def train(corpus=TEXT, **settings):
    buckets = {} if settings.get("subwords", "3-6") is None else {"buckets": 20_000}
    return train_small(corpus, **{"subwords": "3-6", "sample": 0, **buckets, **settings})


def kept(vectors):
    """All that a file keeps."""
    subwords = vectors.subwords
    return [array.tobytes() for array in (vectors.vectors, subwords.rows, subwords.buckets)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(lines_of(TEXT))


# --- Rows -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("buckets", [7, 20_000, 1 << 25, 0])
def test_rows_are_those_of_the_ngrams_of_words(buckets):
    words = ["xanna", "an", "</s>", "banananana", "x" * 10_000, "東京", "a"]
    ngrams = NgramRows.of(Vocabulary(words, np.arange(7, 0, -1)), SkipGram(subwords="3-6", buckets=buckets))
    of_words = [ngram_buckets([word.encode()], 3, 6, buckets)[1].tolist() for word in words]
    occurrences = Counter(bucket for buckets_of_word in of_words for bucket in buckets_of_word)
    for row in range(len(words)):
        own, *rows = ngrams.rows[ngrams.starts[row] : ngrams.starts[row + 1]]
        assert own == row
        found = ngrams.buckets[np.array(rows, int) - len(words)]
        assert sorted(found) == sorted(bucket for bucket in of_words[row] if occurrences[bucket] > 1)
        n_moved = ngrams.ends[row] - ngrams.starts[row] - 1
        assert sorted(found[:n_moved]) == sorted(set(found))
    assert len(set(ngrams.buckets.tolist())) == len(ngrams.buckets)
    assert ngrams.rows[1 : ngrams.ends[0]].tolist() == [*range(len(words), len(words) + ngrams.ends[0] - 1)]


def test_a_word_moves_with_the_words_of_its_ngrams():
    words = Vocabulary(["abc", "abd", "xyz"], np.array([3, 2, 1]))
    assert NgramRows.of(words, SkipGram(subwords="5-5")).largest_share(np.array([3.0, 2])) == 3 / 5  # nothing shared
    ngrams = NgramRows.of(words, SkipGram(subwords="3-3", buckets=0))
    assert len(ngrams.buckets) == 1  # <ab, which abc and abd share
    assert ngrams.largest_share(np.array([3.0, 2])) == pytest.approx((3 / 5 * 2 + 2 / 5) / 2)


# --- Results ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"hs": True, "negative": 0}, {"hs": True}], ids=str)
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_unknown_forms_are_nearest_to_the_forms_of_their_stem(model, settings):
    usual = {"subwords": "3-6", "buckets": 0, "sample": 0, "dim": 16, "epochs": 6, "lr": 0.05, "progress": False}
    of = train_cbow if model == "cbow" else train
    vectors = of(TEXT, **{**usual, **settings}, min_count=1)
    for stem in STEMS:
        word = stem + ENDINGS[-1]
        assert word not in vectors
        assert {near[: len(stem)] for near, _ in vectors.most_similar(word, topn=3)} == {stem}
    assert (vectors.settings["subwords"], vectors.settings["buckets"]) == ("3-6", 0)


def test_without_buckets_only_known_ngrams_count(tmp_path):
    vectors = train(buckets=0)
    assert vectors.can_embed("lovaklovak")
    assert not vectors.can_embed("東京都")
    assert str(vectors.subwords) == f"n-grams of 3-6 characters, {len(vectors.subwords.rows)} with a row"
    vectors.save("x.npz")
    found = WordVectors.load("x.npz")
    assert kept(found) == kept(vectors)
    np.testing.assert_array_equal(found["lovaklovak"], vectors["lovaklovak"])
    with pytest.raises(SettingError, match="n-grams in buckets only, not with buckets=0; write npz"):
        vectors.save("x.bin")


def test_vectors_are_composed_of_own_rows_and_ngrams():
    """Files give them again, callbacks have them, and the held-out loss falls."""
    seen = []
    vectors = train(
        valid=TEXT[:50], epochs=3, callback=lambda epoch: seen.append(epoch.vectors["lovakvata"].copy()) and None
    )
    np.testing.assert_array_equal(seen[-1], vectors["lovakvata"])
    assert vectors.report.valid_losses[2] < vectors.report.valid_losses[0]
    for name in ("x.npz", "x.bin"):
        vectors.save(name)
        found = WordVectors.load(name)
        for word in [*vectors.words, "lovakvata"]:
            np.testing.assert_allclose(found[word], vectors[word], atol=1e-5)


@pytest.mark.parametrize("settings", [{}, {"hs": True, "negative": 0}], ids=str)
def test_one_thread_gives_the_same_bytes_also_after_a_pause(settings):
    whole = kept(train(**settings, epochs=3))
    assert kept(train(**settings, epochs=3)) == whole
    train(**settings, epochs=3, checkpoint="x", callback=lambda epoch: epoch.number == 1)
    tables = ("word_vectors", "ngram_vectors", "node_vectors" if settings else "context_vectors")
    clear_stop("x", tables)
    assert kept(train(**settings, epochs=3, resume="x")) == whole
    with pytest.raises(SettingError, match="subwords is 3-6 in the checkpoint and 3-5 here"):
        train(**settings, epochs=3, resume="x", subwords="3-5")


def test_many_threads_and_one_letter_ngrams_at_a_high_rate():
    """Nearly all words share rows; without shorter blocks, training diverges."""
    rng = np.random.default_rng(2)
    words = ["".join(rng.choice(list("aeinrst"), rng.integers(2, 7))) for _ in range(2000)]
    lines = [rng.choice(words, 100, p=(p := 1 / np.arange(10, 2010)) / p.sum()).tolist() for _ in range(400)]
    for threads in (1, 3):
        losses = train_cbow(
            lines, subwords="1-1", lr=0.2, epochs=2, sample=0, dim=50, threads=threads, progress=False
        ).report.losses
        assert losses[-1] < 3.5


# --- Initial vectors --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.npz", "x.bin"])
@pytest.mark.parametrize("init_words", ["union", "shared"])
def test_training_continues_from_subwords(name, init_words, capsys):
    first = train()
    first.save(name)
    text = [[*line, "lovakvata"] for line in TEXT[:40]]
    again = train(text, init=name, init_words=init_words, **STILL)
    assert "lovakvata" in again
    for word in first.words if init_words == "union" else ["lovak"]:
        np.testing.assert_allclose(again[word], first[word], atol=2e-5)
    np.testing.assert_allclose(again["mirunli"], first["mirunli"], atol=2e-5)  # known ngrams only
    is_shared, rows = again.subwords.find(ngram_buckets([b"lovakvata"], 3, 6, 20_000)[1])
    own = again["lovakvata"] * (1 + is_shared.sum()) - again.subwords.rows[rows].sum(axis=0)
    assert np.abs(own).max() < 0.26  # small and random, as of any new word
    if init_words == "union":
        train(TEXT[:1], init=name, progress="lines", **STILL)
        assert re.search(
            "\\d are not in the text and move only by shared n-grams", " ".join(capsys.readouterr().err.split())
        )
    better = train(text, init=name, init_words=init_words, epochs=3)
    assert better.report.losses[-1] < again.report.losses[0]


def test_vectors_without_subwords_are_where_training_starts():
    plain = train(subwords=None)
    again = train(init=plain, **STILL)
    np.testing.assert_allclose(again.vectors, plain[again.words], atol=1e-5)


def test_initial_subwords_that_do_not_fit():
    train().save("x.bin")
    assert train_small(TEXT, init="x.bin", subwords="3-6").settings["buckets"] == 20_000
    for settings in ({"subwords": "3-5"}, {"buckets": 0}):
        with pytest.raises(SettingError, match=r"subwords=3-6 and buckets=20000, or save it as \.vec first"):
            train(init="x.bin", **settings)
    with pytest.warns(EmbedtrainWarning, match="the subwords of init, n-grams of 3-6 .*, are left out"):
        assert train(init="x.bin", subwords=None).subwords is None
    vectors = train()
    rows = vectors.subwords.rows.copy()
    rows[5] = np.nan
    with pytest.raises(DataError, match="vectors of n-grams that are not finite"):
        train(init=replace(vectors, subwords=replace(vectors.subwords, rows=rows)))


# --- Settings and commands --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lengths", ["6-3", "0-3", "-1-3", "3", "3-", "3-101", "a-b", "", "3-6-9", "٣-٦"])
def test_wrong_lengths_are_refused(lengths):
    with pytest.raises(SettingError, match="subwords must be the least and the most characters of n-grams, from 1 to"):
        train(subwords=lengths)


def test_wrong_settings_are_refused():
    with pytest.raises(SettingError, match="subwords must be a str, got tuple; '3-6' is usual"):
        train(subwords=(3, 6))
    with pytest.raises(SettingError, match="buckets must be a whole number of at least 0, got -1"):
        train(buckets=-1)
    with pytest.raises(SettingError, match="between 0 and 2147483647"):
        train(buckets=1 << 31)
    with pytest.raises(SettingError, match="buckets are for n-grams; set subwords=3-6 too, or leave them out"):
        train(subwords=None, buckets=100)
    with pytest.raises(SettingError, match="with subwords words share the rows of n-grams; leave one out"):
        train(init=train(), freeze=True)
    with pytest.raises(TypeError, match="'minn': both lengths of n-grams are in subwords='3-6'"):
        train(minn=3)


def test_memory_is_stated_and_refused(monkeypatch):
    plan = plan_skipgram(TEXT, dim=8, min_count=1, sample=0, subwords="3-6")
    (rows,) = [name for name in plan.memory if name.endswith("rows of n-grams")]
    assert plan.memory[rows] > int(rows.split()[0].replace(",", "")) * 8 * 4
    monkeypatch.setattr("embedtrain.machine.memory.available_memory", lambda: 1000)
    with pytest.raises(SettingError, match=r"rows of n-grams"):
        train()


def test_a_long_word_and_words_with_borders():
    long = "ab" * 5000  # in which n-grams repeat: if their rows moved for each, training would diverge
    vectors = train([[long, "-" * 80, "<x>", "</s>", "<", "naïve", "\ufffd"] * 3] * 20)
    assert vectors.can_embed(long[:50])
    assert np.isfinite(vectors.vectors).all()


def test_full_disks_are_found_before_training(monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10**8))
    command = ("skipgram", "text.txt", "--subwords", "3-6", "--dim", "100", "--min-count", "1", "--epochs", "1")
    line = error_of(run(*command, "-o", "x.bin"), 2)
    assert "x.bin takes 800 MB or more, 100 MB are free on its disk; write .npz, or set fewer --buckets" in line
    assert run(*command, "-o", "x.npz").exit_code == 0


def test_commands_write_a_format_that_holds_subwords():
    done = run("skipgram", "text.txt", "--subwords", "3-6", *SETTINGS)
    assert done.exit_code == 0, done.output
    assert "rows of n-grams" in done.stderr
    assert run("neighbors", "text.npz", "lovakvata").exit_code == 0
    done = run("cbow", "text.txt", "--subwords", "3-6", "--bucket", "500", "-o", "x.bin", *SETTINGS)
    assert done.exit_code == 0, done.output
    assert WordVectors.load("x.bin").subwords.n_buckets == 500
    done = run("skipgram", "text.txt", "--subwords", "3-6", "-o", "x.vec", *SETTINGS)
    shown = " ".join(done.stderr.split())
    before, after = shown.index("holds no subwords; write npz (.npz) or fasttext (.bin)"), shown.index("trained ")
    assert (done.exit_code, before < after) == (0, True)
    line = error_of(run("skipgram", "text.txt", "--subwords", "3-6", "--buckets", "0", "-o", "y.bin", *SETTINGS), 2)
    assert "in buckets only, not with --buckets 0" in line
    for model in ("skipgram", "svd", "node2vec"):
        shown = " ".join(run(model, "--help").stdout.split())
        assert ("with .vec, with subwords .npz, here" in shown) == ("--subwords" in shown) == (model == "skipgram")
    line = error_of(run("skipgram", "text.txt", "--minn", "3", *SETTINGS), 2)
    assert "--subwords 3-6" in line
