"""Groups of words, for colours: clusters of vectors, and labels."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError
from embedtrain.machine.progress import counted, note
from embedtrain.vectors.evaluation_files import read_labelled

#: Names, and the (n,) index of each word's name, or `_NO_GROUP`.
Groups: TypeAlias = "tuple[list[str], NDArray[np.uint8]]"

_MOST = 10  # colours of the palette
_NO_GROUP = 255
_SHOWN = 40  # characters of a name
_FREQUENT = 100  # words of a cluster that may name it
_SAMPLE, _STEPS = 20_000, 30  # words that move the centres of clusters, and how often


def cluster(units: NDArray[np.float32], words: Sequence[str]) -> Groups:
    """Clusters of (n, dim) unit vectors by k-means, the largest first; frequent words near the centre name them.

    Each centre starts at the word farthest from those before, so that nothing is random.
    """
    sample = units[:: -(-len(units) // _SAMPLE)]
    centres, nearest = sample[:1], sample @ sample[0]
    while len(centres) < min(_MOST, len(sample)):
        centres = np.vstack([centres, sample[nearest.argmin()]])
        nearest = np.maximum(nearest, sample @ centres[-1])
    for _ in range(_STEPS):
        members = np.eye(len(centres), dtype=np.float32)[(sample @ centres.T).argmax(axis=1)]
        sums = members.T @ sample
        centres = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    cosines = units @ centres.T
    rows = cosines.argmax(axis=1)
    used, sizes = np.unique(rows, return_counts=True)
    used = used[np.argsort(-sizes, kind="stable")]
    number = np.zeros(len(centres), np.uint8)
    number[used] = np.arange(len(used))
    return [_central(cosines[:, row], rows == row, words) for row in used], number[rows]


def _central(cosines: NDArray[np.float32], is_member: NDArray[np.bool_], words: Sequence[str]) -> str:
    """The three words nearest to the centre among the most frequent ones of a cluster."""
    frequent = np.flatnonzero(is_member)[:_FREQUENT]
    return " ".join(words[row][: _SHOWN // 3] for row in frequent[np.argsort(-cosines[frequent], kind="stable")[:3]])


def labelled(labels: str | os.PathLike[str] | Mapping[str, str], words: Sequence[str]) -> Groups:
    """The most frequent labels of words, and "other"."""
    label_of = labels if isinstance(labels, Mapping) else dict(read_labelled(Path(labels)))
    found = [label_of.get(word) for word in words]
    names = [name for name, _ in Counter(label for label in found if label is not None).most_common()]
    if n_unknown := len(label_of.keys() - set(words)):
        note(f"not among the {counted(len(words), 'word')}: {n_unknown:,} of {counted(len(label_of), 'labelled word')}")
    if not names:
        raise DataError("no word with a label is on the page; check case, and put a tab after words with spaces")
    if len(names) > _MOST:
        names[_MOST - 1 :] = ["other"]
    number = {name: row for row, name in enumerate(names)}
    rows = [_NO_GROUP if label is None else number.get(label, _MOST - 1) for label in found]
    return [str(name)[:_SHOWN] for name in names], np.array(rows, np.uint8)
