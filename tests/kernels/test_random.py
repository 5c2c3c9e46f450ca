"""Random numbers, alias tables and keep probabilities against plain forms and published values."""

import numpy as np
import pytest
from naive import alias_probabilities, draw_alias, mix, permuted, random_at, random_below

from embedtrain.kernels import random as sampling
from embedtrain.models.distributions import alias_table, keep_probability, keep_thresholds, noise_distribution


def test_mix_is_splitmix64():
    # The first outputs of SplitMix64 seeded with 0 and with 1234567, as published with the algorithm's reference.
    assert sampling.random_at(np.uint64(0), 1) == 0xE220A8397B1DCDAF
    assert sampling.random_at(np.uint64(1234567), 1) == 6457827717110365317
    for x in (0, 1, 12345678901234567890, 2**64 - 1):
        assert sampling.mix(np.uint64(x)) == mix(x)


def test_random_numbers_are_those_of_the_plain_form():
    for key, index in ((0, 0), (1, 1), (2**63 + 5, 10**12)):
        assert sampling.random_at(np.uint64(key), index) == random_at(key, index)


def test_below_covers_its_range_evenly():
    draws = [int(sampling.random_below(np.uint64(sampling.random_at(np.uint64(7), i)), 5)) for i in range(5000)]
    assert draws == [random_below(random_at(7, i), 5) for i in range(5000)]
    assert np.bincount(draws, minlength=5) == pytest.approx(np.full(5, 1000), abs=120)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 16, 17, 100])
def test_permutations_are_those_of_the_plain_form(n):
    for key in (0, 77, 2**63 + 5):
        order = [int(sampling.permuted(np.uint64(key), i, n)) for i in range(n)]
        assert sorted(order) == list(range(n))
        assert order == [permuted(key, i, n) for i in range(n)]


@pytest.mark.parametrize("n", [7, 12, 16, 20])
def test_shuffled_pairs_have_equal_chances_of_being_near(n):
    window, keys = 3, 3000
    place = np.array([np.argsort([permuted(random_at(5, key), i, n) for i in range(n)]) for key in range(keys)])
    near = (np.abs(place[:, :, None] - place[:, None]) <= window).mean(axis=0)[np.triu_indices(n, 1)]
    chance = window * (2 * n - window - 1) / (n * (n - 1))  # ordered pairs in a window of a line, of all
    assert near == pytest.approx(np.full(len(near), chance), abs=4.5 * np.sqrt(chance * (1 - chance) / keys))


@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_alias_table_stands_for_exactly_its_distribution(n):
    probability = np.random.default_rng(n).dirichlet(np.full(n, 0.3))
    thresholds, aliases = alias_table(probability)
    assert alias_probabilities(thresholds, aliases) == pytest.approx(probability, abs=1e-8)


def test_alias_draws_follow_their_distribution():
    probability = np.array([0.5, 0.3, 0.15, 0.05, 0.0])
    table = alias_table(probability)
    bits = [np.uint64(sampling.random_at(np.uint64(3), i)) for i in range(20_000)]
    draws = [int(sampling.draw_alias(b, *table)) for b in bits]
    assert draws[:500] == [draw_alias(int(b), *table) for b in bits[:500]]
    assert np.bincount(draws, minlength=5) / 20_000 == pytest.approx(probability, abs=0.012)


def test_kept_share_is_the_keep_probability():
    thresholds = keep_thresholds(np.array([1.0, 0.25]), 3)
    kept = np.array([[sampling.is_kept(np.uint64(5), i, threshold) for threshold in thresholds] for i in range(10_000)])
    assert kept[:, 0].all()
    assert kept[:, 1].mean() == pytest.approx(0.25, abs=0.02)
    assert not kept[:, 2].any(), "ids beyond the vocabulary are never kept"


def test_keep_probability_is_word2vecs():
    counts = np.array([900, 99, 1])
    # (sqrt(0.9 / 0.1) + 1) * 0.1 / 0.9 = 4 / 9; the others would be kept more than once
    assert keep_probability(counts, 0.1) == pytest.approx([4 / 9, 1, 1])
    assert keep_probability(counts, 0).tolist() == [1, 1, 1]


def test_noise_is_drawn_by_count_to_the_exponent():
    assert noise_distribution(np.array([81, 16]), 0.75) == pytest.approx([27 / 35, 8 / 35])
    assert noise_distribution(np.array([81, 16]), 0.0) == pytest.approx([0.5, 0.5])
    assert noise_distribution(np.array([3, 1]), 1.0) == pytest.approx([0.75, 0.25])
