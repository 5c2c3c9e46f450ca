"""Phrases of a text, found by how much more often their words are adjacent than by chance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from embedtrain.corpus.phrases import ENGLISH_CONNECTORS, Phrases
from embedtrain.corpus.sources import CorpusLike
from embedtrain.machine.progress import Progress, Stopwatch
from embedtrain.machine.threads import resolve_threads
from embedtrain.training.declarations import from_settings, setting
from embedtrain.training.settings import PathLike, TextSettings


@dataclass(frozen=True, kw_only=True)
class PhraseSettings(TextSettings):
    """Find phrases: pairs of words that are adjacent much more often than by chance."""

    without: ClassVar = ("max_vocab", "read_vocab", "save_vocab")

    scoring: Literal["default", "npmi"] = setting(
        "default",
        "The score is (n_ab - m) / (n_a n_b) times the number of words and pairs, as in gensim, where m is "
        "`min_count`; or normalised pointwise mutual information.",
    )  # fmt: skip
    threshold: float | None = setting(
        None, "Phrases have a higher score; by default 10, with npmi 0.5.", at_least=-1, remedy="10 is usual"
    )
    passes: int = setting(1, "Find phrases again in the joined text, which gives longer ones.", at_least=1, at_most=9)
    connectors: PathLike | Iterable[str] | None = setting(
        None, "Words that may be inside a phrase, not at its ends: a file with one a line, or english.", metavar="FILE"
    )
    min_count: int = setting(5, "Skip pairs that occur less often.", group="vocabulary", at_least=1)

    def find(self, corpus: CorpusLike) -> Phrases:
        """Find the phrases of a corpus; see `find_phrases`."""
        from embedtrain.corpus.rewriting import join_phrases  # imports Numba, which --help does not need
        from embedtrain.corpus.vocabulary_file import words_of
        from embedtrain.counts.phrase_scores import score_phrases
        from embedtrain.training.text_data import TextSource

        connectors = ENGLISH_CONNECTORS if self.connectors == "english" else words_of(self.connectors)
        threshold = {"default": 10.0, "npmi": 0.5}[self.scoring] if self.threshold is None else self.threshold
        source, threads = TextSource(corpus, self), resolve_threads(self.threads)
        text, found = source.encode(Stopwatch(), self.shown), list(source.rewriting.phrases.passes)
        for number in range(self.passes):
            if number > 0:
                text = join_phrases(text, found[-1], threads, self.temp_folder or self.cache)
            with Progress("counting", len(text.ids), shown=self.shown) as progress:
                found.append(score_phrases(
                    text, connectors, scoring=self.scoring, threshold=threshold, min_count=self.min_count,
                    threads=threads, progress=progress,
                ))  # fmt: skip
        return Phrases(*found)


@from_settings(PhraseSettings)
def find_phrases(corpus: CorpusLike, settings: PhraseSettings) -> Phrases:
    """Find phrases: pairs of words that are adjacent much more often than by chance.

    The scores are those of gensim's `Phrases`. That of word2phrase has the number of tokens in place of words and
    pairs, another threshold therefore. The result is the same for any number of threads.

    Returns
    -------
    Phrases
        For the setting `phrases` of the trainers, or to `join` lists of tokens. Those of the setting `phrases` come
        first.

    Examples
    --------
    >>> from embedtrain import find_phrases
    >>> text = ["new york is big", "new york is old", "an old king", "a big city"] * 5
    >>> find_phrases(text, threshold=1).join("in new york".split())
    ['in', 'new_york']
    """
    return settings.find(corpus)
