import sys
from pathlib import Path

import pytest

# The plain forms and the toy corpus are modules beside the tests, not parts of the package.
ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "corpora")]


@pytest.fixture(scope="session")
def warm_kernels():
    """The kernels compiled or loaded, of which the first run would say something."""
    from embedtrain import train_skipgram

    train_skipgram([["two", "words"]], sample=0, dim=8, epochs=1, min_count=1, threads=1, progress=False)
