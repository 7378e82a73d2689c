"""ESRI grids, maps of the Moving AI benchmark, and descriptions of maps for ROS."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from imle_cli.files.maps import tiles
from imle_cli.files.maps.terrain import load
from refusals import refused

WALL = np.inf
GRID = "ncols 3\nnrows 2\nxllcorner 4000.0\nyllcorner 1200\ncellsize 30\nNODATA_value -9999\n"
NO_GRID = "is no ESRI ASCII grid: its header has {}; it begins with ncols 6, then nrows 5"
POSITIVE = "costs must be > 0, use inf for a wall"
TOO_MANY = "99999x99999 tiles are too many; at most 268435456 can be read, so crop or shrink the file"
MAZE = "type octile\nheight 3\nwidth 4\nmap\n"


def write(content, name):
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return Path(name)


def refusal(content, name):
    return refused(name, load, write(content, name))


class TestAsciiGrid:
    @pytest.mark.parametrize(
        "content",
        [
            GRID + "1 2.5 -9999\n4 5 6\n",
            GRID.replace("\n", "\r\n").upper() + "1 2.5 -9999.0\r\n4 5 6\r\n",
            GRID + "1 2.5\n-9999 4 5\n6\n",  # lines of any length
            "nrows 2\nncols 3\ncellsize 1\n 1 2.5 -9999 4 5 6",  # -9999 is the usual value
            GRID.replace("-9999", "-3.4028234663852886e+38") + "1 2.5 -3.402823e+38\n4 5 6\n",
            GRID.replace("-9999", "nan") + "1 2.5 nan\n4 5 6\n",
            GRID.replace("-9999", "0") + "1 2.5 0\n4 5 6\n",
            GRID.replace(".0", ",0") + "1,0 2,5 -9999\n4,0 5,0 6,0\n",
            GRID + "1 2.5 inf\n4 5 6\n",
        ],
    )
    def test_costs_and_walls(self, content):
        np.testing.assert_array_equal(load(write(content, "m.asc")), [[1, 2.5, WALL], [4, 5, 6]])

    def test_a_note_says_that_climbing_costs_and_not_height(self, said):
        load(write(gzip.compress((GRID + "1 2 3 4 5 6").encode()), "m.asc.gz"))
        text = "its values are taken as costs and its empty tiles as walls; of heights make costs first, climbing costs"
        assert said == [f"m.asc.gz: {text}"]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (GRID + "1 2 x\n4 5 6\n", "value 3 of line 7 is 'x', not a number; correct it"),
            (GRID + "1 2 3\n4 5\n", "has 5 numbers, but nrows x ncols = 6; copy the file again"),
            (GRID + "1 2 3\n4 5 6 7\n", "line 8: more numbers than nrows x ncols = 6; correct its header"),
            (
                GRID + "1 2 0\n4 5 6\n",
                f"1 cost is not positive (first: 0.0 at row 0, column 2); {POSITIVE}",
            ),
            ("nrows 2\n1 2\n3 4\n", NO_GRID.format("no ncols")),
            (
                "-----BEGIN PGP\nabc\n",
                NO_GRID.format("no ncols and no nrows"),
            ),
            (
                "ncols 2\nnrows 1\nfoo 3\n1 2",
                NO_GRID.format("'foo'"),
            ),
            ("ncols two\nnrows 1\n1 2", "line 1: ncols is 'two'; it must be a number"),
            ("ncols 2.5\nnrows 1\n1 2", "has ncols 2.5; it must be a whole number > 0; correct its header"),
            ("ncols -1\nnrows 1\n1 2", "has ncols -1; it must be a whole number > 0; correct its header"),
            ("ncols 0\nnrows 1\n1 2", "has 1x0 tiles; a map needs at least one"),
            (
                "ncols 99999\nnrows 99999\n1",
                TOO_MANY,
            ),
        ],
    )
    def test_errors(self, content, message):
        assert refusal(content, "m.asc") == message


class TestMovingAi:
    def test_tiles(self, said):
        content = MAZE + ".GS@\nOTW.\n....\n"
        expected = [[1, 1, 1, WALL], [WALL, WALL, WALL, 1], [1, 1, 1, 1]]
        np.testing.assert_array_equal(load(write(content, "m.map")), expected)
        np.testing.assert_array_equal(load(write(content.replace("\n", "\r\n"), "n.MAP")), expected)
        assert said[0] == (
            "m.map: its open tiles cost 1, trees and tiles out of bounds are walls, and so is its tile of water; a diagonal "
            "step costs no more"
        )

    @pytest.mark.parametrize("name", ["m.txt", "m.dat"])
    def test_both_formats_are_known_in_texts_of_another_ending(self, name):
        assert load(write("NCOLS 2\r\nNROWS 1\r\ncellsize 1\r\n3 -9999\r\n", name)).tolist() == [[3, WALL]]
        assert load(write(MAZE + "....\n.@T.\n....\n", name)).tolist()[1] == [1, WALL, WALL, 1]

    def test_it_is_averaged_too(self):
        assert load(write(MAZE + "....\n@@..\n@@..\n", "m.map"), grid=(1, 2)).tolist() == [[WALL, 1.0]]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("{ worldspawn }\n", "is no Moving AI map; its lines must begin: type octile, height 6, width 8, map"),
            (MAZE.replace("3", "x"), "is no Moving AI map; its lines must begin: type octile, height 6, width 8, map"),
            (MAZE + "....\n....\n", "has 2 rows of tiles, but its header says height 3; correct one of them"),
            (MAZE + "....\n...\n....\n", "line 6 has 3 tiles, but its header says width 4; correct one of them"),
            (MAZE + "....\n..x.\n....\n", "line 6 has a tile 'x' in column 2; tiles are . G S (open) and @ O T W (walls)"),
            (
                MAZE.replace("3", "99999").replace("4", "99999"),
                TOO_MANY,
            ),
        ],
    )
    def test_errors(self, content, message):
        assert refusal(content, "m.map") == message


def test_the_size_is_judged_before_the_numbers_are_read(monkeypatch):
    monkeypatch.setattr(tiles, "MAX_TILES", 5)
    text = "2x3 tiles are too many; at most 5 can be used, so average with --grid HxW"
    assert refusal(GRID + "x", "m.asc") == text


def test_a_description_for_ros_names_its_picture():
    remedy = "give the picture in it, in which black is expensive and transparent a wall"
    text = f"is a description of a map for ROS; such files are not read, so {remedy}"
    assert refusal("image: 'office.pgm'\nresolution: 0.05\n", "m.yaml") == f"{text} (here 'office.pgm')"
    assert refusal("a: b\n", "m.yaml") == text
