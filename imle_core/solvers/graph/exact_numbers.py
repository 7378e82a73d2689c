"""Floats as whole numbers in the same exact ratios, in limbs of 60 bits, for kernels that never round."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from imle_core.solvers.rows import Rows

Whole: TypeAlias = NDArray[np.int64]

LIMB = 60  # bits; what is left of 64 holds signs and sums of a few limbs before they are carried


def whole(values: Rows) -> tuple[Whole, Whole, Whole]:
    """Whole numbers ``digits * 2**shifts``, in each row in the exact ratios of its values.

    A float is ``m * 2**e`` with a whole m; a row's numbers are ``m * 2**(e - u)``, with u the lowest e of its odd m.

    Args:
        values: ``(N, E)``, finite.

    Returns:
        tuple: ``digits`` and ``shifts`` ``(N, E)``, ``|digits| < 2**53`` and odd or 0, ``shifts >= 0``; ``bits`` ``(N,)``:
        the sum of a row's absolute values is below ``2**bits``.
    """
    fractions, exponents = np.frexp(values.astype(np.float64))
    digits = np.ldexp(fractions, 53).astype(np.int64)
    nonzero = digits != 0
    zeros = np.frexp((digits & -digits).astype(np.float64))[1] - nonzero
    lowest = exponents + (zeros - 53)
    unit = np.where(nonzero, lowest, np.iinfo(np.int32).max).min(axis=1, keepdims=True, initial=np.iinfo(np.int32).max)
    shifts = np.where(nonzero, lowest - unit, 0).astype(np.int64)
    top = np.where(nonzero, exponents, np.iinfo(np.int32).min).max(axis=1, keepdims=True, initial=np.iinfo(np.int32).min)
    sums = np.ldexp(np.abs(fractions), exponents - np.where(nonzero, top, 0)).sum(axis=1)
    sums *= 1 + 2.0**-30  # more than the sum was rounded down
    bits = np.where(sums > 0, (top.astype(np.int64) - unit)[:, 0] + np.frexp(sums)[1], 0)
    return digits >> zeros, shifts, bits


def limbs_for(bits: Whole) -> Whole:
    """Number of limbs that hold numbers below ``2**(bits + 1)``: the first has all bits of int64, the others ``LIMB``."""
    return 1 + np.maximum(bits - 2, 0) // LIMB


def in_limbs(digits: Whole, shifts: Whole, count: int) -> Whole:
    """Numbers ``digits * 2**shifts`` as ``(*shape, count)``: a limb is worth ``2**LIMB`` of the next, all have one sign."""
    sizes = np.abs(digits)
    limbs = np.empty((*digits.shape, count), np.int64)
    for limb in range(count):
        by = shifts - LIMB * (count - 1 - limb)
        bits = np.where(by < 0, sizes >> np.minimum(-by, 63), sizes << np.clip(by, 0, 63))
        limbs[..., limb] = bits & (2**LIMB - 1) if limb else bits
    if (digits < 0).any():
        limbs[digits < 0] *= -1
    return limbs
