"""Formats of vectors files: what is written is read back, and what is damaged is refused."""

import gzip
import json
import os
import pickle
import struct
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from text_files import refused

from embedtrain import WordVectors, formats
from embedtrain.errors import DataError, EmbedtrainError, SettingError
from embedtrain.formats import table
from embedtrain.formats.format import ReadOptions, VectorTable
from embedtrain.machine import memory
from embedtrain.machine.words import PackedWords

WORDS = ["the", "é", "日本", "x"]
TABLE = VectorTable(
    WORDS, np.random.default_rng(1).standard_normal((4, 5)).astype(np.float32), np.array([9, 5, 5, 1]), {"dim": 5}
)
FILES = {"x.vec": "word2vec", "x.vec.gz": "word2vec", "x.bin": "word2vec-bin", "x.bin.gz": "word2vec-bin",
         "x.glove": "glove", "x.npz": "npz", "x.npy": "npy", "x.safetensors": "safetensors"}  # fmt: skip
ARRAYS = ["x.npz", "x.npy", "x.safetensors"]


@pytest.mark.parametrize(("name", "format"), FILES.items())
def test_what_is_written_is_recognised_and_read(tmp_path, name, format):
    path = tmp_path / name
    assert formats.format_of(path).name == format
    formats.write(path, TABLE)
    plain = path.rename(tmp_path / "other")  # the content tells
    assert formats.recognise(plain).name == format
    found = formats.read(plain)
    assert list(found.words) == WORDS
    np.testing.assert_array_equal(found.vectors, TABLE.vectors)


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_keep_counts_settings_and_half_precision(tmp_path, name):
    halves = TABLE._replace(vectors=TABLE.vectors.astype(np.float16))
    formats.write(tmp_path / name, halves)
    formats.write(tmp_path / name, halves)  # onto itself
    found = formats.read(tmp_path / name, ReadOptions(limit=3, vocabulary={"日本", "x"}, mmap=True))
    assert (list(found.words), found.counts.tolist(), found.settings) == (["日本"], [5], {"dim": 5})
    np.testing.assert_array_equal(found.vectors, halves.vectors[2:3])
    whole = formats.read(tmp_path / name, ReadOptions(mmap=True))
    assert whole.vectors.dtype == np.float16
    assert not whole.vectors.flags.owndata


@pytest.mark.parametrize("name", ARRAYS[::2])
def test_damaged_arrays_are_refused_in_a_line(tmp_path, name):
    formats.write(tmp_path / name, TABLE)
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


@pytest.mark.clients
def test_safetensors_is_what_its_package_reads(tmp_path):
    package = pytest.importorskip("safetensors.numpy", reason="needs the package safetensors")
    formats.write(tmp_path / "x.safetensors", TABLE)
    tensors = package.load_file(tmp_path / "x.safetensors")
    np.testing.assert_array_equal(tensors["vectors"], TABLE.vectors)
    assert tensors["words"].tobytes() == "".join(WORDS).encode()
    package.save_file(tensors, tmp_path / "y.safetensors")
    assert formats.read(tmp_path / "y.safetensors").words == WORDS


def test_npz_is_what_numpy_reads_and_writes(tmp_path):
    formats.write(tmp_path / "x.npz", TABLE)
    arrays = dict(np.load(tmp_path / "x.npz", allow_pickle=False))
    assert json.loads(arrays["about"].tobytes())["settings"] == {"dim": 5}
    np.savez_compressed(tmp_path / "y.npz", **arrays)
    assert formats.read(tmp_path / "y.npz").words == WORDS


def test_round_trip_is_byte_identical(tmp_path):
    for first, second in (("a.vec", None), ("b.bin", "a.vec"), ("c.npz", "b.bin"), ("d.vec", "c.npz")):
        formats.write(tmp_path / first, formats.read(tmp_path / second) if second else TABLE)
    assert (tmp_path / "a.vec").read_bytes() == (tmp_path / "d.vec").read_bytes()


def test_the_projector_takes_a_pair(tmp_path):
    formats.write(tmp_path / "x.tsv", TABLE)
    assert (tmp_path / "x_metadata.tsv").read_text("utf-8").split("\n")[:2] == ["word\tcount", "the\t9"]
    rows = np.loadtxt(tmp_path / "x.tsv", np.float32, delimiter="\t")
    np.testing.assert_array_equal(rows, TABLE.vectors)
    formats.write(tmp_path, TABLE._replace(counts=None), "projector")
    assert (tmp_path / "metadata.tsv").read_text("utf-8") == "the\né\n日本\nx\n"
    assert (tmp_path / "vectors.tsv").read_bytes() == (tmp_path / "x.tsv").read_bytes()
    for path in (tmp_path, tmp_path / "vectors.tsv", tmp_path / "x.tsv"):
        assert formats.read(path, format="projector").words == WORDS


@pytest.mark.parametrize("name", ["x", "x.gz", "version1.5", "glove.6B.50d"])
def test_names_without_a_suffix_are_word2vec_text(tmp_path, name):
    formats.write(tmp_path / name, TABLE)
    assert formats.recognise(tmp_path / name).name == "word2vec"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_of_any_name_is_word2vec_text(tmp_path):
    os.mkfifo(tmp_path / "x.csv")
    assert formats.format_of(tmp_path / "x.csv").name == "word2vec"
    assert formats.format_of("/dev/null").name == "word2vec"


def test_zstandard_is_looked_for_before_there_is_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression", None)
    with pytest.raises(DataError, match=r"install the package with its extra"):
        formats.format_of("x.vec.zst")


@pytest.mark.parametrize("threads", [-1, 2.0, "2"])
@pytest.mark.parametrize("suffix", [".vec", ".npz"])
def test_wrong_threads_are_refused_of_every_format(tmp_path, suffix, threads):
    path = tmp_path / f"x{suffix}"
    with pytest.raises(SettingError, match="threads must be a whole number between 0 and 1024, got"):
        formats.write(path, TABLE, threads=threads)
    formats.write(path, TABLE)
    with pytest.raises(SettingError, match="threads must be a whole number between 0 and 1024, got"):
        formats.read(path, ReadOptions(threads=threads))


def test_formats_have_names(tmp_path):
    with pytest.raises(SettingError, match="format must be one of npy, npz, safetensors, projector, "):
        formats.write(tmp_path / "x", TABLE, "word")
    with pytest.raises(SettingError, match="not compressed"):
        formats.write(tmp_path / "x.npz.gz", TABLE)
    for name in ("x.zip", "x.ZIP.gz", "x.csv", "x.pkl", "x.model", "x.docx", "x.h5", "x.csv.gz"):
        suffix = name.lower().removesuffix(".gz")[1:]
        with pytest.raises(SettingError, match=rf"no format is written as \{suffix}, .*\.vec, .*\.npz or \.npy$"):
            WordVectors(TABLE.words, TABLE.vectors).save(tmp_path / name)
    formats.write(tmp_path / "x.zip", TABLE, "npz")
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


FOREIGN = {
    "fastText": (struct.pack("<ii", 793_712_314, 12), "a fastText model of 8 bytes; "),
    "pickle": (pickle.dumps([1, 2]), "Python pickle"),
    "gensim": (pickle.dumps("gensim.models"), "Python pickle of gensim"),
    "old pickle": (pickle.dumps({1: 2}, 0), "pickle"),
    "HDF5": (b"\x89HDF\r\n\x1a\n...", "HDF5"),
    "SQLite": (b"SQLite format 3\0...", "SQLite"),
    "web page": (b"<!DOCTYPE html>\n<html>", "web page"),
    "array": (b"\x93NUMPY\x01\x00", "without words"),
    "compressed pickle": (gzip.compress(pickle.dumps([1])), "pickle"),
    "empty": (b"", "is empty"),
    "blank": (b"\n\n", "is empty"),
    "prose": (b"It was a dark and stormy night\n", "not a file of vectors"),
    "questions": (b": capital-common-countries\nAthens Greece Baghdad Iraq\n", "not a file of vectors"),
    "noise": (bytes(range(256)), "binary and of an unknown kind"),
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
    with pytest.raises(DataError, match=r"it holds glove\.zip; name a new folder"):
        formats.write(tmp_path, TABLE)


READ_OF_GENSIM = {
    "EN.1-10.cbow1_wind5_hs0_neg10_size300_smpl1e-05.txt": (20, 300),
    "crime-and-punishment.bin": (291, 5),
    "crime-and-punishment.vec": (291, 5),
    "euclidean_vectors.bin": (2747, 10),
    "high_precision.kv.bin": (2, 2),
    "high_precision.kv.txt": (2, 2),
    "lee_fasttext_new.bin": (1763, 10),
    "lee_fasttext.vec": (1762, 10),
    "pang_lee_polarity_fasttext.vec": (1694, 100),
    "poincare_vectors.bin": (1182, 10),
    "test_glove.txt": (76, 50),
    "toy-model.bin": (22, 5),
    "toy-model.vec": (22, 5),
    "w2v_keyedvectors_load_test.modeldata": (2, 3),
    "word2vec_pre_kv_c": (1750, 10),
}
REFUSED_OF_GENSIM = {
    "pretrained.vec": "promises 3 words",
    "pang_lee_polarity_fasttext.bin": "supervised fastText model",
    "lee_fasttext.bin": "binary and of an unknown kind",
    "model-from-gensim-3.8.0.w2v": "pickle of gensim",
    "word2vec_3.3": "pickle of gensim",
    "varembed_vectors.pkl": "pickle",
    "questions-words.txt": "not a file of vectors",
}


@pytest.fixture(scope="module")
def bundled():
    gensim = pytest.importorskip("gensim", reason="needs gensim's files")
    folder = Path(gensim.__file__).parent / "test" / "test_data"
    if not folder.is_dir():
        pytest.skip("this gensim comes without its test data")
    return folder


@pytest.mark.clients
@pytest.mark.parametrize(("name", "shape"), READ_OF_GENSIM.items())
def test_vectors_of_gensim_are_read(bundled, name, shape):
    assert formats.read(bundled / name).vectors.shape == shape


@pytest.mark.clients
@pytest.mark.parametrize(("name", "reason"), REFUSED_OF_GENSIM.items())
def test_what_is_damaged_or_other_at_gensim_is_refused(bundled, name, reason):
    with pytest.raises(DataError, match=reason):
        formats.read(bundled / name)


@pytest.mark.clients
def test_no_file_of_gensim_is_more_than_read_or_refused(bundled):
    for path in sorted(bundled.iterdir()):
        try:
            assert formats.read(path).vectors.size
        except EmbedtrainError as error:
            assert "\n" not in str(error)  # noqa: PT017  either is right


@pytest.mark.clients
@pytest.mark.parametrize("binary", [False, True])
def test_gensim_writes_what_is_read_and_reads_what_is_written(tmp_path, binary):
    models = pytest.importorskip("gensim.models", reason="needs gensim")
    ours, theirs = tmp_path / ("x.bin" if binary else "x.vec"), tmp_path / "theirs"
    formats.write(ours, TABLE)
    keyed = models.KeyedVectors.load_word2vec_format(str(ours), binary=binary)
    assert keyed.index_to_key == WORDS
    np.testing.assert_array_equal(keyed.vectors, TABLE.vectors)
    keyed.save_word2vec_format(str(theirs), fvocab=str(tmp_path / "vocab"), binary=binary)
    found = formats.read(theirs)
    assert list(found.words) == WORDS
    np.testing.assert_array_equal(found.vectors, TABLE.vectors)


# --- What every format holds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("dtype", ["f8", ">f4", ">f2", "i8", "?", "list"])
def test_numbers_of_other_types_become_float32(tmp_path, name, dtype):
    rows = [[1, 0], [0, 1]]
    vectors = rows if dtype == "list" else np.array(rows, dtype)
    formats.write(tmp_path / name, VectorTable(["a", "b"], vectors, [2, 1]))
    found = WordVectors.load(tmp_path / name)
    assert (found.words, found.vectors.tolist(), found.vectors.dtype) == (["a", "b"], rows, np.float32)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("vectors", "counts", "complaint"),
    [
        ([[1e300], [1]], None, "'a' is not finite as float32"),
        ([["1"], ["2"]], None, "rows of real numbers, equally long"),
        ([[1j], [2j]], None, "rows of real numbers, equally long"),
        ([[1, 2], [1]], None, "rows of real numbers, equally long"),
        ([[1], [2]], [1], "2 words need a count each"),
    ],
)
def test_what_is_no_float32_is_not_written(tmp_path, name, vectors, counts, complaint):
    with pytest.raises(DataError, match=complaint):
        formats.write(tmp_path / name, VectorTable(["a", "b"], vectors, counts))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [*FILES, "x.tsv"])
@pytest.mark.parametrize(
    ("dim", "complaint"), [(0, "need a row each"), ((1 << 21) + 1, "at most 2,097,152 dimensions")]
)
def test_dimensions_that_no_format_holds_are_refused(tmp_path, name, dim, complaint):
    with pytest.raises(DataError, match=complaint):
        formats.write(tmp_path / name, VectorTable(["a"], np.ones((1, dim), np.float32)))
    assert not list(tmp_path.iterdir())


def test_the_most_dimensions_are_read_back(tmp_path):
    vectors = np.full((1, 1 << 21), -1.17549435e-38, np.float32)  # the longest text
    formats.write(tmp_path / "x.vec", VectorTable(["a"], vectors))
    assert (formats.read(tmp_path / "x.vec").vectors == vectors).all()


@pytest.mark.parametrize("name", ARRAYS)
def test_settings_of_any_kind_are_kept_as_json(tmp_path, name):
    settings = {
        ("a", 1): {2: float("nan")},
        "file": "caf\udce9.vec",
        "path": Path("x"),
        "list": (1, None, np.float64(2)),
    }
    formats.write(tmp_path / name, TABLE._replace(settings=settings))
    kept = formats.read(tmp_path / name).settings
    assert kept == {"('a', 1)": {"2": "nan"}, "file": "caf\udce9.vec", "path": "x", "list": [1, None, 2]}


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ("[" * 100_000, "is not a file of vectors of embedtrain"),
        ('{"kind": "embedtrain vectors", "version": Infinity, "settings": {}}', "is not a file of vectors"),
        ('{"kind": "embedtrain vectors", "version": null, "settings": {}}', "is not a file of vectors"),
        ('{"kind": "embedtrain vectors", "version": 1, "settings": [[]]}', "is not a file of vectors"),
        ('{"kind": "embedtrain vectors", "version": ' + "9" * 4000 + "}", "is not a file of vectors"),
        (
            '{"kind": "embedtrain vectors", "version": ' + "9" * 4000 + ', "settings": {}}',
            "version 9{20} of the format is newer",
        ),
    ],
    ids=["deep", "infinite", "null", "list", "long", "long version"],
)
def test_strange_settings_are_refused_in_a_line(tmp_path, about, message):
    formats.write(tmp_path / "x.npy", TABLE)
    (tmp_path / "x.npy" / "about.json").write_text(about)
    with refused(message):
        formats.read(tmp_path / "x.npy")


# --- Files of arrays that others made ---------------------------------------------------------------------------------

REWRITTEN = [pytest.param(name, marks=pytest.mark.clients if name == "x.safetensors" else ()) for name in ARRAYS]
ODD = ["", " ", "c\n", "d\0", "\t", "\x7f"]


def put_words(path, words):
    """Replace the words of a file of arrays, and nothing else."""
    packed = PackedWords.of(words)
    if path.suffix == ".npy":
        (path / "words.txt").write_bytes("".join(f"{word}\n" for word in words).encode())
    elif path.suffix == ".npz":
        np.savez(path, **{**np.load(path), "words": packed.text, "starts": packed.starts})
    else:
        package = pytest.importorskip("safetensors.numpy", reason="needs the package safetensors")
        package.save_file({**package.load_file(path), "words": packed.text, "starts": packed.starts}, path)


@pytest.mark.parametrize("name", REWRITTEN)
@pytest.mark.parametrize("word", ODD, ids=repr)
def test_odd_words_in_arrays_are_refused_or_left_out(tmp_path, name, word):
    if name == "x.npy" and "\n" in word:
        pytest.skip("is two words there")
    formats.write(tmp_path / name, TABLE)
    put_words(tmp_path / name, ["the", word, "\u00a0", "x"])
    for mmap in (False, True):
        with pytest.raises(DataError, match=r"word 2: .* is empty or has a space or control character; .*skip"):
            formats.read(tmp_path / name, ReadOptions(mmap=mmap))
        reports = []
        found = formats.read(tmp_path / name, ReadOptions(mmap=mmap, on_error=reports.append))
        assert (found.words, found.counts.tolist(), len(reports)) == (["the", "\u00a0", "x"], [9, 5, 1], 1)
        np.testing.assert_array_equal(found.vectors, TABLE.vectors[[0, 2, 3]])
    put_words(tmp_path / name, ["the", "a", "\u00a0", "x"])
    assert formats.read(tmp_path / name).words[2] == "\u00a0"
    with pytest.raises(DataError, match=r"word 3: .* has whitespace"):
        formats.read(tmp_path / name, ReadOptions(must_be_writable=True))


@pytest.mark.parametrize("mmap", [False, True])
def test_words_of_npz_may_have_spaces(tmp_path, mmap):
    table = TABLE._replace(words=["red mug", " a ", "b  c", "x"])
    formats.write(tmp_path / "x.npz", table)
    assert formats.read(tmp_path / "x.npz", ReadOptions(mmap=mmap, must_be_writable=True)).words == table.words
    for other in ("x.vec", "x.bin", "x.npy", "x.tsv"):
        with pytest.raises(DataError, match=r"'red mug' holds a space, which this file cannot; write \.npz, which can"):
            formats.write(tmp_path / other, table)


@pytest.mark.parametrize("name", REWRITTEN)
def test_errors_are_raised_or_skipped_with_a_warning(tmp_path, name):
    formats.write(tmp_path / name, TABLE)
    put_words(tmp_path / name, ["the", "a", "the", "x"])
    with pytest.raises(DataError, match="word 3: the word 'the' appears twice, first as word 1"):
        WordVectors.load(tmp_path / name)
    with pytest.warns(UserWarning, match=f"skipped 1 error, the first: .*{name}, word 3: the word 'the' appears twice"):
        found = WordVectors.load(tmp_path / name, errors="skip")
    assert list(found.words) == ["the", "a", "x"]
    with pytest.raises(SettingError, match="errors must be strict or skip, got 'ignore'"):
        WordVectors.load(tmp_path / name, errors="ignore")


def test_a_byte_order_mark_is_no_part_of_a_word(tmp_path):
    path = tmp_path / "x.npy"
    formats.write(path, TABLE)
    (path / "words.txt").write_bytes(b"\xef\xbb\xbf" + (path / "words.txt").read_bytes())
    assert formats.read(path).words == WORDS
    with pytest.raises(DataError, match="cannot begin with a byte order mark"):
        formats.write(path, TABLE._replace(words=["\ufeffa", *WORDS[1:]]))


@pytest.mark.parametrize("name", ARRAYS)
def test_mapped_values_are_not_looked_at_and_keep_their_type(tmp_path, name, monkeypatch):
    vectors = TABLE.vectors.copy()
    vectors[2, 1] = np.nan
    monkeypatch.setattr(table, "rows_not_finite", lambda vectors: [])
    formats.write(tmp_path / name, TABLE._replace(vectors=vectors))
    assert np.isnan(WordVectors.load(tmp_path / name, mmap=True).vectors[2, 1])
    with pytest.raises(DataError, match="the vector of '日本' is not finite"):
        WordVectors.load(tmp_path / name)
    with pytest.raises(SettingError, match=r"dtype float16 is not that of .*, float32; leave out dtype or mmap"):
        WordVectors.load(tmp_path / name, mmap=True, dtype=np.float16)


def test_compressed_arrays_are_refused_before_they_fill_the_memory(tmp_path, monkeypatch):
    formats.write(tmp_path / "x.npz", TABLE)
    np.savez_compressed(tmp_path / "y.npz", **np.load(tmp_path / "x.npz"))
    monkeypatch.setattr(memory, "available_memory", lambda: 50)
    with pytest.raises(
        SettingError, match=r"the values of vectors\.npy need 80 bytes .* store the arrays uncompressed"
    ):
        formats.read(tmp_path / "y.npz", ReadOptions(mmap=True))
    assert formats.read(tmp_path / "x.npz", ReadOptions(mmap=True)).words == WORDS


def test_a_warning_of_numpy_is_no_news(tmp_path):
    formats.write(tmp_path / "x.npy", TABLE)
    array = tmp_path / "x.npy" / "vectors.npy"
    array.write_bytes(array.read_bytes().replace(b"(4, 5), }  ", b"(4L, 5L), }"))  # as Python 2 wrote it
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert formats.read(tmp_path / "x.npy").words == WORDS


def test_a_folder_that_cannot_be_replaced_comes_back(tmp_path, monkeypatch):
    path = tmp_path / "x.npy"
    formats.write(path, TABLE)
    rename = Path.rename

    def fail(source, target):
        if source.parent.name == "new":
            raise OSError("no")
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(DataError, match="cannot write"):
        formats.write(path, TABLE)
    assert formats.read(path).words == WORDS
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("choice", "complaint"),
    [
        ({"limit": "5"}, "limit must be at least 1 word, a whole number, got '5'"),
        ({"limit": True}, "got True"),
        ({"limit": 2.5}, "got 2.5"),
        ({"vocabulary": 5}, "vocabulary must be a list of words, got int"),
        ({"vocabulary": [[1]]}, "vocabulary must be a list of words"),
    ],
)
def test_choices_that_cannot_be_are_refused(tmp_path, choice, complaint):
    formats.write(tmp_path / "x.npz", TABLE)
    with pytest.raises(SettingError, match=complaint):
        WordVectors.load(tmp_path / "x.npz", **choice)
    assert len(WordVectors.load(tmp_path / "x.npz", limit=np.int64(2))) == 2
