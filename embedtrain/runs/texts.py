"""The texts of a run: encoded, in the ids of the words that get vectors, held-out text apart."""

from __future__ import annotations

import os
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from embedtrain.corpus.cache import encode_cached
from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.encoding import encode
from embedtrain.corpus.sources import Corpus
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.machine.files import temporary_folder
from embedtrain.machine.progress import Progress, note

_SAMPLES, _SAMPLE = 64, 1 << 12  # stretches of a text, and their numbers, that make its checksum


class Texts(NamedTuple):
    """What a run reads."""

    whole: EncodedCorpus
    training: EncodedCorpus
    held_out: EncodedCorpus | None
    vocabulary: Vocabulary  # the words that get vectors
    covered: int  # tokens of the whole that are among them

    def identity(self) -> dict[str, int]:
        """What tells these texts from others."""
        known = {"types": len(self.whole.vocabulary), **_identity(self.training)}
        if self.held_out is not None:
            known.update((f"held-out {name}", value) for name, value in _identity(self.held_out).items())
        return known


def _identity(text: EncodedCorpus) -> dict[str, int]:
    checksum = 0
    for numbers in (text.ids, text.offsets):
        for begin in np.linspace(0, max(0, len(numbers) - _SAMPLE), _SAMPLES).astype(int).tolist():
            checksum = zlib.crc32(numbers[begin : begin + _SAMPLE].tobytes(), checksum)
    return {"tokens": len(text.ids), "sentences": text.n_sentences, "checksum": checksum}


@dataclass(frozen=True)
class Reader:
    """Reads texts, which last as long as `stack`."""

    stack: ExitStack
    threads: int
    cache: str | os.PathLike[str] | None
    temp_folder: str | os.PathLike[str] | None
    shown: bool

    def read(
        self,
        corpus: Corpus,
        known: Vocabulary | None,
        min_count: int,
        max_vocab: int | None,
        valid: Corpus | float,
        seed: int,
    ) -> Texts:
        """All texts of a run: `known` words instead of those of the corpus, held-out text or a share of the corpus."""
        whole = training = self._encode(corpus)
        vocabulary = (known or whole.vocabulary).cut(min_count, max_vocab)
        covered, held_out = vocabulary.n_tokens, None
        if known is not None or valid:
            folder = self.stack.enter_context(temporary_folder(self.temp_folder or self.cache))
        if known is not None:
            training = whole.with_vocabulary(vocabulary, folder / "known", corpus.name)
            _say(training.notes[len(whole.notes) :])
            covered = len(training.ids)
        if isinstance(valid, Corpus):
            _note_overlap(corpus, valid)
            held_out = self._encode(valid).with_vocabulary(vocabulary, folder / "valid", valid.name)
        elif valid:
            training, held_out = training.split(valid, seed, folder)
        return Texts(whole, training, held_out, vocabulary, covered)

    def _encode(self, corpus: Corpus) -> EncodedCorpus:
        with Progress(None, shown=self.shown) as progress:
            encoded = self.stack.enter_context(
                encode(corpus, threads=self.threads, folder=self.temp_folder, progress=progress)
                if self.cache is None
                else encode_cached(corpus, self.cache, threads=self.threads, progress=progress)
            )
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
