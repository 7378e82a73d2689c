"""Whatever a user may get wrong: one line on standard error, an exit code, and no file left behind."""

import json
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from command_line import Command

MAP_COMMANDS = ("solve", "sample", "marginals")

imle = Command()
run = imle.invoke


def expect_refusal(arguments, code, message, written=()):
    """The command must fail with this line and leave no other file than those in ``written``."""
    imle.expect_refusal(arguments, code, message)
    assert sorted(path.name for path in Path().iterdir()) == sorted(written)


@pytest.mark.parametrize("command", MAP_COMMANDS)
class TestMapFiles:
    def test_a_missing_file(self, command):
        expect_refusal([command, "none.png"], 1, "none.png: no such file; check the path")

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["floor=0.csv", "perfect=False.npy", "forest=True.png"])
    def test_a_file_is_named_as_it_is(self, command, name):
        expect_refusal([command, name], 1, f"{name}: no such file; check the path")

    def test_a_folder(self, command, tmp_path):
        (tmp_path / "maps").mkdir()
        message = "maps: is a folder; give a picture or a .npy, .csv or .txt file in it"
        expect_refusal([command, "maps"], 1, message, ["maps"])

    def test_an_empty_file(self, command, tmp_path):
        (tmp_path / "map.png").touch()
        expect_refusal([command, "map.png"], 1, "map.png: the file is empty (0 bytes); save the map again", ["map.png"])

    def test_a_truncated_picture(self, command, tmp_path):
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)).save("whole.png")
        content = (tmp_path / "whole.png").read_bytes()
        (tmp_path / "whole.png").unlink()
        (tmp_path / "map.png").write_bytes(content[: len(content) // 2])
        result = run(command, "map.png")
        assert result.exit_code == 1
        assert re.fullmatch(
            r"error: map\.png: cannot be read as a picture \(.+\); save it again, best as PNG\n", result.stderr
        )

    def test_a_text_called_png(self, command, tmp_path):
        (tmp_path / "map.png").write_text("a map\n")
        message = "map.png: is not a picture of a known kind; give a PNG, or costs as .npy, .csv or .txt"
        expect_refusal([command, "map.png"], 1, message, ["map.png"])

    def test_a_decompression_bomb_is_refused_by_its_header(self, command, tmp_path):
        header = struct.pack(">IIBBBBB", 5000, 5000, 8, 0, 0, 0, 0)
        chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
        (tmp_path / "map.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT" + bytes(4))
        message = "map.png: 5000x5000 tiles are too many; at most 16777216 can be used, so average with --grid HxW"
        expect_refusal([command, "map.png"], 1, message, ["map.png"])

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("cost", "shown"), [(np.nan, "nan"), (-np.inf, "-inf"), (0.0, "0.0"), (-2.0, "-2.0")], ids=lambda value: str(value)
    )
    def test_costs_that_are_not_positive(self, command, cost, shown):
        costs = np.ones((3, 4))
        costs[1, 2] = cost
        np.save("map.npy", costs)
        message = (
            f"map.npy: 1 cost is not positive (first: {shown} at row 1, column 2); costs must be > 0, use inf for a wall"
        )
        expect_refusal([command, "map.npy"], 1, message, ["map.npy"])

    def test_a_stack_of_maps(self, command):
        np.save("map.npy", np.ones((2, 3, 4)))
        message = "map.npy: has shape (2, 3, 4); a map has two dimensions (height, width)"
        expect_refusal([command, "map.npy"], 1, message, ["map.npy"])


class TestStartAndGoal:
    @pytest.mark.parametrize("command", MAP_COMMANDS)
    @pytest.mark.parametrize("name", ["start", "goal"])
    def test_outside_the_map(self, command, name):
        message = f"--{name}: got tile (16, 3); it is outside the map of 16 x 16; rows and columns count from 0"
        expect_refusal([command, f"--{name}", "16,3"], 2, message)

    @pytest.mark.parametrize(("name", "tile"), [("start", "0,0"), ("goal", "2,2")])
    def test_in_a_wall(self, name, tile):
        costs = np.ones((3, 3))
        costs[0, 0] = costs[2, 2] = np.inf
        np.save("map.npy", costs)
        other = {"start": ("--goal", "1,1"), "goal": ("--start", "1,1")}[name]
        row, column = tile.split(",")
        near = {"start": "--start 0,1", "goal": "--goal 1,2"}[name]
        rule = f"is a wall; choose a passable tile, with {near} for instance"
        expect_refusal(["solve", "map.npy", *other], 1, f"map.npy: the {name} ({row}, {column}) {rule}", ["map.npy"])
        message = f"--{name}: got {tile}; it is a wall of map.npy; choose a passable tile, with {near} for instance"
        expect_refusal(["solve", "map.npy", f"--{name}", tile, *other], 2, message, ["map.npy"])

    @pytest.mark.parametrize("engine", ["compiled", "torch", "networkx"])
    def test_cut_off_from_each_other(self, engine):
        costs = np.ones((3, 3))
        costs[:, 1] = np.inf
        np.save("map.npy", costs)
        message = "--goal: got tile (2, 2); walls cut it off from start (0, 0); open a way or move one of them"
        expect_refusal(["solve", "map.npy", "--engine", engine], 1, message, ["map.npy"])

    @pytest.mark.parametrize("end", [("--start", "0,0"), ("--goal", "2,2")])
    def test_cut_off_from_an_end_that_the_user_chose(self, end):
        costs = np.ones((3, 3))
        costs[:, 1] = np.inf
        np.save("map.npy", costs)
        message = "--goal: got tile (2, 2); walls cut it off from start (0, 0); open a way or move one of them"
        expect_refusal(["solve", "map.npy", *end], 2, message, ["map.npy"])

    def test_cut_off_in_a_batch_of_samples(self):
        costs = np.ones((3, 3))
        costs[:, 1] = np.inf
        np.save("map.npy", costs)
        result = run("marginals", "map.npy")
        assert result.exit_code == 1
        assert result.stderr.startswith("error: --goal: got tile (2, 2); walls cut it off from start (0, 0) (map 0 of ")


WRONG_USAGE = {
    ("sample", "--samples", "0"): "--samples: got 0; it must be a whole number >= 1; use 1000 for a first look",
    ("marginals", "--samples", "0"): "--samples: got 0; it must be a whole number >= 1; use 1000 for a first look",
    ("marginals", "--samples", "-3"): "--samples: got -3; it must be a whole number >= 1; use 1000 for a first look",
    ("noise", "--samples", "0"): "--samples: got 0; it must be a whole number >= 1; use 100000 for a smooth histogram",
    ("noise", "--bins", "0"): "--bins: got 0; it must be a whole number >= 1; use about 100",
    ("noise", "--noise", "none"): "--noise: got none; there is nothing to draw; choose a distribution",
    ("sample", "--input-temp", "-1"): "--input-temp: got -1; it must be a number >= 0; use 0 for no noise",
    ("marginals", "--input-temp", "-0.5"): "--input-temp: got -0.5; it must be a number >= 0; use 0 for no noise",
    ("marginals", "--input-temp", "nan"): "--input-temp: got nan; it must be a number >= 0; use 0 for no noise",
    ("marginals", "--input-temp", "inf"): "--input-temp: got inf; it must be a number >= 0; use 0 for no noise",
    ("marginals", "--input-temp", "1e31"): "--input-temp: got 1e+31; it must be at most 1e+30; beside such noise no weight "
    "matters",
    ("marginals", "--noise-k", "0"): "--noise-k: got 0; it must be a number > 0; use about the number of tiles on a path",
    ("train", "--noise-k", "inf"): "--noise-k: got inf; it must be a finite number > 0; use about the size of a solution",
    (
        "train",
        "--noise-k",
        "1e-300",
    ): "--noise-k: got 1e-300; draws of mean 5.8e+299 and deviation 1.3e+150 must be finite and "
    "differ in torch.float64, which ends at 1.8e+308 and rounds to 2e-16 of a number; use about the size of a solution",
    ("train", "--noise-k", "1e-30"): "--noise-k: got 1e-30; draws of mean 5.8e+29 and deviation 1.3e+15 must be finite and "
    "differ in torch.float32, which ends at 3.4e+38 and rounds to 1e-07 of a number; use about the size of a solution",
    (
        "noise",
        "--noise-k",
        "1e300",
    ): "--noise-k: got 1e+300; draws of mean 5.8e-301 and deviation 1.3e-150 must be finite and "
    "differ in torch.float32, which ends at 3.4e+38 and rounds to 1e-07 of a number; use about the size of a solution",
    (
        "noise",
        "--noise-iterations",
        "99999999999999999",
    ): "--noise-k: got 20 with 1e+17 iterations; each draw would be a sum of "
    "more than 256 gamma variables; take a k of about the size of a solution, and fewer iterations",
    ("marginals", "--noise", "gumbel", "--noise-k", "3"): (
        "--noise-k: it belongs to --noise sum-of-gamma, not to gumbel; leave it out"
    ),
    ("solve", "--solver", "top-k"): "--top-k: missing; --solver top-k needs a number of tiles from 1 to 256",
    ("solve", "--solver", "top-k", "--top-k", "0"): "--top-k: got 0; it must be from 1 to the map's 256 passable tiles",
    ("sample", "--solver", "top-k", "--top-k", "257"): "--top-k: got 257; it must be from 1 to the map's 256 passable tiles",
    ("solve", "--top-k", "3"): "--top-k: it belongs to --solver top-k; leave it out or choose that solver",
    ("solve", "--moves", "6"): "--moves: got 6; it must be 8 or 4; use 8 for diagonal steps",
    ("solve", "--floor", "0"): "--floor: got 0; it must be a number > 0; the usual value is 1e-4",
    ("solve", "--floor", "nan"): "--floor: got nan; it must be a number > 0; the usual value is 1e-4",
    ("solve", "--grid", "4x4"): "--grid: the built-in map has its 16x16 tiles; give a map of your own to average down",
    ("solve", "--min-cost", "2"): "--min-cost: got 2; the built-in map has costs of its own; give a picture to read",
    ("solve", "--max-cost", "nan"): "--max-cost: got nan; the built-in map has costs of its own; give a picture to read",
    ("solve", "--start", "1"): "--start: got '1'; it must be ROW,COL such as 0,15",
}


class TestOptions:
    @pytest.mark.slow
    @pytest.mark.parametrize(("arguments", "message"), WRONG_USAGE.items(), ids=" ".join)
    def test_wrong_usage_has_exit_code_2(self, arguments, message):
        expect_refusal(arguments, 2, message)

    @pytest.mark.parametrize("arguments", [("solve", "--solver", "magic"), ("solve", "--nothing"), ("nothing",)])
    def test_what_no_command_knows_has_exit_code_2(self, arguments):
        result = run(*arguments)
        assert result.exit_code == 2
        assert arguments[-1].strip("-") in result.stderr
        assert result.stdout == ""

    def test_no_cuda(self, monkeypatch):
        monkeypatch.setattr("torch.cuda.is_available", lambda: False)
        message = "--device: got cuda; torch finds no CUDA device here; use cpu or auto"
        expect_refusal(["marginals", "--device", "cuda"], 2, message)

    def test_an_infinite_k(self):
        message = "--noise-k: got inf; it must be a finite number > 0; use about the size of a solution"
        expect_refusal(["marginals", "--noise-k", "inf"], 2, message)

    @pytest.mark.parametrize("seed", [-1, 2**63])
    @pytest.mark.parametrize("command", [*MAP_COMMANDS, "noise"])
    def test_a_seed_that_no_generator_takes(self, command, seed):
        message = f"--seed: got {seed}; it must be a whole number from 0 to 2^63 - 1; the usual one is 0"
        expect_refusal([command, "--seed", seed], 2, message)


QUICK = ("--steps", "2", "--samples", "1", "--quiet")
ONE_CELL = (*QUICK, "--input-temps", "0", "--target-temps", "0", "--jobs", "1")
IN_FOLDERS = {
    "train": (["train", *QUICK], "config.json"),
    "sweep": (["sweep", *ONE_CELL], "table.csv"),
    "data": (["data", "terrain", "--size", "3", "--train", "2", "--test", "2", "--quiet"], "maps.png"),
    "animate": (["animate", "map.npy", "--frames", "2", "--size", "64", "--only", "paths", "--quiet"], "paths.gif"),
}


@pytest.mark.parametrize("command", IN_FOLDERS)
class TestLinksToFolders:
    """A symbolic link that is to be an output is followed, or refused, and never replaced."""

    @pytest.fixture(autouse=True)
    def map(self):
        np.save("map.npy", np.ones((3, 3)))

    @pytest.mark.slow
    def test_one_to_a_folder_is_followed(self, command):
        call, file = IN_FOLDERS[command]
        Path("real").mkdir()
        Path("link").symlink_to("real")
        assert run(*call, "--out", "link").exit_code == 0
        assert Path("link").is_symlink()
        assert Path("real", file).is_file()

    @pytest.mark.slow
    @pytest.mark.parametrize("target", ["none", "link"])
    def test_one_to_nothing_or_itself_is_refused(self, command, target):
        Path("link").symlink_to(target)
        message = "--out: link is a link to what is not there; make that, or choose another name"
        expect_refusal([*IN_FOLDERS[command][0], "--out", "link"], 2, message, ["link", "map.npy"])
        assert str(Path("link").readlink()) == target


class TestOutputs:
    @pytest.mark.parametrize("command", [*MAP_COMMANDS, "noise"])
    def test_a_missing_folder(self, command):
        message = "--out: the folder none does not exist; make it first"
        expect_refusal([command, "--out", "none/map.png"], 2, message)

    @pytest.mark.slow
    @pytest.mark.parametrize("command", [*MAP_COMMANDS, "noise"])
    def test_an_existing_folder(self, command, tmp_path):
        (tmp_path / "here.png").mkdir()
        message = "--out: here.png is a folder; give the name of a file in it"
        expect_refusal([command, "--out", "here.png"], 2, message, ["here.png"])

    @pytest.mark.parametrize("command", [*MAP_COMMANDS, "noise"])
    def test_a_folder_that_cannot_be_written_to(self, command, tmp_path, monkeypatch):
        (tmp_path / "closed").mkdir()
        monkeypatch.setattr("os.access", lambda *_, **__: False)
        message = "--out: the folder closed cannot be written to; choose another"
        expect_refusal([command, "--out", "closed/map.png"], 2, message, ["closed"])

    def test_another_kind_of_picture(self):
        message = "--out: map.jpg ends in .jpg; it must end in .png or .pdf or .svg or .html"
        expect_refusal(["solve", "--out", "map.jpg"], 2, message)

    def test_the_input(self):
        Image.fromarray(np.full((4, 4), 255, np.uint8)).save("map.png")
        expect_refusal(
            ["solve", "map.png", "--out", "map.png"], 2, "--out: map.png is the input; choose another name", ["map.png"]
        )

    def test_an_array_under_another_name(self):
        expect_refusal(["solve", "--save", "map.txt"], 2, "--save: map.txt ends in .txt; it must end in .npy or .csv")

    def test_a_file_of_another_kind(self, tmp_path):
        (tmp_path / "notes.png").write_text("not a picture")
        message = "--out: notes.png exists and is no PNG file; choose another name or remove it"
        expect_refusal(["solve", "--out", "notes.png"], 2, message, ["notes.png"])
        assert (tmp_path / "notes.png").read_text() == "not a picture"

    def test_every_check_comes_before_the_work(self, monkeypatch):
        monkeypatch.setattr("imle_core.solvers.GridPath.__call__", lambda *_: pytest.fail("solved"))
        assert run("solve", "--out", "map.jpg").exit_code == 2

    @pytest.mark.slow
    @pytest.mark.parametrize("command", MAP_COMMANDS)
    def test_a_full_disk_leaves_no_half_file_and_what_was_there(self, command, tmp_path, monkeypatch):
        assert run(command, "--out", "map.png", "--save", "map.npy").exit_code == 0
        before = (tmp_path / "map.npy").read_bytes()

        def save(file, _):
            file.write(b"half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("numpy.save", save)
        expect_refusal(
            [command, "--out", "map.png", "--save", "map.npy", "--start", "0,1"],
            1,
            "map.npy: No space left on device",
            ["map.png", "map.npy"],
        )
        assert (tmp_path / "map.npy").read_bytes() == before

    @pytest.mark.slow
    @pytest.mark.parametrize("command", MAP_COMMANDS)
    def test_an_interruption_leaves_no_half_file(self, command, tmp_path, monkeypatch):
        def save(file, _):
            file.write(b"half")
            raise KeyboardInterrupt

        monkeypatch.setattr("numpy.save", save)
        result = run(command, "--out", "map.png", "--save", "map.npy")
        assert (result.exit_code, result.stderr, result.stdout) == (130, "interrupted\n", "")
        assert [path.name for path in tmp_path.iterdir()] == ["map.png"]


class TestWhatWorks:
    @pytest.mark.slow
    @pytest.mark.parametrize("command", MAP_COMMANDS)
    def test_a_map_of_one_tile_is_a_path(self, command):
        np.save("map.npy", np.full((1, 1), 3.0))
        result = run(command, "map.npy", "--save", "out.npy", "--json")
        assert result.exit_code == 0
        assert np.load("out.npy").ravel().min() == 1
        values = json.loads(result.stdout)
        assert values["shape"] == [1, 1]
        if command == "solve":
            assert (values["cost"], values["tiles"]) == (3.0, [[0, 0]])

    @pytest.mark.slow
    def test_infinite_costs_are_walls(self):
        costs = np.ones((3, 3))
        costs[1, 1] = np.inf
        np.save("map.npy", costs)
        assert json.loads(run("solve", "map.npy", "--json").stdout)["tiles"] == [[0, 0], [0, 1], [1, 2], [2, 2]]

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["Karte Ä 地図 [red] $x_1$.npy", "a b.npy", "-dash.npy", "😀.npy"])
    def test_names_of_any_letters(self, name, tmp_path):
        np.save(tmp_path / name, np.ones((3, 4)))
        result = run("solve", tmp_path / name, "--json")
        assert result.exit_code == 0, result.stderr
        values = json.loads(result.stdout)
        assert values["map"] == str(tmp_path / name)
        assert (tmp_path / values["files"][0]).stat().st_size > 1000
        assert str(name) in run("solve", tmp_path / name).stdout

    @pytest.mark.slow
    def test_an_enormous_range_of_costs(self):
        np.save("map.npy", np.geomspace(1e-300, 1e300, 12).reshape(3, 4))
        for command in MAP_COMMANDS:
            result = run(command, "map.npy")
            assert result.exit_code == 0, result.stderr
