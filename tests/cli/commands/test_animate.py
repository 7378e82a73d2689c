"""``imle animate``: films of runs and maps, and what cannot be filmed."""

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence
from typer.testing import CliRunner

from command_line import Command
from imle_cli.app import app
from imle_cli.films import encoders
from imle_cli.films.frames import PALETTE

OF_A_RUN = ["learning_paths", "learning_weights", "learning"]
OF_A_MAP = ["paths", "distribution"]


animate = Command("animate")
invoke, expect_refusal = animate.invoke, animate.expect_refusal


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A short run."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    arguments = ["train", "--steps", "20", "--record-every", "2", "--out", str(folder), "--quiet"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    return folder


@pytest.fixture
def run(trained):
    """The same in ``run``."""
    return Path(shutil.copytree(trained, "run"))


def facts(path):
    """Size, number of frames, total milliseconds, loop."""
    with Image.open(path) as image:
        durations = [frame.info["duration"] for frame in ImageSequence.Iterator(image)]
        return image.size, len(durations), sum(durations), image.info["loop"]


class TestOfARun:
    @pytest.mark.slow
    def test_three_films_here(self, run):
        text = animate(run, "--size", "96")
        assert sorted(path.name for path in Path().glob("*.gif")) == sorted(f"{name}.gif" for name in OF_A_RUN)
        assert text.splitlines()[0] == "frames  11"
        assert text.splitlines()[2].startswith("files   learning_paths.gif (")
        sizes = []
        for name in OF_A_RUN:
            size, frames, total, loop = facts(f"{name}.gif")
            assert (frames, total, loop) == (11, pytest.approx(11 * 125 + 2000, abs=10), 0)
            sizes.append(size)
        assert sizes[0] == sizes[1] != sizes[2]

    @pytest.mark.slow
    def test_json(self, run):
        values = json.loads(animate(run, "--only", "learning", "--frames", "4", "--out", "films", "--json"))
        assert list(values) == ["run", "frames", "seconds", "files"]
        assert (values["run"], values["frames"], values["files"]) == ("run", 4, [str(Path("films/learning.gif"))])
        assert Path("films/learning.gif").stat().st_size > 1000

    @pytest.mark.slow
    @pytest.mark.parametrize("kind", ["gif", "webp", "apng"])
    def test_decoded_frames_are_the_drawn_ones(self, run, kind, monkeypatch):
        drawn, write = [], encoders.write

        def record(file, kind, frames, palette):
            shown = list(frames)
            drawn.append(np.array([pixels for pixels, _ in shown]))
            write(file, kind, iter(shown), palette)

        monkeypatch.setattr(encoders, "write", record)
        animate(run, "--format", kind, "--size", "96")
        assert len(drawn) == 3
        for name, pictures in zip(OF_A_RUN, drawn, strict=True):
            with Image.open(f"{name}.{kind}") as image:
                found = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
            np.testing.assert_array_equal(found, PALETTE[pictures])

    @pytest.mark.slow
    def test_mp4(self, run):
        pytest.importorskip("imageio_ffmpeg")
        animate(run, "--format", "mp4", "--only", "learning_paths", "--size", "96", "--fps", "5")
        assert Path("learning_paths.mp4").read_bytes()[4:8] == b"ftyp"

    @pytest.mark.slow
    def test_a_single_frame_is_the_last_record(self, run):
        animate(run, "--frames", "1", "--only", "learning_weights, learning")
        assert facts("learning_weights.gif")[1:] == (1, 2120, 0)
        assert not Path("learning_paths.gif").exists()

    @pytest.mark.slow
    def test_the_same_command_writes_the_same_bytes_over_the_old_ones(self, run):
        animate(run, "--size", "96")
        before = [Path(f"{name}.gif").read_bytes() for name in OF_A_RUN]
        animate(run, "--size", "96")
        assert before == [Path(f"{name}.gif").read_bytes() for name in OF_A_RUN]

    @pytest.mark.slow
    def test_an_interrupted_run(self, run):
        (run / "summary.json").unlink()
        (run / "checkpoint.pt").unlink()
        rows = (run / "metrics.csv").read_text()
        (run / "metrics.csv").write_text(rows[: len(rows) - 3])
        animate(run, "--size", "96")

    def test_names_in_any_script(self, run):
        shutil.move(run, "läuft [red] 地図")
        animate("läuft [red] 地図", "--out", "фильм", "--size", "96")
        assert len(list(Path("фильм").iterdir())) == 3


class TestNewestRun:
    @pytest.mark.slow
    def test_it_is_taken_and_named(self):
        for name in ("a", "c", "b"):
            arguments = ["train", "--steps", "1", "--out", f"runs/{name}", "--quiet"]
            assert CliRunner().invoke(app, arguments).exit_code == 0
        for name, moment in (("a", 1), ("b", 3), ("c", 2)):
            os.utime(f"runs/{name}/config.json", (moment, moment))
        note = f"animating the newest run, {Path('runs/b')}\n"
        assert json.loads(animate("--json", "--only", "learning", note=note))["run"] == str(Path("runs/b"))
        animate("--quiet", "--only", "learning")

    def test_one_further_down(self):
        assert CliRunner().invoke(app, ["train", "--steps", "1", "--out", "runs/gallery/a", "--quiet"]).exit_code == 0
        animate("--only", "learning", note=f"animating the newest run, {Path('runs/gallery/a')}\n")

    def test_without_one_there_is_the_map(self):
        Path("runs").mkdir()
        text = animate("--frames", "2", "--size", "96", note="animating the built-in map; there is no run\n")
        assert "paths.gif" in text

    def test_an_option_of_maps_asks_for_the_map(self):
        Path("runs/a").mkdir(parents=True)
        Path("runs/a/config.json").touch()
        animate("--input-temp", "2", "--frames", "2", "--size", "96")
        assert Path("paths.gif").exists()


class TestOfAMap:
    def test_two_films(self):
        np.save("map.npy", np.random.default_rng(0).uniform(1, 9, (6, 9)))
        values = json.loads(
            animate("map.npy", "--frames", "5", "--samples", "40", "--fps", "10", "--out", "films", "--json")
        )
        assert values | {"map": "map.npy", "samples": 40, "frames": 5, "noise": "sum-of-gamma"} == values
        assert values["files"] == [str(Path("films") / f"{name}.gif") for name in OF_A_MAP]
        _, frames, total, loop = facts("films/distribution.gif")
        assert (frames, total, loop) == (5, 2500, 0)

    def test_by_default_a_frame_is_a_sample(self):
        values = json.loads(animate("--input-temp", "1", "--frames", "7", "--size", "96", "--json"))
        assert (values["samples"], values["frames"]) == (7, 7)

    def test_a_map_of_one_tile_and_no_noise(self):
        np.save("map.npy", np.ones((1, 1)))
        animate("map.npy", "--noise", "none", "--frames", "3")
        assert facts("paths.gif")[1] == 3

    def test_the_chosen_tiles_of_another_solver(self):
        animate("--solver", "top-k", "--top-k", "9", "--only", "distribution", "--frames", "3", "--size", "96")
        assert [path.name for path in Path().iterdir()] == ["distribution.gif"]


class TestRefusals:
    def test_an_option_of_maps_for_a_run(self, run):
        rest = "it belongs to an animation of a map, but run was recorded with its own; leave it out"
        expect_refusal([run, "--seed", "1"], 2, f"--seed: {rest}")
        expect_refusal([run, "--min-cost", "1", "--noise", "none"], 2, f"--min-cost: {rest}")

    def test_a_name_that_there_is_not(self, run):
        names = "learning_paths, learning_weights, learning"
        expect_refusal([run, "--only", "paths"], 2, f"--only: got 'paths'; here there are {names}; take one or more of them")
        expect_refusal([run, "--only", ""], 2, f"--only: got ''; here there are {names}; take one or more of them")

    @pytest.mark.parametrize(
        ("option", "value", "message"),
        [
            ("--fps", "0", "got 0; it must be a number from 0.1 to 50; the usual value is 8"),
            ("--fps", "nan", "got nan; it must be a number from 0.1 to 50; the usual value is 8"),
            ("--size", "63", "got 63; it must be a whole number from 64 to 4096; the usual value is 480"),
            ("--frames", "0", "got 0; it must be a whole number >= 1; the usual number is 100"),
            ("--samples", "0", "got 0; it must be a whole number >= 1; use 1000 for a first look"),
        ],
    )
    def test_numbers_out_of_range(self, option, value, message):
        arguments = ["--input-temp", "1", option, value]
        expect_refusal(arguments, 2, f"{option}: {message}")

    def test_an_unknown_format(self, run):
        result = invoke(run, "--format", "avi")
        assert result.exit_code == 2
        assert (
            result.stderr
            == "error: --format: got 'avi'; it must be one of 'gif', 'webp', 'apng', 'mp4', 'html'; use 'gif' for instance\n"
        )

    def test_a_run_without_history(self, run):
        with np.load(run / "history.npz") as file:
            arrays = {name: file[name] if name in ("gold", "costs") else file[name][:0] for name in file.files}
        np.savez(run / "history.npz", **arrays)
        message = "history.npz: nothing was recorded before the run stopped; go on with imle train --resume"
        expect_refusal([run], 1, message)
        (run / "history.npz").unlink()
        expect_refusal([run], 1, "run: history.npz is missing; nothing was recorded, start the run anew")

    def test_a_folder_that_is_no_run(self):
        Path("folder").mkdir()
        message = "folder: config.json is missing; it is damaged or no run of imle; choose another folder"
        expect_refusal(["folder"], 1, message)

    @pytest.mark.slow
    def test_targets(self, run):
        Path("file").touch()
        Path("films").mkdir()
        Path("films/learning.gif").write_text("notes")
        expect_refusal([run, "--out", "none/films"], 2, "--out: the folder none does not exist; make it first")
        expect_refusal([run, "--out", "file"], 2, "--out: file is a file; give the name of a folder")
        rest = "it names a folder, since films have names of their own; use --out x --format html"
        expect_refusal([run, "--out", "x.html"], 2, f"--out: got x.html; {rest}")
        place = Path("films/learning.gif")
        expect_refusal(
            [run, "--out", "films"], 2, f"--out: {place} exists and is no GIF file; choose another name or remove it"
        )
        assert [path.name for path in Path("films").iterdir()] == ["learning.gif"]

    def test_a_folder_that_cannot_be_written_to(self, run, monkeypatch):
        Path("films").mkdir()
        monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
        expect_refusal([run, "--out", "films"], 2, "--out: the folder films cannot be written to; choose another")
        expect_refusal([run, "--out", "new"], 2, "--out: the folder . cannot be written to; choose another")

    def test_no_encoder(self, run, monkeypatch):
        monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
        expect_refusal(
            [run, "--format", "mp4"],
            1,
            "--format: mp4 needs an encoder that is not installed; pip install 'imle[mp4]', or take --format gif",
        )
        assert not list(Path().glob("*.mp4"))
        assert invoke(run, "--format", "mp4", "--out", "new").exit_code == 1
        assert not Path("new").exists()

    def test_a_full_disk_leaves_nothing_half_written(self, run, monkeypatch):
        def fail(file, *_):
            file.write(b"half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(encoders, "write", fail)
        expect_refusal([run], 1, "learning_paths.gif: No space left on device")
        assert [path.name for path in Path().iterdir()] == ["run"]
