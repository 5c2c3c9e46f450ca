"""The cache: when it is used, what it notices, and what others do to it."""

import io
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import generate
import numpy as np
import pytest
from programs import POSIX, start_python

from embedtrain import Corpus, DataError, train_skipgram
from embedtrain.corpus import cache as cache_module
from embedtrain.corpus import encoding
from embedtrain.corpus.cache import clear_cache, encode_cached, list_cache
from embedtrain.corpus.encoding import encode
from embedtrain.corpus.text_chunks import read_chunks

FILES = ["ids", "offsets", "words", "starts", "counts", "about.json"]


pytestmark = pytest.mark.usefixtures("warm_kernels")  # before any test puts limits on the process


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("".join(" ".join(tokens) + "\n" for tokens in generate.sentences(600)))
    return path


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def readings(monkeypatch):
    """The corpora whose text is read from now on, but those in memory."""
    seen = []

    def counted(corpus):
        if not corpus.in_memory:
            seen.append(corpus)
        return read_chunks(corpus)

    monkeypatch.setattr(encoding, "read_chunks", counted)
    return seen


def contents(encoded):
    words = encoded.vocabulary
    return (
        encoded.ids.tolist(), encoded.offsets.tolist(), list(words.words), words.counts.tolist(), encoded.notes
    )  # fmt: skip


def cached(corpus, cache, threads=1):
    encoded = encode_cached(Corpus.of(corpus), cache, threads=threads)
    return contents(encoded)


def make_older(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


def plain(corpus):
    encoded = encode(corpus, threads=1)
    return contents(encoded)


def train(corpus, **settings):
    defaults = {"dim": 8, "epochs": 1, "min_count": 2, "threads": 1, "progress": False}
    return train_skipgram(corpus, **{**defaults, **settings})


def files_in(cache):
    return sorted(path.name for path in cache.iterdir())


def the_entry(cache):
    (entry,) = list_cache(cache)
    assert files_in(cache) == [entry.path.name]
    return entry.path


def refused(part):
    """An error whose message is one line with `part` in it."""
    return pytest.raises(DataError, match=rf"\A[^\n]*{part}[^\n]*\Z")


# --- What is used again -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_a_second_run_reads_no_text_and_finds_the_same(text, cache, readings, threads):
    first = cached(text, cache, threads)
    assert len(readings) == 1
    second = cached(text, cache, threads)
    assert len(readings) == 1
    assert first == second == plain(text)


def test_a_second_training_reads_no_text_and_gives_the_same_bytes(text, cache, readings):
    wanted = train(text)
    vectors = [train(text, cache=cache) for _ in range(2)]
    assert len(readings) == 2
    for found in vectors:
        assert found.words == wanted.words
        assert found.counts.tolist() == wanted.counts.tolist()
        assert found.vectors.tobytes() == wanted.vectors.tobytes()
        assert found.context_vectors.tobytes() == wanted.context_vectors.tobytes()


@pytest.mark.parametrize(
    "settings",
    [{"min_count": 5}, {"dim": 3}, {"max_vocab": 10}, {"window": 2, "sample": 0, "seed": 7}, {"valid_share": 0.1}],
    ids=lambda settings: " ".join(settings),
)
def test_settings_of_the_model_use_the_same_entry(text, cache, readings, settings):
    train(text, cache=cache)
    found = train(text, cache=cache, **settings)
    assert len(readings) == 1
    assert found.vectors.tobytes() == train(text, **settings).vectors.tobytes()
    assert the_entry(cache)


def test_the_same_text_by_another_path_is_the_same_entry(text, cache, readings, monkeypatch):
    cached(text, cache)
    monkeypatch.chdir(text.parent)
    assert cached("text.txt", cache) == cached(f"../{text.parent.name}/text.txt", cache) == plain("text.txt")
    assert readings == [Corpus(text), Corpus("text.txt")]
    assert the_entry(cache)


def test_notes_on_the_text_come_again(text, cache, readings):
    text.write_bytes(text.read_bytes() + b"a nul\0 and caf\xe9\n")
    shown = []
    for _ in range(2):
        with pytest.warns(UserWarning, match="control|UTF-8") as notes:
            train(text, cache=cache)
        shown.append([str(note.message) for note in notes])
    assert len(readings) == 1
    assert shown[0] == shown[1] == list(plain(text)[-1])
    assert len(shown[0]) == 2


def test_held_out_text_is_kept_too(text, cache, readings):
    other = text.with_name("other.txt")
    shutil.copy(text, other)
    losses = [train(text, valid=other, cache=cache).report.valid_losses for _ in range(2)]
    assert len(readings) == 2
    assert losses[0] == losses[1] == train(text, valid=other).report.valid_losses
    assert len(list_cache(cache)) == 2


# --- What is another text ---------------------------------------------------------------------------------------------


def lowercase(text):
    return Corpus(text, lowercase=True)


def refusing(text):
    return Corpus(text, invalid_utf8="refuse")


def twice(text):
    return Corpus(text, text)


def folder_of(text):
    return Corpus(text.parent / "text*")


@pytest.mark.parametrize("other", [lowercase, refusing, twice, folder_of], ids=lambda make: make.__name__)
def test_other_options_and_sources_are_other_entries(text, cache, readings, other):
    text.write_text(text.read_text() + "The THE the\n")
    corpora = [Corpus(text), other(text)]
    for _ in range(2):
        assert [cached(corpus, cache) for corpus in corpora] == [plain(corpus) for corpus in corpora]
    assert len(readings) == 2 + 4  # and the plain ones
    assert len(list_cache(cache)) == 2


def test_another_field_is_another_entry(tmp_path, cache):
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "a b a", "title": "c d"}\n')
    corpora = [Corpus(path), Corpus(path, field="title")]
    for _ in range(2):
        assert [cached(corpus, cache)[2] for corpus in corpora] == [["a", "b"], ["c", "d"]]
    assert len(list_cache(cache)) == 2


def longer(text):
    text.write_text(text.read_text() + "one more line\n")


def longer_with_the_old_time(text):
    state = text.stat()
    longer(text)
    os.utime(text, ns=(state.st_atime_ns, state.st_mtime_ns))


def of_the_same_size(text):
    state = text.stat()
    text.write_text(text.read_text().replace("the ", "teh "))
    os.utime(text, ns=(state.st_atime_ns, state.st_mtime_ns + 1))


@pytest.mark.parametrize(
    "change", [longer, longer_with_the_old_time, of_the_same_size], ids=lambda change: change.__name__
)
def test_a_changed_file_is_read_again_and_replaces_the_old_entry(text, cache, change):
    before = cached(text, cache)
    entry = the_entry(cache)
    change(text)
    after = cached(text, cache)
    assert before != after == plain(text) == cached(text, cache)
    assert the_entry(cache) == entry


def add(folder):
    (folder / "b.txt").write_text("new words\n")


def remove(folder):
    (folder / "a.txt").unlink()


def rename(folder):
    (folder / "a.txt").rename(folder / "z.txt")


@pytest.mark.parametrize("change", [add, remove, rename], ids=lambda change: change.__name__)
def test_a_changed_folder_is_read_again_and_replaces_the_old_entry(tmp_path, cache, change):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("a b\n")
    (folder / "c.txt").write_text("c d\n")
    before = cached(folder, cache)
    entry = the_entry(cache)
    change(folder)
    after = cached(folder, cache)
    assert before[:2] != after[:2] or before[2] != after[2]
    assert after == plain(folder) == cached(folder, cache)
    assert the_entry(cache) == entry


def test_a_cache_within_the_corpus_is_no_part_of_it(tmp_path, readings):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("a b\n")
    first = cached(folder, folder / "cache")
    assert cached(folder, folder / "cache") == first
    assert readings == [Corpus(folder)]


def test_text_that_is_written_to_meanwhile_is_not_kept(text, cache, monkeypatch):
    def disturbed(*args, **options):
        encoded = encode(*args, **options)
        longer(text)
        return encoded

    old = plain(text)
    monkeypatch.setattr(cache_module, "encode", disturbed)
    assert cached(text, cache) == old
    assert files_in(cache) == []
    monkeypatch.undo()
    assert cached(text, cache) == plain(text) != old


# --- What is never kept -----------------------------------------------------------------------------------------------


def iterable(text, monkeypatch):
    return (line.split() for line in text.read_text().splitlines())


def standard_input(text, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(open(text, "rb")))
    return "-"


def pipe(text, monkeypatch):
    path = text.with_name("pipe")
    os.mkfifo(path)
    threading.Thread(target=lambda: path.write_bytes(text.read_bytes()), daemon=True).start()
    return path


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (iterable, "the corpus"),
        (standard_input, "standard input"),
        pytest.param(
            pipe, "pipe", marks=pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_cannot_be_known_again_is_trained_on_with_a_note_and_not_kept(text, cache, monkeypatch, source, name):
    wanted = train(text)
    corpus = source(text, monkeypatch)
    with pytest.warns(UserWarning, match=f"{name} is not kept in the cache: it cannot be known again$") as notes:
        vectors = train(corpus, cache=cache)
    assert len(notes) == 1
    assert vectors.vectors.tobytes() == wanted.vectors.tobytes()
    assert files_in(cache) == []


def test_text_that_is_refused_is_not_kept(text, cache):
    text.write_bytes(b"caf\xe9\n")
    with refused("is not UTF-8"):
        cached(refusing(text), cache)
    assert files_in(cache) == []


# --- Damage -----------------------------------------------------------------------------------------------------------


def gone(path):
    path.unlink()


def empty(path):
    path.write_bytes(b"")


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def halved(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def lengthened(path):
    path.write_bytes(path.read_bytes() + b"\0" * 8)


def a_folder(path):
    path.unlink()
    path.mkdir()


def number(position, value, dtype):
    """Changes a number of an array."""

    def change(path):
        numbers = np.fromfile(path, dtype)
        numbers[position] = value
        numbers.tofile(path)

    change.__name__ = f"{value} at {position}"
    return change


DAMAGES = [(name, damage) for name in FILES for damage in (gone, empty, cut, halved, lengthened, a_folder)]
#: Numbers with which a kernel would read or write outside its arrays, or words would not be words.
WRONG_NUMBERS = {
    "ids": [number(7, -1, np.int32), number(-1, 10_000, np.int32)],
    "offsets": [number(0, 1, np.int64), number(3, 0, np.int64), number(-2, 10_000, np.int64)],
    "starts": [number(0, 1, np.int64), number(3, 0, np.int64), number(-1, 10_000, np.int64)],
    "counts": [number(0, 1, np.int64), number(-1, 0, np.int64), number(-1, 2**62, np.int64)],
    "words": [number(2, 0xFF, np.uint8), number(2, 0x80, np.uint8)],
}


@pytest.mark.parametrize("at_once", [10, 1 << 20])
@pytest.mark.parametrize(
    ("name", "damage"), DAMAGES + [(name, damage) for name, found in WRONG_NUMBERS.items() for damage in found],
    ids=lambda value: getattr(value, "__name__", value),
)  # fmt: skip
def test_damage_to_the_structure_is_noticed_and_repaired(text, cache, readings, monkeypatch, name, damage, at_once):
    monkeypatch.setattr(cache_module, "_AT_ONCE", at_once)
    first = cached(text, cache)
    damage(the_entry(cache) / name)
    assert cached(text, cache) == first
    assert len(readings) == 2
    assert sorted(path.name for path in the_entry(cache).iterdir()) == sorted(FILES)
    assert cached(text, cache) == first
    assert len(readings) == 2


def edited(**changes):
    def edit(content):
        return json.dumps({**json.loads(content), **changes})

    return edit


ABOUTS = {
    "another version": edited(version=[2, sys.byteorder]),
    "no identity": edited(identity=None),
    "no JSON": lambda content: "{" + content,
    "deep JSON": lambda content: "[" * 100_000,
    "a list": lambda content: f"[{content}]",
    "null": lambda content: "null",
    "an object without anything": lambda content: "{}",
}


@pytest.mark.parametrize("change", ABOUTS.values(), ids=ABOUTS)
def test_a_wrong_description_is_noticed_and_repaired(text, cache, readings, change):
    first = cached(text, cache)
    about = the_entry(cache) / "about.json"
    about.write_text(change(about.read_text()))
    assert [entry.sources for entry in list_cache(cache)] == [("(damaged, or of another version)",)]
    assert cached(text, cache) == first
    assert len(readings) == 2
    assert [entry.sources for entry in list_cache(cache)] == [(str(text),)]


def test_an_entry_of_another_version_is_replaced(text, cache, readings, monkeypatch):
    monkeypatch.setattr(cache_module, "_VERSION", 0)
    first = cached(text, cache)
    monkeypatch.undo()
    assert cached(text, cache) == first
    assert json.loads((the_entry(cache) / "about.json").read_text())["version"] == [1, sys.byteorder]


def test_an_entry_that_also_has_checksums_as_earlier_ones_had_is_read(text, cache, readings):
    first = cached(text, cache)
    about = the_entry(cache) / "about.json"
    about.write_text(edited(checksums={name: [0] for name in FILES[:-1]}, checksum="0" * 64)(about.read_text()))
    assert cached(text, cache) == first
    assert len(readings) == 1


def to_a_file(entry):
    shutil.rmtree(entry)
    entry.write_text("no folder")


def to_an_empty_folder(entry):
    shutil.rmtree(entry)
    entry.mkdir()


@pytest.mark.parametrize("change", [to_a_file, to_an_empty_folder], ids=lambda change: change.__name__)
def test_anything_else_of_the_name_of_an_entry_is_replaced(text, cache, change):
    first = cached(text, cache)
    change(the_entry(cache))
    assert cached(text, cache) == first
    assert (the_entry(cache) / "about.json").is_file()


# --- Other runs -------------------------------------------------------------------------------------------------------


KILLED = """
import sys, time
from pathlib import Path
from embedtrain import Corpus
from embedtrain.corpus import cache, encoding

def wait(*args):
    print("now", flush=True)
    time.sleep(60)

if sys.argv[3] == "encoding":
    encoding._write_offsets = wait
else:
    Path.rename = wait
cache.encode_cached(Corpus(sys.argv[1]), sys.argv[2], threads=2)
"""


@POSIX
@pytest.mark.parametrize(("stage", "n_left"), [("encoding", 0), ("writing", 1)])
def test_what_a_killed_run_was_building_is_not_taken(text, cache, stage, n_left):
    run = start_python("-c", KILLED, text, cache, stage)
    assert run.stdout.readline() == "now\n"
    run.send_signal(signal.SIGKILL)
    run.communicate()
    left = list(cache.iterdir())
    assert len(left) == n_left
    assert list_cache(cache) == []
    assert cached(text, cache) == plain(text)
    for path in left:
        assert path.exists(), "it might be of a run that goes on"
        make_older(path, 8 * 24 * 3600)
    clear_cache(cache)
    assert files_in(cache) == []


@pytest.mark.parametrize("name", ["encode", "_write"])
def test_an_error_leaves_nothing(text, cache, monkeypatch, name):
    def failing(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(cache_module, name, failing)
    with pytest.raises(KeyboardInterrupt):
        cached(text, cache)
    assert files_in(cache) == []


TRAIN = """
import sys
from embedtrain import train_skipgram
vectors = train_skipgram(sys.argv[1], cache=sys.argv[2], dim=8, epochs=1, min_count=2, threads=1, progress=False)
sys.stdout.buffer.write(vectors.vectors.tobytes())
"""


def test_two_processes_at_once_find_the_same(text, cache):
    runs = [start_python("-c", TRAIN, text, cache, encoding=None) for _ in range(2)]
    found = [run.communicate() for run in runs]
    assert found == [(train(text).vectors.tobytes(), b"")] * 2
    assert cached(text, cache) == plain(text)
    assert the_entry(cache)


def test_a_run_that_is_too_late_takes_the_entry_of_the_other(text, cache, monkeypatch):
    write = cache_module._write

    def too_late(*args):
        write(*args)
        raise DataError("cannot write the entry: Directory not empty")

    monkeypatch.setattr(cache_module, "_write", too_late)
    assert cached(text, cache) == plain(text)
    assert the_entry(cache)


def test_a_cache_that_cannot_be_written_is_an_error(text, cache, monkeypatch):
    def fail(*args):
        raise DataError("cannot write the entry: No space left on device")

    monkeypatch.setattr(cache_module, "_write", fail)
    with refused("No space left on device"):
        cached(text, cache)


def test_an_entry_that_another_run_removes_at_once_serves_the_run_that_made_it(text, cache, monkeypatch):
    write = cache_module._write

    def in_vain(*args):
        write(*args)
        clear_cache(cache)

    monkeypatch.setattr(cache_module, "_write", in_vain)
    assert cached(text, cache) == plain(text)
    assert files_in(cache) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a folder of open files is neither moved nor removed there")
@pytest.mark.parametrize("of", ["a new entry", "an old entry"])
def test_an_entry_that_is_removed_serves_the_runs_that_have_it(text, cache, of):
    wanted = plain(text)
    if of == "an old entry":
        assert cached(text, cache) == wanted
    encoded = encode_cached(Corpus(text), cache, threads=1)
    clear_cache(cache)
    assert contents(encoded) == wanted


# --- Folders that do not serve ----------------------------------------------------------------------------------------


@contextmanager
def no_privileges():
    """Root may write everywhere; so that what is read-only is read-only, it is nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public_folder():
    """A folder that anyone may enter, which pytest's are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="folders are not read-only there")
def test_a_read_only_cache_gives_what_it_has_and_takes_nothing(text, public_folder):
    path, cache = public_folder / "text.txt", public_folder / "cache"
    shutil.copy(text, path)
    wanted = cached(path, cache)
    other = public_folder / "other.txt"
    other.write_text("other words\n")
    cache.chmod(0o555)
    try:
        with no_privileges():
            assert cached(path, cache) == wanted
            with refused("cannot write temporary files in .*cache: Permission denied"):
                cached(other, cache)
            with refused("cannot write .*cache/deeper: Permission denied"):
                cached(other, cache / "deeper")
            with refused("cannot write .*cache: Permission denied"):
                clear_cache(cache)
    finally:
        cache.chmod(0o755)
    assert the_entry(cache)


@pytest.mark.parametrize("name", ["text.txt", "text.txt/cache"])
def test_a_cache_that_is_no_folder_is_refused(text, name):
    before = text.read_bytes()
    with refused(f"cannot write .*{name}"):
        cached(text, text.parent / name)
    assert text.read_bytes() == before


@pytest.mark.parametrize("name", ["text.txt", "missing"])
@pytest.mark.parametrize("ask", [list_cache, clear_cache])
def test_there_is_no_cache_where_there_is_no_folder(text, name, ask):
    with refused(f"there is no cache .*{name}"):
        ask(text.parent / name)
    assert files_in(text.parent) == ["text.txt"]


def test_missing_folders_are_made(text, tmp_path):
    assert cached(text, tmp_path / "a" / "b") == plain(text)
    assert the_entry(tmp_path / "a" / "b")


# --- Listing and clearing ---------------------------------------------------------------------------------------------


def test_the_list_says_what_there_is(text, cache, monkeypatch):
    other = text.with_name("other.txt")
    other.write_text("a b a\nc\n")
    cached(text, cache)
    monkeypatch.chdir(text.parent)
    cached(Corpus("other.txt", text), cache)
    cached(other, cache)
    entries = {entry.sources: entry for entry in list_cache(cache)}
    n_tokens, n_types = len(text.read_text().split()), len(set(text.read_text().split()))
    assert {sources: (entry.n_tokens, entry.n_types) for sources, entry in entries.items()} == {
        (str(text),): (n_tokens, n_types),
        (str(other), str(text)): (n_tokens + 4, n_types + len({"a", "b", "c"} - set(text.read_text().split()))),
        (str(other),): (4, 3),
    }
    for entry in entries.values():
        sizes = {path.name: path.stat().st_size for path in entry.path.iterdir()}
        assert sorted(sizes) == sorted(FILES)
        assert entry.n_bytes == sum(sizes.values())
        assert sizes["ids"] == 4 * entry.n_tokens


def test_what_another_run_clears_at_once_is_gone(text, cache, monkeypatch):
    cached(text, cache)

    def about(path, about=cache_module._about):
        found = about(path)
        clear_cache(cache)
        return found

    monkeypatch.setattr(cache_module, "_about", about)
    assert list_cache(cache) == []


def test_two_runs_that_clear_at_the_same_time_clear_all(text, cache, monkeypatch):
    cached(text, cache)

    def remove(path, remove=shutil.rmtree):
        (path / "ids").unlink(missing_ok=True)
        monkeypatch.setattr(shutil, "rmtree", remove)
        raise FileNotFoundError(path / "ids")

    monkeypatch.setattr(shutil, "rmtree", remove)
    clear_cache(cache)
    assert files_in(cache) == []


def test_a_damaged_entry_is_listed_as_such(text, cache):
    cached(text, cache)
    entry = the_entry(cache)
    (entry / "about.json").write_text("{}")
    (found,) = list_cache(cache)
    assert found.sources == ("(damaged, or of another version)",)
    assert (found.n_tokens, found.n_types) == (0, 0)
    assert found.n_bytes == sum(path.stat().st_size for path in entry.iterdir()) > 0


def test_what_is_foreign_is_neither_listed_nor_removed(text, cache):
    cached(text, cache)
    (entry,) = list_cache(cache)
    (cache / "notes.txt").write_text("mine")
    (cache / "mine.encoded").mkdir()
    (cache / "mine.encoded" / "about.json").write_text("{}")
    (cache / ".hidden").mkdir()
    (cache / entry.path.name.replace(".encoded", ".backup")).mkdir()
    (cache / f".{'0' * 32}.encoded").write_text("a file")
    (cache / f".{'1' * 32}.encoded").symlink_to(text.parent)
    foreign = set(cache.iterdir()) - {entry.path}
    assert list_cache(cache) == [entry]
    clear_cache(cache)
    assert set(cache.iterdir()) == foreign
    assert (cache / "mine.encoded" / "about.json").read_text() == "{}"
    assert text.exists()


def test_after_clearing_the_text_is_read_again(text, cache, readings):
    first = cached(text, cache)
    clear_cache(cache)
    assert files_in(cache) == list_cache(cache) == []
    assert cached(text, cache) == first
    assert len(readings) == 2
