"""The tables and workers of GloVe."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.counts.tiles import TILE_CELL_BYTES, build_tiles
from embedtrain.formats.subwords import Subwords
from embedtrain.kernels.glove import train_tile as kernels
from embedtrain.kernels.simd.lanes import padded
from embedtrain.models.glove_settings import GloveSettings
from embedtrain.training.count_data import CountData, source_of
from embedtrain.training.initial_vectors import FROZEN
from embedtrain.training.loss import ChunkResult
from embedtrain.training.run import Run
from embedtrain.training.tables import EmbeddingTable, table_bytes
from embedtrain.training.tile_exchanges import TileExchanges
from embedtrain.training.tile_schedule import Block, Tile, TileSchedule

_BIASES = 2  # elements of a row after the vector: its bias, and a one for the other row's bias
_SAMPLES, _SAMPLE_CELLS = 64, 1 << 12  # cells whose initial cost determines `loss_limit`


def glove_run(settings: GloveSettings, text_or_counts: Any) -> Run:
    """Make the `Run` of GloVe on text or counts."""
    return Run(settings, source_of(text_or_counts, settings), GloveModel)


class GloveModel:
    """Both tables with their biases and sums of AdaGrad, and the tiles of counts.

    Rows of `words` are (w, b, 1), of `contexts` (c, 1, b~), so that their product is w . c + b + b~. Constant elements
    have an infinite sum: the ones, and the vectors of frozen words.
    """

    item_name = "cells"
    check_within_epoch = False  # a tile of frequent words costs more than others
    exchanges = TileExchanges

    def __init__(self, data: CountData, settings: GloveSettings, frozen: NDArray[np.uint8], n_threads: int) -> None:
        n_words, dim = len(data.vocabulary), settings.n_dims
        self._settings, self._width = settings, padded(dim + _BIASES)
        self.words = EmbeddingTable.uniform(n_words, dim + _BIASES, settings.seed)
        self.contexts = EmbeddingTable.uniform(n_words, dim + _BIASES, [settings.seed, 1])
        self.word_sums, self.context_sums = (EmbeddingTable.zeros(n_words, dim + _BIASES) for _ in range(2))
        for table, sums, one in ((self.words, self.word_sums, dim + 1), (self.contexts, self.context_sums, dim)):
            table.rows[:, one] = 1
            sums.flat[:] = 1
            sums.rows[:, one] = np.inf
        if frozen.size:
            self.word_sums.rows[frozen == FROZEN["words"], :dim] = np.inf
            self.context_sums.rows[frozen == FROZEN["contexts"], :dim] = np.inf

        rows = data.take_rows()
        self.loss_limit = 2 * _cost_of_zero_products(rows.values, settings)
        self._tiles = build_tiles(
            *rows, x_max=settings.x_max, alpha=settings.alpha, threads=n_threads, memory=data.spare_bytes,
            folder=data.tiles_folder,
        )  # fmt: skip
        self._ranks = settings.all_ranks
        self.schedule = TileSchedule(self._tiles.sizes, settings.lr, settings.seed, self._ranks.size)
        self.costs: dict[Tile, float] = {}  # of the tiles of this rank in a round

    @classmethod
    def memory(cls, data: CountData, settings: GloveSettings) -> dict[str, int]:
        """Bytes of the tables, the cells, and the sum of two tables."""
        n_words, dim = len(data.vocabulary), settings.n_dims
        needed = {f"four tables of {n_words:,} × {dim}": 4 * table_bytes(n_words, dim + _BIASES)}
        if data.tiles_folder is None:
            needed[f"{data.n_items:,} cells"] = TILE_CELL_BYTES * data.n_items
        if settings.vectors == "sum":
            needed["the sum of two tables"] = 4 * n_words * dim
        return needed

    scratch_bytes = 0

    @property
    def state(self) -> dict[str, NDArray[np.float32]]:
        """Vectors, biases and sums."""
        words, contexts, dim = self.words.rows, self.contexts.rows, self._settings.n_dims
        return {
            "word_vectors": words[:, :dim],
            "context_vectors": contexts[:, :dim],
            "word_biases": words[:, dim],
            "context_biases": contexts[:, dim + 1],
            "word_sums": self.word_sums.rows,
            "context_sums": self.context_sums.rows,
        }

    def vectors(self) -> dict[str, NDArray[np.float32]]:
        """The vectors of the result, and both tables."""
        words, contexts = self.state["word_vectors"], self.state["context_vectors"]
        if self._settings.vectors == "word":
            return {"vectors": words, "context_vectors": contexts}
        chosen = contexts if self._settings.vectors == "context" else words + contexts
        return {"vectors": chosen, "word_vectors": words, "context_vectors": contexts}

    def start_from(self, rows: Sequence[int], subwords: Subwords | None) -> None:
        """Do nothing: words have no subwords."""

    def worker(self, thread: int, text: EncodedCorpus | None = None) -> Callable[[Tile], ChunkResult]:
        """Make the function that trains on a tile."""
        W, W_sums, C, C_sums = (table.flat for table in (self.words, self.word_sums, self.contexts, self.context_sums))

        def train(tile: Tile) -> ChunkResult:
            number = self._tiles.number(tile.row_block, tile.column_block)
            n = int(self.schedule.cells[tile.row_block, tile.column_block])
            if tile.rank != self._ranks.rank:
                return ChunkResult(n, n, 0.0, n, tile.last_lr)
            cells = self._tiles.read(number)
            cost = kernels.train_tile(
                W, W_sums, C, C_sums, cells, *self._tiles.corner(number),
                self._width, np.float32(tile.last_lr),
            )  # fmt: skip
            if self._ranks.size > 1:
                self.costs[tile], cost = cost, 0.0
            return ChunkResult(n, n, cost, n, tile.last_lr)

        return train

    def rows_of(self, block: Block) -> list[NDArray[np.float32]]:
        """The rows of a block in both of its tables."""
        axis, number = block
        is_row = axis == "rows"
        borders = self._tiles.row_borders if is_row else self._tiles.column_borders
        tables = (self.words, self.word_sums) if is_row else (self.contexts, self.context_sums)
        span = slice(borders[number] * self._width, borders[number + 1] * self._width)
        return [table.flat[span] for table in tables]


def _cost_of_zero_products(values: NDArray[np.float32], settings: GloveSettings) -> float:
    """Compute the mean cost of sampled (n_cells,) counts with all products 0, adding 1 to every squared error."""
    begins = np.linspace(0, max(0, len(values) - _SAMPLE_CELLS), _SAMPLES).astype(int).tolist()
    some = np.concatenate([values[begin : begin + _SAMPLE_CELLS] for begin in begins]).astype(np.float64)
    some = some[some > 0]
    if not some.size:  # the sample holds zeros only
        return math.inf
    weights = np.minimum(1, (some / settings.x_max) ** settings.alpha)
    return float((0.5 * weights * (np.log(some) ** 2 + 1)).mean())
