"""Figures of some words for print: principal components, labels that do not overlap, groups and pairs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError, quoted
from embedtrain.explorer.projection import principal_components

if TYPE_CHECKING:
    from embedtrain.vectors.word_vectors import WordVectors

_COLOURS = ("#3f90da", "#e76300", "#832db6", "#bd1f01", "#717581", "#ffa90e", "#a96b59", "#92dadd")  # as in the page
_MARKERS = "os^Dv<P*"
_GAP = 6  # pixels between a point and a label beside it
_DISTANCES = (0.0, 0.7, 1.7, 2.9, 4.3, 6.3)  # of a label from its nearest position, in heights of a label
_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
_CJK = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO")


def plot(
    vectors: WordVectors, words: Iterable[str] | Mapping[str, Iterable[str]], ax: Any, pairs: Iterable[tuple[str, str]],
) -> Any:  # fmt: skip
    """Draw words; `WordVectors.plot` documents the parameters."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise SettingError("plot needs matplotlib; install it with: pip install 'embedtrain[plot]'") from None
    pairs = list(pairs)
    groups = _groups(words, pairs)
    shown = list(dict.fromkeys(chain(*groups.values())))
    if not shown:
        raise DataError("there are no words to plot; name some")
    units = np.array([vectors.get_vector(word, norm=True) for word in shown])
    places = dict(zip(shown, principal_components(units, 2).tolist(), strict=True))
    if ax is None:
        ax = Figure(figsize=(7, 5), dpi=150, layout="constrained").subplots()
    for number, (name, some) in enumerate(groups.items()):
        style = {"marker": _MARKERS[number % len(_MARKERS)], "color": _COLOURS[number % len(_COLOURS)]}
        ax.scatter(*np.array([places[word] for word in some]).T, s=24, label=name or None, zorder=3, **style)
    for start, end in pairs:
        ax.annotate("", places[end], places[start], arrowprops={"arrowstyle": "->", "color": "0.6", "shrinkA": 4})
    if any(groups):
        place = "best" if len(shown) < 200 else "upper right"  # matplotlib is slow in finding the best
        for text in ax.legend(prop={"family": _families("".join(groups))}, loc=place).get_texts():
            text.set_parse_math(False)
    ax.set(xticks=[], yticks=[])
    ax.margins(0.12)
    _label(ax, places)
    return ax


def _groups(
    words: Iterable[str] | Mapping[str, Iterable[str]], pairs: Sequence[tuple[str, str]]
) -> dict[str, list[str]]:
    """The words of each group by its name; those of pairs that are in no group have the name ""."""
    if isinstance(words, str):
        raise SettingError(f"words must be a list of words, got the str {words!r}; write [{words!r}]")
    if any(isinstance(pair, str) or len(pair) != 2 for pair in pairs):
        raise SettingError(f"pairs must be a list of pairs of words, got {pairs!r}")
    groups = {name: list(some) for name, some in (words if isinstance(words, Mapping) else {"": words}).items()}
    named = set(chain(*groups.values()))
    groups[""] = groups.get("", []) + [word for word in dict.fromkeys(chain(*pairs)) if word not in named]
    return {name: some for name, some in groups.items() if some}


def _label(ax: Any, places: Mapping[str, Sequence[float]]) -> None:
    """Put each label at the free position nearest to its point, with a line to it where that is far."""
    ax.figure.draw_without_rendering()  # fixes the scale
    points = ax.transData.transform(list(places.values()))
    boxes = np.concatenate([points - 3, points + 3], axis=1)  # taken: left, bottom, right, top in pixels
    if legend := ax.get_legend():
        boxes = np.vstack([boxes, legend.get_window_extent().extents])
    for word, point in zip(places, points, strict=True):
        text = ax.annotate(
            word, places[word], (0, 0), textcoords="offset points", ha="center", va="center", fontsize=9,
            family=_families(word), parse_math=False,
            arrowprops={"arrowstyle": "-", "color": "0.6", "lw": 0.5, "shrinkA": 0, "shrinkB": 2},
        )  # fmt: skip
        extent = text.get_window_extent()
        size = np.array([extent.width, extent.height])
        offset = _free_offset(point, size, boxes, ax.bbox.extents)
        text.set_position(tuple(offset * 72 / ax.figure.dpi))
        text.arrow_patch.set_visible(bool((np.abs(offset) - size / 2).max() > size[1]))
        boxes = np.vstack([boxes, np.concatenate([point + offset - size / 2, point + offset + size / 2])])


def _free_offset(
    point: NDArray[np.float64], size: NDArray[np.float64], boxes: NDArray[np.float64], frame: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The offset from a point to the middle of its label that overlaps least with (n, 4) boxes, or the nearest such."""
    candidates = []
    for distance, direction in product(_DISTANCES, _DIRECTIONS):
        offset = np.array(direction) * (size / 2 + (_GAP, _GAP / 2) + distance * size[1])
        low, high = point + offset - size / 2, point + offset + size / 2
        sides = np.minimum(high, boxes[:, 2:]) - np.maximum(low, boxes[:, :2])
        outside = np.maximum(frame[:2] - low, 0).sum() + np.maximum(high - frame[2:], 0).sum()
        candidates.append((np.prod(np.maximum(sides, 0), axis=1).sum() + outside * size[1], offset))
    return min(candidates, key=lambda candidate: float(candidate[0]))[1]


def _families(text: str) -> list[str]:
    """Matplotlib's usual fonts and, for characters that they lack, an installed one that has them."""
    from matplotlib import font_manager, ft2font, rcParams

    if any(unicodedata.bidirectional(c) in ("R", "AL") for c in text) and not hasattr(ft2font, "__libraqm_version__"):
        raise SettingError(f"{quoted(text)} is written from right to left, which needs matplotlib 3.11 or newer")
    usual: list[str] = list(rcParams["font.family"])
    usual_file = font_manager.findfont(font_manager.FontProperties())
    missing = {ord(c) for c in text if c.isprintable()} - _characters(usual_file)
    if not missing:
        return usual
    manager = font_manager.fontManager
    for path in set(font_manager.findSystemFonts()) - {font.fname for font in manager.ttflist}:
        manager.addfont(path)  # installed since matplotlib listed them
    for font in manager.ttflist:
        if "Last Resort" not in font.name and missing <= _characters(font.fname):
            return [*usual, font.name]
    character = chr(min(missing))
    script = unicodedata.name(character, "CJK").split()[0]
    font_name = "Noto Sans CJK" if script in _CJK else f"Noto Sans {script.title()}"
    font_name = "Noto Emoji" if unicodedata.category(character).startswith("S") else font_name
    raise DataError(f"no installed font has {quoted(character)} of {quoted(text)}; install {font_name}")


@cache
def _characters(path: str) -> frozenset[int]:
    """The code points of a font; none if it cannot be read."""
    from matplotlib.font_manager import get_font

    try:
        return frozenset(get_font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
