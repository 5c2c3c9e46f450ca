"""Damaged and odd files: refused in a line, and neither waited for nor read whole."""

import gzip
import json
import os
import struct
import tracemalloc

import numpy as np
import pytest

from embedtrain import Counts, WordVectors, formats
from embedtrain.errors import DataError, SettingError
from embedtrain.formats.format import VectorTable
from embedtrain.training.checkpoint import Checkpoint
from embedtrain.vectors.evaluation_files import read_analogies, read_pairs

TABLE = VectorTable(["the", "cat"], np.eye(2, dtype=np.float32), np.array([2, 1]))
OWN = {
    "words": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]},
    "starts": {"dtype": "I64", "shape": [3], "data_offsets": [8, 32]},
    "vectors": {"dtype": "F32", "shape": [2, 1], "data_offsets": [32, 40]},
}
DATA = b"ab" + bytes(6) + struct.pack("<3q2f", 0, 1, 2, 0.5, 1.5)


def refusal(path):
    with pytest.raises(DataError) as caught:
        WordVectors.load(path)
    message = str(caught.value).replace(str(path.parent), "")
    assert message.isprintable()
    assert len(message) < 350
    return message


# --- safetensors ------------------------------------------------------------------------------------------------------


def tensors(path, header):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + DATA)
    return path


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}])
def test_safetensors_of_others_need_no_metadata(tmp_path, metadata):
    found = WordVectors.load(tensors(tmp_path / "x", OWN | {"__metadata__": metadata}))
    assert (list(found.words), found.vectors.tolist()) == (["a", "b"], [[0.5], [1.5]])


@pytest.mark.parametrize("metadata", [5, ["about"], "about", {"about": 5}, {"about": "[]"}, {"about": '{"kind": 1}'}])
def test_odd_metadata_of_safetensors_are_refused(tmp_path, metadata):
    message = refusal(tensors(tmp_path / "x", OWN | {"__metadata__": metadata}))
    assert "damaged or not a safetensors file" in message or "not a file of vectors of embedtrain" in message


@pytest.mark.parametrize("tensor", [5, {}, {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]},
                                    {"dtype": "U8", "shape": [1e999], "data_offsets": [0, 2]},
                                    {"dtype": "U8", "shape": [9], "data_offsets": [39, 48]},
                                    {"dtype": "U8", "shape": [10**13], "data_offsets": [0, 10**13]}])  # fmt: skip
def test_odd_tensors_are_refused(tmp_path, tensor):
    assert "damaged or not a safetensors file" in refusal(tensors(tmp_path / "x", OWN | {"words": tensor}))


def test_other_tensors_are_not_opened(tmp_path):
    others = {f"layer{number}": OWN["vectors"] for number in range(3000)}
    path = tensors(tmp_path / "x", OWN | others)
    assert len(WordVectors.load(path)) == 2
    tensors(path, others)
    assert "expected tensors words, starts, vectors, got layer0, layer1, " in refusal(path)


def test_a_long_header_is_not_parsed(tmp_path):
    path = tmp_path / "x"
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", 99_000_000) + b'{"a":[' + b"0," * (1 << 19))
        file.truncate(99_000_100)
    tracemalloc.start()
    try:
        assert "a header of 99,000,000 bytes, expected at most" in refusal(path)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["x.npz", "x.npy", "x.safetensors"])
def test_settings_that_could_not_be_read_are_not_written(tmp_path, name):
    with pytest.raises(DataError, match=r"the settings have 5,000,\d+ bytes as JSON, files hold 4,194,304"):
        formats.write(tmp_path / name, TABLE._replace(settings={"note": "x" * 5_000_000}))
    assert list(tmp_path.iterdir()) == []


# --- .npz -------------------------------------------------------------------------------------------------------------


def archive(path, **others):
    formats.write(path, TABLE)
    np.savez_compressed(path, **(dict(np.load(path)) | others))
    return path


def test_other_arrays_are_not_read(tmp_path):
    path = archive(tmp_path / "x.npz", other=np.zeros(1 << 26, np.uint8), **{"w" * 60_000: np.zeros(1)})
    tracemalloc.start()
    try:
        assert len(WordVectors.load(path)) == 2
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("version", ["Infinity", "NaN", "[]", "9" * 5000, "9" * 4000])
def test_odd_versions_are_refused(tmp_path, version):
    about = b'{"kind": "embedtrain vectors", "settings": {}, "version": %s}' % version.encode()
    message = refusal(archive(tmp_path / "x.npz", about=np.frombuffer(about, np.uint8)))
    assert "not a file of vectors of embedtrain" in message or "newer than this embedtrain" in message


def test_long_settings_are_not_parsed(tmp_path):
    about = np.full(1 << 23, ord("["), np.uint8)
    assert "not a file of vectors of embedtrain" in refusal(archive(tmp_path / "x.npz", about=about))


def test_names_of_arrays_are_quoted_in_part(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", **{"\x1b" + "w" * 60_000: np.zeros(3)})
    assert "expected arrays words, starts, vectors and about, got " in refusal(tmp_path / "x.npz")


# --- Text, compressed, and evaluation files ---------------------------------------------------------------------------


def test_a_table_that_grows_beyond_the_memory_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "x.vec.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"300 2\n" + b"".join(b"w%d 1 2\n" % number for number in range(300)))
    monkeypatch.setattr("embedtrain.formats.text_parsing._BLOCK", 100)
    free = iter([1000, 10])
    monkeypatch.setattr("embedtrain.machine.memory.available_memory", lambda: next(free))
    with pytest.raises(SettingError, match=r"the vectors in .* need \d+ bytes of memory, 10 bytes are free"):
        WordVectors.load(path, threads=1)


@pytest.mark.parametrize("read", [read_pairs, read_analogies])
def test_carriage_returns_do_not_join_lines(tmp_path, read):
    path = tmp_path / "pairs.csv"
    for text in (b"a,b,1\rc,d,2\r", b"a b c d\re f g h", b"x,y,z\r" * 10_000):
        path.write_bytes(text)
        with pytest.raises(DataError, match="line 1: carriage returns without line feeds; save the file with"):
            read(path)


def test_a_long_number_is_quoted_in_part(tmp_path):
    path = tmp_path / "pairs"
    path.write_bytes(b"a b 1," + b"2" * 10_000)
    with pytest.raises(DataError, match=r"write 1\.2{38} for 1,2{38}$"):
        read_pairs(path)


@pytest.mark.parametrize("encoding", ["idna", "punycode", "undefined", "hex", "no such"])
def test_odd_encodings_are_refused(tmp_path, encoding):
    path = tmp_path / "pairs"
    path.write_bytes(b"a\xff b 1\n")
    with pytest.raises((DataError, SettingError)):
        read_pairs(path, encoding=encoding)


# --- A folder of .npy files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", ["-" * 9000 + "1", "(" * 9000, "{'descr':'<f4','fortran_order':False,'shape':(2500000000000,4),}"]
)
def test_headers_that_nest_or_promise_too_much_are_refused(tmp_path, header):
    path = tmp_path / "x.npy"
    formats.write(path, TABLE)
    text = header.encode() + b"\n"
    (path / "vectors.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(16))
    assert "vectors.npy: it is damaged, create it again" in refusal(path)


@pytest.mark.parametrize("name", ["vectors.npy", "words.txt", "counts.npy", "about.json"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_only_regular_files_in_a_folder_are_read(tmp_path, name, kind):
    path = tmp_path / "x.npy"
    formats.write(path, TABLE)
    (path / name).unlink()
    make_odd(path / name, kind)
    assert f"cannot read /x.npy/{name}: it is not a regular file" in refusal(path)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_only_a_regular_file_of_words_is_read(tmp_path, kind):
    path = tmp_path / "vectors.tsv"
    formats.write(path, TABLE)
    (tmp_path / "metadata.tsv").unlink()
    make_odd(tmp_path / "metadata.tsv", kind)
    with pytest.raises(DataError, match=r"cannot read .*metadata\.tsv: it is not a regular file"):
        WordVectors.load(path, format="projector")


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_only_regular_files_of_vectors_counts_and_checkpoints_are_read(tmp_path, kind):
    make_odd(tmp_path / "x", kind)
    for load in (WordVectors.load, Counts.load, Checkpoint.load):
        with pytest.raises(DataError, match=r"is a pipe or device|is not a regular file|without vectors\.npy"):
            load(tmp_path / "x")


def make_odd(path, kind):
    if kind == "folder":
        path.mkdir()
    elif not hasattr(os, "mkfifo"):
        pytest.skip("no pipes or devices as files")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
