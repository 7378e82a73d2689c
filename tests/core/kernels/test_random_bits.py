"""The random bits of compiled draws: the published generators, and the ends of their uniform variables."""

import math

import numpy as np
import pytest
from scipy import stats

from imle_core.kernels import random_bits as kernel
from imle_core.kernels.compiled import compiled

# Steele, Lea and Flood's SplitMix64 from 1234567.
SPLIT_MIX = (6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431)


@compiled
def words(out, start):
    for i in range(len(out)):
        out[i] = kernel.splitmix64(start, np.uint64(i))


def numbers(*values):
    return tuple(map(np.uint64, values))


def drawn(start, count):
    out = np.empty(count, np.uint64)
    words(out, np.uint64(start))
    return out


def test_the_generator_is_xoshiro256_plus_plus():
    # Blackman and Vigna's generator from the state 1, 2, 3, 4.
    state, bits = numbers(1, 2, 3, 4), []
    for _ in range(4):
        word, state = kernel.next_bits(numbers(*state))
        bits.append(int(word))
    assert bits == [41943041, 58720359, 3588806011781223, 3591011842654386]


def test_its_seeds_are_those_of_split_mix():
    assert kernel.seed(*numbers(1234567, 0)) == SPLIT_MIX
    assert int(kernel.seed(*numbers(1234567, 1))[0]) == 16408922859458223821


def test_words_are_those_of_split_mix():
    assert tuple(drawn(1234567, 5)[1:]) == SPLIT_MIX


def test_words_far_away_need_none_before_them():
    assert kernel.splitmix64(*numbers(1234567, 2**40 + 3)) == kernel.splitmix64(
        *numbers((1234567 + 2**40 * 0x9E3779B97F4A7C15) % 2**64, 3)
    )


@pytest.mark.parametrize(
    ("bits", "unit"), [(0, 2.0**-53), (2**64 - 1, 1 - 2.0**-53), (2**63, 0.5 + 2.0**-53), (2**12, 3 * 2.0**-53)]
)
def test_the_inside_of_the_unit_interval_has_the_middles_of_equal_intervals(bits, unit):
    assert kernel.open_uniform(np.uint64(bits)) == unit


@pytest.mark.slow
def test_every_bit_of_a_word_is_a_fair_coin_that_knows_no_other():
    bits = np.unpackbits(drawn(5, 2**18).view(np.uint8)).reshape(-1, 64) - np.float32(0.5)
    assert np.abs(bits.mean(axis=0, dtype=float)).max() < 4.5 * 0.5 / 2**9
    later = np.concatenate([bits[:-1], bits[1:]], axis=1)
    correlations = np.corrcoef(later, rowvar=False, dtype=np.float32) - np.eye(128)
    assert np.abs(correlations).max() < 5.5 / 2**9


@pytest.mark.slow
@pytest.mark.parametrize("key", [0, 1, 2**64 - 1])
def test_words_are_uniform(key):
    counts = np.bincount((drawn(key, 2**20) >> np.uint64(52)).astype(int), minlength=4096)
    excess = ((counts - 256.0) ** 2 / 256).sum() - 4095
    assert abs(excess) < 4.5 * math.sqrt(2 * 4095)
    assert stats.kstest(drawn(key, 2**18) / 2.0**64, "uniform").pvalue > 1e-3
