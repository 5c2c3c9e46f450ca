"""Encode the cities of a table: ``pip install ".[sklearn]"``, then ``python examples/table_categories.py``.

Each row is a purchase: a city of 400, a product, a brand and a way of payment, all of which depend on how wealthy the
city is, and a price. Prices are known for 800 rows only. A ridge regression predicts them from one-hot encoded columns,
and from embeddings, which learn from the rows without prices as well which cities are alike.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import OneHotEncoder

from embedtrain.sklearn import CategoryEmbedder

N_CITIES, N_KNOWN, N_TEST = 400, 800, 5000
COLUMNS = {"product": 60, "brand": 30, "payment": 8}


def purchases(n_rows: int, seed: int) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Make a table (n_rows, 4) of categories, and the prices (n_rows,)."""
    generator = np.random.default_rng(seed)
    wealth = generator.normal(size=N_CITIES)
    cities = generator.integers(0, N_CITIES, n_rows)
    columns = [np.char.add("city", cities.astype(str))]
    for name, n_values in COLUMNS.items():
        taste = generator.normal(size=n_values)
        noise = generator.gumbel(size=(n_rows, n_values))  # the largest sum is a draw from the softmax
        values = (wealth[cities, None] * taste + noise).argmax(axis=1)
        columns.append(np.char.add(name, values.astype(str)))
    return np.column_stack(columns), wealth[cities] + 0.5 * generator.normal(size=n_rows)


def main() -> None:
    """Print the coefficient of determination of both regressions."""
    parser = argparse.ArgumentParser(description="Compare one-hot encoding and embeddings of categories.")
    parser.add_argument("--rows", type=int, default=40_000, help="rows of the table [%(default)s]")
    table, prices = purchases(parser.parse_args().rows, seed=1)
    known, test = slice(N_KNOWN), slice(len(table) - N_TEST, None)
    embedder = CategoryEmbedder(dim=10).fit(table)  # prices are not needed
    for name, encoder in {"embeddings": embedder, "one-hot": OneHotEncoder().fit(table)}.items():
        regression = RidgeCV(np.logspace(-2, 4, 13)).fit(encoder.transform(table[known]), prices[known])
        print(f"{regression.score(encoder.transform(table[test]), prices[test]):.3f}  {name}")


if __name__ == "__main__":
    main()
