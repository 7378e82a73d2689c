"""Options: groups become one signature; texts become values, or a message."""

import inspect
import math
import re
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from imle_cli.messages import UsageError
from imle_cli.options.checks import check_at_least
from imle_cli.options.groups import Without, command
from imle_cli.options.inputs import InputTemperature, MapOptions, NoiseOptions, Samples, SolverOptions
from imle_cli.options.report import ReportOptions


def expect_usage_error(message):
    return pytest.raises(UsageError, match=f"^{re.escape(message)}$")


class TestPairs:
    @pytest.mark.parametrize("text", ["3x12", " 3 X 12 ", "03x012"])
    def test_grid(self, text):
        assert MapOptions(grid=text).grid_shape == (3, 12)

    @pytest.mark.parametrize("text", ["0,15", " 0 , 15"])
    def test_tiles(self, text):
        assert SolverOptions(start=text).tile("start") == (0, 15)
        assert SolverOptions(goal=text).tile("goal") == (0, 15)

    def test_none(self):
        assert MapOptions().grid_shape is None
        assert SolverOptions().tile("start") is None

    @pytest.mark.parametrize("text", ["", "3", "3x", "3x4x5", "3,4", "-3x4", "3.5x4", "a x b"])
    def test_what_is_no_grid(self, text):
        with expect_usage_error(f"--grid: got {text!r}; it must be HxW such as 16x16"):
            _ = MapOptions(grid=text).grid_shape

    @pytest.mark.parametrize("text", ["", "3", "3,", "1,2,3", "3x4", "-1,4"])
    def test_what_is_no_tile(self, text):
        with expect_usage_error(f"--goal: got {text!r}; it must be ROW,COL such as 0,15"):
            SolverOptions(goal=text).tile("goal")


class TestIterations:
    @pytest.mark.parametrize(("text", "value"), [("100", 100), (" 7 ", 7), ("007", 7), ("inf", math.inf), ("INF", math.inf)])
    def test_whole_numbers_and_infinity(self, text, value):
        assert NoiseOptions(noise_iterations=text).iterations == value

    @pytest.mark.parametrize("text", ["0", "-1", "1.5", "1e3", "many", "", "nan", "9" * 30])
    def test_what_is_neither(self, text):
        with expect_usage_error(f"--noise-iterations: got {text!r}; it must be a whole number >= 1, or inf"):
            _ = NoiseOptions(noise_iterations=text).iterations


class TestChecks:
    @pytest.mark.parametrize(
        ("value", "least", "message"),
        [
            (-1.0, 0, "--x: got -1; it must be a number >= 0; do y"),
            (math.nan, 0, "--x: got nan; it must be a number >= 0; do y"),
            (math.inf, 0, "--x: got inf; it must be a number >= 0; do y"),
            (0, 1, "--x: got 0; it must be a whole number >= 1; do y"),
        ],
    )
    def test_outside(self, value, least, message):
        with expect_usage_error(message):
            check_at_least("--x", value, least, "do y")

    def test_inside(self):
        check_at_least("--x", 0.0, 0, "do y")
        check_at_least("--x", 1, 1, "do y")

    @pytest.mark.parametrize("seed", [-1, 2**63])
    def test_seed(self, seed):
        with expect_usage_error(f"--seed: got {seed}; it must be a whole number from 0 to 2^63 - 1; the usual one is 0"):
            ReportOptions(seed=seed)
        assert ReportOptions(seed=2**63 - 1).seed == 2**63 - 1

    def test_name_of_the_map(self):
        assert MapOptions().name == "built-in"
        assert MapOptions(map=Path("a/b.png")).name == str(Path("a/b.png"))


class TestCommand:
    def flat(self):
        seen = []

        def act(place: MapOptions, report: ReportOptions, input_temp: InputTemperature = 1.0, samples: Samples = 5) -> None:
            """Does a thing."""
            seen.append((place, report, input_temp, samples))
            if samples == 0:
                raise UsageError("none")

        return command(act), seen

    def test_groups_become_keywords_in_their_order(self):
        flat, _ = self.flat()
        parameters = inspect.signature(flat).parameters
        assert list(parameters) == [
            "context",
            *("map", "grid", "min_cost", "max_cost"),
            *("seed", "device", "json", "quiet", "debug"),
            *("input_temp", "samples"),
        ]
        assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters.values())
        assert (flat.__name__, flat.__doc__) == ("act", "Does a thing.")

    def test_values_come_back_as_groups(self):
        flat, seen = self.flat()
        app = typer.Typer()
        app.command()(flat)
        result = CliRunner().invoke(app, ["m.png", "--grid", "2x3", "--seed", "4", "--json", "--samples", "9"])
        assert result.exit_code == 0, result.output
        assert seen == [(MapOptions(map=Path("m.png"), grid="2x3"), ReportOptions(seed=4, json=True), 1.0, 9)]

    def test_a_group_may_leave_fields_out(self):
        seen = []

        def act(report: Annotated[ReportOptions, Without("seed", "device")]) -> None:
            """Does a thing."""
            seen.append(report)

        flat = command(act)
        assert list(inspect.signature(flat).parameters) == ["context", "json", "quiet", "debug"]
        app = typer.Typer()
        app.command()(flat)
        assert CliRunner().invoke(app, ["--json"]).exit_code == 0
        assert seen == [ReportOptions(json=True)]

    def test_errors_end_the_command(self):
        flat, _ = self.flat()
        app = typer.Typer()
        app.command()(flat)
        result = CliRunner().invoke(app, ["--samples", "0"])
        assert (result.exit_code, result.stderr) == (2, "error: none\n")
        assert CliRunner().invoke(app, ["--seed", "-1"]).exit_code == 2

    def test_a_parameter_of_another_class_is_no_option(self):
        class Desk:
            pass

        def act(report: ReportOptions, desk: Desk) -> Desk:
            """Does a thing."""
            return report.seed, desk

        given = []
        flat = command(act, lambda function, arguments: given.append(function(**arguments, desk="mine")))
        assert "desk" not in inspect.signature(flat).parameters
        app = typer.Typer()
        app.command()(flat)
        assert CliRunner().invoke(app, ["--seed", "3"]).exit_code == 0
        assert given == [(3, "mine")]
