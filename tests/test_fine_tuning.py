"""Starting from given vectors, and keeping them as they are."""

from pathlib import Path
from types import SimpleNamespace

import generate
import numpy as np
import pytest
from commands import error_of, run
from runs import SETTINGS, clear_stop, lines_of, train_small
from text_files import refused

from embedtrain import (
    DataError,
    SettingError,
    WordVectors,
    cooccurrence_counts,
    plan_skipgram,
    train_cbow,
    train_glove,
    train_lsa,
    train_skipgram,
)
from embedtrain.training.checkpoint import Checkpoint

TEXT = list(generate.sentences(3000, 3))
WORDS = sorted({word for words in TEXT for word in words})
SHARED, NEW = WORDS[::3], [word for number, word in enumerate(WORDS) if number % 3]
STILL = {"lr": 1e-9, "epochs": 1}  # a rate at which nothing is learnt to speak of


def train(corpus=TEXT, **settings):
    return train_small(corpus, **settings)


def given(contexts=False, dim=8):
    """Vectors of every third word and of words that the text has not."""
    rng = np.random.default_rng(6)
    words = ["not", *SHARED[::-1], "in-the-text"]
    tables = [rng.normal(0, 0.3, (len(words), dim)).astype(np.float32) for _ in range(2)]
    return WordVectors(words, tables[0], context_vectors=tables[1] if contexts else None)


def rows(vectors, words):
    return np.array([vectors[word] for word in words])


def context_rows(vectors, words):
    return vectors.context_vectors[[vectors.index[word] for word in words]]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The current folder, with the text and the given vectors as files."""
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(lines_of(TEXT))
    given().save("given.vec")
    return tmp_path


# --- Starting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("init", [given(), Path("given.vec"), "given.vec"], ids=["vectors", "path", "str"])
def test_shared_words_start_from_given_vectors_and_new_ones_as_ever(init):
    vectors, without = train(init=init, init_words="shared", **STILL), train(**STILL)
    assert list(vectors.words) == list(without.words), "those of the text"
    assert vectors.counts.tolist() == without.counts.tolist()
    assert rows(vectors, SHARED) == pytest.approx(rows(given(), SHARED), abs=1e-6)
    assert rows(vectors, NEW) == pytest.approx(rows(without, NEW), abs=1e-6)
    assert np.abs(rows(vectors, SHARED) - rows(without, SHARED)).max() > 0.1
    assert vectors.context_vectors == pytest.approx(0, abs=1e-5)


def test_context_vectors_are_taken_where_they_are_known_and_given_vectors_stay():
    init = given(contexts=True)
    vectors = train(init=init, **STILL)
    assert context_rows(vectors, SHARED) == pytest.approx(context_rows(init, SHARED), abs=1e-6)
    assert context_rows(vectors, NEW) == pytest.approx(0, abs=1e-5)
    train(init=init)
    assert init.vectors.tobytes() == given(contexts=True).vectors.tobytes()
    assert init.context_vectors.tobytes() == given(contexts=True).context_vectors.tobytes()


def test_a_second_training_starts_with_a_better_loss():
    corpus = list(generate.sentences(30_000, 5))
    first = train(corpus, epochs=5)
    second = train(corpus, epochs=1, init=first)
    assert second.report.losses[0] < first.report.losses[0]
    assert second.report.losses[0] < first.report.losses[-1] * 1.05


# --- Words that the text does not have, or rarely ---------------------------------------------------------------------

ODD_SETTINGS = [
    {},
    {"hs": True},
    {"noise_exponent": 0.0},
    {"noise_exponent": -1.0},
    {"sample": 0},
    {"negative": 0, "hs": True},
]


@pytest.mark.parametrize("settings", [*ODD_SETTINGS, {"valid_share": 0.2}, {"threads": 2}], ids=str)
def test_words_that_the_text_lacks_keep_their_vectors_and_rare_ones_are_trained(settings):
    vectors = train(init="given.vec", min_count=20, max_vocab=9, lr=0.1, **settings)
    assert set(vectors.words) == {*train(min_count=20, max_vocab=9).words, *given().words}
    assert list(vectors.words[-2:]) == ["not", "in-the-text"], "last, in the order of the file"
    assert vectors.counts[-2:].tolist() == [0, 0]
    assert (np.diff(vectors.counts) <= 0).all()
    assert vectors.counts[vectors.index[SHARED[0]]] == sum(words.count(SHARED[0]) for words in TEXT)
    assert rows(vectors, ["not", "in-the-text"]).tobytes() == rows(given(), ["not", "in-the-text"]).tobytes()
    assert (rows(vectors, SHARED) != rows(given(), SHARED)).any(axis=1).mean() > 0.8
    assert np.isfinite(vectors.vectors).all()


@pytest.mark.parametrize("model", [train_cbow, train_glove])
def test_other_models_keep_words_that_the_text_lacks(model):
    init = given()
    vectors = model(TEXT, init=init, min_count=20, threads=1, epochs=2, progress=False)
    assert vectors.vectors.shape == (len(vectors), 8)
    assert rows(vectors, ["not", "in-the-text"]).tobytes() == rows(init, ["not", "in-the-text"]).tobytes()
    assert (rows(vectors, SHARED[:5]) != rows(init, SHARED[:5])).any()


def test_a_small_text_adds_to_many_words():
    few = train([SHARED[:3]] * 2, init="given.vec", min_count=5, sample=0)
    assert set(few.words) == set(given().words)
    with refused("only one word occurs 5 times or more: the corpus has 4 tokens of 2 types, .* at most 1"):
        train([[SHARED[0]] * 3, ["rare"]], init="given.vec", min_count=5)


def test_union_resumes_without_the_vectors(tmp_path):
    settings = {"min_count": 20, "hs": True, "valid_share": 0.1}
    whole = train(init="given.vec", **settings)
    train(init="given.vec", **settings, checkpoint="x", callback=lambda epoch: True)
    Path("given.vec").unlink()
    vectors = train(resume=clear_stop("x", ("word_vectors", "context_vectors", "node_vectors")), **settings)
    assert list(vectors.words) == list(whole.words)
    assert vectors.vectors.tobytes() == whole.vectors.tobytes()
    with refused("cannot resume on another text than the checkpoint's"):
        train(TEXT[:-9], resume="x", **settings)


def test_given_counts_get_no_other_words():
    counts = cooccurrence_counts(TEXT, min_count=20, threads=1, progress=False)
    with pytest.warns(UserWarning, match=r"^\d+ words of init are not among those of the counts; they get no vectors$"):
        vectors = train_glove(counts, init="given.vec", epochs=1, threads=1, progress=False)
    assert list(vectors.words) == list(counts.words)
    with refused("vectors='context' loses words of init that the text lacks; set init_words='shared'", SettingError):
        train_glove(TEXT, init="given.vec", vectors="context")


@pytest.mark.parametrize("name", ["given.vec", "given.npz"])
def test_of_shared_words_only_the_rows_are_read(monkeypatch, name):
    given().save("given.npz")
    read, load = [], WordVectors.load

    def observed(path, **options):
        read.append(load(path, **options))
        return read[-1]

    monkeypatch.setattr(WordVectors, "load", observed)
    vectors = train(init=name, init_words="shared", max_vocab=20, **STILL)
    assert [len(part) for part in read] == [1, sum(word in given() for word in vectors.words)]
    plan = plan_skipgram(TEXT, init=name, init_words="shared", max_vocab=20, progress=False)
    assert plan.memory["the vectors to start from"] == 20 * 8 * 4


def test_a_plan_includes_the_words_that_are_kept():
    plan = plan_skipgram(TEXT, init="given.vec", min_count=20, progress=False)
    assert plan.words == len(train(init="given.vec", min_count=20))
    assert f"two tables of {plan.words} × 8" in plan.memory
    assert plan.memory["the vectors to start from"] == len(given()) * 8 * 4
    assert "the vectors to start from" not in plan_skipgram(TEXT, init=given(), progress=False).memory, "not read"
    assert 0 <= plan.removed_share <= 1


def test_vectors_to_start_from_count_once_as_memory(monkeypatch):
    """They are in memory already when the rest is compared with what is free."""
    plan = plan_skipgram(TEXT, init="given.vec", progress=False, threads=1)
    free = sum(plan.memory.values()) - plan.memory["work of the threads"] - plan.memory["the vectors to start from"]
    for module in ("machine.memory", "training.run"):
        monkeypatch.setattr(f"embedtrain.{module}.available_memory", lambda: free)
    train(init="given.vec", min_count=5)
    free -= 1
    with refused("two tables of .*, words and the vectors to start from need .* of memory", SettingError):
        train(init="given.vec", min_count=5)


def test_the_command_keeps_all_words_and_takes_their_dimensions():
    settings = ["--min-count", "20", "--threads", "1", "--epochs", "1"]
    result = run("skipgram", "text.txt", "-o", "x.vec", *settings, "--init", "given.vec")
    assert result.exit_code == 0, result.output
    vectors = WordVectors.load("x.vec")
    assert set(given().words) <= set(vectors.words)
    assert vectors.vector_size == 8
    shared = run("skipgram", "text.txt", "-o", "y.vec", *settings, "--init", "given.vec", "--init-words", "shared")
    assert shared.exit_code == 0, shared.output
    assert "not" not in WordVectors.load("y.vec")


# --- Where vectors come from, and their dimensions --------------------------------------------------------------------


def test_dim_is_that_of_the_vectors_unless_it_is_given():
    usual = {"min_count": 1, "threads": 1, "epochs": 1, "progress": False}
    first = train_skipgram(TEXT, init="given.vec", checkpoint="x", **usual)
    assert (first.vector_size, first.settings["dim"]) == (8, 8)
    again = train_skipgram(TEXT, resume="x", init="given.vec", **usual)
    assert again.vectors.tobytes() == first.vectors.tobytes()
    assert train_skipgram(TEXT, **usual).vector_size == 100
    with refused("init has 8 dimensions, not dim=100", SettingError):
        train_skipgram(TEXT, init="given.vec", dim=100)


def test_gensim_is_understood():
    init = given(contexts=True)
    keyed = SimpleNamespace(index_to_key=list(init.words), vectors=init.vectors)
    model = SimpleNamespace(wv=keyed, syn1neg=init.context_vectors)
    assert train(init=keyed).vectors.tobytes() == train(init=given()).vectors.tobytes()
    assert train(init=model).vectors.tobytes() == train(init=init).vectors.tobytes()
    assert train(init=model).vectors.tobytes() != train(init=keyed).vectors.tobytes()


@pytest.mark.parametrize("model", [train_skipgram, train_glove])
def test_context_vectors_travel_in_npz(model):
    usual = {"min_count": 1, "threads": 1, "epochs": 2, "dim": 8, "progress": False}
    first = model(TEXT, **usual)
    first.save("first.npz")
    read = WordVectors.load("first.npz")
    assert read.context_vectors.tobytes() == first.context_vectors.tobytes()
    again, directly = (model(TEXT, init=init, **usual) for init in ("first.npz", first))
    assert again.vectors == pytest.approx(directly.vectors, abs=1e-4)
    some = WordVectors.load("first.npz", vocabulary=SHARED[:5])
    assert some.context_vectors == pytest.approx(context_rows(first, some.words))
    assert run("convert", "first.npz", "second.npz").exit_code == 0
    assert WordVectors.load("second.npz").context_vectors.tobytes() == first.context_vectors.tobytes()


def test_context_vectors_of_another_shape_are_neither_written_nor_read():
    with refused(r"context vectors must be float32 of shape \(2, 8\), got float32 of \(1, 8\)"):
        broken(n_contexts=1).save("x.npz")
    given(contexts=True).save("x.npz")
    with np.load("x.npz") as arrays:
        np.savez("y.npz", **{**arrays, "context_vectors": np.ones((2, 8), np.float32)})
    with refused(r"y.npz: context vectors must be float32 of shape \(\d+, 8\), got float32 of \(2, 8\)"):
        WordVectors.load("y.npz")


# --- Freezing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("others", [{}, {"valid_share": 0.2}, {"max_vocab": 60, "sample": 0}], ids=str)
def test_frozen_vectors_stay_byte_for_byte_while_all_else_learns(threads, others):
    others["init_words"] = "shared"
    vectors = train(init="given.vec", freeze=True, threads=threads, epochs=3, lr=0.2, **others)
    shared = [word for word in SHARED if word in vectors]
    new = [word for word in vectors.words if word not in SHARED][:20]  # frequent ones
    start = train(init=given(), **STILL, **others)
    assert len(shared) >= 15
    assert rows(vectors, shared).tobytes() == rows(given(), shared).tobytes()
    assert (np.abs(rows(vectors, new) - rows(start, new)).max(axis=1) > 1e-4).all()
    assert (np.abs(context_rows(vectors, [*shared[:5], *new])).max(axis=1) > 1e-6).all(), "contexts of frozen words too"
    assert np.isfinite(vectors.vectors).all()


def test_where_all_words_are_frozen_only_contexts_learn():
    first = train()
    second = train(init=WordVectors(first.words, first.vectors), freeze=True)
    assert second.vectors.tobytes() == first.vectors.tobytes()
    assert (np.abs(second.context_vectors).max(axis=1) > 0).mean() > 0.9


def test_the_command_freezes_what_a_file_says():
    result = run("skipgram", "text.txt", "-o", "x.vec", *SETTINGS, "--init", "given.vec", "--freeze")
    assert result.exit_code == 0, result.output
    vectors, without = WordVectors.load("x.vec"), train(**STILL)
    assert rows(vectors, SHARED).tobytes() == rows(given(), SHARED).tobytes()
    assert np.abs(rows(vectors, NEW) - rows(without, NEW)).max() > 1e-4
    lines = [
        {line for line in Path(name).read_text().splitlines() if line.split()[0] in SHARED}
        for name in ("given.vec", "x.vec")
    ]
    assert lines[0] == lines[1]


@pytest.mark.parametrize("model", [train_skipgram, train_cbow, train_glove])
@pytest.mark.parametrize("threads", [1, 2])
def test_frozen_contexts_stay_byte_for_byte_while_words_learn(model, threads):
    start = given(contexts=True)
    start.save("given.npz")
    usual = {"min_count": 1, "threads": threads, "epochs": 2, "dim": 8, "lr": 0.2, "progress": False}
    vectors = model(TEXT, init="given.npz", freeze="contexts", **usual)
    assert context_rows(vectors, SHARED).tobytes() == context_rows(start, SHARED).tobytes()
    still = model(TEXT, init=start, **usual | STILL)
    assert (rows(vectors, WORDS[:20]) != rows(still, WORDS[:20])).any(axis=1).all()
    assert vectors.context_vectors.any(axis=1).sum() == len(vectors if model is train_glove else start)


def test_a_resumed_run_keeps_frozen_contexts():
    train(init=given(contexts=True), freeze="contexts", checkpoint="x", callback=lambda epoch: True)
    vectors = train(resume=clear_stop("x"), threads=1)
    assert vectors.vectors.tobytes() == train(init=given(contexts=True), freeze="contexts").vectors.tobytes()
    assert context_rows(vectors, SHARED).tobytes() == context_rows(given(contexts=True), SHARED).tobytes()


@pytest.mark.parametrize("model", [train_skipgram, train_cbow, train_glove])
def test_a_word_that_drifts_between_slices_is_found_against_frozen_contexts(model):
    rng = np.random.default_rng(5)
    groups = [[f"{group}{i}" for i in range(15)] for group in "ab"]

    def text(of_drifter):
        lines = [list(rng.choice(group, 8)) for group in groups for _ in range(1500)]
        lines += [[*rng.choice(groups[of_drifter], 8), "drifter"] for _ in range(500)]
        return [list(map(str, lines[i])) for i in rng.permutation(len(lines))]

    slices = [text(0), text(1)]
    usual = {"min_count": 1, "threads": 1, "epochs": 5, "dim": 4, "progress": False, "window": 8}
    usual |= {} if model is train_glove else {"sample": 0}
    compass = model(slices[0] + slices[1], **usual)
    first, second = (model(one, init=compass, freeze="contexts", **usual) for one in slices)
    for table, other, group in ((second, first, "a"), (first, second, "b")):  # vectors of two slices are comparable
        assert {word[0] for word, _ in table.most_similar([other["drifter"]], topn=5)} == {group}
    if model is not train_cbow:  # whose vectors share more
        moved = {word: np.dot(first.get_vector(word, norm=True), second.get_vector(word, norm=True)) for word in first}
        assert min(moved, key=moved.get) == "drifter"


@pytest.mark.parametrize(
    "flag", [["--freeze"], ["--freeze=words"], ["--freeze", "words"], ["--freeze", "contexts"]], ids=" ".join
)
def test_the_flag_has_a_value_or_none(flag):
    start = given(contexts=True)
    start.save("given.npz")
    for arguments in ([*flag, "text.txt"], ["text.txt", *flag]):
        assert run("skipgram", *arguments, "--init", "given.npz", "-o", "x.npz", *SETTINGS).exit_code == 0
        vectors = WordVectors.load("x.npz")
        kept = [
            rows(vectors, SHARED) == rows(start, SHARED),
            context_rows(vectors, SHARED) == context_rows(start, SHARED),
        ]
        assert [same.all() for same in kept] == [flag[-1] != "contexts", flag[-1] == "contexts"]


def test_contexts_that_are_documents_are_not_those_of_words():
    documents = train_lsa(TEXT, dim=8, progress=False)
    start = train(init=documents, **STILL)
    np.testing.assert_allclose(rows(start, documents.words), documents.vectors, atol=1e-5)
    assert abs(start.context_vectors).max() < 1e-3


def test_contexts_that_are_not_there_cannot_be_frozen():
    message = "freeze='contexts' needs an init with context vectors, which .npz files keep"
    for init in ("given.vec", given(), train_lsa(TEXT, dim=8, progress=False)):
        for words in ("shared", "union"):
            with pytest.raises(SettingError, match=f"^{message}$"):
                train(init=init, init_words=words, freeze="contexts")
    with pytest.raises(SettingError, match=r"is for negative sampling; leave out hs$"):
        train(init=given(contexts=True), freeze="contexts", hs=True)
    with pytest.raises(SettingError, match="words share the rows of n-grams"):
        train(init=given(contexts=True), freeze="contexts", subwords="3-6")
    with pytest.raises(SettingError, match=r"not vectors='context'; set vectors='word'$"):
        train_glove(TEXT, init=given(contexts=True), freeze="contexts", vectors="context")
    with pytest.raises(SettingError, match=r"^freeze must be 'words', 'contexts', True or False, got 'all'$"):
        train(init=given(contexts=True), freeze="all")
    line = error_of(run("cbow", "text.txt", "--freeze", "contexts", "--init", "given.vec", "-o", "x.npz"), 2)
    assert "--freeze contexts needs an --init with context vectors, which .npz files keep" in line


@pytest.mark.parametrize("threads", [1, 2])
def test_a_resumed_run_keeps_frozen_words_frozen(threads):
    train(init=given(), freeze=True, checkpoint="x", callback=lambda epoch: True)
    state = Checkpoint.load(clear_stop("x"))
    assert [word for word, frozen in zip(state.words, state.frozen, strict=True) if frozen] == [
        word for word in state.words if word in given()
    ]
    first = state.tables["word_vectors"]
    Path("given.vec").unlink()
    vectors = train(resume="x", threads=threads, lr=0.025)
    assert len(vectors.report.losses) == 2
    assert rows(vectors, SHARED).tobytes() == rows(given(), SHARED).tobytes()
    assert vectors["not"].tobytes() == given()["not"].tobytes()
    moved = [word for word in state.words if word not in SHARED][:20]
    before = first[[state.words.index(word) for word in moved]]
    assert (rows(vectors, moved) != before).any(axis=1).all()


# --- What is refused --------------------------------------------------------------------------------------------------


def broken(vectors=1.0, contexts=1.0, n_contexts=2):
    """Vectors that are not what they should be."""
    tables = np.ones((2, 8), np.float32), np.ones((n_contexts, 8), np.float32)
    tables[0][1, 2], tables[1][0, 3] = vectors, contexts
    return WordVectors(["the", "of"], tables[0], context_vectors=tables[1])


UNKNOWN = WordVectors("xy", np.ones((2, 8), np.float32))


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"init": given(dim=5)}, SettingError, "^init has 5 dimensions, not dim=8; leave dim out to have 5$"),
        ({"init": "given.vec", "dim": 9}, SettingError, "^init has 8 dimensions, not dim=9; leave dim out to have 8$"),
        ({"freeze": True}, SettingError, "freeze keeps the vectors of init as they are; name their file with init$"),
        ({"init": "missing.vec"}, DataError, "cannot read missing.vec: no such file"),
        ({"init": "."}, DataError, "^. is a folder without vectors.npy"),
        ({"init": "text.txt"}, DataError, "^text.txt is not a file of vectors: "),
        ({"init": broken(vectors=np.nan)}, DataError, "init has vectors that are not finite"),
        ({"init": broken(contexts=np.inf)}, DataError, "init has vectors that are not finite"),
        ({"init": broken(n_contexts=1)}, DataError, "init has vectors that are not finite, or not 2 × 8"),
        ({"init": UNKNOWN}, DataError, r"none of the \d+ words of the text is among those of init$"),
        ({"init": UNKNOWN, "init_words": "shared"}, DataError, r"none of the \d+ words of the text is among those of"),
        ({"init": WordVectors(["a\tb"], np.ones((1, 8), np.float32))}, DataError, r"'a\\tb' is empty or holds"),
        ({"init": "given.vec", "init_words": "old"}, SettingError, "init_words must be 'union' or 'shared', got 'old'"),
        ({"init": "given.vec", "read_vocab": "x"}, SettingError, "read_vocab says .* set init_words='shared'$"),
    ],
    ids=["dim of vectors", "dim of a file", "freeze", "missing", "folder", "text", "not finite", "contexts not finite",
         "contexts of another shape", "words", "shared words", "a word with a tab", "choice", "vocabulary"],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_a_line(settings, error, message):
    with refused(message, error):
        train(**settings)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: [*lines[:4], lines[4][:-9] + "x\n", *lines[5:]], "given.vec, line 5: "),
        (lambda lines: [*lines[:4], lines[4].rsplit(" ", 1)[0] + "\n", *lines[5:]], "line 5: .* 7 values instead of 8"),
        (lambda lines: [*lines[:4], lines[4].rsplit(" ", 1)[0] + " nan\n", *lines[5:]], "line 5: .* not a finite"),
        (lambda lines: lines[:-3], "given.vec, line 1: the first line promises 219 words, 216 follow"),
    ],
    ids=["value", "values", "nan", "cut"],
)
def test_a_damaged_file_is_refused_with_its_line_before_training(damage, message):
    lines = Path("given.vec").read_text().splitlines(keepends=True)
    Path("given.vec").write_text("".join(damage(lines)))
    with pytest.raises(DataError, match=message):
        train(iter(()), init="given.vec")
    error_of(run("skipgram", "text.txt", "--dim", "8", "--init", "given.vec", "--quiet"), 1)
    assert not Path("text.vec").exists()
