"""Random problems for measuring estimators."""

import re

import numpy as np
import pytest
import torch

from imle_core.exact import AcyclicGridPaths, KnapsackSets, KSubset, SpanningTrees
from imle_core.lab import PROBLEMS, make_problem, squared_distance


@pytest.mark.parametrize(
    ("name", "size", "shape", "family", "count", "k"),
    [
        ("top-k", None, (10,), KSubset, 252, 5.0),
        ("top-k", "7, 2", (7,), KSubset, 21, 2.0),
        ("path", None, (8, 8), AcyclicGridPaths, 3432, 15.0),
        ("path", "3x5", (3, 5), AcyclicGridPaths, 15, 7.0),
        ("spanning-tree", None, (15,), SpanningTrees, 1296, 5.0),
        ("knapsack", "4", (4,), KnapsackSets, 9, 2.0),
    ],
)
def test_problems_and_their_exact_distributions(name, size, shape, family, count, k):
    problem = make_problem(name, size)
    assert problem.theta.shape == (1, *shape)
    assert problem.theta.dtype == torch.float64
    assert isinstance(problem.family, family)
    assert problem.family.count() == count
    assert problem.k == k
    states = problem.family.states()
    best = states[(states.flatten(1) @ problem.theta.flatten()).argmax()]
    assert torch.equal(problem.solver(problem.theta)[0], best)


def test_top_k_is_the_instance_of_the_paper():
    stream = np.random.RandomState(0)
    theta, wanted = stream.randn(10), np.abs(stream.randn(10))
    problem = make_problem("top-k")
    np.testing.assert_array_equal(problem.theta[0], theta)
    z = torch.from_numpy(np.eye(10)[:3])
    np.testing.assert_allclose(problem.loss(z), ((z.numpy() - wanted) ** 2).sum(axis=1))
    assert not torch.equal(make_problem("top-k", seed=1).theta, problem.theta)


def test_squared_distance():
    loss = squared_distance(torch.tensor([[1.0, 2.0]]))
    assert loss(torch.tensor([[[0.0, 0.0]], [[1.0, 2.0]]])).tolist() == [5.0, 0.0]


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        (
            "topk",
            None,
            "problem: got 'topk'; it must be one of 'top-k', 'path', 'spanning-tree', 'knapsack'; did you mean 'top-k'?",
        ),
        (
            "zzz",
            None,
            "problem: got 'zzz'; it must be one of 'top-k', 'path', 'spanning-tree', 'knapsack'; use 'top-k' for instance",
        ),
        ("top-k", "10", "size: got '10'; top-k has sizes like '10,5', of whole numbers >= 1; leave it out for that one"),
        ("top-k", "3,5", "size: got '3,5'; top-k chooses at most n of n; use '3,1'"),
        ("path", "8", "size: got '8'; path has sizes like '8x8', of whole numbers >= 1; leave it out for that one"),
        ("spanning-tree", "1", "size: got '1'; a spanning tree needs 2 nodes or more; use '6'"),
        ("knapsack", "0", "size: got '0'; knapsack has sizes like '12', of whole numbers >= 1; leave it out for that one"),
    ],
)
def test_errors(name, size, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_problem(name, size)


def test_every_problem_has_a_default():
    assert list(PROBLEMS) == ["top-k", "path", "spanning-tree", "knapsack"]
    for name in PROBLEMS:
        assert make_problem(name).name == f"{name} {PROBLEMS[name][0]}"
