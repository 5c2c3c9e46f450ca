"""Files that are not vectors in a known format: error messages with a remedy."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import NoReturn

from embedtrain.errors import DataError, quoted
from embedtrain.formats import npy_folder, projector
from embedtrain.formats.format import NOT_IN_TEXT, Head
from embedtrain.formats.npz import zip_members
from embedtrain.formats.text import other_kind
from embedtrain.formats.text_parsing import find_commas
from embedtrain.machine.files import source_name

_LINES = 20  # lines in which commas are looked for
#: The beginning of a pickle, of protocol 2 and later or as text; a module of a class has dots or is copy_reg.
_PICKLE = rb"(\x80[\x02-\x05]|\(?[ic](\w+(\.\w+)+|copy_reg)\n\w+\n|\([dl]p\d+\n)"
#: Regular expressions of beginnings, what they belong to, and what to do.
_FOREIGN = (
    (rb"\x89HDF\r\n\x1a\n", "an HDF5 file", "write its vectors with the program that made it"),
    (rb"SQLite format 3\0", "an SQLite database, perhaps of Magnitude", "write its vectors as text"),
    (rb"FiFu", "a finalfusion file", "finalfusion convert --to text writes what can be read"),
    (rb"\x93NUMPY", "a NumPy array without words", "join words and vectors as WordVectors(words, vectors)"),
    (rb"version https://git-lfs", "a pointer of Git LFS", "fetch the file itself with git lfs pull"),
    (rb"\xff\xfe|\xfe\xff", "UTF-16 text", "save it as UTF-8"),
    (rb"[\x00-\xff]{257}ustar", "a tar archive", "unpack it first, and name a file in it"),
    (_PICKLE + rb"(?s:.*)gensim", "a Python pickle of gensim", ""),
    (_PICKLE, "a Python pickle", "write text: a pickle is never read, as it could run any program"),
    (rb"(?i:\s*<(!doctype|html|\?xml))", "a web page, perhaps of a download that failed",
     "get the file of vectors itself"),
)  # fmt: skip


def _conversion(name: str, data: bytes) -> str:
    """Return the Python code that converts a pickled object of gensim."""
    found = re.search(rb"gensim\.models\.[\w.]+\W+(Word2Vec|FastText|Doc2Vec)\b", data)
    model = found[1].decode() if found else "KeyedVectors"
    vectors = "" if model == "KeyedVectors" else ".wv"
    load = f'from gensim.models import {model}; {model}.load("{name}"){vectors}'
    return f'convert it in Python: {load}.save_word2vec_format("{Path(name).stem}.vec")'


def refuse(name: str, head: Head) -> NoReturn:
    """Raise an error with the kind of the file or folder and a remedy."""
    if head.path.is_dir():
        raise DataError(f"{name} is a folder without {npy_folder.VECTORS}; name a file of vectors")
    if not head.data.strip():
        raise DataError(f"{name} is empty; expected words and their vectors")
    for pattern, kind, remedy in _FOREIGN:
        if re.match(pattern, head.data):
            raise DataError(f"{name} is {kind}; {remedy or _conversion(name, head.data)}")
    if (members := zip_members(head)) is not None:
        example = f" with {quoted(members[0])}" if members else ""
        raise DataError(f"{name} is a zip archive{example}; unpack it first, and name a file in it")
    first = head.data.removeprefix(codecs.BOM_UTF8).partition(b"\n")[0]
    if NOT_IN_TEXT.search(first) or b"\0" in head.data:
        raise DataError(f"{name} is binary and of an unknown kind; expected text, or a first line with two numbers")
    if (problem := other_kind(head)) is not None:
        raise DataError(f"{name} {problem.format(source_name(projector.paths(head.path)[1]))}")
    if (place := find_commas(head.data.split(b"\n", _LINES)[:_LINES])) is not None:
        raise DataError(f"{name}, {place}")
    found = quoted(first.decode(errors="replace"))
    raise DataError(f"{name} is not a file of vectors: {found} is neither two numbers nor a word and values")
