"""Pictures in the cells of a terminal: letters, legend, and the room that they leave to what else is to be read."""

import io

import numpy as np
import pytest
from rich.console import Console

from imle_cli.console import Report
from imle_cli.console.preview import lines_of
from imle_cli.figures.preview import Preview

MAP = Preview(np.linspace(0, 1, 256).reshape(16, 16), {"start": (0, 0), "goal": (15, 15)})


def terminal(width=80, height=24, colours="256"):
    settings = {"legacy_windows": False, "soft_wrap": True, "highlight": False}
    return Console(file=io.StringIO(), force_terminal=True, color_system=colours, width=width, height=height, **settings)


def shown(preview, room, **settings):
    return [line.plain for line in lines_of(preview, terminal(**settings), room)]


@pytest.fixture(autouse=True)
def _an_encoding_with_blocks(monkeypatch):
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), "utf-8"))


def test_two_tiles_a_cell_with_letters_and_a_legend():
    *picture, legend = shown(MAP, 10)
    assert picture == ["S" + "▀" * 15, *["▀" * 16] * 6, "▀" * 15 + "G"]
    assert legend == f"0 {'▇' * 12} 1   S start   G goal"


def test_an_odd_number_of_tiles_leaves_half_a_row():
    *picture, legend = shown(Preview(np.ones((33, 3))), 20)
    assert (picture, legend) == (["▀▀▀"] * 17, f"0 {'▇' * 12} 1")


@pytest.mark.slow
@pytest.mark.parametrize("room", range(-3, 40))
@pytest.mark.parametrize("shape", [(16, 16), (1, 300), (500, 2), (2048, 2048)])
def test_it_takes_no_more_than_its_room(room, shape):
    lines = shown(Preview(np.zeros(shape)), room)
    assert len(lines) <= max(0, room)
    assert bool(lines) == (room >= 5)
    assert max(map(len, lines), default=0) <= 78


@pytest.mark.parametrize("colours", [None, "standard"])
def test_none_below_256_colours(colours):
    assert shown(MAP, 10, colours=colours) == []


@pytest.mark.parametrize(("height", "notes"), [(12, 0), (12, 1), (16, 3), (24, 0), (24, 3), (50, 1)])
def test_call_notes_picture_result_and_prompt_are_on_one_screen(monkeypatch, notes, height):
    monkeypatch.setattr("sys.argv", ["imle", "marginals", "map.png"])
    report = Report(as_json=False, quiet=False)
    report._out = report._err = terminal(height=height)
    for _ in range(notes):
        report.note("n" * 100)
    result = [("map", "a.png"), ("noise", "x" * 100), ("time", "1 s")]
    report.preview(MAP, report._rows_of(result))
    report.result({}, result)
    lines = report._out.file.getvalue().splitlines()
    rows = 1 + sum(2 if "n" * 100 in line or "x" * 100 in line else 1 for line in lines) + 1
    assert rows <= height
    assert any("▀" in line for line in lines) == (height >= 11 + 2 * notes)
