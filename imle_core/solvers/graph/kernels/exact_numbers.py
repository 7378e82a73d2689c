"""Arithmetic of whole numbers of any size, for compiled kernels: rows of an array ``numbers``, in limbs.

The first limb is worth the most and has the sign; others are in 0..2**LIMB - 1, each worth ``2**-LIMB`` of the one before
it. O(L) for L limbs; comparisons end at the first limb that differs.
"""

from imle_core.kernels.compiled import compiled_borrowing
from imle_core.solvers.graph.exact_numbers import LIMB


@compiled_borrowing
def less(numbers, one, two):
    """Whether the number in row one is below that in row two."""
    for limb in range(numbers.shape[1]):
        if numbers[one, limb] != numbers[two, limb]:
            return numbers[one, limb] < numbers[two, limb]
    return False


@compiled_borrowing
def positive(numbers, one):
    """Whether a number is above 0."""
    for limb in range(numbers.shape[1]):
        if numbers[one, limb] != 0:
            return numbers[one, limb] > 0
    return False


@compiled_borrowing
def assign(numbers, one, two):
    """Row one becomes row two."""
    for limb in range(numbers.shape[1]):
        numbers[one, limb] = numbers[two, limb]


@compiled_borrowing
def clear(numbers, one):
    """Row one becomes 0."""
    for limb in range(numbers.shape[1]):
        numbers[one, limb] = 0


@compiled_borrowing
def add(numbers, one, two):
    """Row one grows by row two."""
    carried = 0
    for limb in range(numbers.shape[1] - 1, 0, -1):
        total = numbers[one, limb] + numbers[two, limb] + carried
        numbers[one, limb], carried = total & (2**LIMB - 1), total >> LIMB
    numbers[one, 0] += numbers[two, 0] + carried


@compiled_borrowing
def subtract(numbers, one, two):
    """Row one falls by row two."""
    carried = 0
    for limb in range(numbers.shape[1] - 1, 0, -1):
        total = numbers[one, limb] - numbers[two, limb] + carried
        numbers[one, limb], carried = total & (2**LIMB - 1), total >> LIMB
    numbers[one, 0] += carried - numbers[two, 0]


@compiled_borrowing
def gap(numbers, out, one, two, weight):
    """Row out becomes ``one + two - weight``."""
    carried = 0
    for limb in range(numbers.shape[1] - 1, 0, -1):
        total = numbers[one, limb] + numbers[two, limb] - numbers[weight, limb] + carried
        numbers[out, limb], carried = total & (2**LIMB - 1), total >> LIMB
    numbers[out, 0] = numbers[one, 0] + numbers[two, 0] - numbers[weight, 0] + carried


@compiled_borrowing
def halve(numbers, one):
    """Row one, an even number, becomes half of it."""
    rest = 0
    for limb in range(numbers.shape[1]):
        total = numbers[one, limb] + (rest << LIMB)
        numbers[one, limb], rest = total >> 1, total & 1
