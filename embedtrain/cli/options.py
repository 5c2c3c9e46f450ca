"""Options that commands share: one name and one meaning everywhere, and an ear for the names of other tools."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from embedtrain.corpus.sources import Corpus

_Command = TypeVar("_Command", bound=Callable[..., Any])

#: What word2vec.c, gensim, fastText, GloVe and finalfrontier call our options.
_ALIASES = {
    "size": "dim",
    "dims": "dim",
    "vector-size": "dim",
    "ws": "window",
    "window-size": "window",
    "context": "window",
    "neg": "negative",
    "ns-exponent": "noise-exponent",
    "mincount": "min-count",
    "minCount": "min-count",
    "iter": "epochs",
    "epoch": "epochs",
    "workers": "threads",
    "thread": "threads",
    "eta": "lr",
}
_OPTION = re.compile(r"(--?)([A-Za-z][\w-]+)(?:=(.*))?")


def normalize(name: str) -> str:
    """Our name for an option."""
    name = name.replace("_", "-")
    return _ALIASES.get(name, name)


class Exactly(click.Choice[str]):
    """A choice of words, none of which is the name of an option, whatever other tools call theirs."""

    def normalize_choice(self, choice: Any, ctx: click.Context | None) -> str:
        """The word as it is."""
        return str(choice)


class TrainingCommand(click.Command):
    """A command that knows what other tools' options mean, ``-size 200`` or ``--alpha``, and says what to use.

    Parameters
    ----------
    refused : mapping of str to str
        Options that this command does not take, with the remedy, in which ``{value}`` is what was given.
    """

    def __init__(self, *args: Any, refused: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refused = refused

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, after a look for what cannot be meant."""
        names = {name.removeprefix("--") for option in self.params for name in option.opts}
        flags = {option.name for option in self.params if isinstance(option, click.Option) and option.is_flag}
        for place, arg in enumerate(args):
            match = _OPTION.fullmatch(arg)
            if not match:
                continue
            dashes, name = match[1], normalize(match[2])
            following = [value for value in args[place + 1 : place + 2] if not value.startswith("-")]
            value = match[3] if match[3] is not None else "".join(following)
            if name in self.refused:
                remedy = self.refused[name].format(value=value, command=self.name)
                raise click.UsageError(f"no such option {arg}; {remedy}", ctx)
            if dashes == "-" and name in names:
                value = "" if name in flags else value
                raise click.UsageError(f"no such option {arg}; did you mean {f'--{name} {value}'.rstrip()}?", ctx)
        return super().parse_args(ctx, args)


def corpus_options(command: _Command) -> _Command:
    """The argument and options of every command that reads text."""
    return _with(
        command,
        click.argument("corpus", nargs=-1, required=True, type=click.Path()),
        click.option("--field", help="Read JSON lines, and the text from this field; default of .jsonl files: text."),
        click.option("--lowercase", is_flag=True, help="Words that differ only in case are the same."),
        click.option(
            "--invalid-utf8", type=click.Choice(["replace", "refuse"]), default="replace", show_default=True,
            help="Bytes that are not UTF-8 become U+FFFD, or an error.",
        ),
        click.option("--cache", metavar="FOLDER", help="Keep the encoded corpus there; the next run need not read it."),
        click.option("--min-count", default=5, show_default=True, help="Skip words that occur less often."),
        click.option("--max-vocab", type=int, help="Keep only so many words, the most frequent."),
        click.option("--quiet", is_flag=True, help="Say nothing but errors."),
    )  # fmt: skip


def vocabulary_options(command: _Command) -> _Command:
    """The options of every command that chooses words and uses them."""
    return _with(
        command,
        click.option("--read-vocab", metavar="FILE", help='Take words and counts from lines "word count".'),
        click.option("--save-vocab", metavar="FILE", help="Write words and counts there."),
    )


def threads_option(command: _Command, help: str = "Default, and 0: all.") -> _Command:
    """How many threads."""
    return click.option("--threads", type=int, help=help)(command)


def counting_options(command: _Command) -> _Command:
    """The options of every command that counts co-occurrences."""
    return _with(
        command,
        click.option("--window", default=10, show_default=True, help="Words before and after a word that count."),
        click.option(
            "--weighting", type=click.Choice(["distance", "uniform"]), default="distance", show_default=True,
            help="Whether a pair counts 1 / distance, or 1.",
        ),
        click.option(
            "--symmetric/--left-only", default=True, show_default=True,
            help="Whether words after a word count too, or only those before it.",
        ),
        click.option(
            "--memory", metavar="SIZE",
            help="What counts may take, as 500M or 4G; the rest is in temporary files. Default: half of what is free.",
        ),
    )  # fmt: skip


def word2vec_options(command: _Command) -> _Command:
    """The options of skip-gram and CBOW, but for the learning rate."""
    return _with(
        held_out_options(command),
        click.option(
            "--window", default=5, show_default=True, help="Words before and after a word that are its contexts."
        ),
        click.option(
            "--window-mode", type=click.Choice(["dynamic", "fixed"]), default="dynamic", show_default=True,
            help="Each word draws its window from 1 to --window, or always takes it whole.",
        ),
        click.option(
            "--negative", default=5, show_default=True,
            help="Noise words for each question; 0 leaves negative sampling out, with --hs.",
        ),
        click.option("--hs", is_flag=True, help="Train by hierarchical softmax, too; alone with --negative 0."),
        click.option(
            "--noise-exponent", default=0.75, show_default=True,
            help="Noise words are drawn in proportion to count ** exponent.",
        ),
        click.option(
            "--sample", default=1e-3, show_default=True, help="Subsample words more frequent than about this; 0: none."
        ),
    )  # fmt: skip


def held_out_options(command: _Command) -> _Command:
    """The options of every trainer that can take the loss on text."""
    return _with(
        command,
        click.option("--valid", metavar="FILE", help="Held-out text: take the loss on it after every epoch."),
        click.option("--valid-share", default=0.0, help="Instead, hold out this share of the corpus; 0.01 is usual."),
        click.option("--patience", type=int, help="Stop after so many epochs without a lower held-out loss."),
    )


def training_options(
    *, epochs: int, threads: str = "Default, and 0: all. Only with 1 is the result the same every time."
) -> Callable[[_Command], _Command]:
    """The options of every trainer, those of `corpus_options` among them."""

    def add(command: _Command) -> _Command:
        command = _with(
            command,
            click.option("--dim", default=100, show_default=True, help="Dimensions of the vectors."),
            click.option("--epochs", default=epochs, show_default=True, help="Passes over the corpus."),
            click.option("--seed", default=1, show_default=True, help="Seed of all random numbers."),
            click.option("--init", metavar="VECTORS", help="Start from these vectors, for the words they have."),
            click.option("--freeze", is_flag=True, help="Leave those as they are, and train the others."),
            click.option("--checkpoint", metavar="FILE", help="Write the state of the run there, to survive a crash."),
            click.option(
                "--checkpoint-every", default=10.0, show_default=True, metavar="MINUTES",
                help="How often.",
            ),
            click.option("--resume", metavar="FILE", help="Go on from a checkpoint, with its settings; keep it."),
            click.option("--log", metavar="FILE", help="Write a line of JSON there for every epoch."),
            click.option("--dry-run", is_flag=True, help="Read the corpus, say what training would take, and stop."),
        )  # fmt: skip
        saved = click.option(
            "-o", "--output", help="Vectors file; default: the corpus' name with .vec, in this folder."
        )
        return corpus_options(saved(threads_option(vocabulary_options(command), threads)))

    return add


def _with(command: _Command, *options: Callable[[_Command], _Command]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


def read_corpus(settings: dict[str, Any]) -> Corpus:
    """The corpus that a command is given, which leaves its other settings; it can be read."""
    from embedtrain.corpus.sources import Corpus

    how = {name: settings.pop(name) for name in ("field", "lowercase", "invalid_utf8")}
    corpus = Corpus(*settings.pop("corpus"), **how)
    corpus.require_readable()
    return corpus


def output_path(sources: Sequence[Any], files: Sequence[Any], output: str | None, suffix: str) -> Path:
    """Where the result goes: by default, the name of the source with another suffix, in the current folder.

    It must be none of the `files` that are read.
    """
    from embedtrain.corpus import json_lines
    from embedtrain.machine import compression

    if output is None:
        source = str(sources[0])
        name = compression.plain_name(Path(os.path.abspath(source)).name)
        if name.lower().endswith((".txt", ".npz", ".bin", *json_lines.SUFFIXES)):
            name = os.path.splitext(name)[0]
        named = len(sources) == 1 and source != "-" and os.path.exists(source) and name
        output = (name if named else "vectors") + suffix
    if output == "-":
        raise click.UsageError("the output is a file, not standard output; name one with -o")
    if os.path.realpath(output) in map(os.path.realpath, files):
        raise click.UsageError(f"the output would replace the corpus {output}; name another file with -o")
    if output.lower().endswith((".zip", *compression.SUFFIXES)):
        raise click.UsageError(f"output is written as plain text, not {Path(output).suffix}; name another file with -o")
    return Path(output)
