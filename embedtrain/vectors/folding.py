"""Weights of counts in the matrices of SVD and LSA, and vectors of new rows from their counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError

if TYPE_CHECKING:
    from embedtrain.vectors.word_vectors import WordVectors

Weights = NDArray[np.float64]


def weigh(weighting: str, counts: NDArray[Any], row_weights: Any, column_weights: Weights) -> NDArray[Any]:
    """The values of cells, from their counts and the weights of their rows and columns."""
    if weighting == "information":
        return np.log(np.maximum(1, counts * row_weights * column_weights))
    terms = np.log1p(counts, dtype=np.float64) if weighting == "log-entropy" else counts
    weighted: NDArray[Any] = terms * row_weights * column_weights
    return weighted


def word_weights(weighting: str, sums: Any, x_log_x: Any, n_with: Any, n_documents: int) -> Weights:
    """Weights of words, from the sums of their counts x in documents and of x log x, and the number with them.

    Of log-entropy 0 for words spread evenly (Dumais 1991), of tf-idf as scikit-learn computes them.
    """
    sums = np.where(sums > 0, sums, 1.0)
    if weighting == "log-entropy":
        return np.maximum(0.0, 1 + (x_log_x / sums - np.log(sums)) / np.log(max(2, n_documents)))
    return np.log((1 + n_documents) / (1 + n_with)) + 1 if weighting == "tf-idf" else np.ones_like(sums)


def fold_in(vectors: WordVectors, counts: Any) -> NDArray[np.float32]:
    """Compute the vector of a new row; see `WordVectors.fold_in`."""
    factors, contexts, settings = vectors.factors, vectors.context_vectors, vectors.settings
    if factors is None or contexts is None or settings.get("add_contexts"):
        raise SettingError(
            "fold_in needs the context vectors and singular values of `train_svd` without `add_contexts`, or of "
            "`train_lsa`; of files, .npz holds them"
        )
    is_document, weights = settings.get("rows") == "documents", factors.context_weights
    counts = counts.toarray() if hasattr(counts, "toarray") else counts
    if is_document and isinstance(counts, (list, tuple)) and all(isinstance(token, str) for token in counts):
        counts = Counter(counts)
    names = vectors.words if factors.context_words is None else factors.context_words
    if isinstance(counts, Mapping):
        counts = [counts.get(name, 0) for name in names[:]]
    row = np.asarray(counts).squeeze()
    if row.shape != weights.shape or row.dtype.kind not in "biuf":
        raise DataError(
            f"counts must be a number for each of the {len(weights):,} contexts in the order of "
            f"{'words' if factors.context_words is None else 'factors.context_words'}, or a mapping of contexts to "
            f"numbers{', or a list of tokens' * is_document}, got shape {row.shape} and {row.dtype}"
        )
    row = row.astype(np.float64)
    if not (np.isfinite(row).all() and row.min() >= 0 and row.any()):
        known = f"a known context ('{names[0]}' to '{names[len(names) - 1]}')"
        raise DataError(f"counts must be finite and at least 0, and one of them, of {known}, above 0")
    weighting: str = settings.get("weighting", "count")
    own_weight: Any = 1.0
    if settings.get("model") == "svd":
        weighting, own_weight = "information", 1 / row.sum()
    elif not is_document:
        some = row[row > 0]
        own_weight = word_weights(weighting, row.sum(), (some * np.log(some)).sum(), len(some), len(row))
    elif weighting == "tf-idf":
        own_weight = 1 / (np.linalg.norm(row * weights) or 1)
    folded = weigh(weighting, row, own_weight, weights) @ contexts / factors.singular_values
    return folded.astype(np.float32)
