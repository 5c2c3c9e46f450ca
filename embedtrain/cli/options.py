"""Options of the command line, made of declared settings, with their groups and their names in other programs."""

from __future__ import annotations

import os
import re
import shlex
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import Field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_origin

import click
from click.core import ParameterSource

from embedtrain.errors import spelled
from embedtrain.machine.progress import listed
from embedtrain.machine.ranks import Ranks, launched_ranks
from embedtrain.models import MODELS, OTHERS
from embedtrain.models.cooccurrence import Cooccurrence
from embedtrain.training.declarations import GROUPS, Settings, choices_of, declaration, declared, types_of
from embedtrain.training.foreign_names import remedy_for
from embedtrain.training.settings import TrainingSettings

if TYPE_CHECKING:
    from embedtrain.corpus.sources import Corpus

_Command = TypeVar("_Command", bound=Callable[..., Any])

#: From names of options in word2vec.c, gensim, fastText, GloVe and finalfrontier to ours.
ALIASES = {
    alias: field.name.replace("_", "-")
    for model in (*MODELS, *OTHERS)
    for field in declared(model)
    for alias in declaration(field).aliases
}
_OF_EPOCHS = ("log", "dry-run")  # options that are no settings
_OPTION = re.compile(r"(--?)([A-Za-z][\w-]+)(?:=(.*))?")


def normalize(name: str) -> str:
    """Return our name of an option."""
    name = name.replace("_", "-")
    return ALIASES.get(name, name)


#: The type of options that are paths, which a shell completes.
PATH = click.Path(readable=False)


class GroupedOption(click.Option):
    """An option that ``--help`` shows in a group."""

    def __init__(self, *args: Any, group: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group


class UnaliasedChoice(click.Choice[str]):
    """A choice whose words are not normalized as names of options are."""

    def normalize_choice(self, choice: Any, ctx: click.Context | None) -> str:
        """Return the word unchanged."""
        return str(choice)


def number_or_word(value: Any) -> int | str:
    """Convert a whole number; the settings check words."""
    return int(value) if re.fullmatch(r"-?\d+", str(value)) else str(value)


class GroupedCommand(click.Command):
    """A command with options in groups, which recognises options of other programs and of other models."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in their groups."""
        for group in (*GROUPS, "other"):
            options = [option for option in self.get_params(ctx) if isinstance(option, click.Option)]
            options = [option for option in options if getattr(option, "group", "other") == group]
            records = [record for option in options if (record := option.get_help_record(ctx))]
            if records:
                with formatter.section(f"{group.capitalize()} options"):
                    formatter.write_dl(records)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; the message about an unknown option suggests the one to use."""
        for position, arg in enumerate(args):  # a flag before it had a value
            if arg == "--freeze" and args[position + 1 : position + 2] not in (["words"], ["contexts"]):
                args[position] = "--freeze=words"
        names = {name.removeprefix("--") for option in self.params for name in option.opts}
        flags = {option.name for option in self.params if isinstance(option, click.Option) and option.is_flag}
        for position, arg in enumerate(args):
            match = _OPTION.fullmatch(arg)
            if not match:
                continue
            dashes, name = match[1], normalize(match[2])
            following = [value for value in args[position + 1 : position + 2] if not value.startswith("-")]
            value = match[3] if match[3] is not None else "".join(following)
            if name not in names and (remedy := self._remedy(name, value)):
                raise click.UsageError(f"no such option {arg}; {remedy}", ctx)
            if dashes == "-" and name in names:
                value = "" if name in flags else value
                raise click.UsageError(f"no such option {arg}; did you mean {f'--{name} {value}'.rstrip()}?", ctx)
        return super().parse_args(ctx, args)

    def _remedy(self, name: str, value: str) -> str | None:
        """What to use instead of an option of another program or model."""
        facts = {
            "corpus": f"name the corpus without an option: embedtrain {self.name} {value}",
            "output": f"use -o {value}",
            "model": f"the model is the command: {', '.join(model.model for model in MODELS)}",
        }
        if remedy := remedy_for(name, [option.name or "" for option in self.params], value=value, **facts):
            return spelled(remedy, option_of)
        settings = {**{model.model: model for model in MODELS}, "cooccur": Cooccurrence}
        commands = [
            command
            for command, of in settings.items()
            if name in map(option_name, declared(of)) or (name in _OF_EPOCHS and issubclass(of, TrainingSettings))
        ]
        return f"it is an option of {listed(commands)}" if commands else None


def option_name(field: Field[Any]) -> str | None:
    """Return the name of the option of a field, without dashes; None if it has no option."""
    option = declaration(field).option
    return None if option is None else (option or f"--{field.name.replace('_', '-')}").split("/")[0][2:]


#: From names of settings to those of their options, without dashes; None without an option.
_OPTIONS = {field.name: option_name(field) for settings in (*MODELS, Cooccurrence) for field in declared(settings)}


def option_of(name: str, value: str | None = None) -> str:
    """Spell a setting of Python, and perhaps its value, as on the command line."""
    option = _OPTIONS.get(name, name.replace("_", "-"))
    if option is None:
        return name if value is None else f"{name}={value}"
    return f"--{option}" + ("" if value in (None, "", "True") else " " + value.strip("'"))


def settings_options(settings: type[Settings]) -> Callable[[_Command], _Command]:
    """Decorate a command with the options of a class of settings."""
    fields, types = declared(settings), types_of(settings)
    return with_options(*[_option(field, types[field.name]) for field in fields if option_name(field)])


def _option(field: Field[Any], types: tuple[Any, ...]) -> Callable[[_Command], _Command]:
    """Make the option of a field."""
    about, choices = declaration(field), choices_of(types)
    is_plain = len(types) == 1 and types[0] in (int, float, bool)
    text = PATH if any(get_origin(kind) is os.PathLike for kind in types) else str
    kind: Any = types[0] if is_plain else text
    if choices:
        kind = number_or_word if int in types else UnaliasedChoice(choices)
    return grouped_option(
        about.option or f"--{option_name(field)}",
        field.name,
        group=about.group,
        default=field.default,
        show_default=bool(field.default),
        help=spelled(about.help.partition(" In Python ")[0], option_of),
        is_flag=types == (bool,),
        type=kind,
        metavar=about.metavar or (None if choices or is_plain else "FILE"),
    )


def grouped_option(*names: str, group: str, **keywords: Any) -> Callable[[_Command], _Command]:
    """Make an option in a group of ``--help``."""
    return click.option(*names, cls=GroupedOption, group=group, **keywords)


def output_option(help: str) -> Callable[[_Command], _Command]:
    """Make the option -o."""
    return grouped_option("-o", "--output", group="output", type=PATH, metavar="FILE", help=help)


QUIET = grouped_option("--quiet", group="output", is_flag=True, help="Print errors only.")


def edges_options(command: _Command) -> _Command:
    """Decorate a command with the argument of a graph."""
    return with_options(
        click.argument("corpus", metavar="EDGES...", nargs=-1, required=True, type=click.Path(), callback=_inputs_only),
        QUIET,
    )(command)


def corpus_options(command: _Command, *, required: bool = True) -> _Command:
    """Decorate a command with the argument, which may be `required`, and options of a `Corpus`."""
    return with_options(
        click.argument("corpus", nargs=-1, required=required, type=click.Path(), callback=_inputs_only),
        grouped_option(
            "--field", group="input", help="Read JSON lines, and the text from this field; of .jsonl files: text."
        ),
        grouped_option(
            "--lowercase", group="input", is_flag=True, help="Read words in lower case."
        ),
        grouped_option(
            "--invalid-utf8", group="input", type=UnaliasedChoice(["replace", "refuse"]), default="replace",
            show_default=True, help="Replace bytes that are not UTF-8 by U+FFFD, or stop with an error.",
        ),
        grouped_option(
            "--tokenize", group="input", default="spaces", show_default=True, metavar="HOW",
            help="spaces: tokens are what is between spaces; words: words without punctuation, by Unicode; "
            "module:function: a function from a line to its tokens, such as jieba:lcut.",
        ),
        grouped_option(
            "--normalize", group="input", type=UnaliasedChoice(["none", "nfc"]), default="none", show_default=True,
            help="Words that differ only in the composition of characters are the same (nfc).",
        ),
        grouped_option(
            "--encoding", group="input", default="utf-8", show_default=True, metavar="NAME",
            help="Encoding of the text: gb18030, cp1252, utf-16, …",
        ),
        grouped_option(
            "--force", group="input", is_flag=True,
            help="Read and train although the corpus looks like something else than text.",
        ),
        QUIET,
    )(command)  # fmt: skip


def _inputs_only(ctx: click.Context, _: click.Parameter, sources: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sources; one after the first that is named like vectors, without -o, is taken for the output."""
    if not any(map(ctx.params.get, ("output", "force", "merge"))):  # arguments are processed after options
        from embedtrain.counts.counts_file import is_counts_file
        from embedtrain.formats import is_named_as_vectors

        for source in sources[1:]:
            if (source.endswith(".vocab") or is_named_as_vectors(source)) and not is_counts_file(source):
                name = shlex.quote(source)
                raise click.UsageError(f"{source} would be read as text; did you mean -o {name}? (--force reads it)")
    return sources


def with_options(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    """Decorate a command with several options, in this order."""

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


MERGE = grouped_option(
    "--merge", group="input", is_flag=True, help="Add the counts in these files, which are those of parts of a text."
)


def begin_counting(
    options: dict[str, Any], output: str | None, suffix: str, quiet: bool, of_merge: Collection[str] | None = None
) -> tuple[Corpus, Path, Ranks]:
    """Check the options of a command that counts, with --merge those `of_merge` alone; vocab writes to "-" too."""
    from embedtrain.machine.files import check_distinct_paths, require_writable

    ctx, ranks = click.get_current_context(), launched_ranks()
    if of_merge is not None:
        for option in ctx.command.params:
            is_given = ctx.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
            if is_given and option.name not in {"corpus", "output", "quiet", "merge", "progress", *of_merge}:
                raise click.UsageError(f"{option.opts[0]} is for reading text, and --merge reads counts; leave it out")
        if ranks.size > 1:
            raise click.UsageError("--merge is the work of one process; start it without mpiexec or srun")
        if output is None:
            raise click.UsageError("name the file of the merged counts with -o")
    set_progress(options, quiet or ranks.rank > 0)
    corpus, path = read_corpus(options), Path("-")
    if output != "-" or suffix != ".vocab":
        path = output_path(corpus.sources, corpus.files(), output, suffix)
        inputs = {"the corpus": corpus.files(), **inputs_of(options)}
        check_distinct_paths(inputs, {"-o": path, "--save-vocab": options.get("save_vocab")})
        if ranks.rank == 0:
            require_writable(path)
    return corpus, path, ranks


def inputs_of(options: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The input files in options, with keys for messages; without a checkpoint that is resumed and written to."""
    inputs = {}
    for name in ("read_vocab", "map", "drop", "phrases", "connectors", "init", "resume"):
        path, checkpoint = options.get(name), options.get("checkpoint")
        is_kept = name == "resume" and checkpoint and path and os.path.realpath(path) == os.path.realpath(checkpoint)
        if path is not None and not is_kept:
            inputs[f"the file of --{name.replace('_', '-')}"] = [path]
    return inputs


def set_progress(options: dict[str, Any], quiet: bool) -> None:
    """Choose what is reported: nothing with --quiet, else the reports without a terminal too."""
    options["progress"] = not quiet and (options["progress"] or "auto")
    if quiet:
        warnings.simplefilter("ignore")


def read_corpus(options: dict[str, Any]) -> Corpus:
    """Make the corpus of a command, checked to be readable; its options are removed."""
    from embedtrain.corpus.sources import OPTIONS, Corpus

    corpus = Corpus(*options.pop("corpus"), **{name: options.pop(name) for name in OPTIONS if name in options})
    corpus.require_readable()
    return corpus


def output_path(sources: Sequence[Any], files: Collection[Any], output: str | None, suffix: str) -> Path:
    """Return the output path, by default the name of the source with another suffix in the current folder.

    An output that replaces one of the input `files` is refused, and vectors whose suffix is not that of a format.
    """
    from embedtrain import formats
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
        raise click.UsageError("the output must be a file, not standard output; name one with -o")
    if os.path.realpath(output) in map(os.path.realpath, files):
        raise click.UsageError(f"the output would replace the corpus {output}; name another file with -o")
    if suffix == ".vec":
        formats.format_of(output)
    elif output.lower().endswith((".zip", *compression.SUFFIXES)):
        raise click.UsageError(f"output is written as plain text, not {Path(output).suffix}; name another file with -o")
    return Path(output)
