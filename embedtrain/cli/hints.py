"""Hints on usage: the command, argument or option that was probably meant."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Sequence
from difflib import get_close_matches

import click

#: From names of commands and programs of other packages to our commands.
_COMMANDS = {
    **dict.fromkeys(("train", "word2vec", "fasttext", "sgns"), "skipgram"),
    **dict.fromkeys(("nn", "similar", "most-similar", "nearest", "query"), "neighbors"),
    **dict.fromkeys(("word-analogy", "compute-accuracy", "test"), "evaluate"),
    **dict.fromkeys(("vocab-count", "vocabulary"), "vocab"),
    **dict.fromkeys(("export", "print-word-vectors", "save"), "convert"),
    **dict.fromkeys(("doc2vec", "print-sentence-vectors"), "embed"),
}


def unknown_command(name: str, commands: Collection[str]) -> str:
    """The message about an unknown command."""
    plain = name.lower().replace("_", "-")
    if plain in _COMMANDS:
        return f"no such command {name}; use embedtrain {_COMMANDS[plain]}"
    if os.path.exists(name) or re.search(r"[./\\*]", name):
        from embedtrain.formats import is_named_as_vectors

        command = "info" if is_named_as_vectors(name) else "skipgram"
        return f"the first argument must be a command, got {name}; as in: embedtrain {command} {shlex.quote(name)}"
    close = get_close_matches(plain.replace("-", ""), commands, 1)
    return f"no such command {name}; " + (f"use embedtrain {close[0]}" if close else "see embedtrain --help")


def usage_hint(error: click.ClickException) -> str | None:
    """The message about a missing argument, with the example of its command, or an unknown option."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    if ctx is None:
        return None
    if isinstance(error, click.MissingParameter) and error.param is not None:
        example = re.search(r"Example: (.*(?:\n +.*)*)", ctx.command.help or "")
        is_option = isinstance(error.param, click.Option)
        name = f"option {error.param.opts[0]}" if is_option else f"argument {(error.param.name or '').upper()}"
        return f"missing {name}; for example: {' '.join(example[1].split())}" if example else None
    if isinstance(error, click.NoSuchOption):
        return f"no such option {error.option_name}; {_option_hint(error.option_name, error.possibilities, ctx)}"
    return None


def _option_hint(name: str, possibilities: Sequence[str] | None, ctx: click.Context) -> str:
    own = [long for option in ctx.command.params for long in option.opts if long.startswith("--")]
    if name == "-t" and "--sample" in own:
        return "fastText's -t is --sample"
    if re.fullmatch("-[A-Za-z]", name) and (long := [option for option in own if option[2] == name[1]]):
        return f"options have two hyphens: {', '.join(long[:4])}"
    if close := get_close_matches(name, possibilities or (), 1):
        return f"did you mean {close[0]}?"
    if isinstance(ctx.command, click.Group):
        return "options follow the command, as in: embedtrain skipgram corpus.txt --epochs 10"
    if any(param.name == "words" and isinstance(param, click.Argument) for param in ctx.command.params):
        return "a word that begins with - must follow --"
    return f"see {ctx.command_path} --help"
