"""Start and goal in walls: which tiles are offered instead."""

import numpy as np
import pytest

from imle_cli.files.sources import SourceError
from imle_cli.messages import UsageError
from imle_cli.problems.map_ends import check_ends
from imle_core.solvers import GridPath

START_IN_WALL = "the start (0, 0) is a wall; choose a passable tile, with --start {} for instance"
OFFERED = [
    (["#..", "...", "..."], 8, {}, START_IN_WALL.format("0,1")),
    (["...", "...", ".##"], 8, {}, "the goal (2, 2) is a wall; choose a passable tile, with --goal 1,2 for instance"),
    (
        ["#.#", "...", "..#"],
        8,
        {},
        "the start (0, 0) and the goal (2, 2) are walls; choose passable tiles, with --start 0,1 --goal 1,2 for instance",
    ),
    # A nearer tile is cut off from the goal; it is not, by a diagonal step.
    (
        ["#.#..", ".##..", "##...", "....."],
        4,
        {},
        START_IN_WALL.format("2,2"),
    ),
    (
        ["#.#..", ".##..", "#....", "....."],
        8,
        {},
        START_IN_WALL.format("0,1"),
    ),
    (["##", "##"], 8, {}, "has walls only; a path needs passable tiles"),
    # Of two regions the larger one.
    (
        ["#...#.#", "....##.", "...###."],
        8,
        {},
        "the start (0, 0) is a wall; choose a passable tile, with --start 0,5 for instance",
    ),
]
CHOSEN = [
    (["..", ".#"], {"goal": (1, 1)}, "--goal: got 1,1; it is a wall of m.png; choose a passable tile, with --goal 0,1"),
    (["#.", ".."], {"start": (0, 0)}, "--start: got 0,0; it is a wall of m.png; choose a passable tile, with --start 0,1"),
    # Of two regions the larger one.
    (
        ["#.#...", ".##...", "#####."],
        {"goal": (2, 0)},
        "--goal: got 2,0; it is a wall of m.png; choose a passable tile, with --start 0,3 --goal 1,3",
    ),
]


def costs(rows):
    return np.array([[np.inf if tile == "#" else 1.0 for tile in row] for row in rows])


@pytest.mark.parametrize(("rows", "moves", "ends", "message"), OFFERED)
def test_a_tile_that_the_other_end_can_be_reached_from(rows, moves, ends, message):
    with pytest.raises(SourceError) as error:
        check_ends("m.png", GridPath(moves, **ends), costs(rows))
    assert str(error.value) == f"m.png: {message}"


@pytest.mark.parametrize(("rows", "ends", "message"), CHOSEN)
def test_one_in_a_wall_that_the_user_chose_is_a_wrong_option(rows, ends, message):
    with pytest.raises(UsageError) as error:
        check_ends("m.png", GridPath(8, **ends), costs(rows))
    assert str(error.value) == f"{message} for instance"


def test_passable_ends():
    check_ends("m.png", GridPath(), costs(["..", ".."]))
    check_ends("m.png", GridPath(start=(1, 1), goal=(0, 1)), costs(["#.", ".."]))


def test_outside_the_map():
    with pytest.raises(ValueError, match="outside the map"):
        check_ends("m.png", GridPath(start=(5, 5)), costs(["#."]))
