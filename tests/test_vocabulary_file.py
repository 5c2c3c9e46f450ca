"""Vocabulary files: what is written and read, and training with the words and counts of another text."""

import generate
import numpy as np
import pytest
from text_files import refused

from embedtrain import train_skipgram
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.corpus.vocabulary_file import read_vocabulary, read_words, words_of, write_vocabulary


@pytest.fixture
def path(tmp_path):
    return tmp_path / "words.vocab"


@pytest.fixture
def text(tmp_path):
    sentences = list(generate.sentences(600))
    path = tmp_path / "text.txt"
    path.write_text("".join(" ".join(tokens) + "\n" for tokens in sentences))
    return path


def train(corpus, **settings):
    defaults = {"dim": 8, "epochs": 1, "min_count": 1, "sample": 0, "threads": 1, "progress": False}
    return train_skipgram(corpus, **{**defaults, **settings})


def as_pairs(vocabulary):
    return list(zip(vocabulary.words, vocabulary.counts.tolist(), strict=True))


# --- Reading and writing ----------------------------------------------------------------------------------------------

WORDS = ["the", "é", "дом", "日本語", "كتاب", "नमस्ते", "ไทย", "🙂", "e\u0301", "\ufffd", "</s>", "#1", '"', "-5", "7"]


def test_what_is_written_is_read(path):
    vocabulary = Vocabulary(sorted(WORDS, key=str.encode), np.full(len(WORDS), 2**40))
    write_vocabulary(path, vocabulary)
    assert as_pairs(read_vocabulary(path)) == as_pairs(vocabulary)
    assert read_vocabulary(path).counts.dtype == np.int64


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_the_file_is_lines_of_a_word_and_its_count(path, monkeypatch, at_once):
    monkeypatch.setattr("embedtrain.corpus.vocabulary_file._AT_ONCE", at_once)
    write_vocabulary(path, Vocabulary(["the", "дом", "a"], np.array([10, 3, 3])))
    assert path.read_bytes() == "the 10\nдом 3\na 3\n".encode()


READ = {
    "by count, then by bytes": ("z 1\n\U00010000 5\n\uffff 5\nb 5\na 9\n", "a 9|b 5|\uffff 5|\U00010000 5|z 1"),
    "word2vec": ("</s> 0\nthe 500\nof 300\nand 20\nzzz 5\n", "the 500|of 300|and 20|zzz 5|</s> 0"),
    "GloVe, with ties in another order": ("the 500\nof 300\nzebra 5\napple 5", "the 500|of 300|apple 5|zebra 5"),
    "tabs and CRLF": ("the\t500\r\nof 300\r\n", "the 500|of 300"),
    "byte order mark": ("\ufeffthe 500\n\ufeffof 300\n", "the 500|\ufeffof 300"),
    "the largest counts": (f"a {2**62}\nb {2**62 - 1}\n", f"a {2**62}|b {2**62 - 1}"),
}


@pytest.mark.parametrize(("content", "wanted"), READ.values(), ids=READ)
def test_a_file_is_read(path, content, wanted):
    path.write_bytes(content.encode())
    vocabulary = read_vocabulary(path)
    assert "|".join(f"{word} {count}" for word, count in as_pairs(vocabulary)) == wanted
    assert vocabulary.n_tokens == sum(count for _, count in as_pairs(vocabulary))


@pytest.mark.clients
def test_gensim_reads_our_file(text, path):
    reason = "gensim, an optional dependency of the tests, is not installed"
    keyed_vectors = pytest.importorskip("gensim.models", reason=reason).KeyedVectors
    text.write_text(text.read_text() + "größe дом 日本語\n" * 3, encoding="utf-8")
    vectors = train(text, save_vocab=path, min_count=2)
    vectors.save(text.with_name("text.vec"))
    theirs = keyed_vectors.load_word2vec_format(text.with_name("text.vec"), fvocab=path)
    assert theirs.index_to_key == vectors.words
    assert [theirs.get_vecattr(word, "count") for word in vectors.words] == vectors.counts.tolist()
    assert theirs.get_vecattr("дом", "count") == 3


BROKEN = [
    (b"a 1\nb 2\na 3\n", 3, "the word 'a' is in line 1 too; remove one of them"),
    (b"a 1\nb -2\n", 2, "'b' has the count -2; counts are at least 0"),
    (b"a 1\nb 2.5\n", 2, "expected a word, a space and its count, got 'b 2.5"),
    (b"a 1\nb 2e3\n", 2, "expected a word"),
    (b"a 1\nb two\n", 2, "expected a word"),
    (b"a 1\nb 2 3\n", 2, "expected a word, a space and its count, got 'b 2 3"),
    (b"a 1\nb\n", 2, "expected a word"),
    (b"a 1\n\nb 2\n", 2, "expected a word"),
    (b"a\nb\n", 1, "expected a word"),
    (b"2 3\na 0.1 0.2 0.3\n", 2, "expected a word"),
    (b"a 1\ncaf\xe9 2\n", 2, r"b'caf\\xe9 2\\n' is not UTF-8"),
    (
        b"a 1\nb 9223372036854775807\n",
        2,
        "the sum of the counts is 9,223,372,036,854,775,808; it must be below 2 ** 63",
    ),
    (b"a 1\nb 100000000000000000000\n", 2, "the sum of the counts is 100,000,000,000,000,000,001;"),
    (b"a " + b"9" * 5000 + b"\n", 1, "expected a word"),
    (b"\n", 1, "expected a word"),
    (b"a 1\nb\0c 2\n", 2, r"the word 'b\\x00c' holds a control character; no vectors file can hold it"),
    (b"\x7f 1\n", 1, r"the word '\\x7f' holds a control character"),
    (b"a 1\n" + "b\x9b".encode() + b"c" * 60_000 + b" 2\n", 2, r"the word 'b\\x9bc{38}'… holds a control character"),
    (b"a 1\n" + "b\u00a0c 2\n".encode(), 2, "expected a word, a space and its count"),
]


@pytest.mark.parametrize(("content", "line", "message"), BROKEN, ids=[message[:30] for *_, message in BROKEN])
def test_a_broken_file_is_refused_with_the_line(path, content, line, message):
    path.write_bytes(content)
    with refused(rf"words.vocab, line {line}: .*{message.replace('*', '[*]')}"):
        read_vocabulary(path)


def test_words_without_counts_are_read_in_their_order(path):
    path.write_bytes(b"\xef\xbb\xbfz\r\n12\na \n")
    assert read_words(path) == (["z", "12", "a"], [])
    path.write_bytes(b"z 1\na 9\n7 3")
    assert read_words(path) == (["z", "a", "7"], [1, 9, 3])


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"a 1\nb\n", 2, "'b' has no count and line 1 has one; give all words one or none"),
        (b"a\nb 1\n", 2, "'b' has a count and line 1 has none; give all words one or none"),
        (b"a\nb\nc\na\n", 4, "the word 'a' is in line 1 too"),
        (b"a\n \n", 2, "expected a word, or a word, a space and its count, got ' "),
    ],
)
def test_a_broken_file_of_words_is_refused_with_the_line(path, content, line, message):
    path.write_bytes(content)
    with refused(f"words.vocab, line {line}: {message}"):
        read_words(path)


def test_blank_lines_count_in_the_numbers_of_others(path):
    path.write_bytes(b"\na\n\n\na\n")
    with refused("words.vocab, line 5: the word 'a' is in line 2 too"):
        words_of(path)


def test_an_empty_file_is_refused(path):
    path.write_bytes(b"")
    with refused("words.vocab holds no words: it is empty"):
        read_vocabulary(path)


@pytest.mark.parametrize(("name", "message"), [("missing", "no such file"), (".", "Is a directory|Permission denied")])
def test_a_missing_file_and_a_folder_are_refused(tmp_path, name, message):
    with refused(f"cannot read .*({message})"):
        read_vocabulary(tmp_path / name)


def test_messages_are_one_line_for_any_name(tmp_path):
    path = tmp_path / "a\nname"
    path.write_text("a\n")
    with refused(r"a\\nname, line 1"):
        read_vocabulary(path)


def test_a_failure_to_write_leaves_the_old_file_alone(path):
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_vocabulary(path, Vocabulary(["a", "\ud800"], np.array([2, 1])))
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


# --- Training with one ------------------------------------------------------------------------------------------------


def test_the_words_that_are_saved_are_those_that_get_vectors(text, path):
    vectors = train(text, save_vocab=path, min_count=3, max_vocab=20)
    assert as_pairs(read_vocabulary(path)) == as_pairs(vectors)
    assert len(vectors) == 20


def test_the_vocabulary_of_the_text_itself_changes_nothing(text, path):
    wanted = train(text, sample=0.01, save_vocab=path)
    found = train(text, sample=0.01, read_vocab=path)
    assert found.words == wanted.words
    assert found.counts.tolist() == wanted.counts.tolist()
    assert found.vectors.tobytes() == wanted.vectors.tobytes()
    assert found.context_vectors.tobytes() == wanted.context_vectors.tobytes()
    assert found.report.kept_share == wanted.report.kept_share < 1


def test_a_cut_vocabulary_gives_the_same_words_and_counts(text, path):
    wanted = train(text, save_vocab=path, min_count=3)
    found = train(text, read_vocab=path)
    assert as_pairs(found) == as_pairs(wanted)
    assert found.report.covered == wanted.report.covered
    assert found.report.tokens == wanted.report.tokens


def test_words_order_and_counts_are_those_of_the_file(text, path):
    counts = {"the": 3, "in": 50, "a": 7, "of": 7, "</s>": 0}
    path.write_text("".join(f"{word} {count}\n" for word, count in counts.items()))
    vectors = train(text, read_vocab=path)
    assert as_pairs(vectors) == [("in", 50), ("a", 7), ("of", 7), ("the", 3)]
    tokens = text.read_text().split()
    assert vectors.report.covered == sum(token in counts for token in tokens)
    assert vectors.report.tokens == len(tokens)
    assert as_pairs(train(text, read_vocab=path, min_count=7, max_vocab=2)) == [("in", 50), ("a", 7)]


def test_words_that_the_text_lacks_have_vectors_and_are_noted(text, path):
    path.write_text("the 30\nunheard 20\nin 10\nunseen 5\n")
    with pytest.warns(UserWarning, match=r"^2 of the 4 words of the vocabulary do not occur in .*text\.txt$") as notes:
        vectors = train(text, read_vocab=path)
    assert sum("do not occur" in str(note.message) for note in notes) == 1
    assert as_pairs(vectors) == [("the", 30), ("unheard", 20), ("in", 10), ("unseen", 5)]
    assert np.isfinite(vectors.vectors).all()
    assert np.abs(vectors["unheard"]).max() > 0


@pytest.mark.parametrize("content", ["the 5\n", "the 5\nin 0\n", "the 0\nin 0\n"])
def test_fewer_than_two_words_are_refused(text, path, content):
    path.write_text(content)
    with refused("at least two different words are needed to learn from"):
        train(text, read_vocab=path)


def test_a_vocabulary_of_another_text_is_refused(text, path):
    path.write_text("unheard 20\nunseen 5\n")
    with refused(r"text\.txt holds none of the 2 words of the vocabulary"):
        train(text, read_vocab=path)


def test_a_broken_vocabulary_is_refused_before_the_text_is_read(text, path):
    path.write_text("the 5\nin\n")

    def unread():
        raise AssertionError
        yield

    with refused("words.vocab, line 2"):
        train(unread(), read_vocab=path)


def test_one_thread_or_two_take_the_same_words(text, path):
    path.write_text("the 30\nin 10\n")
    found = [train(text, read_vocab=path, threads=threads) for threads in (1, 2)]
    assert as_pairs(found[0]) == as_pairs(found[1])
    assert found[0].report.covered == found[1].report.covered


@pytest.mark.parametrize("min_count", [1, 5])
@pytest.mark.parametrize("max_vocab", [2, 10, 1_000_000])
def test_max_vocab_keeps_the_most_frequent_words_with_their_counts(text, min_count, max_vocab):
    frequent = train(text, min_count=min_count)
    assert as_pairs(train(text, min_count=min_count, max_vocab=max_vocab)) == as_pairs(frequent)[:max_vocab]
