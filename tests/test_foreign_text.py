"""Files that are not text to train on: what is recognised, and what passes although it resembles them."""

import json
import pickle
import random
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from commands import error_of, run
from text_files import refused

from embedtrain import Corpus, WordVectors, cooccurrence, cooccurrence_counts, train_skipgram
from embedtrain.corpus.encoding import count_words
from embedtrain.corpus.foreign import HEAD, kind_of

SETTINGS = {"dim": 4, "epochs": 1, "min_count": 1, "sample": 0, "threads": 1, "progress": False}
EDGES = [(a, b) for a in range(10) for b in range(a)]
COUNTS = [f"word{n} {100 - n}" for n in range(20)]
RECORDS = [{"id": n, "text": f"some words, {n}"} for n in range(9)]


def lines(*rows):
    return "".join(f"{row}\n" for row in rows)


def rows_of(table, by=" "):
    return lines(*(by.join(map(str, row)) for row in table))


FOREIGN = {
    "word2vec text": ("2 3\nking 0.1 -2.0 3e-05\nqueen 0.5 1 .25\n", "a file of vectors"),
    "vectors without a header": ("king 0.1 -2.0\nqueen 0.5 1.25\n", "a file of vectors"),
    "vectors of items": ("12 0.1 -2.0 1.0\n15 0.5 1.25 -0.1\n", "a file of vectors"),
    "HTML": ("\n<!DOCTYPE html>\n<html lang=en><p>words</p></html>", "HTML or XML"),
    "HTML that begins with its head": ("<head>\n<title>words</title>", "HTML or XML"),
    "a dump of Wikipedia": ("<mediawiki xml:lang='en'>\n<page>\n", "HTML or XML"),
    "CSV": ("id,text\n" + rows_of([(n, f'"so, {n} words"') for n in range(5)], ","), "CSV with 2 columns .id,text."),
    "CSV with semicolons": (rows_of([(n, "words, more", n) for n in range(6)], ";"), "CSV with 3 columns"),
    "CSV with line feeds": (rows_of([(n, '"one\ntwo"') for n in range(6)], ","), "CSV with 2 columns"),
    "a JSON array": (json.dumps(RECORDS, indent=2), "a JSON array"),
    "a JSON array in a line": (json.dumps(["some words", "more words"]), "a JSON array"),
    "JSON": (json.dumps({"data": RECORDS}, indent=2), "JSON; write JSON lines"),
    "a long line of JSON": (json.dumps({"text": "some words " * HEAD}), "JSON; write JSON lines"),
    "JSON lines": (lines(*map(json.dumps, RECORDS)), "JSON lines; name the field of the text with field: id, text"),
    "an edge list": (rows_of(EDGES[:20]), "an edge list or a table: 2 fields"),
    "an edge list with tabs": ("# Nodes: 10\n\n" + rows_of(EDGES, "\t"), "an edge list or a table: 2 fields"),
    "a graph in Matrix Market's format": ("%%MatrixMarket\n10 10 45\n" + rows_of(EDGES), "an edge list or a table: 2"),
    "an edge list with weights": (rows_of([(*edge, 0.5) for edge in EDGES]), "an edge list or a table: 3 fields"),
    "ratings": (rows_of([(a, b, 5, 881250949) for a, b in EDGES], "\t"), "an edge list or a table: 4 fields"),
    "a vocabulary": (lines(*COUNTS), "a vocabulary file"),
}


@pytest.mark.parametrize(("text", "what"), FOREIGN.values(), ids=FOREIGN)
def test_text_that_is_no_corpus_is_refused_unless_forced(tmp_path, text, what):
    path = tmp_path / "corpus.txt"
    path.write_text(text, encoding="utf-8")
    with refused(rf"cannot read .*corpus\.txt: it is {what}.*force=True reads it as text"):
        train_skipgram(path, **SETTINGS)
    with refused(f"it is {what}"):
        cooccurrence(path, min_count=1)
    words, _ = count_words(Corpus(path, force=True), threads=1)
    assert set(words.words) == set(text.split())


def test_files_of_embedtrain_are_named(tmp_path):
    vectors = train_skipgram([["a", "b"]] * 5, checkpoint=tmp_path / "run", **SETTINGS)
    vectors.save(tmp_path / "x.npz")
    cooccurrence_counts([["a", "b"]] * 5, min_count=1).save(tmp_path / "counts")
    for name in ("run", "x.npz", "counts"):
        with refused("a file of NumPy arrays, perhaps counts, vectors or a checkpoint; give counts to glove or svd"):
            train_skipgram(tmp_path / name, **SETTINGS)


def test_the_files_of_a_folder_in_another_encoding_are_not_counted(tmp_path):
    (tmp_path / "a.txt").write_text("some words\n", encoding="utf-16")
    (tmp_path / "b.txt").write_text("<html>words</html>\n", encoding="utf-16")
    with refused("b.txt: it is HTML or XML; extract its text first; force=True reads it as text, a sequence a line$"):
        train_skipgram(Corpus(tmp_path, encoding="utf-16"), **SETTINGS)


def test_other_binary_files_are_named(tmp_path):
    WordVectors(["a", "b"], np.full((2, 3), 0.1, np.float32)).save(tmp_path / "x.bin")
    np.save(tmp_path / "x.npy", np.zeros(3))
    (tmp_path / "x.model").write_bytes(pickle.dumps({"vectors": 3}))
    (tmp_path / "fasttext.bin").write_bytes(b"\xba\x16O/\x0c\0\0\0")
    kinds = {
        "fasttext.bin": "a fastText model",
        "x.bin": "word2vec's binary format",
        "x.npy": "a NumPy array",
        "x.model": "a Python pickle",
    }
    for name, kind in kinds.items():
        with refused(f"cannot read .*{name}: it is .*{kind}"):
            train_skipgram(tmp_path / name, **SETTINGS)


def test_the_files_of_a_folder_that_are_not_text_are_named(tmp_path):
    for n in range(8):
        (tmp_path / f"{n}.txt").write_text("some words\n")
        (tmp_path / f"{n}.png").write_bytes(b"\x89PNG\r\n")
    (tmp_path / "8.jsonl").write_text('{"text": "some words"}\n')
    found = "17 files are not text: .*0.png, .*1.png, .*2.png, .*3.png, .*4.png and 3 more"
    with refused(f"cannot read .*0.png: it is an image; name the text files with a pattern .* .8 of {found}"):
        train_skipgram(tmp_path, **SETTINGS)
    assert train_skipgram(tmp_path / "*.txt", **SETTINGS).words == ["some", "words"]


# --- What passes ------------------------------------------------------------------------------------------------------

WORDS = "the of and a in to was it for on as by he with at from that his were are which".split()
RANDOM = random.Random(1)
TEXTS = {
    "one word a line": lines(*WORDS * 3),
    "one number a line": lines(*range(99)),
    "two words a line": rows_of(pairwise(WORDS)),
    "edges of words": rows_of(zip(WORDS, WORDS[1:], range(20), strict=False)),
    "sentence pairs": rows_of([("how are you", "wie geht es dir")] * 30, "\t"),
    "sessions": rows_of([RANDOM.sample(range(99), RANDOM.randint(2, 4)) for _ in range(99)]),
    "sessions with prices": rows_of([(n, 5, 0.5, 1.5, 2.5) for n in range(50)] + [(1, 2)]),
    "walks": rows_of([RANDOM.sample(range(99), 10) for _ in range(99)]),
    "baskets with commas": rows_of([RANDOM.sample(range(99), RANDOM.randint(2, 9)) for _ in range(99)], ","),
    "prose": "However, it was late, and\nthe rain, at last, came down.\nHe left, she stayed, and\nso on.\n" * 9,
    "prose with a comma a line": "It rained, so\nwe left, and\n" * 30,
    "prose with semicolons": "It rained; so\nwe left; and\n" * 30,
    "code": "def f(a,b):\n    return [a,b][0]\n\nx = {'a':1}\nfor i in f(1,2):\n    pass\n" * 9,
    "code in braces": '{\n  "use strict";\n}\n',
    "wiki text": "[[Category:Words]]\n{{Infobox|a=1}}\n" * 9,
    "subtitles": '[Music]\n["Quoted" words]\n[ 12 ] words\n',
    "extracted documents": '<doc id="12" url="x">\nsome words\n</doc>\n<s> a b </s>\n',
    "a log with milliseconds": lines(*(f"2024-01-02 10:00:{n},123 INFO [main] started" for n in range(10, 40))),
    "a log in colours": "\x1b[31mred\x1b[0m more\n" * 99,
    "digits": "1" * HEAD + "x 1\n",
    "long numbers": f"1 {'9' * 5000}\nword 1.0\n",
    "long counts": lines(*(f"word{n} {'9' * 5000}" for n in range(20))),
    "numbers in text": rows_of([("in", n, "there", "were", n) for n in range(99)]),
    "a table of contents": rows_of([("Chapter", n) for n in range(1, 40)]),
    "two numbers first": "3 4\n1 2 3 4 5\n7 8\n",
    "scores": "Jan 1.5 2.5\nFeb was 1.5\n",
    "blank": "\n \n",
    "a line": "word",
}  # fmt: skip


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_passes(text):
    assert kind_of(text.encode(), is_whole=True) is None
    assert kind_of(text.encode(), is_whole=False) is None


def test_thresholds():
    """Just below and just above what is recognised."""
    cases = [
        (rows_of(EDGES[:19]), rows_of(EDGES[:20])),
        (rows_of(EDGES) + "1 2 3\n", rows_of(EDGES) + "1 2\n"),
        (rows_of([(a, b, 1, 2, 3) for a, b in EDGES]), rows_of([(a, b, 1, 2) for a, b in EDGES])),
        (rows_of([(a, f"n{b}") for a, b in EDGES]), rows_of([(a, b) for a, b in EDGES[1:]] + [("a", 1)])),
        (lines(*COUNTS[:19]), lines(*COUNTS)),
        (lines(*COUNTS, "more 99"), lines(*COUNTS, "more 1")),
        ("king 0.1\nqueen 0.2\n", "king 0.1 0.2\nqueen 0.2 0.1\n"),
        ("king 0.1 2\nqueen 3 0.1\n", "king 0.1 2.0\nqueen 3.0 0.1\n"),
        ("2 3\nking 0.1 0.2 0.3\n", "2 3\nking 0.1 0.2 0.3\nqueen 0.1 0.2 0.3\n"),
        ("a,b\n" * 5, "a,b\n" * 6),
        ("a,b\n" * 20 + "a,b,c\na,b\n", "a,b\n" * 22),
        ("a,b\na, b\n" * 2 + "a, b\n" * 2, "a,b\na, b\n" * 4),
        ('{"a", 1}\n', '{"a": 1}\n'),
        ('["a" b]\n', '["a", "b"]\n'),
    ]
    for passes, is_refused in cases:
        assert kind_of(passes.encode(), is_whole=True) is None, passes
        assert kind_of(is_refused.encode(), is_whole=True) is not None, is_refused


def test_a_line_cut_at_the_end_of_the_head_is_not_counted(tmp_path):
    path = tmp_path / "edges"
    path.write_bytes(b"11 22\n" * (HEAD // 6) + b"1111 2222 3333 4444\n")
    with refused("an edge list"):
        count_words(path, threads=1)


def test_lists_in_memory_are_never_refused():
    assert len(train_skipgram([["1", "2"]] * 40, **SETTINGS)) == 2
    assert len(train_skipgram(["1 2"] * 40, **SETTINGS)) == 2


# --- The command line -------------------------------------------------------------------------------------------------


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text("some words and more\n" * 30)
    return "corpus.txt"


@pytest.mark.parametrize(
    ("command", "name"), [("skipgram", "out.vec"), ("glove", "x y.npz"), ("vocab", "a.vocab"), ("cbow", "x.vec.gz")]
)
def test_a_second_argument_that_could_be_the_output_is_refused(corpus, command, name):
    quoted = f"'{name}'" if " " in name else name
    message = f"{name} would be read as text; did you mean -o {quoted}?"
    assert message in error_of(run(command, corpus, name), 2)
    Path(name).write_text("some words\n")
    existing = "holds counts" if name.endswith(".npz") else message
    assert existing in error_of(run(command, corpus, name), 2)


def test_text_named_like_vectors_is_read_where_forced(corpus, tmp_path):
    (tmp_path / "b.vec").write_text("others\n")
    done = run("vocab", corpus, "b.vec", "--force", "--min-count", "1", "-o", "-")
    assert "others 1" in done.stdout
    done = run("vocab", "b.vec", corpus, "--min-count", "1", "-o", "-")
    assert "others 1" in done.stdout, "as is the first one"


def test_standard_input_is_looked_at(tmp_path, monkeypatch):
    (tmp_path / "edges").write_text(rows_of(EDGES))
    with open(tmp_path / "edges") as file:
        monkeypatch.setattr(sys, "stdin", file)
        with refused("standard input: it is an edge list"):
            count_words("-", threads=1)
