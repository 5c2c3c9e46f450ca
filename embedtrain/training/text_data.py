"""Text to train on: encoded as ids of the vocabulary, with held-out text split off."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from embedtrain.corpus.cache import encode_text
from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.encoding import encode
from embedtrain.corpus.rewriting import Rewriting
from embedtrain.corpus.sources import Corpus, CorpusLike, is_encoded
from embedtrain.corpus.text_chunks import read_chunks
from embedtrain.corpus.text_signs import signs_in_sentences, signs_in_types
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.corpus.vocabulary_file import read_vocabulary
from embedtrain.errors import SettingError
from embedtrain.machine.files import STDIN
from embedtrain.machine.progress import Progress, Shown, Stopwatch, note
from embedtrain.machine.ranks import ALONE, Ranks
from embedtrain.machine.threads import resolve_threads
from embedtrain.training.random_walks import RandomWalks
from embedtrain.training.settings import TextSettings, VocabularySettings
from embedtrain.training.text_checks import check_pairs, coverage_signs

_SAMPLES, _SAMPLE = 64, 1 << 12  # samples of an array for its checksum, and their length


class TextData(NamedTuple):
    """Text to train on, encoded."""

    whole: EncodedCorpus
    training: EncodedCorpus
    held_out: EncodedCorpus | None
    vocabulary: Vocabulary  # the words that get vectors
    covered: int  # tokens of the whole in the vocabulary
    covered_share: float  # of the training tokens
    disk: int  # the most bytes in temporary files
    ranks: Ranks = ALONE  # whose shares the texts are; the vocabulary and its counts are of all

    @property
    def texts(self) -> TextData:
        """Return self, the text of this `TrainingData`."""
        return self

    @property
    def n_items(self) -> int:
        """Tokens to train on."""
        return len(self.training.ids)

    @property
    def remedy(self) -> str:
        """How to make a run fit into memory."""
        return "raise `min_count`, or lower `dim` or `max_vocab`"

    def fingerprint(self) -> dict[str, int]:
        """Numbers that identify the texts."""
        known = {"types": len(self.whole.vocabulary), **_fingerprint(self.training, self.ranks)}
        if self.held_out is not None:
            held_out = _fingerprint(self.held_out, self.ranks)
            known.update((f"held-out {name}", value) for name, value in held_out.items())
        return known

    def summary(self) -> dict[str, int]:
        """The figures of a report."""
        return {"tokens": self.whole.vocabulary.n_tokens, "types": len(self.whole.vocabulary), "covered": self.covered}


def check_shares(files: Mapping[str, Sequence[Path]], ranks: Ranks, settings: VocabularySettings) -> None:
    """Check that the text can be divided among several ranks, and is the same for all."""
    if ranks.size == 1:
        return
    if any(STDIN in named or not all(path.is_file() for path in named) for named in files.values()):
        raise SettingError("standard input and pipes cannot be divided among ranks; save the text to a file")
    if settings.cache is not None:
        raise SettingError("`cache` keeps whole texts, and each rank reads a share; leave it out")
    for name, named in files.items():
        ranks.require_equal(f"the size of {name} in bytes", sum(path.stat().st_size for path in named))


def checksum(*arrays: np.ndarray[Any, Any]) -> int:
    """Compute a checksum of samples of the arrays."""
    total = 0
    for numbers in arrays:
        for begin in np.linspace(0, max(0, len(numbers) - _SAMPLE), _SAMPLES).astype(int).tolist():
            total = zlib.crc32(numbers[begin : begin + _SAMPLE].tobytes(), total)
    return total


def _fingerprint(text: EncodedCorpus, ranks: Ranks) -> dict[str, int]:
    known = {"tokens": sum(ranks.gather(len(text.ids))), "sentences": sum(ranks.gather(text.n_sentences))}
    return known if ranks.size > 1 else {**known, "checksum": checksum(text.ids, text.offsets)}


class TextSource:
    """A `DataSource` of text: a corpus, and held-out text, which is `valid` or a share of the corpus."""

    documents: Literal["lines", "files"] | None = None  # kept in `offsets` also where they are empty

    def __init__(
        self, corpus: CorpusLike, settings: TextSettings, valid: CorpusLike | None = None, valid_share: float = 0.0,
        seed: int = 1,
    ) -> None:  # fmt: skip
        self.corpus, self._settings = Corpus.of(corpus), settings
        self._valid_share, self._seed = valid_share, seed
        self.corpus.require_readable()
        source = self.corpus.sources[0]
        self._walks = source if isinstance(source, RandomWalks) else None
        self.valid = None
        if valid is not None:
            self.valid = valid if isinstance(valid, Corpus) else self.corpus.like(valid)
            self.valid.require_readable()
        texts = {"the corpus": self.corpus, "the held-out text": self.valid}
        files = {name: [] if text is None or text.in_memory else text.files() for name, text in texts.items()}
        if all(STDIN in named for named in files.values()):
            raise SettingError('"-" is given as corpus and as held-out text; standard input can be read once only')
        self._ranks = settings.all_ranks
        check_shares(files, self._ranks, settings)
        settings.check_paths(files)
        self.rewriting = Rewriting(settings.map, settings.drop, settings.phrases)
        if self._walks is not None and (settings.map or settings.drop or settings.phrases):
            raise SettingError("`map`, `drop` and `phrases` are for words of a text; a graph has nodes, leave them out")
        self._known = None if settings.read_vocab is None else read_vocabulary(settings.read_vocab)

    @property
    def read_options(self) -> dict[str, Any]:
        """Options of reading the corpus, by command-line names."""
        return {name: value for name, value in self.corpus.options.items() if not callable(value)}

    def provenance(self) -> dict[str, Any]:
        """The settings to store with the vectors."""
        return {**self._settings.kept("result"), **({} if self._walks is None else self._walks.options)}

    def read(self, clock: Stopwatch, shown: Shown, kept_words: Sequence[str] = ()) -> TextData:
        """Encode all text, choose the vocabulary and split off held-out text."""
        whole = training = self.encode(clock, shown)
        with clock("read"):
            settings, valid_share = self._settings, self._valid_share
            note(*signs_in_types(self.corpus, whole.vocabulary))  # first, as they explain a vocabulary without words
            known, limits = self._known or whole.vocabulary, (settings.min_count, settings.max_vocab)
            if self._walks is not None:
                limits = 1, None  # every node of a graph gets a vector
            vocabulary = known.extended(*limits, kept_words) if kept_words else known.cut(*limits)
            covered, held_out = vocabulary.n_tokens, None
            covered_share = covered / sum(self._ranks.gather(len(whole.ids)))
            folder = settings.temp_folder or settings.cache
            has_other_ids = self._known is not None or bool(kept_words)
            if has_other_ids:
                training = whole.with_vocabulary(vocabulary, folder, self.corpus.name)
                if not kept_words:
                    note(*training.notes[len(whole.notes) :])
                covered, covered_share = sum(self._ranks.gather(len(training.ids))), 1.0
            if self.valid is not None:
                _note_overlap(self.corpus, self.valid)
                text = self._encode(self.valid, shown)
                held_out = text.with_vocabulary(vocabulary, folder, self.valid.name)
            elif valid_share:
                training, held_out = training.split(valid_share, self._seed, folder, self._ranks)
            n_tokens = self._ranks.gather(len(training.ids))
            note(*coverage_signs(settings, vocabulary, covered, whole.vocabulary.n_tokens))
            signs: list[str] = []
            if n_tokens.index(max(n_tokens)) == self._ranks.rank:  # the largest share
                signs += [*signs_in_sentences(whole), *check_pairs(settings, vocabulary, training)]
            note(*chain(*self._ranks.gather(signs)))
            copies = (valid_share > 0) + has_other_ids
            copies = max(2 + bool(self.rewriting.phrases), 1 + copies)
            disk = copies * (4 * len(whole.ids) + 8 * whole.n_sentences)
            disk *= not is_encoded(self.corpus.sources[0])
            return TextData(whole, training, held_out, vocabulary, covered, covered_share, disk, self._ranks)

    def encode(self, clock: Stopwatch, shown: Shown) -> EncodedCorpus:
        """Encode the corpus."""
        if self._settings.cache is None:
            _look_at(self.corpus)
        with clock("prepare"), self._settings.compiling():
            self.rewriting.joined(self.sample().whole, 1, self._settings.temp_folder)
        with clock("read"):
            return self._encode(self.corpus, shown)

    def sample(self) -> TextData:
        """Text of two words, to compile the kernels of a run."""
        two = [["two", "words"]] if self._walks is None else self._walks.sample()
        text = encode(Corpus(two), threads=1, folder=self._settings.temp_folder)
        return TextData(text, text, None, text.vocabulary.cut(1).unpacked(), 2, 1.0, 0)

    def _encode(self, corpus: Corpus, shown: Shown) -> EncodedCorpus:
        settings = self._settings
        with Progress("reading", None, shown=shown) as progress:
            encoded = encode_text(
                corpus, settings.cache, self.rewriting, threads=resolve_threads(settings.threads),
                folder=settings.temp_folder, progress=progress, documents=self.documents, ranks=self._ranks,
            )  # fmt: skip
        note(*encoded.notes)
        return encoded


def _look_at(corpus: Corpus) -> None:
    """Read the beginning of a file, to refuse what is not text before kernels are compiled."""
    if not (corpus.in_memory or corpus.has_tokenizer) and all(path.is_file() for path in corpus.files()):  # not a pipe
        with closing(read_chunks(corpus)) as chunks:
            next(chunks, None)


def _note_overlap(corpus: Corpus, valid: Corpus) -> None:
    """Warn if held-out text is also trained on."""
    if valid.in_memory or corpus.in_memory:
        return
    trained = {os.path.realpath(path) for path in corpus.files()}
    for path in valid.files():
        if os.path.realpath(path) in trained:
            note(f"{path} is also trained on: the loss on it is not a held-out loss")
