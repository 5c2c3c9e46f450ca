"""The command line: one file per command, and one for all models; each parses options, calls the library and prints."""

from __future__ import annotations

import errno
import io
import itertools
import signal
import sys
import time
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from embedtrain._version import __version__
from embedtrain.cli.align import align
from embedtrain.cli.analogy import analogy
from embedtrain.cli.cache import cache
from embedtrain.cli.check import check
from embedtrain.cli.combine import combine
from embedtrain.cli.compare import compare
from embedtrain.cli.convert import convert
from embedtrain.cli.cooccur import cooccur
from embedtrain.cli.embed import embed
from embedtrain.cli.evaluate import evaluate
from embedtrain.cli.explore import explore
from embedtrain.cli.hints import unknown_command, usage_hint
from embedtrain.cli.info import info
from embedtrain.cli.neighbors import neighbors
from embedtrain.cli.options import normalize, option_of
from embedtrain.cli.phrases import phrases
from embedtrain.cli.plot import plot
from embedtrain.cli.recommend import recommend
from embedtrain.cli.training import COMMANDS, OVER_RANKS
from embedtrain.cli.vocab import vocab
from embedtrain.cli.warmup import warmup
from embedtrain.errors import EmbedtrainError, EmbedtrainWarning, SettingError, one_line, spelled
from embedtrain.machine.interrupts import act_on_signals, terminate_as_interrupt
from embedtrain.machine.progress import say
from embedtrain.machine.ranks import launched, launched_ranks


def _explain(error: Exception) -> tuple[str, int]:
    """Return the message of an error, and the exit status."""
    if isinstance(error, click.ClickException):
        return usage_hint(error) or error.format_message(), error.exit_code
    if isinstance(error, click.Abort) and not isinstance(error.__cause__, EOFError):  # which Click aborts on too
        return "interrupted; nothing was saved", 130
    if isinstance(error, EmbedtrainError):
        return spelled(str(error.args[0]), option_of), 2 if isinstance(error, SettingError) else 1
    if isinstance(error, MemoryError):
        return f"out of memory ({error}); lower --dim, --window or --threads", 1
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:  # other outputs raise a `DataError`
        return f"cannot write standard output: {error.strerror}", 1
    if isinstance(error, ImportError) and error.name == "embedtrain.kernels":
        return str(error), 2
    if str(error) == "[Errno 2] No such file or directory":  # without a name: of os.getcwd
        return "the current folder was removed; change to another one", 1
    error = error.__cause__ if isinstance(error.__cause__, EOFError) else error
    return f"unexpected {type(error).__name__}: {' '.join(str(error).split())[:300]}", 1


_WAIT = 0.3  # seconds that other ranks wait, so that the first reports what fails on all


def _fail(message: str, status: int) -> None:
    """Print an error; one of several ranks says which it is, and ends all."""
    ranks = launched_ranks()
    if ranks.size > 1:
        time.sleep(_WAIT * (ranks.rank > 0))
        message = f"rank {ranks.rank} of {ranks.size} on {ranks.hosts[ranks.rank]}: {message}"
    click.echo(one_line(f"Error: {message}"), err=True)
    if ranks.size > 1:
        time.sleep(_WAIT / 2)  # until the launcher has shown the line
        ranks.abort(status)


def _require_mpi() -> None:
    """End the process if several were started and cannot work together, and let a signal end all if they can."""
    try:
        if launched_ranks().size > 1:
            ended = "all ranks are ended; only the last --checkpoint is kept, if one was written"
            act_on_signals(lambda number: _fail(f"{signal.Signals(number).name}; {ended}", 130))
    except SettingError as error:
        if launched()[0] == 0:
            click.echo(one_line(f"Error: {error}"), err=True)
        sys.exit(2)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    text = spelled(message.args[0], option_of) if isinstance(message, EmbedtrainWarning) else message
    say(f"Note: {text}")


_GROUPS = {
    "Training": [*COMMANDS, cooccur, vocab, phrases],
    "Queries": [neighbors, analogy, recommend, embed, evaluate, compare],
    "Pictures": [explore, plot],
    "Files": [info, convert, combine, align, check, cache, warmup],
}


class _Commands(click.Group):
    """All commands; errors are one line, with status 1 for data and training, 2 for usage, 130 for interrupts."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in their groups."""
        width = max(map(len, self.commands)) + 4
        for name, commands in _GROUPS.items():
            with formatter.section(name):
                limit = formatter.width - width
                rows = [(command.name or "", command.get_short_help_str(limit)) for command in commands]
                formatter.write_dl(rows, col_max=width)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command and its arguments."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            raise click.UsageError(unknown_command(args[0], self.commands), ctx)
        name, command, rest = super().resolve_command(ctx, args)
        if launched_ranks().size > 1 and name not in OVER_RANKS:
            raise click.UsageError(f"{name} is the work of one process; start it without mpiexec or srun")
        return name, command, rest

    def main(self, args: Sequence[str] | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        terminate_as_interrupt()
        warnings.showwarning = _show_warning
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # escape what the terminal cannot show
        _require_mpi()
        extra["standalone_mode"] = False
        try:
            status = super().main(args, **extra)
        except Exception as error:  # every error is one line
            if isinstance(error, click.UsageError) and error.ctx and not sys.argv[1:] and not args:
                click.echo(error.ctx.get_help())  # no command was given
                sys.exit(2)
            message, status = _explain(error)
            _fail(message, status)
        sys.exit(status if isinstance(status, int) else 0)


@click.group(
    name="embedtrain",
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "token_normalize_func": normalize},
)
@click.version_option(__version__, prog_name="embedtrain")
def main() -> None:
    """Train word embeddings from text, query them, and convert their files.

    Example: embedtrain skipgram corpus.txt -o vectors.vec
    """


for _command in itertools.chain(*_GROUPS.values()):
    main.add_command(_command)
