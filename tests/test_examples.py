"""The examples run."""

from pathlib import Path

import pytest
from programs import python

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.clients
@pytest.mark.usefixtures("warm_kernels")
def test_a_text_classifier_knows_new_words_by_their_vectors():
    pytest.importorskip("sklearn", reason="the example classifies with scikit-learn")
    done = python(EXAMPLES / "text_classifier.py", "--tokens", "100000")
    assert done.returncode == 0, done.stderr
    right = {name: float(share) for share, name in (line.split("  ") for line in done.stdout.splitlines())}
    assert right["averaged vectors"] > 0.95  # chance is 0.1
    assert right["averaged vectors"] > right["bags of words"] + 0.1
