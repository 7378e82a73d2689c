"""``imle sweep``: grids of runs, skipped cells, failures, and the same numbers however they are computed."""

import csv
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import warm
from command_line import Command
from imle_cli.app import app
from imle_cli.figures import canvas, heat_maps
from imle_cli.files.folder_lock import FolderLock
from imle_cli.trainings.weights.recorder import TrainingRecorder

KEYS = ["out", "cells", "skipped", "failed", "seconds", "files", "rows"]
COLUMNS = ["input_temp", "target_temp", "samples", "seed"]
COLUMNS += ["final_loss", "final_hamming", "first_gold_step", "seconds", "error"]
RUN = ["checkpoint.pt", "config.json", "history.npz", "metrics.csv", "summary.json"]
SMALL = ["--input-temps", "0,5", "--target-temps", "1", "--samples", "1,3", "--steps", "20", "--jobs", "1", "--out", "out"]


sweep = Command("sweep")
invoke, expect_refusal = sweep.invoke, sweep.expect_refusal


@pytest.fixture(scope="module", autouse=True)
def _each_picture_is_drawn_once():
    """Many sweeps here come to the same: figures are kept by what they show, and their files by the figure."""
    figures, files = {}, {}
    draw, encode = heat_maps.heat_maps, canvas.encode

    def drawn(*arguments, **settings):
        shown = repr((arguments, settings))
        return figures.get(shown) or figures.setdefault(shown, draw(*arguments, **settings))

    def encoded(figure, kind):
        file = figure, kind, mpl.rcParamsDefault["savefig.dpi"]
        return files.get(file) or files.setdefault(file, encode(figure, kind))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heat_maps, "heat_maps", drawn)
        patch.setattr(canvas, "encode", encoded)
        yield


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """What ``sweep(*SMALL)`` makes."""
    folder = tmp_path_factory.mktemp("swept") / "out"
    sweep(*SMALL[:-1], folder)
    return folder


@pytest.fixture
def finished(swept):
    """The same in ``out``."""
    shutil.copytree(swept, "out")


def table(folder="out"):
    with Path(folder, "table.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def cells(folder="out"):
    return sorted(path.name for path in Path(folder).iterdir() if path.is_dir())


NAMES = [f"in{heat}-target1-samples{samples}-seed0" for heat in (0, 5) for samples in (1, 3)]


class TestGrid:
    @pytest.mark.slow
    def test_every_cell_is_a_run(self):
        values = json.loads(sweep(*SMALL, "--json"))
        assert list(values) == KEYS
        assert [values[name] for name in KEYS[:4]] == ["out", 4, 0, 0]
        assert cells() == NAMES
        assert [sorted(path.name for path in Path("out", name).iterdir()) for name in NAMES] == [RUN] * 4
        assert [list(row) for row in values["rows"]] == [COLUMNS] * 4
        summary = json.loads(Path("out", NAMES[1], "summary.json").read_text())
        assert summary["run"] == str(Path("out", NAMES[1]))
        assert values["rows"][1] == {name: summary.get(name) for name in COLUMNS}

    @pytest.mark.slow
    @pytest.mark.usefixtures("finished")
    def test_a_cell_is_what_train_does(self):
        arguments = ["--input-temp", "5", "--target-temp", "1", "--samples", "3", "--steps", "20", "--out", "run", "--quiet"]
        assert CliRunner().invoke(app, ["train", *arguments]).exit_code == 0
        for name in ("history.npz", "metrics.csv", "config.json"):
            assert Path("out", NAMES[3], name).read_bytes() == Path("run", name).read_bytes()

    @pytest.mark.slow
    def test_the_table_file(self):
        values = json.loads(sweep(*SMALL, "--json"))
        rows = table()
        assert [list(row) for row in rows] == [COLUMNS] * 4
        assert [row["final_loss"] for row in rows] == [str(row["final_loss"]) for row in values["rows"]]
        assert [row["error"] for row in rows] == [""] * 4

    @pytest.mark.slow
    @pytest.mark.usefixtures("_fine_pictures")
    def test_the_table_in_the_terminal_and_the_heat_maps(self):
        lines = sweep(*SMALL).splitlines()
        assert lines[0].split("  ") == ["samples", "input temp", "target temp 1"]
        assert len(lines) == 6
        assert all(" off by " in line for line in lines[1:5])
        assert lines[5].startswith("4 cells, 0 of them done before, 0 failed; ")
        assert lines[5].endswith(" s; sweep in out")
        for name in ("final_loss.png", "first_gold_step.png"):
            with Image.open(f"out/{name}") as image:
                assert image.size[0] > 600

    @pytest.mark.slow
    def test_steps_to_gold_are_means_over_seeds(self):
        arguments = ["--input-temps", "0", "--target-temps", "0", "--samples", "1", "--seeds", "0,1", "--steps", "100"]
        text = sweep(*arguments, "--jobs", "1", "--out", "out")
        mean = np.mean([int(row["first_gold_step"]) for row in table()])
        assert f"step {mean:.4g}\n" in text

    @pytest.mark.slow
    def test_the_default_folder(self):
        sweep("--input-temps", "0", "--target-temps", "0", "--samples", "1", "--steps", "1", "--jobs", "1", "--quiet")
        (folder,) = Path("sweeps").iterdir()
        assert folder.name.startswith("built-in-20")

    @pytest.mark.slow
    def test_animations(self):
        sweep(*SMALL, "--animate", "--size", "96", "--frames", "2")
        for name in NAMES:
            for film in ("learning_paths.gif", "learning_weights.gif"):
                with Image.open(Path("out", name, film)) as image:
                    assert image.n_frames == 2 or film == "learning_paths.gif"

    @pytest.mark.slow
    def test_files_in_place_of_the_defaults(self):
        np.save("map 地図.npy", np.ones((4, 4)))
        np.save("gold.npy", np.eye(4))
        np.save("first.npy", np.zeros((4, 4)))
        arguments = ["map 地図.npy", "--gold", "gold.npy", "--init", "first.npy", *SMALL]
        values = json.loads(sweep(*arguments, "--json"))
        assert values["cells"] == 4
        assert json.loads(Path("out", NAMES[0], "config.json").read_text())["options"]["gold"] == "gold.npy"


class TestWorkers:
    @pytest.mark.process
    @pytest.mark.usefixtures("finished")
    def test_their_number_changes_nothing(self):
        done = warm.run("-m", "imle_cli", "sweep", *SMALL[:-4], "--jobs", "2", "--out", "two")
        assert (done.returncode, done.stderr) == (0, "")
        for name, file in itertools.product(NAMES, ("history.npz", "metrics.csv")):
            assert Path("out", name, file).read_bytes() == Path("two", name, file).read_bytes()

    @pytest.mark.process
    @pytest.mark.slow
    @pytest.mark.usefixtures("finished")
    @pytest.mark.parametrize("executor", ["dask", "ray"])
    def test_a_cluster_changes_nothing(self, executor):
        pytest.importorskip(executor)
        call = ["-m", "imle_cli", "sweep", *SMALL[:-4], "--jobs", "1", "--executor", executor, "--out", "cluster"]
        done = warm.run(*call, seconds=200)
        assert done.returncode == 0, done.stderr
        for name in NAMES:
            for file in ("history.npz", "metrics.csv"):
                assert Path("out", name, file).read_bytes() == Path("cluster", name, file).read_bytes()

    def test_one_that_is_not_installed(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "ray", None)
        message = "--executor: ray is not installed; pip install 'imle[ray]', or leave it out to use this machine"
        expect_refusal([*SMALL, "--executor", "ray"], 1, message)


class TestAgain:
    @pytest.mark.slow
    def test_finished_cells_are_skipped_and_axes_may_grow(self):
        first = json.loads(sweep(*SMALL, "--json"))
        before = {name: Path("out", name, "history.npz").stat().st_mtime_ns for name in NAMES}
        arguments = ["--input-temps", "0,5", "--target-temps", "1,2", "--samples", "1,3", *SMALL[6:]]
        again = json.loads(sweep(*arguments, "--json"))
        assert (again["cells"], again["skipped"]) == (8, 4)
        assert [row for row in again["rows"] if row["target_temp"] == 1] == first["rows"]
        assert before == {name: Path("out", name, "history.npz").stat().st_mtime_ns for name in NAMES}

    @pytest.mark.slow
    @pytest.mark.usefixtures("finished")
    def test_a_cell_without_a_summary_is_made_anew(self):
        whole = Path("out", NAMES[2], "history.npz").read_bytes()
        Path("out", NAMES[2], "summary.json").unlink()
        Path("out", NAMES[2], "history.npz").write_bytes(b"half")
        assert json.loads(sweep(*SMALL, "--json"))["skipped"] == 3
        assert Path("out", NAMES[2], "history.npz").read_bytes() == whole

    @pytest.mark.slow
    @pytest.mark.usefixtures("finished")
    def test_animations_may_come_later(self):
        assert json.loads(sweep(*SMALL, "--animate", "--size", "96", "--json"))["skipped"] == 4
        sweep(*SMALL[:-1], "whole", "--animate", "--size", "96")
        for name in NAMES:
            for film in ("learning_paths.gif", "learning_weights.gif"):
                assert Path("out", name, film).read_bytes() == Path("whole", name, film).read_bytes()

    @pytest.mark.slow
    @pytest.mark.usefixtures("finished")
    def test_other_steps_may_be_recorded(self):
        assert json.loads(sweep(*SMALL, "--record-every", "7", "--json"))["skipped"] == 4

    @pytest.mark.slow
    @pytest.mark.usefixtures("finished")
    @pytest.mark.parametrize(
        ("option", "value", "made"), [("--lr", 0.1, "0.005"), ("--steps", 21, "20"), ("--noise", "gumbel", "'sum-of-gamma'")]
    )
    def test_with_other_options(self, option, value, made):
        arguments = [part for part in SMALL if part not in ("--steps", "20")] if option == "--steps" else SMALL
        cell = Path("out", min(NAMES), "config.json")
        message = f"{option}: got {value!r}, but {cell} has {made}; choose another --out"
        expect_refusal([*arguments, option, value], 1, message)

    @pytest.mark.slow
    def test_with_another_map_of_the_same_name(self):
        np.save("map.npy", np.ones((4, 4)))
        sweep("map.npy", *SMALL)
        np.save("map.npy", 2 * np.ones((4, 4)))
        cell = Path("out", min(NAMES), "config.json")
        message = f"--out: {cell} is of another map, gold path or first weights; choose another name"
        expect_refusal(["map.npy", *SMALL], 2, message)

    def test_a_folder_with_something_else(self):
        Path("out").mkdir()
        Path("out/notes.txt").touch()
        expect_refusal(SMALL, 2, "--out: out is not empty and has no sweep in it; choose another name")

    @pytest.mark.slow
    @pytest.mark.usefixtures("finished")
    @pytest.mark.parametrize(
        "change", [None, {"final_hamming": "x"}, {"final_hamming": 0, "first_gold_step": None}], ids=str
    )
    def test_a_damaged_summary(self, change):
        where = Path("out", NAMES[0])
        summary = {} if change is None else json.loads((where / "summary.json").read_text()) | change
        (where / "summary.json").write_text(json.dumps(summary))
        message = "summary.json lacks what a summary has; it is damaged or no run of imle; choose another folder"
        expect_refusal(SMALL, 1, f"{where}: {message}")


class TestCompany:
    """One process at a time writes a sweep, and what killed ones have left goes."""

    ONE = ("--input-temps", "0", "--target-temps", "1", "--samples", "1", "--steps", "5", "--jobs", "1", "--out", "out")

    @pytest.mark.slow
    def test_who_writes_it_is_named(self):
        sweep(*self.ONE)
        with FolderLock(Path("out")):
            message = f"out is being written by process {os.getpid()}; wait for it, or end it first"
            expect_refusal(self.ONE, 1, message)
        assert json.loads(sweep(*self.ONE, "--json"))["skipped"] == 1

    @pytest.mark.slow
    def test_a_sweep_that_was_refused_is_free_again(self):
        sweep(*self.ONE)
        assert invoke(*self.ONE, "--lr", "0.1").exit_code == 1
        FolderLock(Path("out")).release()

    @pytest.mark.slow
    @pytest.mark.parametrize("first", [True, False])
    def test_what_killed_processes_left_is_removed(self, first):
        """Before any cell has ended, or after."""
        if not first:
            sweep(*self.ONE)
        cell = Path("out/in0-target1-samples1-seed0")
        for folder in ("out/.cells-abc/tmp1/run", cell, "out/in5-target1-samples1-seed0"):
            Path(folder).mkdir(parents=True, exist_ok=True)
        for name in ("config.json", "learning_paths.gif"):
            Path(cell, f".{name}.1234abcd.part").touch()
        Path("out/.table.csv.1234abcd.part").touch()
        Path("out/.cells-abc/tmp1/run/config.json").touch()
        assert json.loads(sweep(*self.ONE, "--json"))["skipped"] == (not first)
        assert not list(Path("out").rglob(".*"))
        assert sorted(path.name for path in cell.iterdir()) == RUN

    def test_a_folder_with_folders_of_somebody_is_kept(self):
        Path("out/pictures").mkdir(parents=True)
        Path("out/pictures/cat.png").touch()
        expect_refusal(self.ONE, 2, "--out: out is not empty and has no sweep in it; choose another name")


class TestTrouble:
    @pytest.mark.slow
    def test_a_cell_that_fails_is_reported_and_the_others_go_on(self, monkeypatch):
        start = TrainingRecorder.start

        def fail(experiment, path, inputs):
            if experiment.learning.input_temp == 5 and experiment.learning.samples == 3:
                raise ValueError("no luck\nat all")
            return start(experiment, path, inputs)

        with monkeypatch.context() as patch:
            patch.setattr(TrainingRecorder, "start", fail)
            result = invoke(*SMALL)
        where = "input_temp 5.0, target_temp 1.0, samples 3, seed 0"
        message = f"error: 1 of 4 cells failed; the first ({where}): ValueError: no luck at all\n"
        assert (result.exit_code, result.stderr) == (1, message)
        assert "failed" in result.stdout.splitlines()[4]
        assert [row["error"] for row in table()] == ["", "", "", "ValueError: no luck at all"]
        assert cells() == NAMES[:3]
        assert json.loads(sweep(*SMALL, "--json"))["skipped"] == 3

    @pytest.fixture
    def interrupted(self, terminal):
        """What a sweep in ``out`` shows that is interrupted when it shows ``moment``."""

        def interrupt(moment, *arguments):
            call = ["-m", "imle_cli", "sweep", "--samples", "1", "--out", "out", *arguments]
            with terminal.start(*call, stdout=subprocess.DEVNULL) as process:
                terminal.read_until(moment)
                process.send_signal(signal.SIGINT)
                shown = terminal.read_all()
            assert process.returncode == 130
            return shown

        return interrupt

    @pytest.mark.process
    def test_an_interruption_keeps_what_has_ended(self, interrupted):
        shown = interrupted(b"2 of 128 cells", "--seeds", "0,1,2,3,4,5,6,7", "--steps", "400", "--jobs", "2")
        assert "go on with the same and --out out" in shown
        assert shown.rstrip().endswith("interrupted")
        assert "Traceback" not in shown
        done = len(cells())
        assert 2 <= done < 128
        assert len(table()) == done
        assert not list(Path("out").glob(".*"))

    @pytest.mark.process
    def test_an_interruption_before_any_has_ended(self, interrupted):
        interrupted(b"0 of 1 cells", "--steps", "100000", "--input-temps", "1", "--target-temps", "1")
        assert list(Path("out").iterdir()) == [Path("out/table.csv")]
        again = sweep(
            "--steps", "2", "--samples", "1", "--input-temps", "1", "--target-temps", "1", "--out", "out", "--json"
        )
        assert json.loads(again)["skipped"] == 0

    @pytest.mark.process
    @pytest.mark.skipif(os.name != "posix", reason="a process ends otherwise elsewhere")
    def test_workers_end_with_a_terminated_process(self):
        arguments = ["--steps", "100000", "--samples", "1,2", "--input-temps", "1", "--target-temps", "1", "--jobs", "2"]
        reader, writer = os.pipe()
        call = ["-m", "imle_cli", "sweep", *arguments, "--out", "out"]
        with warm.start(*call, stdout=writer, stderr=writer) as process, os.fdopen(reader, encoding="utf-8") as shown:
            os.close(writer)
            while not list(Path().glob("out/.cells-*/*/*/config.json")):
                time.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            assert "Traceback" not in shown.read()  # ends when no worker holds the pipe any more
        assert process.returncode == 143
        assert list(Path("out").iterdir()) == [Path("out/table.csv")]

    def test_a_folder_that_cannot_be_made(self):
        Path("file").touch()
        expect_refusal(["--out", "file"], 2, "--out: file cannot be made a folder (File exists); choose another name")

    def test_a_full_disk(self, monkeypatch):
        from imle_cli.files import outputs

        def fail(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(outputs.Path, "replace", fail)
        result = invoke(*SMALL)
        assert result.exit_code == 1
        assert result.stderr.endswith("No space left on device\n")


class TestBadOptions:
    @pytest.mark.slow
    @pytest.mark.parametrize("text", ["", "a", "1,,2", "-1", "nan", "inf", "1;2"])
    def test_temperatures(self, text):
        message = f"got {text!r}; it must be finite numbers >= 0 between commas, such as 0,1,2,5"
        expect_refusal([f"--target-temps={text}"], 2, f"--target-temps: {message}")

    @pytest.mark.parametrize(
        ("option", "text", "least", "example"),
        [("--samples", "0", 1, "1,10,100"), ("--samples", "1.5", 1, "1,10,100"), ("--seeds", str(2**63), 0, "0,1,2")],
    )
    def test_whole_numbers(self, option, text, least, example):
        message = f"got {text!r}; it must be whole numbers >= {least} between commas, such as {example}"
        expect_refusal([option, text], 2, f"{option}: {message}")

    def test_others(self):
        expect_refusal(["--jobs", "0"], 2, "--jobs: got 0; it must be a whole number >= 1; leave it out to use every core")
        expect_refusal(["--steps", "0"], 2, "--steps: got 0; it must be a whole number >= 1; the usual number is 1100")
        expect_refusal(["none.png"], 1, "none.png: no such file; check the path")
        assert not list(Path().iterdir())
