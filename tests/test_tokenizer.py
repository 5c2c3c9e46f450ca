"""Tokenizers of the user, in this process and in worker processes."""

import gzip
import itertools
import json
import re
import subprocess
from types import SimpleNamespace

import pytest
from commands import error_of, run
from naive_text import vocabulary_of
from text_files import refused

from embedtrain import Corpus, train_skipgram
from embedtrain.corpus import text_chunks, tokenizer
from embedtrain.corpus.encoding import encode
from embedtrain.errors import SettingError

MODULE = """
import os
import sys

print("printed while it is imported")


def letters(line):
    print("printed", line, sys.stdin.read())
    return [*line, "", " "]


def bad(line):
    if "x" in line:
        raise ValueError("an x,\\nhere")
    return line.split()


def text(line):
    return line


def numbers(line):
    return [1]


def ends(line):
    os._exit(3)


class Names:
    letters = staticmethod(letters)
    value = 7
"""
LINES = ["ab c", "", "dé漢", "ab"] * 30
TOKENS = [list(line.replace(" ", "")) for line in LINES if line]


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    """A module in the current folder."""
    (tmp_path / "my_tokens.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tokenizer, "_BATCH", 20)
    tokenizer.require_function.cache_clear()


def letters(line):
    return [*line, "", " "]


def sentences(corpus, threads=1):
    """The tokens of each sentence, and the notes."""
    got = encode(corpus, threads=threads)
    words, ids, offsets = list(got.vocabulary.words), got.ids.tolist(), got.offsets.tolist()
    found = [[words[number] for number in ids[a:b]] for a, b in itertools.pairwise(offsets)]
    assert dict(zip(words, got.vocabulary.counts.tolist(), strict=True)) == vocabulary_of(found)
    return found, got.notes


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    "tokenize", ["my_tokens:letters", "my_tokens:Names.letters", letters], ids=["name", "attribute", "callable"]
)
def test_every_source_is_tokenised_in_order(tmp_path, monkeypatch, tokenize, threads):
    monkeypatch.setattr(text_chunks, "_CHUNK", 64)
    (tmp_path / "a.txt").write_bytes("\ufeff".encode() + "\r\n".join(LINES).encode())
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress("\n".join(LINES).encode()))
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": "\n".join(LINES[:4])}) + "\n" for _ in range(30)))
    for source in ("a.txt", "a.txt.gz", "a.jsonl", LINES):
        assert sentences(Corpus(source, tokenize=tokenize), threads) == (TOKENS, ())
    assert sentences(Corpus("a.txt", "a.txt.gz", tokenize=tokenize, lowercase=True), threads)[0] == TOKENS + TOKENS


def test_lists_of_tokens_are_not_tokenised():
    for tokenize in ("my_tokens:letters", "words", letters):
        with pytest.warns(UserWarning, match="lists of tokens, which tokenize does not divide; give lines"):
            assert sentences(Corpus([["ab", "c."], ["d"]], tokenize=tokenize))[0] == [["ab", "c."], ["d"]]


def test_a_tokenizer_that_leaves_nothing_is_named(tmp_path):
    (tmp_path / "a.txt").write_text("... --\n")
    for tokenize in ("words", lambda line: []):
        with refused("a.txt holds no words: it is empty or blank, or tokenize finds none in it"):
            sentences(Corpus("a.txt", tokenize=tokenize))


@pytest.mark.parametrize("tokenize", ["my_tokens:letters", letters], ids=["name", "callable"])
def test_bytes_that_are_not_utf8_are_noted_or_refused(tmp_path, tokenize):
    (tmp_path / "a.txt").write_bytes("ab\ufffd\n".encode() * 100 + b"c\xff\n")
    found, (note,) = sentences(Corpus("a.txt", tokenize=tokenize))
    assert found == [["a", "b", "\ufffd"]] * 100 + [["c", "\ufffd"]]
    assert re.search(r"not UTF-8.* 1 token.* first b'\\xff' in a.txt, line 101", note)
    with refused("a.txt, line 101: .* is not UTF-8"):
        encode(Corpus("a.txt", tokenize=tokenize, invalid_utf8="refuse"), threads=1)


FAILURES = {
    "my_tokens:bad": "ValueError: an x, here",
    "my_tokens:text": "TypeError: it returned a str, not a list of str",
    "my_tokens:numbers": "TypeError: sequence item 0: expected str instance, int found",
    "my_tokens:ends": "its process ended with status 3",
}


@pytest.mark.parametrize(("name", "message"), FAILURES.items(), ids=FAILURES)
def test_errors_of_a_tokenizer_name_it_and_the_line(tmp_path, name, message):
    (tmp_path / "a.txt").write_text("\n" * 40 + "an x\n" + "fine\n" * 40)
    line = r"\d+" if name.endswith("ends") else 41
    with refused(f"a.txt, line {line}: the tokenizer {name} failed: {message}"):
        encode(Corpus("a.txt", tokenize=name), threads=2)


def test_errors_of_a_callable_have_their_cause():
    def fails(line):
        raise KeyError(line)

    with refused(r"the corpus, line 2: the tokenizer .*fails failed: KeyError: 'b'") as caught:
        encode(Corpus(["\n", "b\n"], tokenize=fails), threads=2)
    assert isinstance(caught.value.__cause__, KeyError)


MISSING = {
    "my_token:letters": "ModuleNotFoundError: No module named 'my_token'",
    "my_tokens:words": "AttributeError: module 'my_tokens' has no attribute 'words'",
    "my_tokens:Names.value": "TypeError: it is int, not a function",
}


@pytest.mark.parametrize(("name", "message"), MISSING.items(), ids=MISSING)
def test_a_missing_tokenizer_is_refused_before_any_work(tmp_path, name, message):
    (tmp_path / "a.txt").write_text("a b c\n")
    for command in ("skipgram", "vocab", "cooccur"):
        line = error_of(run(command, "a.txt", "--tokenize", name), 2)
        assert line == f"Error: --tokenize cannot use {name}: {message}"
    with refused(f"tokenize cannot use {name}: {message}", SettingError):
        train_skipgram(Corpus(["a"], tokenize=name))


def test_no_more_processes_are_started_than_there_are_batches(monkeypatch):
    start, started = subprocess.Popen, []
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **how: started.append(start(*args, **how)) or started[-1])
    monkeypatch.setattr(tokenizer, "_BATCH", 4)
    assert sentences(Corpus(["ab c", "d"], tokenize="my_tokens:letters"), threads=9)[0] == [["a", "b", "c"], ["d"]]
    assert len(started) == 2
    assert all(process.poll() is not None for process in started), "they have ended"


def test_progress_is_reported_more_often_than_every_chunk_of_other_text():
    reported = []
    progress = SimpleNamespace(update=reported.append)
    encode(Corpus(["ab c"] * 50_000, tokenize=letters), threads=1, progress=progress)
    assert sum(reported) == 150_000
    assert len(reported) > 3


def test_commands_take_a_tokenizer(tmp_path):
    (tmp_path / "a.txt").write_text("ba b\n")
    done = run("vocab", "a.txt", "--tokenize", "my_tokens:letters", "--min-count", 1, "-o", "-")
    assert (done.exit_code, done.stdout) == (0, "b 2\na 1\n"), done.stderr


def test_the_cache_knows_a_tokenizer_by_its_name_and_file(tmp_path):
    (tmp_path / "a.txt").write_text("a b\n")
    before = Corpus("a.txt", tokenize="my_tokens:letters").identity()
    (tmp_path / "my_tokens.py").write_text(MODULE + "# more\n", encoding="utf-8")
    after = Corpus("a.txt", tokenize="my_tokens:letters").identity()
    assert before["tokenize"] == after["tokenize"] == "my_tokens:letters"
    assert before["files"][0] == after["files"][0]
    assert before["files"][1][0] == str(tmp_path / "my_tokens.py")
    assert before["files"] != after["files"]
    assert Corpus("a.txt", tokenize=letters).identity() is None


RECIPES = {
    "jieba": ("", "jieba:lcut", "我来到北京清华大学", "我 来到 北京 清华大学"),
    "pythainlp": ("", "pythainlp:word_tokenize", "ฉันรักแมว", "ฉัน รัก แมว"),
    "spacy": (
        "import spacy\n\nnlp = spacy.blank('en')\n\n"
        "def tokenize(line):\n    return [token.text for token in nlp(line)]\n",
        "recipe:tokenize", "Don't stop,  please.", "Do n't stop , please .",
    ),
    "fugashi": (
        "from fugashi import Tagger\n\ntagger = Tagger()\n\n"
        "def tokenize(line):\n    return [word.surface for word in tagger(line)]\n",
        "recipe:tokenize", "猫が好きです。", "猫 が 好き です 。",
    ),
    "sudachipy": (
        "from sudachipy import Dictionary\n\ntokenizer = Dictionary().create()\n\n"
        "def tokenize(line):\n    return [word.surface() for word in tokenizer.tokenize(line)]\n",
        "recipe:tokenize", "猫が好きです。", "猫 が 好き です 。",
    ),
}  # fmt: skip


@pytest.mark.clients
@pytest.mark.parametrize("package", RECIPES)
def test_tokenizers_of_others_are_used_as_documented(tmp_path, package):
    pytest.importorskip(package)
    code, name, line, tokens = RECIPES[package]
    (tmp_path / "recipe.py").write_text(code)
    (tmp_path / "a.txt").write_text(f"{line}\n" * 50, encoding="utf-8")
    assert sentences(Corpus("a.txt", tokenize=name), threads=2)[0] == [tokens.split()] * 50
