"""Checks of encoded text before training: notes on what is left out, and an error if there is nothing to learn from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError
from embedtrain.machine.progress import counted
from embedtrain.training.settings import TextSettings, TrainingSettings

_LEAST_COVERED = 0.8  # of the tokens
_MOST_REMOVED = 0.8  # of the tokens; a usual sample of 1e-5 removes 0.7 of English text
_FEWEST_PAIRS = 10  # expected in an epoch, where subsampling removes most tokens
_LITTLE = 1_000_000  # tokens in all epochs; with fewer of them, and fewer for each word than ...
_FEW_EACH = 100  # ... this, vectors hardly leave their random start
_AT_ONCE = 1 << 16  # tokens


def coverage_signs(settings: TextSettings, vocabulary: Vocabulary, covered: int, n_tokens: int) -> Iterator[str]:
    """Yield a note if the vocabulary covers few of the tokens."""
    if covered >= _LEAST_COVERED * n_tokens:
        return
    if settings.read_vocab is not None:
        remedy = "were they tokenised alike, with the same `tokenize`, `lowercase` and `normalize`?"
    elif len(vocabulary) == settings.max_vocab:
        remedy = f"raise `max_vocab={settings.max_vocab}`"
    else:
        remedy = f"lower `min_count={settings.min_count}`"
    share = covered / n_tokens
    yield f"the {len(vocabulary):,} words of the vocabulary cover {share:.1%} of the {n_tokens:,} tokens; {remedy}"


def check_pairs(settings: TextSettings, vocabulary: Vocabulary, text: EncodedCorpus) -> Iterator[str]:
    """Yield a note if subsampling removes most tokens; raise `DataError` if too few pairs of words are left."""
    keep = settings.keep_probability(vocabulary.counts)
    removed = 1 - settings.kept_share(vocabulary.counts)
    sampling = f"`sample={getattr(settings, 'sample', 0)}` removes {removed:.0%} of the tokens"
    removes_most = removed > _MOST_REMOVED
    if _has_pairs(text, keep, _FEWEST_PAIRS if removes_most else 1):
        if removes_most:
            yield f"{sampling}; for small text use `sample=0`"
        few = min(_LITTLE, _FEW_EACH * len(vocabulary))
        if isinstance(settings, TrainingSettings) and len(text.ids) * settings.epochs < few:
            start = "their random start" if settings.init is None else "those of `init` or their random start"
            yield (
                f"{len(text.ids):,} tokens in {counted(settings.epochs, 'epoch')} are few, and vectors stay close to "
                f"{start}; take more text, or raise `epochs={settings.epochs}`"
            )
        return
    tokens = f"{len(text.ids):,} tokens in {text.n_sentences:,} sentences"
    if text.longest_sentence == 1:
        cause = (
            f"{tokens}, one in each; write tokens that belong together on one line, with spaces, not commas, between "
            "them (a list of str is lines, not tokens)"
        )
    elif _has_pairs(text, np.ones(len(keep)), 1):
        cause = f"{sampling}: {tokens}; for small text use `sample=0`"
    else:
        limits = "`max_vocab`" if len(vocabulary) == settings.max_vocab else f"`min_count={settings.min_count}`"
        cause = f"no sentence has two of the {len(vocabulary):,} words that {limits} leaves: {tokens}; leave more words"
    raise DataError(f"there is nothing to learn from: {cause}")


def _has_pairs(text: EncodedCorpus, keep: NDArray[np.float64], fewest: int) -> bool:
    """Whether the expected number of pairs of kept words in a sentence is at least `fewest`, read as far as needed."""
    n_pairs = 0.0
    for begin in range(0, len(text.ids), _AT_ONCE):
        ids = text.ids[begin : begin + _AT_ONCE]
        kept = np.where(ids < len(keep), keep[np.minimum(ids, len(keep) - 1)], 0)
        first, last = np.searchsorted(text.offsets, [begin + 1, begin + len(ids)])
        borders = np.concatenate([[0], text.offsets[first:last] - begin])  # of sentences, and of this part
        sums, squares = np.add.reduceat(kept, borders), np.add.reduceat(kept**2, borders)
        n_pairs += float((sums**2 - squares).sum()) / 2
        if n_pairs >= fewest:
            return True
    return False
