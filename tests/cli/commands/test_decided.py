"""``imle evaluate`` and ``imle sweep`` of networks that decide."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from command_line import Command

run = Command()
KEYS = ["estimator", "supervision", "network", "regret", "worst_regret", "optimal", "mse", "baselines", "data", "split"]
KEYS += ["instances", "epochs", "seconds", "run", "checkpoint", "epoch", "files"]
SMALL = ["--epochs", "2", "--batch", "16"]


@pytest.fixture(scope="session")
def _made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("decided")
    counts = ["--train", "60", "--test", "30", "--quiet"]
    run("data", "shortest-path", "--size", "3", *counts, "--out", folder / "paths")
    run("data", "knapsack", "--items", "8", *counts, "--out", folder / "pack")
    for name in ("paths", "pack"):
        run("decide", folder / name, *SMALL, "--quiet", "--out", folder / f"run-{name}")
    return folder


@pytest.fixture(autouse=True)
def _here(_made):
    """Two data sets, and a run of each, in the current folder."""
    shutil.copytree(_made, ".", dirs_exist_ok=True)


class TestEvaluate:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["paths", "pack"])
    def test_the_last_network_on_the_instances_it_was_tested_on(self, name):
        values = json.loads(run("evaluate", f"run-{name}", name, "--json"))
        summary = json.loads(Path(f"run-{name}/summary.json").read_text())
        assert list(values) == KEYS
        for figure in ("estimator", "supervision", "regret", "worst_regret", "optimal", "mse", "baselines", "epochs"):
            assert values[figure] == summary[figure], figure
        assert (values["split"], values["instances"], values["epoch"]) == ("test", 30, 2)
        with Image.open(f"run-{name}-evaluate.png") as picture:
            assert min(picture.size) > 100

    @pytest.mark.slow
    def test_the_table(self):
        lines = run("evaluate", "run-pack", "pack", "--out", "judged.svg").splitlines()
        assert lines[0].split()[:5] == ["data", "instances", "regret", "worst", "regret"]
        assert lines[1].startswith("pack (test_)")
        assert lines[3].startswith("network  linear, last of run-pack (epoch 2), by spo-plus from true costs; regret ")
        assert "(two-stage least squares " in lines[3]
        assert lines[4] == "picture  judged.svg"

    @pytest.mark.slow
    def test_the_best_network_on_what_it_learned_from(self):
        values = json.loads(
            run("evaluate", "run-paths", "paths", "--split", "train", "--checkpoint", "best", "--no-picture", "--json")
        )
        assert (values["split"], values["instances"], values["files"]) == ("train", 60, [])

    @pytest.mark.slow
    def test_a_folder_of_another_problem(self):
        message = (
            "pack: has costs of shape (8,) an instance, but the network of run-paths predicts (12,); choose another data set"
        )
        run.expect_refusal(["evaluate", "run-paths", "pack"], 1, message)

    def test_other_features(self):
        for split in ("train", "test"):
            np.save(f"paths/{split}_features.npy", np.load(f"paths/{split}_features.npy")[:, :3])
        message = "run-paths: checkpoint.pt is of another network than linear, which config.json names; choose another run"
        run.expect_refusal(["evaluate", "run-paths", "paths"], 1, message)


class TestSweep:
    @pytest.mark.slow
    def test_over_estimators_and_seeds(self):
        names = ["--estimators", "least-squares,spo-plus,contrastive", "--seeds", "0,1", "--out", "swept"]
        values = json.loads(run("sweep", "paths", *names, *SMALL, "--json"))
        assert (values["cells"], values["failed"], values["files"]) == (6, 0, ["swept/table.csv", "swept/regret.png"])
        assert [row["estimator"] for row in values["rows"][::2]] == ["least-squares", "spo-plus", "contrastive"]
        with Path("swept/table.csv").open(newline="") as file:
            (first, *_) = csv.DictReader(file)
        assert list(first)[:6] == ["estimator", "seed", "supervision", "split", "regret", "worst_regret"]
        again = run("sweep", "paths", *names, *SMALL).splitlines()
        assert again[0].split()[:4] == ["estimator", "supervision", "regret", "worst"]
        assert again[-1].startswith("judged on test_ (two-stage least squares ")
        assert "6 cells, 6 of them done before" in again[-1]
        with Image.open("swept/regret.png") as picture:
            assert min(picture.size) > 100

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--augment"], "--augment: it belongs to a sweep over images, but paths is a folder of features; leave it out"),
            (["--network", "small"], "--network: got 'small'; it must be linear or mlp for a folder of features"),
            (
                ["--input-temps", "1"],
                "--input-temps: it belongs to a sweep over a map, but paths is a folder of features; leave it out",
            ),
            (["--loss", "regret"], "--loss: got regret; least-squares has a loss of its own; leave it out"),
        ],
    )
    def test_options_of_others(self, options, message):
        run.expect_refusal(["sweep", "paths", *options], 2, message)

    def test_options_of_decisions_beside_a_map(self):
        message = "--pool: it belongs to a sweep over features; give the folder of a data set, or leave it out"
        run.expect_refusal(["sweep", "--pool", "0.5"], 2, message)
