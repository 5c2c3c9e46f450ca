"""Several ranks that train one model: simulated in one process, and started by mpiexec."""

import gzip
import os
import platform
import re
import signal
import sys
import time
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from mpi import run_ranks, start_ranks  # noqa: F401  # fixtures
from planted_graphs import communities
from programs import POSIX, python
from runs import TOY
from simulated_ranks import together

from embedtrain import RandomWalks, WordVectors, plan_skipgram, train_cbow, train_item2vec, train_skipgram
from embedtrain.corpus.encoding import count_words, encode
from embedtrain.corpus.sources import Corpus
from embedtrain.errors import DataError, SettingError, TrainingError
from embedtrain.machine.ranks import ALONE
from embedtrain.models.cbow import Cbow
from embedtrain.models.expected_steps import curvatures, second_moment
from embedtrain.models.skipgram import SkipGram
from embedtrain.training import combining, exchanges
from embedtrain.training.checkpoint import Checkpoint
from embedtrain.training.combining import Curvature, Steps, combined

LINES = TOY.read_text().splitlines(keepends=True)[:3000]
SMALL = {"dim": 8, "epochs": 2, "min_count": 2, "threads": 1, "progress": False, "sample": 1e-3}
COMMAND = ["-m", "embedtrain"]
MODELS = {
    "skip-gram": (train_skipgram, {}),
    "fixed": (train_skipgram, {"window_mode": "fixed"}),
    "cbow": (train_cbow, {}),
    "hs": (train_skipgram, {"hs": True, "negative": 0}),
    "cbow-hs": (train_cbow, {"hs": True}),
    "subwords": (train_skipgram, {"subwords": "3-4", "buckets": 500}),
    "sessions": (train_item2vec, {}),
    "held-out": (train_skipgram, {"valid_share": 0.1, "patience": 1}),
}


@pytest.fixture
def often(monkeypatch):
    """Ranks exchange five times in an epoch, rare rows the second, fourth and last time, and rows in parts."""
    monkeypatch.setattr(exchanges, "n_parts", lambda n_ranks, n_items: 5)
    monkeypatch.setattr(exchanges, "_FREQUENT", 100)
    monkeypatch.setattr(exchanges, "_RARELY", 2)
    monkeypatch.setattr(exchanges, "_AT_ONCE", 3000)


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("".join(LINES))
    return path


def tables_of(vectors):
    tables = [vectors.vectors, vectors.context_vectors, vectors.subwords and vectors.subwords.rows]
    return [table for table in tables if table is not None]


def assert_equal(vectors, others):
    assert vectors.words == others.words
    assert vectors.counts.tolist() == others.counts.tolist()
    for table, other in zip(tables_of(vectors), tables_of(others), strict=True):
        assert table.tobytes() == other.tobytes()


# --- Shares of a text ------------------------------------------------------------------------------------------------


def write_files(folder, texts, opened=open, suffix=".txt"):
    for number, text in enumerate(texts):
        with opened(folder / f"{number:03}{suffix}", "wb") as file:
            file.write(text.encode())
    return folder / f"*{suffix}"


SOURCES = {  # of lines, in a folder
    "file": lambda lines, folder: write_files(folder, ["".join(lines)]),
    "crlf": lambda lines, folder: write_files(folder, ["".join(lines).replace("\n", "\r\n")]),
    "no-end": lambda lines, folder: write_files(folder, ["".join(lines).rstrip("\n")]),
    "one-line": lambda lines, folder: write_files(folder, [" ".join(lines).replace("\n", " ")]),
    "files": lambda lines, folder: write_files(folder, lines),
    "gz": lambda lines, folder: write_files(folder, ["".join(lines[k::3]) for k in range(3)], gzip.open, ".gz"),
    "lines": lambda lines, folder: lines,
    "tokens": lambda lines, folder: [line.split() for line in lines if line.split()],
    "jsonl": lambda lines, folder: write_files(
        folder, ["".join(f'{{"text": "{line.strip()}"}}\n' for line in lines)], suffix=".jsonl"
    ),
    "encoded": lambda lines, folder: encode(lines, threads=1),
}


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("kind", SOURCES)
def test_shares_are_the_whole_text(kind, n, tmp_path):
    corpus = Corpus(SOURCES[kind]([*LINES[:40], "\n", "end\n"], tmp_path))
    whole = encode(corpus, threads=1)

    def work(ranks):
        share = encode(corpus, threads=2, ranks=ranks)
        assert share.ids.dtype == np.int32
        counted = share.vocabulary if kind == "encoded" else count_words(corpus, threads=1, ranks=ranks)[0]
        for vocabulary in (counted, share.vocabulary):
            assert vocabulary.words[:] == whole.vocabulary.words[:]
            assert vocabulary.counts.tolist() == whole.vocabulary.counts.tolist()
        return np.split(share.ids, share.offsets[1:-1]) if len(share.ids) else []

    shares = together(n, work)
    sentences = [tuple(sentence) for share in shares for sentence in share]
    expected = [tuple(sentence) for sentence in np.split(whole.ids, whole.offsets[1:-1])]
    assert sorted(sentences) == sorted(expected)
    if kind in ("file", "crlf", "no-end", "encoded"):
        assert sentences == expected
        assert max(map(len, shares)) <= len(expected) / n + 2


def test_plans_are_of_the_whole_text(text):
    alone = plan_skipgram(text, **SMALL)
    plans = together(3, lambda ranks: plan_skipgram(text, ranks=ranks, **SMALL))
    for plan in plans:
        assert (plan.tokens, plan.types, plan.sentences) == (alone.tokens, alone.types, alone.sentences)


def test_notes_name_the_share(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"a b c\n" * 500 + b"a \xff c\n" + b"a b c\n" * 10)
    notes = together(3, lambda ranks: encode(path, threads=1, ranks=ranks).notes)
    assert notes[0] == notes[1] == notes[2]
    (note,) = notes[0]
    assert f"{path}, after byte 2,046, line 160" in note


def test_walks_are_shared():
    walks = RandomWalks(communities(), walks=3, length=7)
    whole = encode(walks, threads=1)

    def work(ranks):
        share = encode(walks, threads=1, ranks=ranks)
        assert share.vocabulary.words[:] == whole.vocabulary.words[:]
        assert share.n_sentences * 7 == len(share.ids)
        ids, offsets, first = share.reader(100)(4, 20, 50)
        assert (first, offsets[0], offsets[1]) == (14, 0, 7)
        return share.ids[:], ids

    shares = together(3, work)
    assert np.concatenate([ids for ids, _ in shares]).tolist() == whole.ids[:].tolist()
    assert not np.array_equal(shares[0][1], shares[1][1])


# --- Training --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_ranks_train_together(name, often):
    train, settings = MODELS[name]
    settings = {**SMALL, **settings}
    alone = train(LINES, **settings)
    assert_equal(together(1, lambda ranks: train(LINES, ranks=ranks, **settings))[0], alone)
    runs = [together(3, lambda ranks: train(LINES, ranks=ranks, **settings)) for _ in range(2)]
    for ranks in runs:
        for vectors in ranks:  # same bytes on all ranks, and in both runs
            assert_equal(vectors, runs[0][0])
            assert vectors.report.losses == runs[0][0].report.losses
            assert vectors.report.valid_losses == runs[0][0].report.valid_losses
    assert runs[0][0].words == alone.words
    assert runs[0][0].report.losses[-1] == pytest.approx(alone.report.losses[-1], rel=0.25)
    assert runs[0][0].report.losses[-1] < runs[0][0].report.losses[0]
    assert runs[0][0].report.kept_share == pytest.approx(alone.report.kept_share, rel=0.02)


def test_ranks_learn_what_one_learns(often):
    settings = {**SMALL, "dim": 20, "epochs": 5}
    alone = train_skipgram(TOY, **settings)
    shared = together(4, lambda ranks: train_skipgram(TOY, ranks=ranks, **settings))[0]
    assert shared.report.losses[-1] == pytest.approx(alone.report.losses[-1], rel=0.05)


def test_steps_are_those_of_what_was_trained_since_the_last_exchange(often, monkeypatch, capsys):
    steps, due, n_ranks, epochs = [], [], 2, 2
    exchange = exchanges.SharedTable.exchange

    def record(table, own_steps, curvature, n_due):
        steps.append(own_steps.sum())
        due.append(n_due)
        exchange(table, own_steps, curvature, n_due)

    monkeypatch.setattr(exchanges.SharedTable, "exchange", record)
    settings = SMALL | {"sample": 0, "epochs": epochs, "lr": 0.5, "progress": True}
    together(n_ranks, lambda ranks: train_skipgram(TOY, ranks=ranks, **settings))
    parts = np.array(steps)[2 * n_ranks :].reshape(epochs * 5, 2 * n_ranks).sum(axis=1)  # two tables on each rank
    rates = 1 - np.arange(len(parts)) / len(parts)  # at the begin of each part
    assert parts / parts[0] == pytest.approx(rates, rel=0.15)
    assert due[2 * n_ranks :: 2 * n_ranks] == [100, None, 100, None, None] * epochs  # None: all
    assert "they exchange changes 5 times in an epoch, rare words 3 times, up to " in capsys.readouterr().err


def test_more_ranks_than_lines(capsys):
    settings = SMALL | {"sample": 0, "progress": True}
    vectors = together(5, lambda ranks: train_skipgram(["a b a b", "c a b"], ranks=ranks, **settings))
    assert all(sorted(one.words) == ["a", "b"] for one in vectors)
    assert "; 3 ranks without text" in capsys.readouterr().err


def test_graphs_over_ranks(often):
    walks = RandomWalks(communities(), length=20)
    vectors = together(2, lambda ranks: train_skipgram(walks, ranks=ranks, **SMALL))
    assert_equal(*vectors)
    assert vectors[0].report.losses[-1] < vectors[0].report.losses[0]


def test_given_and_kept_words(tmp_path, often):
    (tmp_path / "known").write_text("the 5\nof 4\nzebra 3\n")
    start = train_skipgram(["new words of the " * 10], **SMALL | {"sample": 0})
    for settings in ({"read_vocab": tmp_path / "known"}, {"init": start}):
        corpus = [line.replace("a", "the of zebra") for line in LINES]
        vectors = together(2, lambda ranks, s=settings, c=corpus: train_skipgram(c, ranks=ranks, **SMALL, **s))
        assert_equal(*vectors)


def combine(changes, *args):
    """The changes that `combined` says."""
    weights, more = combined(changes, *args)
    return weights[:, None] * changes + more


def test_more_ranks_and_longer_parts_need_more_exchanges():
    assert [exchanges.n_parts(n, 1000) for n in (1, 2, 3, 4, 8)] == [1, 2, 6, 12, 32]
    million = 1 << 20
    assert [exchanges.n_parts(2, n * million) for n in (16, 160, 320, 3200)] == [2, 10, 20, 32]
    assert [exchanges.n_parts(4, n * million) for n in (160, 640)] == [12, 20]


def of_ranks(steps, n):
    """The steps of n ranks with equal ones."""
    return Steps.of(n * steps, n * steps**2)


def test_combined_changes_are_those_of_one_rank_after_the_other():
    random, n = np.random.default_rng(3), 5
    vectors = np.linalg.qr(random.normal(size=(6, 6)))[0]
    values, optimum = np.array([-1e-18, 1e-7, 1e-3, 0.1, 1, 30]), random.normal(size=6)
    curvature = Curvature.of(vectors * values @ vectors.T)
    for steps in (1e-4, 0.1, 10.0, 1e4):
        change = vectors @ ((1 - np.exp(-steps * values)) * (vectors.T @ optimum))  # of one rank, from 0
        expected = vectors @ ((1 - np.exp(-n * steps * values)) * (vectors.T @ optimum))
        changes = (n * change[None]).astype(np.float32)
        got = combine(changes, of_ranks(np.array([steps]), n), curvature, np.zeros(6, np.float32), 1)[0]
        assert got == pytest.approx(expected, rel=0.02, abs=1e-6)


def test_a_change_of_a_single_rank_is_not_made_smaller():
    curvature, change = Curvature.of(np.eye(3)), np.float32([[1, 2, 3], [4, 5, 6]])
    total, squares = np.array([5.0, 9.0]), np.array([25.0, 27.0])  # of one rank, and 3 of each of three
    steps = Steps.of(total, squares)
    assert steps.each == pytest.approx([5, 3])
    assert steps.n_ranks == pytest.approx([1, 3])
    got = combine(change, steps, curvature, np.zeros(3, np.float32), 1)
    a = 3
    assert got[0] == pytest.approx(change[0], rel=1e-5)
    assert got[1] == pytest.approx(change[1] * (1 - np.exp(-3 * a)) / (3 * (1 - np.exp(-a))), rel=1e-5)


@pytest.mark.parametrize("n_directions", [2, 8], ids=["some-directions", "all"])
def test_what_a_common_force_moves_is_the_mean_of_ranks(n_directions, monkeypatch):
    monkeypatch.setattr(combining, "_DIRECTIONS", n_directions)
    random, n = np.random.default_rng(4), 8
    force, steps = random.normal(size=5), 10.0 ** random.uniform(-1, 2, size=200)
    vectors = np.linalg.qr(random.normal(size=(5, 5)))[0]
    values = np.array([0.01, 0.01, 0.01, 0.5, 2])  # the smaller ones are their mean
    curvature = Curvature.of(vectors * values @ vectors.T)
    a = np.outer(steps, values)
    change = (((1 - np.exp(-a)) / a * steps[:, None]) * (force @ vectors)) @ vectors.T  # of each rank
    change[7] = 0  # a frozen row
    changes = (n * change).astype(np.float32)
    steps = of_ranks(steps, n)
    common = curvature.common(changes, steps)
    assert common == pytest.approx(force, rel=0.05)
    assert combine(changes, steps, curvature, common, 1 / n) == pytest.approx(change, rel=0.2, abs=0.02)
    own = random.normal(size=change.shape) * (change != 0)
    moved = combine((changes + n * own).astype(np.float32), steps, curvature, common, 1 / n)
    assert not moved[7].any()
    alone = combine((n * own).astype(np.float32), steps, curvature, 0 * common, 1 / n)
    assert moved == pytest.approx(alone + change, rel=0.2, abs=0.05)


@pytest.mark.parametrize("n", [2, 5])
def test_only_changed_rows_are_exchanged(n, monkeypatch):
    monkeypatch.setattr(exchanges, "_FREQUENT", 7)  # rows at once
    random, changed = np.random.default_rng(5), [[4, 30, 2], [30, 8], [], [11], [12]]
    start, steps = random.normal(size=(40, 3)).astype(np.float32), random.uniform(size=40)
    start[20] = 0
    moves = random.normal(size=(n, 40, 3)).astype(np.float32)
    sent = []

    def work(ranks):
        flat = np.zeros((41, 16), np.float32)  # with padding
        rows = flat[:40, :3]
        rows[:] = start
        table = exchanges.SharedTable(rows, steps, ranks, 2)
        monkeypatch.setattr(table._ranks, "exchange_arrays", recorded(ranks))
        rows[changed[ranks.rank]] += moves[ranks.rank, changed[ranks.rank]]
        rows[20, 1] = -0.0 if ranks.rank else 0.0
        table.exchange(1e-9 * steps, Curvature.of(np.eye(3)), 40)
        return flat

    def recorded(ranks):
        exchange = ranks.exchange_arrays

        def record(parts, received):
            sent.append(parts.size // 6 * (parts.ndim == 3))  # rows, each sent and received
            exchange(parts, received)

        return record

    expected = start.astype(np.float64)
    for rank in range(n):
        expected[changed[rank]] += moves[rank, changed[rank]]  # so few steps are added
    tables = together(n, work)
    assert tables[0][:40, :3] == pytest.approx(expected, abs=0.02)  # changes are rounded
    assert not tables[0][:, 3:].any()
    assert len({table.tobytes() for table in tables}) == 1  # also the sign of zero
    n_changed = len({*sum(changed[:n], [20])})
    assert n_changed <= sum(sent) / n <= n_changed + 2 * n  # whole rows for each rank


def test_rare_rows_wait_for_an_exchange_of_all():
    steps, curvature = np.arange(10.0, 0, -1), Curvature.of(np.eye(3))

    def work(ranks):
        rows = np.zeros((10, 16), np.float32)[:, :3]
        table = exchanges.SharedTable(rows, steps, ranks, 1)
        rows[[1, 8]] += 1 + ranks.rank
        table.exchange(1e-9 * steps, curvature, 5)
        between = rows.copy()
        rows[8] += 2
        table.exchange(1e-9 * steps, curvature, None)
        return between[1], between[8], rows[1], rows[8]

    first, second = together(2, work)
    assert [row.tolist() for row in first] == [[3] * 3, [1] * 3, [3] * 3, [7] * 3]
    assert [row.tolist() for row in second] == [[3] * 3, [2] * 3, [3] * 3, [7] * 3]


def test_rare_rows_have_the_steps_since_they_were_exchanged(monkeypatch):
    found, steps = [], np.arange(10.0, 0, -1)
    monkeypatch.setattr(Steps, "of", lambda total, squares: found.append(total) or Steps(total, squares))

    def work(ranks):
        rows = np.zeros((10, 16), np.float32)[:, :3]
        table = exchanges.SharedTable(rows, steps, ranks, 1)
        for n_due in (5, None, None):
            table.exchange(steps, Curvature.of(np.eye(3)), n_due)

    work(ALONE)
    assert [of.tolist() for of in found] == [[*steps[:5]], [*steps[:5], *2 * steps[5:]], [*steps]]


def test_second_moments_of_ranks_add_up(monkeypatch):
    monkeypatch.setattr("embedtrain.models.expected_steps._ROWS", 10)
    rng = np.random.default_rng(6)
    table, steps = rng.normal(size=(30, 5)).astype(np.float32), np.sort(rng.uniform(size=30))[::-1]
    for order in (steps, steps[::-1], rng.permutation(steps)):
        rows = np.argsort(-order)[:10]
        expected = np.average([np.outer(row, row) for row in table[rows]], axis=0, weights=order[rows])
        parts = [second_moment(table, order, SimpleNamespace(rank=rank, size=3)) for rank in range(3)]
        assert sum(parts) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert not second_moment(table, 0 * steps, ALONE).any()


def test_curvatures_are_those_of_the_rows_that_a_table_is_scored_with():
    rng = np.random.default_rng(7)
    words, contexts, nodes = moments = [rng.normal(size=(3, 3)) for _ in range(3)]
    steps = {"context_vectors": np.array([1.0, 2]), "node_vectors": np.array([1.0]), "word_vectors": np.ones(2)}
    moments = dict(zip(["word_vectors", "context_vectors", "node_vectors"], moments, strict=True))
    found = curvatures(SkipGram(hs=True), moments, steps | {"ngram_vectors": np.ones(4)})
    assert found["context_vectors"] == pytest.approx(0.1 * words)
    assert found["node_vectors"] == pytest.approx(0.12 * words)
    assert found["word_vectors"] == pytest.approx((3 * 0.1 * contexts + 0.2 * nodes) / 4)
    assert found["ngram_vectors"] is found["word_vectors"]
    del moments["node_vectors"]
    assert curvatures(Cbow(), moments, steps)["context_vectors"] == pytest.approx(0.03 * words)
    assert curvatures(Cbow(cbow_update="corrected"), moments, steps)["context_vectors"] == pytest.approx(0.1 * words)


def test_tables_without_rows_or_changes():
    curvature, steps = Curvature.of(np.eye(2)), np.ones(4)

    def work(ranks):
        for n in (0, 4):
            rows = np.ones((n, 2), np.float32)
            exchanges.SharedTable(rows, steps[:n], ranks, 1).exchange(0.1 * steps[:n], curvature, n)
            assert (rows == 1).all()

    together(2, work)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cache": "cache"}, "`cache` keeps whole texts, and each rank reads a share; leave it out"),
        ({"dim": 4}, "`dim` must be the same for all ranks: it is 4 on rank 0 .* and 5 on rank 1"),
        ({"lr": 900.0}, "diverged"),
        ({"valid_share": 1e-9}, "the corpus is too small to hold out 0.00% of its sentences; name other text"),
    ],
    ids=["cache", "settings", "diverges", "nothing-held-out"],
)
def test_refused_by_all(settings, message, text):
    def work(ranks):
        own = {**SMALL, **settings}
        own["dim"] += ranks.rank * (settings.get("dim") == 4)
        return train_skipgram(text, ranks=ranks, **own)

    with pytest.raises((SettingError, TrainingError, DataError)) as found:
        together(2, work)
    assert found.match(message.replace("`", ""))


def test_other_texts_on_ranks_are_refused(text, tmp_path):
    other = tmp_path / "other"
    other.write_text("a b\n")
    with pytest.raises(SettingError, match="the size of the corpus in bytes must be the same for all ranks"):
        together(2, lambda ranks: train_skipgram([text, other][ranks.rank], ranks=ranks, **SMALL))
    other.write_text("\n\n")
    with pytest.raises(DataError, match="holds no words"):
        together(2, lambda ranks: train_skipgram(other, ranks=ranks, **SMALL))
    with pytest.raises(SettingError, match="standard input and pipes"):
        together(2, lambda ranks: train_skipgram("-", ranks=ranks, **SMALL))


# --- Checkpoints -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), [(2, 2), (3, 2), (2, 1), (1, 3), (5, 4)])
def test_resume_with_another_number_of_ranks(before, after, text, tmp_path, kept, often):
    settings = {**SMALL, "epochs": 3, "checkpoint": tmp_path / "last", "checkpoint_every": 0}

    def trained(n, **more):
        return together(n, lambda ranks: train_skipgram(text, ranks=ranks, **{**settings, **more}))

    whole = trained(before)
    assert_equal(whole[0], trained(before, checkpoint=None)[0])
    states = [Checkpoint.load(path) for path in kept]
    assert len(states) > 6
    for path, state in list(zip(kept, states, strict=True))[1::4]:
        vectors = trained(after, resume=path)
        report = vectors[0].report
        assert len(report.losses) == 3
        assert report.losses[: len(state.history.losses)] == state.history.losses
        assert report.losses[-1] == pytest.approx(whole[0].report.losses[-1], rel=0.1)
        assert report.kept_share == pytest.approx(whole[0].report.kept_share, rel=0.05)
        for other in vectors[1:]:
            assert_equal(vectors[0], other)
        if before == after:
            assert_equal(vectors[0], whole[0])
    last = Checkpoint.load(kept[-1])  # can be continued in turn
    assert last.history.passed == 3 * last.text["tokens"]
    trained(before, resume=kept[-1], epochs=4)


def test_rank_0_writes(text, tmp_path, often):
    calls = []

    def work(ranks):
        return train_skipgram(
            text, ranks=ranks, checkpoint=tmp_path / f"{ranks.rank}/state", save_vocab=tmp_path / f"{ranks.rank}/v",
            callback=None if ranks.rank else lambda epoch: calls.append(epoch.loss) or True, **SMALL,
        )  # fmt: skip

    (tmp_path / "0").mkdir()
    reports = [vectors.report for vectors in together(2, work)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "text.txt"]
    assert sorted(path.name for path in (tmp_path / "0").iterdir()) == ["state", "v"]
    assert reports[0].losses == reports[1].losses == calls
    assert len(calls) == 1  # the callback stops all ranks


# --- Processes -------------------------------------------------------------------------------------------------------


def command(text, output, *settings, name="skipgram"):
    values = ["--dim", "8", "--epochs", "2", "--threads", "1", "--min-count", "2", *settings]
    return ["-m", "embedtrain", name, text, "-o", output, *values]


@pytest.mark.clients
@pytest.mark.parametrize(
    "settings",
    [[], ["--hs", "--negative", "0"], ["--subwords", "3-3", "--buckets", "50"]],
    ids=["sgns", "hs", "subwords"],
)
def test_processes_train_as_simulated_ranks(settings, text, tmp_path, run_ranks):  # noqa: F811
    status, out, errors = run_ranks(2, *command(text, tmp_path / "a.npz", *settings))
    assert (status, out) == (0, "")
    assert "ranks    2 on 1 machine with 2 threads; they exchange changes 2 times in an epoch, up to " in errors
    assert re.search(r"ranks    exchanges took \d+\.\d% of the time of training", errors)
    assert " M words/s on 2 threads" in errors
    options = {"hs": "--hs" in settings, "negative": 0 if "--hs" in settings else 5}
    options |= {"subwords": "3-3", "buckets": 50} if "--subwords" in settings else {}
    usual = {**SMALL, **options}
    expected = together(2, lambda ranks: train_skipgram(text, ranks=ranks, **usual))[0]
    got = WordVectors.load(tmp_path / "a.npz")
    assert got.words == expected.words
    assert got.vectors == pytest.approx(expected.vectors, abs=1e-5)


@pytest.mark.clients
@pytest.mark.parametrize(
    ("settings", "message", "status"),
    [
        (["--dim", "x"], "Invalid value for '--dim': 'x' is not a valid integer.", 2),
        (["--cache", "cache"], "--cache keeps whole texts, and each rank reads a share; leave it out", 2),
        (["--lr", "900"], "training diverged in epoch 1", 1),
    ],
    ids=["usage", "cache", "diverges"],
)
def test_an_error_ends_all(settings, message, status, text, tmp_path, run_ranks):  # noqa: F811
    ended, out, errors = run_ranks(2, *command(text, tmp_path / "a.vec", *settings))
    assert (ended, out) == (status, "")
    (line,) = [line for line in errors.splitlines() if line.startswith("Error")]
    assert line.startswith("Error: rank ")
    assert message in line
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]


@pytest.mark.clients
def test_a_text_that_one_rank_cannot_see(text, tmp_path, start_ranks):  # noqa: F811
    other = command(tmp_path / "none.txt", tmp_path / "a.vec")
    process = start_ranks(1, *command(text, tmp_path / "a.vec"), ":", "-n", 1, sys.executable, *other)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"Error: rank 1 of 2 on {platform.node()}: cannot read {tmp_path / 'none.txt'}: no such file" in errors


@pytest.mark.clients
def test_other_commands_are_of_one_process(run_ranks):  # noqa: F811
    status, _, errors = run_ranks(2, "-m", "embedtrain", "info", TOY)
    assert status == 2
    assert "info is the work of one process; start it without mpiexec or srun" in errors


def test_without_mpi4py_one_line_and_nothing_is_run(text, tmp_path):
    (tmp_path / "mpi4py.py").write_text("raise ImportError('none')")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    for rank in ("0", "1"):
        env = {**os.environ, "PYTHONPATH": path, "PMI_SIZE": "2", "PMI_RANK": rank}
        done = python(*command(text, tmp_path / "a.vec"), env=env)
        assert done.returncode == 2
        assert ('pip install "embedtrain[mpi]"' in done.stderr) == (rank == "0")
    assert not (tmp_path / "a.vec").exists()


@POSIX
@pytest.mark.clients
@pytest.mark.slow
@pytest.mark.parametrize("of", [0, 1])
@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT", "SIGKILL"])
def test_a_signal_to_one_rank_ends_all(number, of, text, tmp_path, start_ranks):  # noqa: F811
    settings = ["--epochs", "100000", "--checkpoint", tmp_path / "state", "--checkpoint-every", "0.01"]
    process = start_ranks(2, *command(text, tmp_path / "a.vec", *settings))
    while not (tmp_path / "state").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    ranks = {child.environ().get("PMI_RANK"): child for child in children if "embedtrain" in child.cmdline()}
    ranks[str(of)].send_signal(getattr(signal, number))
    _, errors = process.communicate(timeout=20)
    assert process.returncode != 0
    if number != "SIGKILL":
        ended = "all ranks are ended; only the last --checkpoint is kept, if one was written"
        assert f"Error: rank {of} of 2 on {platform.node()}: {number}; {ended}" in errors
    psutil.wait_procs(ranks.values(), timeout=10)
    assert not any(child.is_running() for child in ranks.values())
    assert not (tmp_path / "a.vec").exists()
