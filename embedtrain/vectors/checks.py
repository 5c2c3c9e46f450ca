"""What other programs would trip over in a file of vectors, without running them.

They take lines apart in different ways: gensim and torchtext at every space; spaCy at as many of the last spaces as
there are dimensions; fastText at whitespace of any kind, line ends too, so that after a value amiss all is out of step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from embedtrain.errors import SettingError
from embedtrain.formats import recognise
from embedtrain.machine.compression import Stream
from embedtrain.machine.reading import reading, source_name
from embedtrain.vectors.defects import Defect, defects_of

CLIENTS = ("gensim", "spacy", "fasttext", "torchtext")
_READERS = {"word2vec": CLIENTS, "glove": CLIENTS, "word2vec-bin": ("gensim",)}
_MAGIC = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7z": ".xz"}
_UNPACKED: Mapping[str, tuple[str, ...]] = {  # what they decompress, by the name alone
    "gensim": (".gz", ".bz2", ".xz", ".zst"), "spacy": (".gz",), "fasttext": (), "torchtext": (".gz",),
}  # fmt: skip

_LOST = "this and all later rows are lost, silently"
_SWALLOWED = "values become part of the word, silently"
_NO_DIM_FITS = "ValueError, or all rows are lost if -dim is the promised one"
_ONE_OF_TWO = "RuntimeError, in the first row ValueError"
_CONSEQUENCES: Mapping[str, Mapping[str, str]] = {
    # the first line
    "no header": {"gensim": "ValueError without no_header=True", "fasttext": "ValueError, the dimensions do not match"},
    "numbers": {"spacy": "AssertionError, they are taken for a header"},
    "uneven header": {"torchtext": "RuntimeError or ValueError"},
    "negative": dict.fromkeys(("gensim", "spacy", "fasttext"), "ValueError"),
    "wide header": {"gensim": "ValueError", "spacy": "error E094", "fasttext": _NO_DIM_FITS},
    "thin header": {"gensim": "ValueError", "spacy": _SWALLOWED, "fasttext": _NO_DIM_FITS},
    "wide first row": {"spacy": "an error"},
    "thin first row": {"spacy": _SWALLOWED},
    "bom and header": {
        "gensim": "ValueError", "spacy": "a nonsense table of 1 dimension, silently",
        "fasttext": "ValueError, the dimensions do not match",
    },
    "bom and word": dict.fromkeys(("gensim", "spacy", "torchtext"), "the first word begins with U+FEFF, silently"),
    "many": {"gensim": "EOFError", "fasttext": "a word '' with a row of zeros, silently"},
    "few": {"gensim": "rows are dropped, silently", "spacy": "IndexError", "fasttext": "rows are dropped, silently"},
    "none": {"spacy": "IndexError", "torchtext": "TypeError"},
    "narrow": {"torchtext": "TypeError"},
    # the line
    "blank": {"spacy": "error E094", "torchtext": "RuntimeError"},
    "blank inside": {"gensim": "ValueError"},
    "return": {"spacy": "taken for the end of the line, error E094 or nonsense"},
    "utf8": {"gensim": "UnicodeDecodeError", "spacy": "UnicodeDecodeError", "torchtext": "the word is skipped"},
    "tab": {"gensim": "ValueError", "spacy": "error E094", "torchtext": "an error"},
    "gap": {"gensim": "ValueError", "spacy": "ValueError", "torchtext": _ONE_OF_TWO},
    "short": {"gensim": "ValueError", "spacy": "error E094", "torchtext": "RuntimeError", "fasttext": _LOST},
    "single": {
        "gensim": "all dimensions get this value, silently", "spacy": "error E094",
        "torchtext": "the line is skipped", "fasttext": _LOST,
    },
    "long": {
        "gensim": "ValueError", "spacy": _SWALLOWED, "torchtext": "RuntimeError", "fasttext": _LOST,
    },
    # the word
    "space": {"gensim": "ValueError", "torchtext": _ONE_OF_TWO, "fasttext": _LOST},
    "padded": {"gensim": "ValueError", "spacy": "they become part of the word, silently", "torchtext": _ONE_OF_TWO},
    "parted": {"fasttext": _LOST},
    "empty": {"fasttext": _LOST},
    "twice": {
        "gensim": "a word None with a row of zeros, silently", "spacy": "the last is used, silently",
        "torchtext": "two rows, the last is used", "fasttext": "the last is used, silently",
    },
    # the values
    "no number": {"gensim": "ValueError", "spacy": "ValueError", "torchtext": "ValueError", "fasttext": _LOST},
    "spelled with an underscore": {
        **dict.fromkeys(("gensim", "spacy", "torchtext"), "read as if there were none, silently"), "fasttext": _LOST,
    },
    "not ASCII": {"torchtext": "ValueError", "fasttext": _LOST},
    "not finite": {
        "gensim": "poisons most_similar", "spacy": "similarities to it are nan",
        "torchtext": "what is computed of it is nan", "fasttext": _LOST,
    },
}  # fmt: skip


class Finding(NamedTuple):
    """Something that a program would trip over."""

    client: str
    place: str  # where it first is, as in "line 3"
    problem: str
    consequence: str
    times: int = 1

    def __str__(self) -> str:
        more = f", and {self.times - 1:,} like it" if self.times > 1 else ""
        return f"{self.client}: {self.place}: {self.problem}{more}: {self.consequence}"


def check(path: Path, clients: tuple[str, ...] = CLIENTS) -> list[Finding]:
    """What these programs would trip over in a file, each kind of it once.

    They are gensim's `KeyedVectors.load_word2vec_format`, spaCy's ``init vectors``, fastText's ``-pretrainedVectors``
    and torchtext's `Vectors`.

    Raises
    ------
    DataError
        If it is no file of vectors.
    SettingError
        If there is no such client.
    """
    for client in clients:
        if client not in CLIENTS:
            raise SettingError(f"clients are {', '.join(CLIENTS)}, got {client!r}")
    format = recognise(path)
    readers = [client for client in clients if client in _READERS.get(format, ())]
    remedy = "not read; `embedtrain convert` makes text of it, name the output .vec"
    problem = f"is in the format {format}"
    findings = [Finding(client, "the file", problem, remedy) for client in clients if client not in readers]
    return findings + _of_content(path, format, readers) if readers else findings


def _of_content(path: Path, format: str, clients: list[str]) -> list[Finding]:
    """What these clients, which read files of this format, would trip over."""
    first: dict[str, Defect] = {}
    times: Counter[str] = Counter()
    with reading(path), open(path, "rb") as file:
        stream = Stream(source_name(path), file)
        for defect in defects_of(stream, format):
            first.setdefault(defect.kind, defect)
            times[defect.kind] += 1
        file.seek(0)
        start = file.read(3)
        packed = next((name for magic, name in _MAGIC.items() if start.startswith(magic)), ".zst")
    findings = _of_packing(path.suffix, packed if stream.is_compressed else "", clients)
    for client in clients:
        for kind, defect in first.items():
            if client in _CONSEQUENCES[kind]:
                consequence = _CONSEQUENCES[kind][client]
                findings.append(Finding(client, defect.place, defect.problem, consequence, times[kind]))
    return findings


def _of_packing(suffix: str, packed: str, clients: list[str]) -> list[Finding]:
    """That a client goes by the name of the file, which says something else or what it does not know."""
    problem = f"it is compressed as {packed}" if packed else f"it is not compressed, and its name ends in {suffix}"
    expected = {client: suffix if suffix in _UNPACKED[client] else "" for client in clients}
    return [
        Finding(client, "the file", problem, f"read as {expected[client] or 'a plain file'}: an error")
        for client in clients
        if expected[client] != packed
    ]
