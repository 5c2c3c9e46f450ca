"""The command `cache`."""

import pytest
from commands import contents, counted, error_of, named, run

from embedtrain.machine.progress import counted as counted_as

pytestmark = pytest.mark.usefixtures("warm_kernels")


@pytest.fixture
def full_cache(folder):
    (folder / "a\nname").write_text("a b a c\n")
    for corpus in (["text.txt"], ["a\nname", "one.txt"]):
        assert run("vocab", *corpus, "--min-count", 1, "--cache", "cache", "-o", "x").exit_code == 0
    (folder / "cache" / "notes").write_text("mine")
    return folder / "cache"


def test_a_cache_is_listed(folder, full_cache):
    before = contents(full_cache)
    done = run("cache", "cache")
    assert (done.exit_code, done.stderr) == (0, "")
    *entries, total = done.stdout.splitlines()
    n_tokens = len((folder / "text.txt").read_text().split())
    listed = {entry.split("types  ")[1]: entry for entry in entries}
    several = f"{folder / 'a'}\\nname, {folder / 'one.txt'}"
    assert set(listed) == {str(folder / "text.txt"), several}
    assert f"{n_tokens:,} tokens of {len(counted()):,} types" in listed[str(folder / "text.txt")]
    assert "9 tokens of 4 types" in listed[several]
    assert total.startswith("2 encoded corpora, ")
    assert contents(full_cache) == before


def test_numbers_of_one_are_singular(folder):
    (folder / "word.txt").write_text("word\n")
    run("vocab", "word.txt", "--cache", "single", "--min-count", 1)
    assert " 1 token of 1 type  " in run("cache", "single").stdout
    assert counted_as(1, "word") == "1 word"
    assert counted_as(0, "word") == "0 words"
    assert counted_as(2000, "word") == "2,000 words"


def test_a_damaged_entry_is_listed(full_cache):
    for entry in full_cache.glob(".*.encoded.npz"):
        entry.write_bytes(entry.read_bytes()[:-9])
    done = run("cache", "cache")
    assert done.exit_code == 0
    assert done.stdout.count("(damaged, or of another version)") == 2


def test_a_cache_is_cleared_of_its_entries_only(full_cache):
    done = run("cache", "cache", "--clear")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].endswith(", removed")
    assert contents(full_cache) == {"notes": b"mine"}
    assert run("cache", "cache").stdout == "0 encoded corpora, 0 bytes\n"


REFUSED_BY_CACHE = [
    (1, ["missing"], "there is no cache missing: no such folder"),
    (1, ["missing", "--clear"], "there is no cache missing: no such folder"),
    (1, ["text.txt"], "there is no cache text.txt"),
    (1, ["text.txt", "--clear"], "there is no cache text.txt"),
    (2, [], "FOLDER"),
    (2, ["folder", "--nonsense"], "--nonsense"),
]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED_BY_CACHE, ids=named(REFUSED_BY_CACHE))
def test_bad_input_of_cache_is_one_line(folder, status, args, message):
    before = contents(folder)
    assert message in error_of(run("cache", *args), status)
    assert contents(folder) == before
