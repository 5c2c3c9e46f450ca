"""Transformers for scikit-learn: vectors of the categories of a table, and averages of word vectors of texts.

They need scikit-learn 1.6 or later (``pip install "embedtrain[sklearn]"``).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from reprlib import repr as shortened
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.preprocessing import OrdinalEncoder
from sklearn.utils.validation import check_is_fitted

from embedtrain.errors import DataError, EmbedtrainWarning
from embedtrain.machine.progress import note
from embedtrain.models.svd import train_svd
from embedtrain.vectors.text_means import TextMeans
from embedtrain.vectors.word_vectors import WordVectors


class CategoryEmbedder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Encode categories by vectors learned from the other columns of a table.

    The contexts of a value are the values of the other columns in its rows. Their counts, weighted by positive
    pointwise mutual information, are reduced by SVD, so that categories in similar rows have similar vectors. No target
    is used, and the result is the same every time. Missing values, and those unknown in `fit`, are encoded as zeros.

    Parameters
    ----------
    dim : int, default 10
        Dimensions of each column, at most: a column with few values has fewer.

    Attributes
    ----------
    categories_ : list of arrays
        The values of each column, ascending, without missing ones.
    vectors_ : list of (n_values, n_dimensions) float32 arrays
        Their vectors. A column that says nothing about the others, as one with a single value, has 0 dimensions.
    n_features_in_ : int
    feature_names_in_ : array of str
        Where the table has names of columns.

    References
    ----------
    De Meulemeester, De Moor, "Unsupervised embeddings for categorical variables" (2020), for rows as sentences.

    Examples
    --------
    >>> from embedtrain.sklearn import CategoryEmbedder
    >>> table = [["Lyon", "fr"], ["Paris", "fr"], ["Bonn", "de"], ["Ulm", "de"]] * 10
    >>> CategoryEmbedder(dim=2).fit_transform(table).shape
    (40, 4)
    """

    def __init__(self, dim: int = 10) -> None:
        self.dim = dim

    def fit(self, X: ArrayLike, y: None = None) -> CategoryEmbedder:
        """Learn the vectors of the values of X (n_rows, n_columns).

        Raises
        ------
        ValueError
            If there is one column, or no column says anything about the others.
        """
        self._encoder = OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1, dtype=np.int64
        )
        self._encoder.fit(X)
        self.n_features_in_ = self._encoder.n_features_in_
        if hasattr(self._encoder, "feature_names_in_"):
            self.feature_names_in_ = self._encoder.feature_names_in_
        if self.n_features_in_ == 1:
            raise ValueError("found 1 feature(s), and the contexts of a value are those of other columns; give two")
        # missing values are the last of the encoder's
        self.categories_ = [
            values[[value is not None and value == value for value in values]] for values in self._encoder.categories_
        ]
        for name, values in zip(self._encoder.get_feature_names_out(), self.categories_, strict=True):
            if not len(values):
                raise ValueError(f"the column {name} has only missing values; leave it out")
            if values.dtype.kind == "f" and (values % 1).any():
                note(f"the column {name} has fractions, each of which is taken as a category; give numbers in bins")
        rows = [_incidence(codes, len(values)) for codes, values in zip(self._codes(X), self.categories_, strict=True)]
        others = [sparse.hstack(rows[:column] + rows[column + 1 :]).tocsr() for column in range(len(rows))]
        self.vectors_ = [_vectors(own.T @ other, self.dim) for own, other in zip(rows, others, strict=True)]
        if not any(vectors.size for vectors in self.vectors_):
            most = max(map(len, self.categories_))
            raise ValueError(
                f"no column says anything about the others; found {rows[0].shape[0]} sample(s) with at most {most} "
                "value(s) in a column"
            )
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Encode X (n_rows, n_columns) as an array (n_rows, n_features), the vectors of a row one after the other."""
        check_is_fitted(self)
        padded = [np.pad(vectors, ((0, 1), (0, 0))) for vectors in self.vectors_]  # the code -1 is the last row
        return np.hstack([vectors[codes] for vectors, codes in zip(padded, self._codes(X), strict=True)])

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Names of the columns of the result: ``"city_0"``, ``"city_1"``, …"""
        check_is_fitted(self)
        names = self._encoder.get_feature_names_out(input_features)
        dims = [vectors.shape[1] for vectors in self.vectors_]
        numbered = [f"{name}_{i:0{len(str(n - 1))}}" for name, n in zip(names, dims, strict=True) for i in range(n)]
        return np.array(numbered, object)

    def _codes(self, X: ArrayLike) -> list[NDArray[np.int64]]:
        """The number of each row's value, for each column; -1 if it is missing or unknown."""
        columns = zip(self._encoder.transform(X).T, self.categories_, strict=True)
        return [np.where(codes < len(values), codes, -1) for codes, values in columns]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = tags.input_tags.string = tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _incidence(codes: NDArray[np.int64], n_values: int) -> sparse.csr_array:
    """The matrix (n_rows, n_values) of 1 for the value of each row; codes of -1 are missing values."""
    known = np.flatnonzero(codes >= 0)
    return sparse.csr_array((np.ones(len(known), np.float32), (known, codes[known])), (len(codes), n_values))


def _vectors(counts: sparse.csr_array, dim: int) -> NDArray[np.float32]:
    """The vectors of values from (n_values, n_contexts) counts; without columns if these have no information."""
    words, contexts = ([str(number) for number in range(size)] for size in counts.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EmbedtrainWarning)  # about fewer dimensions
        try:
            return np.array(train_svd(counts, words=words, context_words=contexts, dim=dim, progress=False).vectors)
        except DataError:
            return np.zeros((len(words), 0), np.float32)


class TextEmbedder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Encode texts by averages of word vectors, as `WordVectors.embed`.

    Parameters
    ----------
    vectors : path or WordVectors
    weights : {"mean", "sif"}, default "mean"
        Average all words alike; or by smooth inverse frequency, without the first singular vector of `fit`'s texts.
    tokenizer : callable, optional
        From a text to its words; by default they are separated by whitespace.

    Attributes
    ----------
    vectors_ : WordVectors
    component_ : (n_dimensions,) array or None
        The first singular vector, with `weights="sif"`.

    Examples
    --------
    >>> from embedtrain import train_svd
    >>> from embedtrain.sklearn import TextEmbedder
    >>> vectors = train_svd(["tea and milk", "milk and honey"] * 20, dim=2)
    >>> TextEmbedder(vectors).fit_transform(["tea and honey", "unknown"]).shape
    (2, 2)
    """

    def __init__(
        self,
        vectors: str | os.PathLike[str] | WordVectors,
        *,
        weights: Literal["mean", "sif"] = "mean",
        tokenizer: Callable[[str], Iterable[str]] | None = None,
    ) -> None:
        self.vectors = vectors
        self.weights = weights
        self.tokenizer = tokenizer

    def fit(self, X: Iterable[str], y: None = None) -> TextEmbedder:
        """Load the vectors and, with `weights="sif"`, find the singular vector of the texts X."""
        self.vectors_ = self.vectors if isinstance(self.vectors, WordVectors) else WordVectors.load(self.vectors)
        if self.tokenizer is not None and not callable(self.tokenizer):
            raise ValueError(f"tokenizer must be a function from a text to its words, got {self.tokenizer!r}")
        self._n_features_out = self.vectors_.vector_size
        self.component_ = TextMeans(self.vectors_, self._texts(X), self.weights).component()
        return self

    def transform(self, X: Iterable[str]) -> NDArray[np.float32]:
        """Encode texts as an array (n_texts, n_dimensions); missing texts and those without a known word are zeros."""
        check_is_fitted(self)
        return TextMeans(self.vectors_, self._texts(X), self.weights).all_rows(self.component_)

    def _texts(self, texts: Any) -> Iterator[str | list[str]]:
        """The texts, or the words of each; empty for those that are missing."""
        for text in _column(texts):
            if not (isinstance(text, str) or text is None or text != text):
                raise ValueError(f"a text must be a str, got {type(text).__name__} {shortened(text)}")
            present = text if isinstance(text, str) else ""
            yield list(self.tokenizer(present)) if self.tokenizer else present

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array, tags.requires_fit = True, False, True
        return tags


def _column(texts: Any) -> Iterable[Any]:
    """The texts of an iterable, or of an array or frame with one column."""
    if isinstance(texts, str):
        raise ValueError("give an iterable of texts, not a str")
    if len(getattr(texts, "shape", ())) < 2:
        return texts
    if texts.shape[1] != 1:
        raise ValueError(f"texts must be one column, got {texts.shape[1]}; give one, as frame['text']")
    return np.asarray(texts)[:, 0]
