"""Floats as whole numbers in limbs: exact ratios, bounds, signs."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imle_core.solvers.graph.exact_numbers import LIMB, in_limbs, limbs_for, whole

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
ROWS = st.lists(FLOATS | st.sampled_from([0.0, 1.0, -1.0, 5e-324, 1.7e308, 0.1, 2.0**60, 2.0**61]), min_size=1, max_size=9)


def as_integers(limbs):
    return [sum(int(limb) << (LIMB * place) for place, limb in enumerate(number[::-1])) for number in limbs]


@pytest.mark.slow
@given(ROWS)
def test_numbers_have_the_exact_ratios_of_floats(row):
    digits, shifts, bits = whole(np.array([row, [0.0] * len(row)]))
    counts = limbs_for(bits)
    limbs = in_limbs(digits[0], shifts[0], counts[0])
    numbers = as_integers(limbs)
    unit = next((Fraction(value) / number for value, number in zip(row, numbers, strict=True) if value), Fraction(1))
    assert [number * unit for number in numbers] == [Fraction(value) for value in row]
    assert sum(map(abs, numbers)) < 2 ** int(bits[0])
    assert not any(row) or any(number & 1 for number in numbers)
    assert (np.abs(limbs[:, 0]) < 2**61).all()
    assert (np.abs(limbs[:, 1:]) < 2**LIMB).all()
    assert (digits[1] == 0).all()
    assert (bits[1], counts[1]) == (0, 1)


def test_most_float32_rows_need_one_limb_and_float64_rows_two():
    rows = np.random.default_rng(0).random((50, 1000))
    assert (limbs_for(whole(rows)[2]) == 2).all()
    assert (limbs_for(whole(rows.astype(np.float32))[2]) == 1).all()


@pytest.mark.parametrize(("bits", "count"), [(0, 1), (61, 1), (62, 2), (121, 2), (122, 3)])
def test_twice_a_sum_fits_into_the_first_limb(bits, count):
    assert limbs_for(np.array([bits])).tolist() == [count]
    assert in_limbs(np.array([1]), np.array([bits]), count)[0, 0] <= 2**61


def test_no_rows():
    assert [part.shape for part in whole(np.zeros((0, 3)))] == [(0, 3), (0, 3), (0,)]
