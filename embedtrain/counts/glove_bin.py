"""GloVe's cooccurrence.bin, as Stanford's programs `cooccur` and `shuffle` write it.

Records of 16 bytes in any order, without a header, little-endian: the numbers of a word and of its context (from 1, in
the order of the vocabulary file) and the count.
Source: struct cooccur_rec in cooccur.c of https://github.com/stanfordnlp/GloVe.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import sparse

from embedtrain.errors import DataError
from embedtrain.machine.files import reading, source_name
from embedtrain.machine.memory import require_memory

_RECORD = np.dtype([("word", "<i4"), ("context", "<i4"), ("count", "<f8")])
_MEMORY = 34  # bytes per record: its numbers (16), its cell in the result (12), results of comparisons
_LARGEST = np.finfo(np.float32).max


def read_glove_bin(path: Path, n_words: int) -> sparse.csr_array:
    """Read the counts of `n_words` words; duplicate records are summed in float64."""
    name = source_name(path)
    with reading(path):
        n, rest = divmod(path.stat().st_size, _RECORD.itemsize)
        if rest or not n:
            raise DataError(
                f"{name} holds no counts, or was cut: its size must be a multiple of {_RECORD.itemsize} bytes, "
                f"got {path.stat().st_size:,}"
            )
        require_memory(_MEMORY * n, f"the counts in {name}", "count again with a smaller vocabulary")
        records = np.memmap(path, _RECORD, "r")
        rows, columns, values = records["word"] - 1, records["context"] - 1, records["count"].copy()
    right = (values >= 0) & (values <= _LARGEST)
    for index in (rows, columns):
        right &= (index >= 0) & (index < n_words)
    if not right.all():
        wrong = int(np.argmin(right))
        word, context, value = records[wrong].item()
        raise DataError(
            f"{name}, record {wrong + 1}: expected two words of 1 to {n_words:,} and a count of 0 to 3.4e38, "
            f"got {word}, {context} and {value}; was it counted with this vocabulary?"
        )
    return sparse.coo_array((values, (rows, columns)), shape=(n_words, n_words)).tocsr()
