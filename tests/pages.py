"""What an explorer's page holds, read as a browser reads it."""

import base64
import json
import re

import numpy as np


def read_page(path):
    """The text of a page, its facts, and its arrays as bytes."""
    text = path.read_text(encoding="utf-8")
    blocks = dict(re.findall(r'<script type="text/plain" id="(\w+)">([^<]*)</script>', text))
    facts = json.loads(blocks.pop("facts"))
    return text, facts, {name: base64.b64decode(content) for name, content in blocks.items()}


def neighbours_in(path):
    """The rows of the neighbours and their cosines, as (n, k) arrays."""
    _, facts, arrays = read_page(path)
    n, k = len(facts["words"]), facts["neighbors"]
    rows = np.zeros((n, k, 4), np.uint8)
    n_bytes = len(arrays["rows"]) // max(1, n * k)
    rows[..., :n_bytes] = np.frombuffer(arrays["rows"], np.uint8).reshape(n, k, n_bytes)
    low, high = np.frombuffer(arrays["range"], "<f4")
    cosines = np.frombuffer(arrays["cosines"], np.uint8).reshape(n, k) / 255 * (high - low) + low
    return rows.view("<u4")[..., 0], cosines
