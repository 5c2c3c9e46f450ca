"""JSON Lines as a corpus."""

import gzip
import json
import re
import sys
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_text import sentences_of
from text_files import refused

from embedtrain.corpus import json_lines, text_chunks
from embedtrain.corpus.encoding import encode
from embedtrain.corpus.sources import Corpus
from embedtrain.corpus.text_chunks import read_chunks

BOM = b"\xef\xbb\xbf"


@pytest.fixture(params=[7, 64, 1 << 21], autouse=True)
def piece_size(request, monkeypatch):
    monkeypatch.setattr(text_chunks, "_CHUNK", request.param)
    return request.param


@pytest.fixture
def write(tmp_path):
    """Write a file of lines, of records or as they are, and return its path."""

    def write_file(lines, name="text.jsonl", end=b"\n"):
        lines = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        (tmp_path / name).write_bytes(b"".join(line + end for line in lines))
        return tmp_path / name

    return write_file


def text_of(*sources, **options):
    found = list(read_chunks(Corpus(*sources, **options)))
    assert [chunk.number for chunk in found] == list(range(len(found)))
    return b"".join(chunk.text[: chunk.n].tobytes() for chunk in found)


def sentences(*sources, threads=2, **options):
    """The sentences as they were encoded, and the notes."""
    options.setdefault("force", True)
    corpus = encode(Corpus(*sources, **options), threads=threads)
    words, ids, offsets = list(corpus.vocabulary.words), corpus.ids.tolist(), corpus.offsets.tolist()
    return [[words[i] for i in ids[a:b]] for a, b in pairwise(offsets)], corpus.notes


# --- The field --------------------------------------------------------------------------------------------------------


def test_the_text_of_every_record_is_a_line(write):
    path = write([{"text": "a b"}, {"id": 1, "text": "c"}, {"text": ""}, {"text": "d", "meta": {"text": "no"}}])
    assert text_of(path) == text_of(path, field="text") == b"a b\nc\n\nd\n"


@pytest.mark.parametrize("field", ["body", "a.b", "", "テキスト", "with space", "$"])
def test_another_field_can_be_named(write, field):
    path = write([{"text": "a b", field: "c d"}, {field: "e", "text": 5}])
    assert text_of(path, field=field) == b"c d\ne\n"


RECORDS = ["x.jsonl", "x.ndjson", "x.jsonl.gz", "x.ndjson.zst", "x.y.jsonl.xz", "X.JSONL.Bz2"]


@pytest.mark.parametrize("name", [*RECORDS, "x.txt", "x", "x.json", "jsonl", "x.jsonl.txt", "x.gz"])
def test_files_of_records_are_known_by_their_names_or_a_field(write, name, piece_size):
    path = write([{"text": "a b"}], name)
    assert text_of(path, field="text") == b"a b\n"
    if name in RECORDS:
        assert text_of(path) == b"a b\n"
        return
    if piece_size < 20:
        return  # the first bytes are no JSON yet
    with refused("JSON lines; name the field of the text with field: text"):
        text_of(path)
    assert text_of(path, force=True) == b'{"text": "a b"}\n\n'


def test_packed_records_equal_plain_ones(write, tmp_path):
    path = write([{"text": f"line {n}"} for n in range(100)])
    for name in ("packed.jsonl.gz", "packed.jsonl"):  # known by content, with a name that tells it or not
        (tmp_path / name).write_bytes(gzip.compress(path.read_bytes()))
        assert text_of(tmp_path / name) == text_of(path)
    (tmp_path / "packed").write_bytes(gzip.compress(path.read_bytes()))
    assert text_of(tmp_path / "packed", field="text") == text_of(path)


def test_records_and_text_in_one_folder_are_each_read_in_their_way(write, tmp_path):
    write([{"text": "a b"}], "1.jsonl")
    write([b"c d"], "2.txt")
    write([{"text": "e f"}], "3.ndjson")
    assert sentences(tmp_path)[0] == [["a", "b"], ["c", "d"], ["e", "f"]]


def test_records_without_the_field_or_with_null_are_empty_lines(write):
    path = write([{"id": 1}, {"text": None}, {"text": "a"}, {}, {"id": 2, "text": "b"}])
    assert text_of(path) == b"\n\na\n\nb\n"
    path = write([{"text": None}, {"text": ["a", "b"]}, {}, ["c"], {"id": 1}], "lists.jsonl")
    assert text_of(path) == b"\na b\n\nc\n\n"


def test_if_no_record_has_the_field_the_error_names_their_fields(write):
    path = write([{"body": "a", "id": 1}, {"title\n": "b"}, {"body": "c"}])
    with refused(r"text\.jsonl: no record has the field 'text'; name another with field, they have 'body', 'id', "):
        text_of(path)
    with refused("no record has the field 'Body'; .* 'body', 'id', 'title"):
        text_of(path, field="Body")


def test_the_error_names_a_few_of_many_fields(write):
    path = write([{f"field-{n}-{m}": "a" for m in range(30)} for n in range(30)])
    with refused("no record has the field 'text'") as caught:
        text_of(path)
    assert str(caught.value).count("'field-") == 8


NO_WORDS = [[], [{"text": None}], [{"text": None, "id": 1}, {"id": 2}], [{}], [{"text": ""}], [b""], [b" ", b"\t"]]


@pytest.mark.parametrize("lines", NO_WORDS, ids=repr)
def test_records_without_words_are_refused(write, lines):
    with refused(r"text\.jsonl holds no words: it is empty or blank"):
        sentences(write(lines))


# --- What is in the text ----------------------------------------------------------------------------------------------


def test_a_line_feed_in_the_text_ends_a_sentence(write):
    path = write([{"text": "a b\nc\n\nd"}, {"text": "\ne\n"}, {"text": "f\r\ng\rh\u2028i"}])
    assert sentences(path)[0] == [["a", "b"], ["c"], ["d"], ["e"], ["f"], ["g", "h", "i"]]


def test_escapes_are_undone(write):
    path = write([rb'{"text": "caf\u00e9 \"q\" \\ \/ \ud83d\ude00 a\tb \u0061"}'])
    assert sentences(path) == ([["café", '"q"', "\\", "/", "😀", "a", "b", "a"]], ())


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=8),
    ascii_only=st.booleans(),
)
def test_any_text_comes_through(tmp_path_factory, texts, ascii_only):
    path = tmp_path_factory.mktemp("text") / "text.jsonl"
    records = [json.dumps({"text": text}, ensure_ascii=ascii_only) + "\n" for text in texts]
    path.write_bytes("".join(records).encode())
    wanted = sentences_of("\n".join(texts))
    if wanted:
        assert sentences(path)[0] == wanted
    else:
        with refused("holds no words"):
            sentences(path)


@pytest.mark.parametrize("half", [r"\ud83d", r"\ude00", r"\udc80", r"\ud800"])
def test_half_a_surrogate_pair_is_invalid_utf8(write, half):
    path = write([b'{"text": "fine"}', rb'{"text": "a %s b"}' % half.encode(), '{"text": "é"}'.encode()])
    got, (note,) = sentences(path)
    assert got[0] == ["fine"]
    assert [got[1][0], set(got[1][1]), got[1][2]] == ["a", {"\ufffd"}, "b"]
    assert got[2] == ["é"]
    assert re.search(r"1 tokens \(.*\), first .* in the text in .*text\.jsonl, line 2", note)
    with refused(r"the text in .*text\.jsonl, line 2: .* is not UTF-8"):
        sentences(path, invalid_utf8="refuse")


@pytest.mark.parametrize("wrong", [b"caf\xe9", b"\xff\xfe", b"\xe2\x80", b"\xf0\x9f", b"a\xed\xa0\x80", b"\xc0\xa0x"])
def test_invalid_utf8_is_read_as_in_a_text(write, wrong):
    path = write([b'{"text": "fine"}', b'{"text": "a ' + wrong + rb' \ud800 b"}'])
    got, (note,) = sentences(path)
    assert got[1][:2] == ["a", wrong.decode(errors="replace")]
    assert f"first {wrong!r} in the text in " in note
    with refused(rf"line 2: {re.escape(repr(wrong))} is not UTF-8"):
        sentences(path, invalid_utf8="refuse")


@pytest.mark.parametrize("escape", [r"\u0000", r"\u001b", r"\u007f", r"\u0081"])
def test_control_characters_in_the_text_are_noted(write, escape):
    got, (note,) = sentences(write([{"text": "one\ntwo"}, b'{"text": "a' + escape.encode() + b'b"}']))
    assert got == [["one"], ["two"], ["a", "b"]]
    assert re.search(r": 1, the first in the text in .*text\.jsonl, line 3", note)


# --- The lines --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n", b" \n\t\n"], ids=["LF", "CRLF", "blank lines", "spaces"])
def test_lines_may_end_in_any_way(write, end):
    assert text_of(write([{"text": "a"}, b' {"text": "b"} '], end=end)) == b"a\nb\n"


def test_the_last_line_needs_no_end(write):
    assert text_of(write([b'{"text": "a"}\n{"text": "b"}'], end=b"")) == b"a\nb\n"


@pytest.mark.parametrize("start", [BOM, BOM + b"\n", BOM + b" \r\n", b"\n" + BOM])
def test_a_byte_order_mark_is_skipped(write, start):
    assert text_of(write([start + b'{"text": "a"}', BOM + b'{"text": "b"}'])) == b"a\nb\n"


BAD_LINES = [
    (b"no json", r"not JSON \(.*\); write an object or a token list"),
    (b'{"text": "cut sho', r"not JSON \(.*\)"),
    (b"{'text': 'a'}", r"not JSON \(.*\)"),
    (b'{"text": "a"} {"text": "b"}', r"not JSON \(.*\)"),
    (b'{"text": "a tab\t"}', r"not JSON \(.*\)"),
    (b'{"text": "a", "n": ' + b"1" * 5000 + b"}", r"not JSON \(.*\)"),
    (b"[", r"not JSON \(.*\)"),
    (b"[" * 100_000, r"not JSON \(.*\)"),
    (b"\xff\xfe{", r"not JSON \(.*\)"),
    (b"\x89PNG\r", r"not JSON \(.*\)"),
    (b'["a"]', "field 'text' holds list, above it held str"),
    (b'"a b"', "expected a JSON object, got str"),
    (b"5", "expected a JSON object, got int"),
    (b"null", "expected a JSON object, got NoneType"),
    (b'{"text": 5}', "field 'text' holds int, not text"),
    (b'{"text": ["a", "b"]}', "field 'text' holds list, above it held str"),
    (b'{"text": {"a": 1}}', "field 'text' holds dict, not text"),
    (b'{"text": false}', "field 'text' holds bool, not text"),
]


@pytest.mark.parametrize(("line", "message"), BAD_LINES, ids=[repr(line[:20]) for line, _ in BAD_LINES])
@pytest.mark.parametrize("threads", [1, 3])
def test_bad_lines_are_refused_by_their_number(write, line, message, threads):
    if line.startswith(b'{"text": "a", "n"') and not hasattr(sys, "set_int_max_str_digits"):
        pytest.skip("numbers may have any length here")
    path = write([{"text": "fine"}] * 40 + [b"", line, {"text": "fine"}])
    with refused(rf"text\.jsonl, line 42: {message}") as caught:
        sentences(path, threads=threads)
    assert len(str(caught.value)) < 300 + len(str(path))


def test_damaged_packed_records_are_refused_as_such(write, tmp_path):
    packed = gzip.compress(write([{"text": f"line {n}"} for n in range(100)]).read_bytes())
    (tmp_path / "text.jsonl.gz").write_bytes(packed[:-9])
    with refused(r"cannot read .*text\.jsonl\.gz: the gzip data are damaged or cut short"):
        text_of(tmp_path / "text.jsonl.gz")


def test_the_file_with_the_wrong_line_is_named(write, tmp_path):
    write([{"text": "fine"}] * 3, "1.jsonl")
    write([{"text": "fine"}, b"broken"], "2.jsonl")
    with refused(r"2\.jsonl, line 2: not JSON"):
        text_of(tmp_path)


def test_a_record_without_end_is_refused_while_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(json_lines, "_LONGEST", 1 << 16)
    with gzip.open(tmp_path / "x.jsonl.gz", "wb") as file:
        file.write(b'{"text": "a b"}\n{"text": "')
        for _ in range(32):
            file.write(b"a" * (1 << 20))
    tracemalloc.start()
    with refused(r"x\.jsonl\.gz, line 2: a record of more than 65\.5 kB; divide its text"):
        text_of(tmp_path / "x.jsonl.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 << 20
    (tmp_path / "x.jsonl").write_bytes(b'{"text": "' + b"a" * ((1 << 16) - 12) + b'"}\n')
    with refused("line 1: a record of more than"):
        text_of(tmp_path / "x.jsonl")
    (tmp_path / "x.jsonl").write_bytes(b'{"text": "' + b"a" * ((1 << 16) - 13) + b'"}\n')
    assert len(text_of(tmp_path / "x.jsonl")) == (1 << 16) - 12
