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

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from embedtrain.corpus import text_chunks
from embedtrain.corpus.sources import Corpus
from embedtrain.corpus.text_chunks import read_chunks as read
from embedtrain.errors import DataError, SettingError
from embedtrain.kernels.text.byte_masks import PADDING
from embedtrain.machine import compression

BOM = b"\xef\xbb\xbf"
BITS = [b"a", b"bc", b" ", b"\n", b"\r", b"\t", b"\r\n", b"\x00", BOM, b"\xff", "é".encode(), "\u2003".encode()]
CONTENTS = st.lists(st.sampled_from(BITS) | st.binary(max_size=4), max_size=60).map(b"".join)
CHUNK_SIZES = [7, 64, 1 << 21]


def read_chunks(corpus):
    return read(Corpus.of(corpus))


def text_of(corpus):
    """The text of all chunks, after a look at their numbers and borders."""
    found = list(read_chunks(corpus))
    assert [chunk.number for chunk in found] == list(range(len(found)))
    texts = [text_in(chunk) for chunk in found]
    assert all(text[-1:] in (b" ", b"\n", b"\t", b"\r") for text in texts)
    return b"".join(texts)


def text_in(chunk):
    """The text of a chunk, after a look at what follows it."""
    assert chunk.text[chunk.n :].tobytes() == b"\n" * PADDING
    return chunk.text[: chunk.n].tobytes()


def without_mark(content):
    """A byte order mark at the start is read as spaces."""
    return b"   " + content.removeprefix(BOM) if content.startswith(BOM) else content


def refused(part):
    """An error whose message is one line with `part` in it."""
    return pytest.raises(DataError, match=rf"\A[^\n]*{part}[^\n]*\Z")


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
def test_chunks_are_the_file_cut_between_tokens(tmp_path_factory, size, content):
    assume(not content.startswith(tuple(text_chunks._NOT_TEXT)) and compression._format_of(content) is None)
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_chunks, "_CHUNK", size)
        assert text_of(path) == without_mark(content) + b"\n"


def test_a_token_longer_than_many_chunks_stays_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(text_chunks, "_CHUNK", 7)
    path = tmp_path / "text.txt"
    path.write_bytes(b"short " + b"x" * 1000 + b" short")
    assert any(b"x" * 1000 in text_in(chunk) for chunk in read_chunks(path))
    assert text_of(path) == path.read_bytes() + b"\n"


def test_chunks_do_not_grow_with_the_distance_to_the_last_space(tmp_path, monkeypatch):
    monkeypatch.setattr(text_chunks, "_CHUNK", 64)
    monkeypatch.setattr(text_chunks, "_TAIL", 2)
    path = tmp_path / "text.txt"
    path.write_bytes(b"some words that are longer than two bytes " * 50)
    assert max(chunk.n for chunk in read_chunks(path)) <= 64 + len("longer")
    assert text_of(path) == path.read_bytes() + b"\n"


@pytest.mark.parametrize("as_type", [str, lambda path: path], ids=["str", "Path"])
def test_a_file_is_named_by_str_or_path(tmp_path, as_type):
    path = tmp_path / "a name with spaces"
    path.write_bytes(b"a b\n")
    assert text_of(as_type(path)) == b"a b\n\n"
    assert Corpus(as_type(path)).name == str(path)


def test_a_file_is_read_as_chunks_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(text_chunks, "_CHUNK", 7)
    path = tmp_path / "text.txt"
    path.write_bytes(b"a b c\n" * 100)
    found = read_chunks(path)
    assert text_in(next(found)) == b"a b c\n"
    path.write_bytes(b"")  # what follows was not yet read: but for what a buffer holds
    assert sum(chunk.n for chunk in found) < 600
    found.close()


@pytest.mark.parametrize("content", [b"a b\n" * 9, b"a", b"", [b"a line"]], ids=["long", "short", "empty", "memory"])
def test_chunks_cannot_be_written_to(tmp_path, content):
    corpus = [line.decode() for line in content] if isinstance(content, list) else tmp_path / "text.txt"
    if corpus == tmp_path / "text.txt":
        corpus.write_bytes(content)
    assert not any(chunk.text.flags.writeable for chunk in read_chunks(corpus))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_byte_order_mark_is_blanked_at_the_start_only(tmp_path, chunk_size, pack):
    (tmp_path / "text").write_bytes(pack(BOM + b"a " + BOM + b"b\n" + BOM + b"c"))
    assert text_of(tmp_path / "text") == b"   a " + BOM + b"b\n" + BOM + b"c\n"


@pytest.mark.parametrize("content", [BOM, BOM[:2], BOM[:1], BOM * 2], ids=["alone", "two bytes", "one byte", "twice"])
def test_a_byte_order_mark_may_be_all_there_is(tmp_path, chunk_size, content):
    (tmp_path / "text").write_bytes(content)
    assert text_of(tmp_path / "text") == without_mark(content) + b"\n"


# --- Several files ----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """Makes files of a folder from their names and contents, and gives its path."""

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


def test_several_files_are_read_one_after_the_other_each_ending_a_line(folder, chunk_size):
    texts = folder({"b": b"last words", "a": BOM + b"first\nfile", "c": b"", "d": BOM + b"end\n"})
    corpus = Corpus(texts / "b", str(texts / "a"), texts / "c", texts / "d")
    found = list(read(corpus))
    assert b"".join(map(text_in, found)) == b"last words\n   first\nfile\n\n   end\n\n"
    by_file = [b"".join(text_in(chunk) for chunk in found if chunk.file == file) for file in range(4)]
    assert by_file == [b"last words\n", b"   first\nfile\n", b"\n", b"   end\n\n"]
    assert [chunk.number for chunk in found] == list(range(len(found)))
    assert [chunk.file for chunk in found] == sorted(chunk.file for chunk in found)
    assert corpus.name == f"{texts / 'b'} and 3 more"


def test_a_file_named_twice_is_read_twice(folder):
    texts = folder({"a": b"word"})
    assert text_of(Corpus(texts / "a", texts / "a")) == b"word\nword\n"


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
    try:
        (texts / "a" / "circle").symlink_to(texts, target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    (texts / "elsewhere").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "elsewhere" / "back").symlink_to(texts / "b", target_is_directory=True)  # two ways to b, one to itself
    (tmp_path / "elsewhere" / "self").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (texts / "b" / "deep").symlink_to(texts / "a", target_is_directory=True)
    (texts / "file").symlink_to(tmp_path / "elsewhere" / "four")
    assert files_of(texts) == under(texts, "a/one", "b/two", "elsewhere/four", "file", "three")


def test_the_order_of_the_file_system_leaves_no_trace(folder, monkeypatch):
    texts = folder({"a/1": b"", "b/c/2": b"", "d/3": b"", "e/4": b""})
    try:
        (texts / "b" / "link").symlink_to(texts / "d" / "..", target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    (texts / "a" / "to c").symlink_to(texts / "b" / "c", target_is_directory=True)
    wanted, walk = files_of(texts), os.walk

    def backwards(*args, **options):
        for root, folders, files in walk(*args, **options):
            folders.reverse()
            yield root, folders, files[::-1]

    monkeypatch.setattr(os, "walk", backwards)
    assert files_of(texts) == wanted == under(texts, "a/1", "a/to c/2", "d/3", "e/4")


def test_a_link_that_leads_nowhere_is_refused_by_name(folder):
    texts = folder({"a": b"word"})
    try:
        (texts / "broken").symlink_to(texts / "missing")
    except OSError:
        pytest.skip("no links here")
    with refused("cannot read .*broken: no such file"):
        text_of(texts)
    with refused("cannot read .*broken: no such file"):
        Corpus(texts).require_readable()


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


def test_a_pattern_stands_for_what_it_matches_in_order(folder):
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
    """Makes some bytes the standard input."""
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


def test_standard_input_that_ends_at_once_is_empty(stdin):
    stdin(b"")
    assert text_of("-") == b"\n"


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


def test_a_missing_file_named_as_standard_input_is_no_standard_input(tmp_path, monkeypatch):
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


@pytest.mark.parametrize("size", CHUNK_SIZES)
@settings(derandomize=True, deadline=None)
@given(lines=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), min_size=1, max_size=20))
def test_lines_are_joined_by_line_feeds(size, lines):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_chunks, "_CHUNK", size)
        wanted = "".join(line.removesuffix("\n") + "\n" for line in lines).encode()  # as a file's lines have it
        assert text_of(lines) == text_of(iter(lines)) == wanted


def test_token_lists_are_lines_of_tokens(chunk_size):
    sentences = [["a", "bc"], [], ["d"], ["é", "\u200b", "\ufeff"]]
    assert text_of(sentences) == "a bc\n\nd\né \u200b \ufeff\n".encode()
    assert text_of(tuple(tokens) for tokens in sentences) == text_of(sentences)
    assert text_of(iter(tokens) for tokens in sentences) == text_of(sentences)


def test_an_iterable_is_called_the_corpus():
    assert Corpus(["a line"]).name == "the corpus"
    assert Corpus(["a line"]).in_memory
    assert not Corpus("a path").in_memory


def test_nothing_gives_no_chunks():
    assert list(read_chunks([])) == list(read_chunks(iter(()))) == []


def test_a_generators_own_error_comes_through():
    def lines():
        yield "a b"
        raise ZeroDivisionError("of the generator")

    with pytest.raises(ZeroDivisionError, match="of the generator"):
        list(read_chunks(lines()))


# --- What is refused --------------------------------------------------------------------------------------------------


def test_a_missing_file_is_refused(tmp_path):
    with refused(r"cannot read .*missing\.txt: no such file"):
        list(read_chunks(tmp_path / "missing.txt"))


@pytest.mark.parametrize(
    "text", ["two\nlines", "a\r\nb\u2028c\x1b[2J", "is this text?\nIt is.\n", "is this text? " * 400]
)
def test_text_in_the_place_of_a_path_makes_one_short_line(text):
    with refused("; a str is a path, text in memory is a list of lines") as caught:
        list(read_chunks(text))
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("path", ["", "a\0b", "\0"])
def test_what_can_be_no_path_is_refused(path):
    with refused("a path must not be empty or hold NUL"):
        Corpus("text.txt", path)


@pytest.mark.parametrize(
    ("corpus", "found"),
    [(b"a b c", "bytes"), (bytearray(b"a b c"), "bytearray"), (5, "int"), (1.5, "float"), (None, "NoneType")],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_text_is_refused(corpus, found):
    with refused(f"corpus must be a path, lines or token lists, got {found}"):
        list(read_chunks(corpus))


@pytest.mark.parametrize(
    "sources",
    [(), ("a.txt", ["a line"]), (["a line"], "a.txt"), (["a line"], ["another"]), ("a.txt", iter(["a line"]))],
    ids=["none", "path and list", "list and path", "two lists", "path and iterator"],
)
def test_sources_are_paths_or_one_iterable(sources):
    with refused("a corpus is paths, at least one, or one iterable of lines or token lists"):
        Corpus(*sources)


@pytest.mark.parametrize("wrong", [b"a.txt", 5, None, Corpus("a.txt")], ids=["bytes", "int", "None", "Corpus"])
def test_every_source_is_looked_at(wrong):
    with refused(f"corpus must be a path, lines or token lists, got {type(wrong).__name__}"):
        Corpus("a.txt", wrong)


@pytest.mark.parametrize("value", ["ignore", "", None, "Replace"])
def test_other_answers_to_invalid_utf8_are_refused(value):
    with pytest.raises(SettingError, match=rf"\Ainvalid_utf8 must be 'replace' or 'refuse', got {value!r}\Z"):
        Corpus("a.txt", invalid_utf8=value)


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        (["a line", ["a", "list"]], "sentence 2 is a token list where the first was a line"),
        ([["a", "list"], ["another"], "a line"], "sentence 3 is a bare string where the first was a token list"),
        ([["a"], 5], "sentence 2 must be a list of str, got int"),
        ([["a"], None], "sentence 2 must be a list of str, got NoneType"),
        ([[1, 2]], r"sentence 1 must be a list of str, got int 1; convert it with str\(\)"),
        ([["a", "b"], ["c", None]], "sentence 2 must be a list of str, got NoneType None"),
        ([["a", b"b"]], "sentence 1 must be a list of str, got bytes b'b'"),
        ([b"a line"], "sentence 1 must be a list of str, got bytes"),
        ([["a"], b"a line"], "sentence 2 must be a list of str, got bytes"),
    ],
)
def test_wrong_items_are_refused_by_number(corpus, message):
    with refused(message):
        list(read_chunks(corpus))


@pytest.mark.parametrize(
    "token",
    [
        "",
        " ",
        "two words",
        "end ",
        " start",
        "end\u2003",
        "end\n",
        "\r",
        "a\tb",
        "no\u00a0break",
        "\u3000",
        "nul\0",
        "\x7f",
        "c1\x80",
        "\x85",
    ],
)
def test_tokens_that_are_none_are_refused(token):
    with refused(
        rf"sentence 2: the token {re.escape(repr(token))} is empty or holds whitespace or a control character"
    ):
        list(read_chunks([["fine"], ["fine", token]]))


@pytest.mark.parametrize("sentence", [["two words", ""], ["", "two words"], ["a", "b c d", "", ""], ["\u2003", "a b"]])
def test_wrong_tokens_do_not_make_up_for_each_other(sentence):
    with refused("sentence 1: the token .* is empty or holds whitespace"):
        list(read_chunks([sentence]))


@pytest.mark.parametrize("corpus", [["a line", "with \ud800"], [["a", "with\udfff"]]], ids=["line", "token"])
def test_half_a_surrogate_pair_is_refused(corpus):
    with refused("half of a surrogate pair"):
        list(read_chunks(corpus))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"PK\x03\x04 some words", "a zip archive"),
        ("some words".encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + "some words".encode("utf-16-be"), "UTF-16"),
        ("some words".encode("utf-32"), "UTF-32"),
        (b"%PDF-1.7 some words", "a PDF document"),
        (tar_of("words.txt", b"some words\n" * 50_000), "a tar archive"),
    ],
    ids=["zip", "UTF-16", "UTF-16BE", "UTF-32", "PDF", "tar"],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_what_is_no_plain_text_is_refused(tmp_path, pack, content, what):
    (tmp_path / "text.txt").write_bytes(pack(content))
    with refused(rf"cannot read .*text\.txt: it is .*{what}.* first"):
        list(read_chunks(tmp_path / "text.txt"))


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n" + bytes.fromhex("0000000d4948445200000001000000010800000000"),
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"GIF87a\1\0\1\0\x80\1\0",
        b"GIF89a\1\0\1\0\x80\1\0",
    ],
    ids=["PNG", "JPEG", "GIF87a", "GIF89a"],
)
def test_images_are_refused_however_small(tmp_path, content):
    (tmp_path / "dot").write_bytes(content)
    with refused(r"cannot read .*dot: it is an image; name the text files with a pattern such as 'folder/\*\.txt'"):
        list(read_chunks(tmp_path))


BINARY = {
    "ELF": b"\x7fELF\x02\x01\x01" + bytes(9) + bytes.fromhex("03003e0001000000c010000000000000") + bytes(48),
    "random": random.Random(0).randbytes(4096),
    "UTF-16LE": "some words without a mark\n".encode("utf-16-le") * 2,
    "UTF-16BE": "some words without a mark\n".encode("utf-16-be") * 2,
    "UTF-32": "some words without a mark\n".encode("utf-32-le"),
    "NULs": bytes(1000),
    "sparse": b"words \0" * 40,
}


@pytest.mark.parametrize("kind", BINARY)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_binary_files_are_refused(tmp_path, pack, kind):
    (tmp_path / "file.txt").write_bytes(pack(BINARY[kind]))
    with refused(
        r"cannot read .*file\.txt: it is not text, [0-9,]+ of its first [0-9,]+ bytes are control "
        r"characters; name the text files with a pattern such as 'folder/\*\.txt'"
    ):
        list(read_chunks(tmp_path / "file.txt"))


@pytest.mark.parametrize(
    "content",
    [b"\0" * 31, b"word \0" * 31, b"some more words \0\x1b \t words that are fine\f\n" * 1000, b"\x1b[1mbold\x1b[0m\n"],
    ids=["few", "few, among words", "many, but few of all", "colours of a terminal"],
)
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


def test_the_identity_of_a_file_does_not_depend_on_where_one_stands(folder, monkeypatch):
    texts = folder({"a": b"one"})
    monkeypatch.chdir(texts)
    assert Corpus("a").identity() == Corpus(texts / "a").identity()


@pytest.mark.parametrize("sources", [(["a b"],), (iter([["a"]]),), ("-",)], ids=["list", "iterator", "standard input"])
def test_what_can_be_read_once_has_no_identity(sources):
    assert Corpus(*sources).identity() is None


def test_a_missing_file_has_no_identity(tmp_path):
    with refused(r"cannot read .*missing\.txt: no such file"):
        Corpus(tmp_path / "missing.txt").identity()


def test_other_sources_are_read_in_the_same_way():
    corpus = Corpus("a.jsonl", field="body", lowercase=1, invalid_utf8="refuse")
    assert corpus.like("b", "c") == Corpus("b", "c", field="body", lowercase=True, invalid_utf8="refuse")
    assert Corpus.of(corpus) is corpus
    assert Corpus.of("a.txt") == Corpus("a.txt")
