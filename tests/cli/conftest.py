"""Corpora and counts, good and bad, in the current folder."""

import gzip

import generate
import numpy as np
import pytest
from scipy import sparse

from embedtrain import WordVectors, cooccurrence_counts, train_glove
from embedtrain.models import MODELS


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The current folder, with corpora good and bad."""
    monkeypatch.chdir(tmp_path)
    text = "".join(" ".join(tokens) + "\n" for tokens in generate.sentences(1200))
    (tmp_path / "text.txt").write_bytes(text.encode())
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "one.txt").write_bytes(b"word word word\nword word\n")
    (tmp_path / "broken.vec").write_bytes(b"2 2\na 1 2\nb 1 x\n")
    (tmp_path / "good.vec").write_bytes(b"3 2\nking 1 0\nqueen 0.8 0.6\nfrog -1 0\n")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.fixture
def calls(monkeypatch):
    """The data and settings that commands train with; nothing is trained."""
    seen = []

    def train(settings, data):
        seen.append((data, settings))
        return WordVectors(["a", "b"], np.eye(2, dtype=np.float32))

    for model in MODELS:
        monkeypatch.setattr(model, "train", train)
    return seen


@pytest.fixture
def doubtful_text(folder):
    text = (folder / "text.txt").read_bytes()
    (folder / "text.txt").write_bytes(text + b"a nul\0 and caf\xe9\n")


@pytest.fixture
def parts(folder):
    """The text in two files of a folder, the second compressed; it is that of text.txt."""
    lines = (folder / "text.txt").read_bytes().splitlines(keepends=True)
    (folder / "parts").mkdir()
    (folder / "parts" / "1.txt").write_bytes(b"".join(lines[:30]))
    (folder / "parts" / "2.txt.gz").write_bytes(gzip.compress(b"".join(lines[30:])))
    return ["parts/1.txt", "parts/2.txt.gz"]


@pytest.fixture(scope="module")
def counts_bytes(tmp_path_factory):
    """The counts of the text as files, by their names; GloVe's kernels are compiled."""
    folder = tmp_path_factory.mktemp("counts")
    text = [tokens for tokens in generate.sentences(1200)]
    counts = cooccurrence_counts(text, min_count=2, progress=False)
    train_glove(counts, dim=8, epochs=1, progress=False)
    counts.save(folder / "counts.npz")
    sparse.save_npz(folder / "plain.npz", counts.matrix, compressed=False)
    (folder / "words.txt").write_text("".join(f"{word}\n" for word in counts.words))
    cells = counts.matrix.tocoo()
    records = np.zeros(cells.nnz, [("row", "<i4"), ("column", "<i4"), ("count", "<f8")])
    records["row"], records["column"], records["count"] = cells.row + 1, cells.col + 1, cells.data
    (folder / "cooccurrence.bin").write_bytes(records.tobytes())
    whole = (folder / "counts.npz").read_bytes()
    (folder / "cut.npz").write_bytes(whole[: len(whole) // 2])
    place = whole.index(counts.matrix.data.tobytes())
    (folder / "flipped.npz").write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
    np.savez(folder / "others.npz", a=np.ones(3))
    (folder / "text.bin").write_bytes(b"the quick brown fox\n")
    (folder / "empty.bin").write_bytes(b"")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def with_counts(folder, counts_bytes):
    """The current folder, with files of counts good and bad too."""
    for name, content in counts_bytes.items():
        (folder / name).write_bytes(content)
    (folder / "counts").mkdir()
    (folder / "counts" / "a.npz").write_bytes(counts_bytes["counts.npz"])
    (folder / "apart.txt").write_bytes(b"a\nb\n" * 9)
    return folder
