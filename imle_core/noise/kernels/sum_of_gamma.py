"""Compiled draws of a sum of gamma variables of random shape: ``sum_b shift_b + Gamma(shape_b + J_b, scale_b)``.

J comes from an alias table (Walker 1977), the gamma variable by squeezed rejection from a cubed normal one (Marsaglia and
Tsang 2000, ACM Trans. Math. Softw. 26), the normal variable from a ziggurat of 256 layers (Marsaglia and Tsang 2000,
J. Stat. Softw. 5; in the form of Doornik 2005), and all randomness from xoshiro256++.

Draws are made in strides of :data:`STRIDE`, each with a generator of its own that SplitMix64 seeds from the key and the
number of the stride. So a draw depends on the key and its position alone, not on who draws the others.
"""

import math

import numpy as np

from imle_core.kernels.compiled import compiled
from imle_core.kernels.random_bits import next_bits, seed, uniform
from imle_core.noise.kernels.instances import copy_to, room_for

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
def fill(out, first, last, key, laws, starts, columns, scales):
    """Fills the strides ``first..last-1`` of ``out``.

    Args:
        out: ``(n,)`` float32 or float64; sums are made in float64.
        first: number of the first stride.
        last: number after the last stride.
        key: whole number that stands for the whole of ``out``.
        laws: ``(B, 3)`` shape, scale and shift of each term.
        starts: ``(B + 1,)`` where in ``columns`` each term's table begins; an empty one means J = 0.
        columns: ``(T, 2)`` probability to stay in a column, and where to go otherwise.
        scales: ``(T,)`` what :func:`cubed_scale` gives for each J of a term's table.
    """
    for stride in range(first, last):
        state = seed(np.uint64(key), np.uint64(stride))
        for i in range(stride * STRIDE, min((stride + 1) * STRIDE, len(out))):
            total = 0.0
            for b in range(len(laws)):
                shape, scale, shift = laws[b, 0], laws[b, 1], laws[b, 2]
                size = starts[b + 1] - starts[b]
                if size > 0:
                    u, state = uniform(state)
                    column = int(u * size)
                    stay, alias = columns[starts[b] + column, 0], columns[starts[b] + column, 1]
                    j = int(column if u * size - column < stay else alias)  # both are read: a branch would be a coin's toss
                    shape += j
                    c = scales[starts[b] + j]
                else:
                    c = _cubed_scale(shape)
                if shape < 1.0:  # Gamma(a) = Gamma(a + 1) U^(1/a)
                    u, state = uniform(state)
                    scale *= math.exp(math.log(1.0 - u) / shape)
                    shape += 1.0
                d = shape - 1.0 / 3.0
                while True:
                    x, state = _normal(state)
                    u, state = uniform(state)
                    h = c * x
                    if _accepted(h, 1.0 - u, d):
                        break
                total += shift + scale * d * ((1.0 + h) * (1.0 + h) * (1.0 + h))
            out[i] = total


@compiled
def fill_instances(out, sizes, first, last, keys, laws, starts, columns, scales):
    """Fills the instances ``first..last-1``, each as :func:`fill` fills an array of its entries alone.

    Args:
        out: ``(B, S, n)`` float32 or float64, of which the first ``sizes[b]`` entries of a sample are drawn.
        sizes: ``(B,)`` numbers of entries.
        first: number of the first instance.
        last: number after the last instance.
        keys: ``(B,)`` whole numbers that each stand for an instance.
        laws: as of :func:`fill`.
        starts: likewise.
        columns: likewise.
        scales: likewise.
    """
    for b in range(first, last):
        draws = room_for(out[b], sizes[b])
        fill(draws, 0, (len(draws) + STRIDE - 1) // STRIDE, keys[b], laws, starts, columns, scales)
        copy_to(out[b], sizes[b], draws)


def cubed_scale(shape: float) -> float:
    """``1 / sqrt(9 d)`` with ``d = a - 1/3``: the deviation of the cubed variable for a gamma variable of shape a.

    Shapes below 1 are raised by 1, as they are when drawn.
    """
    return 1.0 / math.sqrt(9.0 * ((shape + 1.0 if shape < 1.0 else shape) - 1.0 / 3.0))


_cubed_scale = compiled(cubed_scale)


@compiled
def _accepted(h, u, d):
    """True where ``d (1 + h)^3`` is taken as a gamma variable of shape ``d + 1/3``: with probability ``exp(g)``.

    ``g = 3 d [log(1 + h) - h + h^2/2 - h^3/3]``. The bracket is a power series that begins with ``-h^4/4``; for
    ``h > -1/2`` it is at least ``-h^4/2``. So ``1 - 3/2 d h^4 <= 1 + g <= exp(g)`` mostly spares the logarithms.
    """
    square = h * h
    if h > -0.5 and u < 1.0 - 1.5 * d * square * square:
        return True
    return h > -1.0 and math.log(u) < 3.0 * d * (math.log1p(h) - h + square * (0.5 - h / 3.0))


@compiled
def _normal(state):
    """A standard normal variable, and the state after it."""
    layer, u, state = _candidate(state)
    if abs(u) < _SURE[layer]:
        return u * _ENDS[layer], state
    return _normal_at_edge(layer, u, state)


@compiled
def _candidate(state):
    """A layer, a position in it from -1 to 1, and the state after them."""
    bits, state = next_bits(state)
    return bits & np.uint64(_LAYERS - 1), 2.0 * _UNIT * np.float64(bits >> np.uint64(11)) - 1.0, state


@compiled
def _normal_at_edge(layer, u, state):
    """A standard normal variable from a candidate that is not surely below the density; few are, so it stands apart."""
    while True:
        x = u * _ENDS[layer]
        if abs(u) < _SURE[layer]:
            return x, state
        if layer == 0:
            x, state = _beyond_tail(state)
            return math.copysign(x, u), state
        low = math.exp(-0.5 * (_ENDS[layer] ** 2 - x * x))
        high = math.exp(-0.5 * (_ENDS[layer + np.uint64(1)] ** 2 - x * x))
        v, state = uniform(state)
        if high + v * (low - high) < 1.0:
            return x, state
        layer, u, state = _candidate(state)


@compiled
def _beyond_tail(state):
    """A standard normal variable given that it is larger than the lowest layer's end (Marsaglia 1964)."""
    while True:
        u, state = uniform(state)
        v, state = uniform(state)
        x = -math.log(1.0 - u) / _TAIL
        y = -math.log(1.0 - v)
        if y + y > x * x:
            return _TAIL + x, state
