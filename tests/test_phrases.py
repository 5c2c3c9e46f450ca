"""Phrases, replaced and dropped types: files, settings, and every way to a text."""

import json
from pathlib import Path

import numpy as np
import pytest

from embedtrain import (
    Corpus,
    DataError,
    EmbedtrainWarning,
    Phrases,
    RandomWalks,
    SettingError,
    cooccurrence_counts,
    find_phrases,
    train_glove,
    train_lsa,
    train_skipgram,
    train_svd,
)

QUICK = {"dim": 4, "epochs": 1, "min_count": 1, "threads": 1, "sample": 0}
LINES = ["the new york times is a paper", "in new york", "new cars", "the times of york", "cats and a cat"] * 4
PHRASES = "new york\nnew york times\ntimes of york\n"


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A text, phrases, replacements and words to drop."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("\n".join(LINES))
    (tmp_path / "phrases.txt").write_text(PHRASES)
    (tmp_path / "map.tsv").write_text("cats\tcat\ncars\tcar\nis\tbe\nbe\texist\n")
    (tmp_path / "drop.txt").write_text("the\na\n")
    return {"map": "map.tsv", "drop": "drop.txt", "phrases": "phrases.txt"}


#: The words of LINES after all of these, with their counts: `is` is replaced once, and phrases meet over dropped words.
EXPECTED = {
    "and": 4, "be": 4, "car": 4, "cat": 8, "in": 4, "new": 4, "new_york": 4, "new_york_times": 4, "paper": 4,
    "times_of_york": 4,
}  # fmt: skip


def counts_of(vectors):
    return dict(zip(vectors.words, vectors.counts.tolist(), strict=True))


@pytest.mark.parametrize("cache", [None, "cache"])
@pytest.mark.parametrize(
    "source", ["text.txt", LINES, [line.split() for line in LINES]], ids=["file", "lines", "lists"]
)
def test_types_are_replaced_and_dropped_and_then_phrases_joined(files, cache, source):
    for _ in range(2):  # the second time from the cache
        assert counts_of(cooccurrence_counts(source, min_count=1, cache=cache, **files)) == EXPECTED


def test_every_model_takes_them(files):
    for train in (train_skipgram, train_glove, train_svd, train_lsa):
        sample = {"sample": 0} if train is train_skipgram else {}
        vectors = train("text.txt", dim=2, min_count=1, threads=1, **sample, **files)
        assert counts_of(vectors) == EXPECTED
        assert {name: vectors.settings[name] for name in files} == files


def test_they_are_given_in_python_too(files):
    given = {
        "map": {"cats": "cat", "cars": "car", "is": "be"},
        "drop": {"the", "a"},
        "phrases": Phrases.load("phrases.txt"),
    }
    vectors = train_skipgram("text.txt", **QUICK, **given)
    assert counts_of(vectors) == EXPECTED
    assert [vectors.settings[name] for name in given] == ["3 in memory", "2 in memory", "3 in memory"]
    assert np.array_equal(vectors.vectors, train_skipgram("text.txt", **QUICK, **files).vectors)


def test_training_is_that_of_the_text_written_again(files):
    """Dropped words are no contexts, as words below `min_count` are not; phrases and lemmas are words."""
    found = Phrases.load("phrases.txt")
    lemmas = {"cats": "cat", "cars": "car", "is": "be"}
    lines = [[lemmas.get(word, word) for word in line.split() if word not in ("the", "a")] for line in LINES]
    again = train_skipgram([found.join(line) for line in lines], **QUICK)
    vectors = train_skipgram("text.txt", **QUICK, map=files["map"], phrases=files["phrases"])
    assert counts_of(again) == EXPECTED
    assert counts_of(vectors) == {**EXPECTED, "the": 8, "a": 8}


def test_held_out_text_and_known_vocabularies_are_rewritten_too(files):
    train_skipgram("text.txt", **QUICK, save_vocab="words", **files)
    vectors = train_skipgram(
        "text.txt", **QUICK, read_vocab="words", valid=["new york times is", "the cats in new york"], **files
    )
    assert counts_of(vectors) == EXPECTED
    assert np.isfinite(vectors.report.valid_losses).all()


def test_a_dropped_word_of_initial_vectors_is_not_trained(files):
    first = train_skipgram("text.txt", **QUICK)
    vectors = train_skipgram("text.txt", **QUICK, init=first, drop=["the", "a"])
    assert counts_of(vectors)["the"] == 0
    assert np.array_equal(vectors["the"], first["the"])
    assert not np.array_equal(vectors["york"], first["york"])


def test_runs_are_resumed_with_the_same_words(files, tmp_path):
    settings = {**QUICK, **files}
    whole = train_skipgram("text.txt", **{**settings, "epochs": 2})
    train_skipgram("text.txt", checkpoint="a.checkpoint", checkpoint_every=0, **settings)
    resumed = train_skipgram("text.txt", resume="a.checkpoint", **{**settings, "epochs": 2})
    assert resumed.words == whole.words
    (tmp_path / "drop.txt").write_text("the\n")
    with pytest.raises(DataError, match="cannot resume on another text"):
        train_skipgram("text.txt", resume="a.checkpoint", **{**settings, "epochs": 2})
    with pytest.raises(SettingError, match=r"drop is drop\.txt in the checkpoint and None here"):
        train_skipgram("text.txt", resume="a.checkpoint", **{**settings, "drop": None, "epochs": 2})


def test_a_text_of_dropped_words_is_refused():
    with pytest.raises(DataError, match="at least two different words"):
        train_skipgram(["the a the", "a the"], **QUICK, drop=["the", "a"])


def test_inflected_forms_get_the_vector_of_their_lemma():
    """Forms of ten lemmas: one vector each, with all their counts, the same as of a lemmatised text."""
    rng = np.random.default_rng(0)
    forms = {f"v{verb}{ending}": f"v{verb}" for verb in range(10) for ending in ("", "s", "ed", "ing")}
    lines = [["i", rng.choice(list(forms)), f"o{rng.integers(20)}"] for _ in range(400)]
    settings = {**QUICK, "epochs": 3}
    vectors = train_skipgram(lines, **settings, map=forms)
    lemmatised = train_skipgram([[forms.get(word, word) for word in line] for line in lines], **settings)
    assert len(vectors) == 1 + 10 + 20
    assert counts_of(vectors) == counts_of(lemmatised)
    assert vectors.vectors.tobytes() == lemmatised.vectors.tobytes()


@pytest.mark.parametrize("text", ["records.jsonl", [["the", "new", "york"]] * 3], ids=["JSON lines", "lists"])
def test_phrases_of_other_sources(files, tmp_path, text):
    (tmp_path / "records.jsonl").write_text("\n".join([json.dumps({"text": "the new york"})] * 3))
    assert counts_of(train_skipgram(text, **QUICK, phrases="phrases.txt")) == {"new_york": 3, "the": 3}
    corpus = Corpus(["the|new|york"] * 3, tokenize=lambda line: line.split("|"))
    assert counts_of(train_skipgram(corpus, **QUICK, phrases="phrases.txt")) == {"new_york": 3, "the": 3}


def test_a_graph_has_no_words_to_replace():
    for name, value in (("map", {"a": "b"}), ("drop", ["a"]), ("phrases", Phrases({("a", "b"): (1.0, 1)}))):
        with pytest.raises(SettingError, match="a graph has nodes"):
            train_skipgram(RandomWalks([("a", "b"), ("b", "c")]), dim=2, **{name: value})


# --- Phrases ----------------------------------------------------------------------------------------------------------


def test_phrases_are_found_saved_and_found_again_in_the_joined_text(tmp_path):
    rng = np.random.default_rng(1)
    planted = ["new york times", "bank of america", *(f"w{i}" for i in range(60))]
    text = [" ".join(rng.choice(planted, 10)) for _ in range(200)]
    found = find_phrases(text, passes=2, connectors="english")
    assert set(found.scores) == {"new_york", "york_times", "bank_of_america", "new_york_times"}
    assert (
        found.join("the new york times of bank of america".split()) == "the new_york_times of bank_of_america".split()
    )
    found.save(tmp_path / "found.txt")
    again = Phrases.load(tmp_path / "found.txt")
    assert again.passes == found.passes
    assert len(again) == len(found) == 4
    following = find_phrases(text, connectors="english", phrases=Phrases(found.passes[0]))
    assert following.passes == found.passes


def test_words_of_a_phrase_with_spaces_cannot_be_saved(tmp_path):
    with pytest.raises(DataError, match="holds a space, which this file cannot"):
        Phrases({("new york", "times"): (1.0, 1)}).save(tmp_path / "x")


NONE = Phrases({("The", "Cat"): (1.0, 1)})
BROKEN = {
    "another delimiter": ("new_york\t3.5\t7\t1\n", "line 1: expected two to 10 words with spaces between"),
    "commas": ("new york,3.5,7,1\nnew,york\n", "line 2: expected two to 10 words"),
    "a number missing": ("new york\t3.5\t7\n", "line 1: expected two to 10 words"),
    "no number": ("new york\t3.5\tmany\t1\n", "line 1: expected two to 10 words"),
    "pass 0": ("new york\t3.5\t3\t0\n", "line 1: expected two to 10 words"),
    "two spaces": ("new  york\n", "line 1: expected two to 10 words"),
    "a text": ("a line of a text has more words than any phrase has\n", "line 1: expected two to 10 words"),
    "nothing": ("", "holds no words: it is empty"),
    "blank lines alone": ("\n \n", "holds no words: it is empty or blank"),
    "Latin 1": (b"caf\xe9 noir\n", "is not UTF-8"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_of_phrases_is_refused(tmp_path, name):
    text, message = BROKEN[name]
    (tmp_path / "phrases.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError) as error:
        Phrases.load(tmp_path / "phrases.txt")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_blank_lines_are_skipped(files):
    expected = counts_of(cooccurrence_counts(LINES, min_count=1, **files))
    for path in files.values():
        Path(path).write_text("\n" + Path(path).read_text() + " \n\n")
    assert counts_of(cooccurrence_counts(LINES, min_count=1, **files)) == expected == EXPECTED


def test_a_text_is_not_joined_letter_by_letter():
    with pytest.raises(DataError, match=r"join takes a list of tokens, got the str 'new york'; divide it, as by split"):
        Phrases({("new", "york"): (1.0, 1)}).join("new york")


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"map": {"Cat": "dog"}}, "map"),
        ({"drop": ["The"]}, "drop"),
        ({"map": {"cat": "dog"}, "drop": ["cat"]}, "drop"),  # types are dropped after they are replaced
        ({"phrases": NONE}, "phrases"),
    ],
)
def test_a_list_without_effect_is_noted(options, name):
    with pytest.warns(EmbedtrainWarning, match=f"no .* of {name} occurs in the text; check case and spelling"):
        cooccurrence_counts(["the cat sat on the mat"] * 20, **options)


def test_a_replacement_can_be_dropped(recwarn):
    vocabulary = cooccurrence_counts(["the cat sat"] * 20, map={"cat": "dog"}, drop=["dog"]).words
    assert sorted(vocabulary) == ["sat", "the"]
    assert not [str(warning.message) for warning in recwarn if "occurs in the text" in str(warning.message)]


BROKEN_MAPS = {
    "a space": ("cats cat\n", "line 1: expected a type, a tab and the word that replaces it, got 'cats cat'"),
    "nothing after the tab": ("cats\t\n", "line 1: expected a type"),
    "two words": ("dont\tdo not\n", "line 1: expected a type"),
    "three columns": ("cats\tcat\t4\n", "line 1: expected a type"),
    "two replacements": ("cats\tcat\ndogs\tdog\ncats\tkitten\n", "line 3: 'cats' is replaced by 'cat' before"),
    "nothing": ("", "it is empty"),
}


@pytest.mark.parametrize("name", BROKEN_MAPS)
def test_a_broken_file_of_replacements_is_refused(tmp_path, name):
    text, message = BROKEN_MAPS[name]
    (tmp_path / "map.tsv").write_text(text)
    with pytest.raises(DataError) as error:
        train_skipgram(LINES, map=tmp_path / "map.tsv")
    assert message in str(error.value)


def test_each_type_is_replaced_once():
    """Chains are not followed, and a cycle exchanges two words."""
    vectors = train_skipgram(["a b c"] * 3 + ["a"], **QUICK, map={"a": "b", "b": "a", "c": "d", "d": "e"})
    assert counts_of(vectors) == {"b": 4, "a": 3, "d": 3}


def test_settings_of_phrases_are_checked():
    for settings, message in (
        ({"threshold": -2}, "threshold must be at least -1, got -2"),
        ({"scoring": "pmi"}, "scoring must be 'default' or 'npmi'"),
        ({"passes": 0}, "passes must be a whole number of at least 1"),
    ):
        with pytest.raises(SettingError, match=message):
            find_phrases(LINES, **settings)
