"""Compressed files: what is read is what was packed, and what is damaged is refused."""

import bz2
import gzip
import io
import lzma
import os
import random
import re
import sys
import threading
import time
import tracemalloc
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from text_files import zstd

from embedtrain.corpus import text_chunks
from embedtrain.corpus.encoding import encode
from embedtrain.corpus.sources import Corpus
from embedtrain.errors import DataError
from embedtrain.machine import compression
from embedtrain.machine.compression import Stream

PACK = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "Zstandard": zstd}
SUFFIX = {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz", "Zstandard": ".zst"}
KNOWN_BY = {"gzip": 2, "bzip2": 10, "xz": 6, "Zstandard": 4}  # bytes
TEXT = b"".join(b"line %d of some text that is packed\n" % n for n in range(200))
SKIPPED = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"  # a frame of Zstandard that holds no data, as pzstd writes them

every_format = pytest.mark.parametrize("name", PACK)


@pytest.fixture(params=[(10, 1 << 22, 1), (11, 1, 3), (64, 7, 50), (1 << 16, 1 << 22, 1 << 13)], ids=str, autouse=True)
def at_once(request, monkeypatch):
    """Compressed bytes that are read at once, of which the first must tell the format, and what is made of them."""
    for constant, size in zip(("_INPUT", "_OUTPUT", "_ZSTANDARD"), request.param, strict=True):
        monkeypatch.setattr(compression, constant, size)


def unpacked(data, sizes=(1 << 12,)):
    """The decompressed bytes of bytes or a file, read in pieces of these sizes in turn."""
    stream, parts = Stream("text.txt", io.BytesIO(data) if isinstance(data, bytes) else data), []
    while True:
        buffer = bytearray(sizes[len(parts) % len(sizes)])
        n = stream.readinto(memoryview(buffer))
        if n == 0:
            assert stream.readinto(memoryview(buffer)) == 0, "the end stays the end"
            return b"".join(parts)
        parts.append(bytes(buffer[:n]))


def refused(name, why=""):
    return pytest.raises(
        DataError, match=rf"\Acannot read text\.txt: the {name} data are damaged or cut short \([^\n]*{why}[^\n]*\)\Z"
    )


# --- The same as plain ------------------------------------------------------------------------------------------------


@every_format
@pytest.mark.parametrize("sizes", [(1,), (7, 1, 100), (1 << 20,)], ids=str)
def test_every_format_equals_plain(name, sizes):
    assert unpacked(PACK[name](TEXT), sizes) == unpacked(TEXT, sizes) == TEXT


@every_format
@settings(derandomize=True, deadline=None, max_examples=40)
@given(members=st.lists(st.binary(max_size=60), min_size=1, max_size=5), size=st.integers(1, 40))
@example(members=[b""], size=1)
@example(members=[b"", b"", b"", b"end"], size=7)
def test_members_one_after_the_other_are_one_text(name, members, size):
    packed = b"".join(map(PACK[name], members))
    assert unpacked(packed, (size,)) == b"".join(members)


@every_format
@pytest.mark.parametrize("n", [0, 1, 4, 100_000])
def test_zeros_after_and_between_members_are_padding(name, n):
    first, second = PACK[name](b"first, "), PACK[name](b"second")
    assert unpacked(first + bytes(n) + second + bytes(n)) == b"first, second"


def test_variants_of_a_format_are_read():
    named = io.BytesIO()
    with gzip.GzipFile("a name.txt", "wb", fileobj=named) as file:
        file.write(TEXT)
    checks = (lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_SHA256)
    packed = [named.getvalue(), *(lzma.compress(TEXT, check=check) for check in checks)]
    for variant in [*packed, *(bz2.compress(TEXT, level) for level in (1, 9))]:
        assert unpacked(variant) == TEXT


def test_zstandard_may_begin_with_a_frame_to_be_skipped():
    assert unpacked(SKIPPED + zstd(TEXT) + SKIPPED + zstd(b"end")) == TEXT + b"end"
    assert unpacked(SKIPPED) == b""


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"BZh",
        b"BZh9 is how it begins",
        b"BZhang wrote this",
        b"BZh91AY&",
        b"P*M",
        b"_*M a",
        b"(\xb5",
        b"\x1f",
        b"7zXZ",
    ],
)
def test_a_text_that_only_begins_like_a_format_is_text(text):
    assert unpacked(text) == text


@every_format
def test_what_is_packed_is_known_by_content_not_by_name(tmp_path, name):
    (tmp_path / "packed.txt").write_bytes(PACK[name](b"b a\na"))
    (tmp_path / f"plain{SUFFIX[name]}").write_bytes(b"b a\na")
    for path in tmp_path.iterdir():
        corpus = encode(path, threads=1)
        assert (list(corpus.vocabulary.words), corpus.ids.tolist()) == (["a", "b"], [1, 0, 0])


@every_format
@pytest.mark.parametrize("piece", [7, 64])
@pytest.mark.parametrize("threads", [1, 3])
def test_packed_files_are_encoded_as_plain_ones(tmp_path, monkeypatch, name, piece, threads):
    monkeypatch.setattr(text_chunks, "_CHUNK", piece)
    text = "der Bär und\n\ndie Bärin\0 \n".encode() * 20 + b"caf\xe9 un"
    (tmp_path / "packed").write_bytes(PACK[name](text[:100]) + PACK[name](text[100:]))
    (tmp_path / "plain").write_bytes(text)
    found = []
    for path in (tmp_path / "plain", tmp_path / "packed"):
        corpus = encode(Corpus(path), threads=threads)
        notes = [note.replace(str(path), "the file") for note in corpus.notes]
        found.append((list(corpus.vocabulary.words), corpus.ids.tolist(), corpus.offsets.tolist(), notes))
    assert found[0] == found[1]


@every_format
def test_the_format_of_a_pipe_is_known_when_its_first_bytes_come_one_by_one(name):
    reading, writing = os.pipe()

    def write():
        with open(writing, "wb", buffering=0) as file:
            for n, byte in enumerate(PACK[name](b"some words")):
                file.write(bytes([byte]))
                time.sleep(0.001 if n < 12 else 0)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with open(reading, "rb") as file:
            assert unpacked(file) == b"some words"
    finally:
        writer.join()


@every_format
@pytest.mark.parametrize("at_once", [(1 << 16, 1 << 20, 1 << 6)], ids=[""], indirect=True)
def test_data_that_become_large_are_decompressed_in_pieces(name, at_once):
    size = 1 << 25
    file = io.BytesIO(PACK[name](bytes(size)) + PACK[name](TEXT))
    buffer, n = bytearray(1 << 16), 0
    tracemalloc.start()
    try:
        stream = Stream("text.txt", file)
        while found := stream.readinto(memoryview(buffer)):
            n += found
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert n == size + len(TEXT)
    assert most < size / 2, "of which xz takes 8 MiB for what it has seen"


# --- What is damaged --------------------------------------------------------------------------------------------------


@every_format
def test_data_cut_short_anywhere_are_refused(name):
    packed = PACK[name](TEXT[:300])
    for n in range(KNOWN_BY[name], len(packed)):
        with refused(name, "the end is missing"):
            unpacked(packed[:n])


@every_format
def test_a_second_member_cut_short_anywhere_is_refused(name):
    first, second = PACK[name](b"first"), PACK[name](b"second")
    for n in range(1, len(second)):
        with refused(name):
            unpacked(first + second[:n])


@every_format
@pytest.mark.parametrize("garbage", [b"garbage", b"\n", b"\0\0garbage", b"\xff" * 100, *PACK], ids=str)
def test_garbage_or_another_format_after_a_member_is_refused(name, garbage):
    if garbage != name:
        with refused(name):
            unpacked(PACK[name](b"some words") + (PACK[garbage](b"other words") if garbage in PACK else garbage))


@every_format
def test_damaged_data_are_refused_or_what_they_were(name):
    packed = PACK[name](TEXT[:300])
    messages = []
    for place in range(KNOWN_BY[name], len(packed)):
        damaged = bytearray(packed)
        damaged[place] ^= 0xFF
        try:
            unpacked(bytes(damaged))
        except DataError as error:
            messages.append(str(error))
    assert all(re.fullmatch(rf"cannot read text\.txt: the {name} data are .* \(.*\)", message) for message in messages)
    likely = 0.05 if name == "Zstandard" else 0.8  # what it packs has no checksum unless wanted
    assert len(messages) > likely * (len(packed) - KNOWN_BY[name])


@pytest.mark.parametrize("place", [-8, -5, -4, -1], ids=["checksum", "its end", "length", "its end"])
def test_checksum_and_length_of_gzip_are_checked(place):
    damaged = bytearray(gzip.compress(TEXT))
    damaged[place] ^= 1
    with refused("gzip"):
        unpacked(bytes(damaged))


@every_format
def test_the_file_is_named_and_the_cause_kept(tmp_path, name):
    path = tmp_path / f"text{SUFFIX[name]}"
    path.write_bytes(PACK[name](TEXT)[:-3])
    with pytest.raises(DataError, match=rf"\Acannot read .*text{SUFFIX[name]}: the {name} data") as caught:
        encode(path, threads=2)
    assert isinstance(caught.value.__cause__, (EOFError, zlib.error, lzma.LZMAError, OSError))


def test_an_error_of_the_system_is_raised_as_it_is():
    class Failing(io.BytesIO):
        def read(self, n=-1):
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().read(n)

    packed = Failing(bz2.compress(random.Random(0).randbytes(100_000)))
    with pytest.raises(OSError, match="Input/output error"):
        unpacked(packed)


def test_without_zstandard_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression", None)
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    with pytest.raises(DataError, match=r'\Afor Zstandard files install .*"embedtrain\[zstd\]"\Z'):
        unpacked(zstd(TEXT))
    assert unpacked(gzip.compress(TEXT)) == unpacked(TEXT) == TEXT
