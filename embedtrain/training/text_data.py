"""The texts of a run: encoded, in the ids of the words that get vectors, held-out text apart."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from embedtrain.corpus.cache import encode_cached
from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.encoding import encode
from embedtrain.corpus.sources import Corpus, CorpusLike
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.corpus.vocabulary_file import read_vocabulary
from embedtrain.errors import SettingError
from embedtrain.machine.progress import Progress, Stopwatch, note
from embedtrain.machine.reading import STDIN
from embedtrain.machine.threads import resolve_threads
from embedtrain.training.options import RunOptions

_SAMPLES, _SAMPLE = 64, 1 << 12  # stretches of an array, and their numbers, that make its checksum


class Texts(NamedTuple):
    """What a run reads."""

    whole: EncodedCorpus
    training: EncodedCorpus
    held_out: EncodedCorpus | None
    vocabulary: Vocabulary  # the words that get vectors
    covered: int  # tokens of the whole that are among them
    covered_share: float  # of the tokens to train on
    disk: int  # bytes of temporary files at most

    @property
    def texts(self) -> Texts:
        """These."""
        return self

    @property
    def units(self) -> int:
        """Tokens to train on."""
        return len(self.training.ids)

    @property
    def remedy(self) -> str:
        """What to do if a run does not fit into memory."""
        return "raise min-count, or lower dim or max-vocab"

    def identity(self) -> dict[str, int]:
        """What tells these texts from others."""
        known = {"types": len(self.whole.vocabulary), **_identity(self.training)}
        if self.held_out is not None:
            known.update((f"held-out {name}", value) for name, value in _identity(self.held_out).items())
        return known

    def facts(self) -> dict[str, int]:
        """What a report says of them."""
        return {"tokens": len(self.whole.ids), "types": len(self.whole.vocabulary), "covered": self.covered}


def checksum(*arrays: np.ndarray[Any, Any]) -> int:
    """A number that depends on samples of the arrays."""
    total = 0
    for numbers in arrays:
        for begin in np.linspace(0, max(0, len(numbers) - _SAMPLE), _SAMPLES).astype(int).tolist():
            total = zlib.crc32(numbers[begin : begin + _SAMPLE].tobytes(), total)
    return total


def _identity(text: EncodedCorpus) -> dict[str, int]:
    return {"tokens": len(text.ids), "sentences": text.n_sentences, "checksum": checksum(text.ids, text.offsets)}


@dataclass(frozen=True)
class TextCut:
    """Which words get vectors, and which text is held out."""

    min_count: int
    max_vocab: int | None
    valid_share: float = 0.0
    seed: int = 1


class TextSource:
    """The texts that a run is asked to read.

    Parameters
    ----------
    corpus : Corpus, or what one can be made of
    cut : TextCut
    options : RunOptions

    Raises
    ------
    SettingError, DataError
        For all that can be seen before the corpus is read.
    """

    def __init__(self, corpus: CorpusLike, cut: TextCut, options: RunOptions) -> None:
        self.corpus, self._cut, self._options = Corpus.of(corpus), cut, options
        self.corpus.require_readable()
        self.valid = None
        if options.valid is not None:
            self.valid = options.valid if isinstance(options.valid, Corpus) else self.corpus.like(options.valid)
            self.valid.require_readable()
        texts = {"the corpus": self.corpus, "the held-out text": self.valid}
        files = {name: [] if text is None or text.in_memory else text.files() for name, text in texts.items()}
        if all(STDIN in named for named in files.values()):
            raise SettingError('"-" is given as corpus and as held-out text; standard input can be read once only')
        options.require_apart(files)
        self._known = None if options.read_vocab is None else read_vocabulary(options.read_vocab)

    @property
    def how(self) -> dict[str, Any]:
        """How the corpus is read, in the words of the command line."""
        return {name: getattr(self.corpus, name) for name in ("field", "lowercase", "invalid_utf8")}

    def made_with(self, settings: Any) -> dict[str, Any]:
        """All settings."""
        return asdict(settings)

    def read(self, stack: ExitStack, clock: Stopwatch, shown: bool) -> Texts:
        """Encode all text, choose the words, and set held-out text apart, for as long as the stack lasts."""
        with clock("read"):
            cut, options = self._cut, self._options
            whole = training = self._encode(self.corpus, shown)
            vocabulary = (self._known or whole.vocabulary).cut(cut.min_count, cut.max_vocab)
            covered, held_out = vocabulary.n_tokens, None
            covered_share = covered / len(whole.ids)
            folder = options.temp_folder or options.cache
            if self._known is not None:
                training = whole.with_vocabulary(vocabulary, folder, self.corpus.name)
                _say(training.notes[len(whole.notes) :])
                covered, covered_share = len(training.ids), 1.0
            if self.valid is not None:
                _note_overlap(self.corpus, self.valid)
                text = self._encode(self.valid, shown)
                held_out = text.with_vocabulary(vocabulary, folder, self.valid.name)
            elif cut.valid_share:
                training, held_out = training.split(cut.valid_share, cut.seed, folder)
            copies = (cut.valid_share > 0) + (self._known is not None)
            disk = max(2, 1 + copies) * (4 * len(whole.ids) + 8 * whole.n_sentences)
            return Texts(whole, training, held_out, vocabulary, covered, covered_share, disk)

    @contextmanager
    def sample(self) -> Iterator[Texts]:
        """Two words, on which all that a run needs can be compiled."""
        text = encode([["two", "words"]], threads=1, folder=self._options.temp_folder)
        yield Texts(text, text, None, text.vocabulary.cut(1).unpacked(), 2, 1.0, 0)

    def _encode(self, corpus: Corpus, shown: bool) -> EncodedCorpus:
        threads, cache = resolve_threads(self._options.threads), self._options.cache
        with Progress(None, shown=shown) as progress:
            if cache is None:
                encoded = encode(corpus, threads=threads, folder=self._options.temp_folder, progress=progress)
            else:
                encoded = encode_cached(corpus, cache, threads=threads, progress=progress)
        _say(encoded.notes)
        return encoded


def _note_overlap(corpus: Corpus, valid: Corpus) -> None:
    """Say so if the held-out text is none."""
    if valid.in_memory or corpus.in_memory:
        return
    trained = {os.path.realpath(path) for path in corpus.files()}
    for path in valid.files():
        if os.path.realpath(path) in trained:
            note(f"{path} is also trained on: the loss on it is no held-out loss")


def _say(notes: tuple[str, ...]) -> None:
    for text in notes:
        note(text)
