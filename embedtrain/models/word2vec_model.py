"""The tables and workers of skip-gram and CBOW."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.sources import CorpusLike
from embedtrain.formats.subwords import Subwords
from embedtrain.kernels.glove.cooccurrence import count_words
from embedtrain.kernels.random import key_from
from embedtrain.kernels.simd.lanes import padded
from embedtrain.kernels.word2vec import train_chunk as kernels
from embedtrain.kernels.word2vec.huffman import Tree, make_local_nodes
from embedtrain.kernels.word2vec.negatives import make_noise
from embedtrain.kernels.word2vec.windows import Frozen, Text
from embedtrain.models.block_shape import block_shape
from embedtrain.models.distributions import (
    alias_table,
    huffman_paths,
    keep_probability,
    keep_thresholds,
    noise_distribution,
)
from embedtrain.models.expected_steps import curvatures, expected_steps, second_moment
from embedtrain.models.ngram_rows import NgramRows
from embedtrain.models.word2vec_settings import Word2vecSettings
from embedtrain.training.chunk_schedule import LARGEST_CHUNK, Chunk, ChunkSchedule
from embedtrain.training.exchanges import Exchanges
from embedtrain.training.initial_vectors import FROZEN
from embedtrain.training.loss import ChunkResult
from embedtrain.training.run import Run
from embedtrain.training.tables import EmbeddingTable, table_bytes
from embedtrain.training.text_data import TextData, TextSource

N_COPIES = 256  # nodes near the root that every thread copies (bench/tree_copies.py)
_STRETCHES = 16  # samples of the text in `largest_share`
_LOSS_EVERY = 8  # blocks; the loss of all blocks costs a tenth of the speed (bench/loss_share.py)
_NUMBERS = {2: "two", 3: "three"}
_MOST = 2.0  # of initial values with subwords, times dim: means of 20 such rows are as long as a row of 0.5
_PATH_BYTES = 5  # of a step of a path: a node and a side
_UNEVEN = 4  # steps that paths are longer than in a balanced tree, about


def word2vec_run(settings: Word2vecSettings, corpus: CorpusLike) -> Run:
    """Make the `Run` of skip-gram or CBOW on a corpus."""
    source = TextSource(corpus, settings, settings.valid, settings.valid_share, settings.seed)
    return Run(settings, source, Word2vecModel)


class Word2vecModel:
    """The tables of skip-gram or CBOW, and data that the workers share."""

    item_name = "words"
    check_within_epoch = True
    exchanges = Exchanges

    def __init__(self, data: TextData, settings: Word2vecSettings, frozen: NDArray[np.uint8], n_threads: int) -> None:
        text, counts, n_words = data.training, data.vocabulary.counts, len(data.vocabulary)
        counts = counts[: data.vocabulary.n_frequent(1)]  # other words have vectors, and are not trained
        self._fixed = True if (frozen == FROZEN["contexts"]).any() else None  # all contexts, also new ones
        frozen = frozen[: 0 if self._fixed else None]
        self._text, self._settings, self._frozen = text, settings, frozen
        ranks = settings.all_ranks
        self._seed = (settings.seed, ranks.rank) if ranks.rank else settings.seed
        shuffle = f"{settings.seed} {ranks.rank}" * (ranks.size > 1)
        self.schedule = ChunkSchedule(len(text.ids), settings.epochs, settings.lr, n_threads=n_threads, shuffle=shuffle)
        dim = settings.n_dims
        scratch = {"discarded": int(frozen.size > 0), "padding": int(settings.hs)}
        self._ngrams = NgramRows.of(data.vocabulary, settings)
        n_rows, most = (n_words, 0.5) if self._ngrams is None else (n_words + len(self._ngrams.buckets), _MOST)
        self.words = EmbeddingTable.uniform(n_rows, dim, settings.seed, n_threads, scratch, most)
        self.contexts = EmbeddingTable.zeros(n_words, dim) if settings.negative else None
        n_nodes = len(counts) - 1
        local = {"local": min(N_COPIES, n_nodes) + 1}  # with a padding row
        self.nodes = EmbeddingTable.zeros(n_nodes, dim, n_threads, local) if settings.hs else None
        self._n_threads = n_threads

        self._keep = keep = keep_probability(counts, settings.sample)
        self._keep_thresholds = keep_thresholds(keep, len(text.vocabulary) + 1)  # the last for the padding of walks
        self._kept_counts, self._noise = counts * keep, noise_distribution(counts, settings.noise_exponent)
        self._alias_table = alias_table(self._noise)
        self._paths = huffman_paths(counts) if settings.hs else None
        path = 0.0 if self._paths is None else float(np.diff(self._paths.starts).max())
        self.loss_limit = 2 * ((1 + settings.negative) * (settings.negative > 0) + path) * math.log(2)
        window = self._window(text)
        p_max = max(largest_share(text, keep), self._noise.max())
        shared = 0.0 if self._ngrams is None else self._ngrams.largest_share(self._kept_counts)
        shape = block_shape(settings, window, p_max, repetition(text, keep), shared)
        self._config = kernels.BlockConfig(
            window=window,
            max_window=settings.reach if settings.window_mode == "dynamic" else 0,
            n_noise=shape.n_noise,
            noise_weight=np.float32(settings.negative / shape.n_noise),
            n_centres=shape.n_centres,
            tile_centres=shape.tile_centres,
            tile_tokens=shape.tile_tokens,
            baseline=np.float32(shape.baseline),
            dim=padded(dim),
            padding_row=n_words * padded(dim),
            input_padding_row=n_words * padded(dim) if self._ngrams is None else 0,
            loss_every=_LOSS_EVERY,
            corrected=settings.corrected,
            shuffled=settings.window == "all",
            mean_share=np.float32(shape.mean_share),
        )

    @classmethod
    def memory(cls, data: TextData, settings: Word2vecSettings) -> dict[str, int]:
        """Bytes of the tables and of the Huffman tree."""
        n_words, dim = len(data.vocabulary), settings.n_dims
        n_tables = 1 + (settings.negative > 0) + settings.hs
        needed = {f"{_NUMBERS[n_tables]} tables of {n_words:,} × {dim}": n_tables * table_bytes(n_words, dim)}
        if settings.hs:
            needed["the tree"] = _PATH_BYTES * n_words * (math.ceil(math.log2(n_words)) + _UNEVEN)
        ngrams = NgramRows.of(data.vocabulary, settings)
        return needed if ngrams is None else {**needed, **ngrams.memory(dim)}

    @property
    def state(self) -> dict[str, NDArray[np.float32]]:
        """All tables."""
        tables = {"word_vectors": self.words, "context_vectors": self.contexts, "node_vectors": self.nodes}
        state = {name: table.rows for name, table in tables.items() if table is not None}
        if self._ngrams is not None:
            state["word_vectors"], state["ngram_vectors"] = np.split(self.words.rows, [self._ngrams.n_words])
        return state

    def vectors(self) -> dict[str, Any]:
        """The tables whose rows are words, and subwords."""
        tables = {"vectors": self.words, "context_vectors": self.contexts}
        vectors: dict[str, Any] = {name: table.rows for name, table in tables.items() if table is not None}
        if self._ngrams is not None:
            vectors["vectors"] = self._ngrams.compose(self.words, self._n_threads)
            vectors["subwords"] = self._ngrams.subwords(self.words)
        return vectors

    def start_from(self, rows: Sequence[int], subwords: Subwords | None) -> None:
        """Turn initial vectors of words with subwords, copied to their own rows, into own rows."""
        if self._ngrams is not None:
            self._ngrams.start_from(self.words, rows, subwords, self._n_threads)

    def expected_steps(self, chunks: Sequence[Chunk] | None = None) -> dict[str, NDArray[np.float64]]:
        """The terms of the gradient of each row of the `state` for all tokens, or those of some chunks, expected."""
        kept, n_words = self._kept_counts, len(self.state["word_vectors"])
        if chunks is not None:
            counts, read = np.zeros(len(self._keep), np.int64), self._text.reader(LARGEST_CHUNK)
            for chunk in chunks:
                ids, _, first = read(chunk.epoch, chunk.begin, chunk.end)
                count_words(ids, chunk.begin - first, chunk.end - first, counts)
            kept = self._keep * counts
        return expected_steps(self._settings, kept, self._noise, self._paths, self._ngrams, n_words)

    def curvatures(self, steps: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        """The mean second derivative, (dim, dim), of the terms of the loss by a row of each table of the `state`."""
        tables, ranks = self.state, self._settings.all_ranks
        if tables.pop("ngram_vectors", None) is not None and self._ngrams is not None:
            tables["word_vectors"] = self._ngrams.compose(self.words, self._n_threads)
        moments = {name: second_moment(rows, steps[name], ranks) for name, rows in tables.items()}
        for moment in moments.values():
            ranks.sum(moment)
        return curvatures(self._settings, moments, steps)

    @property
    def scratch_bytes(self) -> int:
        """Bytes of each thread in addition to the tables."""
        scratch = self._scratch(0, self._config)
        return sum(array.nbytes for array in _arrays(scratch._replace(tree=None)))

    def worker(self, thread: int, text: EncodedCorpus | None = None) -> Callable[[Chunk], ChunkResult]:
        """Make the function that trains a thread on chunks, or evaluates all blocks of another `text`."""
        config = self._config if text is None else self._config._replace(window=self._window(text), loss_every=1)
        source = text or self._text
        read = source.reader(LARGEST_CHUNK)
        scratch = self._scratch(thread, config)
        word_rows = None if self._ngrams is None else self._ngrams.word_rows(self.words)
        W = self.words.flat if scratch.composed is None else scratch.composed.vectors
        C, N = (None if table is None else table.flat for table in (self.contexts, self.nodes))
        seed, keep = self._seed, self._keep_thresholds

        def train(chunk: Chunk) -> ChunkResult:
            ids, offsets, first = read(chunk.epoch, chunk.begin, chunk.end)
            loss, pairs, kept = kernels.train_chunk(
                W, C, N, word_rows, Text(ids, offsets), chunk.begin - first, chunk.end - first, keep, config, scratch,
                key_from(_random_key(seed, chunk.epoch), first), _random_key(seed, chunk.epoch, chunk.number),
                np.float32(chunk.first_lr), np.float32(chunk.last_lr),
            )  # fmt: skip
            return ChunkResult(chunk.end - chunk.begin, kept, loss, pairs, chunk.last_lr)

        return train

    def _window(self, text: EncodedCorpus) -> int:
        """The largest window that a sentence of a text can fill."""
        return max(1, min(self._settings.reach, text.longest_sentence - 1))

    def _scratch(self, thread: int, config: kernels.BlockConfig) -> kernels.Scratch:
        """Allocate the memory of a thread."""
        model = self._settings.model
        frozen = Frozen(self._frozen, self.words.scratch["discarded"][thread][0] if self._frozen.size else 0)
        n_noise = kernels.n_noise_words(config, means=model == "cbow")
        noise = make_noise(n_noise, config.dim, *self._alias_table) if self._settings.negative else None
        return kernels.make_scratch(
            config,
            means=model == "cbow",
            noise=noise,
            tree=self._tree(thread),
            largest_chunk=LARGEST_CHUNK,
            frozen=frozen,
            n_composed=0 if self._ngrams is None else self._ngrams.n_words,
            fixed=self._fixed,
        )

    def _tree(self, thread: int) -> Tree | None:
        """Make the Huffman tree with the thread's copies of the nodes near the root."""
        if self._paths is None or self.nodes is None:
            return None
        rows, (input_padding_row,) = self.nodes.scratch["local"][thread], self.words.scratch["padding"][thread]
        if self._ngrams is not None:
            input_padding_row = self._config.input_padding_row
        return Tree(*self._paths, make_local_nodes(len(self.nodes.rows), rows, 1 / self._n_threads, input_padding_row))


def _arrays(parts: Any) -> list[NDArray[Any]]:
    """Collect all arrays in nested tuples."""
    if isinstance(parts, np.ndarray):
        return [parts]
    return [array for part in parts for array in _arrays(part)] if isinstance(parts, tuple) else []


@lru_cache  # every chunk of an epoch needs that of the epoch
def _random_key(seed: int | tuple[int, int], *numbers: int) -> np.uint64:
    """Hash the seed, perhaps with a rank, the numbers and their count to 64 bits."""
    return np.random.SeedSequence(seed, spawn_key=numbers).generate_state(1, np.uint64)[0]


def repetition(text: EncodedCorpus, keep: NDArray[np.float64]) -> float:
    """The probability that two of 64 consecutive tokens, after subsampling, are the same word; mean of samples.

    Wikipedia has 0.01, random walks on a graph 0.02, lines of a topic of ten words 0.1.
    """
    repetitions = []
    for begin in np.unique(np.linspace(0, max(0, len(text.ids) - 64), 16 * _STRETCHES).astype(int)).tolist():
        ids = text.ids[begin : begin + 64]
        words, n = np.unique(ids[ids < len(keep)], return_counts=True)
        kept = n * keep[words]
        repetitions.append((kept * keep[words] * (n - 1)).sum() / max(kept.sum() ** 2, 1.0))
    return float(np.mean(repetitions))


def largest_share(text: EncodedCorpus, keep: NDArray[np.float64]) -> float:
    """The largest share of one word among the kept tokens of one of several samples of the text.

    Text may change its topic or language, so that a word is frequent in a part of it. `keep` (n_words,) is the keep
    probability of each word.
    """
    largest = 0.0
    n_words, n_tokens = len(keep), len(text.ids)
    for begin in np.unique(np.linspace(0, max(0, n_tokens - LARGEST_CHUNK), _STRETCHES).astype(int)).tolist():
        ids = text.ids[begin : begin + LARGEST_CHUNK]
        kept = np.bincount(ids[ids < n_words], minlength=n_words) * keep
        largest = max(largest, kept.max() / max(kept.sum(), 1.0))
    return largest
