"""Words that several tables of vectors share."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError, quoted
from embedtrain.vectors.word_table import WordTable


def shared_words(tables: Sequence[WordTable]) -> list[str]:
    """The words that all tables have, in the order of the first; raises `DataError` if there are none."""
    if isinstance(tables, WordTable) or len(tables) < 2 or not all(isinstance(table, WordTable) for table in tables):
        raise SettingError("give a list of at least two WordVectors; WordVectors.load reads files")
    words = [word for word in tables[0].words if all(word in table.index for table in tables[1:])]
    if not words:
        some = " and ".join(quoted(table.words[0]) for table in tables[:2])
        raise DataError(f"no word is in all {len(tables)} tables, which begin with {some}; check case and Unicode form")
    return words


def units_of_words(table: WordTable, words: Sequence[str]) -> NDArray[np.float32]:
    """The (n, dim) vectors of words scaled to length 1; rows of zeros for vectors of length 0."""
    rows = np.array([table.index[word] for word in words], np.int64)
    return np.asarray(table.vectors[rows], np.float32) / table.norms[rows, None]
