"""Weights of counts in the matrices of SVD and LSA, and vectors of new rows from their counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError

if TYPE_CHECKING:
    from embedtrain.vectors.word_vectors import WordVectors

Weights = NDArray[np.float64]


def pointwise_information(counts: NDArray[Any], row_weights: Any, column_weights: Weights) -> Weights:
    """The logarithm of each count times the weights of its row and column; -inf for counts of 0."""
    with np.errstate(divide="ignore"):
        information: Weights = np.log(counts * row_weights * column_weights)
    return information


def weighted_terms(weighting: str, counts: NDArray[Any], row_weights: Any, column_weights: Any) -> Weights:
    """Counts, or their logarithms, times the weights of their rows and columns."""
    terms = np.log1p(counts, dtype=np.float64) if weighting == "log-entropy" else counts
    weights: Weights = terms * row_weights * column_weights
    return weights


def entropy_weights(plogp: Any, n_documents: int) -> Any:
    """Weights of words by the sums of p log p over documents; 0 for words spread evenly (Dumais 1991)."""
    return np.maximum(0, 1 + plogp / np.log(max(2, n_documents)))


def inverse_frequencies(n_with: Any, n_documents: int) -> Any:
    """Weights of words by the number of documents with them, as scikit-learn computes them."""
    return np.log((1 + n_documents) / (1 + n_with)) + 1


def fold_in(vectors: WordVectors, counts: Any) -> NDArray[np.float32]:
    """Compute the vector of a new row; see `WordVectors.fold_in`."""
    factors, contexts, settings = vectors.factors, vectors.context_vectors, vectors.settings
    if factors is None or contexts is None or settings.get("add_contexts"):
        raise SettingError(
            "fold_in needs the context vectors and singular values of `train_svd` without `add_contexts`, or of "
            "`train_lsa`; of files, .npz holds them"
        )
    row = np.asarray(counts.toarray() if hasattr(counts, "toarray") else counts).squeeze()
    n_contexts = len(factors.context_weights)
    if row.shape != (n_contexts,) or row.dtype.kind not in "biuf":
        raise DataError(
            f"counts must be a number for each of the {n_contexts:,} contexts, got shape {row.shape} and {row.dtype}"
        )
    row = row.astype(np.float64)
    if not (np.isfinite(row).all() and row.min() >= 0 and row.any()):
        raise DataError("counts must be finite and at least 0, and one of them above 0")
    weighting, weights = settings.get("weighting", "count"), factors.context_weights
    if settings.get("model") == "svd":
        values = np.maximum(0, pointwise_information(row, 1 / row.sum(), weights))
    elif settings.get("rows") == "documents":
        values = weighted_terms(weighting, row, 1.0, weights)
        values /= np.linalg.norm(values) or 1.0 if weighting == "tf-idf" else 1.0
    else:
        values = weighted_terms(weighting, row, _word_weight(weighting, row), weights)
    folded: NDArray[np.float32] = (values @ contexts / factors.singular_values).astype(np.float32)
    return folded


def _word_weight(weighting: str, row: Weights) -> Any:
    """The weight of a word with these counts in documents."""
    if weighting == "tf-idf":
        return inverse_frequencies(np.count_nonzero(row), len(row))
    shares = row[row > 0] / row.sum()
    return entropy_weights((shares * np.log(shares)).sum(), len(row)) if weighting == "log-entropy" else 1.0
