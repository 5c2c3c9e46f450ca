"""``embedtrain warmup``: compile the kernels of usual runs."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from embedtrain.models import MODELS
from embedtrain.training.settings import TrainingSettings

_BY_NAME = {model.model: model for model in MODELS}
_N_WORDS = 25_000  # more than a table of types has room for at first, and than are parsed without kernels


@click.command(short_help="Compile the kernels, as for a container image.")
@click.argument("models", nargs=-1, metavar="[MODEL...]", type=click.Choice(list(_BY_NAME)))
def warmup(models: Sequence[str]) -> None:
    """Compile the kernels of usual runs of all models, or of one, so that they are not compiled later.

    They are kept in the folder of the user's caches, or in NUMBA_CACHE_DIR, for this kind of processor.

    Example: embedtrain warmup
    """
    from embedtrain.corpus.sources import Corpus
    from embedtrain.errors import DataError
    from embedtrain.kernels.compilation import UNCACHED
    from embedtrain.kernels.kernel_cache import kernel_folder
    from embedtrain.vectors.word_vectors import WordVectors

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the text
        text, path = Path(folder, "text"), Path(folder, "vectors.vec")
        text.write_text("".join(f"w{n} w{n + 1}\n" for n in range(0, _N_WORDS, 2)))
        for name in models or _BY_NAME:
            model = _BY_NAME[name]
            epochs: dict[str, Any] = {"epochs": 1} if issubclass(model, TrainingSettings) else {}
            settings = model(**epochs, min_count=1, threads=2, progress=False)
            settings.train(Corpus(text, tokenize="words"))
            settings.train(Corpus(text)).save(path)
        WordVectors.load(path)
    if UNCACHED:
        raise DataError("no folder for compiled kernels can be written; set NUMBA_CACHE_DIR to one")
    click.echo(f"compiled kernels are in {kernel_folder() or '__pycache__ beside the sources'}")
