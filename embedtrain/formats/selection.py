"""What is wanted of tables that lie in files as arrays, and of words that lie there as bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.formats.content import Choice, Content
from embedtrain.formats.text import all_finite
from embedtrain.formats.text_line import mended, shown
from embedtrain.machine.memory import require_memory
from embedtrain.machine.words import first_duplicate, is_word, unreadable_word

KIND = "embedtrain vectors"  # what files of arrays say that they are
VERSION = 1
_FLOATS = (np.dtype(np.float32), np.dtype(np.float16))


def select(name: str, content: Content, choice: Choice) -> Content:
    """What is wanted of a file whose vectors are mapped, seen to be as it should be.

    Vectors stay mapped if that is wanted and no words are left out between others; mapped ones are not read here, so
    that a value which is not finite stays one.

    Raises
    ------
    DataError
        If there is no vector for each word, a word cannot be one or stands twice, or a value is not finite.
    SettingError
        If they do not fit into memory, or are to be mapped as another type.
    """
    words, vectors, counts = content.words, content.vectors, content.counts
    _require_rows(name, content)
    words, vectors = words[: choice.limit], vectors[: choice.limit]
    if choice.report is not None:
        words = _repaired(name, words, choice.report)
    counts = None if counts is None else np.array(counts[: choice.limit], np.int64)
    if choice.vocabulary is not None:
        rows = np.array([row for row, word in enumerate(words) if word in choice.vocabulary], np.int64)
        words, vectors = [words[row] for row in rows.tolist()], vectors[rows]
        counts = None if counts is None else counts[rows]
    if (word := unreadable_word(words)) is not None:
        problem = f"the word {shown(word)} is empty or has a space or control character"
        raise DataError(f"{name}: {problem}; `embedtrain convert --repair` makes it {shown(mended(word) or '_')}")
    if twice := first_duplicate(words):
        raise DataError(f"{name}: the word {twice!r} stands twice; write the file again, with unique words")
    if choice.mmap and choice.dtype.itemsize < vectors.dtype.itemsize:
        raise SettingError(f"dtype {choice.dtype} is not what {name} holds, {vectors.dtype}; leave out it or mmap")
    if not choice.mmap:
        vectors = _in_memory(name, words, vectors, choice.dtype)
    return Content(words, vectors, counts, content.settings)


def _repaired(name: str, words: Sequence[str], report: Callable[[str], None]) -> list[str]:
    """The words as every file can hold them."""
    repaired = [word if is_word(word) else mended(word) or "_" for word in words]
    for place, (old, new) in enumerate(zip(words, repaired, strict=True)):
        if old != new:
            report(f"{name}, word {place + 1:,}: {shown(old)} is no word; the repair makes it {shown(new)}")
    return repaired


def _require_rows(name: str, content: Content) -> None:
    words, vectors, counts = content.words, content.vectors, content.counts
    if vectors.ndim != 2 or len(vectors) != len(words) or not vectors.shape[-1] or vectors.dtype not in _FLOATS:
        raise DataError(
            f"{name}: expected a row of float32 or float16 for each of {len(words):,} words, "
            f"got an array of shape {vectors.shape} and type {vectors.dtype}"
        )
    if counts is not None and (counts.shape != (len(words),) or counts.dtype.kind not in "iu"):
        raise DataError(f"{name}: expected a whole count for each of {len(words):,} words, got shape {counts.shape}")
    if not len(words):
        raise DataError(f"{name}: there are no words in the file")


def _in_memory(name: str, words: Sequence[str], vectors: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """A copy of the vectors in memory, of the type that is wanted."""
    require_memory(vectors.size * dtype.itemsize, f"the vectors in {name}", "ask for fewer words, float16 or mmap")
    require_finite(name, words, vectors)
    with np.errstate(over="ignore"):
        copy = np.array(vectors, dtype, order="C")
    if copy.size and not all_finite(copy):
        word = words[int(np.argmin(np.isfinite(copy).all(axis=1)))]
        raise DataError(f"{name}: the vector of {word!r} has a value beyond float16; read it as float32")
    return copy


def require_finite(name: str, words: Sequence[str], vectors: NDArray[Any]) -> None:
    """See that all values are numbers.

    Raises
    ------
    DataError
        If one is not; the word is named.
    """
    if vectors.size and not all_finite(vectors):
        word = words[int(np.argmin(np.isfinite(vectors).all(axis=1)))]
        raise DataError(f"{name}: the vector of {word!r} is not finite; leave the word out when the file is written")


def pack_words(words: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of all words, and where each starts; at last, where the last one ends."""
    spelled = [word.encode() for word in words]
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(list(map(len, spelled)), dtype=np.int64)])
    return np.frombuffer(b"".join(spelled), np.uint8), starts


def unpack_words(name: str, spelled: NDArray[Any], starts: NDArray[Any]) -> list[str]:
    """The words of these bytes.

    Raises
    ------
    DataError
        If they are not what `pack_words` makes.
    """
    whole = spelled.dtype == np.uint8 and starts.dtype == np.int64 and spelled.ndim == starts.ndim == 1 and starts.size
    if not whole or starts[0] != 0 or starts[-1] != spelled.size or (np.diff(starts) < 0).any():
        raise DataError(f"{name}: the places of the words do not fit their bytes; the file is damaged, make it anew")
    text, places = spelled.tobytes(), starts.tolist()
    try:
        return [text[begin:end].decode() for begin, end in pairwise(places)]
    except UnicodeDecodeError:
        raise DataError(f"{name}: the words are not UTF-8; the file is damaged, make it anew") from None


def describe(settings: Mapping[str, Any]) -> str:
    """What a file of arrays says of itself, as JSON."""
    return json.dumps({"kind": KIND, "version": VERSION, "settings": plain_settings(settings)})


def plain_settings(value: Any) -> Any:
    """Settings as JSON has them: keys are str, and so is what is no finite number, list or mapping."""
    if isinstance(value, Mapping):
        return {str(key): plain_settings(inside) for key, inside in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_settings(inside) for inside in value]
    is_plain = value is None or isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value))
    return value if is_plain else str(value)


def settings_of(name: str, about: str | bytes) -> dict[str, Any]:
    """The settings in what `describe` made.

    Raises
    ------
    DataError
        If it is something else, or of a later version.
    """
    try:
        known = json.loads(about)
        kind, version, settings = known["kind"], int(known["version"]), dict(known["settings"])
    except (ValueError, KeyError, TypeError, RecursionError):
        kind, version, settings = None, 0, {}
    if kind != KIND:
        raise DataError(f"{name}: this is no file of vectors from embedtrain; write it anew with `embedtrain convert`")
    if version > VERSION:
        raise DataError(f"{name}: version {version} of the format is newer than this embedtrain; install a later one")
    return settings
