"""What models share: schedule, loss, chunks, the loop and the tables."""

import json
import math
from dataclasses import asdict, replace
from itertools import pairwise

import numpy as np
import pytest

from embedtrain import TrainingError
from embedtrain.kernels.simd.lanes import CACHE_LINE, LANES, padded
from embedtrain.machine.progress import Progress, Stopwatch
from embedtrain.models.cbow import Cbow
from embedtrain.models.glove import Glove
from embedtrain.models.skipgram import SkipGram
from embedtrain.training.chunk_schedule import ChunkSchedule, linear_decay, plan_chunks
from embedtrain.training.loop import History, train_epochs
from embedtrain.training.loss import ChunkResult, LossMeter, lower_lr
from embedtrain.training.tables import EmbeddingTable, table_bytes


def test_learning_rate_falls_in_a_line_to_almost_nothing():
    assert [linear_decay(0.5, progress) for progress in (0, 0.25, 0.5)] == [0.5, 0.375, 0.25]
    assert linear_decay(0.5, 1) == pytest.approx(0.5e-4)


@pytest.mark.parametrize("n_tokens", [1, 2, 255, 256, 257, 5000, 200_000])
@pytest.mark.parametrize("largest", [256, 1000])
def test_chunks_cover_an_epoch_and_its_learning_rates(n_tokens, largest):
    chunks = [chunk for epoch in range(3) for chunk in plan_chunks(n_tokens, epoch, 3, 0.1, largest)]
    for epoch in range(3):
        own = [chunk for chunk in chunks if chunk.epoch == epoch]
        assert own[0].begin == 0
        assert own[-1].end == n_tokens
        assert all(one.end == other.begin for one, other in pairwise(own))
        assert all(0 < chunk.end - chunk.begin <= largest for chunk in own)
        assert [chunk.number for chunk in own] == list(range(len(own)))
    assert chunks[0].first_lr == 0.1
    assert chunks[-1].last_lr == pytest.approx(0.1e-4)
    assert all(one.last_lr == pytest.approx(other.first_lr) for one, other in pairwise(chunks))


@pytest.mark.parametrize("n_tokens", [1, 257, 5000, 200_000])
def test_shuffled_chunks_are_the_same_in_another_order_with_learning_rates_that_fall(n_tokens):
    orders = []
    for epoch in range(3):
        plain, shuffled = (plan_chunks(n_tokens, epoch, 3, 0.1, 1000, shuffle) for shuffle in ("", "1 0"))
        spans = [(chunk.begin, chunk.end) for chunk in shuffled]
        assert sorted(spans) == [(chunk.begin, chunk.end) for chunk in plain]
        assert [chunk.number for chunk in shuffled] == list(range(len(plain)))
        assert shuffled[0].first_lr == plain[0].first_lr
        assert shuffled[-1].last_lr == plain[-1].last_lr
        assert all(one.last_lr == other.first_lr > other.last_lr for one, other in pairwise(shuffled))
        orders.append([begin for begin, _ in spans])
    assert n_tokens < 5000 or orders[0] != orders[1] != orders[2], "each epoch has an order of its own"


def test_stretches_are_the_chunks_of_every_epoch_at_once():
    schedule = ChunkSchedule(1000, 2, 0.1, 300)
    assert schedule.n_items == 1000
    for epoch in range(2):
        chunks = schedule.tasks(epoch)
        assert chunks == plan_chunks(1000, epoch, 2, 0.1, 300)
        assert list(schedule.in_turn(chunks, 4)) == [[chunk] for chunk in chunks], "none waits for another"


def result(loss, pairs):
    return ChunkResult(passed=10, kept=8, loss=loss, pairs=pairs, lr=0.1)


def test_loss_is_the_mean_over_pairs_not_over_chunks():
    meter = LossMeter(limit=8, remedy="try `lr=0.2`")
    assert math.isnan(meter.mean)
    meter.add(result(30.0, 10))
    meter.add(result(10.0, 30))
    assert meter.mean == 1.0


@pytest.mark.parametrize("within", [True, False])
@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_stops_at_once(loss, within):
    meter = LossMeter(limit=8, remedy="try `lr=0.2`", check_within_epoch=within)
    meter.add(result(1.0, 1))
    meter.check(3, 0.4)
    meter.add(result(loss, 1))
    message = r"diverged in epoch 3: the loss is -?(nan|inf) a pair.*learning rate 0\.4; try lr=0\.2$"
    with pytest.raises(TrainingError, match=message):
        meter.check(3, 0.4)


@pytest.mark.parametrize(
    ("first", "then", "final"),
    [((9.0 * 999, 999), (9.0, 1), False), ((1e6, 1_000_000), (9000.0, 1000), False), ((81.0, 9), (9.0, 1), True)],
    ids=["enough pairs", "a good start hides no bad end", "few pairs at the end of an epoch"],
)
def test_a_loss_above_the_limit_stops(first, then, final):
    meter = LossMeter(limit=8, remedy="try `lr=0.2`")
    meter.add(result(*first))
    meter.check(1, 0.4)
    meter.add(result(*then))
    if final:
        meter.check(1, 0.4)
    with pytest.raises(TrainingError, match="diverged in epoch 1: the loss is 9 a pair"):
        meter.check(1, 0.4, final=final)


@pytest.mark.parametrize(
    ("settings", "lower"),
    [
        (SkipGram(lr=1), "0.025"), (SkipGram(lr=0.025), "0.0125"), (SkipGram(lr=0.01), "0.005"), (Cbow(lr=0.4), "0.05"),
        (Cbow(), "0.025"), (Cbow(lr=0.4, cbow_update="corrected"), "0.15"), (Glove(lr=2.0), "0.05"),
    ],
    ids=str,
)  # fmt: skip
def test_advice_is_the_usual_learning_rate_or_half(settings, lower):
    assert lower_lr(settings) == f"try `lr={lower}`"


def test_where_stretches_differ_only_the_whole_epoch_is_judged():
    meter = LossMeter(limit=8, remedy="try `lr=0.2`", check_within_epoch=False)
    meter.begin_epoch()
    meter.add(result(9000.0, 1000))
    meter.check(1, 0.4)
    meter.add(result(1000.0, 1000))
    meter.check(1, 0.4, final=True)
    meter.begin_epoch()
    meter.add(result(17000.0, 2000))
    meter.check(2, 0.4)
    with pytest.raises(TrainingError, match=r"diverged in epoch 2: the loss is 8\.5 a pair"):
        meter.check(2, 0.4, final=True)


def test_where_stretches_differ_what_was_known_of_the_epoch_is_judged_too():
    meter = LossMeter(limit=8, remedy="try `lr=0.2`", check_within_epoch=False)
    meter.begin_epoch(total=1000.0, pairs=1000)
    meter.add(result(9000.0, 1000))
    meter.check(1, 0.4, final=True)
    meter.begin_epoch(total=9000.0, pairs=1000)
    meter.add(result(7500.0, 1000))
    with pytest.raises(TrainingError, match=r"the loss is 8\.25 a pair"):
        meter.check(1, 0.4, final=True)


@pytest.mark.parametrize("n_threads", [1, 2, 16])
def test_portions_are_small_near_the_end_and_hold_every_chunk_once(n_threads):
    schedule = ChunkSchedule(100_000, 1, 0.1, 256, n_threads)
    chunks = schedule.tasks(0)
    portions = list(schedule.in_turn(iter(chunks), len(chunks)))
    assert [chunk for portion in portions for chunk in portion] == chunks
    sizes = [len(portion) for portion in portions]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == {1: 1, 2: 8, 16: 3}[n_threads], "one thread alone checks interrupts after every chunk"
    assert sizes[-n_threads:] == [1] * n_threads
    part = schedule.in_turn(chunks[: 3 * n_threads], 3 * n_threads)
    assert all(len(portion) == 1 for portion in part), "of a part of an epoch too"


def test_an_epoch_without_pairs_is_not_judged():
    meter = LossMeter(limit=8, remedy="try `lr=0.2`", check_within_epoch=False)
    meter.begin_epoch()
    meter.check(1, 0.4, final=True)
    assert math.isnan(meter.mean)


CHUNKS = [chunk for epoch in range(2) for chunk in plan_chunks(1000, epoch, 2, 0.1, 300)]


class Often:
    """A pause after every `n` questions, the last of them an interrupt where `most` are taken."""

    def __init__(self, n=math.inf, most=math.inf):
        self.n, self.most, self.asked, self.taken = n, most, 0, []

    def ends(self, n_tasks):
        return [n_tasks]

    def finish_part(self, part):
        """One part is the whole epoch."""

    def requested(self):
        self.asked += 1
        return self.asked % self.n == 0

    def reached(self):
        self.taken.append(None)
        if len(self.taken) >= self.most:
            raise KeyboardInterrupt


def drive(seen, history, pause, n_workers=1):
    """The epochs of a run whose workers note their chunks."""

    def worker(chunk):
        seen.append(chunk)
        return ChunkResult(chunk.end - chunk.begin, 1, float(chunk.begin + chunk.epoch), 300, chunk.last_lr)

    return list(
        train_epochs(
            [worker] * n_workers, ChunkSchedule(1000, 2, 0.1, 300), epochs=2, meter=LossMeter(8, ""),
            history=history, progress=Progress("training", 2000, shown=""), stop_point=pause,
        )
    )  # fmt: skip


@pytest.mark.parametrize("n_workers", [1, 3])
def test_loop_gives_every_chunk_to_a_worker_and_reports_epochs(n_workers):
    seen, history = [], History()
    epochs = drive(seen, history, Often(), n_workers)
    begins = [[chunk.begin for chunk in CHUNKS if chunk.epoch == epoch] for epoch in range(2)]
    losses = [sum(begin + epoch for begin in begins[epoch]) / (300 * len(begins[epoch])) for epoch in range(2)]
    assert sorted(seen) == CHUNKS
    assert [(epoch.number, epoch.epochs, epoch.loss) for epoch in epochs] == [(1, 2, losses[0]), (2, 2, losses[1])]
    assert (history.passed, history.kept, history.losses) == (2000, len(CHUNKS), losses)


@pytest.mark.parametrize("n_workers", [1, 3])
@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_pauses_leave_out_no_chunk_and_work_goes_on_between_them(n_workers, n):
    seen, pause, history = [], Often(n), History()
    drive(seen, history, pause, n_workers)
    assert sorted(seen) == CHUNKS
    assert history.passed == 2000
    assert len(pause.taken) <= len(CHUNKS), "at least a chunk between two pauses"
    assert n > 1 or len(pause.taken) == len(CHUNKS)


@pytest.mark.parametrize("n_workers", [1, 3])
@pytest.mark.parametrize("ends", range(1, 9))
def test_history_tells_at_every_pause_what_is_left(n_workers, ends):
    whole = History()
    drive([], whole, Often())
    seen, history = [], History()
    with pytest.raises(KeyboardInterrupt):
        drive(seen, history, Often(1, ends), n_workers)
    assert len(seen) == ends
    assert history.passed == sum(chunk.end - chunk.begin for chunk in seen)
    history = History(**json.loads(json.dumps(asdict(history))))
    drive(seen, history, Often(), n_workers)
    assert sorted(seen) == CHUNKS
    assert replace(history, seconds=0) == replace(whole, seconds=0)


@pytest.mark.parametrize("history", [History(losses=[2.0], stopped=True), History(losses=[2.0, 1.0])], ids=str)
def test_a_history_that_is_stopped_or_complete_leaves_nothing_to_do(history):
    seen = []
    assert drive(seen, history, Often()) == []
    assert seen == []


@pytest.mark.parametrize("dim", [1, LANES, LANES + 1, 100])
def test_tables_are_padded_and_aligned(dim):
    table = EmbeddingTable.uniform(7, dim, seed=3)
    assert table.flat.ctypes.data % 64 == 0
    assert table.flat.size == 8 * padded(dim)
    assert table.flat.nbytes == table_bytes(7, dim)
    assert table.rows.shape == (7, dim)
    assert np.shares_memory(table.flat, table.rows)
    padding = table.flat.reshape(8, -1).copy()
    padding[:7, :dim] = 0
    assert (padding == 0).all(), "padding is zero"


@pytest.mark.parametrize("dim", [1, LANES, LANES + 1, 100])
def test_scratch_rows_have_cache_lines_of_their_own_and_are_no_rows(dim):
    table = EmbeddingTable.uniform(7, dim, 3, 2, {"one": 1, "none": 0, "two": 2})
    assert (table.rows == EmbeddingTable.uniform(7, dim, seed=3).rows).all()
    (((first,), (second,)), ((third, fourth), (fifth, sixth))) = table.scratch["one"], table.scratch["two"]
    starts = [first, second, third, fourth, fifth, sixth]
    assert all(start % CACHE_LINE == 0 for start in starts)
    assert 8 * padded(dim) <= first
    assert len({end - start for start, end in pairwise(starts)}) == 1, "rows are evenly spaced"
    assert second - first == table.flat.size - sixth >= padded(dim)
    table.flat[first:] = np.inf
    assert np.isfinite(table.rows).all()
    assert table.rows.shape == (7, dim)
    assert table.scratch["none"] == [[], []]
    assert EmbeddingTable.zeros(7, dim, 1, {"none": 0}).flat.size == 8 * padded(dim)


def test_uniform_tables_start_as_word2vecs():
    rows = EmbeddingTable.uniform(3000, 20, seed=1).rows
    assert np.abs(rows).max() <= 0.5 / 20
    assert rows.std() == pytest.approx(1 / 20 / math.sqrt(12), rel=0.02)
    assert rows.mean() == pytest.approx(0, abs=5e-4)
    assert (rows != EmbeddingTable.uniform(3000, 20, seed=2).rows).any()


def test_stopwatch_adds_up_stages():
    clock = Stopwatch()
    with clock("read"):
        pass
    with pytest.raises(ValueError, match="broken"), clock("train"):
        raise ValueError("broken")
    assert list(clock.seconds) == ["read", "train"]
    assert all(seconds >= 0 for seconds in clock.seconds.values())
