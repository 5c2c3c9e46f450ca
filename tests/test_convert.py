import json

import numpy as np
import pytest
from click.testing import CliRunner

from embedtrain.cli import main
from embedtrain.vectors import formats
from embedtrain.vectors.checks import CLIENTS, check

GOOD = "3 3\nthe 1 0 0\ncat 0 1 0\nsat 0 0.5 0.25\n"


def run(*arguments):
    result = CliRunner().invoke(main, list(map(str, arguments)))
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.vec"
    path.write_text(GOOD)
    return path


def test_convert_goes_around(good, tmp_path):
    path = good
    for name in ("a.bin", "b.npz", "c.safetensors", "d.npy", "e.glove", "f.vec.gz", "g.vec"):
        status, _, said = run("convert", path, tmp_path / name)
        assert status == 0, said
        assert "3 words, 3 dimensions" in said
        path = tmp_path / name
    assert path.read_text() == GOOD


def test_convert_takes_a_part_and_halves(good, tmp_path):
    assert run("convert", good, tmp_path / "x", "--format", "npz", "--limit", "2", "--float16")[0] == 0
    found = formats.read(tmp_path / "x", formats.Choice(mmap=True))
    assert (found.words, found.vectors.dtype) == (["the", "cat"], np.float16)


def test_convert_refuses_its_input(good):
    status, _, said = run("convert", good, good)
    assert status == 2
    assert "would replace the input" in said
    assert good.read_text() == GOOD


@pytest.mark.parametrize("option", ["--format", "--from"])
def test_convert_knows_its_formats(good, tmp_path, option):
    status, _, said = run("convert", good, tmp_path / "x", option, "word")
    assert status == 2
    assert "format must be one of" in said
    assert not (tmp_path / "x").exists()


def test_convert_repairs_and_says_so(tmp_path):
    bad = tmp_path / "bad.vec"
    bad.write_text(GOOD.replace("sat", "cat"))
    status, _, said = run("convert", bad, tmp_path / "x.vec")
    assert status == 1
    assert "--repair" in said
    status, _, said = run("convert", bad, tmp_path / "x.vec", "--repair")
    assert status == 0
    assert "Note: " in said
    assert "stands twice" in said
    assert (tmp_path / "x.vec").read_text() == "2 3\nthe 1 0 0\ncat 0 1 0\n"


def test_info_tells_what_is_there(good, tmp_path):
    status, said, _ = run("info", good, "--json")
    assert status == 0
    facts = json.loads(said)
    assert (facts["format"], facts["words"], facts["dimensions"]) == ("word2vec", 3, 3)
    assert facts["first_words"] == ["the", "cat", "sat"]
    assert facts["norms"]["most"] == 1
    assert "the cat sat" in run("info", good)[1]
    assert run("info", tmp_path)[0] == 1


DEFECTS = {
    "no header": (GOOD[4:], {"gensim", "fasttext"}),
    "space": (GOOD.replace("cat", "new york"), {"gensim", "torchtext", "fasttext"}),
    "return": (GOOD.replace("cat", "c\rat"), {"spacy", "fasttext"}),
    "twice": (GOOD.replace("sat", "cat"), set(CLIENTS)),
    "header too big": (GOOD.replace("3 3", "4 3"), {"gensim", "spacy", "fasttext"}),
    "header too small": (GOOD.replace("3 3", "2 3"), {"gensim", "spacy", "fasttext"}),
    "nan": (GOOD.replace("0.5", "nan"), {"gensim", "fasttext"}),
    "no words": ("0 3\n", {"torchtext"}),
    "narrow": ("2 2\na 1 2\nb 1 3\n", {"torchtext"}),
    "not UTF-8": (GOOD.replace("cat", "\udcff"), {"gensim", "spacy", "torchtext"}),
    "no word": (GOOD.replace("cat", ""), {"gensim", "fasttext"}),
    "BOM": ("\ufeff" + GOOD, {"gensim", "spacy", "fasttext"}),
    "blank last line": (GOOD + "\n", {"spacy", "torchtext"}),
    "short": (GOOD.replace("cat 0", "cat"), set(CLIENTS)),
    "CRLF": (GOOD.replace("\n", "\r\n"), set()),
    "trailing spaces": (GOOD.replace("\n", " \n").replace("3 3 ", "3 3"), set()),
}


@pytest.mark.parametrize(("text", "clients"), DEFECTS.values(), ids=DEFECTS)
def test_check_knows_who_trips(tmp_path, text, clients):
    path = tmp_path / "x.vec"
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert {finding.client for finding in check(path)} == clients
    status, said, _ = run("check", path)
    assert status == (1 if clients else 0)
    assert len(said.splitlines()) == len(check(path))


def test_check_says_where(tmp_path):
    path = tmp_path / "x.vec"
    path.write_text(GOOD.replace("sat", "cat"))
    status, said, _ = run("check", path, "--for", "gensim")
    assert status == 1
    assert said == "gensim: line 4: the word 'cat' stands in line 3 too: a word None with a row of zeros\n"


def test_check_of_a_binary_file(good, tmp_path):
    run("convert", good, tmp_path / "x.bin")
    assert {finding.client for finding in check(tmp_path / "x.bin")} == {"spacy", "fasttext", "torchtext"}
