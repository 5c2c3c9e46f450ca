"""The models of word2vec, trained by embedtrain and by gensim with the same settings; for the scripts beside this one.

Window 5, min-count 5, negative 5 where there is negative sampling, the usual learning rate of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embedtrain import WordVectors

_HS = {"hs": True, "negative": 0}
#: What embedtrain is asked for in each mode: the model and its settings.
MODES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "skipgram": ("skipgram", {}),
    "skipgram-hs": ("skipgram", _HS),
    "cbow": ("cbow", {}),
    "cbow-hs": ("cbow", _HS),
    "cbow-corrected": ("cbow", {"cbow_update": "corrected"}),
}


def train_embedtrain(
    mode: str, text: Path, *, dim: int, sample: float, epochs: int, work: Path, seed: int = 1, **more: Any
) -> WordVectors:
    """A run of embedtrain, with its report."""
    import embedtrain

    model, settings = MODES[mode]
    train = {"skipgram": embedtrain.train_skipgram, "cbow": embedtrain.train_cbow}[model]
    return train(
        text, dim=dim, sample=sample, epochs=epochs, seed=seed, temp_folder=work, progress=False, **{**settings, **more}
    )


def new_gensim(mode: str, *, dim: int, sample: float, epochs: int, workers: int = 2, seed: int = 1) -> Any:
    """A model of gensim that has read nothing yet; it knows no corrected CBOW."""
    from gensim.models import Word2Vec

    model, settings = MODES[mode]
    return Word2Vec(
        sg=model == "skipgram", hs="hs" in settings, negative=settings.get("negative", 5), vector_size=dim, window=5,
        alpha=0.025 if model == "skipgram" else 0.05, sample=sample, min_count=5, epochs=epochs, workers=workers,
        seed=seed,
    )  # fmt: skip


def in_gensim(mode: str) -> bool:
    """Whether gensim has the mode."""
    return "cbow_update" not in MODES[mode][1]
