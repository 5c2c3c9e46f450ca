"""LSA: counts of words in documents, vectors of both, folding-in, and what is refused."""

import gzip
import hashlib

import numpy as np
import pytest
from scipy import sparse
from text_files import refused

from embedtrain import Corpus, EmbedtrainWarning, OutputError, SettingError, WordVectors, train_lsa
from embedtrain.counts import weighting as matrices

DOCUMENTS = ["a b\nc", "", "c d a", "  ", "b d", "a a e"]
TOPICS = [f"t{topic}w{word}" for topic in range(5) for word in range(30)]


def train(corpus, **settings):
    return train_lsa(corpus, **{"dim": 3, "min_count": 1, "threads": 1, "progress": False, **settings})


def topic_documents(n=400, seed=0):
    """Documents of one topic each with common words, and their topics."""
    rng = np.random.default_rng(seed)
    topics = rng.integers(0, 5, n)
    texts = []
    for topic in topics:
        own = [f"t{topic}w{word}" for word in rng.integers(0, 30, rng.integers(5, 40))]
        common = [f"c{word}" for word in np.minimum(rng.zipf(1.5, 30), 50)]
        texts.append(" ".join(rng.permutation([*own, *common])))
    return texts, topics


def counted(vectors, documents):
    counts = np.zeros((len(vectors), len(documents)))
    for column, document in enumerate(documents):
        for word in document.split():
            counts[vectors.index[word], column] += 1
    return counts


def weighted(counts, weighting):
    """The plain form of the weights of words by documents."""
    n = counts.shape[1]
    if weighting == "log-entropy":
        shares = counts / counts.sum(axis=1, keepdims=True)
        logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
        return np.log1p(counts) * (1 + (shares * logs).sum(axis=1, keepdims=True) / np.log(n))
    if weighting == "tf-idf":
        idf = np.log((1 + n) / (1 + np.count_nonzero(counts, axis=1))) + 1
        matrix = counts * idf[:, None]
        return matrix / np.maximum(np.linalg.norm(matrix, axis=0), 1e-12)
    return counts


def digest(vectors):
    return hashlib.sha256(vectors.vectors.tobytes() + vectors.context_vectors.tobytes()).hexdigest()


def test_planted_topics_are_recovered():
    texts, topics = topic_documents()
    vectors = train(texts, dim=10)
    documents = vectors.documents
    unit = documents.vectors / np.linalg.norm(documents.vectors, axis=1, keepdims=True)
    nearest = (unit @ unit.T - 2 * np.eye(len(unit))).argmax(axis=1)
    assert np.mean(topics[nearest] == topics) > 0.99
    for word in TOPICS[::7]:
        assert vectors.most_similar(word, topn=1)[0][0].startswith(word[:2])
    new, expected = topic_documents(50, seed=1)
    folded = np.array([documents.fold_in(column) for column in counted(vectors, new).T])
    assert np.mean(topics[(folded @ unit.T).argmax(axis=1)] == expected) > 0.99


@pytest.mark.parametrize("weighting", ["log-entropy", "tf-idf", "count"])
@pytest.mark.filterwarnings("ignore:2 of the 6 documents")
def test_the_matrix_is_factorised_and_its_rows_and_columns_fold_in(weighting):
    vectors = train(DOCUMENTS, weighting=weighting, dim=4)
    counts = counted(vectors, DOCUMENTS)
    expected = weighted(counts, weighting)
    _U, values, V = np.linalg.svd(expected)
    np.testing.assert_allclose(vectors.factors.singular_values, values[:4], rtol=1e-4)
    documents = vectors.documents
    products = (V[:4].T * values[:4] ** 2) @ V[:4]  # vectors of equal singular values may be turned
    np.testing.assert_allclose(documents.vectors @ documents.vectors.T, products, atol=1e-3)
    for row in range(len(vectors)):
        np.testing.assert_allclose(vectors.fold_in(counts[row]), vectors.vectors[row], atol=1e-4)
    for column in (0, 2, 4, 5):
        np.testing.assert_allclose(documents.fold_in(counts[:, column]), documents.vectors[column], atol=1e-4)
        np.testing.assert_allclose(documents.fold_in(DOCUMENTS[column].split()), documents.vectors[column], atol=1e-4)
    with refused(
        "in the order of factors.context_words, or a mapping of contexts to numbers, or a list of tokens, got"
    ):
        documents.fold_in("a b")


def test_vectors_are_those_of_scikit_learn():
    decomposition = pytest.importorskip("sklearn.decomposition")
    text = pytest.importorskip("sklearn.feature_extraction.text")
    texts, _ = topic_documents()
    matrix = text.TfidfVectorizer(token_pattern=r"\S+").fit_transform(texts)
    theirs = decomposition.TruncatedSVD(5, algorithm="arpack").fit_transform(matrix)
    ours = train(texts, weighting="tf-idf", dim=5).documents.vectors
    np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=1e-3)


def test_lines_are_documents_also_empty_ones(tmp_path):
    lines = ["a b", "", "b c a", "   ", "c a", ""]
    path, compressed, records = tmp_path / "x.txt", tmp_path / "x.gz", tmp_path / "x.jsonl"
    expected = None
    for end in ("", "\n"):
        path.write_text("\n".join(lines[:5]) + end)
        compressed.write_bytes(gzip.compress(path.read_bytes()))
        records.write_text("".join(f'{{"text": "{line}"}}\n' for line in lines[:5]))
        for source in (path, compressed, records, lines[:5], [line.split() for line in lines[:5]]):
            with pytest.warns(EmbedtrainWarning, match="2 of the 5 documents have none of the 3 words: vectors of 0"):
                documents = train(source, dim=2).documents
            assert documents.words == list("12345")
            assert not documents.vectors[[1, 3]].any()
            expected = documents.vectors.tobytes() if expected is None else expected
            assert documents.vectors.tobytes() == expected
    path.write_text("\n".join(lines) + "\n")
    with pytest.warns(EmbedtrainWarning, match="3 of the 6 documents"):
        assert len(train(path, dim=2).documents) == 6


@pytest.mark.filterwarnings("ignore:1 of the 3 documents has none")
def test_files_are_documents(tmp_path):
    for name, text in (("a.txt", "x y\nz x\n"), ("b c.txt", ""), ("d.txt", "z z w x")):
        (tmp_path / name).write_text(text)
    vectors = train(tmp_path, per_file=True, dim=2)
    assert vectors.documents.words == [str(tmp_path / name) for name in ("a.txt", "b c.txt", "d.txt")]
    assert not vectors.documents.vectors[1].any()
    lines = train(["x y z x", "", "z z w x"], dim=2)
    assert digest(vectors) == digest(lines)
    with refused("holds a space, which this file cannot; write .npz, which can"):
        train(tmp_path, per_file=True, documents=tmp_path / "d.vec")
    train(tmp_path, per_file=True, dim=2, documents=tmp_path / "d.npz").save(tmp_path / "w.npz")
    assert WordVectors.load(tmp_path / "w.npz").documents.words[1] == WordVectors.load(tmp_path / "d.npz").words[1]
    with refused("per_file is for files", SettingError):
        train(["a b"], per_file=True)


def test_threads_memory_and_tasks_change_nothing(tmp_path, monkeypatch):
    texts, _ = topic_documents()
    path = tmp_path / "x.txt"
    path.write_text("\n".join(texts))
    expected = digest(train(path, dim=20))
    monkeypatch.setattr(matrices, "_TASK_CELLS", 100)
    for threads, memory in ((2, None), (8, "1M")):
        assert digest(train(path, dim=20, threads=threads, memory=memory, temp_folder=tmp_path)) == expected


def test_memory_is_required_before_counting(monkeypatch):
    monkeypatch.setattr("embedtrain.machine.memory.available_memory", lambda: 100)
    monkeypatch.setattr("embedtrain.models.factorization.count_documents", None)
    with refused("the basis of the decomposition need", SettingError):
        train(topic_documents()[0], dim=20)


def test_words_can_be_given(tmp_path):
    (tmp_path / "words").write_text("c 3\na 2\n")
    vectors = train(["a b c", "c a a", "c b"], read_vocab=tmp_path / "words", dim=2, weighting="count")
    assert list(vectors.words) == ["c", "a"]
    np.testing.assert_allclose(vectors.vectors @ vectors.vectors.T, [[3, 3], [3, 5]], rtol=1e-4)


def test_documents_are_written_and_read(tmp_path):
    path = tmp_path / "documents.npz"
    texts, _ = topic_documents(60)
    vectors = train(texts, documents=path)
    loaded, counts = WordVectors.load(path), counted(vectors, texts)
    assert loaded.vectors.tobytes() == vectors.documents.vectors.tobytes()
    assert list(loaded.factors.context_words) == list(vectors.words)
    np.testing.assert_allclose(loaded.fold_in(sparse.csr_array(counts[:, [3]].T)), loaded.vectors[3], atol=1e-3)
    vectors.save(tmp_path / "words.npz")
    assert WordVectors.load(tmp_path / "words.npz").documents.vectors.tobytes() == loaded.vectors.tobytes()


def test_a_file_of_documents_that_cannot_be_written_costs_no_vectors(tmp_path, monkeypatch):
    path = tmp_path / "documents.vec"

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("embedtrain.formats.text.format_lines", full)
    monkeypatch.setattr("embedtrain.models.factorization.format_lines", lambda *_: None)
    with pytest.raises(OutputError, match="No space left") as error:
        train(topic_documents(60)[0], documents=path)
    assert error.value.vectors.vector_size == 3


def test_few_documents_give_fewer_dimensions_and_a_note():
    with pytest.warns(EmbedtrainWarning, match="the matrix of 4 × 2 has only 2 dimensions"):
        assert train(["a b c", "c d d"], dim=3, weighting="count").vector_size == 2


def test_what_cannot_be_learnt_from_is_refused(tmp_path):
    (tmp_path / "empty").touch()
    for nothing in ([], ["", " "], tmp_path / "empty"):
        with refused("holds no words"):
            train(nothing)
    with refused("LSA needs several documents, and this is one; documents are lines, or with per_file files"):
        train(["a b c a"])
    with refused("all words are spread evenly over the documents"):
        train(["a b", "b a"])
    with refused("cache keeps sentences", SettingError):
        train(["a b"], cache=tmp_path)
    with refused("`?weighting`? must be", SettingError):
        train(["a b"], weighting="bm25")
    with refused("replace", SettingError):
        train(Corpus(tmp_path / "empty"), documents=tmp_path / "empty")
    for name in ("epochs", "lr", "init", "checkpoint"):
        with pytest.raises(TypeError, match=f"train_lsa.. got an unexpected keyword argument '{name}'"):
            train(["a b"], **{name: 1})
