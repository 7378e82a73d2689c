"""Cells, their order, and whether they are told apart."""

import math

import pytest
import torch

from imle_core.lab import Cell, Skipped, best_cells, is_told_apart
from imle_core.lab.accuracy import error_of, mean_accuracy, measure
from imle_core.lab.estimate import symmetric

TRUE = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)


def accuracy(error, seed, count=200):
    """Of unbiased normal gradients with such an error."""
    noise = torch.randn(count, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return measure(TRUE + math.sqrt(error / 3) * noise, TRUE)


def cell(name, errors, calls=10.0, seed=0, count=200, is_best=True):
    parts = tuple(accuracy(error, 100 * seed + number, count) for number, error in enumerate(errors))
    return Cell(name, None, None, 1.0, 10, mean_accuracy(parts), calls, 1e-3, count, parts, is_best)


def test_the_best_cells_come_first():
    records = [cell("a", [2.0], 2.0, is_best=False), Skipped("c", "no"), cell("b", [1.0], 3.0), cell("a", [1.0], 2.0)]
    assert [(found.estimator, found.calls) for found in best_cells(records)] == [("a", 2.0), ("b", 3.0)]


def test_of_infinite_costs_the_better_aligned_comes_first():
    lost, worse = cell("a", [1.0]), cell("b", [1.0])
    for each, value in ((lost, 0.01), (worse, -0.5)):
        object.__setattr__(each.accuracy, "alignment", symmetric(value, 0.1, 99))
        object.__setattr__(each.accuracy, "error", error_of(each.accuracy.alignment, 0.1))
    assert lost.cost == worse.cost == math.inf
    assert best_cells([worse, lost]) == [lost, worse]


class TestToldApart:
    def test_the_same_cell_is_not(self):
        same = cell("a", [1.0])
        assert not is_told_apart(same, same)

    @pytest.mark.slow
    @pytest.mark.parametrize("instances", [1, 5])
    def test_equal_errors_seldom_are_and_different_ones_nearly_always(self, instances):
        equal = different = 0
        for seed in range(60):
            best = cell("a", [1.0] * instances, seed=2 * seed)
            equal += is_told_apart(cell("b", [1.0] * instances, seed=2 * seed + 1), best)
            different += is_told_apart(cell("b", [2.0] * instances, seed=2 * seed + 1), best)
        assert equal <= 9
        assert different >= 57

    def test_calls_count(self):
        best = cell("a", [1.0], 10.0)
        assert is_told_apart(cell("b", [1.0], 20.0, seed=1), best)
        assert not is_told_apart(cell("b", [0.5], 20.0, seed=1), best)

    def test_what_instances_have_in_common_cancels(self):
        errors = [0.3, 1.0, 3.0, 10.0, 30.0]
        best, worse = cell("a", errors, count=4000), cell("b", [1.6 * error for error in errors], seed=1, count=4000)
        assert best.accuracy.error.high > worse.accuracy.error
        assert is_told_apart(worse, best)

    def test_instances_that_rank_them_differently_do_not_tell(self):
        best, other = cell("a", [0.5, 2.0, 1.0], count=4000), cell("b", [2.0, 0.5, 1.0], seed=1, count=4000)
        assert not is_told_apart(other, best)
