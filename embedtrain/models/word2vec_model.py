"""The tables and workers of skip-gram and CBOW."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.sources import CorpusLike
from embedtrain.kernels.simd.lanes import padded
from embedtrain.kernels.word2vec import train_chunk as kernels
from embedtrain.kernels.word2vec.cbow import CENTRE_STRIDE, CENTRES_PER_TILE
from embedtrain.kernels.word2vec.huffman import Tree, make_local_nodes
from embedtrain.kernels.word2vec.negatives import make_noise
from embedtrain.kernels.word2vec.windows import Frozen, Text
from embedtrain.models.distributions import (
    alias_table,
    huffman_paths,
    keep_probability,
    keep_thresholds,
    noise_distribution,
)
from embedtrain.models.word2vec_settings import Word2vecSettings
from embedtrain.training.chunk_schedule import LARGEST_CHUNK, Chunk, ChunkSchedule
from embedtrain.training.loss import ChunkResult
from embedtrain.training.run import Run
from embedtrain.training.tables import EmbeddingTable, table_bytes
from embedtrain.training.text_data import TextData, TextSource

#: Centres that are scored against noise or paths before a row is updated, unless the vocabulary is too small
#: (bench/block_shape.py); CBOW's paths are scored one by one.
BLOCK_CENTRES = {("skipgram", "noise"): 64, ("skipgram", "paths"): 16, ("cbow", "noise"): CENTRES_PER_TILE}
#: Noise words that they share, by model and whether its update is corrected: a trade-off of accuracy and speed
#: (bench/block_shape.py), in multiples of 16 or, in CBOW, 4. The corrected update has a higher learning rate.
N_NOISE = {("skipgram", False): 48, ("cbow", False): 8, ("cbow", True): 16}
_STEP_LIMIT = 2.0  # of `block_size`; 2.9 is stable up to lr 0.1, but not at 0.2 with few words (bench/step_limit.py)
_NOISE_LIMIT = 7.0  # the same; 8 is stable but with 30 words, 16 is not (bench/step_limit.py --wide)
N_COPIES = 256  # nodes near the root that every thread copies (bench/tree_copies.py)
_STRETCHES = 16  # samples of the text in `largest_share`
_LOSS_EVERY = 8  # blocks; the loss of all blocks costs a tenth of the speed (bench/loss_share.py)
_NUMBERS = {2: "two", 3: "three"}
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

    def __init__(self, data: TextData, settings: Word2vecSettings, frozen: NDArray[np.uint8], n_threads: int) -> None:
        text, counts, n_words = data.training, data.vocabulary.counts, len(data.vocabulary)
        counts = counts[: data.vocabulary.n_frequent(1)]  # other words have vectors, and are not trained
        self._text, self._settings, self._frozen = text, settings, frozen
        self.schedule = ChunkSchedule(len(text.ids), settings.epochs, settings.lr)
        dim = settings.n_dims
        scratch = {"discarded": int(frozen.size > 0), "padding": int(settings.hs)}
        self.words = EmbeddingTable.uniform(n_words, dim, settings.seed, n_threads, scratch)
        self.contexts = EmbeddingTable.zeros(n_words, dim) if settings.negative else None
        n_nodes = len(counts) - 1
        local = {"local": min(N_COPIES, n_nodes) + 1}  # with a padding row
        self.nodes = EmbeddingTable.zeros(n_nodes, dim, n_threads, local) if settings.hs else None
        self._n_threads = n_threads

        keep = keep_probability(counts, settings.sample)
        self._keep_thresholds = keep_thresholds(keep, len(text.vocabulary))
        noise = noise_distribution(counts, settings.noise_exponent)
        self._alias_table = alias_table(noise)
        self._paths = huffman_paths(counts) if settings.hs else None
        path = 0.0 if self._paths is None else float(np.diff(self._paths.starts).max())
        self.loss_limit = 2 * ((1 + settings.negative) * (settings.negative > 0) + path) * math.log(2)
        window = self._window(text)
        self._config = kernels.BlockConfig(
            window=window,
            max_window=settings.window if settings.window_mode == "dynamic" else 0,
            negative=settings.negative,
            n_noise=N_NOISE[settings.model, settings.corrected],
            n_centres=block_size(settings, window, max(largest_share(text, keep), noise.max())),
            dim=padded(dim),
            padding_row=n_words * padded(dim),
            loss_every=_LOSS_EVERY,
            corrected=settings.corrected,
        )

    @classmethod
    def memory(cls, data: TextData, settings: Word2vecSettings) -> dict[str, int]:
        """Bytes of the tables and of the Huffman tree."""
        n_words, dim = len(data.vocabulary), settings.n_dims
        n_tables = 1 + (settings.negative > 0) + settings.hs
        needed = {f"{_NUMBERS[n_tables]} tables of {n_words:,} × {dim}": n_tables * table_bytes(n_words, dim)}
        if settings.hs:
            needed["the tree"] = _PATH_BYTES * n_words * (math.ceil(math.log2(n_words)) + _UNEVEN)
        return needed

    @property
    def state(self) -> dict[str, NDArray[np.float32]]:
        """All tables."""
        tables = {"word_vectors": self.words, "context_vectors": self.contexts, "node_vectors": self.nodes}
        return {name: table.rows for name, table in tables.items() if table is not None}

    def vectors(self) -> dict[str, NDArray[np.float32]]:
        """The tables whose rows are words."""
        tables = {"vectors": self.words, "context_vectors": self.contexts}
        return {name: table.rows for name, table in tables.items() if table is not None}

    @property
    def scratch_bytes(self) -> int:
        """Bytes of each thread in addition to the tables."""
        scratch = self._scratch(0, self._config)
        return sum(array.nbytes for array in _arrays(scratch._replace(tree=None)))

    def worker(self, thread: int, text: EncodedCorpus | None = None) -> Callable[[Chunk], ChunkResult]:
        """Make the function that trains a thread on chunks, or evaluates all blocks of another `text`."""
        config = self._config if text is None else self._config._replace(window=self._window(text), loss_every=1)
        source = text or self._text
        numbers = Text(source.ids, source.offsets)
        scratch = self._scratch(thread, config)
        W = self.words.flat
        C, N = (None if table is None else table.flat for table in (self.contexts, self.nodes))
        seed, keep = self._settings.seed, self._keep_thresholds

        def train(chunk: Chunk) -> ChunkResult:
            loss, pairs, kept = kernels.train_chunk(
                W, C, N, numbers, chunk.begin, chunk.end, keep, config, scratch,
                _random_key(seed, chunk.epoch), _random_key(seed, chunk.epoch, chunk.number),
                np.float32(chunk.first_lr), np.float32(chunk.last_lr),
            )  # fmt: skip
            return ChunkResult(chunk.end - chunk.begin, kept, loss, pairs, chunk.last_lr)

        return train

    def _window(self, text: EncodedCorpus) -> int:
        """The largest window that a sentence of a text can fill."""
        return max(1, min(self._settings.window, text.longest_sentence - 1))

    def _scratch(self, thread: int, config: kernels.BlockConfig) -> kernels.Scratch:
        """Allocate the memory of a thread."""
        model = self._settings.model
        frozen = Frozen(self._frozen, self.words.scratch["discarded"][thread][0] if self._frozen.size else 0)
        n_noise = kernels.n_noise_words(config, means=model == "cbow")
        noise = make_noise(n_noise, *self._alias_table) if self._settings.negative else None
        return kernels.make_scratch(
            config,
            means=model == "cbow",
            noise=noise,
            tree=self._tree(thread),
            largest_chunk=LARGEST_CHUNK,
            frozen=frozen,
        )

    def _tree(self, thread: int) -> Tree | None:
        """Make the Huffman tree with the thread's copies of the nodes near the root."""
        if self._paths is None or self.nodes is None:
            return None
        rows, (input_padding_row,) = self.nodes.scratch["local"][thread], self.words.scratch["padding"][thread]
        return Tree(*self._paths, make_local_nodes(len(self.nodes.rows), rows, 1 / self._n_threads, input_padding_row))


def _arrays(parts: Any) -> list[NDArray[Any]]:
    """Collect all arrays in nested tuples."""
    if isinstance(parts, np.ndarray):
        return [parts]
    return [array for part in parts for array in _arrays(part)] if isinstance(parts, tuple) else []


def _random_key(seed: int, *numbers: int) -> np.uint64:
    """Hash the seed, the numbers and their count to 64 bits."""
    return np.random.SeedSequence(seed, spawn_key=numbers).generate_state(1, np.uint64)[0]


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


def block_size(settings: Word2vecSettings, window: int, p_max: float) -> int:
    """Choose the number of centres in a block, small enough for training to be stable.

    A row is updated by the sum of the steps of all (input, output) pairs of a block. With n centres, the most frequent
    word, of probability `p_max`, is in about `n * (window + 1) * (1 + negative) * p_max` pairs, the root of a tree in
    `n * (window + 1)`. Their product with the learning rate must stay below a bound, or training on few words diverges.

    A noise word of skip-gram is scored against all centres, whatever its probability, with a weight of
    `contexts * negative / n_noise`, and a centre moves by `contexts * negative` such steps: where windows are wide, the
    product of both, `lr**2 * n * (contexts * negative)**2 / n_noise`, must stay below a bound. A block of CBOW has
    `CENTRE_STRIDE` tiles, and no such bound, as a centre has one pair.
    """
    used = {"noise": settings.negative > 0, "paths": settings.hs}
    pairs = {"noise": (window + 1) * (1 + settings.negative) * p_max, "paths": window + 1}
    steps = {outputs: settings.lr * n_pairs / _STEP_LIMIT for outputs, n_pairs in pairs.items()}
    if settings.model == "skipgram":
        contexts = window + 1 if settings.window_mode == "dynamic" else 2 * window
        weight = (settings.lr * contexts * settings.negative) ** 2 / N_NOISE["skipgram", False]
        steps["noise"] = max(steps["noise"], weight / _NOISE_LIMIT)
    size = max(n for (model, _), n in BLOCK_CENTRES.items() if model == settings.model)
    for (model, outputs), n_centres in BLOCK_CENTRES.items():
        if model == settings.model and used[outputs]:
            size = min(size, n_centres)
            while size > 1 and size * steps[outputs] > 1:
                size //= 2
    return size if settings.model == "skipgram" else CENTRE_STRIDE * size
