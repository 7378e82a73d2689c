"""Exact knapsacks: counts, limits, scales, errors."""

import re
from math import comb

import numpy as np
import pytest
import torch

from imle_core.exact import Hypercube, KnapsackSets
from imle_core.solvers import Knapsack

THETA = torch.randn(3, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
WEIGHTS = [3, 1, 4, 1, 5, 9, 2, 6]


def test_marginals_approach_the_solver():
    best = Knapsack(WEIGHTS, 12)(THETA)
    torch.testing.assert_close(KnapsackSets(WEIGHTS, 12).marginals(THETA * 1e6), best, rtol=0, atol=1e-12)


def test_room_for_all_makes_independent_bits():
    for capacity in (31, 10**30):
        family = KnapsackSets(WEIGHTS, capacity)
        torch.testing.assert_close(family.marginals(THETA), Hypercube(8).marginals(THETA), rtol=1e-12, atol=0)
        assert family.count() == 2**8


def test_what_divides_all_weights_changes_nothing():
    family = KnapsackSets([10**9 * weight for weight in WEIGHTS], 12 * 10**9 + 5)
    assert torch.equal(family.marginals(THETA), KnapsackSets(WEIGHTS, 12).marginals(THETA))
    assert family.count() == KnapsackSets(WEIGHTS, 12).count()


def test_counts_are_exact_at_size():
    assert KnapsackSets([1] * 100, 50).count() == sum(comb(100, k) for k in range(51))


def test_items_heavier_than_any_number_never_fit():
    family = KnapsackSets(np.array([1e300, 1.0]), 1)
    assert family.marginals(torch.tensor([[1e4, 0.0]])).tolist() == [[0.0, 0.5]]
    assert (family.sample(torch.tensor([[1e4, 0.0]]), 50)[..., 0] == 0).all()


WHOLE = "they must be whole numbers >= 0; scale and round them"
ERRORS = {
    f"weights: got 2.5; {WHOLE}": lambda: KnapsackSets([1, 2.5], 3),
    f"weights: got -2; {WHOLE}": lambda: KnapsackSets([1, -2], 3),
    f"weights: got nan; {WHOLE}": lambda: KnapsackSets([1, np.nan], 3),
    "weights: got <U1 entries; they must be whole numbers >= 0; give integers": lambda: KnapsackSets(["a"], 3),
    "weights: got shape (0,); a knapsack needs a list of at least one item; add one": lambda: KnapsackSets([], 3),
    "weights: got shape (); a knapsack needs a list of at least one item; add one": lambda: KnapsackSets(3, 3),
    "capacity: got -1; it must be a whole number >= 0; scale weights and capacity alike": lambda: KnapsackSets([1], -1),
    "capacity: got 1.5; it must be a whole number >= 0; scale weights and capacity alike": lambda: KnapsackSets([1], 1.5),
    "capacity: got 1000000000 for 2 items; the table has eight bytes for each item and unit of room and may have 2 GiB; "
    "measure weights in larger units": lambda: KnapsackSets([10**9, 10**9 - 1], 10**9),
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ERRORS[message]()
