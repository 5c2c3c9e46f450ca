"""Options that commands share: one name and one meaning everywhere, and an ear for the names of other tools."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

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
        for place, arg in enumerate(args):
            match = _OPTION.fullmatch(arg)
            if not match:
                continue
            dashes, name = match[1], normalize(match[2])
            following = [value for value in args[place + 1 : place + 2] if not value.startswith("-")]
            value = match[3] if match[3] is not None else "".join(following)
            if name in self.refused:
                raise click.UsageError(f"no such option {arg}; {self.refused[name].format(value=value)}", ctx)
            if dashes == "-" and name in names:
                raise click.UsageError(f"no such option {arg}; did you mean {f'--{name} {value}'.rstrip()}?", ctx)
        return super().parse_args(ctx, args)


def training_options(command: _Command) -> _Command:
    """The options of every trainer."""
    options = [
        click.option("-o", "--output", help="Vectors file; default: the corpus' name with .vec, in this folder."),
        click.option("--dim", default=100, show_default=True, help="Dimensions of the vectors."),
        click.option("--min-count", default=5, show_default=True, help="Skip words that occur less often."),
        click.option("--epochs", default=5, show_default=True, help="Passes over the corpus."),
        click.option("--threads", type=int, help="Default, and 0: all. Only with 1 is the result the same every time."),
        click.option("--seed", default=1, show_default=True, help="Seed of all random numbers."),
        click.option(
            "--invalid-utf8", type=click.Choice(["replace", "refuse"]), default="replace", show_default=True,
            help="Bytes that are not UTF-8 become U+FFFD, or an error.",
        ),
        click.option("--quiet", is_flag=True, help="Say nothing but errors."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command
