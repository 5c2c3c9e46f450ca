"""Counts that are given to a model, in whatever form they come."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from embedtrain.counts.counts_file import is_counts_file
from embedtrain.counts.matrix import Counts, as_counts
from embedtrain.errors import SettingError


def are_counts(given: Any) -> bool:
    """Whether this is a matrix, `Counts` or a file of them, and not text."""
    if isinstance(given, (str, os.PathLike)):
        return is_counts_file(given)
    return isinstance(given, (Counts, np.ndarray)) or hasattr(given, "tocsr")


def paths_among(given: Any) -> list[str | os.PathLike[str]]:
    """What is given, if it is a path."""
    return [given] if isinstance(given, (str, os.PathLike)) else []


def read_counts(given: Any, words: Sequence[str] | str | os.PathLike[str] | None) -> Counts:
    """The counts that are given, checked.

    Parameters
    ----------
    given : path, Counts, or matrix
    words : path of a file of words, or sequence of str; optional
        Of a file of counts, or a matrix, that has none.

    Raises
    ------
    SettingError
        If words are missing, or given where there are some.
    DataError
        If a file cannot be read, or holds what no counts can be.
    """
    if isinstance(given, (str, os.PathLike)):
        if words is not None and not isinstance(words, (str, os.PathLike)):
            raise SettingError("the words of a file of counts are in a file too; name it")
        return Counts.load(given, words)
    if isinstance(given, Counts):
        if words is not None:
            raise SettingError("these counts have their own words; leave words out")
        return as_counts(given.matrix, given.words, given.counts, given.settings)
    if words is None or isinstance(words, (str, os.PathLike)):
        raise SettingError("a matrix needs words, a str for each of its rows")
    return as_counts(given, words)
