"""Damaged files of every reader of vectors and of questions: read or refused in a line, without much memory."""

import gzip
import io
import json
import math
import random
import shutil
import struct
import tracemalloc
import warnings
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest

from embedtrain import WordVectors, formats
from embedtrain.errors import EmbedtrainError
from embedtrain.formats import text_parsing
from embedtrain.formats.format import VectorTable
from embedtrain.formats.subwords import Subwords
from embedtrain.vectors.evaluation_files import read_analogies, read_pairs

SHARES = {
    "x.vec": 0.15,
    "x.glove": 0.15,
    "x.vec.gz": 0.1,
    "x.bin": 0.2,
    "xsub.bin": 0.1,
    "x.npz": 0.15,
    "x.safetensors": 0.15,
    "x.npy": 0.1,
    "x.tsv": 0.05,
    "x.bin.gz": 0.05,
}
TRACED = 4  # one of so many files: it takes twice the time
NUMBERS = [0, 1, 255, 1 << 16, (1 << 31) - 1, 1 << 31, 1 << 32, 10**18, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]
PARTS = [b" ", b"\n", b"\r", b"\t", b"\0", b"\xff\xff", b"999999999", b"-", b"nan", b"1e400", b'{"', b"\xef\xbb\xbf"]


def damaged(chance, data):
    """The bytes with a few of them changed, put in, left out or exchanged."""
    data = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4])):
        size = len(data) + 1
        place = chance.choice([chance.randrange(size), chance.randrange(min(size, 90)), max(0, size - 300)])
        length, kind = chance.choice([1, 2, 4, 8, 30]), chance.randrange(6)
        if kind == 0:
            data[place : place + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            del data[place : place + length]
        elif kind == 2:
            data[place:place] = chance.choice([*PARTS, chance.randbytes(length)])
        elif kind == 3:
            data[place : place + 8] = struct.pack("<Q", chance.choice(NUMBERS))
        elif kind == 4:
            data[place : place + length] = data[: chance.choice([length, 9])]
        else:
            del data[place + length :]
    return bytes(data)


def damaged_inside(chance, data, name):
    """The bytes of a file whose checksums or lengths fit what is damaged in it."""
    if name.endswith(".safetensors"):
        end = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:end])
        place, key = header, chance.choice(sorted(header))
        while isinstance(place[key], (dict, list)) and chance.random() < 0.8:
            place = place[key]
            key = chance.choice(sorted(place) if isinstance(place, dict) else range(len(place)))
        place[key] = chance.choice(
            [*NUMBERS, None, True, -1, 0.5, math.inf, "", "F16", "é" * 500, [], {}, [2**70], "{}"]
        )
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + data[end:]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {member: archive.read(member) for member in archive.infolist()}
    victim, packed = chance.choice(list(members)), io.BytesIO()
    with zipfile.ZipFile(packed, "w", victim.compress_type) as archive:
        for member, content in members.items():
            archive.writestr(member.filename, damaged(chance, content) if member is victim else content)
    return packed.getvalue()


def originals(folder, name):
    """Whole files of a format, or folders, as mappings of names to bytes."""
    found = []
    for n_words, dim, dtype in ((1, 1, "f4"), (5, 3, "f4"), (40, 7, "f2")):
        vectors = np.random.default_rng(dim).standard_normal((n_words, dim)).astype(dtype)
        words = [f"w{row}" + "é" * (row % 3) for row in range(n_words)]
        path = folder / f"{n_words}{name}"
        rows = np.ones((30, dim), np.float32)
        subwords = Subwords(2, 4, 30, rows) if name == "xsub.bin" or (name == "x.npz" and dim > 1) else None
        formats.write(path, VectorTable(words, vectors, np.arange(n_words), {"dim": dim}, subwords=subwords))
        if path.is_dir():
            found.append({f"{name}/{file.name}": file.read_bytes() for file in path.iterdir()})
        else:  # the projector has two
            found.append(
                {file.name.removeprefix(f"{n_words}"): file.read_bytes() for file in folder.glob(f"{n_words}x*")}
            )
        if name == "x.npz":
            arrays = dict(np.load(path))
            np.savez_compressed(path, **arrays)
            found.append({name: path.read_bytes()})
        if name.endswith(".gz"):  # damaged before it is compressed
            found[-1] = {name: gzip.decompress(found[-1][name])}
    return found


def put(chance, folder, files):
    """Write files, one of them damaged."""
    victim = chance.choice(sorted(files))
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        if name == victim and name.endswith((".npz", ".safetensors")) and chance.random() < 0.5:
            data = damaged_inside(chance, data, name)
        elif name == victim:
            data = damaged(chance, data)
        (folder / name).write_bytes(gzip.compress(data, 1) if name.endswith(".gz") and chance.random() < 0.9 else data)


def plainly_read(path, limit, dim):
    """The words and values of a text that is as it should be up to the limit, in plain Python."""
    data = path.read_bytes()
    data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    if text_parsing.is_tabbed(data.rstrip(b"\n").split(b"\n")[:20]):
        data = data.replace(b"\t", b" ")
    lines = [line.rstrip(b" \r") for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    rows = [[field for field in line.split(b" ") if field] for line in lines if line]
    rows = rows[len(rows) > 1 and text_parsing.HEADER.fullmatch(lines[0]) is not None :][:limit]
    words = [b" ".join(row[:-dim]).decode(errors="replace") for row in rows]
    return words, np.array([list(map(float, row[-dim:])) for row in rows]).astype(np.float32)


@contextmanager
def refused_in_a_line(folder, seed):
    """Read a file in the block; errors are of one short line, without much memory."""
    if seed % TRACED == 0:
        tracemalloc.start()
    try:
        yield
    except EmbedtrainError as error:
        message = str(error).replace(str(folder), "")
        assert message.isprintable(), (seed, message)
        assert len(message) < 350, (seed, message)
    except Exception as error:
        raise AssertionError(f"seed {seed}") from error
    assert tracemalloc.get_traced_memory()[1] < 64 << 20, seed
    tracemalloc.stop()


@pytest.mark.parametrize("name", SHARES)
def test_any_file_is_read_or_refused_in_a_line(tmp_path, name, exhaustive, monkeypatch, record_property):
    (tmp_path / "whole").mkdir()
    whole, n, n_read = originals(tmp_path / "whole", name), int((100_000 if exhaustive else 2000) * SHARES[name]), 0
    for seed in range(n):
        chance = random.Random(seed)
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        put(chance, tmp_path, chance.choice(whole))
        options = {"limit": chance.choice([None, 1, 1000]), "vocabulary": chance.choice([None, None, ["w1é", "w3"]]),
                   "errors": chance.choice(["strict", "skip"])}  # fmt: skip
        monkeypatch.setattr(text_parsing, "_BLOCK", chance.choice([40, 1 << 22]))  # parsed by kernels, or in Python
        with refused_in_a_line(tmp_path, seed):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.filterwarnings(
                    "ignore", "skipped |none of the 2 words |.*: [0-9]+ words? with (spaces|bytes that are not UTF-8)"
                )
                got = WordVectors.load(tmp_path / name, threads=1, mmap=chance.random() < 0.3, **options)
            n_read += 1
            assert got.vectors.shape[0] == len(got.words) == len(set(got.words)), seed
            assert all(word and not set(word) & set("\n\r\t\0") for word in got.words), seed
            if (
                options["errors"] == "strict"
                and not options["vocabulary"]
                and formats.recognise(tmp_path / name).is_text
            ):
                words, values = plainly_read(tmp_path / name, options["limit"], got.vectors.shape[1])
                assert list(got.words) == words, seed
                assert got.vectors.tobytes() == values.tobytes(), seed
    assert 0.02 * n < n_read < 0.9 * n, "both happen"
    record_property("figures", f"{n:,} damaged files, {n_read:,} read, the others refused")


QUESTIONS = [
    b": capitals\nParis France Rome Italy\nOslo Norway Rome Italy\n: small\na b c d\n",
    b"# x\ngood better bad worse\n",
]
PAIRS = [
    b"cat\tdog\t7.5\ncar\tbus\t3\n",
    b"\xef\xbb\xbfone,two,score\r\ncat,dog,7.5\r\ncar,bus,3e0\r\n",
    b"a;b;1\nc;d;2\n",
    b"word1 word2 pos score\ncaf\xc3\xa9 tea n 1.5\nold new a 0.2\n",
    b"cat dog 1\r\n# x\r\na b 2",
]


@pytest.mark.parametrize(
    ("read", "whole"), [(read_analogies, QUESTIONS), (read_pairs, PAIRS)], ids=["analogies", "pairs"]
)
def test_any_evaluation_file_is_read_or_refused_in_a_line(tmp_path, read, whole, exhaustive):
    n, n_read, path = 5000 if exhaustive else 100, 0, tmp_path / "x"
    for seed in range(n):
        chance = random.Random(seed)
        data = damaged(chance, chance.choice(whole))
        path.write_bytes(data * 2000 if chance.random() < 0.02 else data)
        settings = {
            "delimiter": chance.choice([None, None, ","]),
            "encoding": chance.choice(["utf-8", "cp1252", "utf-16"]),
        }
        with refused_in_a_line(tmp_path, seed):
            found = read(path, **settings if read is read_pairs else {})
            n_read += 1
            rows = found if read is read_pairs else [row for section in found for row in section.questions]
            assert rows, seed
            assert all(all(row[:2]) and len(row) == (3 if read is read_pairs else 4) for row in rows), seed
            assert read is read_analogies or all(math.isfinite(pair.score) for pair in rows), seed
    assert 0.02 * n < n_read < 0.9 * n, "both happen"
