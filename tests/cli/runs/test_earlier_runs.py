"""Runs that an earlier version made: a training and a perception stopped on their way, and a sweep with one of two cells.

They were made from 5 of 12 steps, from 3 of 4 epochs, and by
``imle sweep --input-temps 0,1 --target-temps 1 --samples 1 --steps 4``.
"""

import csv
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from imle_cli.app import app

RUNS = Path(__file__).parent / "data" / "runs_of_version_0_1_0.zip"


@pytest.fixture(autouse=True)
def runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(RUNS) as archive:
        archive.extractall()


def invoke(*arguments):
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def rows(path):
    with Path(path).open(encoding="utf-8") as file:
        return list(csv.reader(file))


def test_a_training_goes_on_as_one_that_was_never_stopped():
    recorded = rows("train/metrics.csv")
    resumed = invoke("train", "--resume", "train")
    whole = invoke("train", "--steps", "12", "--record-every", "2", "--seed", "3", "--samples", "2", "--out", "whole")
    assert rows("train/metrics.csv")[: len(recorded)] == recorded
    assert (resumed["steps_made"], resumed["final_hamming"]) == (12, whole["final_hamming"])
    with np.load("train/history.npz") as again, np.load("whole/history.npz") as once:
        assert again.files == once.files
        for name in again.files:
            np.testing.assert_allclose(again[name], once[name], rtol=1e-5, atol=1e-6)


def test_a_perception_goes_on():
    recorded = rows("network/metrics.csv")
    resumed = invoke("perceive", "--resume", "network")
    assert rows("network/metrics.csv")[: len(recorded)] == recorded
    assert [epoch["epoch"] for epoch in resumed["epochs"]] == [1, 2, 3, 4]


@pytest.mark.slow
def test_a_sweep_keeps_the_cell_that_has_ended():
    folder = Path("sweep/in0-target1-samples1-seed0")
    before = (folder / "history.npz").read_bytes()
    options = ["--input-temps", "0,1", "--target-temps", "1", "--samples", "1", "--steps", "4", "--record-every", "2"]
    swept = invoke("sweep", *options, "--jobs", "1", "--out", "sweep")
    assert swept["cells"] == 2
    assert (folder / "history.npz").read_bytes() == before
