"""Arithmetic in limbs against Python's whole numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imle_core.solvers.graph.exact_numbers import LIMB
from imle_core.solvers.graph.kernels.exact_numbers import add, assign, clear, gap, halve, less, positive, subtract

NUMBERS = st.integers(-(2**175), 2**175) | st.sampled_from([0, 1, -1, 2**LIMB, 2**LIMB - 1, -(2**LIMB), 2 ** (2 * LIMB)])


def limbs(*numbers):
    return np.array([[number >> 2 * LIMB, number >> LIMB & 2**LIMB - 1, number & 2**LIMB - 1] for number in numbers])


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(NUMBERS, NUMBERS, NUMBERS)
def test_numbers_are_those_of_python(one, two, weight):
    numbers = limbs(one, two, weight, 2 * one, 0)
    assert less(numbers, 0, 1) == (one < two)
    assert less(numbers, 0, 0) is False
    assert positive(numbers, 0) == (one > 0)
    gap(numbers, 4, 0, 1, 2)
    halve(numbers, 3)
    assert (numbers == limbs(one, two, weight, one, one + two - weight)).all()
    add(numbers, 0, 1)
    subtract(numbers, 1, 2)
    assign(numbers, 3, 4)
    clear(numbers, 4)
    assert (numbers == limbs(one + two, two - weight, weight, one + two - weight, 0)).all()
