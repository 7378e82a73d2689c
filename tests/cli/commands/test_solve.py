"""``imle solve``: the cheapest path and its cost."""

import json

import numpy as np
import pytest
from PIL import Image

from command_line import Command
from imle_cli.files.maps.terrain import built_in_map

KEYS = ["map", "shape", "solver", "engine", "cost", "length", "tiles", "clamped_share", "seconds", "files"]


solve = Command("solve")


class TestPath:
    def test_cost_tiles_mask_and_json_agree(self):
        values = json.loads(solve("--save", "path.npy", "--json"))
        assert list(values) == KEYS
        mask = np.load("path.npy")
        assert mask.dtype == np.uint8
        tiles = np.array(values["tiles"])
        assert sorted(map(tuple, tiles)) == sorted(map(tuple, np.argwhere(mask)))
        assert values["length"] == len(tiles) == mask.sum()
        assert values["cost"] == (mask * built_in_map()).sum() == 47
        assert (tiles[0].tolist(), tiles[-1].tolist()) == ([0, 0], [15, 15])
        assert np.abs(np.diff(tiles, axis=0)).max(axis=1).tolist() == [1] * (len(tiles) - 1)

    @pytest.mark.slow
    def test_text(self):
        lines = dict(line.split(maxsplit=1) for line in solve("--moves", "4").splitlines())
        assert lines["map"] == "built-in, 16 x 16"
        assert lines["solver"] == "dijkstra, compiled"
        assert lines["tiles"].startswith(f"{lines['cost']}: 0,0 0,1 ")
        assert lines["files"] == "map-solve.png"

    def test_one_tile_is_not_a_plural(self):
        np.save("map.npy", np.ones((1, 1)))
        assert "\ntiles   1: 0,0\n" in solve("map.npy")

    @pytest.mark.slow
    @pytest.mark.parametrize("moves", [4, 8])
    def test_engines_give_the_same_arrays(self, moves):
        np.save("map.npy", np.random.default_rng(1).integers(1, 4, (9, 13)).astype(float))
        arguments = ["map.npy", "--moves", moves, "--start", "8,0", "--goal", "0,11"]
        solve(*arguments, "--save", "a.npy")
        solve(*arguments, "--save", "b.npy", "--engine", "networkx")
        np.testing.assert_array_equal(np.load("a.npy"), np.load("b.npy"))

    def test_costs_below_the_floor_are_clamped_and_counted(self):
        np.save("map.npy", np.array([[1.0, 0.5, 1.0, 1.0]]))
        values = json.loads(solve("map.npy", "--floor", "0.8", "--json"))
        assert (values["clamped_share"], values["cost"]) == (0.25, 3.5)

    def test_scale_of_pictures(self):
        Image.fromarray(np.array([[255, 0]], np.uint8)).save("map.png")
        values = json.loads(solve("map.png", "--min-cost", "2", "--max-cost", "7", "--json"))
        assert values["cost"] == 9

    def test_grid_averages_down(self):
        np.save("map.npy", np.array([[1.0, 3.0], [5.0, 7.0]]))
        values = json.loads(solve("map.npy", "--grid", "1x1", "--json"))
        assert (values["shape"], values["cost"]) == ([1, 1], 4.0)


class TestTopK:
    def test_the_cheapest_tiles(self):
        costs = np.random.default_rng(2).permutation(30).reshape(5, 6) + 1.0
        np.save("map.npy", costs)
        values = json.loads(solve("map.npy", "--solver", "top-k", "--top-k", "7", "--save", "z.npy", "--json"))
        np.testing.assert_array_equal(np.load("z.npy"), costs <= 7)
        assert (values["solver"], values["engine"], values["length"]) == ("top-k", "torch", 7)
        assert values["cost"] == sum(range(1, 8))


class TestFiles:
    def test_picture_named_after_map_and_command(self, tmp_path):
        (tmp_path / "maps").mkdir()
        np.save("maps/hills.npy", np.ones((3, 3)))
        assert json.loads(solve("maps/hills.npy", "--json"))["files"] == ["hills-solve.png"]
        assert (tmp_path / "hills-solve.png").exists()

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("ending", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml"), ("PNG", b"\x89PNG")]
    )
    def test_kinds_of_pictures_which_a_second_run_replaces_byte_for_byte(self, ending, start, tmp_path):
        path = tmp_path / f"picture.{ending}"
        solve("--out", path)
        first = path.read_bytes()
        assert first.startswith(start)
        solve("--out", path)
        assert path.read_bytes() == first

    def test_no_picture(self, tmp_path):
        assert json.loads(solve("--no-picture", "--json"))["files"] == []
        assert "files" not in solve("--no-picture")
        assert list(tmp_path.iterdir()) == []
        assert "files   z.npy" in solve("--no-picture", "--save", "z.npy")
        assert [path.name for path in tmp_path.iterdir()] == ["z.npy"]
        text = "--no-picture: got it beside --out a.png; leave one of them out"
        solve.expect_refusal(["--no-picture", "--out", "a.png"], 2, text)

    @pytest.mark.slow
    def test_quiet(self):
        assert solve("--quiet") == ""
        assert json.loads(solve("--quiet", "--json"))["cost"] == 47
