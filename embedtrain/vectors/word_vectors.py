"""`WordVectors`: the result of training any model, and of reading a file of vectors."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedtrain import formats
from embedtrain.errors import DataError, SettingError
from embedtrain.formats.factors import Factors
from embedtrain.formats.format import ReadOptions, SkippedErrors, VectorTable
from embedtrain.formats.subwords import Subwords
from embedtrain.machine.progress import note
from embedtrain.vectors.training_report import TrainingReport
from embedtrain.vectors.word_table import Key, WordTable

if TYPE_CHECKING:
    from embedtrain.corpus.sources import CorpusLike


@dataclass(frozen=True, eq=False)
class WordVectors(WordTable):
    """A vector for each word.

    Attributes
    ----------
    words : list of str
        By count in the corpus, descending.
    vectors : (n_words, dim) float32 or float16 array
        Row i belongs to ``words[i]``. Arrays are read-only: change a copy. Lists are converted.
    counts : (n_words,) int64 array or None
        Occurrences in the corpus, where known.
    context_vectors : (n_words, dim) float32 array or None
        The model's other table, of words as contexts. With `factors`, contexts may be others, such as documents.
    word_vectors : (n_words, dim) float32 array or None
        The model's table of words, where `vectors` is computed from it.
    subwords : Subwords or None
        Vectors of character n-grams, which give unknown words a vector. ``in`` is whether a word has its own,
        `can_embed` whether it has any.
    factors : Factors or None
        Of `train_svd` and `train_lsa`: the singular values, descending, and what `fold_in` needs.
    settings : mapping
        Settings of training.
    report : TrainingReport or None
        Statistics of the training run; not saved.
    """

    words: Sequence[str]
    vectors: NDArray[np.float32]
    counts: NDArray[np.int64] | None = None
    context_vectors: NDArray[np.float32] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    report: TrainingReport | None = None
    word_vectors: NDArray[np.float32] | None = None
    subwords: Subwords | None = None
    factors: Factors | None = None

    def __post_init__(self) -> None:
        for name, n_axes in (("vectors", 2), ("counts", 1), ("context_vectors", None), ("word_vectors", None)):
            value = getattr(self, name)
            if value is None and name != "vectors":
                continue
            rows = _as_array(value, np.int64 if name == "counts" else np.float32)
            if n_axes and (rows.ndim != n_axes or len(rows) != len(self)):
                got = f"shape {rows.shape}" if rows.ndim else type(value).__name__
                raise DataError(f"{name} must be a {n_axes}-d array of {len(self):,} rows, one per word, got {got}")
            rows.flags.writeable = False  # norms are computed once
            object.__setattr__(self, name, rows)
        if self.subwords is not None and self.subwords.rows.shape[1] != self.vector_size:
            got = self.subwords.rows.shape[1]
            raise DataError(f"subwords must have the {self.vector_size} dimensions of the vectors, got {got}")

    def __repr__(self) -> str:
        return f"<WordVectors: {len(self):,} words, {self.vector_size} dimensions>"

    def _repr_html_(self) -> str:
        """Show a table in a notebook."""
        facts = {
            "words": f"{len(self):,}: {' '.join(self.words[:8])}{' …' * (len(self) > 8)}",
            "dimensions": str(self.vector_size),
            **{name: str(self.settings[name]) for name in ("model", "file") if name in self.settings},
        }
        rows = "".join(f"<tr><th>{name}</th><td>{escape(fact)}</td></tr>" for name, fact in facts.items())
        return f"<table>{rows}</table>"

    def fold_in(self, counts: Any) -> NDArray[np.float32]:
        """Compute the vector of a new word, or of a new document of `documents`, from its counts, without training.

        Parameters
        ----------
        counts : mapping of str to number, (n_contexts,) array, sparse matrix of one row, or list of tokens
            How often it occurs with each context, counted as the rows of the matrix were: for vectors of `train_svd`
            near each word, for words of `train_lsa` in each document, for documents the words in it, which may be given
            as its tokens. Arrays are in the order of ``factors.context_words``, or if that is None, of ``words``.
            Contexts in a mapping that are unknown are left out.

        Returns
        -------
        (dim,) float32 array
            The counts of a row of the matrix give the vector of that row.
        """
        from embedtrain.vectors.folding import fold_in

        return fold_in(self, counts)

    @property
    def documents(self) -> WordVectors:
        """The vectors of the documents of `train_lsa`, by their numbers from 1 on, or by the names of their files."""
        if self.factors is None or self.settings.get("model") != "lsa" or self.context_vectors is None:
            raise SettingError("only vectors of `train_lsa` have documents; load those of a file of documents from it")
        own = self.factors
        names = self.words if own.context_words is None else own.context_words
        factors = Factors(own.singular_values, own.context_weights, own.word_weights, self.words)
        settings = {**self.settings, "rows": "documents"}
        return WordVectors(names, self.context_vectors, None, self.vectors, settings, factors=factors)

    def embed(self, texts: CorpusLike, weights: str = "mean") -> NDArray[np.float32]:
        """The (n_texts, dim) vectors of texts: means of the vectors of their words.

        Words without a vector are left out. A warning counts the texts without any other, whose rows are zeros.

        Parameters
        ----------
        texts : path, Corpus, iterable of str, or iterable of lists of str
            A text is a line of a file, or an item. A `Corpus` tells how text is read, as with ``tokenize="words"``.
        weights : {"mean", "sif"}
            Average all words alike; or smooth inverse frequency: weigh words of the share p of all `counts` by
            a / (a + p), where a = 0.001, and remove the first singular vector of all rows, of two texts or more (Arora,
            Liang, Ma, "A simple but tough-to-beat baseline for sentence embeddings", 2017).
        """
        from embedtrain.vectors.text_means import TextMeans  # Numba, and the corpus, which queries do not need

        means = TextMeans(self, texts, weights)
        return means.all_rows(means.component())

    def embedding_matrix(
        self,
        word_index: Mapping[str, int] | Sequence[str],
        unknown: str | NDArray[Any] = "zeros",
        *,
        padding: int | None = None,
    ) -> NDArray[np.float32]:
        """Make the weights of an embedding layer: Keras' ``Embedding``, or ``torch.nn.Embedding.from_pretrained``.

        A warning is issued if no word has a vector.

        Parameters
        ----------
        word_index : mapping of str to int, or sequence of str
            The row of each word, or the words by row.
        unknown : {"zeros", "mean"} or (dim,) array
            Row of words without a vector or known n-grams: zeros, the mean of all vectors, or this vector.
        padding : int, optional
            A row of zeros, also if it has a word. Rows without a word are zeros too.

        Returns
        -------
        (n_rows, dim) float32 array
            Rows 0 to the highest in use.
        """
        from embedtrain.vectors.embedding_matrix import embedding_matrix

        return embedding_matrix(self, word_index, unknown, padding)

    def complements(self, word: Key, topn: int = 10, restrict_vocab: int | None = None) -> list[tuple[str, float]]:
        """The items that go with an item: those with the greatest product of its vector and their context vectors.

        Items that occur together have great products, which have no scale as cosines have; substitutes, such as two
        brands, have near vectors and are found by `neighbors`. A whole number is an id, as in `recommend`, not a row.
        """
        if self.context_vectors is None:
            remedy = "with `negative=5`" if self.settings.get("negative") == 0 else "with -o items.npz"
            raise DataError(f"complements need context vectors, which .npz files keep; train again {remedy}")
        word = str(word) if isinstance(word, Integral) else word
        row, n, contexts = self._row(word), self._n_searched(restrict_vocab), self.context_vectors
        vector = (self.vectors if self.word_vectors is None else self.word_vectors)[row]
        if self.word_vectors is None and self.settings.get("vectors") == "sum":  # of GloVe's tables
            vector = vector - contexts[row]
        return self._best(contexts[:n] @ vector, topn, [(word, 1.0)])

    def evaluate_word_analogies(
        self,
        analogies: str | os.PathLike[str],
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        *,
        method: str = "add",
    ) -> tuple[float, list[dict[str, Any]]]:
        """Compute the accuracy in analogies: `evaluate_analogies` with gensim's parameters and results.

        With subwords unknown words are evaluated too, which gensim leaves out.

        Returns
        -------
        accuracy : float
            0 if no question is known.
        sections : list of dict
            Each with "section", "correct" and "incorrect"; the last is the total.
        """
        from embedtrain.vectors.evaluation import evaluate_analogies

        def cased(questions: list[Any]) -> list[Any]:  # as in gensim
            return [tuple(map(str.upper, words)) for words in questions] if case_insensitive else questions

        score = evaluate_analogies(
            self, analogies, restrict=restrict_vocab, ignore_case=case_insensitive, method=method
        )
        sections = [
            {"section": section.name, "correct": cased(section.right), "incorrect": cased(section.wrong)}
            for section in (*score.sections, score.total)
        ]
        sections[-1]["section"] = "Total accuracy"
        return score.total.accuracy or 0.0, sections

    def evaluate_word_pairs(
        self,
        pairs: str | os.PathLike[str],
        delimiter: str | None = None,
        encoding: str = "utf-8",
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
    ) -> tuple[tuple[float, float], tuple[float, float], float]:
        """Compute the correlation with human scores: `evaluate_similarity` with gensim's parameters and results.

        With subwords unknown words are evaluated too, which gensim leaves out.

        Parameters
        ----------
        delimiter : str, optional
            Separator of the columns; by default it is detected in the first line.

        Returns
        -------
        pearson, spearman : (statistic, pvalue)
            Named tuples; nan if fewer than two pairs are known.
        unknown : float
            Percentage of the pairs with a word that has no vector.
        """
        from embedtrain.vectors.evaluation import Correlation, evaluate_similarity
        from embedtrain.vectors.evaluation_files import read_pairs

        scored = read_pairs(pairs, delimiter, encoding)
        score = evaluate_similarity(self, scored, restrict=restrict_vocab, ignore_case=case_insensitive)
        pearson = Correlation(score.pearson, score.pearson_p)
        return pearson, Correlation(score.spearman, score.spearman_p), 100 * (1 - score.coverage)

    def explore(
        self,
        path: str | os.PathLike[str],
        *,
        limit: int = 50_000,
        neighbors: int = 20,
        projection: str = "auto",
        coordinates: str | os.PathLike[str] | None = None,
        labels: str | os.PathLike[str] | Mapping[str, str] | None = None,
        max_size: int | str = "15M",
        progress: bool | str | None = None,
    ) -> None:
        """Write an HTML page to explore the vectors in: a map, search, exact neighbours, analogies.

        Parameters
        ----------
        limit, neighbors : int
            Only the first `limit` words, each with so many nearest neighbours among them, by cosine in all dimensions.
        projection : {"auto", "pca", "umap", "tsne"}
            Principal components, UMAP or t-SNE; "auto" is UMAP where umap-learn is installed, else "pca".
        coordinates : path, optional
            An .npy file of coordinates instead: an array with two columns and a row for each word.
        labels : path or mapping, optional
            Labels of words for colours: a file of lines "word label", or a mapping. Words without one are grey.
        max_size : int or str
            Largest size of the page, in bytes or as "15M", at least 1 MB. The vectors, rounded to 8 bits for analogies,
            are left out with a warning where they do not fit.
        progress : bool, optional
            Whether progress is reported; by default on a terminal.
        """
        from embedtrain.explorer.explore import explore

        explore(self, path, limit, neighbors, projection, coordinates, labels, max_size, progress)

    def plot(
        self,
        words: Iterable[str] | Mapping[str, Iterable[str]],
        ax: Any = None,
        *,
        pairs: Iterable[tuple[str, str]] = (),
    ) -> Any:
        """Draw words by the first two principal components of their vectors, with matplotlib; returns the axes.

        Parameters
        ----------
        words : iterable of str, or mapping of str to iterable of str
            Words, or words by the name of their group, which has a colour and a legend.
        ax : matplotlib.axes.Axes, optional
            By default those of a new figure, ``ax.figure``.
        pairs : iterable of (str, str)
            Words with an arrow from the first to the second, as of countries and capitals.
        """
        from embedtrain.explorer.figure import plot

        return plot(self, words, ax, pairs)

    def to_gensim(self) -> Any:
        """Convert to gensim's ``KeyedVectors``, which has words, vectors and counts, but no `subwords`."""
        try:
            from gensim.models import KeyedVectors  # type: ignore[import-untyped, unused-ignore]
        except ImportError:
            raise SettingError("to_gensim needs the package gensim; install it with: pip install gensim") from None
        if self.subwords is not None:
            note("KeyedVectors has no vectors for unknown words; gensim's load_facebook_vectors reads them from a .bin")
        keyed = KeyedVectors(self.vector_size)
        keyed.add_vectors(list(self.words), np.asarray(self.vectors, np.float32))
        for word, count in zip(self.words, () if self.counts is None else self.counts.tolist(), strict=False):
            keyed.set_vecattr(word, "count", count)
        return keyed

    def save(self, path: str | os.PathLike[str], *, format: str | None = None, threads: int | None = None) -> None:
        """Write words and vectors atomically.

        A warning is issued if there are `subwords` and the format does not hold them.

        Parameters
        ----------
        format : str, optional
            A name in `formats.FORMATS`; by default it follows from the suffix; word2vec text without one. ``.bin`` is
            fastText's format with `subwords`, else word2vec's.
        threads : int, optional
            Threads that format text; by default all.
        """
        table = VectorTable(
            self.words, self.vectors, self.counts, self.settings, self.context_vectors, self.subwords, self.factors
        )
        formats.write(path, table, format, threads=threads)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,
        limit: int | None = None,
        vocabulary: Iterable[str] | None = None,
        dtype: Any = np.float32,
        mmap: bool = False,
        errors: str = "strict",
        threads: int | None = None,
        subwords: bool = True,
    ) -> WordVectors:
        """Read a file of vectors.

        Parameters
        ----------
        format : str, optional
            A name in `formats.FORMATS`; by default it is recognised by the content.
        limit : int, optional
            Read only this many rows, the first ones.
        vocabulary : iterable of str, optional
            Of these rows, keep only those of the given words. A warning is issued if there are none.
        dtype : {float32, float16}
            Type of the vectors; mapped ones have that of the file.
        mmap : bool
            Whether to map the vectors, where the format can, and read rows when they are used. Values are not checked.
        errors : {"strict", "skip"}
            Whether a bad row is an error, or left out with a warning: one that cannot be parsed, has another number of
            values, a value that is not finite, or a repeated or invalid word.
        threads : int, optional
            Threads that parse large text files; by default all.
        subwords : bool
            Whether to keep `subwords`, where the file has them; without, unknown words have no vectors.
        """
        if errors not in ("strict", "skip"):
            raise SettingError(f"errors must be strict or skip, got {errors!r}")
        skipped = SkippedErrors()
        on_error = skipped.add if errors == "skip" else None
        options = ReadOptions(limit, vocabulary, dtype, mmap, threads, on_error=on_error)  # type: ignore[arg-type]
        words, vectors, counts, settings, contexts, ngrams, factors = formats.read(path, options, format)
        if options.vocabulary and not len(words):
            n, name = len(options.vocabulary), os.fspath(path)
            note(f"none of the {n:,} words in vocabulary is among those of {name}; check their case and Unicode form")
        if skipped.n:
            note(str(skipped))
        settings = {**settings, "file": os.fspath(path)}
        ngrams = ngrams if subwords else None
        return cls(words, vectors, counts, contexts, settings, subwords=ngrams, factors=factors)


def _as_array(value: Any, dtype: Any) -> NDArray[Any]:
    """A view of an array, or an array of rows of numbers; 0-d if there are none."""
    if isinstance(value, np.ndarray):
        return value.view()
    try:
        return np.array(value, dtype)
    except (TypeError, ValueError):
        return np.array(0)
