"""The command `convert`."""

import json
import os

import numpy as np
import pytest
from click.testing import CliRunner

from embedtrain import formats
from embedtrain.cli import main
from embedtrain.formats import table
from embedtrain.formats.format import ReadOptions, VectorTable

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


def test_convert_does_not_replace_the_current_folder(good, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in (".", tmp_path / "here"):
        status, _, said = run("convert", good, name)
        assert (status, said) == (1, f"Error: cannot write {name}: it is the current folder; name a new folder\n")
    assert run("convert", good, "x.npy")[0] == 0


def test_convert_takes_a_part_and_halves(good, tmp_path):
    assert run("convert", good, tmp_path / "x", "--format", "npz", "--limit", "2", "--float16")[0] == 0
    found = formats.read(tmp_path / "x", ReadOptions(mmap=True))
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


BAD = {
    "not finite": (b"2 3\na 1 2 3\nb nan 2 3\n", "line 3: the vector of 'b'"),
    "NUL": (b"2 3\na 1 2 3\nb\0x 4 5 6\n", "line 3: the word 'b\\x00x'"),
    "NUL first": (b"b\0x 4 5 6\na 1 2 3\n", "line 1: the word 'b\\x00x'"),
    "header": (b"3 3\na 1 2 3\n", "promises 3 words"),
    "twice": (b"2 3\na 1 2 3\na 4 5 6\n", "line 3: the word 'a' appears twice, first in line 2"),
    "space": (b"2 3\nnew york 1 2 3\na 1 2 3\n", "line 2: the word 'new york' has whitespace"),
    "other whitespace": ("2 3\na 1 2 3\nb\u00a0 4 5 6\n".encode(), "line 3: the word 'b\\xa0' has whitespace"),
    "cut short": (b"2 1\na \xcd\xcc\xcc=\nb \xcd", "promises 2 words"),
}


@pytest.mark.parametrize(("data", "problem"), BAD.values(), ids=BAD)
def test_bad_rows_are_refused_skipped_and_listed(tmp_path, data, problem):
    (tmp_path / "bad").write_bytes(data)
    status, _, said = run("convert", tmp_path / "bad", tmp_path / "x.vec")
    assert (status, problem in said, "convert --errors skip`" in said) == (1, True, True)
    assert not (tmp_path / "x.vec").exists()
    status, _, said = run("convert", tmp_path / "bad", tmp_path / "x.vec", "--errors", "skip")
    assert (status, problem in said, said.startswith("Note: skipped 1 error, the first: ")) == (0, True, True)
    assert formats.read(tmp_path / "x.vec").words == ["a"]
    status, listed, said = run("check", tmp_path / "bad")
    assert (status, problem in listed, listed.count("\n")) == (1, True, 1)
    assert said == f"{tmp_path / 'bad'}: 1 problem, 1 good row\n"


def test_words_that_are_not_utf8_are_converted_with_a_note_and_listed(tmp_path):
    (tmp_path / "odd").write_bytes(b"2 3\ncaf\xe9 1 2 3\na 1 2 3\n")
    note = (
        f"{tmp_path / 'odd'}: 1 word with bytes that are not UTF-8 and became U+FFFD, the first in line 2: 'caf\ufffd'"
    )
    status, _, said = run("convert", tmp_path / "odd", tmp_path / "x.vec")
    assert (status, said.splitlines()[0]) == (0, f"Note: {note}")
    assert formats.read(tmp_path / "x.vec").words == ["caf\ufffd", "a"]
    status, listed, said = run("check", tmp_path / "odd")
    assert (status, listed, said) == (1, f"{note}\n", f"{tmp_path / 'odd'}: 1 problem, 2 good rows\n")


@pytest.mark.parametrize("name", ["x.vec", "x.vec.gz", "x.bin", "x.npz", "x.npy"])
def test_check_finds_nothing_in_what_is_written(good, tmp_path, name):
    assert run("convert", good, tmp_path / name)[0] == 0
    assert run("check", tmp_path / name) == (0, "", f"{tmp_path / name}: no problems found\n")


def test_check_lists_every_problem_and_refuses_what_is_not_vectors(good):
    good.write_text(GOOD.replace("cat", "the") + "short 1\n")
    status, listed, _ = run("check", good)
    assert (status, listed.count("\n")) == (1, 3)
    assert "promises 3 words, 4 follow" in listed
    good.write_text("It was a dark and stormy night")
    status, listed, said = run("check", good)
    assert (status, listed, "is not a file of vectors" in said) == (1, "", True)


def test_a_file_without_a_good_row_is_refused(tmp_path):
    (tmp_path / "bad").write_text("1 3\na nan 2 3\n")
    status, _, said = run("convert", tmp_path / "bad", tmp_path / "x.vec", "--errors", "skip")
    assert status == 1
    assert f"Error: {tmp_path / 'bad'}: none of its rows can be read; get the file again" in said
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


def test_the_help_lists_the_formats_as_they_declare_themselves():
    status, said, _ = run("convert", "--help")
    assert status == 0
    assert all(f"{name} (" in said for name in formats.FORMATS)


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
    formats.write(tmp_path / name, VectorTable(["a", "b"], largest, None, {"loss": float("nan"), "more\nlines": 1}))
    facts = json.loads(run("info", tmp_path / name, "--json")[1], parse_constant=pytest.fail)
    assert facts["norms"]["most"] == pytest.approx(3**0.5 * float(largest[0, 0]))
    assert facts["settings"]["loss"] == "nan"
    assert "more\\nlines" in run("info", tmp_path / name)[1]
    with monkeypatch.context() as unchecked:
        unchecked.setattr(table, "rows_not_finite", lambda vectors: [])
        formats.write(tmp_path / name, VectorTable(["a", "b"], np.array([[1, 2], [np.nan, 1]], np.float32)))
    status, said, complaint = run("info", tmp_path / name, "--json")
    assert (status, said, "the vector of 'b' is not finite" in complaint) == (1, "", True)
