"""The cache: when it is used, what changes it notices, and other runs that use it."""

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
from zipfile import ZipFile

import generate
import numpy as np
import pytest
from programs import POSIX, start_python
from text_files import refused

from embedtrain import Corpus, DataError, train_skipgram
from embedtrain.corpus import cache as cache_module
from embedtrain.corpus import encoding
from embedtrain.corpus.cache import clear_cache, encode_cached, list_cache
from embedtrain.corpus.encoding import encode
from embedtrain.corpus.text_chunks import read_chunks
from embedtrain.machine.npz import map_arrays

pytestmark = pytest.mark.usefixtures("warm_kernels")  # before any test puts limits on the process


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("".join(" ".join(tokens) + "\n" for tokens in generate.sentences(1200)))
    return path


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def readings(monkeypatch):
    """The corpora whose text is read from now on, but those in memory."""
    seen = []

    def counted(corpus, processes, **options):
        if not corpus.in_memory:
            seen.append(corpus)
        return read_chunks(corpus, processes, **options)

    monkeypatch.setattr(encoding, "read_chunks", counted)
    return seen


def contents(encoded):
    ids, offsets, words = encoded.ids.tolist(), encoded.offsets.tolist(), encoded.vocabulary
    return ids, offsets, list(words.words), words.counts.tolist(), encoded.notes


def cached(corpus, cache, threads=1):
    return contents(encode_cached(Corpus.of(corpus), cache, threads=threads))


def make_older(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


def plain(corpus):
    return contents(encode(corpus, threads=1))


def train(corpus, **settings):
    defaults = {"dim": 8, "epochs": 1, "min_count": 2, "threads": 1, "progress": False}
    return train_skipgram(corpus, **{**defaults, **settings})


def files_in(cache):
    return sorted(path.name for path in cache.iterdir())


def the_entry(cache):
    (entry,) = list_cache(cache)
    assert files_in(cache) == [entry.path.name]
    return entry.path


# --- What is used again -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_a_second_run_reads_no_text_and_finds_the_same(text, cache, readings, threads):
    first = cached(text, cache, threads)
    assert len(readings) == 1
    second = cached(text, cache, threads)
    assert len(readings) == 1
    assert first == second == plain(text)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"min_count": 5},
        {"dim": 3},
        {"max_vocab": 10, "sample": 0.01},
        {"window": 2, "sample": 0, "seed": 7},
        {"valid_share": 0.1},
    ],
    ids=" ".join,
)
def test_a_second_training_reads_no_text_and_gives_the_same_bytes(text, cache, readings, settings):
    train(text, cache=cache)
    found = train(text, cache=cache, **settings)
    assert len(readings) == 1
    wanted = train(text, **settings)
    assert (found.words, found.counts.tolist()) == (wanted.words, wanted.counts.tolist())
    assert found.vectors.tobytes() == wanted.vectors.tobytes()
    assert found.context_vectors.tobytes() == wanted.context_vectors.tobytes()
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


OTHERS = {
    "lowercase": lambda text: Corpus(text, lowercase=True),
    "refuse": lambda text: Corpus(text, invalid_utf8="refuse"),
    "words": lambda text: Corpus(text, tokenize="words"),
    "nfc": lambda text: Corpus(text, normalize="nfc"),
    "twice": lambda text: Corpus(text, text),
    "pattern": lambda text: Corpus(text.parent / "text*"),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_other_options_and_sources_are_other_entries(text, cache, readings, other):
    text.write_text(text.read_text() + "The THE the\n")
    corpora = [Corpus(text), other(text)]
    for _ in range(2):
        assert [cached(corpus, cache) for corpus in corpora] == [plain(corpus) for corpus in corpora]
    assert len(readings) == 2 + 4  # and the plain ones
    assert len(list_cache(cache)) == 2


def rewrite(path, content, later=0):
    """Replace the content of a file, and leave its time so many nanoseconds later."""
    state = path.stat()
    path.write_text(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + later))


CHANGES = {
    "longer": lambda folder: rewrite(folder / "a.txt", "a b c\n"),
    "of the same size": lambda folder: rewrite(folder / "a.txt", "b a\n", later=1),
    "another file": lambda folder: (folder / "b.txt").write_text("new words\n"),
    "a file less": lambda folder: (folder / "a.txt").unlink(),
    "another name": lambda folder: (folder / "a.txt").rename(folder / "z.txt"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_changed_text_is_read_again_and_replaces_the_old_entry(tmp_path, cache, change):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("a b\n")
    (folder / "c.txt").write_text("c d\n")
    before = cached(folder, cache)
    entry = the_entry(cache)
    change(folder)
    after = cached(folder, cache)
    assert before != after == plain(folder) == cached(folder, cache)
    assert the_entry(cache) == entry


def test_a_cache_within_the_folder_of_the_corpus_is_not_read_as_text(tmp_path, readings):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("a b\n")
    first = cached(folder, folder / "cache")
    assert cached(folder, folder / "cache") == first
    assert readings == [Corpus(folder)]


def test_text_that_is_written_to_meanwhile_is_not_kept(text, cache, monkeypatch):
    def disturbed(*args, **options):
        encoded = encode(*args, **options)
        text.write_text(text.read_text() + "one more line\n")
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
        pytest.param(pipe, "pipe", marks=pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_source_that_cannot_be_read_again_is_not_kept_and_noted(text, cache, monkeypatch, source, name):
    wanted = train(text)
    corpus = source(text, monkeypatch)
    with pytest.warns(UserWarning, match=f"{name} is not kept in the cache: it cannot be recognised later$") as notes:
        vectors = train(corpus, cache=cache)
    assert len(notes) == 1
    assert vectors.vectors.tobytes() == wanted.vectors.tobytes()
    assert files_in(cache) == []


def test_text_that_is_refused_is_not_kept(text, cache):
    text.write_bytes(b"caf\xe9\n")
    with refused("is not UTF-8"):
        cached(Corpus(text, invalid_utf8="refuse"), cache)
    assert files_in(cache) == []


# --- Damage -----------------------------------------------------------------------------------------------------------


def rewritten(change):
    """A damage that changes the bytes of an entry."""
    return lambda path: path.write_bytes(change(path.read_bytes()))


def in_array(name):
    """A damage that changes the lowest bit of the last byte of an array."""

    def change(path):
        with ZipFile(path) as archive:
            member = archive.getinfo(f"{name}.npy")
            content = archive.read(member)
        data = bytearray(path.read_bytes())
        data[data.index(content) + len(content) - 1] ^= 1
        path.write_bytes(data)

    return change


def described(**changes):
    """A damage that writes another description, or no array of it."""

    def change(path):
        arrays = dict(map_arrays(path, mapped=False))
        about = {**json.loads(arrays.pop("about").tobytes()), **changes}
        if about["format"]:
            arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
        np.savez(path, **arrays)

    return change


DAMAGES = {
    "empty": rewritten(lambda content: b""),
    "cut": rewritten(lambda content: content[:-1]),
    "halved": rewritten(lambda content: content[: len(content) // 2]),
    "another file": rewritten(lambda content: b"a text\n"),
    **{f"a bit of {name}": in_array(name) for name in ("about", "ids", "offsets", "words", "starts", "counts")},
    "another version": described(format=2),
    "no description": described(format=None),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_is_noticed_and_repaired(text, cache, readings, damage):
    first = cached(text, cache)
    entry = the_entry(cache)
    whole = entry.read_bytes()
    damage(entry)
    assert cached(text, cache) == first
    assert len(readings) == 2
    assert the_entry(cache).read_bytes() == whole
    assert cached(text, cache) == first
    assert len(readings) == 2


@pytest.mark.parametrize("damage", [DAMAGES["cut"], DAMAGES["another version"], DAMAGES["a bit of about"]])
def test_a_wrong_description_is_listed_as_such(text, cache, damage):
    cached(text, cache)
    damage(the_entry(cache))
    (found,) = list_cache(cache)
    assert found.sources == ("(damaged, or of another version)",)
    assert (found.n_tokens, found.n_types) == (0, 0)
    assert found.n_bytes == found.path.stat().st_size > 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("make", ["mkfifo", "mkdir"])
def test_what_has_the_name_of_an_entry_is_not_read(text, cache, make):
    cached(text, cache)
    entry = the_entry(cache)
    entry.unlink()
    getattr(os, make)(entry)
    assert list_cache(cache) == []
    assert cache_module._about(entry) == {}


# --- Other runs -------------------------------------------------------------------------------------------------------


KILLED = """
import os, sys, time
from pathlib import Path
from embedtrain import Corpus
from embedtrain.corpus import cache, encoding

def wait(*args, **options):
    print("now", flush=True)
    time.sleep(60)

if sys.argv[3] == "encoding":
    encoding._write_offsets = wait
else:
    os.replace = wait
cache.encode_cached(Corpus(sys.argv[1]), sys.argv[2], threads=2)
"""


@POSIX
@pytest.mark.parametrize(("stage", "n_left"), [("encoding", 0), ("writing", 1)])
def test_an_unfinished_entry_of_a_killed_run_is_not_used(text, cache, stage, n_left):
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
    assert [output for output, _ in found] == [train(text).vectors.tobytes()] * 2
    assert all(b"are few" in errors and errors.count(b"Warning") == 1 for _, errors in found), "a note on little text"
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


def test_a_run_can_use_the_entry_it_made_after_another_run_removed_it(text, cache, monkeypatch):
    write = cache_module._write

    def in_vain(*args):
        write(*args)
        clear_cache(cache)

    monkeypatch.setattr(cache_module, "_write", in_vain)
    assert cached(text, cache) == plain(text)
    assert files_in(cache) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a folder of open files is neither moved nor removed there")
@pytest.mark.parametrize("of", ["a new entry", "an old entry"])
def test_runs_can_use_an_entry_after_it_is_removed(text, cache, of):
    wanted = plain(text)
    if of == "an old entry":
        assert cached(text, cache) == wanted
    encoded = encode_cached(Corpus(text), cache, threads=1)
    clear_cache(cache)
    assert contents(encoded) == wanted


# --- Folders that cannot be used --------------------------------------------------------------------------------------


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
def test_a_read_only_cache_is_read_and_refuses_new_entries(text, public_folder):
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
def test_a_cache_that_is_not_a_folder_is_refused(text, name):
    before = text.read_bytes()
    with refused(f"cannot write .*{name}"):
        cached(text, text.parent / name)
    assert text.read_bytes() == before


@pytest.mark.parametrize("name", ["text.txt", "missing"])
@pytest.mark.parametrize("action", [list_cache, clear_cache])
def test_a_missing_cache_is_refused(text, name, action):
    with refused(f"there is no cache .*{name}"):
        action(text.parent / name)
    assert files_in(text.parent) == ["text.txt"]


def test_missing_folders_are_made(text, tmp_path):
    assert cached(text, tmp_path / "a" / "b") == plain(text)
    assert the_entry(tmp_path / "a" / "b")


# --- Listing and clearing ---------------------------------------------------------------------------------------------


def test_entries_are_listed_with_their_sources_and_sizes(text, cache, monkeypatch):
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
        assert entry.n_bytes == entry.path.stat().st_size > 4 * entry.n_tokens


def test_an_entry_that_another_run_clears_meanwhile_is_not_listed(text, cache, monkeypatch):
    cached(text, cache)

    def about(path, about=cache_module._about):
        found = about(path)
        clear_cache(cache)
        return found

    monkeypatch.setattr(cache_module, "_about", about)
    assert list_cache(cache) == []


def test_two_runs_that_clear_at_the_same_time_clear_all(text, cache, monkeypatch):
    cached(text, cache)
    entries = cache_module._entries(cache)
    clear_cache(cache)
    monkeypatch.setattr(cache_module, "_entries", lambda folder: entries)
    clear_cache(cache)
    assert files_in(cache) == []


def test_other_files_are_neither_listed_nor_removed(text, cache):
    cached(text, cache)
    (entry,) = list_cache(cache)
    (cache / "notes.txt").write_text("mine")
    (cache / "mine.encoded.npz").write_text("mine")
    (cache / ".hidden").mkdir()
    (cache / entry.path.name.replace(".encoded", ".backup")).write_text("mine")
    (cache / f".{'0' * 32}.encoded.npz").mkdir()
    (cache / f".{'1' * 32}.encoded.npz").symlink_to(text)
    foreign = set(cache.iterdir()) - {entry.path}
    assert list_cache(cache) == [entry]
    clear_cache(cache)
    assert set(cache.iterdir()) == foreign
    assert (cache / "mine.encoded.npz").read_text() == "mine"
    assert text.exists()


def test_after_clearing_the_text_is_read_again(text, cache, readings):
    first = cached(text, cache)
    clear_cache(cache)
    assert files_in(cache) == list_cache(cache) == []
    assert cached(text, cache) == first
    assert len(readings) == 2
