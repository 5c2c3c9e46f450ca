"""Write settings.md, the tables of all settings, from their declarations: ``python docs/make_settings.py``."""

from __future__ import annotations

import re
from dataclasses import Field
from pathlib import Path
from typing import Any

from embedtrain.cli.options import option_name
from embedtrain.models.cbow import Cbow
from embedtrain.models.cooccurrence import Cooccurrence
from embedtrain.models.glove import Glove
from embedtrain.models.item2vec import Item2vec
from embedtrain.models.lsa import Lsa
from embedtrain.models.node2vec import Node2vec
from embedtrain.models.phrases import PhraseSettings
from embedtrain.models.skipgram import SkipGram
from embedtrain.models.svd import Svd
from embedtrain.training.declarations import Settings, declaration, declared, described, types_of

PAGE = Path(__file__).with_name("settings.md")
FUNCTIONS: dict[str, type[Settings]] = {
    "embedtrain skipgram, train_skipgram": SkipGram,
    "embedtrain cbow, train_cbow": Cbow,
    "embedtrain glove, train_glove": Glove,
    "embedtrain node2vec, RandomWalks": Node2vec,
    "embedtrain item2vec, train_item2vec": Item2vec,
    "embedtrain svd, train_svd": Svd,
    "embedtrain lsa, train_lsa": Lsa,
    "embedtrain cooccur, cooccurrence_counts": Cooccurrence,
    "embedtrain phrases, find_phrases": PhraseSettings,
}
INTRODUCTION = """# Settings

This page is generated from the declarations in the code by `python docs/make_settings.py`.

The first column is the keyword of the Python function, the fourth the option of the command line. How a text is read
(`--tokenize`, `--lowercase`, `--normalize`, `--encoding`, `--invalid-utf8`, `--field`, `--force`) is given to
`embedtrain.Corpus` in Python. Options of the command line alone (`-o`, `--log`, `--dry-run`, `--quiet`) are listed by
`--help`. Of `node2vec`, the settings of walks are keywords of `embedtrain.RandomWalks`, the others of `train_skipgram`.
"""
HEADING = "| setting | type | default | option | meaning |\n|---|---|---|---|---|\n"


def row(field: Field[Any], types: tuple[Any, ...]) -> str:
    """The line of a setting in a table."""
    about, option = declaration(field), option_name(field)
    default = "" if field.default is None else f"`{field.default!r}`"
    option = "" if option is None else f"`{about.option or '--' + option}`"
    return f"| `{field.name}` | {escaped(described(types))} | {default} | {option} | {escaped(about.help)} |"


def escaped(text: str) -> str:
    """A text as Markdown shows it in a table."""
    return re.sub(r"([|*])", r"\\\1", text)


def page() -> str:
    """The whole page."""
    text = INTRODUCTION
    for title, settings in FUNCTIONS.items():
        command, function = title.split(", ")
        text += f"\n## `{command}`, `{function}`\n\n{HEADING}"
        types = types_of(settings)
        text += "".join(row(field, types[field.name]) + "\n" for field in declared(settings) if declaration(field).help)
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
