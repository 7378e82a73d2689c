"""Arithmetic of whole numbers of any size, for compiled kernels: rows of an array ``numbers``, in limbs.

The first limb is worth the most and has the sign; others are in 0..2**LIMB - 1, each worth ``2**-LIMB`` of the one before
it. O(L) for L limbs; comparisons end at the first limb that differs.
"""

from imle_core.kernels.compiled import compiled_borrowing
from imle_core.solvers.graph.exact_numbers import LIMB


@compiled_borrowing
def less(numbers, left, right):
    """True where the number in row ``left`` is below that in row ``right``."""
    for limb in range(numbers.shape[1]):
        if numbers[left, limb] != numbers[right, limb]:
            return numbers[left, limb] < numbers[right, limb]
    return False


@compiled_borrowing
def positive(numbers, row):
    """True where the number in a row is above 0."""
    for limb in range(numbers.shape[1]):
        if numbers[row, limb] != 0:
            return numbers[row, limb] > 0
    return False


@compiled_borrowing
def assign(numbers, target, source):
    """Row ``target`` becomes row ``source``."""
    for limb in range(numbers.shape[1]):
        numbers[target, limb] = numbers[source, limb]


@compiled_borrowing
def clear(numbers, row):
    """A row becomes 0."""
    for limb in range(numbers.shape[1]):
        numbers[row, limb] = 0


@compiled_borrowing
def add(numbers, target, source):
    """Row ``target`` grows by row ``source``."""
    carried = 0
    for limb in range(numbers.shape[1] - 1, 0, -1):
        total = numbers[target, limb] + numbers[source, limb] + carried
        numbers[target, limb], carried = total & (2**LIMB - 1), total >> LIMB
    numbers[target, 0] += numbers[source, 0] + carried


@compiled_borrowing
def subtract(numbers, target, source):
    """Row ``target`` falls by row ``source``."""
    carried = 0
    for limb in range(numbers.shape[1] - 1, 0, -1):
        total = numbers[target, limb] - numbers[source, limb] + carried
        numbers[target, limb], carried = total & (2**LIMB - 1), total >> LIMB
    numbers[target, 0] += carried - numbers[source, 0]


@compiled_borrowing
def gap(numbers, out, left, right, weight):
    """Row ``out`` becomes ``left + right - weight``."""
    carried = 0
    for limb in range(numbers.shape[1] - 1, 0, -1):
        total = numbers[left, limb] + numbers[right, limb] - numbers[weight, limb] + carried
        numbers[out, limb], carried = total & (2**LIMB - 1), total >> LIMB
    numbers[out, 0] = numbers[left, 0] + numbers[right, 0] - numbers[weight, 0] + carried


@compiled_borrowing
def halve(numbers, row):
    """A row, an even number, becomes half of it."""
    rest = 0
    for limb in range(numbers.shape[1]):
        total = numbers[row, limb] + (rest << LIMB)
        numbers[row, limb], rest = total >> 1, total & 1
