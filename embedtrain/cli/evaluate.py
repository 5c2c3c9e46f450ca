"""``embedtrain evaluate``: analogies, human similarity scores, sessions of items, labels and edges of graphs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from embedtrain.cli.query_options import COUNT, json_option, method_option, print_json, show, subwords_option, suggest
from embedtrain.machine.progress import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedtrain.vectors.evaluation import AnalogyScore, SectionScore, SimilarityScore
    from embedtrain.vectors.evaluation_files import Pair, Section
    from embedtrain.vectors.word_vectors import WordVectors

_SUBWORDS = "  subwords"  # heading of a column


@click.command(short_help="Evaluate vectors by analogies, similarities, sessions or graphs.")
@click.argument("file", type=click.Path())
@click.argument("more", nargs=-1, metavar="")
@click.option("--analogies", multiple=True, metavar="PATH", help="Lines of four words, with or without ': section'.")
@click.option("--similarity", multiple=True, metavar="PATH", help="Lines of two words and a score.")
@click.option("--sessions", multiple=True, metavar="PATH", help="Sessions of items, one a line or a JSON list a line.")
@click.option("--train", metavar="PATH", help="With --sessions: those trained on, to compare with co-occurrence.")
@click.option("--field", metavar="NAME", help="Field of the items in sessions that are JSON objects.")
@click.option(
    "--restrict", type=COUNT, default=300_000, show_default=True, metavar="N",
    help="Use only the first N words, the most frequent.",
)  # fmt: skip
@click.option(
    "--case", type=click.Choice(["ignore", "exact"]), default="ignore", show_default=True,
    help="Whether words that differ only in case are the same.",
)  # fmt: skip
@click.option("--labels", metavar="PATH", help="Labels of nodes: lines of a node, a tab, comma or space, and labels.")
@click.option(
    "--share", type=float, multiple=True, default=(0.1, 0.5, 0.9), show_default=True,
    help="With --labels: the share of the nodes to train classifiers on; may be given several times.",
)  # fmt: skip
@click.option("--edges", metavar="PATH", help="Held-out edges of a graph, an edge list; with --graph.")
@click.option("--graph", metavar="PATH", help="With --edges: the edges that were trained on.")
@method_option
@subwords_option
@json_option
def evaluate(
    file: str, more: tuple[str, ...], analogies: tuple[str, ...], similarity: tuple[str, ...],
    sessions: tuple[str, ...], train: str | None, field: str | None, restrict: int, case: str, labels: str | None,
    share: tuple[float, ...], edges: str | None, graph: str | None, method: str, no_subwords: bool, as_json: bool,
) -> None:  # fmt: skip
    """Evaluate the vectors FILE by analogies, human similarity scores, sessions of items, or labels or edges of nodes.

    By sessions of items: the rank of the last item, given the item before it, and given all items before. FILE and
    --train should be the sessions without their last items. --restrict and --case are for words only.

    The options may be given several times; - is standard input. If gensim is installed, "google" is its file of
    analogies, "wordsim353" and "simlex999" its scored pairs. Coverage is the share of questions whose words all have
    vectors; only these are scored. The column "subwords" counts those with a word whose vector is that of its n-grams.

    By labels of nodes: logistic regressions on a share of the nodes give each other node as many labels as it has
    (micro and macro F1, means of 5 random divisions; needs scikit-learn). By edges: the cosines of held-out edges
    against those of as many random pairs without an edge (AUC).

    Example: embedtrain evaluate vectors.vec --analogies google
    """
    from embedtrain.vectors.evaluation_files import read_analogies, read_pairs
    from embedtrain.vectors.word_vectors import WordVectors

    _require_files(file, more, train, {"--analogies": analogies, "--similarity": similarity, "--sessions": sessions})
    if (edges is None) != (graph is None):
        raise click.UsageError("--edges and --graph go together: the held-out edges and those that were trained on")
    if not (analogies or similarity or sessions or labels or edges):
        raise click.UsageError(
            "name a file with --analogies, --similarity or --sessions, or of a graph with --labels or --edges; google, "
            "wordsim353 and simlex999 are known"
        )
    questions = [(path, read_analogies(path)) for path in analogies]  # before vectors, which load slowly
    pairs = [(path, read_pairs(path)) for path in similarity]
    vectors = WordVectors.load(file, subwords=not no_subwords)
    for path in sessions:
        _evaluate_sessions(file, vectors, path, train, field, as_json)
    if labels:
        _evaluate_labels(vectors, labels, share, as_json)
    if edges:
        _evaluate_edges(vectors, edges, graph, as_json)
    if questions or pairs:
        _evaluate_words(file, vectors, questions, pairs, restrict, case, method, as_json)


def _evaluate_words(
    file: str, vectors: WordVectors, questions: list[tuple[str, list[Section]]], pairs: list[tuple[str, list[Pair]]],
    restrict: int, case: str, method: str, as_json: bool,
) -> None:  # fmt: skip
    """Evaluate vectors by analogies and human similarity scores, and print the figures."""
    from embedtrain.vectors.evaluation import evaluate_analogies, evaluate_similarity

    rule: dict[str, Any] = {"restrict": restrict, "ignore_case": case == "ignore"}
    accuracies = [(path, evaluate_analogies(vectors, read, method=method, **rule)) for path, read in questions]
    correlations = [(path, evaluate_similarity(vectors, read, **rule)) for path, read in pairs]
    if as_json:
        common = {"file": file, "words": len(vectors), "restrict": restrict, "case": case}
        for path, score in accuracies:
            sections, total = map(_section_as_object, score.sections), _section_as_object(score.total)
            print_json({**common, "analogies": path, "method": method, "sections": list(sections), "total": total})
        for path, correlation in correlations:
            print_json({**common, "similarity": path, **_similarity_as_object(correlation)})
        return
    cased = "case ignored" if case == "ignore" else "exact case"
    show(f"{file}: the first {min(restrict, len(vectors)):,} of {len(vectors):,} words, {cased}")
    for path, score in accuracies:
        _print_analogies(path, score, method)
    if correlations:
        _print_similarities(correlations)


def _evaluate_sessions(
    file: str, vectors: WordVectors, path: str, train: str | None, field: str | None, as_json: bool
) -> None:
    """Print how vectors and baselines rank the last items of sessions."""
    from embedtrain.corpus.sources import Corpus
    from embedtrain.vectors.sessions import evaluate_sessions

    corpora = [Corpus(one, field=field) for one in (path, train) if one is not None]
    for corpus in corpora:
        corpus.require_readable()
    rankings = evaluate_sessions(vectors, *corpora)
    if as_json:
        objects = [ranking._asdict() for ranking in rankings]
        print_json({"file": file, "words": len(vectors), "sessions": path, "k": 10, "rankings": objects})
        return
    n_sessions, n_items = counted(rankings[0].n_sessions, "session"), f"{len(vectors):,}"
    show(f"{path}: the last items of {n_sessions}, ranked among {n_items} items but the one before, repeats")
    show("allowed; vectors and --train should be of all but the last items, with min-count 1")
    click.echo("given           method                 HR@10  NDCG@10    MRR  coverage")
    for method, query, *figures, coverage, _ in rankings:
        click.echo("{:14}  {:21}  {:.3f}  {:7.3f}  {:.3f}  {:8.1%}".format(query, method, *figures, coverage))


def _evaluate_labels(vectors: WordVectors, path: str, shares: Sequence[float], as_json: bool) -> None:
    """Evaluate vectors of nodes by a file of labels, and print the figures."""
    from embedtrain.vectors.node_evaluation import evaluate_labels

    scores = evaluate_labels(vectors, path, shares=shares)
    if as_json:
        print_json({"labels": path, "scores": [score._asdict() for score in scores]})
        return
    show(f"{path}: labels, by logistic regression\ntrained on  micro F1  macro F1")
    for score in scores:
        show(f"{score.share:>10.1%}  {score.micro:>8.4f}  {score.macro:>8.4f}")


def _evaluate_edges(vectors: WordVectors, edges: str, graph: str | None, as_json: bool) -> None:
    """Evaluate vectors of nodes by a file of held-out edges, and print the figure."""
    from embedtrain.vectors.node_evaluation import evaluate_links

    score = evaluate_links(vectors, edges, graph)
    if as_json:
        print_json({"edges": edges, "graph": graph, **score._asdict()})
        return
    show(f"{edges}: {score.n_known:,} of {score.n_edges:,} held-out edges, AUC {score.auc:.4f}")


def _require_files(file: str, more: tuple[str, ...], train: str | None, options: dict[str, tuple[str, ...]]) -> None:
    """Check that files are named with options, and the vectors without one."""
    from embedtrain.formats import is_named_as_vectors

    if more:
        found, questions_file = (more[0], file) if is_named_as_vectors(more[0]) else (file, more[0])
        suggest(f"{more[0]} has no option before it", [found, "--analogies", questions_file])
    for option, paths in options.items():
        if swapped := next(filter(is_named_as_vectors, paths), None):
            suggest(f"{swapped} has the name of a vectors file", [swapped, option, file])
    if train is not None and not options["--sessions"]:
        raise click.UsageError("--train is for --sessions; name the file of test sessions with it")


def _print_analogies(path: str, score: AnalogyScore, method: str) -> None:
    sections = [*score.sections, score.total]
    has_any = score.total.n_subwords > 0
    width = max(len(section.name) for section in sections)
    show("")
    show(f"{path}: analogies by {'3CosAdd' if method == 'add' else '3CosMul'}")
    click.echo(f"{'section':{width}}   right   known     all  accuracy  coverage{_SUBWORDS * has_any}")
    for section in sections:
        numbers = f"{len(section.right):7,} {section.n_known:7,} {section.n_questions:7,}"
        accuracy = "-" if section.accuracy is None else f"{section.accuracy:.2%}"
        show(f"{section.name:{width}} {numbers}  {accuracy:>8}  {_coverage(section, has_any)}")


def _print_similarities(correlations: list[tuple[str, SimilarityScore]]) -> None:
    width = max(len(path) for path, _ in correlations)
    has_any = any(score.n_subwords for _, score in correlations)
    click.echo(f"\n{'similarity':{width}}  Spearman  Pearson   known     all  coverage{_SUBWORDS * has_any}")
    for path, score in correlations:
        both = score.spearman, score.pearson
        spearman, pearson = ("-" if math.isnan(number) else f"{number:.4f}" for number in both)
        numbers = f"{score.n_known:7,} {score.n_pairs:7,}"
        show(f"{path:{width}}  {spearman:>8} {pearson:>8} {numbers}  {_coverage(score, has_any)}")


def _coverage(score: SectionScore | SimilarityScore, has_subwords: bool) -> str:
    """The last columns."""
    return f"{score.coverage:>8.2%}" + (f"{score.n_subwords:{len(_SUBWORDS)},}" if has_subwords else "")


def _section_as_object(section: SectionScore) -> dict[str, Any]:
    return {
        "section": section.name, "right": len(section.right), "known": section.n_known,
        "questions": section.n_questions, "subwords": section.n_subwords, "accuracy": section.accuracy,
        "coverage": section.coverage,
    }  # fmt: skip


def _similarity_as_object(score: SimilarityScore) -> dict[str, Any]:
    numbers = {name.removeprefix("n_"): number for name, number in vars(score).items()} | {"coverage": score.coverage}
    return {name: number if math.isfinite(number) else None for name, number in numbers.items()}
