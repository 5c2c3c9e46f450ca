"""The loss on text that is held out: what it is, that nothing is learnt from it, and patience with it."""

import itertools
import math
from contextlib import contextmanager
from pathlib import Path

import generate
import naive
import numpy as np
import pytest
from commands import error_of, run
from runs import SETTINGS, TOY, lines_of, train_small
from text_files import refused

from embedtrain import Corpus, DataError, SettingError
from embedtrain.corpus.encoding import encode
from embedtrain.models.skipgram import SkipGram
from embedtrain.models.word2vec_model import Word2vecModel, _random_key
from embedtrain.training.chunk_schedule import LARGEST_CHUNK, plan_chunks
from embedtrain.training.loop import evaluate
from embedtrain.training.tables import EmbeddingTable
from embedtrain.training.text_data import TextData

TEXT = list(generate.sentences(3000, 3))
OTHER = list(generate.sentences(800, 4))


def train(corpus=TEXT, **settings):
    return train_small(corpus, **settings)


@contextmanager
def model_and_held_out(tmp_path, share=0.3, n_threads=1, **settings):
    """A model with random tables, its settings, and held-out text."""
    usual = {
        "dim": 6, "window": 4, "window_mode": "dynamic", "negative": 5, "hs": False, "noise_exponent": 0.75,
        "sample": 1e-2, "min_count": 2, "max_vocab": None, "valid_share": share, "epochs": 3, "lr": 0.025, "seed": 7,
    }  # fmt: skip
    chosen = SkipGram(**{**usual, **settings})
    whole = encode(TEXT, threads=1, folder=tmp_path)
    training, held_out = whole.split(share, chosen.seed, tmp_path)
    vocabulary = whole.vocabulary.cut(2)
    texts = TextData(whole, training, held_out, vocabulary, vocabulary.n_tokens, 1.0, 0)
    model = Word2vecModel(texts, chosen, np.zeros(0, np.uint8), n_threads)
    rng = np.random.default_rng(5)
    for table in (model.words, model.contexts):
        table.rows[:] = rng.normal(0, 0.4, table.rows.shape)
    yield model, chosen, held_out


def plain_loss(model, settings, text):
    """The mean loss a pair, one pair after the other."""
    W, C = model.words.rows.astype(np.float64), model.contexts.rows.astype(np.float64)
    key = int(_random_key(settings.seed, settings.epochs))
    loss, pairs = 0.0, 0
    for chunk in plan_chunks(len(text.ids), settings.epochs, settings.epochs, 0, LARGEST_CHUNK):
        for block in naive.draw_blocks(
            naive.centres(text.ids, text.offsets, chunk.begin, chunk.end, model._keep_thresholds, key),
            model._alias_table,
            window=settings.window,
            dynamic=settings.window_mode == "dynamic",
            n_noise=model._config.n_noise,
            block=model._config.n_centres,
            state=int(_random_key(settings.seed, settings.epochs, chunk.number)),
        ):
            loss += sum(naive.logistic_loss(W, C, *tile) for tile in naive.skipgram_tiles(block, settings.negative))
            pairs += sum(map(len, block.contexts))
    return loss / pairs


# --- The loss ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{}, {"window_mode": "fixed"}, {"sample": 0, "negative": 2}], ids=str)
def test_held_out_loss_is_that_of_the_plain_form(tmp_path, change):
    with model_and_held_out(tmp_path, **change) as (model, settings, text):
        loss = evaluate([model.worker(0, text)], len(text.ids), epochs=settings.epochs)
        assert loss == pytest.approx(plain_loss(model, settings, text), rel=1e-5)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_held_out_loss_is_the_same_every_time_and_moves_no_byte(tmp_path, n_threads):
    with model_and_held_out(tmp_path, n_threads=n_threads) as (model, _, text):
        before = model.words.flat.tobytes(), model.contexts.flat.tobytes()
        one = [model.worker(0, text)]
        first, second = (evaluate(one, len(text.ids), epochs=3) for _ in range(2))
        several = evaluate([model.worker(thread, text) for thread in range(n_threads)], len(text.ids), epochs=3)
        assert first == second
        assert several == pytest.approx(first, rel=1e-6)
        assert (model.words.flat.tobytes(), model.contexts.flat.tobytes()) == before


def test_held_out_loss_falls_and_stays_near_that_of_the_same_source():
    report = train(TOY, dim=20, epochs=4, threads=2, valid_share=0.05).report
    assert all(later < earlier for earlier, later in itertools.pairwise(report.valid_losses))
    assert report.valid_losses[-1] == pytest.approx(report.losses[-1], rel=0.05)
    assert report.valid_losses[-1] < 0.8 * 6 * math.log(2)


def test_report_and_callback_tell_the_same_losses():
    seen = []
    report = train(epochs=3, valid=OTHER, callback=lambda epoch: seen.append((epoch.loss, epoch.valid_loss))).report
    assert seen == list(zip(report.losses, report.valid_losses, strict=True))
    assert report.seconds["valid"] > 0
    seen.clear()
    report = train(callback=lambda epoch: seen.append(epoch.valid_loss)).report
    assert seen == [None, None]
    assert "valid" not in report.seconds


# --- Which text -------------------------------------------------------------------------------------------------------


def test_held_out_text_is_a_path_a_corpus_lines_or_tokens(tmp_path):
    path, field = tmp_path / "other.txt", tmp_path / "other.jsonl"
    lines = [" ".join(words) for words in OTHER]
    path.write_text("\n".join(lines))
    field.write_text("".join(f'{{"body": "{line.upper()}"}}\n' for line in lines))
    forms = [path, str(path), Corpus(path), lines, OTHER, iter(OTHER), Corpus(field, field="body", lowercase=True)]
    losses = [train(valid=valid).report.valid_losses for valid in forms]
    assert losses == [losses[0]] * len(forms)


def test_held_out_text_is_read_as_the_corpus_is(tmp_path):
    for name, text in (("text", TEXT), ("other", OTHER)):
        (tmp_path / f"{name}.txt").write_text("".join(" ".join(words).upper() + "\n" for words in text))
    upper = train(Corpus(tmp_path / "text.txt", lowercase=True), valid=tmp_path / "other.txt")
    assert upper.report.valid_losses == train(valid=OTHER).report.valid_losses


def test_words_without_vectors_are_left_out_of_held_out_text():
    words = set(itertools.chain.from_iterable(TEXT))
    strange = [[*itertools.chain.from_iterable((word, "unheard-of") for word in sentence)] for sentence in OTHER]
    assert "unheard-of" not in words
    assert train(valid=strange).report.valid_losses == train(valid=OTHER).report.valid_losses


def test_held_out_sentences_are_not_trained_on(tmp_path):
    whole = encode(TEXT, threads=1, folder=tmp_path)
    training, held_out = whole.split(0.3, 7, tmp_path)
    learnt, only_held_out = np.unique(training.ids), np.setdiff1d(held_out.ids, training.ids)
    n_tokens = len(training.ids)
    assert len(only_held_out) > 20
    vectors = train(valid_share=0.3, seed=7, sample=0)
    start = EmbeddingTable.uniform(len(vectors), 8, seed=7).rows
    assert vectors.vectors[only_held_out].tobytes() == start[only_held_out].tobytes()
    assert (vectors.vectors[learnt] != start[learnt]).any(axis=1).all()
    assert n_tokens < 0.8 * vectors.report.tokens


def test_a_share_keeps_the_whole_vocabulary_with_its_counts():
    part, whole = train(valid_share=0.3), train()
    assert list(part.words) == list(whole.words)
    assert part.counts.tolist() == whole.counts.tolist()
    assert (part.report.tokens, part.report.covered) == (whole.report.tokens, whole.report.covered)
    assert part.report.kept_share == pytest.approx(whole.report.kept_share, rel=0.05)


def test_a_file_that_is_also_trained_on_is_noted(tmp_path, recwarn):
    (tmp_path / "folder").mkdir()
    path, other = tmp_path / "text.txt", tmp_path / "folder" / ".." / "text.txt"
    path.write_text(lines_of(TEXT))
    train(path, valid=other)
    (note,) = [str(warning.message) for warning in recwarn]
    assert note == f"{other} is also trained on: the loss on it is not a held-out loss"
    recwarn.clear()
    (tmp_path / "copy.txt").write_bytes(path.read_bytes())
    train(path, valid=tmp_path / "copy.txt")
    assert len(recwarn) == 0


@pytest.mark.parametrize(
    ("corpus", "settings", "error", "message"),
    [
        ("-", {"valid": "-"}, SettingError, "standard input can be read once only$"),
        (TEXT, {"valid": ["nothing known"]}, DataError, r"holds none of the \d+ words of the vocabulary"),
        (TEXT, {"valid": []}, DataError, "the corpus holds no words"),
        (TEXT, {"valid": "missing.txt"}, DataError, "cannot read missing.txt: no such file"),
        (TEXT, {"valid": 5}, SettingError, "valid must be a path, iterable or Corpus, got int"),
        (TEXT, {"valid": OTHER, "valid_share": 0.1}, SettingError, "both give held-out text; leave one of them out"),
        ([["a", "b"]], {"valid_share": 0.1}, DataError, r"too small to hold out 10\.00% of its sentences; name other"),
        (TEXT, {"valid_share": 1e-9}, DataError, "too small to hold out"),
        (TEXT, {"patience": 2}, SettingError, "patience needs held-out text: name it with valid, or take it"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_in_a_line(tmp_path, monkeypatch, corpus, settings, error, message):
    monkeypatch.chdir(tmp_path)
    with refused(message, error):
        train(corpus, **settings)


# --- Patience ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patience", "losses", "n_epochs"),
    [(1, [3, 2, 2.5], 3), (1, [3, 4], 2), (1, [3, 3], 2), (2, [3, 2, 2.5, 2], 4), (2, [3, 2, 2.5, 1.9, 2, 2], 6),
     (3, [3, 4, 4, 2, 5, 5, 1], 7), (3, [7, 6, 5, 4, 3, 2, 1], 7), (9, [1, 2, 3, 4, 5, 6, 7], 7),
     (None, [0, 1, 2, 3, 4, 5, 6], 7)],
    ids=str,
)  # fmt: skip
def test_patience_ends_after_so_many_epochs_without_a_new_best(monkeypatch, patience, losses, n_epochs):
    told = iter([*losses, *[0.0] * 9])
    monkeypatch.setattr("embedtrain.training.run.evaluate", lambda *_, **__: next(told))
    seen = []
    report = train(epochs=7, valid=OTHER, patience=patience, callback=lambda epoch: seen.append(epoch.number)).report
    assert report.valid_losses == losses[:n_epochs]
    assert (len(report.losses), seen) == (n_epochs, list(range(1, n_epochs + 1)))


# --- The command ------------------------------------------------------------------------------------------------------


def test_held_out_text_without_pairs_is_noted_once_and_stops_nothing(recwarn):
    report = train(epochs=4, valid=[[word] for word in TEXT[0]], patience=1).report
    assert np.isnan(report.valid_losses).tolist() == [True] * 4
    assert [str(note.message) for note in recwarn] == [
        "the held-out text has no loss: no sentence of it keeps two words"
    ]
    assert "nan" not in str(report)


def test_the_command_tells_the_held_out_loss(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(lines_of(TEXT))
    Path("other.txt").write_text(lines_of(OTHER))
    first, last = train(valid=OTHER).report.valid_losses
    result = run("skipgram", "text.txt", *SETTINGS, "--valid", "other.txt")
    assert result.exit_code == 0, result.output
    assert f"held out {first:.3f} → {last:.3f}" in result.stderr
    assert "valid 0.0 s" in result.stderr
    error_of(run("skipgram", "text.txt", *SETTINGS, "--valid-share", "0.7"), 2)
