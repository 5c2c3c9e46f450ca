"""What training over ranks costs: a model of words per second, fitted to measurements, for 2 to 32 machines.

    python bench/ranks_cost.py --speed 100e6 --words 1e9 10e9 --tables 800e6 --rows 1000000 --work 0.1

An epoch takes n machines `words / (n * speed)` seconds, and each exchange `work * (1/2 + 1/n) + sent / bandwidth`:
about half of the work on the tables is for all rows, and half for the part of them that a rank combines. A rank sends
the rows that changed, as bfloat16, to the ranks that combine them, and what it combined to all: (n - 1) / n of half the
bytes of the tables, twice, times the share of rows that changed. Rare rows are sent in every fourth exchange only.

The defaults are 2 ranks of one thread on a machine of two cores, 17 million words, two tables of 67,867 × 100, of which
nearly all rows change between two of the 2 exchanges. Measured over shared memory (`ranks_speed.py`), and between two
network namespaces of 1 Gb/s (tc, tbf):

    shared memory  16.7 M words/s measured (median of 11), 16.9 modelled
    1 Gb/s         12.9 M words/s measured (12.8, 12.9, 13.5), 13.2 modelled

Not in the model: latency, waiting for the slowest rank, reading. Work on tables is shared by the threads of a rank.
"""

from __future__ import annotations

import argparse

from embedtrain.training.exchanges import _FREQUENT, _RARELY, n_parts

MACHINES, GIGABITS = (2, 4, 8, 16, 32), (1, 10, 25)


def n_exchanges(n: int, words: float, rows: int) -> float:
    """The exchanges of n machines in an epoch, as if all rows were exchanged every time."""
    parts = n_parts(n, int(words))
    complete = -(-parts // _RARELY)
    return complete + (parts - complete) * min(1, _FREQUENT / rows)


def speed_of(n: int, bandwidth: float, words: float, given: argparse.Namespace) -> float:
    """Words per second of n machines, with so many bytes per second between them."""
    sent = 2 * (n - 1) / n * given.changed * given.tables / 2
    exchange = given.work * (1 / 2 + 1 / n) + sent / bandwidth
    return words / (words / (n * given.speed) + n_exchanges(n, words, given.rows) * exchange)


def main() -> None:
    """Print the model as a table, with the speed relative to one machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", type=float, default=9.3e6, help="words per second of a machine")
    parser.add_argument("--words", type=float, nargs="+", default=[17e6], help="words of an epoch")
    parser.add_argument("--tables", type=float, default=54.3e6, help="bytes of the tables, float32")
    parser.add_argument("--changed", type=float, default=1.0, help="share of rows that change between exchanges")
    parser.add_argument("--rows", type=int, default=67_867, help="of a table")
    parser.add_argument("--work", type=float, default=0.07, help="seconds of an exchange of 2 ranks, without network")
    given = parser.parse_args()
    for words in given.words:
        print(
            f"modelled: {words / 1e6:,.0f} million words an epoch, tables of {given.tables / 1e6:,.0f} MB, "
            f"{given.speed / 1e6:.1f} M words/s a machine"
        )
        print("| machines | no network |", *(f"{gigabits} Gb/s |" for gigabits in GIGABITS))
        print("|---|---|" + "---|" * len(GIGABITS))
        for n in MACHINES:
            speeds = [speed_of(n, gigabits * 1e9 / 8, words, given) for gigabits in (1e9, *GIGABITS)]
            print(f"| {n} |", *(f"{speed / 1e6:.1f} M ({speed / given.speed:.1f}×) |" for speed in speeds))


if __name__ == "__main__":
    main()
