"""How the changes that N ranks make to a row combine: the accuracy of rules, simulated in one process.

    python bench/ranks.py text8.xz --data eval --ranks 1 8 64 --rules touched saturating:0.3 directions --seeds 1 2

Each rank trains its copy of the tables; then the sum of their changes is weighted by a rule and added to the copies.
Prints analogies, WordSim-353, SimLex-999 and held-out loss after each case.

Found on 17 million words, 5 epochs; tables of rules and ranks are in docs/ranks.md. No weight of a whole row will do,
as a row overshoots along few directions, the leading eigenvectors of the second moment of the rows that it is scored
with, and has to be summed along the others. Words respond together to contexts, and even more to nodes near the root,
which each rank has moved too; so what a common force moves is averaged, the sooner as the rows of both tables move
(N = 64, seed 1: 0.377 0.685 0.312 2.317; with the steps of one table 0.372 0.680 0.315 2.323; always averaged 0.387
0.675 0.303 2.316, but on a small text, where vectors still grow, 3 ranks then have a loss of 3.32 instead of 2.98).

Steps are those that each rank made, since text comes in bursts: with expected steps, a word that one rank alone has
seen was made smaller. The slope, the mean derivative of the sigmoid, tells how soon a change is averaged. Negative
sampling: 0.1, as measured along common directions (N = 8, seeds 1 to 3, 0.367 0.682 0.299 2.319; 0.075: 0.369 0.689
0.298 2.318; 0.05, seed 1: 0.374 0.691 0.288 2.416). Contexts of CBOW, which are scored with means of words, N = 8,
seeds 1 and 2: 0.1, 0.357 0.667 0.293 1.847; 0.05, 0.359 0.675 0.295 1.843; 0.03, 0.363 0.679 0.299 1.844; 0.02, 0.358
0.677 0.300 1.850 (one rank 0.367 0.678 0.297 1.845; the corrected update and hierarchical softmax do not need it).
Words and nodes of hierarchical softmax are at 0.19 and 0.21 when measured; N = 8, seed 1: 0.1 and 0.1, 0.364 0.622
0.277 8.729; 0.2 and 0.2, 0.399 0.620 0.276 8.718; 0.2 and 0.15, 0.380 0.658 0.280 8.717; 0.2 and 0.12, 0.369 0.671
0.279 8.720 (one rank 0.358 0.671 0.278 8.730). With the first two pairs of slopes the mean of all words becomes twice
as long.

Rows after the 20,000 most frequent are exchanged every fourth time, seeds 1 to 3: N = 8, 0.373 0.680 0.310 2.316 (all
every time 0.374 0.680 0.310 2.316); N = 2, 0.368 0.669 0.304 2.317 (0.369 0.672 0.302 2.316). After the 5,000 most
frequent: N = 8, seeds 1 and 2, 0.373 0.682 0.307 2.320 (20,000: 0.376 0.682 0.308 2.318).

The order of the text matters as much as ranks: one rank on six other orders of its lines has 0.370 to 0.383 in
analogies. Ranks that read their shares in order had 0.371 0.678 0.302 2.314 (N = 8, 28 exchanges, ten seeds; on the six
other orders 0.360 to 0.380), all ranks in the same region of the text 0.357. So each rank shuffles its chunks, by the
seed, and ten seeds are ten orders. Chunks must not be small if ranks are many: N = 64, seed 1, 1,024 words: 0.321 0.613
0.304 2.339 (in order 0.362 0.682 0.290 2.325; with 128 exchanges 0.358 0.667 0.300 2.322), for a reason that was not
found. Exchanges: N = 8 with 14, 0.368 0.680 0.303 2.318; with 64, in order, 0.373 0.678 0.296 2.315; N = 2 with 8,
0.370 0.677 0.306 2.316 (2: 0.364 0.667 0.302 2.317); N = 4 with 6, 0.361 0.665 0.311 2.321 (12: 0.372 0.673 0.308
2.316); seeds 1 to 3.

Long parts lose more. The same text ten times, one epoch, `--min-count 50`, N = 2, seed 1: 2 exchanges 0.392 0.684 0.307
2.245; 8, 0.404 0.678 0.300 2.211; 20, 0.412 0.681 0.298 2.208 (one rank 0.421 0.679 0.300 2.205).
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

from embedtrain.machine.threads import run_tasks
from embedtrain.models.cbow import Cbow
from embedtrain.models.skipgram import SkipGram
from embedtrain.models.word2vec_model import Word2vecModel, word2vec_run
from embedtrain.training.chunk_schedule import LARGEST_CHUNK, Chunk, linear_decay, plan_chunks
from embedtrain.training.combining import Curvature, Steps, combined, force_share
from embedtrain.training.exchanges import _FREQUENT, _RARELY, n_parts
from embedtrain.training.loop import evaluate
from embedtrain.training.tables import EmbeddingTable

MODELS: Any = {"skipgram": SkipGram, "cbow": Cbow, "skipgram-hs": partial(SkipGram, hs=True, negative=0)}
THREADS, BLOCK = 2, 512  # rows


class Case(NamedTuple):
    """What is simulated."""

    model: str
    ranks: int
    rule: str
    pull: float  # of "saturating"
    exchanges: int  # in an epoch
    seed: int


class Table:
    """A table with a copy for each rank."""

    def __init__(self, table: EmbeddingTable, steps: NDArray[np.float64], n_ranks: int) -> None:
        (self.n_rows, self.dim), self.width = table.rows.shape, table.rows.strides[0] // 4
        self.base, self.copies = table.flat.copy(), [np.copy(table.flat) for _ in range(n_ranks)]
        self.order, self.steps = np.argsort(-steps, kind="stable"), np.zeros((n_ranks, self.n_rows))

    def view(self, flat: NDArray[np.float32]) -> NDArray[np.float32]:
        """The rows of a copy."""
        return flat[: self.n_rows * self.width].reshape(-1, self.width)[:, : self.dim]

    def exchange(self, case: Case, own_steps: NDArray[np.float64], curvature: Curvature, n_due: int | None) -> None:
        """Combine what the ranks changed in the most frequent rows in so many steps of each, (n_ranks, n_rows)."""
        self.steps += own_steps
        mean, steps = self.steps.mean(axis=0), Steps.of(self.steps.sum(axis=0), (self.steps**2).sum(axis=0))
        base, copies = self.view(self.base), [self.view(flat) for flat in self.copies]
        due, frequent = self.order[:n_due], self.order[:_FREQUENT]
        share = force_share(self.steps[:, frequent].sum(axis=0), curvature, case.ranks)
        common = curvature.common(sum(rows[frequent] - base[frequent] for rows in copies), steps.of_rows(frequent))

        def work(begin: int) -> None:
            part = due[begin : begin + BLOCK]
            changes = [rows[part] - base[part] for rows in copies]
            total = sum(changes)
            if case.rule == "mean":
                total /= case.ranks
            elif case.rule == "touched":
                total /= np.maximum(1, sum(change.any(axis=1) for change in changes))[:, None]
            elif case.rule == "parallel":  # divided by 1 if changes are orthogonal, by their number if they are equal
                squares = sum((change**2).sum(axis=1) for change in changes)
                total *= (squares / np.maximum((total**2).sum(axis=1), 1e-30)).clip(1 / case.ranks, 1)[:, None]
            elif case.rule == "saturating":
                a = np.maximum(case.pull * mean[part, None], 1e-9)
                total *= (np.expm1(-case.ranks * a) / np.expm1(-a) / case.ranks).astype(np.float32)
            elif case.rule == "directions":
                weights, more = combined(total, steps.of_rows(part), curvature, common, share)
                total = weights[:, None] * total + more
            total += base[part]
            for rows in (base, *copies):
                rows[part] = total

        for _ in run_tasks([work] * THREADS, range(0, len(due), BLOCK)):
            pass
        self.steps[:, due] = 0


def simulate(case: Case, data: Any, settings: Any, folder: Path) -> list[float]:
    """Train, and return the scores and the held-out loss."""
    model = Word2vecModel(data, settings, np.zeros(0, np.uint8), 1)
    steps = model.expected_steps()
    tables, workers = make_tables(model, steps, case.ranks)
    n_tokens, n_parts = len(data.training.ids), case.exchanges

    def train(thread: int) -> None:
        for rank in range(thread, case.ranks, THREADS):
            for chunk in chunks(case, epoch, part, rank, n_tokens, settings):
                workers[rank](chunk)

    for number in range(settings.epochs * n_parts):
        epoch, part = divmod(number, n_parts)
        for _ in run_tasks([train] * THREADS, range(THREADS)):
            pass
        if not np.isfinite(model.words.rows).all():
            return [np.nan] * 4
        lr, found = linear_decay(settings.lr, number / n_parts / settings.epochs), model.curvatures(steps)
        parts = [chunks(case, epoch, part, rank, n_tokens, settings) for rank in range(case.ranks)]
        own_steps = [model.expected_steps(of_rank) for of_rank in parts]
        for name, table in tables.items():
            n_due = _FREQUENT if case.rule == "directions" and (part + 1) % _RARELY and part + 1 < n_parts else None
            table.exchange(case, lr * np.stack([own[name] for own in own_steps]), Curvature.of(found[name]), n_due)
    loss = evaluate([model.worker(0, data.held_out)], len(data.held_out.ids), epochs=settings.epochs)
    return [*score(data.vocabulary.words, model.words.rows, folder)[::2], loss]


def chunks(case: Case, epoch: int, part: int, rank: int, n_tokens: int, settings: Any) -> list[Chunk]:
    """The chunks of a part of an epoch of a rank, with the learning rate of the progress in its share."""
    first, n_items = n_tokens * rank // case.ranks, n_tokens // case.ranks
    shuffle = f"{case.seed} {rank}" * (case.ranks > 1)
    plan = plan_chunks(n_items, epoch, settings.epochs, settings.lr, LARGEST_CHUNK, shuffle)
    begin, end = (len(plan) * k // case.exchanges for k in (part, part + 1))
    return [Chunk(epoch, rank << 16 | n, first + x, first + y, *lrs) for _, n, x, y, *lrs in plan[begin:end]]


def make_tables(
    model: Word2vecModel, steps: dict[str, NDArray[np.float64]], n_ranks: int
) -> tuple[dict[str, Table], list[Any]]:
    """Make the tables and the worker of each rank; the model is then that of the first one."""
    found = {name: getattr(model, name) for name in ("words", "contexts", "nodes")}
    tables = {
        name: Table(table, steps[f"{name[:-1]}_vectors"], n_ranks) for name, table in found.items() if table is not None
    }
    workers = []
    for rank in reversed(range(n_ranks)):
        for name, table in tables.items():
            flat = table.copies[rank]
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
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--min-count", type=int, default=5)
    given = parser.parse_args()
    settings = MODELS[given.model](
        epochs=given.epochs, min_count=given.min_count, sample=1e-4, valid_share=0.01, cache=given.work, progress="none"
    )
    data: Any = word2vec_run(settings, cut_into_lines(given.text, given.work)).read()
    data = data._replace(vocabulary=data.vocabulary.unpacked())
    for seed, ranks, rule in product(given.seeds, given.ranks, given.rules):
        name, _, pull = rule.partition(":")
        case = Case(
            given.model, ranks, name, float(pull or 1), given.exchanges or n_parts(ranks, len(data.training.ids)), seed
        )
        scores = simulate(case, data, replace(settings, seed=seed), given.data)
        print(*case, *(f"{score:.4f}" for score in scores), flush=True)


if __name__ == "__main__":
    main()
