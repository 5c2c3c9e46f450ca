"""What the tests of reading text share."""

import pytest

from embedtrain.corpus import foreign
from embedtrain.errors import DataError
from embedtrain.machine import compression

try:
    from compression.zstd import compress as zstd  # from Python 3.14 on
except ImportError:
    from zstandard import compress as zstd

__all__ = ["is_plain_text", "refused", "zstd"]


def refused(part, error=DataError):
    """Expect an error whose message is one line with `part` in it."""
    return pytest.raises(error, match=rf"\A[^\n]*{part}[^\n]*\Z")


def is_plain_text(content):
    """Whether a file does not begin like one of another kind."""
    return foreign.kind_of(content, is_whole=True) is None and compression._format_of(content) is None
