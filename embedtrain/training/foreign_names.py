"""What to use instead of settings of other programs that have no alias here."""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from embedtrain.corpus.sources import OPTIONS
from embedtrain.errors import SETTING, spelled
from embedtrain.machine.progress import listed
from embedtrain.training.declarations import FUNCTIONS, Settings, declaration, declared

#: Settings are in backquotes; {value} is what was given, {corpus}, {model} and {output} are particular to a surface.
_REMEDIES = {
    **dict.fromkeys(("train", "input", "input-file", "sentences", "corpus-file"), "{corpus}"),
    **dict.fromkeys(("output", "save", "save-file", "save-vocab"), "{output}"),
    **dict.fromkeys(("cbow", "sg", "skip-gram", "model"), "{model}"),
    "cbow-mean": "the mean is always taken",
    "loss": "negative sampling is `negative`, hierarchical softmax `hs`",
    "alpha": "it means different things in different tools, use `lr={value}`",
    "min-alpha": "`lr` falls linearly to zero",
    **dict.fromkeys(
        ("vocab-file", "vocab"), "use `read_vocab={value}`, or in glove `words={value}` for the words of counts"
    ),
    "distance-weighting": "use `weighting='distance'` or `weighting='uniform'`",
    "shrink-windows": "use `window_mode='dynamic'` or `window_mode='fixed'`",
    **dict.fromkeys(("minn", "maxn", "min-n", "max-n"), "both lengths of n-grams are in `subwords='3-6'`"),
    "binary": "the suffix of the output file chooses its format",
}
_IN_PYTHON = {
    "corpus": "the corpus is the first argument, without a name",
    "output": "the result has the method save",
    "model": "the model is the function: train_skipgram, train_cbow or train_glove",
}


def remedy_for(name: str, settings: Collection[str], **facts: str) -> str | None:
    """What a command or function with these settings has instead of an option of another program, if anything."""
    remedy = _REMEDIES.get(name, "").format(**facts)
    named = {match[1] for match in SETTING.finditer(remedy)}
    return None if named and named.isdisjoint(settings) else remedy or None


def keyword_hints(keywords: Mapping[str, Any], settings: type[Settings]) -> str:
    """Name unknown keywords of a function, with what to use instead, if anything resembles them."""
    names = {
        name.replace("-", "_"): field.name
        for field in fields(settings)
        for name in (field.name, *declaration(field).aliases)
    }
    return "; ".join(f"{name!r}{_hint(name, reprlib.repr(value), names)}" for name, value in keywords.items())


def _hint(name: str, value: str, names: Mapping[str, str]) -> str:
    """What to use instead of a keyword, with ': ' before; `names` lead from names and aliases to settings."""
    if remedy := remedy_for(name.replace("_", "-"), names.values(), value=value, **_IN_PYTHON):
        return f": {spelled(remedy)}"
    owners = [of for of, settings in FUNCTIONS.items() if name in {field.name for field in declared(settings)}]
    if owners := [of for of in owners if of.startswith("train_")]:
        return f": it is a setting of {listed(owners)}"
    close = next(iter(get_close_matches(name, [*names, *OPTIONS], 1, 0.75)), None)
    if close in OPTIONS:
        return f": it is an option of Corpus, as in Corpus(path, {close}={value})"
    return f": use {names[close]}" if close else ""
