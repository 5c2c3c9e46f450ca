"""Search for sentences."""

import numpy as np
import pytest

from embedtrain.kernels.sentences import sentence_at


@pytest.mark.parametrize("n_sentences", [1, 2, 3, 10, 64])
def test_sentence_at_is_searchsorted(n_sentences):
    offsets = np.cumsum([0, *np.random.default_rng(n_sentences).integers(1, 4, n_sentences)])
    for position in range(-1, offsets[-1] + 2):
        assert sentence_at(offsets, position) == np.searchsorted(offsets, position, side="right") - 1
