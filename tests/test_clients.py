"""What others do with vectors that were saved or handed over: each of these programs is asked itself."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embedtrain import train_cbow
from embedtrain.errors import EmbedtrainWarning
from embedtrain.formats.subwords import Subwords
from embedtrain.vectors.word_vectors import WordVectors

pytestmark = pytest.mark.clients
UNUSUAL_WORDS = ["naïve", "東京", "don't", "</s>", "12,5", "𝄞", "#", "zero\u200bwidth", "a_b"]


@pytest.fixture(scope="module")
def vectors():
    words = ["king", "queen", "man", "woman", *UNUSUAL_WORDS, *(f"w{number}" for number in range(187))]
    table = np.random.default_rng(1).normal(size=(200, 16)).astype(np.float32)
    table[7] *= np.float32(1e-20)
    return WordVectors(words, table, counts=np.arange(1000, 800, -1))


@pytest.fixture(scope="module")
def saved(vectors, tmp_path_factory):
    path = tmp_path_factory.mktemp("clients") / "x.vec"
    vectors.save(path)
    return path


def bits(table):
    """The table as integers, which are equal where not even the sign of a zero differs."""
    return np.asarray(table, np.float32).view(np.uint32).tolist()


def import_or_skip(module):
    return pytest.importorskip(module, reason=f"{module} is not installed; the extra [clients] has all but torch")


def assert_same_answers(got, wanted):
    assert [word for word, _ in got] == [word for word, _ in wanted]
    assert [cosine for _, cosine in got] == pytest.approx([cosine for _, cosine in wanted], abs=1e-6)


QUERIES = [(["king"], []), (["king", "woman"], ["man"]), (["東京", "w5"], ["𝄞"]), ([], ["zero\u200bwidth"])]


# --- gensim -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "file_format", "options"),
    [
        ("x.txt", "word2vec", {}),
        ("x.vec", "word2vec", {}),
        ("x.vec.gz", "word2vec", {}),
        ("x.bin", "word2vec-bin", {"binary": True}),
        ("x.txt", "glove", {"no_header": True}),
    ],
    ids=["text", "vec", "gz", "binary", "glove"],
)
def test_gensim_loads_the_same_and_finds_the_same_neighbours(vectors, tmp_path, name, file_format, options):
    keyed_vectors = import_or_skip("gensim.models").KeyedVectors
    vectors.save(tmp_path / name, format=file_format)
    theirs = keyed_vectors.load_word2vec_format(tmp_path / name, **options)
    assert theirs.index_to_key == list(vectors.words)
    assert bits(theirs.vectors) == bits(vectors.vectors)
    for positive, negative in QUERIES:
        assert_same_answers(vectors.most_similar(positive, negative), theirs.most_similar(positive, negative))


def test_gensim_takes_vectors_without_a_file(vectors):
    import_or_skip("gensim")
    theirs = vectors.to_gensim()
    assert theirs.index_to_key == list(vectors.words)
    assert bits(theirs.vectors) == bits(vectors.vectors)
    assert [theirs.get_vecattr(word, "count") for word in vectors.words] == vectors.counts.tolist()
    for positive, negative in QUERIES:
        assert_same_answers(vectors.most_similar(positive, negative), theirs.most_similar(positive, negative))


# --- spaCy ------------------------------------------------------------------------------------------------------------


def test_spacy_init_vectors_takes_the_file(vectors, saved, tmp_path):
    spacy = import_or_skip("spacy")
    command = [sys.executable, "-m", "spacy", "init", "vectors", "xx", saved, tmp_path / "pipeline"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    vocabulary = spacy.load(tmp_path / "pipeline").vocab
    assert vocabulary.vectors.n_keys == len(vectors)
    assert bits([vocabulary.get_vector(word) for word in vectors.words]) == bits(vectors.vectors)


# --- Keras and PyTorch ------------------------------------------------------------------------------------------------


@pytest.fixture
def keras(tmp_path, monkeypatch):
    """Keras on whichever library it was told to run on, else JAX; what it writes at its import goes elsewhere."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    if "KERAS_BACKEND" not in os.environ:
        import_or_skip("jax")
        monkeypatch.setenv("KERAS_BACKEND", "jax")
    return import_or_skip("keras")


@pytest.fixture(scope="module")
def matrix(vectors):
    """Rows for the numbers of a tokeniser, to which 0 is padding."""
    word_index = {"queen": 1, "nowhere": 2, "東京": 3, "w186": 4}
    return vectors.embedding_matrix(word_index, unknown=np.full(16, 0.5, np.float32), padding=0)


@pytest.fixture(scope="module")
def rows(vectors):
    """What is to be found under the numbers 0 to 4."""
    return [np.zeros(16), vectors["queen"], np.full(16, 0.5), vectors["東京"], vectors["w186"]]


def test_a_keras_embedding_returns_the_rows(keras, matrix, rows):
    layer = keras.layers.Embedding(*matrix.shape, trainable=False)
    layer.build((1,))
    layer.set_weights([matrix])
    assert bits(keras.ops.convert_to_numpy(layer(np.arange(5)))) == bits(rows)


def test_a_keras_model_starts_from_the_rows(keras, matrix, rows):
    start = keras.initializers.Constant(matrix)
    model = keras.Sequential(
        [
            keras.layers.Embedding(*matrix.shape, embeddings_initializer=start, mask_zero=True),
            keras.layers.GlobalAveragePooling1D(),
        ]
    )
    means = model.predict(np.array([[1, 3, 0, 0], [4, 2, 3, 0]]), verbose=0)
    wanted = [np.mean([rows[word] for word in text], axis=0) for text in ([1, 3], [4, 2, 3])]
    np.testing.assert_allclose(means, wanted, rtol=1e-6, atol=1e-7)


def test_a_torch_embedding_returns_the_rows(matrix, rows):
    torch = import_or_skip("torch")
    layer = torch.nn.Embedding.from_pretrained(torch.from_numpy(matrix), padding_idx=0)
    assert bits(layer(torch.arange(5)).numpy()) == bits(rows)


# --- scikit-learn -----------------------------------------------------------------------------------------------------


def test_scikit_learn_finds_the_same_neighbours(vectors):
    neighbors = import_or_skip("sklearn.neighbors").NearestNeighbors(n_neighbors=11, metric="cosine")
    distances, rows = neighbors.fit(vectors.vectors).kneighbors(vectors["king"][None])
    wanted = [(vectors.words[row], 1 - distance) for row, distance in zip(rows[0], distances[0], strict=True)]
    assert wanted[0][0] == "king"
    assert_same_answers(vectors.most_similar("king"), wanted[1:])


def test_scikit_learn_clusters_the_vectors():
    centres = np.eye(4, 16, dtype=np.float32) * 10
    noise = np.random.default_rng(2).normal(size=(40, 16)).astype(np.float32)
    vectors = WordVectors([f"w{number}" for number in range(40)], np.repeat(centres, 10, axis=0) + noise)
    k_means = import_or_skip("sklearn.cluster").KMeans(4, n_init=10, random_state=0)
    labels = k_means.fit_predict(vectors.vectors).reshape(4, 10)
    assert (labels == labels[:, :1]).all()
    assert len(set(labels[:, 0].tolist())) == 4


# --- fastText ---------------------------------------------------------------------------------------------------------


def test_fasttext_starts_from_the_file(vectors, saved, tmp_path):
    fasttext = import_or_skip("fasttext" if importlib.util.find_spec("fasttext") else "floret")  # a fork with wheels
    lessons = tmp_path / "lessons.txt"
    lessons.write_text("__label__a one two\n__label__b three\n", encoding="utf-8")
    model = fasttext.train_supervised(
        str(lessons), dim=16, epoch=0, minCount=1, pretrainedVectors=str(saved), thread=1, verbose=0
    )
    assert bits([model.get_word_vector(word) for word in vectors.words]) == bits(vectors.vectors)


BUNDLED = ["crime-and-punishment.bin", "lee_fasttext_new.bin", "toy-model.bin"]
UNSEEN = ["landlords", "unseen", "naïvely", "東京都", "x" * 300, "qzxv"]


@pytest.fixture(scope="module")
def with_subwords():
    """Vectors with subwords, of which one bucket in three has a row."""
    random = np.random.default_rng(4)
    buckets = np.arange(0, 3000, 3)
    subwords = Subwords(3, 6, 3000, random.normal(size=(len(buckets), 16)).astype(np.float32), buckets)
    words = ["house", "houses", *UNUSUAL_WORDS]
    table = random.normal(size=(len(words), 16)).astype(np.float32)
    return WordVectors(words, table, counts=np.arange(len(words), 0, -1), subwords=subwords)


def fasttext_model(path):
    module = import_or_skip("fasttext")
    if not hasattr(module, "load_model"):
        pytest.skip("this is another package of the name fasttext")
    return module.load_model(str(path))


def test_fasttext_gives_our_vectors_of_known_and_unknown_words(with_subwords, tmp_path):
    with_subwords.save(tmp_path / "x.bin")
    theirs = fasttext_model(tmp_path / "x.bin")
    for word in [*with_subwords.words, *UNSEEN]:
        np.testing.assert_allclose(theirs.get_word_vector(word), with_subwords[word], atol=1e-5)


def test_gensim_gets_no_subwords_without_a_file(with_subwords):
    import_or_skip("gensim")
    message = "no vectors for unknown words; gensim's load_facebook_vectors reads them from a .bin"
    with pytest.warns(EmbedtrainWarning, match=message):
        assert "housing" not in with_subwords.to_gensim()


def test_gensim_gives_our_vectors_of_known_and_unknown_words(with_subwords, tmp_path):
    module = import_or_skip("gensim.models.fasttext")
    with_subwords.save(tmp_path / "x.bin")
    model = module.load_facebook_model(tmp_path / "x.bin")
    for theirs in (model.wv, module.load_facebook_vectors(tmp_path / "x.bin")):
        for word in [*with_subwords.words, *UNSEEN]:
            if word != "</s>":  # gensim gives it n-grams, fastText does not
                np.testing.assert_allclose(theirs[word], with_subwords[word], atol=1e-5)


def test_fasttext_and_gensim_give_the_vectors_of_what_we_train(tmp_path):
    module = import_or_skip("gensim.models.fasttext")
    lines = [["the", "kings", "rule", "a", "land"], ["queens", "ruled", "lands", "of", "banana"]] * 50
    lines += [["kingship", "queenless", "bandana"]] * 50  # n-grams of one word only are not known
    ours = train_cbow(lines, subwords="2-5", buckets=3000, dim=12, sample=0, progress=False)
    ours.save(tmp_path / "x.bin")
    fasttext, gensim = fasttext_model(tmp_path / "x.bin"), module.load_facebook_model(tmp_path / "x.bin")
    for word in [*ours.words, "kingdom", "queenly", "bananas"]:
        np.testing.assert_allclose(fasttext.get_word_vector(word), ours[word], atol=1e-5)
        np.testing.assert_allclose(gensim.wv[word], ours[word], atol=1e-5)


@pytest.mark.parametrize("name", BUNDLED)
def test_models_of_fasttext_have_the_vectors_that_gensim_gives(name):
    module = import_or_skip("gensim.models.fasttext")
    path = Path(module.__file__).parents[1] / "test" / "test_data" / name
    if not path.exists():
        pytest.skip("this gensim comes without its test data")
    ours, theirs = WordVectors.load(path), module.load_facebook_vectors(path)
    assert list(ours.words) == theirs.index_to_key
    assert ours.counts.tolist() == [theirs.get_vecattr(word, "count") for word in theirs.index_to_key]
    for word in [*ours.words, *UNSEEN]:
        if word != "</s>":
            np.testing.assert_allclose(ours[word], theirs[word], atol=1e-6)


@pytest.mark.parametrize("name", BUNDLED)
def test_models_of_fasttext_have_the_vectors_that_it_gives(name):
    gensim = import_or_skip("gensim")
    path = Path(gensim.__file__).parent / "test" / "test_data" / name
    ours, theirs = WordVectors.load(path), fasttext_model(path)
    for word in [*ours.words, *UNSEEN]:
        np.testing.assert_allclose(ours[word], theirs.get_word_vector(word), atol=1e-6)


def test_we_read_what_fasttext_trains(tmp_path):
    fasttext = import_or_skip("fasttext")
    text = tmp_path / "text.txt"
    text.write_text("das Haus die Häuser\n" * 50 + "ein Häuschen am Bach\n" * 50, encoding="utf-8")
    for loss in ("ns", "hs"):
        model = fasttext.train_unsupervised(  # with less than ten threads a part of the rows has no values
            str(text), dim=8, bucket=500, minCount=1, minn=2, maxn=5, epoch=1, loss=loss, thread=10, verbose=0
        )
        model.save_model(str(tmp_path / "x.bin"))
        ours = WordVectors.load(tmp_path / "x.bin")
        assert list(ours.words) == model.get_words()
        for word in [*ours.words, "Haustür", "Bächlein"]:
            np.testing.assert_allclose(ours[word], model.get_word_vector(word), atol=1e-6)
