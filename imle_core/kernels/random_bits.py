"""Random bits for compiled draws, one after the other from xoshiro256++ or side by side from SplitMix64.

xoshiro256++ (Blackman and Vigna 2021, ACM Trans. Math. Softw. 47) is for draws that use a varying amount of bits: its state
is handed from one to the next. SplitMix64 (Steele, Lea and Flood 2014, OOPSLA) is a mixed counter, so that any of its words
is known without those before it: a loop over positions has nothing that one iteration hands to another, and is vectorised.
"""

import numpy as np

from imle_core.kernels.compiled import compiled

_UNIT = 2.0**-53
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ONE = np.uint64(0x3FF0000000000000)  # the bits of 1.0


@compiled
def uniform(state):
    """Uniform in [0, 1), a multiple of 2**-53, and the state after it."""
    bits, state = next_bits(state)
    return _UNIT * np.float64(bits >> np.uint64(11)), state


@compiled
def next_bits(state):
    """The next 64 bits of xoshiro256++, and the state after them; as numbers, which stay in registers."""
    s0, s1, s2, s3 = state
    total = s0 + s3
    result = ((total << np.uint64(23)) | (total >> np.uint64(41))) + s0
    shifted = s1 << np.uint64(17)
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    return result, (s0, s1, s2 ^ shifted, (s3 << np.uint64(45)) | (s3 >> np.uint64(19)))


@compiled
def seed(key, stride):
    """The state that four outputs of SplitMix64 make, other ones for each stride."""
    first = key + (np.uint64(4) * stride + np.uint64(1)) * _GOLDEN
    second = first + _GOLDEN
    return mix64(first), mix64(second), mix64(second + _GOLDEN), mix64(second + _GOLDEN + _GOLDEN)


@compiled
def splitmix64(start, position):
    """The 64 bits of SplitMix64 at a position, counted from 0, where its counter begins at ``start``."""
    return mix64(start + position * _GOLDEN)


@compiled
def open_uniform(bits):
    """Uniform in (0, 1) from the upper 52 bits: the middle of one of 2**52 equal intervals, so neither 0 nor 1."""
    return np.uint64((bits >> np.uint64(12)) | _ONE).view(np.float64) - (1.0 - _UNIT)


@compiled
def mix64(z):
    """SplitMix64's output for its counter."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
