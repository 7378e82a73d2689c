"""Measurements: what they measure is right; how fast it is, is not a matter of tests."""

import json
from functools import partial

import pytest
import torch
from typer.testing import CliRunner

from imle_cli import benchmarks, black_box_benchmarks, measurement, plain_solvers
from imle_cli.app import app
from imle_cli.benchmarks import MEASUREMENTS
from imle_cli.measurement import Row, fastest
from imle_core.solvers import AcyclicGridPath, Knapsack, TopK


def test_fastest_takes_turns_after_one_call_each(monkeypatch):
    monkeypatch.setattr(measurement, "_SECONDS", 0.0)
    calls = []
    seconds = fastest(lambda: calls.append("a"), lambda: calls.append("b"))
    assert calls == ["a", "b"] * 4
    assert all(0 < value < 1 for value in seconds)


@pytest.mark.parametrize(
    "measure",
    [*MEASUREMENTS[:1], *MEASUREMENTS[3:12], partial(black_box_benchmarks.workers, seconds=0.001, count=8)],
    ids=lambda measure: getattr(measure, "__name__", None) or measure.func.__name__,
)
def test_every_measurement_gives_positive_figures_and_its_ratio(measure, monkeypatch):
    monkeypatch.setattr(measurement, "_SECONDS", 0.0)
    threads = torch.get_num_threads()
    rows = list(measure(torch.device("cpu"), 0))
    assert torch.get_num_threads() == threads
    assert rows
    assert all(row.value > 0 for row in rows)
    for row in rows:
        if row.ratio is not None:
            slower = next(other for other in rows if other.subject == row.subject and row.reference in other.means)
            assert row.ratio == pytest.approx(row.value / slower.value)


def test_where_backward_rows_repeat_nine_tenths_do(monkeypatch):
    monkeypatch.setattr(measurement, "_SECONDS", 0.0)
    rate, forward, backward = black_box_benchmarks.repeats(torch.device("cpu"), 0)
    assert 90 <= rate.value < 100
    assert backward.value > forward.value


def test_what_is_measured_against_gives_the_same():
    generator = torch.Generator().manual_seed(0)
    weights = torch.randint(0, 9, (8,), generator=generator).tolist()
    maps, values = (torch.randn(shape, generator=generator).round() for shape in ((50, 4, 5), (50, 8)))
    pairs = [
        (AcyclicGridPath(), plain_solvers.acyclic_path, maps),
        (Knapsack(weights, 20), lambda row: plain_solvers.knapsack(row, weights, 20), values),
        (TopK(3), lambda row: plain_solvers.top_k(row, 3), values),
    ]
    for solver, plain, theta in pairs:
        assert solver(theta).tolist() == [plain(row) for row in theta.tolist()]


def test_memory_is_measured_above_the_imports():
    (row,) = MEASUREMENTS[-1](torch.device("cpu"), 0)
    assert row.unit == "MB"
    assert 8 < row.value < 1000  # the map alone has 8 MB; below the project's limit


def test_commands_are_timed_as_whole_processes(monkeypatch):
    monkeypatch.setattr(measurement, "_SECONDS", 0.0)
    calls = []
    monkeypatch.setattr(benchmarks, "_run", lambda *arguments: calls.append(arguments[2]))
    assert [row.unit for row in MEASUREMENTS[13](torch.device("cpu"), 0)] == ["s", "s"]
    assert set(calls) == {"marginals", "--help"}


def test_a_training_gives_speeds_and_an_animation(monkeypatch):
    monkeypatch.setattr(measurement, "_SECONDS", 0.0)
    training = MEASUREMENTS[14].func
    rows = list(training(torch.device("cpu"), 0, steps=20, steps_on_large=2, turns=1))
    assert [row.unit for row in rows] == ["s", "steps/s", "s", "kB"]
    assert all(row.value > 0 for row in rows)
    assert rows[2].subject.startswith("3 frames")


def test_a_sweep_is_timed_whole(monkeypatch):
    calls = []
    monkeypatch.setattr(benchmarks, "_run", lambda *arguments: calls.append(arguments))
    (row,) = MEASUREMENTS[15](torch.device("cpu"), 7)
    assert (row.unit, calls[0][2:6]) == ("s", ("sweep", "--animate", "--seeds", "7"))


class TestCommand:
    @pytest.fixture(autouse=True)
    def _two_rows(self, monkeypatch):
        def measure(device, seed):
            yield Row("ten [red] maps", "slow", 1.5, "maps/s")
            yield Row("ten [red] maps", f"fast, {device}, seed {seed}", 1234567.0, "maps/s", 823.04, "slow")

        monkeypatch.setattr(benchmarks, "MEASUREMENTS", (measure,))

    def test_table(self):
        result = CliRunner().invoke(app, ["bench", "--seed", "4", "--device", "cpu"])
        assert (result.exit_code, result.stderr) == (0, "")
        lines = [line.split("  ") for line in result.stdout.splitlines()]
        cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
        assert cells == [
            ["what", "with", "figure", "unit", "ratio"],
            ["ten [red] maps", "slow", "1.5", "maps/s"],
            ["ten [red] maps", "fast, cpu, seed 4", "1,234,567", "maps/s", "823.0 x slow"],
        ]

    def test_json(self):
        values = json.loads(CliRunner().invoke(app, ["bench", "--json"]).stdout)
        assert list(values) == ["machine", "python", "versions", "rows", "seconds"]
        assert set(values["versions"]) == {"imle", "torch", "numpy", "numba", "networkx"}
        assert values["rows"][0] == {
            "subject": "ten [red] maps",
            "means": "slow",
            "value": 1.5,
            "unit": "maps/s",
            "ratio": None,
            "reference": None,
        }
