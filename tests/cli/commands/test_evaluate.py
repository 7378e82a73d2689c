"""``imle evaluate``, and films and sweeps of networks that learn from images."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from command_line import Command
from imle_cli.runs.perception import PerceptionRun

KEYS = ["estimator", "supervision", "network", "optimal", "regret", "exact_on_unique", "unique_share", "data", "split"]
KEYS += ["size", "maps", "non_optimal_paths", "epochs", "seconds", "run", "checkpoint", "epoch", "files"]


run = Command()
invoke, expect_refusal = run.invoke, run.expect_refusal


@pytest.fixture(scope="session")
def _trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    for size, name in ((5, "maps"), (7, "larger")):
        run("data", "terrain", "--size", size, "--train", 30, "--test", 9, "--quiet", "--out", folder / name)
    learning = ["--epochs", "2", "--batch", "4", "--beta", "0.5", "--quiet"]
    run("perceive", folder / "maps", *learning, "--out", folder / "run")
    return folder


@pytest.fixture(autouse=True)
def _here(_trained):
    """Two data sets and a run in the current folder."""
    for name in ("maps", "larger", "run"):
        shutil.copytree(_trained / name, name)


class TestEvaluate:
    @pytest.mark.slow
    @pytest.mark.usefixtures("_fine_pictures")
    def test_the_last_network_on_the_maps_it_was_tested_on(self):
        values = json.loads(run("evaluate", "run", "maps", "--json"))
        summary = json.loads(Path("run/summary.json").read_text())
        assert list(values) == KEYS
        for name in ("estimator", "supervision", "optimal", "regret", "exact_on_unique", "unique_share", "epochs"):
            assert values[name] == summary[name], name
        assert (values["split"], values["size"], values["maps"], values["epoch"]) == ("test", [5, 5], 9, 2)
        assert values["files"] == ["run-evaluate.png"]
        with Image.open("run-evaluate.png") as picture:
            assert min(picture.size) > 800

    @pytest.mark.slow
    def test_maps_of_another_size_and_another_split(self):
        values = json.loads(run("evaluate", "run", "larger", "--split", "train", "--json"))
        assert (values["split"], values["size"], values["maps"]) == ("train", [7, 7], 30)
        assert 0 < values["regret"] < 1

    @pytest.mark.slow
    def test_the_best_network(self):
        epochs = PerceptionRun.open(Path("run")).epochs()
        best = max(epochs, key=lambda row: (row["optimal"], -row["regret"]))
        values = json.loads(run("evaluate", "run", "maps", "--checkpoint", "best", "--json"))
        assert (values["epoch"], values["optimal"], values["regret"]) == (best["epoch"], best["optimal"], best["regret"])

    @pytest.mark.slow
    def test_the_table(self):
        lines = run("evaluate", "run", "maps", "--out", "judged.svg").splitlines()
        assert lines[0].split()[:4] == ["data", "maps", "optimal", "regret"]
        assert lines[1].startswith("maps (test_)")
        assert lines[3:] == [
            "network  small, last of run (epoch 2), by imle from gold paths",
            "picture  judged.svg",
        ]
        assert Path("judged.svg").exists()

    @pytest.mark.slow
    def test_stored_paths_that_are_no_paths_are_counted_and_drawn(self):
        paths = np.load("maps/test_shortest_paths.npy")
        paths[:] = 1
        np.save("maps/test_shortest_paths.npy", paths)
        result = invoke("evaluate", "run", "maps")
        assert result.stderr == "note: 9 of the stored paths of test_ are not optimal under the stored costs\n"
        assert result.exit_code == 0

    @pytest.mark.slow
    def test_what_is_refused(self):
        expect_refusal(["evaluate", "nothing", "maps"], 1, "nothing: no such run directory; check the path")
        damaged = "it is damaged or no run of imle; choose another folder"
        expect_refusal(["evaluate", "maps", "maps"], 1, f"maps: config.json is missing; {damaged}")
        expect_refusal(
            ["evaluate", "run", "maps", "--out", "a.txt"],
            2,
            "--out: a.txt ends in .txt; it must end in .png or .pdf or .svg",
        )
        Path("run/best.pt").write_bytes(b"")
        expect_refusal(["evaluate", "run", "maps", "--checkpoint", "best"], 1, f"run: best.pt cannot be read; {damaged}")
        assert invoke("evaluate", "run", "maps", "--split", "val").exit_code == 1


class TestFilm:
    @pytest.mark.slow
    def test_images_with_paths_above_costs(self):
        values = json.loads(run("animate", "run", "--frames", "5", "--size", "200", "--json"))
        assert (values["run"], values["frames"], values["files"]) == ("run", 5, ["perceiving.gif"])
        with Image.open("perceiving.gif") as film:
            shown = [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(film)]
            assert film.info["loop"] == 0
        with np.load("run/history.npz") as arrays:
            image = arrays["images"][0].astype(int)
        assert len(shown) > 1
        # Somewhere in the upper half the frames show the image itself, in 90 colours, at a whole number of pixels.
        colours = shown[0][: len(shown[0]) // 2].reshape(-1, 3)
        distance = np.abs(image[::4, ::4].reshape(-1, 1, 3) - colours[None]).sum(axis=2).min(axis=1)
        assert np.median(distance) < 24

    @pytest.mark.slow
    def test_more_steps_of_the_first_epoch_are_recorded(self):
        with np.load("run/history.npz") as arrays:
            steps = arrays["steps"]
        assert steps.tolist() == [*range(8), 8, 10, 12, 14, 16]

    @pytest.mark.slow
    def test_names_of_films(self):
        expect_refusal(
            ["animate", "run", "--only", "learning"],
            2,
            "--only: got 'learning'; here there are perceiving; take one or more of them",
        )

    def test_what_belongs_to_maps(self):
        message = "it belongs to an animation of a map, but run was recorded with its own; leave it out"
        expect_refusal(["animate", "run", "--samples", "3"], 2, f"--samples: {message}")


class TestSweep:
    OPTIONS = ("--estimators", "imle,mean-colour", "--seeds", "0,1", "--epochs", "2", "--batch", "8", "--beta", "0.5")

    @pytest.mark.slow
    def test_every_estimator_and_seed(self):
        values = json.loads(run("sweep", "maps", *self.OPTIONS, "--out", "out", "--json"))
        assert [values[name] for name in ("cells", "skipped", "failed")] == [4, 0, 0]
        cells = ["imle-seed0", "imle-seed1", "mean-colour-seed0", "mean-colour-seed1"]
        assert sorted(path.name for path in Path("out").iterdir()) == ["accuracy.png", *cells, "table.csv"]
        assert [(row["estimator"], row["seed"]) for row in values["rows"]] == [
            ("imle", 0),
            ("imle", 1),
            ("mean-colour", 0),
            ("mean-colour", 1),
        ]
        with Path("out/table.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [float(row["optimal"]) for row in rows] == [row["optimal"] for row in values["rows"]]
        alone = json.loads(
            run("perceive", "maps", "--seed", 1, "--epochs", 2, "--batch", 8, "--beta", 0.5, "--out", "alone", "--json")
        )
        assert values["rows"][1]["regret"] == alone["regret"]
        evaluated = json.loads(run("evaluate", "out/imle-seed1", "maps", "--json"))
        assert evaluated["regret"] == alone["regret"]

    @pytest.mark.slow
    def test_cells_that_are_there_are_skipped_and_others_added(self):
        run("sweep", "maps", *self.OPTIONS, "--out", "out")
        more = ["--estimators", "imle,tiles,mean-colour"]
        values = json.loads(run("sweep", "maps", *self.OPTIONS, *more, "--out", "out", "--json"))
        assert [values[name] for name in ("cells", "skipped", "failed")] == [6, 4, 0]

    @pytest.mark.slow
    def test_the_table(self):
        lines = run("sweep", "maps", *self.OPTIONS, "--out", "out").splitlines()
        assert lines[0].split()[:3] == ["estimator", "supervision", "optimal"]
        assert [line.split()[0] for line in lines[1:3]] == ["imle", "mean-colour"]
        assert lines[3].startswith("judged on test_, means over seeds; 4 cells, 0 of them done before, 0 failed; ")

    @pytest.mark.slow
    def test_what_is_refused(self):
        belongs = "it belongs to a sweep over a map, but maps is a folder of images; leave it out"
        expect_refusal(["sweep", "maps", "--steps", "3"], 2, f"--steps: {belongs}")
        message = "it belongs to a sweep over images, or over features; give the folder of a data set, or leave it out"
        expect_refusal(["sweep", "--epochs", "3"], 2, f"--epochs: {message}")
        run("sweep", "maps", *self.OPTIONS, "--out", "out")
        expect_refusal(
            ["sweep", "maps", *self.OPTIONS, "--epochs", "3", "--out", "out"],
            1,
            f"--epochs: got 3, but {Path('out/imle-seed0/config.json')} has 2; choose another --out",
        )
        expect_refusal(
            ["sweep", "larger", *self.OPTIONS, "--out", "out"],
            1,
            f"FILE: got 'larger', but {Path('out/imle-seed0/config.json')} has 'maps'; choose another --out",
        )
        result = invoke("sweep", "maps", "--estimators", "imle,nothing")
        assert result.exit_code == 2
        assert result.stderr.startswith("error: --estimators: got 'nothing'; ")
