"""Sources of a corpus: files, folders, patterns, standard input, lines or tokens in memory."""

from __future__ import annotations

import glob
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from embedtrain.corpus import tokenizer
from embedtrain.corpus.text_encoding import encoding_name
from embedtrain.errors import DataError, SettingError, one_line
from embedtrain.machine.files import STDIN, path_hint, reading, source_name

if TYPE_CHECKING:
    from embedtrain.corpus.encoded import EncodedCorpus
    from embedtrain.machine.progress import Progress


class Encodable(Protocol):
    """A source that encodes itself: `RandomWalks`, or an `EncodedCorpus`."""

    def encoded(
        self, *, threads: int, folder: str | os.PathLike[str] | None, progress: Progress | None
    ) -> EncodedCorpus:
        """Encode the source."""


@dataclass(frozen=True, init=False)
class Corpus:
    """Sources of text, and how they are read.

    Parameters
    ----------
    *sources : path, or one iterable of str or of lists of str, or one EncodedCorpus or RandomWalks
        A path is a file, plain or compressed (gzip, bzip2, xz, Zstandard; recognised by content); a folder, whose
        files that are not hidden are read in the order of their names, with those of its subfolders; a pattern such
        as ``"texts/*.gz"``; or ``"-"``, standard input. An iterable gives lines, or lists of tokens, str or int.
    field : str, optional
        Read files as JSON lines, one object per line, and take the text from this field. Files named ``.jsonl`` are
        always read as JSON lines, by default from the field "text".
    lowercase : bool
        Whether words are read in lower case, as by `str.lower`; "\u0130" becomes "i".
    invalid_utf8 : {"replace", "refuse"}
        Whether bytes that are not UTF-8, or not in `encoding`, become U+FFFD, as with Python's ``errors="replace"``,
        or are an error. If more than 1 % of the tokens have such bytes, that is an error, unless `force`.
    tokenize : {"spaces", "words"}, "module:function" or callable
        How a line is divided into tokens: "spaces" divides at whitespace. "words" takes runs of letters, marks and
        digits; apostrophes, hyphens, underscores and middle dots stay between two letters, other punctuation and
        symbols are dropped. Han characters, kana and letters of Thai, Lao, Khmer and Myanmar are tokens of their own.
        A function takes a line and returns a list of tokens, which spaces in them divide further. Given by its name,
        "jieba:lcut", it runs in processes of its own, and is found also in the current folder; a callable runs in this
        process. Lists of tokens are taken as they are.
    normalize : {"none", "nfc"}
        Whether words that differ only in the composition of their characters are the same (Unicode's form NFC).
    encoding : str
        The encoding of files, one of Python's text encodings.
    force : bool
        Read the corpus although it looks like something else than text.
    """

    sources: tuple[Any, ...]
    field: str | None
    lowercase: bool
    invalid_utf8: str
    tokenize: str | tokenizer.Tokenizer
    normalize: str
    encoding: str
    force: bool

    def __init__(
        self,
        *sources: CorpusLike,
        field: str | None = None,
        lowercase: bool = False,
        invalid_utf8: str = "replace",
        tokenize: str | tokenizer.Tokenizer = "spaces",
        normalize: str = "none",
        encoding: str = "utf-8",
        force: bool = False,
    ) -> None:
        encoding, lowercase, force = encoding_name(encoding), bool(lowercase), bool(force)
        values = sources, field, lowercase, invalid_utf8, tokenize, normalize, encoding, force
        for declared, value in zip(fields(self), values, strict=True):
            object.__setattr__(self, declared.name, value)
        self._check_options()
        for source in sources:
            kinds = (str, os.PathLike, Iterable)
            if isinstance(source, (bytes, bytearray)) or not (isinstance(source, kinds) or is_encoded(source)):
                raise DataError(f"corpus must be a path, lines or token lists, got {type(source).__name__}")
            if isinstance(source, Mapping):
                raise DataError("corpus must be a path, lines or token lists, got dict; give a list of its values")
            if type(source).__name__ == "DataFrame":
                raise DataError(
                    'corpus must be a path, lines or token lists, got DataFrame; give one column, frame["text"], or '
                    'sessions, frame.groupby("session")["item"].agg(list)'
                )
            if _is_path(source) and (not str(source) or "\0" in str(source)):
                raise DataError(f"a path must not be empty or hold NUL, got {str(source)[:200]!r}")
        if sum(map(_is_stdin, sources)) > 1:
            raise DataError('standard input can be read once only; name "-" once')
        if not sources or (len(sources) > 1 and not all(map(_is_path, sources))):
            raise DataError("a corpus is paths, at least one, or one iterable of lines or token lists")

    def _check_options(self) -> None:
        if self.invalid_utf8 not in ("replace", "refuse"):
            raise SettingError(f"`invalid_utf8` must be 'replace' or 'refuse', got {self.invalid_utf8!r}")
        if self.normalize not in ("none", "nfc"):
            raise SettingError(f"`normalize` must be 'none' or 'nfc', got {self.normalize!r}")
        if self.tokenize not in ("spaces", "words") and not self.has_tokenizer:
            raise SettingError(f"`tokenize` must be 'spaces', 'words' or 'module:function', got {self.tokenize!r}")

    @property
    def has_tokenizer(self) -> bool:
        """Whether a function of the user divides lines into tokens."""
        return callable(self.tokenize) or tokenizer.is_name(self.tokenize)

    @classmethod
    def of(cls, corpus: CorpusLike) -> Corpus:
        """Return the corpus, or make one of a source."""
        return corpus if isinstance(corpus, Corpus) else cls(corpus)

    def like(self, *sources: CorpusLike) -> Corpus:
        """Return a corpus of other sources with the same options."""
        return Corpus(*sources, **self.options)

    @property
    def options(self) -> dict[str, Any]:
        """How the sources are read, by names of options."""
        return {name: getattr(self, name) for name in OPTIONS}

    @property
    def in_memory(self) -> bool:
        """Whether this is an iterable and not files."""
        return not _is_path(self.sources[0])

    @property
    def name(self) -> str:
        """The name of the corpus in messages."""
        if self.in_memory:
            return "the corpus"
        first = source_name(_path(self.sources[0]))
        return first if len(self.sources) == 1 else f"{first} and {len(self.sources) - 1} more"

    def files(self) -> list[Path]:
        """List the files of the corpus in reading order."""
        return [file for source in self.sources for file in _files_of(source)]

    def require_readable(self) -> None:
        """Check that all files can be read, and raise `DataError` otherwise; check the tokenizer."""
        if tokenizer.is_name(self.tokenize):
            tokenizer.require_function(str(self.tokenize))
        if self.in_memory:
            return
        for path in self.files():
            with reading(path):
                if path != STDIN and not stat.S_ISFIFO(os.stat(path).st_mode):  # opening a pipe would consume it
                    open(path, "rb").close()

    def identity(self) -> dict[str, Any] | None:
        """Return options, paths, sizes and times, which identify the text unread.

        Iterables, pipes and callables have no identity: None.
        """
        if self.in_memory or callable(self.tokenize):
            return None
        states = []
        files = self.files()
        if self.has_tokenizer and (module := Path(tokenizer.require_function(str(self.tokenize)))).is_file():
            files.append(module)
        for path in files:
            with reading(path):
                if path == STDIN or not stat.S_ISREG((state := os.stat(path)).st_mode):
                    return None
            states.append([os.path.abspath(path), state.st_size, state.st_mtime_ns])
        uses_unicode = self.lowercase or self.normalize != "none" or self.tokenize == "words"
        return {
            "unicode": unicodedata.unidata_version if uses_unicode else None,
            "sources": [os.path.abspath(source) for source in self.sources],
            **self.options,
            "files": states,
        }


#: The names of the options of `Corpus`.
OPTIONS = tuple(field.name for field in fields(Corpus) if field.name != "sources")

#: Anything that `Corpus.of` accepts.
if TYPE_CHECKING:
    CorpusLike: TypeAlias = str | os.PathLike[str] | Iterable[str] | Iterable[Iterable[str]] | Corpus | Encodable
else:  # the documentation lists these
    CorpusLike = str | os.PathLike[str] | Iterable[str] | Iterable[Iterable[str]] | Corpus


def is_encoded(source: object) -> bool:
    """Whether a source is an `EncodedCorpus` or makes one, without importing its module and Numba."""
    return hasattr(source, "encoded")


def _is_path(source: object) -> bool:
    return isinstance(source, (str, os.PathLike))


def _is_stdin(source: object) -> bool:
    return _is_path(source) and str(source) == str(STDIN)


def _path(source: str | os.PathLike[str]) -> Path:
    """The path of a source; absolute for a file named "-", given as "./-", since "-" is standard input."""
    return Path(source) if _is_stdin(source) else _not_stdin(Path(source))


def _not_stdin(path: Path) -> Path:
    return path.absolute() if path == STDIN else path


def _files_of(named: str | os.PathLike[str]) -> list[Path]:
    """List the files of a path, a folder or a pattern."""
    if re.match(r"[a-zA-Z][\w+.-]*://", str(named)) and not os.path.exists(named):
        raise DataError(f"cannot read {one_line(named)[:200]}: no such file; URLs are not read, download it first")
    source = _path(named)
    if source == STDIN:
        return [STDIN]
    with reading(source):
        exists = source.exists()
    if source.is_dir():
        if not (found := _files_in(source)):
            raise DataError(f"the folder {source_name(source)} holds no files (hidden ones do not count)")
        return found
    if glob.has_magic(str(source)) and not exists:
        matches = map(Path, sorted(glob.glob(str(source), recursive=True)))
        found = [file for path in matches for file in (_files_in(path) if path.is_dir() else [path])]
        if not found:
            raise DataError(f"no file matches the pattern {source_name(source)[:200]}{path_hint(source)}")
        return list(dict.fromkeys(map(_not_stdin, found)))  # "**" matches folders and what is in them
    return [source]


def _files_in(folder: Path) -> list[Path]:
    """List all files below a folder that are not hidden, by path; links are followed, each folder is entered once."""
    found: list[Path] = []
    seen = {os.path.realpath(folder)}

    def cannot_list(error: OSError) -> None:
        raise DataError(f"cannot read {source_name(Path(error.filename))}: {error.strerror}") from error

    for root, folders, files in os.walk(folder, followlinks=True, onerror=cannot_list):
        names = sorted(name for name in folders if not name.startswith("."))
        folders.clear()
        for name in names:
            real = os.path.realpath(os.path.join(root, name))
            if real not in seen:
                folders.append(name)
                seen.add(real)
        paths = (Path(root, name) for name in files if not name.startswith("."))
        found += [path for path in paths if os.path.isfile(path) or not os.path.exists(path)]  # pipes might never end
    return list(map(_not_stdin, sorted(found, key=lambda path: path.relative_to(folder).parts)))
