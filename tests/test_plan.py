"""The plan: its figures are those of plain Python and of the run, and making it leaves nothing behind."""

import math
import time
from collections import Counter

import generate
import pytest
from commands import error_of, run
from runs import lines_of

from embedtrain import SettingError
from embedtrain.models.skipgram import plan_skipgram, train_skipgram
from embedtrain.models.word2vec_model import Word2vecModel
from embedtrain.training import loop
from embedtrain.training import run as runs_run
from embedtrain.training.tables import EmbeddingTable

pytestmark = pytest.mark.usefixtures("warm_kernels")
SENTENCES = list(generate.sentences(3000))
COUNTS = Counter(token for tokens in SENTENCES for token in tokens)
N_TOKENS = sum(COUNTS.values())


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The current folder, with the text."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loop, "_PROBE", 0.05)
    (tmp_path / "text.txt").write_text(lines_of(SENTENCES))
    return tmp_path


@pytest.fixture
def no_memory(monkeypatch):
    monkeypatch.setattr("embedtrain.training.run.available_memory", lambda: 1000)
    monkeypatch.setattr("embedtrain.machine.memory.available_memory", lambda: 1000)


def plan(corpus="text.txt", **settings):
    return plan_skipgram(corpus, **{"dim": 8, "epochs": 2, "threads": 1, "progress": False, **settings})


def dry_run(*args):
    return run("skipgram", "text.txt", "--dim", 8, "--threads", 1, "--dry-run", *args)


def contents(folder):
    return {str(path.relative_to(folder)): path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def covered(min_count):
    """The words that occur so often, and their tokens."""
    counts = [count for count in COUNTS.values() if count >= min_count]
    return len(counts), sum(counts)


def removed_share(counts, sample):
    """What subsampling removes, word after word."""
    kept = 0.0
    for count in counts:
        f = count / sum(counts)
        kept += count * min(1.0, (math.sqrt(f / sample) + 1) * sample / f)
    return 1 - kept / sum(counts)


# --- Figures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("min_count", [1, 5, 20])
def test_what_is_counted_is_so(min_count):
    found = plan(min_count=min_count)
    assert (found.tokens, found.types, found.sentences) == (N_TOKENS, len(COUNTS), len(SENTENCES))
    assert (found.words, found.covered) == covered(min_count)
    assert found.coverage == [(least, *covered(least)) for least in (1, 2, 3, 5, 10, 20, 50, 100)]


def test_a_corpus_in_memory_gives_the_same_plan():
    from_file, from_memory = plan(), plan(iter(SENTENCES))
    for name in ("tokens", "types", "sentences", "words", "covered", "coverage", "removed_share", "memory", "disk"):
        assert getattr(from_file, name) == getattr(from_memory, name)


@pytest.mark.parametrize("sample", [1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize("min_count", [1, 10])
def test_the_removed_share_is_that_of_the_formula(sample, min_count):
    counts = [count for count in COUNTS.values() if count >= min_count]
    found = plan(sample=sample, min_count=min_count).removed_share
    assert 0 < found < 1
    assert found == pytest.approx(removed_share(counts, sample), rel=1e-9)
    assert plan(sample=0, min_count=min_count).removed_share == 0


def test_the_removed_share_is_about_that_of_the_run():
    report = train_skipgram("text.txt", dim=8, epochs=4, threads=1, progress=False).report
    assert plan().removed_share == pytest.approx(1 - report.kept_share, abs=0.02)
    assert (plan().words, plan().covered) == (report.words, report.covered)


@pytest.mark.parametrize("dim", [1, 8, 100])
def test_the_memory_of_the_tables_is_theirs(dim):
    n_words = covered(5)[0]
    tables = EmbeddingTable.uniform(n_words, dim, seed=1), EmbeddingTable.zeros(n_words, dim)
    found = plan(dim=dim).memory
    assert found[f"two tables of {n_words:,} × {dim}"] == sum(table.flat.nbytes for table in tables)
    assert found["words"] > 0


def test_the_memory_of_the_threads_grows_with_them():
    one, two = (plan(threads=threads).memory["work of the threads"] for threads in (1, 2))
    assert two == 2 * one > 0


def test_the_time_is_that_of_all_epochs_at_the_speed_measured():
    found = plan(epochs=7)
    assert found.speed > 0
    assert found.seconds["train"] == pytest.approx(7 * N_TOKENS / found.speed)
    assert found.seconds["read"] > 0


def test_the_speed_is_measured(monkeypatch):
    """With 50 ms more for every chunk."""
    tokens = []
    worker = Word2vecModel.worker

    def slow(model, thread):
        train = worker(model, thread)

        def train_slowly(chunk):
            time.sleep(0.05)
            tokens.append(chunk.end - chunk.begin)
            return train(chunk)

        return train_slowly

    monkeypatch.setattr(Word2vecModel, "worker", slow)
    speed = plan().speed
    assert 0 < speed <= sum(tokens) / (0.05 * (len(tokens) - 1))  # the first is for compiling


def test_the_disk_is_enough_for_the_encoded_corpus_twice():
    assert plan().disk == 2 * (4 * N_TOKENS + 8 * len(SENTENCES))


def test_max_vocab_is_planned_with():
    found = plan(max_vocab=10)
    assert (found.words, found.covered) == (10, sum(count for _, count in COUNTS.most_common(10)))


def test_held_out_text_is_planned_with():
    found = plan(valid_share=0.2)
    assert (found.tokens, found.words, found.covered) == (N_TOKENS, *covered(5))
    assert found.seconds["train"] * found.speed == pytest.approx(2 * 0.8 * N_TOKENS, rel=0.1)


def test_a_vocabulary_of_a_file_is_planned_with(folder):
    (folder / "words").write_text("the 70\nin 20\nunheard 10\n")
    with pytest.warns(UserWarning, match="1 of the 3 words of the vocabulary do not occur"):
        found = plan(read_vocab="words", sample=0.01)
    assert (found.words, found.covered) == (3, COUNTS["the"] + COUNTS["in"])
    assert found.removed_share == pytest.approx(removed_share([70, 20, 10], 0.01))
    assert found.coverage == plan().coverage


def test_a_plan_fills_the_cache_and_uses_it(folder):
    plans = [plan(cache="cache"), plan(cache="cache")]
    assert plans[0].coverage == plans[1].coverage == plan().coverage
    assert len(list((folder / "cache").iterdir())) == 1


# --- What is left behind ----------------------------------------------------------------------------------------------


def test_nothing_is_written_and_no_vectors_are_made(folder, monkeypatch):
    monkeypatch.setattr(runs_run.Run, "train", None)
    before = contents(folder)
    assert plan(temp_folder=".", valid_share=0.1).words
    assert dry_run("-o", "x.vec").exit_code == 0
    assert contents(folder) == before


def test_text_and_learnt_tables_do_not_change():
    """The measured second of training is thrown away."""
    wanted = train_skipgram("text.txt", dim=8, epochs=1, threads=1, progress=False)
    plan()
    found = train_skipgram("text.txt", dim=8, epochs=1, threads=1, progress=False)
    assert found.vectors.tobytes() == wanted.vectors.tobytes()


# --- What does not fit ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_memory")
def test_tables_that_do_not_fit_are_planned_but_not_made(monkeypatch):
    rows = []
    zeros = EmbeddingTable.zeros
    monkeypatch.setattr(EmbeddingTable, "zeros", lambda n_rows, *args: rows.append(n_rows) or zeros(n_rows, *args))
    found = plan()
    assert set(rows) == {2}  # those that kernels are compiled with
    assert found.free_memory == 1000 < sum(found.memory.values())
    assert (found.words, found.covered) == covered(5)
    assert math.isnan(found.speed)
    assert math.isnan(found.seconds["train"])
    assert found.seconds["read"] > 0


@pytest.mark.usefixtures("no_memory")
@pytest.mark.parametrize("dim", [8, 1_000_000_000])
def test_the_program_says_what_does_not_fit_and_how_to_make_it_fit(dim):
    done = dry_run("--dim", dim)
    assert done.exit_code == 0
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("memory ")]
    assert "of 1.0 kB free: IT DOES NOT FIT, raise --min-count or lower --dim" in line
    assert "M words/s" not in done.stdout
    assert "nan" not in done.stdout


@pytest.mark.usefixtures("no_memory")
def test_training_that_does_not_fit_is_refused():
    with pytest.raises(SettingError, match=r"need .* of memory, 1\.0 kB are free; raise min_count"):
        train_skipgram("text.txt", progress=False)


# --- The program ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [[], ["--valid-share", 0.1], ["--read-vocab", "words"], ["--cache", "cache"], ["--lowercase"], ["--quiet"]],
    ids=lambda options: " ".join(map(str, options)) or "nothing",
)
def test_the_program_prints_the_plan(folder, options):
    (folder / "words").write_text("".join(f"{word} {count}\n" for word, count in COUNTS.items()))
    done = dry_run("--min-count", 3, *options)
    assert (done.exit_code, done.stderr) == (0, "")
    n_words, n_tokens = covered(3)
    assert f"{N_TOKENS:,} tokens of {len(COUNTS):,} types in {len(SENTENCES):,} sentences" in done.stdout
    assert f"{n_words:,} get vectors and cover {n_tokens / N_TOKENS:.2%} of the tokens" in done.stdout
    rows = {tuple(line.split()) for line in done.stdout.splitlines()}
    for least in (1, 2, 3, 5, 10, 20, 50, 100):
        n_words, n_tokens = covered(least)
        assert (f"{least}", f"{n_words:,}", f"{n_tokens / N_TOKENS:.2%}") in rows
    removed = removed_share([count for count in COUNTS.values() if count >= 3], 1e-3)
    assert f"{removed:.1%} of the covered tokens would be removed" in done.stdout
    assert "M words/s" in done.stdout


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--min-count", 1_000_000], 1, "try a --min-count of at most"),
        (["--min-count", 0], 2, "--min-count must be"),
        (["--read-vocab", "missing"], 1, "cannot read missing: no such file"),
    ],
    ids=str,
)
def test_what_cannot_be_planned_is_one_line(options, status, message):
    assert message in error_of(dry_run(*options), status)
