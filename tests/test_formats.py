import gzip
import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from embedtrain.errors import DataError, EmbedtrainError, SettingError
from embedtrain.vectors import formats
from embedtrain.vectors.formats.content import Choice, Content

WORDS = ["the", "é", "日本", "x"]
CONTENT = Content(
    WORDS, np.random.default_rng(1).standard_normal((4, 5)).astype(np.float32), np.array([9, 5, 5, 1]), {"dim": 5}
)
FILES = {"x.vec": "word2vec", "x.vec.gz": "word2vec", "x.bin": "word2vec-bin", "x.bin.gz": "word2vec-bin",
         "x.glove": "glove", "x.npz": "npz", "x.npy": "npy", "x.safetensors": "safetensors"}  # fmt: skip
ARRAYS = ["x.npz", "x.npy", "x.safetensors"]


@pytest.mark.parametrize(("name", "format"), FILES.items())
def test_what_is_written_is_recognised_and_read(tmp_path, name, format):
    path = tmp_path / name
    assert formats.format_of(path) == format
    formats.write(path, CONTENT)
    plain = path.rename(tmp_path / "other")  # the content tells
    assert formats.recognise(plain) == format
    found = formats.read(plain)
    assert list(found.words) == WORDS
    np.testing.assert_array_equal(found.vectors, CONTENT.vectors)


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_keep_counts_settings_and_half_precision(tmp_path, name):
    halves = CONTENT._replace(vectors=CONTENT.vectors.astype(np.float16))
    formats.write(tmp_path / name, halves)
    formats.write(tmp_path / name, halves)  # onto itself
    found = formats.read(tmp_path / name, Choice(limit=3, vocabulary={"日本", "x"}, mmap=True))
    assert (list(found.words), found.counts.tolist(), found.settings) == (["日本"], [5], {"dim": 5})
    np.testing.assert_array_equal(found.vectors, halves.vectors[2:3])
    whole = formats.read(tmp_path / name, Choice(mmap=True))
    assert whole.vectors.dtype == np.float16
    assert not whole.vectors.flags.owndata


@pytest.mark.parametrize("name", ARRAYS[::2])
def test_damaged_arrays_are_refused_in_a_line(tmp_path, name):
    formats.write(tmp_path / name, CONTENT)
    whole = (tmp_path / name).read_bytes()
    refused = 0
    for end in range(0, len(whole), 37):
        damaged = bytearray(whole[:end] if end % 2 else whole)
        damaged[end // 2 : end // 2 + 1] = b"\xff"
        (tmp_path / name).write_bytes(damaged)
        try:
            formats.read(tmp_path / name)
        except DataError as error:
            refused += 1
            assert "\n" not in str(error)  # noqa: PT017  either is right
    assert refused > 5


def test_safetensors_is_what_its_package_reads(tmp_path):
    package = pytest.importorskip("safetensors.numpy", reason="needs the package safetensors")
    formats.write(tmp_path / "x.safetensors", CONTENT)
    tensors = package.load_file(tmp_path / "x.safetensors")
    np.testing.assert_array_equal(tensors["vectors"], CONTENT.vectors)
    assert tensors["words"].tobytes() == "".join(WORDS).encode()
    package.save_file(tensors, tmp_path / "y.safetensors")
    assert formats.read(tmp_path / "y.safetensors").words == WORDS


def test_npz_is_what_numpy_reads_and_writes(tmp_path):
    formats.write(tmp_path / "x.npz", CONTENT)
    arrays = dict(np.load(tmp_path / "x.npz", allow_pickle=False))
    assert json.loads(arrays["about"].tobytes())["settings"] == {"dim": 5}
    np.savez_compressed(tmp_path / "y.npz", **arrays)
    assert formats.read(tmp_path / "y.npz").words == WORDS


def test_round_trip_is_byte_identical(tmp_path):
    for first, second in (("a.vec", None), ("b.bin", "a.vec"), ("c.npz", "b.bin"), ("d.vec", "c.npz")):
        formats.write(tmp_path / first, formats.read(tmp_path / second) if second else CONTENT)
    assert (tmp_path / "a.vec").read_bytes() == (tmp_path / "d.vec").read_bytes()


def test_the_projector_takes_a_pair(tmp_path):
    formats.write(tmp_path / "x.tsv", CONTENT)
    assert (tmp_path / "x_metadata.tsv").read_text("utf-8").split("\n")[:2] == ["word\tcount", "the\t9"]
    rows = np.loadtxt(tmp_path / "x.tsv", np.float32, delimiter="\t")
    np.testing.assert_array_equal(rows, CONTENT.vectors)
    formats.write(tmp_path, CONTENT._replace(counts=None), "projector")
    assert (tmp_path / "metadata.tsv").read_text("utf-8") == "the\né\n日本\nx\n"
    assert (tmp_path / "vectors.tsv").read_bytes() == (tmp_path / "x.tsv").read_bytes()
    with pytest.raises(SettingError, match="written only"):
        formats.read(tmp_path / "x.tsv", Choice(), "projector")


def test_formats_have_names(tmp_path):
    with pytest.raises(SettingError, match="format must be one of word2vec, "):
        formats.write(tmp_path / "x", CONTENT, "word")
    with pytest.raises(SettingError, match="not compressed"):
        formats.write(tmp_path / "x.npz.gz", CONTENT)


FOREIGN = {
    "fastText": (struct.pack("<ii", 793_712_314, 12), "a fastText model; "),
    "pickle": (pickle.dumps([1, 2]), "Python pickle"),
    "gensim": (pickle.dumps("gensim.models"), "saved by gensim"),
    "old pickle": (pickle.dumps({1: 2}, 0), "pickle"),
    "HDF5": (b"\x89HDF\r\n\x1a\n...", "HDF5"),
    "SQLite": (b"SQLite format 3\0...", "SQLite"),
    "PDF": (b"%PDF-1.4\n...", "PDF"),
    "web page": (b"<!DOCTYPE html>\n<html>", "web page"),
    "array": (b"\x93NUMPY\x01\x00", "without words"),
    "compressed pickle": (gzip.compress(pickle.dumps([1])), "pickle"),
    "empty": (b"", "is empty"),
    "blank": (b"\n\n", "is empty"),
    "prose": (b"It was a dark and stormy night\n", "no file of vectors"),
    "questions": (b": capital-common-countries\nAthens Greece Baghdad Iraq\n", "no file of vectors"),
    "noise": (bytes(range(256)), "binary and of no known kind"),
}


@pytest.mark.parametrize(("data", "complaint"), FOREIGN.values(), ids=FOREIGN)
def test_other_files_are_called_by_their_names(tmp_path, data, complaint):
    (tmp_path / "x.vec").write_bytes(data)
    with pytest.raises(DataError, match=complaint) as caught:
        formats.read(tmp_path / "x.vec")
    assert "\n" not in str(caught.value)


def test_archives_and_folders_are_called_by_their_names(tmp_path):
    with zipfile.ZipFile(tmp_path / "glove.zip", "w") as archive:
        archive.writestr("glove.6B.50d.txt", "the 1 2 3\n")
    with pytest.raises(DataError, match=r"zip archive with 'glove.6B.50d.txt'; unpack it"):
        formats.read(tmp_path / "glove.zip")
    with pytest.raises(DataError, match=r"folder without vectors.npy"):
        formats.read(tmp_path)
    with pytest.raises(DataError, match="no such file"):
        formats.read(tmp_path / "missing")
    with pytest.raises(DataError, match="holds other files"):
        formats.write(tmp_path, CONTENT)


READ_OF_GENSIM = {
    "EN.1-10.cbow1_wind5_hs0_neg10_size300_smpl1e-05.txt": (20, 300),
    "crime-and-punishment.vec": (291, 5),
    "euclidean_vectors.bin": (2747, 10),
    "high_precision.kv.bin": (2, 2),
    "high_precision.kv.txt": (2, 2),
    "lee_fasttext.vec": (1762, 10),
    "poincare_vectors.bin": (1182, 10),
    "test_glove.txt": (76, 50),
    "toy-model.vec": (22, 5),
    "word2vec_pre_kv_c": (1750, 10),
}
REFUSED_OF_GENSIM = {
    "pang_lee_polarity_fasttext.vec": "line 150: .*not UTF-8",
    "pretrained.vec": "promises 3 words",
    "w2v_keyedvectors_load_test.modeldata": "line 2: .*not UTF-8",
    "lee_fasttext_new.bin": "fastText model",
    "crime-and-punishment.bin": "fastText model",
    "toy-model.bin": "fastText model",
    "lee_fasttext.bin": "binary and of no known kind",
    "model-from-gensim-3.8.0.w2v": "saved by gensim",
    "word2vec_3.3": "saved by gensim",
    "varembed_vectors.pkl": "pickle",
    "questions-words.txt": "no file of vectors",
}


@pytest.fixture(scope="module")
def bundled():
    gensim = pytest.importorskip("gensim", reason="needs gensim's files")
    folder = Path(gensim.__file__).parent / "test" / "test_data"
    if not folder.is_dir():
        pytest.skip("this gensim comes without its test data")
    return folder


@pytest.mark.parametrize(("name", "shape"), READ_OF_GENSIM.items())
def test_vectors_of_gensim_are_read(bundled, name, shape):
    assert formats.read(bundled / name).vectors.shape == shape


@pytest.mark.parametrize(("name", "reason"), REFUSED_OF_GENSIM.items())
def test_what_is_damaged_or_other_at_gensim_is_refused(bundled, name, reason):
    with pytest.raises(DataError, match=reason):
        formats.read(bundled / name)


def test_no_file_of_gensim_is_more_than_read_or_refused(bundled):
    for path in sorted(bundled.iterdir()):
        try:
            assert formats.read(path).vectors.size
        except EmbedtrainError as error:
            assert "\n" not in str(error)  # noqa: PT017  either is right


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_writes_what_is_read_and_reads_what_is_written(tmp_path, binary):
    models = pytest.importorskip("gensim.models", reason="needs gensim")
    ours, theirs = tmp_path / ("x.bin" if binary else "x.vec"), tmp_path / "theirs"
    formats.write(ours, CONTENT)
    keyed = models.KeyedVectors.load_word2vec_format(str(ours), binary=binary)
    assert keyed.index_to_key == WORDS
    np.testing.assert_array_equal(keyed.vectors, CONTENT.vectors)
    keyed.save_word2vec_format(str(theirs), fvocab=str(tmp_path / "vocab"), binary=binary)
    found = formats.read(theirs)
    assert list(found.words) == WORDS
    np.testing.assert_array_equal(found.vectors, CONTENT.vectors)
