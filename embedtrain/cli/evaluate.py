"""``embedtrain evaluate``: analogies, and agreement with people on similarity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from embedtrain.cli.asking import json_option, method_option, say_json

if TYPE_CHECKING:
    from embedtrain.vectors.evaluation import AnalogyScore, SectionScore, SimilarityScore

    Answered = list[tuple[str, AnalogyScore]]
    Compared = list[tuple[str, SimilarityScore]]


@click.command(short_help="Evaluate vectors by analogies and similarities.")
@click.argument("file", type=click.Path())
@click.option("--analogies", multiple=True, metavar="PATH", help="Lines of four words, with or without ': section'.")
@click.option("--similarity", multiple=True, metavar="PATH", help="Lines of two words and a score.")
@click.option(
    "--restrict",
    type=click.IntRange(min=1),
    default=300_000,
    show_default=True,
    metavar="N",
    help="Know the first N words only, the most frequent.",
)
@click.option(
    "--case",
    type=click.Choice(["ignore", "exact"]),
    default="ignore",
    show_default=True,
    help="Whether words that differ in case only are the same.",
)
@method_option
@json_option
def evaluate(
    file: str,
    analogies: tuple[str, ...],
    similarity: tuple[str, ...],
    restrict: int,
    case: str,
    method: str,
    as_json: bool,
) -> None:
    """Evaluate the vectors FILE by analogies and by people's judgements of similarity.

    Both options may be given several times; - is standard input. Where gensim is installed, "google" stands for its
    analogies, "wordsim353" and "simlex999" for its judged pairs. Coverage is the share of questions whose words all
    have vectors; only these count.
    """
    from embedtrain.vectors.evaluation import evaluate_analogies, evaluate_similarity
    from embedtrain.vectors.questions import read_analogies, read_pairs
    from embedtrain.vectors.word_vectors import WordVectors

    if not analogies and not similarity:
        raise click.UsageError(
            "name a file with --analogies or --similarity; google, wordsim353 and simlex999 are known"
        )
    questions = [(path, read_analogies(path)) for path in analogies]  # before what takes long
    judged = [(path, read_pairs(path)) for path in similarity]
    vectors = WordVectors.load(file)
    rule: dict[str, Any] = {"restrict": restrict, "ignore_case": case == "ignore"}
    answered = [(path, evaluate_analogies(vectors, asked, method=method, **rule)) for path, asked in questions]
    compared = [(path, evaluate_similarity(vectors, pairs, **rule)) for path, pairs in judged]
    if as_json:
        about = {"file": file, "words": len(vectors), "restrict": restrict, "case": case, "method": method}
        say_json({**about, **_as_objects(answered, compared)})
        return
    cased = "case ignored" if case == "ignore" else "exact case"
    click.echo(f"{file}: the first {min(restrict, len(vectors)):,} of {len(vectors):,} words, {cased}")
    for path, score in answered:
        _say_analogies(path, score, method)
    if compared:
        _say_similarities(compared)


def _say_analogies(path: str, score: AnalogyScore, method: str) -> None:
    sections = [*score.sections, score.total]
    width = max(len(section.name) for section in sections)
    click.echo(f"\n{path}: analogies by {'3CosAdd' if method == 'add' else '3CosMul'}")
    click.echo(f"{'section':{width}}   right   asked     all  accuracy  coverage")
    for section in sections:
        numbers = f"{len(section.right):7,} {section.asked:7,} {section.n_questions:7,}"
        accuracy = "-" if section.accuracy is None else f"{section.accuracy:.2%}"
        click.echo(f"{section.name:{width}} {numbers}  {accuracy:>8}  {section.coverage:>8.2%}")


def _say_similarities(compared: Compared) -> None:
    width = max(len(path) for path, _ in compared)
    click.echo(f"\n{'similarity':{width}}  Spearman  Pearson   known     all  coverage")
    for path, score in compared:
        spearman, pearson = (
            "-" if math.isnan(number) else f"{number:.4f}" for number in (score.spearman, score.pearson)
        )
        numbers = f"{score.n_known:7,} {score.n_pairs:7,}"
        click.echo(f"{path:{width}}  {spearman:>8} {pearson:>8} {numbers}  {score.coverage:>8.2%}")


def _as_objects(answered: Answered, compared: Compared) -> dict[str, Any]:
    return {
        "analogies": [_analogies_as_object(path, score) for path, score in answered],
        "similarity": [_similarity_as_object(path, score) for path, score in compared],
    }


def _analogies_as_object(path: str, score: AnalogyScore) -> dict[str, Any]:
    sections = [_section_as_object(section) for section in score.sections]
    return {"file": path, "sections": sections, "total": _section_as_object(score.total)}


def _section_as_object(section: SectionScore) -> dict[str, Any]:
    return {
        "section": section.name, "right": len(section.right), "asked": section.asked,
        "questions": section.n_questions, "accuracy": section.accuracy, "coverage": section.coverage,
    }  # fmt: skip


def _similarity_as_object(path: str, score: SimilarityScore) -> dict[str, Any]:
    numbers = {name: getattr(score, name) for name in ("spearman", "pearson", "spearman_p", "pearson_p")}
    finite = {name: number if math.isfinite(number) else None for name, number in numbers.items()}
    return {"file": path, **finite, "known": score.n_known, "pairs": score.n_pairs, "coverage": score.coverage}
