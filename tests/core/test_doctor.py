"""The doctor as a whole: our solvers pass, its list of checks, its arguments."""

import re

import pytest
import torch

from imle_core.doctor import CHECKS, FIRST, check
from imle_core.solvers import (
    AcyclicGridPath,
    ArgMax,
    Assignment,
    BlackBox,
    GridPath,
    IntegerProgram,
    Knapsack,
    Matching,
    MinCut,
    Ranking,
    ShortestPath,
    SpanningTree,
    TopK,
)

EDGES = [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)]
GOOD = {
    "grid": (GridPath(), (4, 5), []),
    "grid, networkx": (GridPath(engine="networkx"), (3, 3), []),
    "acyclic": (AcyclicGridPath(), (4, 5), []),
    "top-k": (TopK(3), (3, 4), []),
    "choice": (ArgMax(), (3, 4), []),
    "ranking": (Ranking(), (6,), []),
    "knapsack": (Knapsack([1, 2, 3, 4], 6), (4,), []),
    "assignment": (Assignment(), (3, 4), []),
    "partial": (Assignment(partial=True), (3, 3), []),
    "program": (IntegerProgram(A=[[1, 1, 1, 1]], b=[2]), (4,), []),
    "path": (ShortestPath(EDGES, 0, 3, floor=0.0), (5,), []),
    "path, refusing": (ShortestPath(EDGES, 0, 3), (5,), ["gradients"]),
    "tree": (SpanningTree(EDGES), (5,), []),
    "matching": (Matching(EDGES), (5,), []),
    "cut": (MinCut(EDGES, 0, 3, floor=0.0), (5,), []),
    "cut, refusing": (MinCut(EDGES, 0, 3), (5,), ["gradients"]),
}


@pytest.mark.parametrize("name", GOOD)
def test_our_solvers_pass(examined, name):
    solver, shape, warns = GOOD[name]
    found = examined(solver, shape)
    assert tuple(found.found) == CHECKS
    busy = [] if "speed" in warns else ["speed"]  # which depends on what else the machine does
    assert (found.fails, [name for name in found.warns if name not in busy]) == ([], warns)


def test_the_names_of_the_checks():
    names = (
        *("call", "shape", "values", "determinism", "type", "rows", "mates", "input", "layout", "maximiser", "monotone"),
        *("ties", "scale", "shift", "precision", "grad", "empty", "domain", "threads", "pickle", "speed", "variety"),
        "gradients",
    )
    assert names == CHECKS
    assert CHECKS[:4] == FIRST


def test_progress():
    done = []
    check(TopK(2), (6,), nb_instances=4, observe=done.append)
    assert done == list(range(len(CHECKS)))


def test_a_function_of_one_instance_in_a_black_box(examined):
    assert examined(BlackBox(lambda theta: theta > 0)).fails == []


@pytest.mark.parametrize("size", [1, 2])
def test_small_instances(examined, size):
    found = examined(lambda theta: (theta > 0).to(theta), (size,), nb_instances=2)
    assert found.fails == []


def test_the_same_seed_finds_the_same():
    def told(seed):
        quiet = ("speed", "threads", "pickle")
        return [(some.check, some.detail) for some in check(TopK(2), (6,), seed=seed) if some.check not in quiet]

    assert told(1) == told(1)
    assert told(1) != told(2)


class WithDomain:
    """A solver that says what it takes."""

    def __init__(self, domain):
        self.domain = domain

    def __call__(self, theta):
        return TopK(1)(theta)


@pytest.mark.parametrize(
    ("domain", "asked"),
    [
        ((-float("inf"), float("inf")), "from -1 to 1"),
        ((-float("inf"), 0.0), "from -2 to 0"),
        ((3.0, float("inf")), "from 3 to 5"),
        ((0.0, 0.5), "from 0 to 0.5"),
        (torch.tensor([1.0, 2.0]), "from 1 to 2"),
    ],
)
def test_the_domain_of_a_solver_is_asked_for(examined, domain, asked):
    assert examined(WithDomain(domain))["call"].detail == f"24 instances, theta {asked}"


ERRORS = {
    "low, high: got 1 and 1; low must be finite and below high; leave them out for [-1, 1]": {"low": 1.0, "high": 1.0},
    "low, high: got -inf and 1; low must be finite and below high; leave them out for [-1, 1]": {
        "low": -float("inf"),
        "high": 1.0,
    },
    "nb_instances: got 1; it must be at least 2; the usual number is 64": {"nb_instances": 1},
    "seed: got -1; it must be a whole number from 0 to 2^64 - 1; the usual one is 0": {"seed": -1},
    "sense: got 'least'; it must be one of 'max', 'min'": {"sense": "least"},
    "shape: got (); it must be whole numbers >= 1, one for each axis; use (n,) for n numbers": {"shape": ()},
    "shape: got (3, 0); it must be whole numbers >= 1, one for each axis; use (n,) for n numbers": {"shape": (3, 0)},
    "shape: got 5; it must be whole numbers >= 1, one for each axis; use (n,) for n numbers": {"shape": 5},
    "domain: got 'all'; it must be a pair of the smallest and the largest theta; use -inf and inf for no end": {
        "solver": WithDomain("all")
    },
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    settings = {"solver": TopK(2), "shape": (3,)} | ERRORS[message]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check(settings.pop("solver"), settings.pop("shape"), **settings)
