"""Search for the sentence of a token of an encoded text."""

from embedtrain.kernels.compilation import inlined


@inlined
def sentence_at(offsets, position):
    """The number of the sentence that begins at or before `position`, -1 if none; `offsets` are where sentences begin.

    `np.searchsorted` would take a third of a second to compile, and import SciPy when it is loaded.
    """
    low, high = 0, offsets.size
    while low < high:
        middle = (low + high) >> 1
        if offsets[middle] <= position:
            low = middle + 1
        else:
            high = middle
    return low - 1
