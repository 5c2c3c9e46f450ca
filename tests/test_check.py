"""What `check` says of damaged files, beside what the programs make of them that it speaks of: each is asked itself."""

import bz2
import gzip
import importlib.util
import io
import lzma
import struct
import tracemalloc

import numpy as np
import pytest
from click.testing import CliRunner

from embedtrain import formats
from embedtrain.cli import main
from embedtrain.cli.check import _CLIENTS
from embedtrain.errors import DataError, SettingError
from embedtrain.machine.compression import Stream
from embedtrain.vectors.checks import _CONSEQUENCES, CLIENTS, check
from embedtrain.vectors.defects import defects_of

GOOD = b"3 3\nthe 1 0 0\ncat 0 1 0\nsat 0 0.5 0.25\n"
HEADLESS = GOOD[4:]


def meaning(word="cat", first="the"):
    """The words and vectors that are meant by the file, or one in which another word takes the place of these."""
    return {first: [1, 0, 0], word: [0, 1, 0], "sat": [0, 0.5, 0.25]}


def with_word(word):
    return GOOD.replace(b"cat", word.encode()), meaning(word)


def with_value(value, is_right=False):
    """The file with this value for 1, which may or may not mean the same."""
    return GOOD.replace(b"0 1 0", b"0 %b 0" % value.encode()), meaning() if is_right else None


#: Files, and what they mean; None if nobody could tell.
FILES = {
    "good": (GOOD, meaning()),
    "spaces at the ends": (GOOD.replace(b"\n", b" \n"), meaning()),
    "CRLF": (GOOD.replace(b"\n", b"\r\n"), meaning()),
    "space and CRLF": (GOOD.replace(b"\n", b" \r\n"), meaning()),
    "no line feed at the end": (GOOD[:-1], meaning()),
    # the first line
    "no header": (HEADLESS, meaning()),
    "no header, space": (HEADLESS.replace(b"the", b"new york"), meaning(first="new york")),
    "no header, NBSP": (HEADLESS.replace(b"the", "t\u00a0he".encode()), meaning(first="t\u00a0he")),
    "no header, a number": (b"7 1 0 0\n" + HEADLESS[10:], meaning(first="7")),
    "no header, BOM": (b"\xef\xbb\xbf" + HEADLESS, meaning()),
    "no header, first row short": (HEADLESS.replace(b"1 0 0", b"1 0"), None),
    "no header, first row long": (HEADLESS.replace(b"1 0 0", b"1 0 0 0"), None),
    "no header, first row without values": (HEADLESS.replace(b"the", b"the\n"), None),
    "BOM": (b"\xef\xbb\xbf" + GOOD, meaning()),
    "header after a space": (b" " + GOOD, meaning()),
    "header with a tab": (GOOD.replace(b"3 3", b"3\t3"), meaning()),
    "header with two spaces": (GOOD.replace(b"3 3", b"3  3"), meaning()),
    "header of one number": (GOOD.replace(b"3 3", b"3"), None),
    "header of three numbers": (GOOD.replace(b"3 3", b"3 3 1"), meaning()),
    "more promised": (GOOD.replace(b"3 3", b"5 3"), meaning()),
    "fewer promised": (GOOD.replace(b"3 3", b"2 3"), meaning()),
    "none promised": (GOOD.replace(b"3 3", b"0 3"), meaning()),
    "less than none promised": (GOOD.replace(b"3 3", b"-5 3"), meaning()),
    "wider promised": (GOOD.replace(b"3 3", b"3 4"), meaning()),
    "thinner promised": (GOOD.replace(b"3 3", b"3 2"), meaning()),
    "no dimensions promised": (GOOD.replace(b"3 3", b"3 0"), meaning()),
    "no words": (b"0 3\n", {}),
    "no words of three": (b"3 3\n", None),
    "1 dimension": (b"2 1\na 1\nb 2\n", {"a": [1], "b": [2]}),
    "2 dimensions": (b"2 2\na 1 2\nb 1 3\n", {"a": [1, 2], "b": [1, 3]}),
    # lines
    "blank last line": (GOOD + b"\n", meaning()),
    "spaces in the last line": (GOOD + b"  \n", meaning()),
    "blank line": (GOOD.replace(b"cat", b"\ncat"), meaning()),
    "blank second line": (GOOD.replace(b"the", b"\nthe"), meaning()),
    "short": (GOOD.replace(b"0 1 0", b"1 0"), None),
    "short with two spaces": (GOOD.replace(b"0 1 0", b"1  0"), None),
    "one value that is none": (GOOD.replace(b"0 1 0", b"0-1-0"), None),
    "short first": (GOOD.replace(b"1 0 0", b"1 0"), None),
    "no values": (GOOD.replace(b"cat 0 1 0", b"cat"), None),
    "one value": (GOOD.replace(b"0 1 0", b"7"), None),
    "long": (GOOD.replace(b"cat", b"cat 0"), None),
    "long first": (GOOD.replace(b"the", b"the 0"), None),
    "tabs": (GOOD.replace(b" ", b"\t").replace(b"3\t3", b"3 3"), meaning()),
    "one tab": (GOOD.replace(b"cat ", b"cat\t"), meaning()),
    "tab beside a space": (GOOD.replace(b"0 1 0", b"0 \t1 0"), meaning()),
    "two spaces": (GOOD.replace(b"0 1 0", b"0  1 0"), meaning()),
    "two spaces first": (GOOD.replace(b"1 0 0", b"1  0 0"), meaning()),
    "returns at the end": (GOOD.replace(b"0 1 0", b"0 1 0\r\r"), meaning()),
    # words
    "accents": with_word("naïve東京𝄞"),
    "NBSP": with_word("c\u00a0at"),
    "U+2028": with_word("c\u2028at"),
    "U+0085": with_word("c\u0085at"),
    "joined": with_word("👩\u200d👩"),
    "control character": with_word("c\x01at"),
    "number": with_word("7"),
    "long word": with_word("x" * 60_000),
    "space": with_word("new york"),
    "space first": (GOOD.replace(b"the", b"new york"), meaning(first="new york")),
    "two spaces in a word": with_word("new  york"),
    "space before a word": (GOOD.replace(b"cat", b" cat"), meaning()),
    "space after a word": (GOOD.replace(b"cat", b"cat "), meaning()),
    "space after the first word": (GOOD.replace(b"the", b"the "), meaning()),
    "tab in a word": with_word("c\tat"),
    "form feed in a word": with_word("c\fat"),
    "return in a word": with_word("c\rat"),
    "empty": with_word(""),
    "twice": (GOOD.replace(b"sat", b"cat"), None),
    "thrice": (GOOD.replace(b"sat", b"the").replace(b"cat", b"the"), None),
    "no UTF-8": (GOOD.replace(b"cat", b"c\xffat"), meaning("c\ufffdat")),
    # values
    "letters": with_value("abc"),
    "none": with_value("none"),
    "comma": with_value("0,5"),
    "hexadecimal": with_value("0x1"),
    "half an exponent": with_value("1e"),
    "no UTF-8 in a value": (GOOD.replace(b"0 1 0", b"0 1\xff 0"), None),
    "underscore": with_value("1_0"),
    "full width": with_value("１", is_right=True),
    "NBSP after a value": with_value("1\u00a0", is_right=True),
    "nan": with_value("nan"),
    "inf": with_value("-inf"),
    "too large": with_value("1e39"),
    "far too large": with_value("1e400"),
    "halfway too large": with_value("3.4028235677973366e38"),
    "plus": with_value("+1", is_right=True),
    "point": with_value("1.", is_right=True),
    "exponent": with_value("1E+0", is_right=True),
    "many digits": with_value("1.00000000000000000000000001", is_right=True),
    # compressed, under names as these
    "x.vec.gz": (gzip.compress(GOOD), meaning()),
    "x.vec.bz2": (bz2.compress(GOOD), meaning()),
    "x.vec.xz": (lzma.compress(GOOD), meaning()),
    "gzip.vec": (gzip.compress(GOOD), meaning()),
    "bzip2.vec": (bz2.compress(GOOD), meaning()),
    "xz.vec": (lzma.compress(GOOD), meaning()),
    "xz.vec.gz": (lzma.compress(GOOD), meaning()),
    "plain.vec.gz": (GOOD, meaning()),
    "plain.vec.xz": (GOOD, meaning()),
    # defects that hide others
    "twice and more promised": (GOOD.replace(b"sat", b"cat").replace(b"3 3", b"5 3"), None),
    "twice and short": (GOOD.replace(b"sat 0 0.5", b"cat 0"), None),
}


def binary(words=("the", "cat", "sat"), n_words=3, **changes):
    """A file in word2vec's binary format."""
    rows = {**meaning(), **changes}.values()
    spelled = (word if isinstance(word, bytes) else word.encode() for word in words)
    lines = (word + b" " + struct.pack("<3f", *row) + b"\n" for word, row in zip(spelled, rows, strict=True))
    return b"%d 3\n" % n_words + b"".join(lines)


BINARY_FILES = {
    "good": (binary(), meaning()),
    "no line feeds": (binary().replace(b"\ncat", b"cat").replace(b"\nsat", b"sat"), meaning()),
    "junk at the end": (binary() + b"junk", meaning()),
    "more promised": (binary(n_words=4), meaning()),
    "fewer promised": (binary(n_words=2), meaning()),
    "less than none promised": (binary(n_words=-3), meaning()),
    "cut": (binary()[:-3], None),
    "twice": (binary(("the", "cat", "cat")), None),
    "control character": (binary(("the", "c\x01at", "sat")), meaning("c\x01at")),
    "return": (binary(("the", "\rcat", "sat")), meaning("\rcat")),
    "empty": (binary(("the", "", "sat")), meaning("")),
    "no UTF-8": (binary(("the", b"c\xffat", "sat")), None),
    "nan": (binary(cat=[0, np.nan, 0]), None),
    "BOM": (b"\xef\xbb\xbf" + binary(), meaning()),
    "x.bin.gz": (gzip.compress(binary()), meaning()),
    "gzip.bin": (gzip.compress(binary()), meaning()),
}


# --- The programs -----------------------------------------------------------------------------------------------------


def import_or_skip(module):
    return pytest.importorskip(module, reason=f"{module} is not installed; the extra [clients] has it")


def load_in_gensim(path, dim, binary=False):
    loaded = import_or_skip("gensim.models").KeyedVectors.load_word2vec_format(path, binary=binary)
    return dict(zip(loaded.index_to_key, loaded.vectors.tolist(), strict=True))


def load_in_spacy(path, dim):
    language = import_or_skip("spacy").blank("xx")
    import_or_skip("spacy.training.initialize").convert_vectors(language, path, truncate=0, prune=-1)
    vectors = language.vocab.vectors
    return {language.vocab.strings[key]: vectors.data[row].tolist() for key, row in vectors.key2row.items()}


def load_in_fasttext(path, dim):
    fasttext = import_or_skip("fasttext" if importlib.util.find_spec("fasttext") else "floret")  # a fork with wheels
    lessons = path.parent / "lessons.txt"
    lessons.write_text("__label__a lesson\n__label__b lesson\n")
    model = fasttext.train_supervised(
        str(lessons), dim=dim, epoch=0, minCount=1, pretrainedVectors=str(path), thread=1, verbose=0
    )
    found = dict(zip(model.get_words(on_unicode_error="replace"), model.get_input_matrix().tolist(), strict=True))
    return {word: row for word, row in found.items() if word not in ("</s>", "lesson")}


def load_as_torchtext(path, dim):
    """What torchtext 0.18 does, line by line; its wheel wants an old PyTorch."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        rows = [line.rstrip().split(b" ") for line in file]
    if max(map(len, rows)) <= 3:
        raise TypeError("zeros() got no number of dimensions")
    dim, found = None, {}
    for word, *values in rows:
        if dim is None and len(values) > 1:
            dim = len(values)
        elif len(values) == 1:
            continue  # as if it were a header
        elif len(values) != dim:
            raise RuntimeError("all vectors must have the same number of dimensions")
        try:
            found[word.decode()] = np.float32([float(value) for value in values]).tolist()
        except UnicodeDecodeError:
            continue
    return found


LOADERS = {
    "gensim": load_in_gensim, "spacy": load_in_spacy, "fasttext": load_in_fasttext, "torchtext": load_as_torchtext,
}  # fmt: skip


def assert_agreement(client, path, meant, **options):
    """That a client fares with a file as `check` says."""
    said = [finding.consequence for finding in check(path, (client,))]
    dim = len(next(iter(meant.values()))) if meant else 3
    try:
        found, error = LOADERS[client](path, dim, **options), ""
    except Exception as raised:
        found, error = None, "E094" if "[E094]" in str(raised) else type(raised).__name__
    if error:
        assert any(error in consequence or "an error" in consequence for consequence in said), (error, said)
    elif meant is None or found != meant:
        assert any("rror" not in consequence for consequence in said), (found, said)
    else:
        assert not said


def written(folder, name, data):
    path = folder / (name if "." in name else "x.vec")
    path.write_bytes(data)
    return path


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of numbers too large
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("name", "file"), FILES.items(), ids=FILES)
def test_check_knows_what_a_program_makes_of_a_text(client, name, file, tmp_path):
    data, meant = file
    assert_agreement(client, written(tmp_path, name, data), meant)


@pytest.mark.parametrize(("name", "file"), BINARY_FILES.items(), ids=BINARY_FILES)
def test_check_knows_what_gensim_makes_of_a_binary_file(name, file, tmp_path):
    data, meant = file
    assert_agreement("gensim", written(tmp_path, name, data), meant, binary=True)


def test_all_consequences_are_met():
    kinds = set()
    for format, files in (("word2vec", FILES), ("word2vec-bin", BINARY_FILES)):
        for data, _ in files.values():
            kinds |= {defect.kind for defect in defects_of(Stream("x", io.BytesIO(data)), format)}
    assert kinds == set(_CONSEQUENCES)


# --- What is said -----------------------------------------------------------------------------------------------------


def run(*arguments):
    result = CliRunner().invoke(main, ["check", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("name", "client", "line"),
    [
        ("twice", "gensim", "line 4: the word 'cat' stands in line 3 too: a word None with a row of zeros, silently"),
        ("thrice", "spacy", "line 3: the word 'the' stands in line 2 too, and 1 like it: the last is used, silently"),
        ("comma", "spacy", "line 3: '0,5' among the values of 'cat' is no number: ValueError"),
        ("one value", "torchtext", "line 3: 'cat' has 1 values, not 3: the line is skipped"),
        ("blank line", "gensim", "line 3: the line is blank, and others follow: ValueError"),
        ("more promised", "gensim", "line 1: it promises 5 words, 3 lines follow: EOFError"),
        ("tabs", "spacy", "line 2: a tab between the values of 'the', and 2 like it: error E094"),
        ("x.vec.bz2", "spacy", "the file: it is compressed as .bz2: read as a plain file: an error"),
        ("gzip.vec", "gensim", "the file: it is compressed as .gz: read as a plain file: an error"),
        (
            "plain.vec.gz",
            "torchtext",
            "the file: it is not compressed, and its name ends in .gz: read as .gz: an error",
        ),
    ],
)
def test_check_says_where_and_what(name, client, line, tmp_path):
    path = written(tmp_path, name, FILES[name][0])
    assert run(path, "--for", client) == (1, f"{client}: {line}\n", "")


def test_check_says_that_nothing_is_found(tmp_path):
    path = written(tmp_path, "x.vec", GOOD)
    assert run(path) == (0, "", f"{path}: nothing found\n")


def test_check_asks_all_clients(tmp_path):
    assert _CLIENTS == CLIENTS == tuple(LOADERS)
    status, said, _ = run(written(tmp_path, "x.vec", FILES["letters"][0]))
    assert status == 1
    assert [line.partition(":")[0] for line in said.splitlines()] == list(CLIENTS)


@pytest.mark.parametrize(("name", "n_clients"), [("x.bin", 3), ("x.npz", 4), ("x.npy", 4)])
def test_check_knows_who_reads_a_format(name, n_clients, tmp_path):
    content = formats.Content(list(meaning()), np.float32(list(meaning().values())))
    formats.write(tmp_path / name, content)
    found = check(tmp_path / name)
    assert {finding.place for finding in found} == {"the file"}
    assert [finding.client for finding in found] == list(CLIENTS[-n_clients:])


def test_check_knows_who_unpacks_zstandard(tmp_path):
    pytest.importorskip("zstandard", reason="zstandard is not installed; the extra [zstd] has it")
    formats.write(tmp_path / "x.vec.zst", formats.Content(["a", "b"], np.eye(2, 3, dtype=np.float32)))
    assert [finding.client for finding in check(tmp_path / "x.vec.zst")] == ["spacy", "fasttext", "torchtext"]


@pytest.mark.parametrize("header", ["3 99999999999999", "999999999999999 3", "999999999999999 999999999999999"])
@pytest.mark.parametrize("rows", [b"", HEADLESS, binary()[4:]], ids=["none", "text", "binary"])
def test_a_header_that_lies_costs_nothing(header, rows, tmp_path):
    path = written(tmp_path, "x.vec", header.encode() + b"\n" + rows)
    tracemalloc.start()
    assert any(finding.place == "line 1" for finding in check(path, ("gensim",)))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 28


def test_a_line_without_an_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("embedtrain.vectors.defects._LONGEST", 1000)
    with pytest.raises(DataError, match="a line is longer than"):
        check(written(tmp_path, "x.vec", GOOD.replace(b"cat", b"c" * 2000)))


def test_a_client_that_is_none_is_refused(tmp_path):
    with pytest.raises(SettingError, match="clients are gensim, spacy, fasttext, torchtext, got 'word'"):
        check(tmp_path / "x.vec", ("word",))
