import json
import os

import numpy as np
import pytest
from click.testing import CliRunner

from embedtrain import formats
from embedtrain.cli import main
from embedtrain.formats import text
from embedtrain.formats.content import Content

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


@pytest.mark.skipif(os.name == "nt", reason="links need privileges there")
def test_convert_refuses_its_input_by_other_names(good, tmp_path):
    folder = tmp_path / "x.npy"
    assert run("convert", good, folder)[0] == 0
    (tmp_path / "link").symlink_to(good)
    (tmp_path / "folder").symlink_to(folder, target_is_directory=True)
    for source, target in (
        (good, tmp_path / "link"), (tmp_path / "link", good), (folder, folder), (folder, tmp_path / "folder"),
        (tmp_path / "folder", folder), (folder, folder / "words.txt"),
    ):  # fmt: skip
        status, _, said = run("convert", source, target, "--limit", "1")
        assert (status, "would replace the input" in said) == (2, True)
    assert len(formats.read(good).words) == len(formats.read(folder).words) == 3


def test_a_hard_link_to_the_input_becomes_a_file_of_its_own(good, tmp_path):
    (tmp_path / "hard").hardlink_to(good)
    assert run("convert", good, tmp_path / "hard", "--limit", "1")[0] == 0
    assert (tmp_path / "hard").read_text() == "1 3\nthe 1 0 0\n"
    assert good.read_text() == GOOD


def test_both_files_of_the_projector_are_named_and_kept_from_the_input(good, tmp_path):
    target = tmp_path / "vectors.tsv"
    for source in ("metadata.tsv", "vectors.tsv"):
        good.rename(tmp_path / source)
        for named in (target, tmp_path):
            status, _, said = run("convert", tmp_path / source, named, "--format", "projector")
            assert (status, "would replace the input" in said) == (2, True)
        (tmp_path / source).rename(good)
    (tmp_path / "metadata.tsv").mkdir()
    status, _, said = run("convert", good, target)
    assert (status, "metadata.tsv: it is a folder" in said) == (1, True)
    (tmp_path / "metadata.tsv").rmdir()
    status, _, said = run("convert", good, target)
    assert status == 0
    assert said == f"{target} and {tmp_path / 'metadata.tsv'}: 3 words, 3 dimensions, format projector\n"


@pytest.mark.parametrize("name", ["x.vec", "x.npz"])
def test_whitespace_in_a_word_is_told_with_its_place_and_repaired(good, tmp_path, name):
    good.write_text(GOOD.replace("cat", "new\u00a0york"))
    status, _, said = run("convert", good, tmp_path / name)
    assert status == 1
    assert said == (
        f"Error: {good}, word 2: 'new\\xa0york' has whitespace or a control character, which no file should hold; "
        "--repair makes it new_york\n"
    )
    status, _, said = run("convert", good, tmp_path / name, "--repair")
    assert status == 0
    assert "line 3: the word 'new\\xa0york' has whitespace; the repair makes it 'new_york'" in said
    assert formats.read(tmp_path / name).words == ["the", "new_york", "sat"]


REPAIRED = {
    "not finite": (b"2 3\na 1 2 3\nb nan 2 3\n", "line 3: the vector of 'b'", ["a"]),
    "NUL": (b"2 3\na 1 2 3\nb\0x 4 5 6\n", "line 3: the word 'b\\x00x'", ["a", "b_x"]),
    "NUL first": (b"b\0x 4 5 6\na 1 2 3\n", "line 1: the word 'b\\x00x'", ["b_x", "a"]),
    "header": (b"3 3\na 1 2 3\nb 4 5 6\n", "promises 3 words", ["a", "b"]),
    "space": (b"2 3\nnew york 1 2 3\nb 4 5 6\n", "line 2: the word 'new york'", ["new_york", "b"]),
    "not UTF-8": (b"2 3\ncaf\xe9 1 2 3\nb 4 5 6\n", "line 2: b'caf\\xe9", ["caf\ufffd", "b"]),
    "cut short": (b"2 1\na \xcd\xcc\xcc=\nb \xcd", "promises 2 words", ["a"]),
}


@pytest.mark.parametrize(("data", "said", "words"), REPAIRED.values(), ids=REPAIRED)
def test_a_repair_is_what_the_refusal_says(tmp_path, data, said, words):
    (tmp_path / "bad").write_bytes(data)
    status, _, refusal = run("convert", tmp_path / "bad", tmp_path / "x.vec")
    assert (status, said in refusal, "convert --repair`" in refusal) == (1, True, True)
    status, _, notes = run("convert", tmp_path / "bad", tmp_path / "x.vec", "--repair")
    assert (status, said in notes) == (0, True)
    assert formats.read(tmp_path / "x.vec").words == words


def test_a_repair_that_leaves_nothing_says_of_which_file(tmp_path):
    (tmp_path / "bad").write_text("1 3\na nan 2 3\n")
    status, _, said = run("convert", tmp_path / "bad", tmp_path / "x.vec", "--repair")
    assert status == 1
    assert f"Error: {tmp_path / 'bad'}: no word is left after the repair; get the file again" in said
    assert not (tmp_path / "x.vec").exists()


def test_convert_takes_no_pipe(tmp_path):
    status, _, said = run("convert", "-", tmp_path / "x.vec")
    assert (status, "save it to a file first" in said) == (1, True)


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


@pytest.mark.parametrize("name", ["x.npz", "x.npy", "x.safetensors"])
def test_info_refuses_what_is_not_finite_and_tells_large_norms(tmp_path, name, monkeypatch):
    largest = np.full((2, 3), np.finfo(np.float32).max)
    formats.write(tmp_path / name, Content(["a", "b"], largest, None, {"loss": float("nan"), "more\nlines": 1}))
    facts = json.loads(run("info", tmp_path / name, "--json")[1], parse_constant=pytest.fail)
    assert facts["norms"]["most"] == pytest.approx(3**0.5 * float(largest[0, 0]))
    assert facts["settings"]["loss"] == "nan"
    assert "more\\nlines" in run("info", tmp_path / name)[1]
    monkeypatch.setattr(text, "all_finite", lambda values: True)
    formats.write(tmp_path / name, Content(["a", "b"], np.array([[1, 2], [np.nan, 1]], np.float32)))
    status, said, complaint = run("info", tmp_path / name, "--json")
    assert (status, said, "the vector of 'b' is not finite" in complaint) == (1, "", True)
