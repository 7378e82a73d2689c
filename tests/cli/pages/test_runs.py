"""Numbers of a training in its page: how they are rounded, and how much room they take."""

import numpy as np
import pytest

from imle_cli.options.inputs import MapOptions, MapSolverOptions
from imle_cli.pages.runs import changes, in_whole_numbers, page_of, thinned
from imle_cli.problems.map import make_map_problem
from imle_cli.runs.training import TrainingHistory

OPTIONS = {"solver": "dijkstra", "input_temp": 1.0, "target_temp": 1.0}


@pytest.mark.parametrize("largest", [1e-42, 3e-7, 0.09999996, 1.0, 2.06, 99999.4, 123456.0, 3e38])
def test_weights_are_rounded_at_the_fifth_digit_of_the_largest(largest):
    values = np.random.default_rng(0).uniform(-1, 1, 1000) * largest
    values[0] = largest
    rounded, decimals = in_whole_numbers(values)
    assert 9999 <= rounded.max() <= 100_000
    power = 10.0 ** (decimals // 2), 10.0 ** (decimals - decimals // 2)
    assert np.abs(rounded / power[0] / power[1] - values).max() <= 0.5000001 / power[0] / power[1]


def test_nothing_but_zeros_stays_so():
    assert in_whole_numbers(np.zeros(3))[0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("span", "kind"), [(9, np.int16), (50_000, np.int32)])
def test_changes_add_up_to_the_values_and_take_few_bytes(span, kind):
    values = np.random.default_rng(0).integers(-span, span, (40, 7)).astype(np.int32)
    found = changes(values)
    assert found.dtype == kind
    np.testing.assert_array_equal(found.cumsum(axis=1).T, values)


def history_of(records, side=16):
    """A history as Adam makes it: a step turns slowly and is at most .005; the path changes now and then."""
    generator = np.random.default_rng(0)
    history = TrainingHistory(np.eye(side, dtype=np.uint8), np.ones((side, side)))
    weights, way = generator.uniform(-0.1, 0.1, (side, side)), np.zeros((side, side))
    for step in range(records):
        way = 0.9 * way + 0.1 * generator.uniform(-0.005, 0.005, (side, side))
        weights = weights + way
        chosen = np.eye(side, dtype=np.uint8) if step % 7 else np.flipud(np.eye(side, dtype=np.uint8))
        history.add(step, weights, chosen, chosen)
    return history


@pytest.mark.slow
def test_a_run_of_1100_steps_stays_under_600_kilobytes():
    history = history_of(1101)
    problem = make_map_problem(MapOptions(), history.costs, MapSolverOptions(), "cpu")
    rows = [(step, float(np.float32(59.123 / (step + 1))), 30) for step in range(1101)]
    page = page_of(history, rows, problem, OPTIONS, [])
    assert (list(page.films), page.count) == (["learning"], 1101)
    assert len(page.make(lambda _: None)) < 600_000


def test_records_without_a_loss_are_left_out():
    history = history_of(10, side=3)
    problem = make_map_problem(MapOptions(), history.costs, MapSolverOptions(), "cpu")
    assert page_of(history, [(step, 1.0, 2) for step in range(7)], problem, OPTIONS, []).count == 7


def test_of_many_records_some_are_shown_evenly_and_the_last():
    history = history_of(100, side=3)
    assert thinned(history, 4).steps == [0, 33, 66, 99]
    assert thinned(history, 0).steps == [99]
    np.testing.assert_array_equal(thinned(history, 4).weights[1], history.weights[33])
    assert thinned(history, 1000).steps == history.steps
