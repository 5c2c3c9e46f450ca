"""``embedtrain phrases``: phrases of a text."""

from __future__ import annotations

import shlex
from typing import Any

import click

from embedtrain.cli.options import (
    GroupedCommand,
    corpus_options,
    output_option,
    output_path,
    read_corpus,
    set_progress,
    settings_options,
)
from embedtrain.cli.saving import folder_beside
from embedtrain.cli.training import inputs_of
from embedtrain.models.phrases import PhraseSettings


@click.command(cls=GroupedCommand, short_help="Find phrases, such as new york.")
@settings_options(PhraseSettings)
@corpus_options
@output_option("File of phrases; by default the corpus' name with .phrases, here.")
def phrases(output: str | None, quiet: bool, **options: Any) -> None:
    """Find phrases in CORPUS: pairs of words that are adjacent much more often than by chance.

    The file has a phrase a line, with its score, count and pass. All commands that read text join its phrases with
    --phrases.

    Example: embedtrain phrases corpus.txt -o phrases.txt
    """
    from embedtrain.machine.files import check_distinct_paths, require_writable
    from embedtrain.machine.progress import counted, say

    corpus = read_corpus(options)
    set_progress(options, quiet)
    path = output_path(corpus.sources, corpus.files(), output, ".phrases")
    check_distinct_paths({"the corpus": corpus.files(), **inputs_of(options)}, {"-o": path})
    require_writable(path)
    found = PhraseSettings(**options, temp_folder=folder_beside(path)).find(corpus)
    found.save(path)
    say(f"saved    {path}: {counted(len(found), 'phrase')}", shown=not quiet)
    say(f"next     embedtrain skipgram CORPUS --phrases {shlex.quote(str(path))}", shown=not quiet, wrap=False)
