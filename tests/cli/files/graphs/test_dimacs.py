"""Graphs of the DIMACS challenges, and what is wrong with files."""

from pathlib import Path

import networkx
import pytest

from imle_cli.files.graphs.dimacs import read_dimacs
from imle_cli.files.graphs.reading import read_graph
from imle_cli.files.sources import SourceError
from refusals import refused

ROADS = "c 9th challenge\np sp 4 5\nc\na 1 2 4\na 2 1 4\na 2 3 5\na 1 3 20\na 3 4 1\n"


def read(text):
    return read_dimacs(Path("g.gr"), text.encode())


def test_arcs_are_directed_and_have_weights():
    found = read(ROADS.replace("\n", "\r\n"))
    assert list(found.nodes) == ["1", "2", "3", "4"]
    assert [(edge.source, edge.target, edge.directed, edge.data["weight"]) for edge in found.edges][:2] == [
        ("1", "2", True, "4"),
        ("2", "1", True, "4"),
    ]


def test_the_graph_has_the_distances_of_networkx():
    Path("g.gr").write_text(ROADS)
    file = read_graph(Path("g.gr"))
    assert networkx.shortest_path_length(file.graph, "1", "4", weight="weight") == 10
    assert not networkx.has_path(file.graph, "4", "1")


def test_edges_of_a_colouring_have_no_weights_and_count_once():
    Path("g.col").write_text("p edge 3 3\ne 1 2\ne 2 1\ne 2 3\n")
    file = read_graph(Path("g.col"), "none")
    assert list(file.graph.edges()) == [("1", "2"), ("2", "3")]
    with pytest.raises(SourceError, match=r"^g\.col: edges have no 'weight'; write one, or give --weight none"):
        read_graph(Path("g.col"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a 1 2 3\n", "it has no line p sp NODES ARCS"),
        (ROADS + ROADS, "line 10 is 'p sp 4 5', neither p sp 3 2 (once) nor a 1 2 0.5 nor e 1 2"),
        ("p max 3 3\nn 1 s\n", "line 2 is 'n 1 s', neither p sp 3 2 (once) nor a 1 2 0.5 nor e 1 2"),
        ("p sp 99999999 3\n", "line 1 is 'p sp 99999999 3', neither p sp 3 2 (once) nor a 1 2 0.5 nor e 1 2"),
        ("p sp x 3\n", "line 1 is 'p sp x 3', neither p sp 3 2 (once) nor a 1 2 0.5 nor e 1 2"),
    ],
)
def test_files_that_are_wrong(text, reason):
    message = f"cannot be read as DIMACS ({reason}); save it again, with networkx for instance"
    assert refused("g.gr", read, text) == message


def test_a_node_beyond_their_number():
    with pytest.raises(SourceError, match=r"^g\.gr: an edge leads to '9', which is no node; add it, or correct the edge$"):
        read(ROADS + "a 1 9 2\n")
