"""What ``embedtrain evaluate --sessions`` prints: how vectors and baselines rank the last items of sessions."""

from __future__ import annotations

import click

from embedtrain.cli.query_options import print_json, show
from embedtrain.vectors.word_vectors import WordVectors


def show_rankings(file: str, vectors: WordVectors, path: str, train: str | None, as_json: bool) -> None:
    """Evaluate the vectors of a file on a file of sessions, and print the figures."""
    from embedtrain.vectors.sessions import evaluate_sessions

    score = evaluate_sessions(vectors, path, train)
    if as_json:
        rankings = [ranking._asdict() for ranking in score.rankings]
        known = {"known": score.n_known, "all": score.n_sessions}
        print_json({"file": file, "words": len(vectors), "sessions": path, **known, "k": 10, "rankings": rankings})
        return
    n_known, n_all = f"{score.n_known:,}", f"{score.n_sessions:,}"
    show(f"{path}: the last items of {n_known} of {n_all} sessions, those whose last two items are known, ranked among")
    show(
        f"{len(vectors):,} items without the one before, repeats allowed; train on all but the last items, min-count 1"
    )
    click.echo("given           method                 HR@10  NDCG@10    MRR  coverage")
    for ranking in score.rankings:
        figures = f"{ranking.hit_rate:5.3f}  {ranking.ndcg:7.3f}  {ranking.mrr:5.3f}  {ranking.coverage:8.1%}"
        click.echo(f"{ranking.query:14}  {ranking.method:21}  {figures}")
