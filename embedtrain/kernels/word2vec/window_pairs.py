"""The pairs of a centre and a context, for models that others train."""

from embedtrain.kernels.compilation import kernel
from embedtrain.kernels.word2vec.windows import draw_windows, subsample


@kernel
def window_pairs(text, begin, end, thresholds, key, state, window, max_window, kept, windows, centres, contexts):
    """Write the pairs of the centres in tokens [begin, end), in their order; returns how many there are.

    Subsampling depends on `key`, windows on `state`.
    """
    first, last, _ = subsample(text.ids, text.offsets, begin, end, thresholds, key, window, False, kept)
    draw_windows(windows, kept, first, last, window, max_window, state)
    n = 0
    for t in range(first, last):
        for context in range(windows.begins[t - first], windows.ends[t - first]):
            if context != t:
                centres[n], contexts[n] = kept.words[t], kept.words[context]
                n += 1
    return n
