"""Notes on a text that is not divided as meant, and errors where nothing is left to learn from: each threshold."""

import warnings
from dataclasses import replace

import generate
import numpy as np
import pytest
from commands import error_of, run
from text_files import refused

from embedtrain import Corpus, cooccurrence, train_glove, train_skipgram
from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.encoding import encode
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.models.skipgram import SkipGram
from embedtrain.training import text_checks

SMALL = {"dim": 4, "epochs": 1, "threads": 1, "progress": False}
TUTORIAL = [
    ["this", "is", "the", "first", "sentence", "for", "word2vec"],
    ["this", "is", "the", "second", "sentence"],
    ["yet", "another", "sentence"],
    ["one", "more", "sentence"],
    ["and", "the", "final", "sentence"],
]


def notes_of(corpus, **settings):
    """The notes on a text, of which every word is kept."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        train_skipgram(corpus, **{**SMALL, "min_count": 1, "sample": 0, **settings})
    return [str(warning.message) for warning in seen]


def repeated(*parts):
    """A line with each text so many times."""
    return [" ".join(text for text, n in parts for _ in range(n))]


CLEAN = {
    "toy corpus": list(generate.sentences(3000)),
    "items": [[f"{n % 7}{n % 13}A" for n in range(at, at + 9)] for at in range(90)],
    "tokenised": ["Sam 's hat , he said , is n't `` red '' ( in the U.S. of A ) and so on . ..."],
    "Chinese words": ["我 爱 北京 天安门 北京 是 中国 的 首都 。"],
    "Thai words": ["สวัสดี ชาวโลก ภาษา ไทย"],
    "Korean": ["나는 사과를 먹는다 나는 배를 먹는다"],
    "long links": ["https://example.org/" + "a" * 90 + " more words"],
}


@pytest.mark.parametrize("corpus", CLEAN.values(), ids=CLEAN)
def test_a_clean_text_has_no_notes(corpus):
    assert notes_of(corpus) == []


@pytest.mark.parametrize("word", ["king,", "King.", "king?!", "(king", '"king"', "[1]", "König;"])
def test_punctuation_at_words_is_noted_above_a_share(word):
    assert notes_of(repeated((word, 5), ("a", 50), ("b", 45))) == []
    (note,) = notes_of(repeated((word, 6), ("a", 50), ("b", 44)))
    assert note == f"of the tokens, 6% have punctuation attached, as in {word!r}; use tokenize='words'"


@pytest.mark.parametrize(
    "token", [",", '"', "...", "'s", "--", "``", "'tis", "a,b", "1.5", "C++", "@user", "#tag", "-", "don't"]
)
def test_marks_by_themselves_or_within_a_word_are_no_sign(token):
    assert notes_of(repeated((token, 50), ("a", 50))) == []


def test_capitals_of_words_that_occur_in_lower_case_are_noted_above_a_share():
    assert notes_of(repeated(("The", 2), ("the", 50), ("a", 48))) == []
    (note,) = notes_of(repeated(("The", 3), ("the", 50), ("a", 47)))
    assert note.endswith("3% are words that also occur in lower case, as 'The'; use lowercase=True")
    assert notes_of(repeated(("Paris", 50), ("NATO", 40), ("a", 10))) == []


def test_raw_text_names_both_remedies():
    (note,) = notes_of(["The king, it was said, left. the king is old. The end."])
    assert note.endswith("; use tokenize='words' and lowercase=True")
    raw = ["The king, it was said, left. the king is old. The end."]
    assert notes_of(Corpus(raw, lowercase=True))[0].endswith("use tokenize='words'")
    (note,) = notes_of(Corpus(raw, tokenize="words"))
    assert note.endswith("as 'The'; use lowercase=True")
    assert notes_of(Corpus(raw, tokenize="words", lowercase=True)) == []
    assert notes_of(Corpus(raw, tokenize=str.split)) == [], "tokenised as wished"


@pytest.mark.parametrize("character", ["猫", "ね", "ネ", "ก", "ລ", "ក", "က"])
def test_long_tokens_in_a_script_without_spaces_are_noted(character):
    assert notes_of(repeated((character * 8, 50), ("a", 50))) == []
    (note,) = notes_of(repeated((character * 9, 50), ("a", 50)))
    assert note.startswith("tokens have 9 characters in the mean, in a script without spaces between words")
    assert "tokenize='module:function'" in note
    assert "tokenize='words'" in note
    assert notes_of(repeated((character * 9, 1), ("a" * 108, 1))) == [], "it is a fifth of the text"
    assert len(notes_of(repeated((character * 9, 1), ("a" * 107, 1)))) == 1


def test_sentences_of_one_token_are_noted_above_a_share():
    assert notes_of([["b", "c"]] * 10 + [["a"]] * 90) == []
    (note,) = notes_of([["b", "c"]] * 9 + [["a"]] * 91)
    assert note.startswith("91% of the 100 sentences have one token, from which nothing is learned; write tokens that")


def test_items_that_were_encoded_elsewhere_have_no_notes_on_spelling():
    ids, offsets = np.tile(np.array([0, 1], np.int32), 9), np.arange(0, 19, 2)
    encoded = EncodedCorpus(ids, offsets, Vocabulary(["king,", "The."], np.array([9, 9])))
    assert notes_of(encoded) == []


# --- Coverage ---------------------------------------------------------------------------------------------------------

EIGHTY = [*repeated(("a", 40), ("b", 40)), " ".join(f"c{n}" for n in range(20))]


def test_low_coverage_is_noted_with_its_cause(tmp_path):
    assert notes_of(EIGHTY, min_count=2) == []
    more = [*EIGHTY, "more"]
    cover = "the 2 words of the vocabulary cover 79.2% of the 101 tokens; "
    assert notes_of(more, min_count=2) == [f"{cover}lower min_count=2"]
    assert notes_of(more, max_vocab=2) == [f"{cover}raise max_vocab=2"]
    (tmp_path / "words").write_text("a 40\nb 40\n")
    tokenised = "were they tokenised alike, with the same tokenize, lowercase and normalize?"
    assert notes_of(more, read_vocab=tmp_path / "words") == [cover + tokenised]
    with pytest.warns(UserWarning, match="cover 79.2%"):
        train_glove(more, dim=4, min_count=2, progress=False)
    with pytest.warns(UserWarning, match="cover 79.2%"):
        cooccurrence(more, min_count=2, progress=False)


# --- Nothing to learn -------------------------------------------------------------------------------------------------


def test_the_sentences_of_the_tutorial_say_what_is_wrong():
    with refused("nothing to learn from: sample=0.001 removes 87% of the tokens: 22 tokens in 5 sentences; "
                 "for small text use sample=0"):  # fmt: skip
        train_skipgram(TUTORIAL, min_count=1, epochs=100, progress=False)
    with refused("only one word occurs 5 times or more: the corpus has 22 tokens of 14 types"):
        train_skipgram(TUTORIAL, epochs=100, progress=False)
    assert notes_of(TUTORIAL, epochs=100) == []


def test_little_text_is_noted(little_text):
    little_text()
    (note,) = notes_of(TUTORIAL, epochs=63)  # fewer than 100 tokens for each of 14 words
    assert note == (
        "22 tokens in 63 epochs are few, and vectors stay close to their random start; "
        "take more text, or raise epochs=63"
    )
    (note,) = notes_of(TUTORIAL, epochs=63, init=train_skipgram(TUTORIAL, **SMALL, min_count=1, sample=0))
    assert "stay close to those of init or their random start; take more text" in note
    assert notes_of(TUTORIAL, epochs=64) == []
    n_words = 20_000
    words = Vocabulary([f"w{i}" for i in range(n_words)], np.ones(n_words, np.int64))
    encoded = EncodedCorpus(np.arange(1000, dtype=np.int32), np.array([0, 1000]), words)
    settings = SkipGram(epochs=1000, sample=0)
    assert list(text_checks.check_pairs(settings, encoded.vocabulary, encoded)) == []
    assert len(list(text_checks.check_pairs(replace(settings, epochs=999), encoded.vocabulary, encoded))) == 1


def test_chinese_without_a_tokenizer_is_noted_before_it_is_refused():
    with pytest.warns(UserWarning, match="divide the text with a tokenizer"), refused("no word occurs 5 times or more"):
        train_skipgram(["我爱北京天安门广场" + chr(0x4E00 + n) for n in range(50)], progress=False)


def test_what_subsampling_removes_is_noted_above_a_share():
    (note,) = notes_of(TUTORIAL * 100, sample=1e-3)
    assert note == "sample=0.001 removes 87% of the tokens; for small text use sample=0"
    words = [[f"w{n}" for n in range(at, at + 10)] for at in range(0, 100, 10)] * 20
    assert notes_of(words, sample=3e-4) == [], "removes 0.797"
    assert len(notes_of(words, sample=2.9e-4)) == 1, "removes 0.801"


def test_few_pairs_are_enough_without_subsampling():
    assert notes_of([["two", "words"]]) == []
    assert notes_of([["two", "words"]], sample=1) == []


def test_ten_pairs_are_needed_where_subsampling_removes_most():
    lines = [["a", "b"], ["c", "d"]]  # a token is kept with probability 0.067, and a pair with 0.0045
    with refused("nothing to learn from: sample=0.001 removes 93% of the tokens"):
        notes_of(lines * 1100, sample=1e-3)
    assert len(notes_of(lines * 1200, sample=1e-3)) == 1


@pytest.mark.parametrize("train", [train_skipgram, train_glove, cooccurrence])
def test_sentences_without_two_words_are_refused_with_the_cause(train):
    lines = [["a", "b"]] * 3
    for corpus, settings, cause in [
        ([["a"], ["b"]] * 50, {}, "100 tokens in 100 sentences, one in each; write tokens that belong together on one"),
        ([["a", f"x{n}"] for n in range(9)] + [["b"]] * 5, {"min_count": 2},
         "no sentence has two of the 2 words that min_count=2 leaves: 23 tokens in 14 sentences"),
        ([["a", "c"], ["b", "d"]] * 9 + [["a"], ["b"]], {"max_vocab": 2}, "of the 2 words that max_vocab leaves"),
    ]:  # fmt: skip
        with refused(f"nothing to learn from: .*{cause}"):
            train(corpus, progress=False, **{"min_count": 1, **settings})
    assert train(lines, progress=False, min_count=1, **({"sample": 0} if train is train_skipgram else {})) is not None


@pytest.mark.parametrize("at_once", [2, 8, 64])
def test_pairs_are_counted_wherever_they_are(monkeypatch, at_once):
    monkeypatch.setattr(text_checks, "_AT_ONCE", at_once)
    for at in range(0, 30, 2):
        text = encode([["a"]] * at + [["b", "c"], ["a", "cut"]] + [["a"]] * (30 - at), threads=1)
        keep = np.ones(len(text.vocabulary) - 1)
        assert text_checks._has_pairs(text, keep, 1)
        assert not text_checks._has_pairs(text, keep, 2)


def test_the_command_line_names_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text("".join(" ".join(tokens) + "\n" for tokens in TUTORIAL))
    line = error_of(run("skipgram", "corpus.txt", "--min-count", "1"), 1)
    assert line.endswith("for small text use --sample 0")
    (tmp_path / "raw.txt").write_text("The king, he said, is the king.\n" * 9)
    done = run("vocab", "raw.txt")
    assert done.stderr.splitlines()[0].endswith("; use --tokenize words and --lowercase")
    assert run("vocab", "raw.txt", "--quiet").stderr == ""


def test_notes_come_with_a_cache_too(tmp_path):
    (tmp_path / "raw.txt").write_text("The king, he said, is the king.\n" * 9)
    first, second = (notes_of(tmp_path / "raw.txt", cache=tmp_path / "cache") for _ in range(2))
    assert first == second
    assert len(first) == 1
    assert len(encode(tmp_path / "raw.txt", threads=1).notes) == 0
