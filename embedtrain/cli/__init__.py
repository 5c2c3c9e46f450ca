"""The command line: a file a command, each of which parses, calls the library and says what happened."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from embedtrain._version import __version__
from embedtrain.cli.neighbors import neighbors
from embedtrain.cli.options import normalize
from embedtrain.cli.skipgram import skipgram
from embedtrain.errors import EmbedtrainError, SettingError


def _fail(message: str, status: int) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    sys.exit(status)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"Note: {message}", err=True)


class _Commands(click.Group):
    """Every error is one line; its status is 1 for data and training, 2 for usage, 130 for Ctrl-C."""

    def main(self, args: Sequence[str] | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        warnings.showwarning = _show_warning
        extra["standalone_mode"] = False
        try:
            status = super().main(args, **extra)
        except click.UsageError as error:
            if error.ctx and not sys.argv[1:] and not args:  # nothing was asked: the help is no error
                click.echo(error.ctx.get_help())
                sys.exit(2)
            _fail(error.format_message(), 2)
        except click.ClickException as error:
            _fail(error.format_message(), error.exit_code)
        except click.Abort:
            _fail("interrupted; nothing was saved", 130)
        except SettingError as error:
            _fail(str(error), 2)
        except EmbedtrainError as error:
            _fail(str(error), 1)
        except MemoryError as error:
            _fail(f"out of memory ({error}); lower --dim, --window or --threads", 1)
        sys.exit(status if isinstance(status, int) else 0)


@click.group(
    cls=_Commands,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": normalize,
        "max_content_width": 100,
    },
)
@click.version_option(__version__, prog_name="embedtrain")
def main() -> None:
    """Train word embeddings from text, fast, and ask them."""


main.add_command(skipgram)
main.add_command(neighbors)
