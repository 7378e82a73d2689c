"""Files that are known but not read: every one names itself and the way out."""

import pytest
from typer.testing import CliRunner

from imle_cli.app import app
from imle_cli.files.endings import ARRAY_ENDINGS, GRAPH_ENDINGS, TABLE_ENDINGS, UNREAD, foreign, unread

NAMED = {
    "map.xlsx": "is a spreadsheet; such files are not read, so save its sheet as .csv",
    "map.ODS": "is a spreadsheet; such files are not read, so save its sheet as .csv",
    "map.svg": "is a drawing, not pixels; such files are not read, so export it as .png",
    "map.eps": "is a drawing, not pixels; such files are not read, so export it as .png",
    "graph.dot": "is a graph for Graphviz; such files are not read, so convert it with: gv2gml FILE -o FILE.gml",
    "map.pkl.gz": "is a pickle, which may run code when it is read; such files are not read, so save its array with "
    "numpy.save",
    "map.mat": "is a file of several arrays; such files are not read, so save the one with numpy.save, or as .csv",
    "map.zip": "is an archive; such files are not read, so unpack it and give the file inside",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("command", [["solve"], ["train", "--steps", "1"], ["solve", "--solver", "assignment"]])
def test_it_is_named_with_the_way_out(name, command, tmp_path):
    (tmp_path / name).write_bytes(b"x")
    result = CliRunner().invoke(app, [*command, name])
    assert (result.exit_code, result.stderr) == (1, f"error: {name}: {NAMED[name]}\n")


def test_no_ending_is_both_read_and_not():
    assert not set(UNREAD) & {*ARRAY_ENDINGS, *GRAPH_ENDINGS, *TABLE_ENDINGS, ".asc", ".map", ".png", ".tif"}
    assert all(ending == ending.lower() and ending.startswith(".") for ending in UNREAD)
    assert unread(".csv") is None
    assert max(len(unread(ending)) for ending in UNREAD) < 150


def test_content_that_tells_nothing():
    assert foreign(b"1,2,3\n") is None
    assert foreign(b"") is None
