"""Training: settings, corpora, callbacks and interruptions, shown with skip-gram."""

import itertools
import math
import threading
from pathlib import Path

import generate
import numpy as np
import pytest

from embedtrain import Corpus, DataError, Interrupted, SettingError, TrainingError, WordVectors, train_skipgram
from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.encoding import encode
from embedtrain.training import text_checks

SAMPLE = Path(generate.__file__).parent / "toy.txt"


def small(corpus, **settings):
    return train_skipgram(
        corpus, **{"dim": 8, "epochs": 1, "min_count": 1, "threads": 1, "progress": False, **settings}
    )


def sentences(n_tokens=3000, seed=3):
    return list(generate.sentences(n_tokens, seed))


# --- What is learnt ---------------------------------------------------------------------------------------------------


def test_sample_is_what_its_generator_makes():
    lines = [" ".join(sentence) for sentence in generate.sentences(300_000, 1)]
    assert SAMPLE.read_bytes() == ("\n".join(lines) + "\n").encode()


def test_the_questions_beside_the_sample_are_those_that_are_planted():
    lines = SAMPLE.with_name("toy-questions.txt").read_text().splitlines()
    assert [line.removeprefix(": ") for line in lines if line.startswith(":")] == list(generate.PAIRS)
    assert [tuple(line.split()) for line in lines if not line.startswith(":")] == list(generate.analogies())


def test_short_sentences_train_like_long_ones():
    """A block spans sentences, and windows still end at their borders: neighbours never cross them."""
    pairs = [["a", "b"], ["c", "d"]] * 4000
    vectors = small(pairs, sample=0, epochs=3, dim=4)
    scores = vectors.vectors @ vectors.context_vectors.T
    index = vectors.index
    assert scores[index["a"], index["b"]] > scores[index["a"], index["d"]] + 1
    assert scores[index["c"], index["d"]] > scores[index["c"], index["b"]] + 1


def test_sequences_of_ids_train_like_the_text_that_they_encode():
    """Ids need not come from text: arrays in memory give the same vectors, with every setting of text."""
    text = sentences()
    found = encode(text, threads=1)
    encoded = EncodedCorpus(np.array(found.ids), np.array(found.offsets), found.vocabulary)
    for settings in ({}, {"min_count": 3, "max_vocab": 20, "sample": 1e-2}, {"valid_share": 0.1}):
        expected, vectors = small(text, **settings), small(Corpus(encoded), **settings)
        assert list(vectors.words) == list(expected.words)
        assert vectors.vectors.tobytes() == expected.vectors.tobytes()


# --- Settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dim": 0}, "dim must be a whole number of at least 1, got 0"),
        ({"dim": 2.5}, "dim must be a whole number of at least 1, got 2.5"),
        ({"window": 0}, "window must be"),
        ({"window_mode": "half"}, "window_mode must be 'dynamic' or 'fixed', got 'half'"),
        ({"negative": 0}, "negative must be"),
        ({"epochs": 0}, "epochs must be"),
        ({"min_count": 0}, "min_count must be"),
        ({"seed": -1}, "seed must be"),
        ({"sample": 1.5}, "sample must be between 0"),
        ({"sample": math.nan}, "sample must be between 0"),
        ({"lr": 0}, "lr must be above 0 and at most 1000, got 0"),
        ({"lr": math.nan}, "lr must be above 0 and at most 1000, got nan"),
        ({"lr": 1e40}, "above 0 and at most 1000, got 1e"),
        ({"threads": 1.5}, "threads must be a whole number"),
        ({"noise_exponent": math.inf}, "noise_exponent must be between -100 and 100, got inf"),
        ({"seed": 99_999_999_999}, "seed must be a whole number between 0 and 2147483647, got 99999999999; any other"),
        ({"epochs": 2**31}, "epochs must be a whole number between 1 and 2147483647, got 2147483648"),
        ({"threads": 1025}, "threads must be a whole number between 0 and 1024, got 1025; 0 uses all"),
        ({"threads": -1}, "threads must be a whole number of at least 0, got -1; 0 uses all"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(change, message):
    with pytest.raises(SettingError, match=message):
        small(sentences(100), **change)


def test_wide_windows_and_wide_vectors():
    vectors = small(sentences(400), window=60, dim=333)
    assert vectors.vectors.shape[1] == 333
    assert np.isfinite(vectors.vectors).all()


def test_report_counts_what_was_done():
    report = small(sentences(3000), min_count=2, sample=0).report
    corpus = sentences(3000)
    counts = {}
    for word in itertools.chain.from_iterable(corpus):
        counts[word] = counts.get(word, 0) + 1
    frequent = [count for count in counts.values() if count >= 2]
    assert (report.tokens, report.types) == (sum(counts.values()), len(counts))
    assert (report.words, report.covered) == (len(frequent), sum(frequent))
    assert report.kept_share == pytest.approx(1)
    assert report.speed > 0
    assert set(report.seconds) == {"prepare", "read", "train"}


# --- Input and errors -------------------------------------------------------------------------------------------------


def test_generators_are_read_once():
    corpus = sentences(1000)
    assert (small(iter(corpus)).vectors == small(corpus).vectors).all()
    lines = (" ".join(sentence) for sentence in corpus)
    assert (small(lines).vectors == small(corpus).vectors).all()


def test_used_up_generator():
    lines = iter(["a b", "b a"])
    assert list(lines)
    with pytest.raises(DataError, match="used up before"):
        small(lines)


@pytest.mark.parametrize("corpus", ["one word a line".split(), [["a"], ["b"]] * 9], ids=["tokens as lines", "one word"])
def test_no_sentence_with_two_words(corpus):
    with pytest.raises(DataError, match=r"nothing to learn from: .* one in each; .*a list of str is lines, not tokens"):
        small(corpus, sample=0)


FIVE = [
    "the quick brown fox jumps over the lazy dog", "machine learning is fun and powerful",
    "word embeddings are a type of word representation", "the cat sat on the mat",
    "deep learning is a subset of machine learning",
]  # fmt: skip


def test_a_run_whose_epochs_mostly_have_no_pair_has_not_learned(tmp_path, monkeypatch):
    monkeypatch.setattr(text_checks, "_has_pairs", lambda *_: True)  # else it is refused before
    message = (
        r"nothing was learned: \d\d of 100 epochs had no pair of words; sample=0.0001 removes 9\d% of the tokens; "
        "for small text use sample=0$"
    )
    with pytest.raises(TrainingError, match=message):
        small(FIVE, epochs=100, sample=1e-4, checkpoint=tmp_path / "run.checkpoint")
    assert list(tmp_path.iterdir()) == []


def test_a_run_with_some_epochs_without_pairs_has_the_losses_of_the_others(monkeypatch):
    monkeypatch.setattr(text_checks, "_has_pairs", lambda *_: True)
    vectors = small(FIVE, epochs=100, sample=1e-3)
    losses = np.array(vectors.report.losses)
    assert 0 < np.isnan(losses).sum() < 20
    first, last = losses[np.isfinite(losses)][[0, -1]]
    assert f"loss {first:.4g} → {last:.4g} a pair" in str(vectors.report)


def test_training_that_changes_no_vector_is_an_error():
    with pytest.raises(TrainingError, match="did not change the vectors, with lr=1e-20 and epochs=2; raise them"):
        small(FIVE, epochs=2, sample=0, lr=1e-20)


def test_numbers_of_numpy_are_numbers():
    corpus = sentences(500)
    settings = {"dim": np.uint8(8), "window": np.uint64(5), "lr": np.float32(0.025), "threads": np.int64(1)}
    assert small(corpus, **settings).vectors == pytest.approx(small(corpus).vectors, abs=1e-6)


def test_iterables_stay_in_the_calling_thread():
    def lines():
        for sentence in sentences(500):
            seen.add(threading.get_ident())
            yield sentence

    seen = set()
    small(lines(), threads=2)
    assert seen == {threading.get_ident()}


def test_text_where_a_path_is_meant():
    with pytest.raises(DataError, match="no such file; a str is a path"):
        small("the quick brown fox")


def test_tables_that_do_not_fit_are_refused_with_the_numbers(monkeypatch):
    monkeypatch.setattr("embedtrain.machine.memory.available_memory", lambda: 1000)
    with pytest.raises(SettingError, match=r"two tables of .* need .* of memory, 1.0 kB are free; raise min_count"):
        small(sentences(100))


# --- Callbacks and interruption ---------------------------------------------------------------------------------------


def test_callback_sees_every_epoch_and_may_stop():
    seen = []

    def callback(epoch):
        seen.append((epoch.number, epoch.epochs, epoch.loss, epoch.lr, len(epoch.vectors)))
        return epoch.number == 2

    result = small(sentences(), epochs=4, callback=callback)
    assert [entry[:2] for entry in seen] == [(1, 4), (2, 4)]
    assert [entry[2] for entry in seen] == result.report.losses
    assert [entry[3] for entry in seen] == pytest.approx([0.025 * 3 / 4, 0.025 / 2])
    assert seen[0][4] == len(result)


@pytest.mark.parametrize("threads", [1, 2])
def test_interruption_carries_the_vectors(threads):
    def interrupt(epoch):
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as interruption:
        small(sentences(), epochs=3, threads=threads, callback=interrupt)
    assert isinstance(interruption.value, KeyboardInterrupt)
    assert isinstance(interruption.value.vectors, WordVectors)
    assert np.abs(interruption.value.vectors.context_vectors).max() > 0
    assert len(interruption.value.vectors.report.losses) == 1


def test_interruption_after_the_last_epoch_loses_nothing_either(monkeypatch):
    def interrupt(values):
        raise KeyboardInterrupt

    monkeypatch.setattr("embedtrain.training.run.all_finite", interrupt)
    with pytest.raises(Interrupted) as interruption:
        small(sentences())
    assert np.abs(interruption.value.vectors.context_vectors).max() > 0
