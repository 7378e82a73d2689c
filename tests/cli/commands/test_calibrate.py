"""``imle calibrate``: tables, JSON, pictures, the user's own inputs, and refusals word for word."""

import json
import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from command_line import Command, options_in
from imle_cli.app import app
from imle_core import GumbelNoiseDistribution
from imle_core.lab import calibrate as library_calibrate
from imle_core.lab import make_problem

KEYS = ["problem", "instances", "states", "log10_states", "noise", "k", "iterations", "samples", "seed", "best", "rows"]
KEYS += ["seconds", "files"]
ROW = ["temperature", "total_variation", "total_variation_standard_error", "marginal_error"]
ROW += ["marginal_error_standard_error", "most_total_variation", "by_instance"]
QUICK = ["--samples", "400", "--temps", "1,2"]


calibrate = Command("calibrate")
invoke = calibrate.invoke


@pytest.fixture
def _tables():
    Path("pack.csv").write_text("item,weight,score\na,2,1.5\nb,3,2\nc,4,0.5\n")

    Path("graph.csv").write_text("source,target,weight\na,b,1\nb,c,2\na,c,0.5\nc,d,1\nb,d,2\n")


@pytest.fixture
def _undrawn(monkeypatch):
    """Pictures are made but not encoded, which takes longer than all else."""
    monkeypatch.setattr("imle_cli.figures.canvas.encode", lambda *_: b"")


@pytest.mark.usefixtures("_undrawn")
class TestResults:
    def test_json_has_these_keys_and_the_library_s_numbers(self):
        arguments = ["--size", "6,2", "--instances", "3", "--seed", "4", "--noise", "gumbel", *QUICK]
        values = json.loads(calibrate(*arguments, "--json"))
        assert list(values) == KEYS
        assert (values["problem"], values["instances"], values["states"]) == ("top-k 6,2", 3, 15)
        assert (values["noise"], values["k"], values["iterations"]) == ("gumbel", None, None)
        assert (values["samples"], values["seed"], values["files"]) == (400, 4, ["top-k-calibrate.png"])
        problems = [make_problem("top-k", "6,2", seed) for seed in (4, 5, 6)]
        theta = torch.cat([problem.theta for problem in problems])
        law, settings = GumbelNoiseDistribution(), {"nb_samples": 400, "seed": 4}
        records = list(library_calibrate(theta, problems[0].solver, problems[0].family, law, [1, 2], **settings))
        assert len(values["rows"]) == len(records) == 10
        assert [row["temperature"] for row in values["rows"]] == sorted(record.temperature for record in records)
        first, expected = values["rows"][0], records[0]
        assert list(first) == ROW
        assert first["total_variation"] == expected.total_variation.mean
        assert first["total_variation_standard_error"] == expected.total_variation.mean_standard_error
        assert first["most_total_variation"] == expected.most_total_variation.mean().item()
        assert first["by_instance"] == {
            "most_total_variation": expected.most_total_variation.tolist(),
            "total_variation": expected.total_variation.value.tolist(),
            "total_variation_standard_error": expected.total_variation.standard_error.tolist(),
            "marginal_error": expected.marginal_error.value.tolist(),
            "marginal_error_standard_error": expected.marginal_error.standard_error.tolist(),
        }
        assert values["best"] == min(values["rows"], key=lambda row: row["total_variation"])

    def test_gumbel_top_1_is_exact_at_temperature_1(self):
        arguments = ["--size", "5,1", "--noise", "gumbel", "--temps", "0.5,1.3,3", "--samples", "6000", "--json"]
        values = json.loads(calibrate(*arguments))
        assert values["best"]["temperature"] == pytest.approx(1.0, abs=0.15)
        assert abs(values["best"]["total_variation"]) < 0.03

    def test_table_of_one_instance(self):
        lines = calibrate("--noise", "normal", *QUICK).splitlines()
        assert [name.strip() for name in lines[0].split("  ") if name.strip()] == [
            "temperature", "total variation", "at most", "marginal error"
        ]  # fmt: skip
        rows = [line.split() for line in lines[1:-3] if line[:1] == " "]
        assert {"1", "2"} <= {row[0] for row in rows}
        assert sum(row[-1] == "closest" for row in rows) == 1
        assert lines[-1].startswith("closest to p(z) ~ exp(<z, theta>) at temperature ")
        assert "with total variation " in lines[-1]
        assert "top-5 of 10: normal noise" in lines

    def test_table_of_several(self):
        text = calibrate("--instances", "2", "--noise-iterations", "10", *QUICK)
        header, *_ = text.splitlines()
        assert [name.strip() for name in header.split("  ") if name.strip()] == [
            *("temperature", "mean total variation", "at most", "of instances", "mean marginal error", "of instances")
        ]
        assert "\ntop-5 of 10, 2 instances: Sum-of-Gamma noise, k 5, 10 terms\n" in text
        assert "with mean total variation" in text

    def test_one_temperature_is_measured_and_not_refined(self):
        values = json.loads(calibrate("--temps", "3", "--samples", "100", "--json"))
        assert [row["temperature"] for row in values["rows"]] == [3.0]

    @pytest.mark.slow
    @pytest.mark.parametrize(("temps", "side"), [("0.1,0.2", "higher"), ("20,30", "lower")])
    def test_a_best_one_at_the_end_is_told(self, temps, side):
        text = calibrate("--noise", "gumbel", "--temps", temps, "--samples", "1000")
        assert f"\nthe best of --temps is the last on its side; give {side} ones, too\n" in text

    def test_few_samples_for_many_states_are_told(self):
        text = calibrate("--problem", "path", "--size", "6x6", "--noise", "gumbel", "--temps", "1", "--samples", "100")
        assert "\ntotal variation is a lower bound: " in text
        assert "; 252 solutions need more --samples\n" in text

    def test_too_many_states_leave_the_marginals(self):
        arguments = ["--problem", "spanning-tree", "--size", "12", "--noise", "gumbel", *QUICK]
        text = calibrate(*arguments)
        assert "\ntotal variation is left out: about 10^11 solutions are too many to enumerate\n" in text
        assert "with marginal error" in text.splitlines()[-1]
        assert all(line.split()[1:3] == ["-", "-"] for line in text.splitlines()[1:3])
        values = json.loads(calibrate(*arguments, "--json"))
        assert values["states"] is None or values["states"] == 12**10
        assert values["best"]["total_variation"] is None
        assert values["best"]["by_instance"]["total_variation"] is None

    def test_so_many_states_that_no_number_holds_them(self):
        values = json.loads(calibrate("--size", "300,150", "--temps", "1", "--samples", "10", "--json"))
        assert values["states"] is None
        assert values["log10_states"] == pytest.approx(88.97, abs=0.01)

    @pytest.mark.slow
    @pytest.mark.parametrize(("problem", "size"), [("path", "4x5"), ("spanning-tree", "5"), ("knapsack", "7")])
    def test_every_problem(self, problem, size):
        values = json.loads(calibrate("--problem", problem, "--size", size, *QUICK, "--json"))
        assert values["problem"] == f"{problem} {size}"
        assert 0 < values["rows"][0]["total_variation"] < 1
        assert Path(f"{problem}-calibrate.png").exists()

    def test_quiet(self):
        assert calibrate(*QUICK, "--quiet") == ""


class TestPictures:
    @pytest.mark.slow
    def test_the_seed_decides_to_the_byte(self):
        pictures = []
        for seed in (0, 0, 1):
            calibrate("--seed", seed, *QUICK)
            pictures.append(Path("top-k-calibrate.png").read_bytes())
        assert pictures[0] == pictures[1] != pictures[2]

    @pytest.mark.slow
    @pytest.mark.usefixtures("_fine_pictures")
    def test_pictures(self):
        calibrate(*QUICK, "--out", "curve.svg")
        assert b"<svg" in Path("curve.svg").read_bytes()
        calibrate(*QUICK, "--out", "curve.png")
        with Image.open("curve.png") as picture:
            assert picture.size == (1280, 1140)


@pytest.mark.usefixtures("_tables", "_undrawn")
class TestInput:
    @pytest.mark.slow
    def test_items(self):
        knapsack = ["--solver", "knapsack", "--capacity", "5", "--noise", "gumbel", *QUICK, "--json"]
        values = json.loads(calibrate("pack.csv", *knapsack))
        assert (values["states"], values["files"]) == (5, ["pack-calibrate.png"])
        values = json.loads(calibrate("pack.csv", "--solver", "top-k", "--top-k", "2", *QUICK, "--json"))
        assert (values["states"], values["k"]) == (3, 2.0)

    def test_a_graph(self):
        values = json.loads(calibrate("graph.csv", "--solver", "spanning-tree", "--sense", "min", *QUICK, "--json"))
        assert (values["states"], values["k"]) == (8, 3.0)

    def test_a_map(self):
        np.save("map.npy", np.random.default_rng(0).uniform(1, 3, (3, 3)))
        arguments = ["map.npy", "--solver", "top-k", "--top-k", "1", "--noise", "gumbel", "--temps", "1", "--json"]
        values = json.loads(calibrate(*arguments, "--samples", "20000"))
        assert values["states"] == 9
        assert abs(values["best"]["total_variation"]) < 4 * values["best"]["total_variation_standard_error"] < 0.03


NONE = (
    "the exact distribution of its solutions is not known here; choose top-k, knapsack or spanning-tree, or leave INPUT out "
    "for paths that never turn back: --problem path"
)
BAD = {
    ("--problem", "top"): (
        2,
        "--problem: got 'top'; it must be one of 'top-k', 'path', 'spanning-tree', 'knapsack'; did you mean 'top-k'?",
    ),
    ("--problem", "xyz"): (
        2,
        "--problem: got 'xyz'; it must be one of 'top-k', 'path', 'spanning-tree', 'knapsack'; use 'top-k' for instance",
    ),
    ("--size", "5"): (2, "--size: got '5'; top-k has sizes like '10,5', of whole numbers >= 1; leave it out for that one"),
    ("--size", "4,5"): (2, "--size: got '4,5'; top-k chooses at most n of n; use '4,2'"),
    ("pack.csv", "--solver", "knapsack", "--capacity", "5", "--problem", "path"): (
        2,
        "--problem: got path with an input or a solver of its own; leave one of them out",
    ),
    ("pack.csv", "--solver", "knapsack", "--capacity", "5", "--size", "8"): (
        2,
        "--size: it belongs to --problem; an input has its own size; leave it out",
    ),
    ("pack.csv", "--solver", "knapsack", "--capacity", "5", "--instances", "2"): (
        2,
        "--instances: got 2; an input is one instance; leave it out",
    ),
    ("map.npy",): (2, f"--solver: got dijkstra; {NONE}"),
    ("graph.csv", "--solver", "matching"): (2, f"--solver: got matching; {NONE}"),
    ("none.csv", "--solver", "knapsack", "--capacity", "5"): (1, "none.csv: no such file; check the path"),
    ("--capacity", "5"): (2, "--capacity: it belongs to an INPUT or a --solver; name one or leave it out"),
    ("--top-k", "5"): (2, "--top-k: it belongs to an INPUT or a --solver; name one or leave it out"),
    ("--instances", "0"): (2, "--instances: got 0; it must be a whole number from 1 to 1000; the usual number is 5"),
    ("--instances", "1001"): (2, "--instances: got 1001; it must be a whole number from 1 to 1000; the usual number is 5"),
    ("--samples", "1"): (2, "--samples: got 1; it must be a whole number >= 2; the usual number is 100000"),
    ("--seed", str(2**32)): (
        2,
        "--seed: got 4294967296; random problems have seeds from 0 to 2^32 - 1; the usual one is 0",
    ),
    ("--noise", "none"): (2, "--noise: got none; its temperature would change nothing; choose a distribution"),
    ("--noise-k", "0"): (2, "--noise-k: got 0; it must be a number > 0; use about the number of tiles on a path"),
    ("--out", "none/x.png"): (2, "--out: the folder none does not exist; make it first"),
    ("--out", "x.txt"): (2, "--out: x.txt ends in .txt; it must end in .png or .pdf or .svg"),
} | {
    ("--temps", text): (
        2,
        f"--temps: got {text!r}; it must be finite numbers >= 0 between commas, such as 0.5,1,2,4",
    )
    for text in ("", "1,", "-1", "nan", "1;2", "inf")
}


@pytest.mark.slow
@pytest.mark.usefixtures("_tables")
@pytest.mark.parametrize("arguments", BAD, ids=" ".join)
def test_bad_options(arguments):
    np.save("map.npy", np.ones((3, 3)))
    before = sorted(Path().iterdir())
    calibrate.expect_refusal(arguments, *BAD[arguments])
    assert sorted(Path().iterdir()) == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions bind ordinary users of POSIX")
def test_a_folder_that_cannot_be_written_to(tmp_path):
    tmp_path.chmod(0o500)
    try:
        result = invoke(*QUICK)
    finally:
        tmp_path.chmod(0o700)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error: --out: the folder . cannot be written to; choose another\n"


@pytest.mark.process
def test_ctrl_c_while_sampling(terminal, tmp_path):
    process = terminal.start("-m", "imle_cli", "calibrate", "--samples", str(10**9), stdout=subprocess.DEVNULL)
    with process:
        terminal.read_until(b"sampling")
        process.send_signal(signal.SIGINT)
        shown = terminal.read_all()
    assert process.returncode == 130
    assert shown.rstrip().endswith("interrupted")
    assert list(tmp_path.iterdir()) == []


def test_every_option_is_explained():
    result = CliRunner(env={"COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb"}).invoke(app, ["calibrate", "--help"])
    assert result.exit_code == 0
    assert len(options_in(result.stdout)) > 20
    assert all(options_in(result.stdout).values()), options_in(result.stdout)
