"""The HTML file: markup, style and scripts of ours, and the data as text that no browser takes for markup."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any

from numpy.typing import NDArray

_SCRIPTS = ("data.js", "view.js", "points.js", "colours.js", "overlay.js", "main.js")
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def render(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The page for facts, which become JSON, and arrays, which become Base64."""
    data = json.dumps(facts, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(_ESCAPES)
    blocks = {"facts": data, **{name: _base64(array.tobytes()) for name, array in arrays.items()}}
    style, script = _read("style.css"), "".join(map(_joined, _SCRIPTS))
    parts = {
        "policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"script-src {_digest(script)}; style-src {_digest(style)}",
        "style": style,
        "script": script,
        "data": "\n".join(f'<script type="text/plain" id="{id}">{text}</script>' for id, text in blocks.items()),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda name: parts[name[1]], _read("page.html")).encode(errors="replace")


def _read(name: str) -> str:
    return files(__package__).joinpath("page", name).read_text(encoding="utf-8")


def _joined(name: str) -> str:
    """A module without its imports and exports, as all are one in the page."""
    return re.sub(r"^import .*\n|^export ", "", _read(name), flags=re.MULTILINE)


def _base64(content: bytes) -> str:
    return b64encode(content).decode()


def _digest(content: str) -> str:
    return f"'sha256-{_base64(sha256(content.encode()).digest())}'"
