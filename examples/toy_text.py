"""The made-up text of ``corpora/generate.py``, which several examples read: sentences, classes and planted pairs."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "corpora"))
from generate import CLASSES, PAIRS, analogies, sentences

CLASS_OF = {word: name for name, words in CLASSES.items() for word in words}
__all__ = ["CLASSES", "CLASS_OF", "PAIRS", "analogies", "sentences"]
