"""``imle bench``: tables, JSON, the picture of a full measurement, and refusals word for word."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from command_line import Command
from imle_cli.app import app
from imle_cli.benchmarks import catalogue, crossovers, load, machine, rivals
from imle_cli.benchmarks.measurement import Row
from imle_cli.benchmarks.rounds import Estimate
from imle_cli.figures.scaling_curve import ScalingCurve
from imle_core.kernels import instruction_set as vectors

KEYS = ["machine", "python", "versions", "load", "rows"]
LOAD = {"before": 0.5, "after": 1.25, "others": 0.3}


def measure(device, seed):
    yield Row("ten [red] maps", "slow", Estimate(1.5, 1.46, 1.55), "maps/s")
    ratio = Estimate(823.04, 800.0, 840.4)
    yield Row("ten [red] maps", f"fast, {device}, seed {seed}", Estimate(1234567.0), "maps/s", ratio, "slow")


def more(*_):
    yield Row("more maps", "GridPath", Estimate(40.0), "maps/s")
    yield Row("more maps", "scipy", Estimate(40.0), "maps/s", Estimate(0.8234, 0.5, 1.5), "GridPath")


def panel(seed):
    sides = ScalingCurve("one thread", f"seed {seed}", "GridPath", (8, 16), (1e-6, 4e-6), ((1e-6, 2e-6), None))
    return [sides, ScalingCurve("64 maps", "threads", "scipy", (1,), (1e-6,), (None,))]


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    monkeypatch.setattr(catalogue, "MEASUREMENTS", (measure,))
    monkeypatch.setattr(catalogue, "MORE", (more,))
    monkeypatch.setattr(catalogue, "CURVES", (panel,))
    monkeypatch.setattr(machine, "_processor", lambda _: "chip")
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(vectors, "vector_instructions", lambda: "AVX2")
    monkeypatch.setattr(load.LoadWatch, "record", lambda _: LOAD)
    for path, _ in rivals.OPTIONAL.values():
        monkeypatch.setitem(sys.modules, path, None)


bench = Command("bench", "--device", "cpu")
BELOW = [
    "machine  chip, 4 processors, AVX2",
    "load     0.5 processes before, 1.2 after; others took 30% of the processors meanwhile",
]


def cells(table):
    lines = [line.split("  ") for line in table.splitlines()]
    return [[cell.strip() for cell in line if cell.strip()] for line in lines]


def test_table():
    table, _, below = bench("--seed", "4").partition("\n\n")
    assert cells(table) == [
        ["what", "with", "figure", "unit", "ratio", "95% interval"],
        ["ten [red] maps", "slow", "1.5", "maps/s", "1.46 to 1.55"],
        ["ten [red] maps", "fast, cpu, seed 4", "1,234,567", "maps/s", "823 x slow", "800 to 840"],
    ]
    assert below.splitlines() == BELOW
    assert not list(Path().iterdir())


def test_json():
    values = json.loads(bench("--json"))
    assert list(values) == [*KEYS, "seconds"]
    assert list(values["machine"]) == ["processor", "processors", "vectors", "system", "threads", "gpu"]
    assert set(values["versions"]) >= {"python", "imle", "torch", "numpy", "numba", "scipy", "networkx"}
    assert values["python"] == values["versions"]["python"]
    assert values["load"] == LOAD
    assert values["rows"] == [row.record for row in measure("cpu", 0)]
    assert values["rows"][0] == {
        "subject": "ten [red] maps",
        "means": "slow",
        "value": 1.5,
        "low": 1.46,
        "high": 1.55,
        "unit": "maps/s",
        "ratio": None,
        "ratio_low": None,
        "ratio_high": None,
        "reference": None,
        "settled": True,
    }


@pytest.mark.slow
def test_a_full_table_has_more_rows_and_says_what_is_missing_and_where_the_picture_is():
    table, legend, below = bench("--full").split("\n\n")
    assert [line[0] for line in cells(table)] == ["what", *["ten [red] maps"] * 2, *["more maps"] * 2]
    assert [line[-1] for line in cells(table)][1:] == ["1.46 to 1.55", "800 to 840", "?", "0.5 to 1.5 ?"]
    assert legend == "?  not settled: measured once, or until its time was up while the interval was still wide"
    assert cells(table)[-1][-2] == "0.823 x GridPath"
    assert below.splitlines() == [
        *BELOW,
        "missing  dijkstra3d, scikit-image, rustworkx; install them for their rows",
        "files    bench.png",
    ]
    assert np.asarray(Image.open("bench.png")).std() > 0


@pytest.mark.slow
def test_a_full_table_does_not_speak_of_missing_libraries_where_there_are_none(monkeypatch):
    for path, _ in rivals.OPTIONAL.values():
        monkeypatch.setitem(sys.modules, path, sys)
    assert "missing" not in bench("--full")


@pytest.mark.slow
def test_full_json_has_the_curves_and_the_picture_goes_where_it_should():
    values = json.loads(bench("--full", "--json", "--seed", "4", "--out", "speeds.svg"))
    assert list(values) == [*KEYS, "curves", "missing", "seconds", "files"]
    assert values["curves"] == [
        {
            "subject": "one thread",
            "against": "seed 4",
            "means": "GridPath",
            "places": [8, 16],
            "seconds": [1e-6, 4e-6],
            "intervals": [[1e-6, 2e-6], None],
        },
        {
            "subject": "64 maps",
            "against": "threads",
            "means": "scipy",
            "places": [1],
            "seconds": [1e-6],
            "intervals": [None],
        },
    ]
    assert values["missing"] == ["dijkstra3d", "scikit-image", "rustworkx"]
    assert values["files"] == ["speeds.svg"]
    assert "chip, 4 processors, AVX2" in Path("speeds.svg").read_text()
    assert [path.name for path in Path().iterdir()] == ["speeds.svg"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["--out", "a.png"],
            2,
            "error: --out: got a.png; only a full measurement draws a picture; add --full or leave it out\n",
        ),
        (
            ["--full", "--out", "a.txt"],
            2,
            "error: --out: a.txt ends in .txt; it must end in .png or .pdf or .svg\n",
        ),
        (
            ["--full", "--out", "no/a.png"],
            2,
            "error: --out: the folder no does not exist; make it first\n",
        ),
    ],
)
def test_a_wrong_place_is_refused_before_anything_is_measured(arguments, code, message, monkeypatch):
    monkeypatch.setattr(catalogue, "MEASUREMENTS", (None,))
    result = CliRunner().invoke(app, ["bench", *arguments])
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", message)


@pytest.mark.slow
def test_quiet_prints_nothing_and_draws():
    assert bench("--full", "--quiet") == ""
    assert Path("bench.png").exists()


def crossing(seed):
    yield crossovers.Crossover("fewest_small", f"maps [of] seed {seed}", 7.54321, 8.0)
    yield crossovers.Crossover("tiles_a_thread", "maps", 123456.0, None)


class TestTune:
    @pytest.fixture(autouse=True)
    def _few_crossovers(self, monkeypatch):
        monkeypatch.setattr(catalogue, "MEASUREMENTS", (None,))
        monkeypatch.setattr(crossovers, "CROSSOVERS", (crossing,))

    def test_table(self):
        lines = [line.split("  ") for line in bench("--tune", "--seed", "4").splitlines()]
        assert [[cell.strip() for cell in line if cell.strip()] for line in lines] == [
            ["number", "of", "measured", "in use"],
            ["fewest_small", "maps [of] seed 4", "7.54", "8"],
            ["tiles_a_thread", "maps", "123,456", "never"],
        ]
        assert not list(Path().iterdir())

    def test_json(self):
        values = json.loads(bench("--tune", "--json"))
        assert list(values) == ["machine", "python", "versions", "load", "crossovers", "seconds"]
        assert values["crossovers"][1] == {
            "number": "tiles_a_thread",
            "subject": "maps",
            "measured": 123456.0,
            "in_use": None,
        }

    @pytest.mark.parametrize(("arguments", "name"), [(["--full"], "--full"), (["--out", "a.png"], "--out")])
    def test_beside_other_measurements(self, arguments, name):
        message = f"--tune: got it beside {name}; it measures numbers alone; leave one out"
        Command("bench", "--tune").expect_refusal(arguments, 2, message)
