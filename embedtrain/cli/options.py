"""Options that commands share: one name and one meaning everywhere, and an ear for the names of other tools."""

from __future__ import annotations

import re
from collections.abc import Callable
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
    "train": "corpus",
}
_SINGLE_DASH = re.compile(r"-([A-Za-z][\w-]+)")


def normalize(name: str) -> str:
    """Our name for an option."""
    name = name.replace("_", "-")
    return _ALIASES.get(name, name)


class TrainingCommand(click.Command):
    """A command that answers word2vec.c's ``-size 200`` with the option to use."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, after a look for single dashes."""
        names = {name.removeprefix("--") for option in self.params for name in option.opts if name.startswith("--")}
        for arg, following in zip(args, [*args[1:], ""], strict=True):
            match = _SINGLE_DASH.fullmatch(arg)
            if match and normalize(match[1]) in names:
                value = "" if following.startswith("-") else f" {following}".rstrip()
                raise click.UsageError(f"no such option {arg}; did you mean --{normalize(match[1])}{value}?", ctx)
        return super().parse_args(ctx, args)


def _refuse_alpha(ctx: click.Context, _: click.Parameter, value: object) -> None:
    if value is not None:
        raise click.UsageError(
            f"--alpha means different things in different tools; use --lr {value} for the learning rate", ctx
        )


def training_options(command: _Command) -> _Command:
    """The options of every trainer."""
    options = [
        click.option("-o", "--output", help="Vectors file; default: the corpus' name with .vec, in this folder."),
        click.option("--dim", default=100, show_default=True, help="Dimensions of the vectors."),
        click.option("--min-count", default=5, show_default=True, help="Skip words that occur less often."),
        click.option("--epochs", default=5, show_default=True, help="Passes over the corpus."),
        click.option("--threads", type=int, help="0 or nothing: all. Only with 1 is the result the same every time."),
        click.option("--seed", default=1, show_default=True, help="Of all that is random."),
        click.option(
            "--invalid-utf8", type=click.Choice(["replace", "refuse"]), default="replace", show_default=True,
            help="Bytes that are not UTF-8 become U+FFFD, or an error.",
        ),
        click.option("--quiet", is_flag=True, help="Say nothing but errors."),
        click.option("--alpha", hidden=True, callback=_refuse_alpha, expose_value=False),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command
