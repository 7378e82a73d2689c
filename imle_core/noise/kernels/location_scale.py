"""Compiled draws of ``location + scale * Y`` for a Gumbel, normal or logistic variable Y.

A Gumbel and a logistic variable are their quantiles at a uniform one, and normal ones come in pairs (Box and Muller 1958,
Ann. Math. Stat. 29). The uniform variable is the middle of one of 2**52 equal intervals, so no probability is off by more
than 2**-52, and the tails end where they hold that little.

The bits are words of SplitMix64, whose counter begins anew for each key. So a draw depends on the key and its position
alone, not on who draws the others; the two of a normal pair are half a stride of :data:`STRIDE` apart. All loops are
vectorised.
"""

import math

import numpy as np

from imle_core.kernels.compiled import compiled
from imle_core.kernels.elementary import logarithm, sine_and_cosine
from imle_core.kernels.random_bits import open_uniform, splitmix64
from imle_core.noise.kernels.instances import copy_to, room_for

STRIDE = 1024

_HALF = STRIDE // 2


@compiled
def gumbel(out, first, last, key, location, scale):
    """Fills the strides ``first..last-1`` of ``out`` with draws of ``-log(-log U)``.

    Args:
        out: ``(n,)`` float32 or float64; draws are made in float64.
        first: number of the first stride.
        last: number after the last stride.
        key: whole number that stands for the whole of ``out``.
        location: what is added to ``scale * Y``.
        scale: what multiplies Y.
    """
    start = splitmix64(np.uint64(key), np.uint64(1))
    exponential = np.empty(STRIDE)
    for begin in range(first * STRIDE, min(last * STRIDE, len(out)), STRIDE):
        count = min(STRIDE, len(out) - begin)
        for i in range(count):
            exponential[i] = -logarithm(open_uniform(splitmix64(start, np.uint64(begin + i))))
        for i in range(count):  # apart, since two logarithms in a row take long for the processor to look past
            out[begin + i] = location - scale * logarithm(exponential[i])


@compiled
def logistic(out, first, last, key, location, scale):
    """Fills strides with draws of ``log(U / (1 - U))``, with the arguments of :func:`gumbel`."""
    start = splitmix64(np.uint64(key), np.uint64(1))
    for i in range(first * STRIDE, min(last * STRIDE, len(out))):
        u = open_uniform(splitmix64(start, np.uint64(i)))
        out[i] = location + scale * logarithm(np.divide(u, 1.0 - u))


@compiled
def normal(out, first, last, key, location, scale):
    """Fills strides with the coordinates of normal points, with the arguments of :func:`gumbel`.

    A point is ``sqrt(-2 log U)`` away from 0, at an angle that is uniform in -pi/4..pi/4 and then mirrored or not at the
    second axis and at the diagonal.
    """
    start = splitmix64(np.uint64(key), np.uint64(1))
    points = np.empty(STRIDE)
    for begin in range(first * STRIDE, min(last * STRIDE, len(out)), STRIDE):
        count = min(STRIDE, len(out) - begin)
        for i in range(min(count, _HALF)):
            distance = math.sqrt(-2.0 * logarithm(open_uniform(splitmix64(start, np.uint64(begin + i)))))
            bits = splitmix64(start, np.uint64(begin + i + _HALF))
            sine, cosine = sine_and_cosine((open_uniform(bits) - 0.5) * (math.pi / 2))
            x = distance * (cosine if bits & np.uint64(1) else -cosine)
            y = distance * sine
            swapped = bits & np.uint64(2)
            points[i] = y if swapped else x
            points[i + _HALF] = x if swapped else y
        for i in range(count):
            out[begin + i] = location + scale * points[i]


@compiled
def gumbel_of_instances(out, sizes, first, last, keys, location, scale):
    """Fills the instances ``first..last-1``, each as :func:`gumbel` fills an array of its entries alone.

    Args:
        out: ``(B, S, n)`` float32 or float64, of which the first ``sizes[b]`` entries of a sample are drawn.
        sizes: ``(B,)`` numbers of entries.
        first: number of the first instance.
        last: number after the last instance.
        keys: ``(B,)`` whole numbers that each stand for an instance.
        location: what is added to ``scale * Y``.
        scale: what multiplies Y.
    """
    for b in range(first, last):
        draws = room_for(out[b], sizes[b])
        gumbel(draws, 0, (len(draws) + STRIDE - 1) // STRIDE, keys[b], location, scale)
        copy_to(out[b], sizes[b], draws)


@compiled
def logistic_of_instances(out, sizes, first, last, keys, location, scale):
    """Fills instances with draws of :func:`logistic`, with the arguments of :func:`gumbel_of_instances`."""
    for b in range(first, last):
        draws = room_for(out[b], sizes[b])
        logistic(draws, 0, (len(draws) + STRIDE - 1) // STRIDE, keys[b], location, scale)
        copy_to(out[b], sizes[b], draws)


@compiled
def normal_of_instances(out, sizes, first, last, keys, location, scale):
    """Fills instances with draws of :func:`normal`, with the arguments of :func:`gumbel_of_instances`."""
    for b in range(first, last):
        draws = room_for(out[b], sizes[b])
        normal(draws, 0, (len(draws) + STRIDE - 1) // STRIDE, keys[b], location, scale)
        copy_to(out[b], sizes[b], draws)
