"""Compiled draws of a sum of gamma variables of random shape: ``sum_b shift_b + Gamma(shape_b + J_b, scale_b)``.

J comes from an alias table (Walker 1977), the gamma variable by squeezed rejection from a cubed normal one (Marsaglia and
Tsang 2000, ACM Trans. Math. Softw. 26), the normal variable from a ziggurat of 256 layers (Marsaglia and Tsang 2000,
J. Stat. Softw. 5; in the form of Doornik 2005), and all randomness from xoshiro256++ (Blackman and Vigna 2021, ACM Trans.
Math. Softw. 47).

Draws are made in strides of :data:`STRIDE`, each with a generator of its own that SplitMix64 seeds from the key and the
number of the stride. So a draw depends on the key and its place alone, not on who draws the others.
"""

import math

import numpy as np

from imle_core.compiled import compiled

STRIDE = 4096

_LAYERS = 256
_TAIL = 3.6541528853610088  # where the lowest layer of 256 ends (Marsaglia and Tsang 2000)


def _layers():
    """Right ends of the layers, all of one area, from the widest to 0."""
    area = _TAIL * math.exp(-_TAIL * _TAIL / 2) + math.sqrt(math.pi / 2) * math.erfc(_TAIL / math.sqrt(2))
    ends = np.zeros(_LAYERS + 1)
    ends[0], ends[1] = area / math.exp(-_TAIL * _TAIL / 2), _TAIL
    for i in range(2, _LAYERS):
        ends[i] = math.sqrt(-2 * math.log(area / ends[i - 1] + math.exp(-(ends[i - 1] ** 2) / 2)))
    return ends


_ENDS = _layers()
_SURE = _ENDS[1:] / _ENDS[:-1]
_UNIT = 2.0**-53


@compiled
def fill(out, first, last, key, laws, starts, keep, alias):
    """Fills the strides ``first..last-1`` of ``out``.

    Args:
        out: ``(n,)`` float32 or float64; sums are made in float64.
        first: number of the first stride.
        last: number after the last stride.
        key: uint64 that stands for the whole of ``out``.
        laws: ``(B, 3)`` shape, scale and shift of each term.
        starts: ``(B + 1,)`` where in ``keep`` and ``alias`` each term's table begins; an empty one means J = 0.
        keep: ``(T,)`` probabilities to stay in a column.
        alias: ``(T,)`` where to go otherwise.
    """
    state = np.empty(4, np.uint64)
    for stride in range(first, last):
        _seed(state, key, np.uint64(stride))
        for i in range(stride * STRIDE, min((stride + 1) * STRIDE, len(out))):
            total = 0.0
            for b in range(len(laws)):
                shape, scale, shift = laws[b, 0], laws[b, 1], laws[b, 2]
                columns = starts[b + 1] - starts[b]
                if columns > 0:
                    place = _uniform(state) * columns
                    column = int(place)
                    at = starts[b] + column
                    shape += column if place - column < keep[at] else alias[at]
                if shape < 1.0:  # Gamma(a) = Gamma(a + 1) U^(1/a)
                    scale *= math.exp(math.log(1.0 - _uniform(state)) / shape)
                    shape += 1.0
                d = shape - 1.0 / 3.0
                c = 1.0 / math.sqrt(9.0 * d)
                h = c * _normal(state)
                while not _accepted(h, 1.0 - _uniform(state), d):
                    h = c * _normal(state)
                total += shift + scale * d * (1.0 + h) ** 3
            out[i] = total


@compiled
def _accepted(h, u, d):
    """Whether ``d (1 + h)^3`` is taken as a gamma variable of shape ``d + 1/3``: with probability ``exp(g)``.

    ``g = 3 d [log(1 + h) - h + h^2/2 - h^3/3]``. The bracket is a power series that begins with ``-h^4/4``; for
    ``h > -1/2`` it is at least ``-h^4/2``. So ``1 - 3/2 d h^4 <= 1 + g <= exp(g)`` mostly spares the logarithms.
    """
    square = h * h
    if h > -0.5 and u < 1.0 - 1.5 * d * square * square:
        return True
    return h > -1.0 and math.log(u) < 3.0 * d * (math.log1p(h) - h + square * (0.5 - h / 3.0))


@compiled
def _normal(state):
    """A standard normal variable."""
    while True:
        bits = _next(state)
        layer = np.int64(bits & np.uint64(_LAYERS - 1))
        u = 2.0 * _UNIT * np.float64(bits >> np.uint64(11)) - 1.0
        x = u * _ENDS[layer]
        if abs(u) < _SURE[layer]:
            return x
        if layer == 0:
            return math.copysign(_beyond_tail(state), u)
        low = math.exp(-0.5 * (_ENDS[layer] ** 2 - x * x))
        high = math.exp(-0.5 * (_ENDS[layer + 1] ** 2 - x * x))
        if high + _uniform(state) * (low - high) < 1.0:
            return x


@compiled
def _beyond_tail(state):
    """A standard normal variable given that it is larger than the lowest layer's end (Marsaglia 1964)."""
    while True:
        x = -math.log(1.0 - _uniform(state)) / _TAIL
        y = -math.log(1.0 - _uniform(state))
        if y + y > x * x:
            return _TAIL + x


@compiled
def _uniform(state):
    """Uniform in [0, 1), a multiple of 2**-53."""
    return _UNIT * np.float64(_next(state) >> np.uint64(11))


@compiled
def _next(state):
    """The next 64 bits of xoshiro256++."""
    s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
    total = s0 + s3
    result = ((total << np.uint64(23)) | (total >> np.uint64(41))) + s0
    s2 ^= s0
    s3 ^= s1
    state[1] = s1 ^ s2
    state[0] = s0 ^ s3
    state[2] = s2 ^ (s1 << np.uint64(17))
    state[3] = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))
    return result


@compiled
def _seed(state, key, stride):
    """Sets the generator to four outputs of SplitMix64, other ones for each stride."""
    for i in range(4):
        z = key + (np.uint64(4) * stride + np.uint64(i + 1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state[i] = z ^ (z >> np.uint64(31))
