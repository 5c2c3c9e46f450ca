"""Transformers for scikit-learn: its own checks, what they compute, and what they say to bad input."""

import pickle
import warnings

import numpy as np
import pytest

from embedtrain import EmbedtrainWarning, WordVectors, train_skipgram, train_svd

pytestmark = pytest.mark.clients
pytest.importorskip("sklearn", reason="needs scikit-learn")

from sklearn.base import clone  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from embedtrain.sklearn import CategoryEmbedder, TextEmbedder  # noqa: E402

TEXTS = ["tea and milk", "milk and honey", "tea and honey and milk"] * 20
CITIES = [["Lyon", "fr"], ["New York", "us"], ["Bonn", "de"], ["Ulm", "de"]] * 10


@pytest.fixture(scope="module")
def vectors():
    return train_svd(TEXTS, dim=3, progress=False)


@parametrize_with_checks([CategoryEmbedder()])
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("weights", ["mean", "sif"])
def test_checks_of_scikit_learn_for_texts(weights, vectors):
    embedder = TextEmbedder(vectors, weights=weights)
    expected = embedder.fit_transform(TEXTS)
    np.testing.assert_array_equal(clone(embedder).fit(TEXTS).transform(TEXTS), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(embedder)).transform(TEXTS), expected)
    assert list(embedder.get_feature_names_out()) == [f"textembedder{i}" for i in range(vectors.vector_size)]


# --- Categories -------------------------------------------------------------------------------------------------------


def planted(n_rows=4000, seed=1):
    """Cities of ten groups, each city with the products of its group."""
    rng = np.random.default_rng(seed)
    cities = rng.integers(0, 100, n_rows)
    return np.column_stack([cities, cities % 10 * 10 + rng.integers(0, 10, n_rows)]), cities % 10


def test_categories_in_similar_rows_have_similar_vectors():
    table, _ = planted()
    embedder = CategoryEmbedder(dim=10).fit(table)
    units = embedder.vectors_[0] / np.linalg.norm(embedder.vectors_[0], axis=1, keepdims=True)
    cosines = units @ units.T
    same = np.equal.outer(embedder.categories_[0] % 10, embedder.categories_[0] % 10)
    assert cosines[same].min() > cosines[~same].max() + 0.5


def test_a_row_is_the_vectors_of_its_values():
    embedder = CategoryEmbedder(dim=2).fit(CITIES)
    cities, countries = embedder.vectors_
    expected = np.hstack([cities[[0, 3]], countries[[0, 2]]])
    np.testing.assert_array_equal(embedder.transform([["Bonn", "de"], ["Ulm", "us"]])[:, :2], cities[[0, 3]])
    np.testing.assert_array_equal(embedder.transform([["Bonn", "de"], ["Ulm", "us"]]), expected)
    np.testing.assert_array_equal(CategoryEmbedder(dim=2).fit_transform(CITIES), embedder.transform(CITIES))


def test_unknown_and_missing_values_are_zeros():
    embedder = CategoryEmbedder(dim=2).fit([*CITIES, ["Bonn", None], [np.nan, "fr"]])
    assert [list(values) for values in embedder.categories_] == [
        ["Bonn", "Lyon", "New York", "Ulm"],
        ["de", "fr", "us"],
    ]
    encoded = embedder.transform([["Paris", None], [np.nan, "us"]])
    assert not encoded[0].any()
    assert not encoded[1, :2].any()
    assert encoded[1, 2:].any()


def test_columns_of_the_result_are_named_after_those_of_a_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(CITIES, columns=["city", "country"])
    encoded = CategoryEmbedder(dim=2).set_output(transform="pandas").fit_transform(frame)
    assert list(encoded.columns) == ["city_0", "city_1", "country_0", "country_1"]
    assert CategoryEmbedder(dim=11).fit(planted()[0]).get_feature_names_out()[0] == "x0_00"


def test_a_search_over_dimensions_in_a_column_transformer():
    table, groups = planted(1000)
    columns = ColumnTransformer([("embedded", CategoryEmbedder(), [0, 1])])
    search = GridSearchCV(
        make_pipeline(columns, LogisticRegression()), {"columntransformer__embedded__dim": [1, 10]}, cv=3
    ).fit(table, groups)
    assert search.best_params_ == {"columntransformer__embedded__dim": 10}
    assert search.best_score_ > 0.95


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([["a"], ["b"]], r"found 1 feature\(s\), and the contexts of a value are those of other columns"),
        (
            [["a", "x"], ["a", "x"]],
            r"no column says anything about the others; found 2 sample\(s\) with at most 1 value",
        ),
        (np.zeros((3, 0)), r"0 feature\(s\)"),
        ([[None, "a"], [None, "b"]], "the column x0 has only missing values; leave it out"),
    ],
)
def test_tables_of_which_nothing_can_be_learned(table, message):
    with pytest.raises(ValueError, match=message):
        CategoryEmbedder().fit(table)


def test_numbers_with_fractions_are_categories_with_a_note():
    table = np.array([[0.5, 1], [0.5, 1], [1.5, 2], [1.5, 2]])
    with pytest.warns(EmbedtrainWarning, match="the column x0 has fractions, each of which is taken as a category"):
        CategoryEmbedder(dim=1).fit(table)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CategoryEmbedder(dim=1).fit(np.rint(table))


def test_a_column_with_one_value_has_no_dimensions():
    rows = [[*row, "same"] for row in CITIES]
    assert CategoryEmbedder(dim=2).fit(rows).vectors_[2].shape == (1, 0)
    np.testing.assert_array_equal(
        CategoryEmbedder(dim=2).fit_transform(rows).shape, CategoryEmbedder(dim=2).fit_transform(CITIES).shape
    )


def test_columns_of_distinct_values_are_encoded():
    assert CategoryEmbedder(dim=3).fit_transform([[str(i), str(-i)] for i in range(20)]).shape == (20, 6)


def test_dim_is_checked():
    with pytest.raises(ValueError, match="dim must be a whole number of at least 1, got 0"):
        CategoryEmbedder(dim=0).fit(CITIES)


# --- Texts ------------------------------------------------------------------------------------------------------------


def test_texts_are_means_of_the_vectors_of_known_words(vectors):
    encoded = TextEmbedder(vectors).fit_transform(["tea honey unknown tea", "unknown", ""])
    mean = (2 * vectors["tea"] + vectors["honey"]) / 3
    np.testing.assert_allclose(encoded, [mean, 0 * mean, 0 * mean], atol=1e-6)


def test_texts_of_a_column_and_missing_ones(vectors):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": ["tea honey", None, "milk"], "n": [1, 2, 3]})
    expected = TextEmbedder(vectors).fit_transform(["tea honey", "", "milk"])
    for columns in ("text", ["text"]):
        transformer = ColumnTransformer([("embedded", TextEmbedder(vectors), columns)])
        np.testing.assert_allclose(transformer.fit_transform(frame), expected)


@pytest.mark.parametrize("weights", ["mean", "sif"])
def test_subwords_give_unknown_words_vectors(weights):
    texts = [*TEXTS, "teapot and honeycomb"]  # n-grams of one word only are not known
    trained = train_skipgram(texts, dim=8, epochs=1, min_count=1, sample=0, subwords="3-6", progress=False)
    embedder = TextEmbedder(trained, weights=weights).fit(TEXTS)
    plain = TextEmbedder(trained).fit(TEXTS)
    np.testing.assert_allclose(plain.transform(["teas tea zq"]), [(trained["teas"] + trained["tea"]) / 2], rtol=1e-5)
    assert embedder.transform(["honeys"]).any()


def test_smooth_inverse_frequency(vectors):
    """As in the paper: weighted means, without their first singular vector."""
    texts = ["tea and milk", "milk honey", "honey and tea and unknown"]
    shares = vectors.counts / vectors.counts.sum()
    means = []
    for text in texts:
        rows = [vectors.index[word] for word in text.split() if word in vectors]
        means.append(np.mean([1e-3 / (1e-3 + shares[row]) * vectors.vectors[row] for row in rows], axis=0))
    first = np.linalg.svd(np.array(means))[2][0]
    expected = means - np.outer(means @ first, first)
    np.testing.assert_allclose(TextEmbedder(vectors, weights="sif").fit_transform(texts), expected, atol=1e-5)


def test_vectors_of_a_file_and_a_tokenizer(vectors, tmp_path):
    vectors.save(tmp_path / "v.npz")
    embedder = TextEmbedder(tmp_path / "v.npz", tokenizer=lambda text: text.lower().split("-")).fit(TEXTS)
    np.testing.assert_allclose(embedder.transform(["TEA-milk"]), [(vectors["tea"] + vectors["milk"]) / 2], atol=1e-6)


def test_bad_texts_and_weights(vectors):
    with pytest.raises(ValueError, match="give an iterable of texts, not a str"):
        TextEmbedder(vectors).fit_transform("tea")
    with pytest.raises(ValueError, match="weights must be 'mean' or 'sif', got 'tfidf'"):
        TextEmbedder(vectors, weights="tfidf").fit(TEXTS)
    with pytest.raises(ValueError, match=r"a text must be a str, got list \['tea'\]"):
        TextEmbedder(vectors).fit_transform([["tea"]])
    with pytest.raises(ValueError, match="tokenizer must be a function from a text to its words, got 'words'"):
        TextEmbedder(vectors, tokenizer="words").fit(TEXTS)
    with pytest.raises(ValueError, match="weights='sif' needs at least two texts"):
        TextEmbedder(vectors, weights="sif").fit([])
    with pytest.raises(ValueError, match="texts must be one column, got 2; give one, as frame"):
        TextEmbedder(vectors).fit_transform(np.array([["tea", "milk"]]))
    with pytest.raises(ValueError, match="weights='sif' needs counts of words"):
        TextEmbedder(WordVectors(["a"], np.ones((1, 2), np.float32)), weights="sif").fit(TEXTS)
