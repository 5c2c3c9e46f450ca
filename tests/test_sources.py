"""Sources of text: files, folders, patterns, pipes and iterables."""

import gzip
import io
import json
import os
import random
import re
import subprocess
import sys
import tarfile
import threading

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from text_files import is_plain_text, refused

from embedtrain import train_skipgram
from embedtrain.corpus import text_chunks
from embedtrain.corpus.sources import Corpus
from embedtrain.corpus.text_chunks import read_chunks as read
from embedtrain.errors import SettingError
from embedtrain.kernels.text.byte_masks import PADDING

BOM = b"\xef\xbb\xbf"
BITS = [b"a", b"bc", b" ", b"\n", b"\r", b"\t", b"\r\n", b"\x00", BOM, b"\xff", "é".encode(), "\u2003".encode()]
CONTENTS = st.lists(st.sampled_from(BITS) | st.binary(max_size=4), max_size=60).map(b"".join)
CHUNK_SIZES = [7, 64, 1 << 21]


def read_chunks(corpus):
    return read(Corpus.of(corpus))


def text_of(corpus):
    """The text of all chunks, after a check of their numbers and borders."""
    found = list(read_chunks(corpus))
    assert [chunk.number for chunk in found] == list(range(len(found)))
    texts = [text_in(chunk) for chunk in found]
    assert all(text[-1:] in (b" ", b"\n", b"\t", b"\r") for text in texts)
    return b"".join(texts)


def text_in(chunk):
    """The text of a chunk, after a check that it is read-only and padded."""
    assert not chunk.text.flags.writeable
    assert chunk.text[chunk.n :].tobytes() == b"\n" * PADDING
    return chunk.text[: chunk.n].tobytes()


def without_mark(content):
    """A byte order mark at the start is read as spaces."""
    return b"   " + content.removeprefix(BOM) if content.startswith(BOM) else content


def tar_of(name, content):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        about = tarfile.TarInfo(name)
        about.size = len(content)
        tar.addfile(about, io.BytesIO(content))
    return file.getvalue()


@pytest.fixture(params=CHUNK_SIZES)
def chunk_size(request, monkeypatch):
    monkeypatch.setattr(text_chunks, "_CHUNK", request.param)
    return request.param


# --- Files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", CHUNK_SIZES)
@settings(derandomize=True, deadline=None)
@given(content=CONTENTS)
@example(content=BOM)
@example(content=BOM[:2])
@example(content=BOM * 2)
@example(content=BOM + b"a " + BOM + b"b\n" + BOM + b"c")
@example(content=b"short " + b"x" * 1000 + b" short")
def test_chunks_are_the_file_cut_between_tokens(tmp_path_factory, size, content):
    assume(is_plain_text(content))
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_chunks, "_CHUNK", size)
        assert text_of(path) == without_mark(content) + b"\n"


def test_chunks_do_not_grow_with_the_distance_to_the_last_space(tmp_path, monkeypatch):
    monkeypatch.setattr(text_chunks, "_CHUNK", 64)
    monkeypatch.setattr(text_chunks, "_TAIL", 2)
    path = tmp_path / "text.txt"
    path.write_bytes(b"some words that are longer than two bytes " * 50)
    assert max(chunk.n for chunk in read_chunks(path)) <= 64 + len("longer")
    assert text_of(path) == path.read_bytes() + b"\n"


def test_a_file_is_read_as_its_chunks_are_consumed(tmp_path, monkeypatch):
    monkeypatch.setattr(text_chunks, "_CHUNK", 7)
    path = tmp_path / "text.txt"
    path.write_bytes(b"a b c\n" * 100)
    found = read_chunks(path)
    assert text_in(next(found)) == b"a b c\n"
    path.write_bytes(b"")  # what follows was not yet read: but for what a buffer holds
    assert sum(chunk.n for chunk in found) < 600
    found.close()


# --- Several files ----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """Make files in a folder from their names and contents, and return its path."""

    def make(files):
        for name, content in files.items():
            path = tmp_path / "texts" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return tmp_path / "texts"

    return make


def files_of(*sources):
    return [str(path) for path in Corpus(*sources).files()]


def under(folder, *names):
    return [os.path.join(folder, *name.split("/")) for name in names]


def link(path, target):
    try:
        path.symlink_to(target, target_is_directory=target.is_dir())
    except OSError:
        pytest.skip("no links here")


def test_several_files_are_read_one_after_the_other_each_ending_a_line(folder, chunk_size):
    texts = folder({"b": b"last words", "a": BOM + b"first\nfile", "c": b"", "d": BOM + b"end\n"})
    corpus = Corpus(texts / "b", str(texts / "a"), texts / "c", texts / "d", texts / "b")
    found = list(read(corpus))
    assert b"".join(map(text_in, found)) == b"last words\n   first\nfile\n\n   end\n\nlast words\n"
    by_file = [b"".join(text_in(chunk) for chunk in found if chunk.file == file) for file in range(5)]
    assert by_file == [b"last words\n", b"   first\nfile\n", b"\n", b"   end\n\n", b"last words\n"]
    assert [chunk.number for chunk in found] == list(range(len(found)))
    assert [chunk.file for chunk in found] == sorted(chunk.file for chunk in found)
    assert corpus.name == f"{texts / 'b'} and 4 more"


def test_a_folder_is_read_in_the_order_of_names_with_its_folders_without_what_is_hidden(folder):
    names = ["10.txt", "9.txt", "B.txt", "a/z.txt", "a-b.txt", "a/b/c", "a.txt", "é.txt"]
    random.Random(1).shuffle(names)
    hidden = [".hidden", "a/.hidden", ".git/config", "a/b/.cache/x", ".DS_Store"]
    texts = folder({name: name.encode() for name in [*names, *hidden]})
    wanted = under(texts, "10.txt", "9.txt", "B.txt", "a/b/c", "a/z.txt", "a-b.txt", "a.txt", "é.txt")
    assert files_of(texts) == files_of(f"{texts}{os.sep}") == wanted
    assert text_of(texts).decode() == "".join(f"{os.path.relpath(name, texts)}\n" for name in wanted).replace(
        os.sep, "/"
    )


def test_a_hidden_file_or_folder_that_is_named_is_read(folder):
    texts = folder({".hidden/a.txt": b"word"})
    assert files_of(texts / ".hidden") == files_of(texts / ".hidden" / "a.txt") == under(texts, ".hidden/a.txt")


@pytest.mark.parametrize("files", [[], [".hidden"], [".git/config", "a/.hidden"]], ids=["none", "hidden", "below"])
def test_a_folder_without_files_is_refused(folder, tmp_path, files):
    (tmp_path / "texts" / "empty" / "in it").mkdir(parents=True)
    texts = folder(dict.fromkeys(files, b"word"))
    for action in (Corpus(texts).files, Corpus(texts).require_readable, Corpus(texts).identity):
        with refused(r"the folder .*texts holds no files \(hidden ones do not count\)"):
            action()


def test_links_are_followed_and_no_folder_is_entered_twice(folder, tmp_path):
    texts = folder({"a/one": b"1", "b/two": b"2", "three": b"3"})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "four").write_bytes(b"4")
    link(texts / "a" / "circle", texts)
    link(texts / "elsewhere", tmp_path / "elsewhere")
    link(tmp_path / "elsewhere" / "back", texts / "b")  # two ways to b, one to itself
    link(tmp_path / "elsewhere" / "self", tmp_path / "elsewhere")
    link(texts / "b" / "deep", texts / "a")
    link(texts / "file", tmp_path / "elsewhere" / "four")
    assert files_of(texts) == under(texts, "a/one", "b/two", "elsewhere/four", "file", "three")


def test_files_do_not_depend_on_the_order_of_the_file_system(folder, monkeypatch):
    texts = folder({"a/1": b"", "b/c/2": b"", "d/3": b"", "e/4": b""})
    link(texts / "b" / "link", texts / "d" / "..")
    link(texts / "a" / "to c", texts / "b" / "c")
    wanted, walk = files_of(texts), os.walk

    def backwards(*args, **options):
        for root, folders, files in walk(*args, **options):
            folders.reverse()
            yield root, folders, files[::-1]

    monkeypatch.setattr(os, "walk", backwards)
    assert files_of(texts) == wanted == under(texts, "a/1", "a/to c/2", "d/3", "e/4")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_in_a_folder_are_not_waited_for(folder):
    texts = folder({"a": b"word"})
    os.mkfifo(texts / "pipe")
    assert files_of(texts) == under(texts, "a")
    (texts / "a").unlink()
    with refused("the folder .*texts holds no files"):
        Corpus(texts).files()


def test_what_cannot_be_read_is_refused_by_name(folder, monkeypatch):
    texts = folder({"a/b": b"word"})

    def fail(path, *args, **options):
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", fail)
        for action in (Corpus(texts).require_readable, lambda: text_of(texts)):
            with refused(rf"cannot read {re.escape(str(texts / 'a' / 'b'))}: Permission denied"):
                action()
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", fail)
        with refused(rf"cannot read {re.escape(str(texts))}: Permission denied"):
            Corpus(texts).files()


def test_a_pattern_gives_the_files_it_matches_in_order(folder):
    texts = folder({"b.txt": b"b", "a.txt": b"a", "c.log": b"c", ".d.txt": b"d", "x/y/z.txt": b"z", "x/w.txt": b"w"})
    assert files_of(f"{texts}/*.txt") == files_of(texts / "*.txt") == under(texts, "a.txt", "b.txt")
    assert files_of(f"{texts}/[bc].*") == under(texts, "b.txt", "c.log")
    assert files_of(f"{texts}/?.log", texts / "a.txt") == under(texts, "c.log", "a.txt")
    assert files_of(f"{texts}/**/*.txt") == under(texts, "a.txt", "b.txt", "x/w.txt", "x/y/z.txt")
    assert text_of(f"{texts}/*.txt") == b"a\nb\n"


def test_a_pattern_matches_folders_and_reads_no_file_twice(folder):
    texts = folder({"a": b"a", "x/y/z": b"z", "x/w": b"w"})
    everything = under(texts, "a", "x/w", "x/y/z")
    assert files_of(f"{texts}/*") == files_of(f"{texts}/**") == files_of(f"{texts}/**/*") == everything


def test_a_pattern_that_nothing_matches_is_refused(tmp_path):
    for action in (Corpus(tmp_path / "*.txt").files, Corpus(tmp_path / "*.txt").require_readable):
        with refused(r"no file matches the pattern .*\*\.txt"):
            action()


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_a_file_whose_name_is_a_pattern_is_that_file(folder):
    texts = folder({"[ab]*.txt": b"itself", "a.txt": b"a"})
    assert text_of(texts / "[ab]*.txt") == b"itself\n"
    assert files_of(texts / "[ab]?txt") == under(texts, "a.txt")


# --- Standard input and pipes -----------------------------------------------------------------------------------------

READ = "from embedtrain.corpus.sources import *; from embedtrain.corpus.text_chunks import *; import sys; "
READ += "sys.stdout.buffer.write(b''.join(chunk.text[:chunk.n].tobytes() for chunk in read_chunks(Corpus('-'))))"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_standard_input_is_read_from_a_pipe(pack):
    content = BOM + b"some words\n" * 50_000 + b"end"
    done = subprocess.run([sys.executable, "-c", READ], input=pack(content), capture_output=True, check=True)
    assert done.stdout == without_mark(content) + b"\n"


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_closed_standard_input_is_refused():
    done = subprocess.run(f'{sys.executable} -c "{READ}" <&-', shell=True, capture_output=True, text=True)
    assert done.stderr.rstrip().endswith("DataError: cannot read standard input: it is closed")


@pytest.fixture
def stdin(tmp_path, monkeypatch):
    """Make some bytes the standard input."""
    opened = []

    def make(content):
        (tmp_path / "stdin").write_bytes(content)
        opened.append(open(tmp_path / "stdin"))
        monkeypatch.setattr(sys, "stdin", opened[-1])

    yield make
    for file in opened:
        file.close()


def test_standard_input_is_read_and_named(stdin, folder, chunk_size):
    texts = folder({"a": b"a b"})
    stdin(b"c d\ne")
    corpus = Corpus(texts / "a", "-")
    corpus.require_readable()
    assert text_of(corpus) == b"a b\nc d\ne\n"
    assert [str(path) for path in corpus.files()] == [*under(texts, "a"), "-"]
    assert Corpus("-").name == "standard input"
    assert not sys.stdin.closed


@pytest.mark.parametrize("named", ["./-", "*", ".", "[-]"])
def test_a_file_named_as_standard_input_is_that_file(stdin, folder, monkeypatch, named):
    monkeypatch.chdir(folder({"-": b"of the file"}))
    stdin(b"of standard input")
    corpus = Corpus(named)
    corpus.require_readable()
    assert text_of(corpus) == b"of the file\n"
    assert corpus.name.endswith("-" if named == "./-" else named)
    assert corpus.identity() is not None
    assert text_of(Corpus("-", named)) == b"of standard input\nof the file\n"


def test_a_missing_file_named_as_standard_input_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with refused("cannot read .*[/\\\\]-: no such file"):
        Corpus("./-").require_readable()


@pytest.mark.parametrize("sources", [("-", "-"), ("-", "a.txt", "-")], ids=str)
def test_standard_input_is_read_once_only(sources):
    with refused('standard input can be read once only; name "-" once'):
        Corpus(*sources)


def test_standard_input_without_a_file_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("a b"))
    with refused("cannot read standard input: "):
        text_of("-")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("content", [b"some words\n" * 1000, b"a", b""], ids=["long", "short", "ends at once"])
def test_pipes_are_read(tmp_path, pack, content):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    corpus = Corpus(pipe)
    corpus.require_readable()  # and does not wait for anybody who writes
    assert corpus.identity() is None
    writer = threading.Thread(target=pipe.write_bytes, args=(pack(content),))
    writer.start()
    try:
        assert text_of(corpus) == content + b"\n"
    finally:
        writer.join()


# --- Lines and token lists --------------------------------------------------------------------------------------------


def test_token_lists_are_lines_of_tokens():
    sentences = [["a", "bc"], [], ["d"], ["é", "\u200b", "\ufeff"]]
    assert text_of(sentences) == "a bc\n\nd\né \u200b \ufeff\n".encode()
    assert text_of(tuple(tokens) for tokens in sentences) == text_of(sentences)
    assert text_of(iter(tokens) for tokens in sentences) == text_of(sentences)


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [text_of, Corpus.require_readable, Corpus.identity])
def test_a_missing_file_and_a_link_to_one_are_refused(folder, action):
    texts = folder({"a": b"word"})
    with refused(r"cannot read .*missing\.txt: no such file"):
        action(Corpus(texts / "missing.txt"))
    link(texts / "broken", texts / "missing")
    with refused("cannot read .*broken: no such file"):
        action(Corpus(texts))


@pytest.mark.parametrize(
    "text", ["two\nlines", "a\r\nb\u2028c\x1b[2J", "is this text?\nIt is.\n", "is this text? " * 400]
)
def test_text_in_the_place_of_a_path_makes_one_short_line(text):
    with refused("; a str is a path, text in memory is a list of lines") as caught:
        list(read_chunks(text))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("path", ["", "a\0b", "\0"])
def test_what_cannot_be_a_path_is_refused(path):
    with refused("a path must not be empty or hold NUL"):
        Corpus("text.txt", path)


@pytest.mark.parametrize("wrong", [b"a b c", bytearray(b"a b c"), 5, 1.5, None], ids=repr)
def test_what_is_not_text_is_refused(wrong):
    for sources in ([wrong], ["a.txt", wrong]):
        with refused(f"corpus must be a path, lines or token lists, got {type(wrong).__name__}"):
            Corpus(*sources)


@pytest.mark.parametrize("sources", [(), ("a.txt", ["a line"]), (["a line"], "a.txt"), (["a"], ["b"])], ids=str)
def test_sources_are_paths_or_one_iterable(sources):
    with refused("a corpus is paths, at least one, or one iterable of lines or token lists"):
        Corpus(*sources)


@pytest.mark.parametrize("value", ["ignore", "", None, "Replace"])
def test_an_unknown_value_of_invalid_utf8_is_refused(value):
    with pytest.raises(SettingError, match=rf"\Ainvalid_utf8 must be 'replace' or 'refuse', got {value!r}\Z"):
        Corpus("a.txt", invalid_utf8=value)


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        (["a line", ["a", "list"]], "sentence 2 is a token list where the first was a line"),
        ([["a", "list"], ["another"], "a line"], "sentence 3 is a bare string where the first was a token list"),
        ([["a"], 5], "sentence 2 must be a list of str, got int"),
        ([["a"], None], r"sentence 2 is missing \(None\); leave it out, in pandas by dropna\(\)"),
        (["a", float("nan")], r"sentence 2 is missing \(nan\); leave it out, in pandas by dropna\(\)"),
        ([["a"], [1, "a"]], "sentence 2 must be a list of str or of int, got int 1; convert or remove it"),
        ([["a"], {"text": "b"}], "sentence 2 must be a list of str, got dict"),
        ([[1.5]], "sentence 1 must be a list of str or of int, got float 1.5"),
        ([[1, 2], [3, None]], "sentence 2 must be a list of str or of int, got NoneType None"),
        ([["a", b"b"]], "sentence 1 must be a list of str or of int, got bytes b'b'"),
        ([b"a line"], "sentence 1 must be a list of str, got bytes"),
        ([["a"], b"a line"], "sentence 2 must be a list of str, got bytes"),
    ],
)
def test_wrong_items_are_refused_by_number(corpus, message):
    with refused(message):
        list(read_chunks(corpus))


NOT_TOKENS = "two\u2003words|end\u2003|end\n|a\tb|no\u00a0break|nul\0|\x7f|c1\x80".split("|")
BLANK = "| |\r|\u3000|\x85".split("|")


@pytest.mark.parametrize("token", NOT_TOKENS, ids=repr)
def test_a_token_with_whitespace_or_control_characters_is_refused(token):
    message = f"the token {re.escape(repr(token))} is empty or holds whitespace or a control character"
    with refused(f"sentence 2: {message}"):
        list(read_chunks([["fine"], ["fine", token]]))


@pytest.mark.parametrize("token", BLANK, ids=repr)
def test_blank_tokens_are_left_out_with_a_note(token):
    with pytest.warns(UserWarning, match=r"^empty and blank tokens are left out$"):
        (chunk,) = read_chunks([["fine"], ["fine", token, "words"]])
    assert chunk.text[: chunk.n].tobytes() == b"fine\nfine words\n"


@pytest.mark.parametrize("corpus", [["a line", "with \ud800"], [["a", "with\udfff"]]], ids=["line", "token"])
def test_half_a_surrogate_pair_is_refused(corpus):
    with refused("half of a surrogate pair"):
        list(read_chunks(corpus))


WORDS = "some words without a mark\n"
PATTERN = r"name the text files with a pattern such as 'folder/\*\.txt'"
IMAGE = f"an image; {PATTERN}"
BINARY = f"not text, [0-9,]+ of its first [0-9,]+ bytes are control characters; {PATTERN}"
NOT_TEXT = {
    "zip": (b"PK\x03\x04 some words", "a zip archive or an office document, extract its text first"),
    "tar": (tar_of("words.txt", b"some words\n" * 50_000), "a tar archive, extract it first"),
    "UTF-16": (WORDS.encode("utf-16"), "UTF-16 text; read it with .*encoding.* utf-16"),
    "UTF-16BE": (b"\xfe\xff" + WORDS.encode("utf-16-be"), "UTF-16 text; read it with .*encoding.* utf-16"),
    "UTF-32": (WORDS.encode("utf-32"), "UTF-32 text; read it with .*encoding.* utf-32"),
    "PDF": (b"%PDF-1.7 some words", "a PDF document, extract its text first"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes.fromhex("0000000d4948445200000001000000010800000000"), IMAGE),
    "JPEG": (b"\xff\xd8\xff\xe0\0\x10JFIF", IMAGE),
    "GIF87a": (b"GIF87a\1\0\1\0\x80\1\0", IMAGE),
    "GIF89a": (b"GIF89a\1\0\1\0\x80\1\0", IMAGE),
    "ELF": (b"\x7fELF\x02\x01\x01" + bytes(9) + bytes.fromhex("03003e0001000000c010") + bytes(54), BINARY),
    "random": (random.Random(0).randbytes(4096), BINARY),
    "UTF-16LE without a mark": (WORDS.encode("utf-16-le"), "UTF-16 text; read it with .*encoding.* utf-16-le"),
    "UTF-16BE without a mark": (WORDS.encode("utf-16-be"), "UTF-16 text; read it with .*encoding.* utf-16-be"),
    "UTF-32 without a mark": (WORDS.encode("utf-32-le"), BINARY),
    "NULs": (bytes(1000), BINARY),
    "sparse": (b"words \0" * 40, BINARY),
}


@pytest.mark.parametrize(("content", "what"), NOT_TEXT.values(), ids=NOT_TEXT)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_file_that_is_not_plain_text_is_refused(tmp_path, pack, content, what):
    (tmp_path / "file.txt").write_bytes(pack(content))
    with refused(rf"cannot read .*file\.txt: it is {what}"):
        list(read_chunks(tmp_path))


FEW_CONTROLS = {
    "few": b"\0" * 31,
    "few, among words": b"word \0" * 31,
    "many, but few of all": b"some more words \0\x1b \t words that are fine\f\n" * 1000,
    "colours of a terminal": b"\x1b[1mbold\x1b[0m\n",
}


@pytest.mark.parametrize("content", FEW_CONTROLS.values(), ids=FEW_CONTROLS)
def test_a_text_may_hold_a_few_control_characters(tmp_path, content):
    (tmp_path / "text.txt").write_bytes(content)
    assert text_of(tmp_path / "text.txt") == content + b"\n"


# --- What tells a text from another -----------------------------------------------------------------------------------


def test_the_identity_of_a_corpus_is_what_its_text_depends_on(folder):
    texts = folder({"a": b"one", "b/c": b"two"})

    def identity(*sources, **options):
        return json.loads(json.dumps(Corpus(*sources, **options).identity()))

    before = identity(texts)
    assert before == identity(texts) == identity(str(texts)), "it is what it was, and JSON can hold it"
    others = [
        identity(texts, field="text"),
        identity(texts, lowercase=True),
        identity(texts, invalid_utf8="refuse"),
        identity(texts, force=True),
        identity(texts / "a"),
        identity(texts / "a", texts / "b" / "c"),
        identity(texts / "b" / "c", texts / "a"),
    ]
    state = (texts / "a").stat()
    (texts / "a").write_bytes(b"one more")
    os.utime(texts / "a", ns=(state.st_atime_ns, state.st_mtime_ns))
    others.append(identity(texts))
    os.utime(texts / "b" / "c", ns=(1, 1))
    others.append(identity(texts))
    (texts / "d").write_bytes(b"")
    others.append(identity(texts))
    (texts / "d").rename(texts / "e")
    others.append(identity(texts))
    all_of_them = [before, *others]
    assert all(one != other for n, one in enumerate(all_of_them) for other in all_of_them[:n])
    (texts / "e").unlink()
    assert identity(texts) == others[-3]


def test_the_identity_of_a_file_does_not_depend_on_the_current_folder(folder, monkeypatch):
    texts = folder({"a": b"one"})
    monkeypatch.chdir(texts)
    assert Corpus("a").identity() == Corpus(texts / "a").identity()


@pytest.mark.parametrize("name", ["tokenize", "normalize", "encoding"])
def test_unknown_values_of_options_are_refused(name):
    with pytest.raises(SettingError, match=rf"\A{name} must be .*, got 'other'\Z"):
        Corpus("a.txt", **{name: "other"})


def test_a_corpus_like_another_has_its_options():
    options = {"field": "body", "lowercase": True, "invalid_utf8": "refuse", "force": True}
    assert Corpus("a.txt", **options).like("b.txt") == Corpus("b.txt", **options)


class DataFrame(list):
    """What iterates its columns' names, as pandas' does."""


@pytest.mark.parametrize(
    ("corpus", "found"),
    [
        ({"a b": 1}, "dict; give a list of its values"),
        (DataFrame(["text"]), r'DataFrame; give one column, frame\["text"\], or sessions, frame.groupby'),
    ],
    ids=["dict", "DataFrame"],
)
def test_tables_are_refused_with_a_remedy(corpus, found):
    with refused(f"corpus must be a path, lines or token lists, got {found}"):
        Corpus(corpus)


def test_numbers_are_read_as_their_digits():
    assert text_of([[1, 20], np.array([3]), ["a"], [-4]]) == b"1 20\n3\na\n-4\n"


@pytest.mark.parametrize("url", ["http://example.org/a.txt", "https://example.org/a?b=*", "s3://bucket/a.txt"])
def test_a_url_keeps_its_slashes_in_the_message(url):
    with refused(f"cannot read {re.escape(url)}: no such file; URLs are not read, download it first"):
        Corpus(url).files()


@pytest.mark.parametrize(
    "error", [OSError(5, "mine"), TypeError("mine"), ValueError("mine"), StopAsyncIteration("mine")]
)
@pytest.mark.parametrize("in_tokens", [False, True])
def test_an_error_of_the_users_iterator_comes_out_as_it_is(error, in_tokens):
    def items(first):
        yield first
        raise error

    corpus = (items("a") for _ in range(2)) if in_tokens else items(["a", "b"])
    with pytest.raises(type(error)) as caught:
        train_skipgram(corpus, min_count=1, progress=False)
    assert caught.value is error
