"""``embedtrain phrases``: phrases of a text."""

from __future__ import annotations

import shlex
from typing import Any

import click

from embedtrain.cli.options import GroupedCommand, begin_counting, corpus_options, output_option, settings_options
from embedtrain.cli.saving import folder_beside
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
    from embedtrain.machine.progress import counted, note, say

    corpus, path, _ = begin_counting(options, output, ".phrases", quiet)
    found = PhraseSettings(**options, temp_folder=folder_beside(path)).find(corpus)
    found.save(path)
    say(f"saved    {path}: {counted(len(found), 'phrase')}", shown=not quiet)
    if found:
        say(f"next     embedtrain skipgram CORPUS --phrases {shlex.quote(str(path))}", shown=not quiet, wrap=False)
    else:
        note("no phrase was found; lower `threshold` or `min_count`, or take more text")
