"""Ranks that count, train GloVe and decompose together: the bytes of one process, for any number of them."""

import gzip
from itertools import pairwise

import generate
import numpy as np
import pytest
from mpi import run_ranks, start_ranks  # noqa: F401  # fixtures
from runs import lines_of
from scipy import sparse
from simulated_ranks import together

from embedtrain import (
    Corpus,
    Counts,
    DataError,
    EmbedtrainWarning,
    Phrases,
    SettingError,
    TrainingError,
    cooccurrence_counts,
    train_glove,
    train_lsa,
    train_svd,
)
from embedtrain.corpus.encoding import count_words
from embedtrain.counts import memory_plan, truncated_svd, weighting
from embedtrain.counts import tiles as tiling
from embedtrain.counts.truncated_svd import decompose
from embedtrain.machine.ranks import ALONE
from embedtrain.training.tile_schedule import TileSchedule

NUMBERS = [1, 2, 3, 5]
TEXT = list(generate.sentences(1500, 3))


def settings_of(**settings):
    return {"min_count": 1, "threads": 1, "progress": False, **settings}


def bytes_of(counts):
    matrix = counts.matrix
    arrays = matrix.data, matrix.indices, matrix.indptr, counts.counts
    return [list(counts.words), *((array.dtype, array.tobytes()) for array in arrays)]


def glove(corpus, **settings):
    words = {} if isinstance(corpus, Counts) else {"min_count": 1}
    return train_glove(corpus, **{"dim": 8, "epochs": 3, "threads": 1, "progress": False, **words, **settings})


def results_of(vectors):
    return [vectors.words, vectors.vectors.tobytes(), vectors.context_vectors.tobytes()]


@pytest.fixture
def small_parts(monkeypatch):
    """Many tiles, and few cells in each exchange of counts."""
    monkeypatch.setattr(tiling, "_TILE_CELLS", 1)
    monkeypatch.setattr(memory_plan, "_MOST_EXCHANGED", 500)


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(lines_of(TEXT))
    return path


# --- Vocabulary and counts --------------------------------------------------------------------------------------------


@pytest.fixture(params=["file", "compressed", "two-lines", "json", "lists"])
def corpus(request, tmp_path, text):
    """A text in a form that ranks can divide; some have no share."""
    if request.param == "lists":
        return Corpus(TEXT)
    if request.param == "compressed":
        for number, part in enumerate([TEXT[:40], TEXT[40:90], TEXT[90:]]):
            (tmp_path / f"{number}.txt.gz").write_bytes(gzip.compress(lines_of(part).encode()))
        return Corpus(*(tmp_path / f"{number}.txt.gz" for number in range(3)), text)
    if request.param == "two-lines":
        text.write_text("the king rules\nthe queen rules the king\n")
    if request.param == "json":
        text = tmp_path / "text.jsonl"
        text.write_text("".join(f'{{"text": "{" ".join(words)}"}}\n' for words in TEXT))
    return Corpus(text)


@pytest.mark.parametrize("n", NUMBERS)
def test_words_and_counts_are_those_of_one_process(corpus, n, small_parts):
    vocabulary, _ = count_words(corpus, threads=1)
    for found, _ in together(n, lambda ranks: count_words(corpus, threads=2, ranks=ranks)):
        assert list(found.words) == list(vocabulary.words)
        assert (found.counts == vocabulary.counts).all()
    for settings in ({}, {"symmetric": False, "window": 3, "max_vocab": 30}, {"window": "all", "exact": True}):
        wanted = bytes_of(cooccurrence_counts(corpus, **settings_of(**settings)))
        counts = together(n, lambda ranks: cooccurrence_counts(corpus, **settings_of(**settings, ranks=ranks)))  # noqa: B023
        assert [bytes_of(found) for found in counts] == [wanted] * n


def test_each_rank_allows_for_those_on_its_machine(text, monkeypatch):
    budgets = []

    def count(*args, budget, **settings):
        budgets.append(budget)
        raise DataError("enough")

    monkeypatch.setattr("embedtrain.training.count_data.available_memory", lambda: 12 << 20)
    monkeypatch.setattr("embedtrain.training.count_data.CountsFromText.sample", lambda source: None)
    monkeypatch.setattr("embedtrain.training.count_data.count_windows", count)
    with pytest.raises(DataError, match="enough"):
        together(3, lambda ranks: cooccurrence_counts(text, **settings_of(ranks=ranks)))
    assert set(budgets) == {2 << 20}


# --- GloVe ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_ranks", NUMBERS)
@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (7, 4), (4, 7), (1, 6), (6, 1)])
def test_a_rank_has_neighbouring_rows_and_few_columns_travel(shape, n_ranks):
    cells = np.random.default_rng(1).integers(1, 100, shape)
    alone, shared = (TileSchedule(cells, lr=0.05, seed=1, n_ranks=n) for n in (1, n_ranks))
    for epoch in range(3):
        tiles, rounds = shared.tasks(epoch), shared.rounds(epoch)
        assert [tile[:3] for tile in tiles] == [tile[:3] for tile in alone.tasks(epoch)]
        assert [tile for tiles in rounds for tile in tiles] == tiles
        assert {tile.rank for tile in tiles} <= set(range(n_ranks))
        assert len({tile[0] for tile in tiles}) == len({(tile.row_block, tile.rank) for tile in tiles})
        for before, after in pairwise(rounds):
            holders = {tile.column_block: tile.rank for tile in before}
            moved = [tile for tile in after if holders.get(tile.column_block, tile.rank) != tile.rank]
            assert len(moved) <= n_ranks


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("n", NUMBERS)
@pytest.mark.parametrize("symmetric", [True, False])
def test_glove_has_the_bytes_of_one_process(text, small_parts, n, symmetric, threads):
    alone = glove(text, symmetric=symmetric)
    wanted = results_of(alone)
    found = together(n, lambda ranks: glove(text, symmetric=symmetric, threads=threads, ranks=ranks))
    assert [results_of(vectors) for vectors in found] == [wanted] * n
    if n > 1 or threads == 1:  # the threads of one process add losses in any order
        assert {tuple(vectors.report.losses) for vectors in found} == {tuple(alone.report.losses)}


def test_glove_of_counts_with_initial_vectors(text, small_parts):
    counts = cooccurrence_counts(text, **settings_of())
    some = glove([" ".join(words) for words in TEXT[:20]])
    settings = {"init": some, "freeze": True, "vectors": "word", "init_words": "shared"}
    wanted = results_of(glove(counts, **settings))
    assert [results_of(found) for found in together(3, lambda ranks: glove(counts, **settings, ranks=ranks))] == (
        [wanted] * 3
    )


def test_a_run_goes_on_with_another_number_of_ranks(text, small_parts, kept, tmp_path, monkeypatch):
    monkeypatch.setattr(tiling, "_BLOCK_SHARE", 5)
    wanted = results_of(glove(text))
    often = {"checkpoint": tmp_path / "x.checkpoint", "checkpoint_every": 0}
    found = together(2, lambda ranks: glove(text, **often, ranks=ranks))
    assert [results_of(vectors) for vectors in found] == [wanted] * 2
    n_rounds = len(kept)
    glove(text, **often)
    assert 15 < n_rounds < (len(kept) - n_rounds) / 3, "after every round, and after every tile"
    for checkpoint in (*kept[1:n_rounds:7], *kept[n_rounds + 1 :: 20]):
        for n in (1, 3):
            resumed = together(n, lambda ranks: glove(text, resume=checkpoint, ranks=ranks))  # noqa: B023
            assert [results_of(vectors) for vectors in resumed] == [wanted] * n


def test_divergence_ends_all_ranks(text, small_parts):
    with pytest.raises(TrainingError, match="diverged"):
        together(3, lambda ranks: glove(text, dim=20, lr=50, ranks=ranks))


# --- SVD and LSA ------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_tasks(monkeypatch):
    """Many tasks, and exchanges of a transpose, for a small matrix."""
    monkeypatch.setattr(weighting, "_TASK_CELLS", 500)
    monkeypatch.setattr(truncated_svd, "_TASK_ROWS", 128)


def factors_of(vectors):
    return [*results_of(vectors), vectors.factors.singular_values.tobytes()]


def svd(data, **settings):
    words = {} if isinstance(data, Counts) else {"min_count": 1}
    return train_svd(data, **{"dim": 5, "threads": 1, "progress": False, **words, **settings})


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("n", NUMBERS)
def test_svd_has_the_bytes_of_one_process(text, n, threads, small_parts, small_tasks):
    wanted = factors_of(svd(text))
    found = together(n, lambda ranks: svd(text, threads=threads, ranks=ranks))
    assert [factors_of(vectors) for vectors in found] == [wanted] * n
    assert found[0].report.cells == found[-1].report.cells


@pytest.mark.filterwarnings("ignore:.*(information above 0|above rounding errors)")
@pytest.mark.parametrize("shape", [(40, 300), (300, 40), (2, 2), (3, 200)])
def test_svd_of_other_matrices(shape, small_tasks):
    """Wide and high ones, with empty rows and columns, also with fewer rows than ranks."""
    rng = np.random.default_rng(1)
    cells = rng.gamma(1, 5, shape) * (rng.random(shape) < 0.2)
    cells += 9 * np.eye(*shape)
    cells[1 + shape[0] // 2 :: 7, :], cells[:, 1 + shape[1] // 2 :: 7] = 0, 0
    words, contexts = ([f"{letter}{number}" for number in range(n)] for letter, n in zip("wc", shape, strict=True))
    settings = {"words": words, "context_words": contexts, "threads": 2, "progress": False, "dim": 30}
    wanted = factors_of(train_svd(sparse.csr_array(cells), **settings))
    for n in (2, 5):
        found = together(n, lambda ranks: train_svd(sparse.csr_array(cells), ranks=ranks, **settings))
        assert [factors_of(vectors) for vectors in found] == [wanted] * n


def test_svd_in_little_memory(text, small_tasks, little_memory, temporary_files):
    wanted = factors_of(svd(text))
    temporary_files.clear()
    found = together(3, lambda ranks: svd(text, memory="2M", ranks=ranks))
    assert temporary_files
    assert [factors_of(vectors) for vectors in found] == [wanted] * 3


def test_only_ranks_that_multiply_have_cells(text, monkeypatch):
    """Each rank weighs and keeps its own rows of the matrix and of its transpose."""
    kept = []

    def decomposed(matrix, transposed, *args, seed, ranks=ALONE, **settings):
        if seed == 7:
            kept.append((ranks.rank, len(matrix.columns), len(transposed.columns)))
        return decompose(matrix, transposed, *args, seed=seed, ranks=ranks, **settings)

    monkeypatch.setattr("embedtrain.models.factorization.decompose", decomposed)
    n_cells = svd(text, seed=7).report.cells
    together(4, lambda ranks: svd(text, seed=7, ranks=ranks))
    of_all = [kept.pop(0)[1:]]
    assert sorted(rank for rank, *_ in kept) == list(range(4))
    assert [tuple(map(sum, zip(*(sizes for _, *sizes in kept), strict=True)))] == of_all
    assert max(max(sizes) for _, *sizes in kept) < 0.3 * n_cells


@pytest.mark.parametrize("weighting", ["log-entropy", "tf-idf", "count"])
def test_lsa_has_the_bytes_of_one_process(corpus, small_tasks, weighting):
    settings = {**settings_of(dim=4, threads=2), "weighting": weighting}
    alone = train_lsa(corpus, **settings)
    for n in NUMBERS:
        for found in together(n, lambda ranks: train_lsa(corpus, ranks=ranks, **settings)):
            assert factors_of(found) == factors_of(alone)
            assert found.documents.words == alone.documents.words


def test_documents_are_files_or_lines_and_saved_by_one_rank(text, tmp_path, temporary_files):
    (tmp_path / "other.txt").write_text("the king rules\n\nthe queen rules\n")
    corpus, output = Corpus(text, tmp_path / "other.txt"), tmp_path / "documents.npz"
    for settings in ({"per_file": True, "dim": 1}, {"per_file": False, "dim": 3}):
        settings = settings_of(**settings, documents=output)
        train_lsa(corpus, **settings)
        wanted = output.read_bytes()
        output.unlink()
        together(3, lambda ranks: train_lsa(corpus, ranks=ranks, **settings))  # noqa: B023
        assert output.read_bytes() == wanted


def test_nothing_to_learn_is_said_by_all_ranks():
    with pytest.raises(DataError, match="all words are spread evenly over the documents"):
        together(3, lambda ranks: train_lsa(["a b", "a b"], ranks=ranks, **settings_of(dim=1)))
    with pytest.raises(DataError, match="no pair of words has information above 0"):
        together(3, lambda ranks: train_svd(["a b"] * 4, ranks=ranks, **settings_of(dim=1, shift=1e9)))


# --- Phrases ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", NUMBERS)
def test_phrases_are_joined_in_each_share(corpus, n, tmp_path):
    """Pass after pass, after words were replaced and dropped, with a vocabulary of all shares."""
    phrases = Phrases(dict.fromkeys([("the", "king"), ("in", "the")], (1, 1)), {("the_king", "rules"): (1, 1)})
    settings = settings_of(phrases=phrases, map={"queen": "king"}, drop=["of"])
    wanted = cooccurrence_counts(corpus, **settings)
    counts = together(n, lambda ranks: cooccurrence_counts(corpus, ranks=ranks, **settings))
    assert [bytes_of(found) for found in counts] == [bytes_of(wanted)] * n


@pytest.mark.parametrize("at", [0, -1])
def test_a_phrase_of_one_share_is_a_phrase_of_the_text(text, at):
    first, second = TEXT[at][:2]
    phrases = Phrases({(first, second): (1, 1)})
    together(3, lambda ranks: cooccurrence_counts(text, ranks=ranks, **settings_of(phrases=phrases)))
    with pytest.warns(EmbedtrainWarning, match="no phrase of phrases occurs in the text"):
        together(
            3,
            lambda ranks: cooccurrence_counts(text, ranks=ranks, **settings_of(phrases=Phrases({("x", "y"): (1, 1)}))),
        )


# --- What is refused --------------------------------------------------------------------------------------------------


def test_ranks_with_other_counts_are_refused(text):
    counts = [cooccurrence_counts(text, **settings_of(window=window)) for window in (4, 5)]
    with pytest.raises(SettingError, match="must be the same for all ranks"):
        together(2, lambda ranks: glove(counts[ranks.rank], ranks=ranks))


# --- Processes --------------------------------------------------------------------------------------------------------

COMMANDS = {
    "vocab": (["--min-count", 1, "--phrases", "phrases.txt"], "vocab"),
    "cooccur": (["--min-count", 1, "--phrases", "phrases.txt"], "npz"),
    "glove": (["--min-count", 1, "--dim", 8, "--epochs", 3, "--threads", 1], "vec"),
    "svd": (["--min-count", 1, "--dim", 4], "vec"),
    "lsa": (["--min-count", 1, "--dim", 4], "npz"),
}


@pytest.mark.clients
@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("command", COMMANDS)
def test_processes_write_what_one_writes(text, run_ranks, command, n, tmp_path):  # noqa: F811
    options, suffix = COMMANDS[command]
    (tmp_path / "phrases.txt").write_text("in the\nthe train\n")
    for number in (1, n):
        output = tmp_path / f"{number}.{suffix}"
        status, _, err = run_ranks(number, "-m", "embedtrain", command, text, *options, "-o", output, cwd=tmp_path)
        assert (status, err.count("saved ")) == (0, 1), err
    assert (tmp_path / f"1.{suffix}").read_bytes() == (tmp_path / f"{n}.{suffix}").read_bytes()


@pytest.mark.clients
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["cooccur", "--merge", "a.npz", "-o", "b.npz"],
            "--merge is the work of one process; start it without mpiexec",
        ),
        (["vocab", "--merge", "a", "-o", "b"], "--merge is the work of one process; start it without mpiexec"),
        (["vocab", "-", "-o", "b"], "standard input and pipes cannot be divided among ranks; save the text to a file"),
        (
            ["cooccur", "-", "-o", "b"],
            "standard input and pipes cannot be divided among ranks; save the text to a file",
        ),
        (["svd", "text.txt", "--cache", "c"], "--cache keeps whole texts, and each rank reads a share; leave it out"),
        (["lsa", "-"], "standard input and pipes cannot be divided among ranks; save the text to a file"),
        (["phrases", "text.txt"], "phrases is the work of one process; start it without mpiexec or srun"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_what_ranks_cannot_do_is_refused(text, run_ranks, args, message):  # noqa: F811
    status, _, err = run_ranks(2, "-m", "embedtrain", *args, cwd=text.parent)
    assert status != 0
    assert message in err
