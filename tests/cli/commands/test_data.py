"""``imle data``: a data set in a folder, the same for the same seed, and what it refuses to write over."""

import json
import os
import re
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from command_line import Command
from imle_cli.app import app
from imle_cli.files.datasets import read_maps, splits_in
from imle_cli.files.folder_lock import LOCK, FolderLock
from imle_cli.files.sources import SourceError
from imle_core.perception import ColourLookup, judge, plan

SMALL = ["--size", "5", "--train", "6", "--test", "3"]
KEYS = ["kind", "size", "train", "val", "test", "seed", "hard", "unique"]
KEYS += ["unique_share", "solved_by_colour", "seconds", "files"]


data = Command("data", "terrain")
invoke, expect_refusal = data.invoke, data.expect_refusal


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data set that was made before."""
    folder = tmp_path_factory.mktemp("made") / "maps"
    data(*SMALL, "--quiet", "--out", folder)
    return folder


class TestFiles:
    @pytest.mark.slow
    def test_arrays_and_a_contact_sheet(self):
        values = json.loads(data(*SMALL, "--out", "maps", "--json"))
        assert list(values) == KEYS
        assert [values[key] for key in KEYS[:8]] == ["terrain", 5, 6, 0, 3, 0, False, False]
        assert sorted(values["files"]) == sorted(str(path) for path in Path("maps").iterdir())
        assert splits_in(Path("maps")) == ["train", "test"]
        train, test = (read_maps(Path("maps"), split) for split in ("train", "test"))
        assert (len(train), len(test), train.size) == (6, 3, (5, 5))
        lookup = ColourLookup().fit(train)
        assert values["solved_by_colour"] == judge(plan(lookup, test), test).optimal
        assert values["unique_share"] == pytest.approx(float((train.unique.sum() + test.unique.sum()) / 9))
        with Image.open("maps/maps.png") as sheet:
            assert sheet.format == "PNG"

    @pytest.mark.slow
    def test_text_and_the_folder_without_out(self):
        lines = data(*SMALL).splitlines()
        assert lines[0] == "maps     6 train, 3 test of 5 x 5 tiles"
        assert re.fullmatch(r"unique   \d+\.\d% of the maps have one cheapest path only", lines[1])
        assert re.fullmatch(r"look-up  \d+\.\d% of the last maps are solved by the mean colours of tiles", lines[2])
        assert lines[3:] == ["files    terrain-5x5 (7 files; maps.png shows the first maps)"]

    @pytest.mark.slow
    def test_without_maps_to_learn_from_there_is_no_look_up(self):
        assert json.loads(data("--size", "3", "--train", "0", "--test", "2", "--json"))["solved_by_colour"] is None

    @pytest.mark.slow
    def test_quiet(self):
        assert data(*SMALL, "--quiet") == ""

    @pytest.mark.slow
    def test_the_seed_decides_and_splits_differ(self, made):
        data(*SMALL, "--out", "again")
        data(*SMALL, "--out", "other", "--seed", "1")
        assert contents("again") == contents(made)
        names = made / "train_maps.npy", made / "test_maps.npy", "other/train_maps.npy"
        train, test, other = (np.load(name) for name in names)
        assert (train[:3] != test).any(axis=(1, 2, 3)).all()
        assert (train != other).any()

    @pytest.mark.slow
    def test_a_split_is_the_same_whichever_others_there_are(self):
        data("--size", "4", "--train", "0", "--val", "2", "--test", "3", "--out", "few")
        data("--size", "4", "--train", "1", "--val", "4", "--test", "3", "--out", "many")
        assert splits_in(Path("few")) == ["val", "test"]
        assert contents("few")["test_maps.npy"] == contents("many")["test_maps.npy"]
        assert (np.load("few/val_maps.npy") == np.load("many/val_maps.npy")[:2]).all()

    @pytest.mark.slow
    def test_hard_and_unique(self, made):
        data(*SMALL, "--out", "hard", "--hard")
        assert json.loads(data(*SMALL, "--out", "unique", "--unique", "--json"))["unique_share"] == 1
        plain, hard, unique = (np.load(f"{name}/train_vertex_weights.npy") for name in (made, "hard", "unique"))
        assert (plain == hard).all()
        assert 0 < np.abs(unique / plain - 1).max() <= 0.05 + 1e-6
        assert (np.load(made / "train_maps.npy") != np.load("hard/train_maps.npy")).any()


class TestOverwriting:
    @pytest.mark.slow
    def test_its_own_data_set_is_replaced_as_a_whole(self, made):
        data("--size", "4", "--train", "2", "--val", "2", "--test", "2", "--out", "maps")
        data(*SMALL, "--out", "maps")
        assert contents("maps") == contents(made)

    @pytest.mark.slow
    def test_an_empty_folder_is_taken(self, made):
        Path("maps").mkdir()
        data(*SMALL, "--out", "maps")
        assert contents("maps") == contents(made)

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["notes.txt", "train_maps_part0.npy", ".hidden"])
    def test_other_files_are_kept(self, made, name):
        shutil.copytree(made, "maps")
        Path("maps", name).touch()
        before = contents("maps")
        message = f"--out: maps holds {name}, which is no part of a made data set; choose another folder"
        expect_refusal([*SMALL, "--out", "maps"], 2, message)
        assert contents("maps") == before

    def test_a_folder_that_has_the_name_of_a_file_is_kept(self, made):
        shutil.copytree(made, "maps")
        Path("maps/val_maps.npy").mkdir()
        message = "--out: maps holds val_maps.npy/, which is no part of a made data set; choose another folder"
        expect_refusal([*SMALL, "--out", "maps"], 2, message)

    def test_a_data_set_from_elsewhere_is_kept(self, made):
        shutil.copytree(made, "maps")
        Path("maps/maps.png").unlink()
        message = "--out: maps holds a data set without the maps.png of those that this command makes; choose another folder"
        expect_refusal([*SMALL, "--out", "maps"], 2, message)

    def test_one_process_at_a_time(self, made):
        shutil.copytree(made, "maps")
        before = contents("maps")
        with FolderLock(Path("maps")):
            message = f"maps is being written by process {os.getpid()}; wait for it, or end it first"
            expect_refusal([*SMALL, "--out", "maps"], 1, message)
        assert contents("maps") == before

    @pytest.mark.slow
    def test_what_a_killed_process_left_is_removed(self, made):
        shutil.copytree(made, "maps")
        Path("maps/test_maps.npy").unlink()
        for name in (".test_maps.npy.1234abcd.part", ".maps.png.1234abcd.part", ".imle-lock"):
            Path("maps", name).touch()
        data(*SMALL, "--out", "maps")
        assert contents("maps") == contents(made)

    @pytest.mark.slow
    @pytest.mark.parametrize("count", range(1, 7))
    def test_a_kill_while_the_old_set_is_removed(self, made, monkeypatch, count):
        shutil.copytree(made, "maps")
        unlink, removed = Path.unlink, []

        class Killed(BaseException):
            pass

        def killed(path, missing_ok=False):
            if path.name != LOCK:
                removed.append(path)
                if len(removed) > count:
                    raise Killed
            unlink(path, missing_ok)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", killed)
            with pytest.raises(Killed):
                CliRunner().invoke(app, ["data", "terrain", *SMALL, "--out", "maps"], catch_exceptions=False)
        data(*SMALL, "--out", "maps")
        assert contents("maps") == contents(made)

    @pytest.mark.slow
    def test_ctrl_c_leaves_whole_splits(self, monkeypatch):
        save, saved = np.save, []

        def interrupt(file, array):
            saved.append(array)
            if len(saved) == 5:
                raise KeyboardInterrupt
            save(file, array)

        monkeypatch.setattr(np, "save", interrupt)
        result = invoke(*SMALL, "--out", "maps")
        assert (result.exit_code, result.stderr, result.stdout) == (130, "interrupted\n", "")
        assert len(read_maps(Path("maps"), "train")) == 6
        with pytest.raises(SourceError, match="half a data set"):
            read_maps(Path("maps"), "test")
        assert not [path for path in Path("maps").iterdir() if path.suffix not in (".npy", ".png")]


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--size", "1"], "--size: got 1; it must be a whole number from 2 to 1000; the usual size is 12"),
            (["--train", "-1"], "--train: got -1; it must be a whole number >= 0; use 0 for none"),
            (["--val", "-2"], "--val: got -2; it must be a whole number >= 0; use 0 for none"),
            (["--test", "-3"], "--test: got -3; it must be a whole number >= 0; use 0 for none"),
            (
                ["--train", "0", "--test", "0"],
                "--train, --val, --test: got 0 each; one must be > 0; the usual numbers are 2000, 0 and 500",
            ),
            (["--seed", "-1"], "--seed: got -1; it must be a whole number from 0 to 2^63 - 1; the usual one is 0"),
        ],
        ids=str,
    )
    def test_numbers(self, arguments, message):
        expect_refusal(arguments, 2, message)
        assert list(Path().iterdir()) == []

    def test_out(self):
        Path("file").touch()
        expect_refusal(["--out", "file"], 2, "--out: file is a file; give the name of a folder")
        expect_refusal(["--out", "none/maps"], 2, "--out: the folder none does not exist; make it first")

    def test_a_folder_that_cannot_be_written_to(self, monkeypatch):
        Path("closed").mkdir()
        monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK or Path(path).name != "closed")
        expect_refusal(["--out", "closed/maps"], 2, "--out: the folder closed cannot be written to; choose another")
        expect_refusal(["--out", "closed"], 2, "--out: the folder closed cannot be written to; choose another")

    def test_another_kind(self):
        result = CliRunner().invoke(app, ["data", "weather"])
        assert result.exit_code == 2


@pytest.mark.process
def test_progress_on_a_terminal(terminal):
    with terminal.start("-m", "imle_cli", "data", "terrain", "--train", "20000", "--test", "0") as process:
        terminal.read_until(b"drawing maps")
        process.send_signal(signal.SIGINT)
        shown = terminal.read_all()
    assert process.returncode == 130
    assert shown.rstrip().endswith("interrupted")
    assert list(Path().iterdir()) == []
