"""LSA: vectors of words and documents from the counts of words in documents.

Of the singular value decomposition U S V' of the weighted matrix of words and documents, the word vectors are U S^p,
the document vectors V S^p.

References
----------
Deerwester, Dumais, Furnas, Landauer, Harshman, "Indexing by latent semantic analysis" (1990).
Dumais, "Improving the retrieval of information from external sources" (1991), on log-entropy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from embedtrain.corpus.sources import CorpusLike
from embedtrain.errors import SettingError
from embedtrain.models.svd import FactorSettings
from embedtrain.training.declarations import from_settings, other_default, setting
from embedtrain.training.settings import PathLike
from embedtrain.vectors.word_vectors import WordVectors


@dataclass(frozen=True, kw_only=True)
class Lsa(FactorSettings):
    """Compute vectors of words and documents by singular value decomposition (LSA).

    Every line is a document, or with --per-file every file. The result is the same for any number of threads.
    """

    model: ClassVar = "lsa"
    over_ranks: ClassVar = True

    weighting: Literal["log-entropy", "tf-idf", "count"] = setting(
        "log-entropy", "Weights of counts: their logarithm times 1 - the entropy of the word; as scikit-learn's "
        "TfidfVectorizer, documents scaled to length 1; or none.",
        kept="result",
    )  # fmt: skip
    singular_exponent: float = other_default(FactorSettings, "singular_exponent", 1.0)
    per_file: bool = setting(False, "Every file is a document, not every line.", group="input", kept="result")
    documents: PathLike | None = setting(
        None, "Write the vectors of documents to this file, .npz also to fold in new ones, by their numbers from 1 on, "
        "with `per_file` by their files.",
        group="output",
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cache is not None:
            raise SettingError("`cache` keeps sentences, not documents; leave it out")

    def train(self, data: Any) -> WordVectors:
        """Factorise the documents of a corpus; see `train_lsa`."""
        from embedtrain.models.factorization import factorize_documents  # imports Numba, which --help does not need

        return factorize_documents(self, data)


@from_settings(Lsa)
def train_lsa(corpus: CorpusLike, settings: Lsa) -> WordVectors:
    """Compute vectors of words and documents by singular value decomposition (LSA).

    The result is the same for any number of threads and any `memory`.

    Parameters
    ----------
    corpus : path, Corpus, iterable of str, or iterable of lists of str
        As for `train_skipgram`; every line, item or record is a document, also an empty one, whose vector is 0.
    **settings

    Returns
    -------
    WordVectors
        Of the words; `documents` has the vectors of documents. `fold_in` of each computes those of new ones.

    Raises
    ------
    SettingError, DataError
        As `train_skipgram`.
    OutputError
        If the file of documents cannot be written; it has the `vectors`.
    KeyboardInterrupt
        If interrupted; there is no partial result.

    Examples
    --------
    >>> from embedtrain import train_lsa
    >>> vectors = train_lsa(["the king rules", "the queen rules", "apples and pears"] * 9, dim=2)
    >>> vectors.documents
    <WordVectors: 27 words, 2 dimensions>
    >>> vectors.documents.fold_in("the king".split()).shape
    (2,)
    """
    return settings.train(corpus)
