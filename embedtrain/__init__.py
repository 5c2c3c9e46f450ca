"""Word embeddings, trained fast: skip-gram, CBOW, GloVe and SVD, on text, sessions and graphs.

Functions raise `SettingError` if a setting is not valid, and `DataError` if a corpus or a file cannot be used; both are
a `ValueError`.

Names are imported when they are first used, so that ``import embedtrain`` loads neither NumPy nor Numba.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from embedtrain._version import __version__

if TYPE_CHECKING:
    from embedtrain.corpus.phrases import Phrases
    from embedtrain.corpus.sources import Corpus
    from embedtrain.counts.matrix import Counts
    from embedtrain.errors import (
        DataError,
        EmbedtrainError,
        EmbedtrainWarning,
        Interrupted,
        OutputError,
        SettingError,
        TrainingError,
    )
    from embedtrain.models.cbow import plan_cbow, train_cbow
    from embedtrain.models.cooccurrence import cooccurrence, cooccurrence_counts
    from embedtrain.models.glove import plan_glove, train_glove
    from embedtrain.models.item2vec import train_item2vec
    from embedtrain.models.lsa import train_lsa
    from embedtrain.models.phrases import find_phrases
    from embedtrain.models.skipgram import plan_skipgram, train_skipgram
    from embedtrain.models.skipgram_pairs import skipgram_pairs
    from embedtrain.models.svd import train_svd
    from embedtrain.training.epoch_log import EpochLog
    from embedtrain.training.random_walks import RandomWalks
    from embedtrain.training.reports import Epoch, Plan
    from embedtrain.vectors.alignment import align
    from embedtrain.vectors.combination import combine
    from embedtrain.vectors.comparison import compare
    from embedtrain.vectors.components import remove_components
    from embedtrain.vectors.evaluation import evaluate_analogies, evaluate_similarity
    from embedtrain.vectors.node_evaluation import evaluate_labels, evaluate_links
    from embedtrain.vectors.sessions import evaluate_sessions
    from embedtrain.vectors.word_table import UnknownWord
    from embedtrain.vectors.word_vectors import WordVectors

#: From modules to the names that they have.
_NAMES = {
    "corpus.phrases": "Phrases",
    "corpus.sources": "Corpus",
    "counts.matrix": "Counts",
    "errors": "DataError EmbedtrainError EmbedtrainWarning Interrupted OutputError SettingError TrainingError",
    "models.cbow": "plan_cbow train_cbow",
    "models.cooccurrence": "cooccurrence cooccurrence_counts",
    "models.glove": "plan_glove train_glove",
    "models.item2vec": "train_item2vec",
    "models.lsa": "train_lsa",
    "models.phrases": "find_phrases",
    "models.skipgram": "plan_skipgram train_skipgram",
    "models.skipgram_pairs": "skipgram_pairs",
    "models.svd": "train_svd",
    "training.epoch_log": "EpochLog",
    "training.random_walks": "RandomWalks",
    "training.reports": "Epoch Plan",
    "vectors.alignment": "align",
    "vectors.combination": "combine",
    "vectors.comparison": "compare",
    "vectors.components": "remove_components",
    "vectors.evaluation": "evaluate_analogies evaluate_similarity",
    "vectors.node_evaluation": "evaluate_labels evaluate_links",
    "vectors.sessions": "evaluate_sessions",
    "vectors.word_table": "UnknownWord",
    "vectors.word_vectors": "WordVectors",
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = [
    "Corpus",
    "Counts",
    "DataError",
    "EmbedtrainError",
    "EmbedtrainWarning",
    "Epoch",
    "EpochLog",
    "Interrupted",
    "OutputError",
    "Phrases",
    "Plan",
    "RandomWalks",
    "SettingError",
    "TrainingError",
    "UnknownWord",
    "WordVectors",
    "__version__",
    "align",
    "combine",
    "compare",
    "cooccurrence",
    "cooccurrence_counts",
    "evaluate_analogies",
    "evaluate_labels",
    "evaluate_links",
    "evaluate_sessions",
    "evaluate_similarity",
    "find_phrases",
    "plan_cbow",
    "plan_glove",
    "plan_skipgram",
    "remove_components",
    "skipgram_pairs",
    "train_cbow",
    "train_glove",
    "train_item2vec",
    "train_lsa",
    "train_skipgram",
    "train_svd",
]


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'embedtrain' has no attribute {name!r}")
    return getattr(import_module(f"embedtrain.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
