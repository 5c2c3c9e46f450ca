"""Coordinates on a plane: principal components, UMAP, t-SNE, or those of a file."""

from __future__ import annotations

import os
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.machine.files import reading, source_name
from embedtrain.machine.npz import map_array, no_damage
from embedtrain.machine.progress import Progress, Shown, counted, say
from embedtrain.vectors.components import principal_axes

#: The package of each projection.
PACKAGES = {"pca": "numpy", "umap": "umap", "tsne": "openTSNE"}
_LEAST = 10  # words for UMAP and t-SNE, which look at neighbours
_COMPONENTS = 50  # that UMAP and t-SNE are given
_ROUNDING = 1e-5  # of coordinates of unit vectors
_STEPS, _EVERY = 750, 50  # of openTSNE, and between its reports


def choose(projection: str, n: int) -> str:
    """The name in `PACKAGES` of the projection of `n` words; "auto" is UMAP where it is installed."""
    if projection not in ("auto", *PACKAGES):
        raise SettingError(f"`projection` must be auto, pca, umap or tsne, got {projection!r}")
    if projection == "auto":
        return "umap" if n >= _LEAST and find_spec("umap") else "pca"
    if find_spec(PACKAGES[projection]) is None:
        raise SettingError(f"`projection={projection}` needs a package; run pip install 'embedtrain[plot]'")
    if projection != "pca" and n < _LEAST:
        raise SettingError(f"`projection={projection}` needs {_LEAST} words or more, got {n}; set `projection=pca`")
    return projection


def project(units: NDArray[np.float32], projection: str, shown: Shown = "") -> NDArray[np.float32]:
    """The (n, 2) coordinates of (n, dim) vectors by a name in `PACKAGES`; the same for the same vectors."""
    principal = principal_components(units, 2)
    principal[:, np.ptp(principal, axis=0) < _ROUNDING] = 0
    if projection == "pca" or not principal.any(axis=0).all():  # or all words are on a line
        return principal
    reduced, n = principal_components(units, min(_COMPONENTS, units.shape[1])), len(units)
    common: dict[str, Any] = {"metric": "cosine", "random_state": 1}
    say(f"{projection:8} {counted(n, 'word')}; 50,000 take minutes", shown=shown)
    with warnings.catch_warnings(), Progress(projection, _STEPS, shown=shown, unit="steps") as progress:
        warnings.simplefilter("ignore")  # on random states and threads
        if projection == "umap":
            from umap import UMAP

            return np.asarray(UMAP(n_neighbors=min(15, n - 1), min_dist=0.1, **common).fit_transform(reduced))
        from openTSNE import TSNE

        common |= {"callbacks": lambda *_: progress.update(_EVERY), "callbacks_every_iters": _EVERY}
        return np.asarray(TSNE(perplexity=min(30.0, (n - 1) / 3), **common).fit(reduced))


def principal_components(vectors: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    """The (n_rows, n) coordinates along the n principal axes, each axis with its largest element positive.

    Axes beyond the dimensions of the vectors are zero.
    """
    centred = vectors - vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    axes = principal_axes(centred, n)
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return np.pad(centred @ axes, ((0, 0), (0, n - axes.shape[1])))


def read_coordinates(path: str | os.PathLike[str], n: int) -> NDArray[np.float32]:
    """Read the (n, 2) coordinates in an .npy file; of more rows, the first."""
    name = source_name(Path(path))
    with reading(Path(path)), no_damage(f"{name} is not an array of numpy.save"):
        coordinates = map_array(path)
    if coordinates.ndim != 2 or coordinates[:n].shape != (n, 2) or coordinates.dtype.kind not in "fiu":
        got = f"{coordinates.dtype} of shape {coordinates.shape}"
        raise DataError(f"{name} must hold two numbers for each of the {n:,} words, shape ({n}, 2), got {got}")
    with np.errstate(over="ignore"):
        coordinates = coordinates[:n].astype(np.float32)
    if not np.isfinite(coordinates).all():
        raise DataError(f"{name} holds nan or inf; coordinates must be finite")
    return coordinates


def scaled(coordinates: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Coordinates as 16-bit integers, the same scale in both directions, their middle in the middle."""
    low, high = (extreme(axis=0).astype(np.float64) for extreme in (coordinates.min, coordinates.max))
    extent = float((high - low).max()) or 1.0
    return np.rint(((coordinates - (low + high) / 2) / extent + 0.5) * 65535).astype("<u2")
