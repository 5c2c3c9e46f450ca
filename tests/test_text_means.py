"""Vectors of texts, as means of the vectors of their words."""

import io
import subprocess
import sys

import numpy as np
import pytest
from commands import error_of, run

from embedtrain import Corpus, DataError, SettingError, WordVectors, cli, train_skipgram
from embedtrain.corpus.encoding import encode
from embedtrain.errors import EmbedtrainWarning
from embedtrain.vectors import text_means

RNG = np.random.default_rng(1)
WORDS = [*(f"w{n}" for n in range(500)), "New York", "café", "a-very-long-word-of-the-vocabulary"]


@pytest.fixture(scope="module")
def vectors():
    counts = np.arange(len(WORDS), 0, -1) ** 2
    return WordVectors(WORDS, RNG.normal(size=(len(WORDS), 19)).astype(np.float32), counts)


@pytest.fixture(scope="module")
def texts():
    """Texts of 0 to 30 words, of which a fifth have no vector; one has 5,000."""
    words = [*WORDS[:500], "café", *(f"unknown{n}" for n in range(120))]
    lengths = [*RNG.integers(0, 30, 300), 5000, 0, 3, 0]
    return [" ".join(RNG.choice(words, n)) for n in lengths]


def naive(vectors, texts, weights="mean"):
    """The plain form: texts are lists of words."""
    shares = vectors.counts / vectors.counts.sum()
    rows = np.zeros((len(texts), vectors.vector_size))
    for row, words in zip(rows, texts, strict=True):
        found = [word for word in words if vectors.can_embed(word)]
        for word in found:
            share = shares[vectors.index[word]] if word in vectors else 0
            row += (1e-3 / (1e-3 + share) if weights == "sif" else 1) * vectors[word].astype(float) / len(found)
    if weights == "sif":
        first = np.linalg.svd(rows, full_matrices=False)[2][0]
        rows -= np.outer(rows @ first, first)
    return rows


def split(texts):
    return [text.split() for text in texts]


@pytest.fixture(params=[False, True], ids=["at once", "in parts"])
def parts(request, monkeypatch):
    """Chunks of parts of a text, and blocks of few texts."""
    if request.param:
        monkeypatch.setattr("embedtrain.corpus.text_chunks._CHUNK", 200)
        monkeypatch.setattr(text_means, "_TEXTS", 3)
        monkeypatch.setattr(text_means, "_TOKENS", 40)


@pytest.mark.filterwarnings("ignore::embedtrain.errors.EmbedtrainWarning")
@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("weights", ["mean", "sif"])
def test_texts_are_weighted_means(vectors, texts, weights, tmp_path):
    expected = naive(vectors, split(texts), weights)
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    for corpus in (texts, split(texts), path, iter(texts)):
        rows = vectors.embed(corpus, weights)
        assert (rows.shape, rows.dtype) == (expected.shape, np.float32)
        np.testing.assert_allclose(rows, expected, atol=2e-6)


def test_a_text_is_an_item_or_a_line(vectors, tmp_path):
    rows = vectors.embed(["w1\nw2", "w1"])
    np.testing.assert_allclose(rows, naive(vectors, [["w1", "w2"], ["w1"]]), atol=1e-6)
    np.testing.assert_array_equal(vectors.embed([["New York"], ["w3"]]), vectors[["New York", "w3"]])
    for number, text in enumerate(("w1\nw3", "w1\nw3\n", "w1\r\nw3\r\n")):
        (tmp_path / f"{number}.txt").write_bytes(text.encode())
    np.testing.assert_array_equal(vectors.embed(Corpus(tmp_path)), vectors[["w1", "w3"] * 3])


def test_text_is_read_by_the_options_of_a_corpus(vectors):
    wanted = vectors[["café", "w1"]]
    texts = ["“CAFE\u0301”!", "W1."]
    rows = vectors.embed(Corpus(texts, tokenize="words", lowercase=True, normalize="nfc"))
    np.testing.assert_array_equal(rows, wanted)
    rows = vectors.embed(Corpus(["café/other", "w1"], tokenize=lambda line: line.split("/")))
    np.testing.assert_array_equal(rows, wanted)


def test_texts_without_a_known_word_are_zeros_and_counted(vectors):
    with pytest.warns(EmbedtrainWarning, match=r"^3 of 4 texts have no word with a vector; their rows are zeros$"):
        rows = vectors.embed(["other", "w1", "", "  "])
    assert not rows[[0, 2, 3]].any()
    assert vectors.embed([]).shape == (0, 19)


def test_unknown_words_have_the_vectors_of_their_ngrams(texts):
    trained = train_skipgram(
        [*split(texts), ["word", "words"]] * 3, dim=8, epochs=1, min_count=3, sample=0, subwords="3-6", progress=False
    )
    some = [["words", "wording", "w1"], ["otherwords", "zq"]]
    for weights in ("mean", "sif"):
        np.testing.assert_allclose(trained.embed(some, weights), naive(trained, some, weights), atol=1e-6)


def test_mapped_and_half_vectors(vectors, texts, tmp_path):
    half = WordVectors(WORDS, vectors.vectors.astype(np.float16), vectors.counts)
    np.testing.assert_allclose(half.embed(texts[:9]), vectors.embed(texts[:9]), atol=2e-3)
    vectors.save(tmp_path / "x.npz")
    mapped = WordVectors.load(tmp_path / "x.npz", mmap=True)
    np.testing.assert_array_equal(mapped.embed(texts[:9]), vectors.embed(texts[:9]))


def test_smooth_inverse_frequency_finds_planted_topics():
    """The model of the paper: frequent words come from any topic, and all texts share a direction."""
    n, dim, rng = 2000, 25, np.random.default_rng(5)
    common = rng.normal(size=dim)
    table = rng.normal(size=(n, dim)) + common
    shares = 1 / np.arange(1, n + 1)
    shares /= shares.sum()
    topics = rng.normal(size=(200, dim))
    topics /= np.linalg.norm(topics, axis=1, keepdims=True)
    fits = np.exp(2 * topics @ (table - common).T)
    odds = 0.5 * shares + 0.5 * fits / fits.sum(axis=1, keepdims=True)
    texts = [[f"w{row}" for row in rng.choice(n, 40, p=odd)] for odd in odds]
    vectors = WordVectors([f"w{row}" for row in range(n)], table.astype(np.float32), (1e6 * shares).astype(np.int64))

    def found(weights):
        rows = vectors.embed(texts, weights)
        units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return np.einsum("ij,ij->i", units, topics).mean()

    assert found("sif") > found("mean") + 0.3


@pytest.mark.parametrize(
    ("texts", "weights", "error", "message"),
    [
        (["w1"], "tfidf", SettingError, "weights must be 'mean' or 'sif', got 'tfidf'"),
        (["w1"], "sif", DataError, "weights='sif' needs at least two texts, got 1"),
        ("w1 w2", "mean", DataError, "cannot read w1 w2: no such file; a str is a path, text in memory is a list"),
        (["w1", None], "mean", DataError, "sentence 2 is missing"),
        (["w1", ["w2"]], "mean", DataError, "sentence 2 is a token list where the first was a line"),
        (Corpus([b"w\xff".decode(errors="surrogateescape")]), "mean", DataError, "half of a surrogate pair"),
    ],
)
def test_what_cannot_be_embedded(vectors, texts, weights, error, message):
    with pytest.raises(error, match=message.replace("(", r"\(")):
        vectors.embed(texts, weights)


def test_counts_are_needed(vectors):
    bare = WordVectors(WORDS, vectors.vectors)
    with pytest.raises(SettingError, match=r"weights='sif' needs counts of words, which \.npz files have"):
        bare.embed(["w1", "w2"], "sif")


def test_sequences_of_an_encoded_corpus_are_texts(vectors):
    rows = vectors.embed(encode(["w1", "w3 w4"], threads=1))
    np.testing.assert_allclose(rows, naive(vectors, [["w1"], ["w3", "w4"]]), atol=1e-6)


def test_bytes_that_are_not_utf8(vectors, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_bytes(b"w1 w2\nw3 caf\xe9\n" + b"w1 " * 300)
    with pytest.warns(EmbedtrainWarning, match=r"not UTF-8, .*: 1 tokens \(0\.33%\), first b'caf\\xe9' in .*line 2"):
        rows = vectors.embed(path)
    np.testing.assert_allclose(rows[1:], vectors[["w3", "w1"]], atol=1e-5)
    with pytest.raises(DataError, match=r"line 2: b'caf.*' is not UTF-8"):
        vectors.embed(Corpus(path, invalid_utf8="refuse"))


def test_vectors_are_queried_without_numba():
    code = (
        "import sys; from embedtrain import WordVectors; "
        "WordVectors(['a', 'b'], [[1.0, 0], [0, 1]]).most_similar('a'); "
        "print({'numba', 'embedtrain.corpus.encoding'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


# --- The command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch, vectors):
    monkeypatch.chdir(tmp_path)
    vectors.save("x.npz")
    WordVectors(["w1"], [[1.0, 2.0]]).save("x.vec")
    (tmp_path / "texts.txt").write_text("w1 w2\nW3\n\nother w4\n")
    return tmp_path


@pytest.mark.parametrize("weights", ["mean", "sif"])
def test_the_command_writes_rows(folder, vectors, weights):
    with pytest.warns(EmbedtrainWarning, match="2 of 4"):
        expected = vectors.embed("texts.txt", weights)
    done = run("embed", "x.npz", "texts.txt", "--weights", weights, "-o", "rows.npy")
    assert done.exit_code == 0, done.output
    np.testing.assert_array_equal(np.load("rows.npy"), expected)
    note, saved = done.stderr.splitlines()[-2:]
    assert note == "Note: 2 of 4 texts have no word with a vector; their rows are zeros"
    assert saved == "saved    4 rows of 19 dimensions"


@pytest.mark.usefixtures("folder")
def test_the_command_reads_and_writes_pipes(vectors):
    text = "W1 w2\nw3\n"
    done = subprocess.run(
        [sys.executable, "-m", "embedtrain", "embed", "x.npz", "--lowercase", "--quiet"],
        input=text.encode(), capture_output=True, check=True,
    )  # fmt: skip
    np.testing.assert_array_equal(np.load(io.BytesIO(done.stdout)), vectors.embed(text.lower().splitlines()))
    assert done.stderr == b""


@pytest.mark.usefixtures("folder")
def test_records_without_text_have_rows_too(tmp_path):
    (tmp_path / "texts.jsonl").write_text('{"id": 1}\n{"text": "w1"}\n{"text": null}\n')
    run("embed", "x.npz", "texts.jsonl", "-o", "rows.npy")
    assert np.load("rows.npy").any(axis=1).tolist() == [False, True, False]


@pytest.mark.usefixtures("folder")
def test_bad_arguments_of_the_command(monkeypatch):
    for args, status, message in [
        (
            ["x.vec", "texts.txt", "--weights", "sif"],
            2,
            "--weights sif needs counts of words, which .npz files have; or take --weights mean",
        ),
        (["texts.txt", "texts.txt"], 1, "texts.txt"),
        (["x.npz", "missing.txt"], 1, "cannot read missing.txt: no such file"),
        (["x.npz", "texts.txt", "-o", "texts.txt"], 2, "-o texts.txt would replace the corpus"),
        (["x.npz", "texts.txt", "-o", "x.npz"], 2, "-o x.npz would replace the vectors"),
        (["x.npz", "texts.txt", "-o", "no/rows.npy"], 1, "create it first"),
        (["x.npz", "x.npz", "-o", "rows.npy"], 1, "x.npz"),
        (["x.npz", "texts.txt", "-o", "rows.npz"], 2, "end its name in .npy, got rows.npz"),
        (["x.npz", "texts.txt", "--weights", "tfidf"], 2, "'tfidf'"),
    ]:
        assert message in error_of(run("embed", *args), status), args
    monkeypatch.setattr("embedtrain.machine.progress.is_terminal", lambda stream: True)
    assert "name a file with -o" in error_of(run("embed", "x.npz", "texts.txt"), 2)
    assert "embed" in cli.main.commands
