"""Generators and splits: the peer's arrays for the same seed, and what they refuse."""

import pytest
import torch

from imle_core import ArgumentError
from imle_core.decisions import knapsack_data, portfolio_data, shortest_path_data, split, tour_data
from reference import CASES

PATHS = [(30, 5, (5, 5), 4, 0.5, 42), (12, 3, (2, 4), 1, 0.0, 0), (8, 7, (4, 6), 6, 1.0, 135)]
KNAPSACKS = [(30, 5, 32, 2, 4, 0.5, 42), (20, 5, 16, 2, 6, 0.5, 135), (9, 3, 10, 1, 1, 0.0, 0)]
TOURS = [(10, 5, 10, 4, 0.5, 42), (6, 3, 7, 1, 0.0, 0)]
PORTFOLIOS = [(20, 4, 12, 4, 1, 42), (7, 3, 5, 1, 2.5, 0)]


def equal(name, tensor):
    """To the bit, but for costs, whose matrix product may end in another last place on another processor."""
    expected = torch.from_numpy(CASES[f"gen/{name}"])
    assert tensor.dtype == expected.dtype
    ulp = 2.4e-7 if tensor.dtype == torch.float32 else 0
    torch.testing.assert_close(tensor, expected, rtol=ulp, atol=0)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_paths(number):
    count, features, grid, degree, width, seed = PATHS[number]
    x, costs = shortest_path_data(count, features, grid, degree=degree, noise_width=width, seed=seed)
    equal(f"shortest_path/{number}/x", x)
    equal(f"shortest_path/{number}/c", costs)


@pytest.mark.parametrize("number", range(3))
def test_knapsacks(number):
    count, features, items, constraints, degree, width, seed = KNAPSACKS[number]
    x, costs, weights = knapsack_data(
        count, features, items, constraints=constraints, degree=degree, noise_width=width, seed=seed
    )
    equal(f"knapsack/{number}/x", x)
    equal(f"knapsack/{number}/weights", weights)
    assert torch.equal(costs, torch.from_numpy(CASES[f"gen/knapsack/{number}/c"]))


@pytest.mark.parametrize("number", range(2))
def test_tours(number):
    count, features, nodes, degree, width, seed = TOURS[number]
    x, costs, coordinates = tour_data(count, features, nodes, degree=degree, noise_width=width, seed=seed)
    equal(f"tsp/{number}/x", x)
    equal(f"tsp/{number}/c", costs)
    assert coordinates.shape == (nodes, 2)


@pytest.mark.parametrize("number", range(2))
def test_portfolios(number):
    count, features, assets, degree, level, seed = PORTFOLIOS[number]
    x, returns, covariance = portfolio_data(count, features, assets, degree=degree, noise_level=level, seed=seed)
    equal(f"portfolio/{number}/x", x)
    equal(f"portfolio/{number}/r", returns)
    torch.testing.assert_close(covariance, torch.from_numpy(CASES[f"gen/portfolio/{number}/cov"]), rtol=1e-12, atol=0)


def test_the_split():
    train, test = split(2000, 1000, seed=42)
    assert torch.equal(train, torch.from_numpy(CASES["split/train"]))
    assert torch.equal(test, torch.from_numpy(CASES["split/test"]))
    few, same = split(2000, 1000, train=10, seed=42)
    assert torch.equal(few, train[:10])
    assert torch.equal(same, test)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: shortest_path_data(0), "^count: got 0; it must be a whole number >= 1"),
        (lambda: shortest_path_data(2, 0), "^features: got 0"),
        (lambda: shortest_path_data(2, grid=(1, 1)), "^grid: got "),
        (lambda: shortest_path_data(2, degree=0), "^degree: got 0"),
        (
            lambda: shortest_path_data(2, degree=33),
            "^degree: got 33; it must be at most 32, so that costs stay finite in float32",
        ),
        (lambda: shortest_path_data(2, noise_width=-1.0), "^noise_width: got -1.0"),
        (lambda: shortest_path_data(2, noise_width="a"), "^noise_width: got 'a'; it must be a finite number >= 0"),
        (lambda: shortest_path_data(2, noise_width=10**400), "^noise_width: got a whole number of 1329 bits"),
        (
            lambda: shortest_path_data(2, noise_width=3e38),
            "^noise_width: got 3e.38; it must be at most 1e.06, so",
        ),
        (lambda: portfolio_data(2, noise_level=3e38), "^noise_level: got 3e.38; it must be at most 1e.06, so"),
        (lambda: shortest_path_data(2, seed=2**32), "^seed: got 4294967296; it must be below"),
        (lambda: knapsack_data(2, items=0), "^items: got 0"),
        (lambda: knapsack_data(2, constraints=0), "^constraints: got 0"),
        (lambda: tour_data(2, nodes=2), "^nodes: got 2; it must be a whole number >= 3"),
        (lambda: portfolio_data(2, assets=0), "^assets: got 0"),
        (lambda: portfolio_data(2, noise_level=0.0), "^noise_level: got 0.0; it must be a finite number > 0"),
        (lambda: split(5, 6), "^test: got 6; there are 5 instances"),
        (lambda: split(5, 3, train=3), "^train: got 3; 2 of 5 instances are left"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
