"""What to use instead of settings of other programs that have no alias here."""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Mapping
from difflib import get_close_matches

from embedtrain.errors import SETTING, spelled

#: Settings are in backquotes; {value} is what was given, {corpus}, {model} and {output} are particular to a surface.
_REMEDIES = {
    **dict.fromkeys(("train", "input", "input-file", "sentences", "corpus-file"), "{corpus}"),
    **dict.fromkeys(("output", "save-file", "save-vocab"), "{output}"),
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
    **dict.fromkeys(("minn", "maxn", "bucket"), "words have no vectors of subwords here"),
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


def keyword_hint(name: str, value: object, aliases: Mapping[str, str], reading: Collection[str]) -> str:
    """What to use instead of an unknown keyword of a function, with ': ' before; empty if nothing resembles it.

    The settings of the function are the values of `aliases`; `reading` are the options of `Corpus`.
    """
    option = name.replace("_", "-")
    if remedy := remedy_for(option, aliases.values(), value=reprlib.repr(value), **_IN_PYTHON):
        return f": {spelled(remedy)}"
    close = get_close_matches(option, [*aliases, *reading], 1, 0.75)
    if not close:
        return ""
    if close[0] in reading:
        return f": it is an option of Corpus, as in Corpus(path, {close[0]}={reprlib.repr(value)})"
    return f": use {aliases[close[0]]}"
