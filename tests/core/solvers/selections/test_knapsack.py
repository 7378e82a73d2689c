"""Knapsack: brute force, ties, shapes, types, errors."""

import itertools
import re

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imle_core.solvers import Knapsack
from seeded import lists
from threads import torch_threads

VALUES = [-2.0, -0.5, 0.0, 0.25, 1.0, 1.0, 1.5, 3.0, 2.0**40, -float("inf")]


def best_set(weights, capacity, values):
    """The best sets of items that gain; of these the one that has the first item, then the second, and so on."""
    sets = itertools.product((1, 0), repeat=len(weights))
    fitting = [
        z for z in sets if np.dot(z, weights) <= capacity and all(v > 0 for v, one in zip(values, z, strict=True) if one)
    ]
    return max(fitting, key=lambda z: (sum(v for v, one in zip(values, z, strict=True) if one), z))


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    lists(lambda rng: (rng.randint(0, 9), rng.choice(VALUES)), 1, 7),
    st.integers(0, 30),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_the_best_set_and_among_equals_the_first(items, capacity, dtype):
    # All sums of these values are exact in the table's float64, so that ties are ties.
    weights, values = zip(*items, strict=True)
    z = Knapsack(weights, capacity)(torch.tensor([values], dtype=dtype))
    assert z.dtype == dtype
    assert z[0].tolist() == list(best_set(weights, capacity, values))


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(lists(lambda rng: (rng.choice([0, 0, 3, 6]), rng.choice(VALUES)), 1, 6), st.sampled_from([0, 2, 3, 9, 12]))
def test_items_without_weight_are_taken_where_they_gain(items, capacity):
    weights, values = zip(*items, strict=True)
    z = Knapsack(weights, capacity)(torch.tensor([values], dtype=torch.float64))[0]
    assert z.tolist() == list(best_set(weights, capacity, values))
    weightless = torch.tensor(weights) == 0
    assert torch.equal(z[weightless] > 0, torch.tensor(values)[weightless] > 0)


@pytest.mark.parametrize("weights", [[0, 5, 0, 5], [0, 5.0, 0, 5], [False, True, False, True], [-0.0, 5, 0, 5]])
@pytest.mark.parametrize("capacity", [0, 4, 5, 2**70])
def test_room_is_left_to_others_by_items_without_weight(weights, capacity):
    z = Knapsack(weights, capacity)(torch.tensor([[1.0, 2.0, -1.0, 3.0], [0.0, 3.0, 0.5, 2.0]]))
    room = capacity // max(weights)
    others = [[0, 0], [0, 0]] if room == 0 else [[0, 1], [1, 0]] if room == 1 else [[1, 1], [1, 1]]
    assert z[:, [1, 3]].tolist() == others
    assert z[:, [0, 2]].tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64, torch.int32, torch.uint8])
def test_weights_may_be_a_tensor_of_any_type(dtype):
    weights = torch.tensor([2, 3, 4]).to(dtype).requires_grad_(dtype.is_floating_point)
    assert Knapsack(weights, 6)(torch.tensor([[3.0, 4.0, 5.0]])).tolist() == [[1, 0, 1]]


@pytest.mark.slow
def test_values_that_ties_do_not_decide():
    theta = torch.randn(200, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weights = np.random.default_rng(0).integers(1, 20, 10)
    every = torch.tensor(list(itertools.product((0.0, 1.0), repeat=10)), dtype=torch.float64)
    fitting = every[(every @ torch.from_numpy(weights).double()) <= 37]
    z = Knapsack(weights, 37)(theta)
    torch.testing.assert_close((z * theta).sum(dim=1), (theta @ fitting.T).amax(dim=1), rtol=1e-12, atol=0)
    assert (z @ torch.from_numpy(weights).double() <= 37).all()


def test_batched_equals_one_by_one_on_any_number_of_threads():
    theta = torch.randn(64, 30, generator=torch.Generator().manual_seed(0))
    solver = Knapsack(np.arange(1, 31), 200)
    alone = torch.cat([solver(row[None]) for row in theta])
    for count in (1, 3):
        with torch_threads(count):
            assert torch.equal(solver(theta), alone)


def test_what_divides_all_weights_changes_nothing():
    theta = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Knapsack([2, 3, 4, 7], 9)(theta), Knapsack([2000, 3000, 4000, 7000], 9999)(theta))


def test_room_without_end_takes_all_that_gains():
    assert Knapsack([5, 0], 10**15)(torch.tensor([[1.0, 2.0], [-1.0, 0.0]])).tolist() == [[1, 1], [0, 0]]
    assert Knapsack([0, 0], 0)(torch.tensor([[1.0, 2.0]])).tolist() == [[1, 1]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_types_and_shapes(dtype):
    theta = torch.tensor([[[1.0, 2.0], [3.0, -4.0]]], dtype=dtype, requires_grad=True)
    z = Knapsack([[1, 1], [1, 1]], 2)(theta)
    assert (z.dtype, z.tolist(), z.requires_grad) == (dtype, [[[0, 1], [1, 0]]], False)
    assert Knapsack([1, 1], 1)(torch.zeros(0, 2, dtype=dtype)).shape == (0, 2)
    assert torch.equal(Knapsack([1, 1], 1)(torch.tensor([[1.0, 3.0], [2.0, 4.0]]).T), torch.tensor([[0.0, 1.0], [0.0, 1.0]]))


class TestSeveralConstraints:
    @pytest.mark.slow
    @settings(max_examples=40, deadline=None)
    @given(
        lists(lambda rng: (rng.randint(0, 9), rng.choice([0.0, 0.1, 0.25, 1.3]), rng.choice(VALUES)), 1, 6),
        st.integers(0, 20),
        st.sampled_from([0.0, 0.3, 1.0, 1.4, 9.0]),
    )
    @example([(1, 0.0, 0.25), (1, 0.0, 1.0), (3, 0.0, 2.0**40)], 4, 0.0)  # what parts two sets is 1e-12 of their value
    def test_the_best_set_and_among_equals_the_first(self, items, capacity, room):
        *weights, values = zip(*items, strict=True)
        sets = list(itertools.product((1, 0), repeat=len(values)))
        hundredths = np.round(100 * np.array(weights)).astype(int)
        fitting = [
            z
            for z in sets
            if (hundredths @ z <= [100 * capacity, round(100 * room)]).all()
            and all(v > 0 for v, one in zip(values, z, strict=True) if one)
        ]
        best = max(fitting, key=lambda z: (sum(v for v, one in zip(values, z, strict=True) if one), z))
        assert Knapsack(weights, [capacity, room])(torch.tensor([values]))[0].tolist() == list(best)

    def test_values_that_ties_do_not_decide_on_any_number_of_threads(self):
        generator = torch.Generator().manual_seed(0)
        theta = torch.randn(200, 12, generator=generator, dtype=torch.float64)
        weights = torch.randint(300, 800, (3, 12), generator=generator).double() / 100
        every = torch.tensor(list(itertools.product((0.0, 1.0), repeat=12)), dtype=torch.float64)
        fitting = every[((every @ weights.T * 100).round() <= 2000).all(dim=1)]
        solver = Knapsack(weights, [20, 20, 20])
        z = solver(theta)
        torch.testing.assert_close((z * theta).sum(dim=1), (theta @ fitting.T).amax(dim=1), rtol=1e-12, atol=0)
        assert ((z @ weights.T * 100).round() <= 2000).all()
        with torch_threads(3):
            assert torch.equal(solver(theta), z)
        assert torch.equal(torch.cat([solver(row[None]) for row in theta[:5]]), z[:5])

    def test_one_constraint_is_the_same_by_either_method(self):
        theta = torch.randint(-2, 9, (40, 10), generator=torch.Generator().manual_seed(0)).float()
        weights = np.arange(1, 11)
        assert torch.equal(Knapsack(weights[None], [20])(theta), Knapsack(weights, 20)(theta))

    def test_items_of_any_shape_and_a_size_for_noise(self):
        solver = Knapsack(np.ones((2, 2, 3)), [4, 3])
        assert solver(torch.ones(1, 2, 3)).tolist() == [[[1, 1, 1], [0, 0, 0]]]
        assert solver.typical_ones((2, 3)) == 3
        assert Knapsack([[0, 1]], [0]).typical_ones((2,)) == 1


def test_real_weights_are_weighed_as_they_are_written():
    for weights in ([0.1, 0.2], torch.tensor([0.1, 0.2]), np.float16([0.1, 0.2])):  # their sum in float64 is above 0.3
        assert Knapsack(weights, 0.3)(torch.ones(1, 2)).tolist() == [[1, 1]]
        assert Knapsack(weights, 0.299)(torch.ones(1, 2)).tolist() == [[1, 0]]
    assert Knapsack([1 / 3, 2 / 3], 0.5).whole.capacity == 1
    assert Knapsack([4.02, 7.98, 8.0], torch.tensor(20)).whole.capacity == 2000 // 2


ERRORS = {
    "weights: got -2; they must be finite numbers >= 0; leave the item out": lambda: Knapsack([1, -2], 3),
    "weights: got nan; they must be finite numbers >= 0; leave the item out": lambda: Knapsack([1, np.nan], 3),
    "weights: got inf; they must be finite numbers >= 0; leave the item out": lambda: Knapsack([1, np.inf], 3),
    "weights: got 1e-30 beside 1; no scaling makes them whole numbers whose sum, or capacity, is below 2^63; round "
    "them": lambda: Knapsack([[1.0, 1e-30]], [3]),
    "weights: got numbers that are whole only times 1e+16; the table has a byte for each item and unit of room and may have "
    "2 GiB; round them, or give the capacity as a list, for branch and bound": lambda: Knapsack([1 / 3, 0.5], 0.5),
    "weights: got shape (2, 2) for capacities of shape (3,); there is a row of weights for each of a list of capacities; "
    "give (m, *event) and m capacities": lambda: Knapsack(np.ones((2, 2)), [1, 1, 1]),
    "weights: got 1e+30; they must be below 2^63; measure weights in larger units": lambda: Knapsack([1e30, 1], 3),
    "weights: got 9223372036854775808; they must be below 2^63; measure weights in larger units": lambda: Knapsack(
        np.array([1, 2**63], np.uint64), 3
    ),
    "weights: got <U1 entries; they must be numbers >= 0; give floats or integers": lambda: Knapsack(["a"], 3),
    "weights: got shape (0,); a knapsack needs a list of at least one item; add one": lambda: Knapsack([], 3),
    "capacity: got -1; it must be a finite number >= 0; use the sum of the weights for no limit": lambda: Knapsack([1], -1),
    "capacity: got inf; it must be a finite number >= 0; use the sum of the weights for no limit": lambda: Knapsack(
        [[1]], [np.inf]
    ),
    "capacity: got '5'; it must be a finite number >= 0; use the sum of the weights for no limit": lambda: Knapsack(
        [1], "5"
    ),
    "capacity: got 10000000000 for 2 items; the table has a byte for each item and unit of room and may have 2 GiB; measure "
    "weights in larger units": lambda: Knapsack([10**10, 10**10 - 1], 10**10),
    "theta: got shape (1, 3) for weights of shape (2,); it must be (N, *event) with a value for each weight; "
    "give a value an item": lambda: Knapsack([1, 2], 3)(torch.zeros(1, 3)),
    "theta: got 1 NaN and 1 inf; values must be finite; use -inf for never": lambda: Knapsack([1, 2], 3)(
        torch.tensor([[torch.nan, torch.inf]])
    ),
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message.rstrip())}$"):
        ERRORS[message]()
