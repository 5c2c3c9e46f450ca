"""Damaged files of every format, as `WordVectors.load` takes them: read or refused in a line, without much memory."""

import gzip
import random
import shutil
import struct
import tracemalloc
import warnings

import numpy as np
import pytest

from embedtrain import WordVectors, formats
from embedtrain.errors import EmbedtrainError
from embedtrain.formats import text_parsing
from embedtrain.formats.format import VectorTable

SHARES = {
    "x.vec": 0.15,
    "x.glove": 0.15,
    "x.vec.gz": 0.1,
    "x.bin": 0.2,
    "x.npz": 0.15,
    "x.safetensors": 0.15,
    "x.npy": 0.1,
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


def originals(folder, name):
    """Whole files of a format, or folders, as mappings of names to bytes."""
    found = []
    for n_words, dim, dtype in ((1, 1, "f4"), (5, 3, "f4"), (40, 7, "f2")):
        vectors = np.random.default_rng(dim).standard_normal((n_words, dim)).astype(dtype)
        words = [f"w{row}" + "é" * (row % 3) for row in range(n_words)]
        path = folder / f"{n_words}{name}"
        formats.write(path, VectorTable(words, vectors, np.arange(n_words), {"dim": dim}))
        files = path.iterdir() if path.is_dir() else [path]
        found.append({name if file == path else f"{name}/{file.name}": file.read_bytes() for file in files})
        if name == "x.npz":
            arrays = dict(np.load(path))
            np.savez_compressed(path, **arrays)
            found.append({name: path.read_bytes()})
        if name == "x.vec.gz":  # damaged before it is compressed
            found[-1] = {name: gzip.decompress(found[-1][name])}
    return found


def put(chance, folder, files):
    """Write files, one of them damaged."""
    victim = chance.choice(sorted(files))
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        data = damaged(chance, data) if name == victim else data
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


@pytest.mark.parametrize("name", SHARES)
def test_any_file_is_read_or_refused_in_a_line(tmp_path, name, exhaustive, monkeypatch):
    (tmp_path / "whole").mkdir()
    whole, n, n_read = originals(tmp_path / "whole", name), int((100_000 if exhaustive else 2000) * SHARES[name]), 0
    for seed in range(n):
        chance = random.Random(seed)
        if seed % TRACED == 0:
            tracemalloc.start()
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        put(chance, tmp_path, chance.choice(whole))
        options = {"limit": chance.choice([None, 1, 1000]), "vocabulary": chance.choice([None, None, ["w1é", "w3"]]),
                   "errors": chance.choice(["strict", "skip"])}  # fmt: skip
        monkeypatch.setattr(text_parsing, "_BLOCK", chance.choice([40, 1 << 22]))  # parsed by kernels, or in Python
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.filterwarnings(
                    "ignore", "skipped |none of the 2 words |.*: [0-9]+ words? with (spaces|bytes that are not UTF-8)"
                )
                got = WordVectors.load(tmp_path / name, threads=1, mmap=chance.random() < 0.3, **options)
        except EmbedtrainError as error:
            message = str(error).replace(str(tmp_path), "")
            assert message.isprintable(), (seed, message)
            assert len(message) < 350, (seed, message)
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
        else:
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
        assert tracemalloc.get_traced_memory()[1] < 64 << 20, seed
        tracemalloc.stop()
    assert 0.02 * n < n_read < 0.9 * n, "both happen"
