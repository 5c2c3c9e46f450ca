"""How the changes that N ranks make to a row combine: the accuracy of rules, simulated in one process.

    python bench/ranks.py text8.xz --data eval --ranks 1 8 64 --rules touched saturating:0.3 directions --seeds 1 2

Ranks train in turn from common tables; then the sum of their changes is weighted by a rule and added to the tables.
Prints analogies, WordSim-353, SimLex-999 and held-out loss after each case.

Found on 17 million words, 5 epochs; tables of rules and ranks are in docs/ranks.md. No weight of a whole row will do,
as a row overshoots along few directions, the leading eigenvectors of the second moment of the rows that it is scored
with, and has to be summed along the others. Words respond together to contexts, and even more to nodes near the root,
which each rank has moved too; so what a common force moves is averaged (N = 64, an earlier form: 0.371 0.629 0.330
2.324, without 0.349 0.495 0.274 2.346). Rarer rows more rarely (tiers) cost analogies (N = 8: 0.314 0.615 0.297
2.339).

Steps are those that each rank made, since text comes in bursts: with expected steps, a word that one rank alone has
seen was made smaller. The slope, the mean derivative of the sigmoid, is 0.1 as measured along the common directions
(N = 8, seeds 1 to 3, 0.367 0.682 0.299 2.319; 0.075: 0.369 0.689 0.298 2.318; 0.05, seed 1: 0.374 0.691 0.288 2.416).

The order of the text matters as much as ranks: one rank on six other orders of its lines has 0.370 to 0.383 in
analogies. Ranks that read their shares in order had 0.371 0.678 0.302 2.314 (N = 8, 28 exchanges, ten seeds; on the
six other orders 0.360 to 0.380), all ranks in the same region of the text 0.357. So each rank shuffles its chunks, by
the seed, and ten seeds are ten orders. Chunks must not be small if ranks are many: N = 64, seed 1, 1,024 words: 0.321
0.613 0.304 2.339 (in order 0.362 0.682 0.290 2.325; with 128 exchanges 0.358 0.667 0.300 2.322), for a reason that
was not found. Exchanges: N = 8 with 14, 0.368 0.680 0.303 2.318; with 64, in order, 0.373 0.678 0.296 2.315; N = 4
with 6, 0.361 0.665 0.311 2.321 (12: 0.372 0.673 0.308 2.316); seeds 1 to 3.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from quality import evaluate as score
from text import cut_into_lines

from embedtrain.kernels.compilation import kernel
from embedtrain.kernels.simd.lanes import CACHE_LINE, aligned_zeros
from embedtrain.machine.threads import run_tasks
from embedtrain.models.cbow import Cbow
from embedtrain.models.skipgram import SkipGram
from embedtrain.models.word2vec_model import Word2vecModel, word2vec_run
from embedtrain.training.chunk_schedule import LARGEST_CHUNK, Chunk, linear_decay, plan_chunks
from embedtrain.training.exchanges import Pull, Steps, combined, n_parts, saturated
from embedtrain.training.loop import evaluate
from embedtrain.training.tables import EmbeddingTable

MODELS: Any = {"skipgram": SkipGram, "cbow": Cbow, "skipgram-hs": partial(SkipGram, hs=True, negative=0)}
THREADS, BLOCK = 2, 512  # rows


@kernel
def take_changes(rows, base, width, sums, squares, touched):
    """Add what a rank has changed in its rows to the sums, and set the rows back to the base."""
    for row in range(touched.size):
        at, changed = row * width, False
        for j in range(at, at + CACHE_LINE):
            changed |= rows[j] != base[j]
        if changed:
            touched[row] += 1
            square = np.float32(0)
            for j in range(at, at + width):
                delta = rows[j] - base[j]
                sums[j] += delta
                square += delta * delta
                rows[j] = base[j]
            squares[row] += square


class Case(NamedTuple):
    """What is simulated."""

    model: str
    ranks: int
    rule: str
    pull: float  # of "saturating"
    exchanges: int  # in an epoch
    seed: int


class Table:
    """A table with a copy for each of `THREADS` threads, which simulate ranks in turn."""

    def __init__(self, table: EmbeddingTable) -> None:
        (self.n_rows, self.dim), self.width = table.rows.shape, table.rows.strides[0] // 4
        self.base, size = table.flat.copy(), len(table.flat)
        self.copies, self.sums = (aligned_zeros(THREADS * size).reshape(THREADS, size) for _ in range(2))
        self.copies[:] = table.flat
        self.squares, self.touched = (np.zeros((THREADS, self.n_rows), np.float32) for _ in range(2))

    def view(self, flat: NDArray[np.float32]) -> NDArray[np.float32]:
        """The rows of a copy."""
        return flat[: self.n_rows * self.width].reshape(-1, self.width)[:, : self.dim]

    def exchange(self, case: Case, own_steps: list[NDArray[np.float64]], moment: NDArray[np.float64]) -> None:
        """Combine what the ranks changed in so many steps of each, (n_rows,)."""
        total = sum(own_steps)
        pull, frequent, mean = Pull.of(moment), np.argsort(-total)[:20_000], total / case.ranks
        steps = Steps.of(total, sum(own**2 for own in own_steps))
        common = pull.common(sum(self.view(sums)[frequent] for sums in self.sums), steps.of_rows(frequent))
        share = saturated(mean @ mean / max(mean.sum(), 1e-30) * pull.values[-1] + 1e-4, case.ranks)

        def work(begin: int) -> None:
            part = slice(begin, begin + BLOCK)
            total = sum(self.view(sums)[part] for sums in self.sums)
            if case.rule == "mean":
                total /= case.ranks
            elif case.rule == "touched":
                total /= np.maximum(1, self.touched[:, part].sum(axis=0))[:, None]
            elif case.rule == "parallel":  # divided by 1 if changes are orthogonal, by their number if they are equal
                squares = np.maximum((total**2).sum(axis=1), np.float32(1e-30))
                total *= (self.squares[:, part].sum(axis=0) / squares).clip(1 / case.ranks, 1)[:, None]
            elif case.rule == "saturating":
                a = np.maximum(case.pull * mean[part, None], 1e-9)
                total *= (np.expm1(-case.ranks * a) / np.expm1(-a) / case.ranks).astype(np.float32)
            elif case.rule == "directions":
                total = combined(total, steps.of_rows(part), pull, common, share)
            base = self.view(self.base)[part]
            base += total
            for thread in range(THREADS):
                self.view(self.copies[thread])[part] = base
                self.view(self.sums[thread])[part] = 0

        for _ in run_tasks([work] * THREADS, range(0, self.n_rows, BLOCK)):
            pass
        self.squares[:], self.touched[:] = 0, 0


def simulate(case: Case, data: Any, settings: Any, folder: Path) -> list[float]:
    """Train, and return the scores and the held-out loss."""
    model = Word2vecModel(data, settings, np.zeros(0, np.uint8), 1)
    tables, workers = make_tables(model, case.ranks)
    steps = model.expected_steps()
    n_tokens, n_parts = len(data.training.ids), case.exchanges

    def train(thread: int) -> None:
        for rank in range(thread, case.ranks, THREADS):
            for chunk in chunks(case, epoch, part, rank, n_tokens, settings):
                workers[rank](chunk)
            for table in tables.values():
                sums = (kept[thread] for kept in (table.sums, table.squares, table.touched))
                take_changes(table.copies[thread], table.base, table.width, *sums)

    for number in range(settings.epochs * n_parts):
        epoch, part = divmod(number, n_parts)
        for _ in run_tasks([train] * THREADS, range(THREADS)):
            pass
        if not np.isfinite(model.words.rows).all():
            return [np.nan] * 4
        lr, moments = linear_decay(settings.lr, number / n_parts / settings.epochs), model.second_moments(steps)
        parts = [chunks(case, epoch, part, rank, n_tokens, settings) for rank in range(case.ranks)]
        own_steps = [model.expected_steps(of_rank) for of_rank in parts]
        for name, table in tables.items():
            table.exchange(case, [lr * own[name] for own in own_steps], moments[name])
    loss = evaluate([model.worker(0, data.held_out)], len(data.held_out.ids), epochs=settings.epochs)
    return [*score(data.vocabulary.words, model.words.rows, folder)[::2], loss]


def chunks(case: Case, epoch: int, part: int, rank: int, n_tokens: int, settings: Any) -> list[Chunk]:
    """The chunks of a part of an epoch of a rank, with the learning rate of the progress in its share."""
    first, n_items = n_tokens * rank // case.ranks, n_tokens // case.ranks
    shuffle = f"{case.seed} {rank}" * (case.ranks > 1)
    plan = plan_chunks(n_items, epoch, settings.epochs, settings.lr, LARGEST_CHUNK, shuffle)
    begin, end = (len(plan) * k // case.exchanges for k in (part, part + 1))
    return [Chunk(epoch, rank << 16 | n, first + x, first + y, *lrs) for _, n, x, y, *lrs in plan[begin:end]]


def make_tables(model: Word2vecModel, n_ranks: int) -> tuple[dict[str, Table], list[Any]]:
    """Make the tables and the worker of each rank; the model is then that of the first thread."""
    found = {name: getattr(model, name) for name in ("words", "contexts", "nodes")}
    tables = {name: Table(table) for name, table in found.items() if table is not None}
    workers = []
    for rank in reversed(range(n_ranks)):
        for name, table in tables.items():
            flat = table.copies[rank % THREADS]
            setattr(model, name, EmbeddingTable(flat, table.view(flat), found[name].scratch))
        workers.append(model.worker(0))
    return {f"{name[:-1]}_vectors": table for name, table in tables.items()}, workers[::-1]


def main() -> None:
    """Simulate all cases, and print the scores of each: analogies, WordSim-353, SimLex-999, held-out loss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--data", type=Path, default=Path("eval"))
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--model", choices=MODELS, default="skipgram")
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--rules", nargs="+", default=["directions"], help="mean, touched, sum, parallel, saturating:X")
    parser.add_argument("--exchanges", type=int, help="in an epoch (default: as many as embedtrain makes)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    given = parser.parse_args()
    settings = MODELS[given.model](sample=1e-4, valid_share=0.01, cache=given.work, progress="none")
    data: Any = word2vec_run(settings, cut_into_lines(given.text, given.work)).read()
    data = data._replace(vocabulary=data.vocabulary.unpacked())
    for seed, ranks, rule in product(given.seeds, given.ranks, given.rules):
        name, _, pull = rule.partition(":")
        case = Case(given.model, ranks, name, float(pull or 1), given.exchanges or n_parts(ranks), seed)
        scores = simulate(case, data, replace(settings, seed=seed), given.data)
        print(*case, *(f"{score:.4f}" for score in scores), flush=True)


if __name__ == "__main__":
    main()
