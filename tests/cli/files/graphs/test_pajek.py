"""Networks of Pajek, and what is wrong with files."""

from pathlib import Path

import pytest

from imle_cli.files.graphs.pajek import read_pajek
from imle_cli.files.sources import SourceError
from refusals import refused

HEAD = '*Vertices 3\n1 "a b" 0.1 0.2 0.5 ic Red\n2 c\n'


def read(text):
    return read_pajek(Path("g.net"), text.encode())


def edges(text):
    return [(edge.source, edge.target, edge.directed, dict(edge.data)) for edge in read(text).edges]


def test_vertices():
    assert read(HEAD).nodes == {"1": {"label": "a b", "x": "0.1", "y": "0.2"}, "2": {"label": "c"}, "3": {}}


@pytest.mark.parametrize(
    ("section", "found"),
    [
        (
            "*Edges\n1 2 0.5 c Blue\n% 2 3 4\n\n2 3 4",
            [("1", "2", False, {"weight": "0.5"}), ("2", "3", False, {"weight": "4"})],
        ),
        ('*ARCS :1 "roads"\n1 2\n', [("1", "2", True, {})]),
        ("*Arcs\n1 2 3\n*Edges\n1 3 5", [("1", "2", True, {"weight": "3"}), ("1", "3", False, {"weight": "5"})]),
        ("*Arcslist\n1 2 3", [("1", "2", True, {}), ("1", "3", True, {})]),
        ("*Edgeslist\n3 1", [("3", "1", False, {})]),
        ("*Matrix\n0 2 0\n0 0 1.5\n0 0 0", [("1", "2", True, {"weight": "2"}), ("2", "3", True, {"weight": "1.5"})]),
        ("*Edges\n1 2 4\n2 3 c Blue", [("1", "2", False, {"weight": "4"}), ("2", "3", False, {"weight": 1.0})]),
        ("*Edges\n1 2 4\n*Partition x\n1\n2\n3", [("1", "2", False, {"weight": "4"})]),
    ],
)
def test_sections(section, found):
    assert edges(HEAD + section) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "cannot be read as Pajek (it has no *Vertices)"),
        ("*Vertices many", "cannot be read as Pajek (line 1 has no number of vertices)"),
        ("*Vertices 99999999999", "cannot be read as Pajek (line 1 speaks of 99999999999 vertices)"),
        ("*Vertices 2000000", "cannot be read as Pajek (line 1 speaks of 2000000 vertices)"),
        ("*Vertices " + "9" * 5000, f"cannot be read as Pajek (line 1 speaks of {'9' * 20} vertices)"),
        ("*Vertices 2\n3 a", "cannot be read as Pajek (line 2 has a vertex '3' beyond their number)"),
        ("*Vertices 2\n*Edges\n1", "cannot be read as Pajek (line 3 joins no two vertices)"),
        ("*Vertices 2\n*Matrix\n1", "cannot be read as Pajek (line 3 has 1 of 2 numbers of a row of the matrix)"),
        ("*Vertices 2\n*Vertices 2", "cannot be read as Pajek (line 2 begins another network; a file may have one)"),
        ("*Vertices 2\n*Edges\n1 5", "an edge leads to '5', which is no node; add it, or correct the edge"),
    ],
)
def test_files_that_are_wrong(text, message):
    assert refused("g.net", read, text).startswith(message)


def test_a_value_that_is_no_number_is_kept_for_whoever_refuses_it():
    assert edges(HEAD + "*Edges\n1 2 1,5\n2 3 2\n")[0] == ("1", "2", False, {"weight": "1,5"})


def test_what_is_attached_to_a_network_is_no_network():
    text = HEAD + "*Edges\n1 2 1\n*Partition p.clu\n*Vertices 3\n1\n2\n2\n"
    assert edges(text) == [("1", "2", False, {"weight": "1"})]
    assert len(read(text).nodes) == 3


def test_unknown_sections_are_not_passed_over():
    with pytest.raises(SourceError, match=r"line 4 begins an unknown section '\*Links'"):
        read(HEAD + "*Links\n1 2 1\n")
