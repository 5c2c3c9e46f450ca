"""Counts of a text against a loop over its windows, whatever the threads, the memory and the disk."""

import itertools
import os
import subprocess
import sys
import tempfile
import threading
from itertools import pairwise

import naive_counts
import numpy as np
import pytest
from scipy.sparse import csr_array
from simulated_ranks import together

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.counts import counting, memory_plan
from embedtrain.counts.memory_plan import MemoryPlan
from embedtrain.errors import DataError, SettingError
from embedtrain.machine.memory import mapping_of
from embedtrain.machine.ranks import ALONE

PLENTY = 1 << 30  # bytes


def encoded(sentences):
    ids = np.array([word for sentence in sentences for word in sentence], np.int32)
    offsets = np.concatenate([[0], np.cumsum([len(sentence) for sentence in sentences])])
    for array in (ids, offsets):
        array.setflags(write=False)
    return EncodedCorpus(ids, offsets, Vocabulary([str(word) for word in range(ids.max() + 1)], np.bincount(ids)))


def random_text(n_tokens, n_types, longest, seed=0):
    """Sentences whose words are more frequent the lower their ids."""
    rng = np.random.default_rng(seed)
    sentences = []
    while n_tokens > 0:
        length = min(n_tokens, int(rng.integers(1, longest + 1)))
        sentences.append((n_types * rng.random(length) ** 2).astype(int).tolist())
        n_tokens -= length
    return sentences


def count(text, n_words, *, window=10, weighting="distance", symmetric=True, threads=1, budget=PLENTY,
          folder="missing", progress=None, ranks=ALONE):  # fmt: skip
    return counting.count_windows(
        text, n_words, window=window, weighting=weighting, symmetric=symmetric, threads=threads, budget=budget,
        folder=folder, progress=progress, ranks=ranks,
    )  # fmt: skip


def matrix_of(rows):
    n_words = len(rows.starts) - 1
    matrix = csr_array((rows.values, rows.columns, rows.starts), shape=(n_words, n_words))
    for begin, end in pairwise(rows.starts):
        assert (np.diff(rows.columns[begin:end]) > 0).all(), "columns are not in order"
    return matrix.toarray()


def bytes_of(rows):
    assert [array.dtype for array in rows] == [np.int64, np.int32, np.float32]
    return [array.tobytes() for array in rows]


@pytest.fixture
def tight(monkeypatch):
    """Tasks of few rows, and shards of few tokens allowed, so that a small text is work for many."""

    def tighten(least_shard):
        monkeypatch.setattr(memory_plan, "_TASK_CELLS", 1)
        monkeypatch.setattr(memory_plan, "_TASK_UPDATES", 2000)
        monkeypatch.setattr(memory_plan, "_LEAST_SHARD", least_shard)

    return tighten


# --- What is counted --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("weighting", ["distance", "uniform"])
@pytest.mark.parametrize("window", [1, 2, 5, 10, 16, 1000])
@pytest.mark.parametrize("longest", [6, 15])
def test_counts_are_those_of_the_plain_loop(longest, window, weighting, symmetric):
    sentences = random_text(600, 24, longest, seed=window)
    rows = count(encoded(sentences), 16, window=window, weighting=weighting, symmetric=symmetric)
    X = naive_counts.window_counts(sentences, 16, window, weighting, symmetric)
    assert (matrix_of(rows) == naive_counts.dense(X, 16)).all()
    assert len(rows.columns) == len(X)


@pytest.mark.parametrize("window", [20, 300])
def test_beyond_distance_16_counts_are_as_good_as_they_are_said_to_be(window):
    sentences = random_text(900, 40, 400)
    matrix = matrix_of(count(encoded(sentences), 40, window=window))
    right = naive_counts.dense(naive_counts.window_counts(sentences, 40, window, "distance", True), 40)
    assert matrix == pytest.approx(right, rel=window / (2 * 720720) + 1e-7, abs=0)


def test_the_cut_closes_windows_up_and_sentences_keep_apart():
    rows = count(encoded([[0, 3, 1], [2], [3, 3], [2, 3, 3, 3, 0]]), 3, window=1)
    assert matrix_of(rows).tolist() == [[0, 1, 1], [1, 0, 0], [1, 0, 0]]


def test_two_tokens_of_a_word_see_each_other():
    text = encoded([[0, 1, 0]])
    assert matrix_of(count(text, 2)).tolist() == [[1, 2], [2, 0]]  # 1/2 from each side
    assert matrix_of(count(text, 2, symmetric=False)).tolist() == [[0.5, 1], [1, 0]]


def test_one_sided_windows_are_what_stands_before():
    assert matrix_of(count(encoded([[0, 1]]), 2, symmetric=False)).tolist() == [[0, 0], [1, 0]]


def test_two_sided_counts_are_symmetric_and_the_sum_of_one_sided_ones():
    text = encoded(random_text(4000, 60, 30))
    both, before = (matrix_of(count(text, 50, symmetric=symmetric)) for symmetric in (True, False))
    assert (both == both.T).all()
    assert before + before.T == pytest.approx(both, rel=1e-6, abs=0)


def test_distances_that_are_wider_than_a_unit_still_count():
    windows = counting.WindowWeights.of(2_000_000, "distance", True)
    assert windows.weights[[1, 2, 16, 720720, 2_000_000]].tolist() == [720720, 360360, 45045, 1, 1]


def test_words_may_have_no_row_and_a_text_no_pair():
    rows = count(encoded([[0], [4, 4], [0]]), 4)
    assert rows.starts.tolist() == [0] * 5
    assert (len(rows.columns), len(rows.values)) == (0, 0)


def test_more_words_than_the_text_has():
    text = encoded([[0, 1, 2, 1], [1, 0]])
    rows = count(text, 400_000, threads=2, budget=500_000_000)
    assert rows.starts[[0, 1, 2, 3, -1]].tolist() == [0, 2, 5, 7, 7]
    small = count(text, 3)
    assert bytes_of(rows)[1:] == bytes_of(small)[1:]
    assert (rows.starts[:4] == small.starts).all()


def test_progress_is_told_of_every_kept_token():
    class Told:
        tokens = 0

        def update(self, tokens):
            self.tokens += tokens

    sentences, told = random_text(3000, 60, 30), Told()
    count(encoded(sentences), 50, threads=2, progress=told)
    assert told.tokens == sum(word < 50 for sentence in sentences for word in sentence)


# --- However it is counted --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("weighting", "symmetric"), [("distance", True), ("distance", False), ("uniform", True)])
@pytest.mark.parametrize("longest", [12, 5000])
def test_bytes_are_the_same_for_every_number_of_threads_and_every_budget(
    tight, tmp_path, longest, weighting, symmetric
):
    settings = {"window": 9, "weighting": weighting, "symmetric": symmetric}
    text = encoded(random_text(5000, 40, longest))
    expected = bytes_of(count(text, 30, **settings))
    tight(401)
    least = memory_plan.least_bytes(30, 9)
    seen = set()
    for threads in (1, 2, 8):
        for budget in (least, least + 16_000, least + 40_000, PLENTY):
            planned = MemoryPlan.of(30, 5000, window=9, threads=threads, budget=budget)
            rows = count(text, 30, threads=threads, budget=budget, folder=tmp_path, **settings)
            assert bytes_of(rows) == expected
            in_files = mapping_of(rows.values) is not None
            seen.add((planned.threads > 1, planned.shard < 5000, in_files))
    assert {(False, True, True), (True, True, False), (True, False, False)} <= seen
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [1, 2, 7, 50])
def test_nothing_is_lost_or_counted_twice_at_the_borders_of_shards(tight, tmp_path, size):
    text = encoded(random_text(120, 12, 40))
    expected = bytes_of(count(text, 8, window=5))
    tight(size)
    rows = count(text, 8, window=5, budget=memory_plan.least_bytes(8, 5), folder=tmp_path)
    assert bytes_of(rows) == expected


def test_results_that_outgrow_memory_go_on_in_files(tight, tmp_path):
    text = encoded(random_text(3000, 40, 30))
    in_memory = count(text, 30)
    tight(3000 + len(in_memory.columns) // 2)
    rows = count(text, 30, budget=memory_plan.least_bytes(30, 10), folder=tmp_path)
    assert bytes_of(rows) == bytes_of(in_memory)
    assert not rows.columns.flags.writeable
    assert mapping_of(in_memory.values) is None is not mapping_of(rows.values)


MEASURE = """
import resource, sys
import numpy as np
from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.counts.counting import count_windows

def count(ids, budget):
    ids, offsets = ids.astype(np.int32), np.arange(0, len(ids) + 1, 1000)
    for array in (ids, offsets):
        array.setflags(write=False)
    rows = count_windows(EncodedCorpus(ids, offsets, None), 20_000, window=10, weighting="distance", symmetric=True,
                         threads=1, budget=budget, folder=sys.argv[1])
    return len(rows.columns), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

ids = (20_000 * np.random.default_rng(0).random(3_000_000) ** 4).astype(np.int32)
before = count(ids[:2000], 1 << 26)[1]
n, after = count(ids, 40_000_000)
print(n, (after - before) * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="has another way to ask for the most memory that was taken")
def test_memory_stays_within_the_budget_where_results_are_much_larger(tmp_path):
    command = [sys.executable, "-c", MEASURE, str(tmp_path)]
    n_cells, taken = map(int, subprocess.run(command, capture_output=True, check=True, text=True).stdout.split())
    assert 8 * n_cells > 200_000_000
    assert taken < 80_000_000  # 12 for the text, which is not mapped here; and the allocator keeps some


def test_ranges_of_rows_keep_to_their_size():
    cells = np.array([5, 5, 1, 3, 30, 0, 0, 9, 2])
    assert memory_plan.row_ranges(cells, cells, 10) == [(0, 2), (2, 4), (4, 5), (5, 8), (8, 9)]
    many = np.full(5, memory_plan._TASK_UPDATES)
    assert memory_plan.row_ranges(cells[:5], many, 1000) == [(row, row + 1) for row in range(5)]


# --- What can go wrong ------------------------------------------------------------------------------------------------


def test_a_budget_that_is_too_small_is_refused_with_the_least():
    text = encoded([[0, 1]])
    message = r"^memory must be at least 2\d\.\d MB to count the co-occurrences of 1,000 words, got 1\.0 MB; allow more"
    with pytest.raises(SettingError, match=message):
        count(text, 1000, budget=1_000_000)
    least = memory_plan.least_bytes(1000, 2)  # windows are no longer than sentences
    with pytest.raises(SettingError):
        count(text, 1000, budget=least - 1)
    assert len(count(text, 1000, budget=least).columns) == 2


def test_a_small_budget_means_fewer_threads():
    least = memory_plan.least_bytes(400_000, 10)
    assert MemoryPlan.of(400_000, 10**9, window=10, threads=8, budget=least).threads == 1
    assert 2 <= MemoryPlan.of(400_000, 10**9, window=10, threads=8, budget=500_000_000).threads < 8
    assert MemoryPlan.of(400_000, 10**9, window=10, threads=8, budget=10**11).threads == 8


@pytest.mark.parametrize("budget", [0, 10**7, 10**9])
def test_what_ranks_exchange_is_part_of_the_budget(budget):
    least = memory_plan.least_bytes(1000, 10)
    alone, shared = (MemoryPlan.of(1000, 10**5, window=10, threads=1, budget=least + budget, n_ranks=n) for n in (1, 4))
    used = 8 * shared.cells + max(8 * 10**5, memory_plan._EXCHANGED_BYTES * shared.exchanged)
    assert abs(used - 8 * alone.cells - 8 * 10**5) < 8
    assert 10_000 < shared.exchanged <= 1 << 22


def test_positions_always_fit_into_32_bits():
    assert MemoryPlan.of(1000, 10**12, window=10, threads=1, budget=10**15).shard < 2**31 - 2 * 10


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("number", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_full_disk_is_said_in_one_line_and_ends_all_threads(tight, tmp_path, monkeypatch, number, threads):
    """Files in order: columns and sums of shards, the starts of their rows, columns and values of the result."""
    text = encoded(random_text(6000, 40, 30))
    tight(500)
    others = memory_plan._thread_bytes(30) * (threads - 1)
    made, temporary = itertools.count(), tempfile.TemporaryFile

    def new_file(**settings):
        return open("/dev/full", "r+b", buffering=0) if next(made) == number else temporary(**settings)

    monkeypatch.setattr(tempfile, "TemporaryFile", new_file)
    before = threading.active_count()
    message = rf"^cannot write temporary files in {tmp_path}: No space left on device$"
    with pytest.raises(DataError, match=message):
        count(text, 30, threads=threads, budget=memory_plan.least_bytes(30, 10) + others, folder=tmp_path)
    assert threading.active_count() == before


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize(
    ("at_once", "budget"), [(1 << 22, PLENTY), (300, PLENTY), (300, None)], ids=["whole", "parts", "little-memory"]
)
@pytest.mark.parametrize("symmetric", [True, False])
def test_ranks_count_the_whole_text(tmp_path, monkeypatch, little_memory, n, at_once, budget, symmetric):
    monkeypatch.setattr(memory_plan, "_MOST_EXCHANGED", at_once)
    sentences = random_text(3000, 90, 40)
    borders = [0, *(len(sentences) * part * part // n**2 for part in range(1, n)), len(sentences)]
    borders[1:2] = [0] if n == 5 else borders[1:2]  # an empty share
    whole = encoded(sentences)
    settings = {"symmetric": symmetric, "budget": budget or little_memory(80), "folder": tmp_path, "threads": 2}
    expected = count(whole, 80, **settings)

    def of_rank(ranks):
        first, last = borders[ranks.rank : ranks.rank + 2]
        begin, end = whole.offsets[first], whole.offsets[last]
        share = EncodedCorpus(whole.ids[begin:end], whole.offsets[first : last + 1] - begin, whole.vocabulary)
        share.offsets.setflags(write=False)
        return count(share, 80, **settings, ranks=ranks)

    for found in together(n, of_rank):
        assert [(part.dtype, part.tobytes()) for part in found] == [(part.dtype, part.tobytes()) for part in expected]
