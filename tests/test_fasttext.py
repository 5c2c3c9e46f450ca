"""fastText's binary format: read, written, and refused in a line."""

import os
import struct
import subprocess
import sys

import numpy as np
import pytest

from embedtrain import WordVectors, formats
from embedtrain.errors import DataError, EmbedtrainWarning, SettingError
from embedtrain.formats import fasttext
from embedtrain.formats.subwords import Subwords

WORDS = ["</s>", "house", "naïve", "東京"]
ARGUMENTS = {"dim": 3, "ws": 5, "epoch": 2, "min_count": 1, "neg": 5, "word_ngrams": 1, "loss": 2, "model": 2,
             "bucket": 20, "minn": 3, "maxn": 4, "update_rate": 100}  # fmt: skip


def model(
    words=WORDS, magic=793712314, version=12, n_words=None, n_labels=0, pruned=-1, kind=0, quantised=0, **arguments
):
    """The bytes of a model, put together as fastText's source does."""
    values = {**ARGUMENTS, **arguments}
    n, n_rows = len(words), len(words) + max(values["bucket"], 0)
    n_words = n if n_words is None else n_words
    data = struct.pack("<2i12id", magic, version, *values.values(), 1e-4)
    data += struct.pack("<3i2q", n_words + n_labels, n_words, n_labels, 100, pruned)
    encoded = [word if isinstance(word, bytes) else word.encode() for word in words]
    data += b"".join(word + struct.pack("<xqb", n - row, kind) for row, word in enumerate(encoded))
    table = np.random.default_rng(1).standard_normal((n_rows, 3)).astype("<f4")
    data += struct.pack("<?2q", quantised, n_rows, 3) + table.tobytes()
    return data + struct.pack("<?2q", 0, n, 3) + table[:n].tobytes()


@pytest.fixture
def load(tmp_path):
    """A function that loads bytes."""

    def load(data, **options):
        (tmp_path / "x.bin").write_bytes(data)
        return WordVectors.load(tmp_path / "x.bin", **options)

    return load


def test_a_model_is_recognised_and_read(tmp_path, load):
    vectors = load(model())
    assert formats.recognise(tmp_path / "x.bin").name == "fasttext"
    assert (vectors.words, vectors.counts.tolist()) == (WORDS, [4, 3, 2, 1])
    table = np.random.default_rng(1).standard_normal((24, 3)).astype("<f4")
    np.testing.assert_array_equal(vectors["</s>"], table[0])  # has no n-grams
    np.testing.assert_array_equal(vectors.context_vectors, table[:4])
    assert not np.allclose(vectors["house"], table[1])
    assert vectors.can_embed("housing")
    assert {"model": "skipgram", "dim": 3, "window": 5, "negative": 5}.items() <= vectors.settings.items()
    assert vectors.subwords.rows.base is not None  # mapped


def test_parts_are_read(load):
    whole = load(model())
    assert load(model(), limit=2).words == WORDS[:2]
    part = load(model(), vocabulary=["東京", "house"])
    assert (part.words, part.counts.tolist()) == (["house", "東京"], [3, 1])
    np.testing.assert_array_equal(part.vectors, whole[["house", "東京"]])
    np.testing.assert_array_equal(part["unseen"], whole["unseen"])
    assert load(model(), dtype=np.float16).vectors.dtype == np.float16
    assert load(model(maxn=0, minn=0, bucket=0)).subwords is None
    assert load(model(minn=0)).subwords.min_length == 1  # as fastText does
    assert load(model(version=11)).words == WORDS
    assert load(model(loss=1)).context_vectors is None  # nodes of a tree


def test_odd_words(load):
    with pytest.warns(EmbedtrainWarning, match="1 word with bytes that are not UTF-8"):
        assert load(model(["a", b"b\xff"])).words == ["a", "b\ufffd"]
    for words, complaint in ((["a", "a"], "appears twice"), (["a", ""], "is empty"), (["a", "\x07"], "control char")):
        with pytest.raises(DataError, match=f"word 2: .*{complaint}.* skips it"):
            load(model(words))
        with pytest.warns(EmbedtrainWarning, match="skipped 1 error"):
            assert load(model(words), errors="skip").words == ["a"]


REFUSED = {
    "another version": (model(version=13), "version 13, not 11 or 12"),
    "only a mark": (model()[:8], "of 8 bytes; it is damaged or cut short"),
    "supervised": (model(model=3), "supervised fastText model, a classifier"),
    "labels": (model(n_labels=1), "supervised"),
    "quantised": (model(quantised=1), "quantised or pruned .* get the model before"),
    "pruned": (model(pruned=3), "quantised or pruned"),
    "too many words": (model(n_words=1 << 30), "promises 1,073,741,824 words of 3 dimensions, it has"),
    "no words": (model(n_words=0), "promises 0 words"),
    "one word too many": (model(n_words=5), "x.bin"),
    "no dimensions": (model(dim=0), "promises 4 words of 0 dimensions"),
    "other dimensions": (model(dim=2), "other than 2 columns"),
    "more buckets": (model()[:40] + struct.pack("<i", 21) + model()[44:], "4 words and 21 buckets do not fit its 24"),
    "negative buckets": (model(bucket=-5), "do not fit"),
    "labels among words": (model(kind=1), "entry 1 is not a word with a count"),
    "long n-grams": (model(maxn=1000), "max_length of subwords must be a whole number from 1 to 100"),
    "more bytes": (model() + b"x", "do not fit its 24 rows"),
}


@pytest.mark.parametrize(("data", "complaint"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_in_a_line(load, data, complaint):
    with pytest.raises(DataError, match=complaint) as caught:
        load(data)
    assert "\n" not in str(caught.value)


def test_every_cut_is_refused(load):
    whole = model()
    for end in range(4, len(whole)):
        with pytest.raises(DataError, match="cut short"):
            load(whole[:end])


def test_rows_that_are_not_finite(load, tmp_path):
    whole = bytearray(model())
    at = whole.index(struct.pack("<?2q", 0, 24, 3)) + 17
    whole[at : at + 4] = struct.pack("<f", np.nan)
    with pytest.raises(DataError, match="the vector of '</s>' is not finite"):
        load(whole)
    whole[at : at + 4], last = struct.pack("<f", 0), at + 24 * 12 - 4
    whole[last : last + 4] = struct.pack("<f", np.inf)  # a row of a bucket
    with pytest.raises(DataError, match=r"is not finite"):
        load(whole).save(tmp_path / "y.bin")


# --- Writing ----------------------------------------------------------------------------------------------------------


def written(**extra):
    subwords = Subwords(
        3, 4, 20, np.random.default_rng(1).standard_normal((2, 3)).astype(np.float32), np.array([3, 17])
    )
    return WordVectors(WORDS, np.eye(4, 3, dtype=np.float32), subwords=subwords, **extra)


def test_the_suffix_means_fasttext_with_subwords(tmp_path):
    written().save(tmp_path / "x.bin")
    assert formats.recognise(tmp_path / "x.bin").name == "fasttext"
    written(settings={}).save(tmp_path / "y.bin")
    WordVectors(WORDS, np.eye(4, 3, dtype=np.float32)).save(tmp_path / "z.bin")
    assert formats.recognise(tmp_path / "z.bin").name == "word2vec-bin"
    with pytest.warns(EmbedtrainWarning, match="holds no subwords"):
        written().save(tmp_path / "w.bin", format="word2vec-bin")
    assert formats.recognise(tmp_path / "w.bin").name == "word2vec-bin"
    with pytest.raises(SettingError, match=r"fasttext is not compressed as \.gz"):
        written().save(tmp_path / "x.bin.gz")
    with pytest.raises(DataError, match="needs subwords, which these vectors lack"):
        WordVectors(WORDS, np.eye(4, 3, dtype=np.float32)).save(tmp_path / "v.bin", format="fasttext")


def test_written_settings_counts_and_contexts(tmp_path):
    settings = {"model": "cbow", "window": 7, "epochs": 3, "negative": 0, "sample": 0.001, "min_count": True}
    contexts = np.arange(12, dtype=np.float32).reshape(4, 3)
    written(settings=settings, counts=[4, 3, 2, 1], context_vectors=contexts).save(tmp_path / "x.bin")
    data = (tmp_path / "x.bin").read_bytes()
    assert struct.unpack("<2i12id3i2q", data[:92]) == (
        793712314, 12, 3, 7, 3, 5, 5, 1, 2, 1, 20, 3, 4, 100, 0.001, 4, 4, 0, 10, -1,
    )  # fmt: skip
    assert data.endswith(contexts.tobytes())
    found = WordVectors.load(tmp_path / "x.bin")
    assert (found.settings["model"], found.counts.tolist()) == ("cbow", [4, 3, 2, 1])
    assert len(data) == 92 + sum(len(word.encode()) + 10 for word in WORDS) + 2 * 17 + (4 + 20 + 4) * 12


def test_a_large_size_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(fasttext, "_LARGE", 300)
    with pytest.warns(EmbedtrainWarning, match=r"x\.bin takes 336 bytes, .* a row for each of the 20 buckets"):
        written().save(tmp_path / "x.bin")


# --- Commands ---------------------------------------------------------------------------------------------------------


def run(*arguments):
    command = [sys.executable, "-m", "embedtrain", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8", env=os.environ)


def test_commands_take_unknown_words(tmp_path):
    (tmp_path / "x.bin").write_bytes(model())
    (tmp_path / "pairs.txt").write_text("house housing 3\nnaïve house 1\n", encoding="utf-8")
    found = run("neighbors", tmp_path / "x.bin", "housing", "-n", "2")
    assert (found.returncode, len(found.stdout.splitlines())) == (0, 2), found.stderr
    refused = run("neighbors", tmp_path / "x.bin", "housing", "--no-subwords")
    assert (refused.returncode, "'housing' is not among the 4 words" in refused.stderr) == (1, True)
    scored = run("evaluate", tmp_path / "x.bin", "--similarity", tmp_path / "pairs.txt").stdout.splitlines()
    assert scored[-2].split()[-1] == "subwords"
    assert scored[-1].split()[-1] == "1"
    assert "n-grams of 3-4 characters in 20 buckets" in run("info", tmp_path / "x.bin").stdout
    text = run("convert", tmp_path / "x.bin", tmp_path / "y.vec")
    assert "holds no subwords" in text.stderr
    assert run("convert", tmp_path / "x.bin", tmp_path / "z.npz").returncode == 0
    again = run("convert", tmp_path / "z.npz", tmp_path / "again.bin")
    assert "4 words, 3 dimensions, format fasttext" in again.stderr
    assert run("check", tmp_path / "again.bin").returncode == 0


def test_reading_imports_no_numba_and_no_scipy(tmp_path):
    (tmp_path / "x.bin").write_bytes(model())
    code = (
        "import sys; from embedtrain import WordVectors; v = WordVectors.load(sys.argv[1]); v.most_similar('housing');"
        "assert not {'numba', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "x.bin"], check=True)
