"""What ``embedtrain evaluate --sessions`` prints: how vectors and baselines rank the last items of sessions."""

from __future__ import annotations

import click

from embedtrain.cli.query_options import print_json, show
from embedtrain.vectors.word_vectors import WordVectors


def show_rankings(file: str, vectors: WordVectors, path: str, train: str | None, as_json: bool) -> None:
    """Evaluate the vectors of a file on a file of sessions, and print the figures."""
    from embedtrain.vectors.sessions import evaluate_sessions

    rankings = evaluate_sessions(vectors, path, train)
    if as_json:
        objects = [ranking._asdict() for ranking in rankings]
        print_json({"file": file, "words": len(vectors), "sessions": path, "k": 10, "rankings": objects})
        return
    n_sessions, n_items = f"{rankings[0].n_sessions:,}", f"{len(vectors):,}"
    show(f"{path}: the last items of {n_sessions} sessions, ranked among {n_items} items but the one before, repeats")
    show("allowed; vectors and --train should be of all but the last items, with min-count 1")
    click.echo("given           method                 HR@10  NDCG@10    MRR  coverage")
    for method, query, *figures, coverage, _ in rankings:
        click.echo("{:14}  {:21}  {:.3f}  {:7.3f}  {:.3f}  {:8.1%}".format(query, method, *figures, coverage))
