"""The pairs of a centre and a context, for models that others train."""

from embedtrain.kernels.compilation import kernel
from embedtrain.kernels.integers import minimum
from embedtrain.kernels.word2vec.windows import draw_windows, subsample


@kernel
def window_pairs(text, begin, end, thresholds, key, state, window, max_window, kept, windows, centres, contexts):
    """Write the pairs of the centres in tokens [begin, end), in their order; returns how many there are.

    Subsampling depends on `key`, windows on `state`; `windows` are those of a block.
    """
    first, last, _ = subsample(text.ids, text.offsets, begin, end, thresholds, key, window, False, kept)
    n = 0
    for t0 in range(first, last, windows.begins.size):
        t1 = minimum(t0 + windows.begins.size, last)
        _, _, state = draw_windows(windows, kept, t0, t1, window, max_window, state)
        for t in range(t0, t1):
            for context in range(windows.begins[t - t0], windows.ends[t - t0]):
                if context != t:
                    centres[n], contexts[n] = kept.words[t], kept.words[context]
                    n += 1
    return n
