"""Word embeddings, trained fast: skip-gram, CBOW, GloVe and SVD, on text, sessions and graphs.

Functions raise `SettingError` if a setting is not valid, and `DataError` if a corpus or a file cannot be used; both are
a `ValueError`.

Names are imported when they are first used, so that ``import embedtrain`` loads neither NumPy nor Numba.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from embedtrain._version import __version__ as __version__

if TYPE_CHECKING:  # names imported "as" themselves are exported
    from embedtrain.corpus.phrases import Phrases as Phrases
    from embedtrain.corpus.sources import Corpus as Corpus
    from embedtrain.counts.matrix import Counts as Counts
    from embedtrain.errors import DataError as DataError
    from embedtrain.errors import EmbedtrainError as EmbedtrainError
    from embedtrain.errors import EmbedtrainWarning as EmbedtrainWarning
    from embedtrain.errors import Interrupted as Interrupted
    from embedtrain.errors import OutputError as OutputError
    from embedtrain.errors import SettingError as SettingError
    from embedtrain.errors import TrainingError as TrainingError
    from embedtrain.models.cbow import plan_cbow as plan_cbow
    from embedtrain.models.cbow import train_cbow as train_cbow
    from embedtrain.models.cooccurrence import cooccurrence as cooccurrence
    from embedtrain.models.cooccurrence import cooccurrence_counts as cooccurrence_counts
    from embedtrain.models.glove import plan_glove as plan_glove
    from embedtrain.models.glove import train_glove as train_glove
    from embedtrain.models.item2vec import train_item2vec as train_item2vec
    from embedtrain.models.lsa import train_lsa as train_lsa
    from embedtrain.models.phrases import find_phrases as find_phrases
    from embedtrain.models.skipgram import plan_skipgram as plan_skipgram
    from embedtrain.models.skipgram import train_skipgram as train_skipgram
    from embedtrain.models.skipgram_pairs import skipgram_pairs as skipgram_pairs
    from embedtrain.models.svd import train_svd as train_svd
    from embedtrain.training.epoch_log import EpochLog as EpochLog
    from embedtrain.training.random_walks import RandomWalks as RandomWalks
    from embedtrain.training.reports import Epoch as Epoch
    from embedtrain.training.reports import Plan as Plan
    from embedtrain.vectors.alignment import align as align
    from embedtrain.vectors.combination import combine as combine
    from embedtrain.vectors.comparison import compare as compare
    from embedtrain.vectors.components import remove_components as remove_components
    from embedtrain.vectors.evaluation import evaluate_analogies as evaluate_analogies
    from embedtrain.vectors.evaluation import evaluate_similarity as evaluate_similarity
    from embedtrain.vectors.node_evaluation import evaluate_labels as evaluate_labels
    from embedtrain.vectors.node_evaluation import evaluate_links as evaluate_links
    from embedtrain.vectors.sessions import evaluate_sessions as evaluate_sessions
    from embedtrain.vectors.word_table import UnknownWord as UnknownWord
    from embedtrain.vectors.word_vectors import WordVectors as WordVectors

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


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'embedtrain' has no attribute {name!r}")
    return getattr(import_module(f"embedtrain.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*_MODULES, "__version__"])


if not TYPE_CHECKING:  # type checkers cannot evaluate it, and know the names above
    __all__ = __dir__()
