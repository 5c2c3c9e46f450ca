"""The control variate of negative sampling: the mean step is that of the loss, and steps vary less."""

import naive
import numpy as np
import pytest
from small_text import NONE_FROZEN, Sampling, blocks_of_chunk, readonly

from embedtrain.kernels.compilation import callable_from_python
from embedtrain.kernels.simd.lanes import aligned_zeros, padded
from embedtrain.kernels.word2vec import skipgram
from embedtrain.kernels.word2vec.negatives import draw_noise
from embedtrain.kernels.word2vec.train_chunk import BlockConfig
from embedtrain.kernels.word2vec.windows import Text
from embedtrain.models.distributions import alias_table, keep_thresholds

N_WORDS, DIM, N_NOISE, NEGATIVE = 24, 6, 16, 5
N_DRAWS = 4000
LR = 2e-4  # so low that the order of the pairs in a tile hardly matters
BASELINE = 0.1
noise_step = callable_from_python(skipgram.noise_step, "noise_step")


def random_tables():
    """W and C of whole vectors, whose words all have scores of about -2, as those of noise in trained vectors."""
    rng, tables = np.random.default_rng(1), []
    for sign in (1, -1):
        rows = aligned_zeros((N_WORDS + 1) * padded(DIM)).reshape(N_WORDS + 1, -1)
        rows[:-1, :DIM] = rng.normal(0, 0.3, (N_WORDS, DIM))
        rows[:-1, 0] = sign * 2**0.5
        tables.append(rows)
    return tables


def setting(words, window, noise, baseline):
    """A text of one sentence of which four centres are a block and a tile, and what its kernel is given."""
    text = Text(readonly(np.array(words, np.int32)), readonly(np.array([0, len(words)])))
    sampling = Sampling(keep_thresholds(np.ones(N_WORDS), N_WORDS), alias_table(np.array(noise) / np.sum(noise)))
    dim = padded(DIM)
    noise_weight = np.float32(NEGATIVE / N_NOISE)
    config = BlockConfig(
        window,
        0,
        N_NOISE,
        noise_weight,
        4,
        4,
        100,
        np.float32(baseline),
        dim,
        N_WORDS * dim,
        N_WORDS * dim,
        1,
        corrected=False,
    )
    middle = len(words) // 2
    ((scratch, t0, t1, n_tokens),) = blocks_of_chunk(
        text, sampling, config, middle - 2, middle + 2, means=False, with_noise=True
    )
    middles = naive.centres(*text, middle - 2, middle + 2, sampling.keep_thresholds, 0)
    around = [naive.contexts(sentence, place, window) for _, sentence, place in middles]
    return config, scratch, (t0, t1, n_tokens), [word for word, *_ in middles], around, sampling


def steps_of_draws(words, window, noise, baseline, random_text=False):
    """The mean step of W and C over many draws of noise, its standard error, and the variance of a step.

    With `random_text`, draws of the words in the windows instead, from those of the text, always with the same noise.
    Before each draw, the running means are those of the words of the text and of all noise words.
    """
    config, scratch, (t0, t1, n_tokens), centres, around, sampling = setting(words, window, noise, baseline)
    kept, windows, noise, *_, tiles = scratch
    tables, state = random_tables(), np.uint64(1)
    output, input = means(*tables, words if random_text else centres, sampling)
    samples, rng = [np.empty((N_DRAWS, N_WORDS, DIM)) for _ in tables], np.random.default_rng(2)
    for draw in range(N_DRAWS):
        if random_text:
            kept.words[:n_tokens] = rng.choice(words, n_tokens)
            noise.words[:] = np.arange(N_NOISE) % (N_WORDS - len(words)) + len(words)
        else:
            state = np.uint64(draw_noise(noise, np.uint64(state)))
        noise.mean_output[:], noise.mean_input[:], noise.n_rows[:] = output, input, 10**6
        moved = [rows.copy().reshape(-1) for rows in tables]
        noise_step(
            *moved, tiles.skipgram_noise, noise, kept, NONE_FROZEN, windows, t0, t1, sum(map(len, around)), n_tokens,
            config, np.float32(LR), False,
        )  # fmt: skip
        for sample, rows, before in zip(samples, moved, tables, strict=True):
            sample[draw] = (rows.reshape(before.shape) - before)[:-1, :DIM] / LR
    return [(s.mean(axis=0), s.std(axis=0) / np.sqrt(N_DRAWS), s.var(axis=0).sum()) for s in samples]


def means(W, C, centres, sampling):
    """The means of noise words and of the centres."""
    return naive.alias_probabilities(*sampling.noise) @ C[:-1], W[centres].mean(axis=0)


def expected_steps(words, window, noise):
    """The step of the expected loss, in which each context has all words as noise, but itself."""
    *_, centres, around, sampling = setting(words, window, noise, 0)
    W, C = (rows[:-1, :DIM].astype(float) for rows in random_tables())
    p = naive.alias_probabilities(*sampling.noise)
    contexts = sorted({word for near in around for word in near})
    counts = np.array([[near.count(word) for word in range(N_WORDS)] for near in around])
    negatives = -NEGATIVE * p * (counts.sum(axis=1, keepdims=True) - counts)
    weights = np.hstack([negatives, counts[:, contexts]])
    moved = naive.tile_step(W, C, np.array(centres), [*range(N_WORDS), *contexts], weights, 1e-7)
    return [(rows - before) / 1e-7 for rows, before in zip(moved, (W, C), strict=True)]


APART = [0, 1, 2, 3, 4, 5, 6, 7, 8], 2, [0] * 9 + list(range(1, N_WORDS - 8))
AMONG = [0, 1, 2, 0, 3, 1, 4, 2, 1], 20, list(range(N_WORDS, 0, -1))


def check(found, expected):
    """Within the error of the mean and of float32."""
    for (mean, error, _), right in zip(found, expected, strict=True):
        assert (np.abs(mean - right) <= 5 * error + 1e-3).all()


@pytest.mark.parametrize("baseline", [0, BASELINE, 0.5])
def test_mean_of_many_steps_is_the_expected_step(baseline):
    """Where centres have as many contexts, none of them a noise word."""
    found, expected = steps_of_draws(*APART, baseline), expected_steps(*APART)
    check(found, expected)
    for (_, error, _), right in zip(found, expected, strict=True):
        assert (np.abs(right) > 20 * error).mean() > 0.1, "the errors are small"


@pytest.mark.parametrize("baseline", [0, BASELINE, 0.5])
def test_mean_of_many_steps_of_noise_words_is_the_expected_step_over_all_texts(baseline):
    words, window, _ = APART
    _, (mean, error, _) = steps_of_draws(*APART, baseline, random_text=True)
    W, C = (rows[:-1, :DIM].astype(float) for rows in random_tables())
    noise = np.arange(N_NOISE) % (N_WORDS - len(words)) + len(words)
    weight = -NEGATIVE / N_NOISE * 4 * 2 * window * np.bincount(noise, minlength=N_WORDS)
    right = weight[:, None] * np.mean([np.outer(naive.sigmoid(C @ W[word]), W[word]) for word in words], axis=0)
    apart = slice(len(words), None)
    check([(mean[apart], error[apart], None)], [right[apart]])
    assert (np.abs(right) > 20 * error)[apart].mean() > 0.1, "the errors are small"


def test_the_means_are_a_part_of_the_step():
    """So large that without it the mean step would be another one."""
    words, window, _ = APART
    *_, centres, _, sampling = setting(*APART, BASELINE)
    output, input = (mean[:DIM] for mean in means(*random_tables(), centres, sampling))
    weight, p = BASELINE * NEGATIVE * 2 * window, naive.alias_probabilities(*sampling.noise)
    (_, error_W, _), (_, error_C, _) = steps_of_draws(*APART, BASELINE)
    assert (np.abs(weight * output) > 10 * error_W[centres]).any(axis=1).all()
    assert (np.abs(weight * 4 * np.outer(p, input)) > 10 * error_C).any(axis=1)[len(words) :].any()


def test_steps_vary_less():
    """Those of centres with the noise words that are drawn, those of noise words with the centres."""
    (*_, centres_without), _ = steps_of_draws(*APART, 0)
    (*_, centres_with), _ = steps_of_draws(*APART, BASELINE)
    assert centres_with < 0.6 * centres_without
    apart = slice(len(APART[0]), None)
    (_, without, _), (_, with_it, _) = (steps_of_draws(*APART, a, random_text=True)[1] for a in (0, BASELINE))
    assert (with_it[apart] ** 2).sum() < 0.6 * (without[apart] ** 2).sum(), "standard errors squared"


@pytest.mark.parametrize("baseline", [0, BASELINE, 0.5])
def test_expected_step_where_noise_words_are_contexts(baseline):
    """No word is noise in its own context: the means count it with the mean row instead of its own.

    Also means of centres of which some have more contexts than others.
    """
    *_, centres, around, sampling = setting(*AMONG, baseline)
    W, C = random_tables()
    p = naive.alias_probabilities(*sampling.noise)
    output, input = (mean[:DIM] for mean in means(W, C, centres, sampling))
    right_W, right_C = expected_steps(*AMONG)
    for centre, near in zip(centres, around, strict=True):
        own = np.array([near.count(word) for word in range(N_WORDS)])
        right_W[centre] -= NEGATIVE * baseline * (p * own) @ (C[:-1, :DIM] - output)
        right_C -= NEGATIVE * baseline * np.outer(p * (len(near) - own), input - W[centre, :DIM])
    check(steps_of_draws(*AMONG, baseline), (right_W, right_C))
