"""Graphs in JSON, whatever wrote them, and what is wrong with files."""

import json
from pathlib import Path

import pytest

from imle_cli.files.graphs.json_formats import read_graph_json
from imle_cli.files.sources import SourceError
from refusals import refused

NODES = [{"id": "a", "x": 1}, {"id": "b"}]


def read(found):
    return read_graph_json(Path("g.json"), (found if isinstance(found, str) else json.dumps(found)).encode())


def edges(found):
    return [(edge.source, edge.target, edge.directed, dict(edge.data)) for edge in read(found).edges]


@pytest.mark.parametrize(
    "found",
    [
        {"nodes": NODES, "links": [{"source": "a", "target": "b", "w": 2}]},
        {"nodes": NODES, "edges": [{"from": "a", "to": "b", "w": 2}]},
        {"nodes": NODES, "links": [{"source": 0, "target": 1, "w": 2}]},
        {"nodes": NODES, "links": [{"source": {"id": "a", "x": 9}, "target": {"id": "b"}, "w": 2}]},
        {"nodes": NODES, "edges": [["a", "b", {"w": 2}]]},
        {
            "elements": {
                "nodes": [{"data": node} for node in NODES],
                "edges": [{"data": {"source": "a", "target": "b", "w": 2}}],
            }
        },
        {"elements": [{"data": NODES[0]}, {"data": NODES[1]}, {"data": {"source": "a", "target": "b", "w": 2}}]},
        [{"data": NODES[0]}, {"data": NODES[1]}, {"data": {"source": "a", "target": "b", "w": 2}}],
        {
            "graph": {
                "nodes": {"a": {"metadata": {"x": 1}}, "b": {}},
                "edges": [{"source": "a", "target": "b", "metadata": {"w": 2}}],
            }
        },
        {"graphs": [{"nodes": NODES, "edges": [{"source": "a", "target": "b", "w": 2}]}]},
        {"nodes": NODES, "adjacency": [[{"id": "b", "w": 2}], []]},
    ],
)
def test_every_way_gives_the_same_graph(found):
    assert edges(found) == [("a", "b", None, {"w": 2})]
    assert read(found).nodes == {"a": {"x": 1}, "b": {}}


def test_edges_alone():
    assert edges([["a", "b", 2], ["b", 7]]) == [("a", "b", None, {"weight": 2}), ("b", "7", None, {})]
    assert list(read([{"source": "a", "target": "b"}]).nodes) == ["a", "b"]


def test_numbers_of_nodes_are_their_identifiers_where_these_are_numbers():
    nodes = [{"id": 1}, {"id": 0}]
    assert edges({"nodes": nodes, "links": [{"source": 1, "target": 0}]}) == [("1", "0", None, {})]


@pytest.mark.parametrize(
    ("record", "edge", "directed"),
    [
        ({"directed": True}, {}, True),
        ({"directed": False}, {}, False),
        ({"directed": True}, {"undirected": True, "directed": False}, False),
    ],
)
def test_directions(record, edge, directed):
    found = edges(record | {"nodes": NODES, "edges": [{"source": "a", "target": "b", **edge}]})
    assert found[0][2] is directed


def test_an_axis_that_leads_down():
    found = read({"elements": {"nodes": [{"data": {"id": "a"}, "position": {"x": 3, "y": 4}}], "edges": []}})
    assert found.nodes == {"a": {"x": 3, "y": -4}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ("hello", "Expecting value: line 1 column 1 (char 0)"),
        ("[" * 100_000, "its lists in lists are too deep"),
        ({"a": 1}, "it has no lists of nodes and of edges or links"),
        ("5", "it has no lists of nodes and of edges or links"),
        ({"nodes": NODES, "adjacency": [5]}, "it has no lists of nodes and of edges or links"),
        ({"nodes": [{"x": 1}], "links": []}, "node 1 has no id"),
        ({"nodes": NODES, "links": [{"source": "a"}]}, "edge 1 has no source or no target"),
    ],
)
def test_files_that_are_wrong(found, reason):
    message = f"cannot be read as a graph in JSON ({reason}); save it again, with networkx for instance"
    assert refused("g.json", read, found) == message


def test_an_edge_to_nowhere():
    with pytest.raises(SourceError, match="an edge leads to '9', which is no node"):
        read({"nodes": NODES, "links": [{"source": "a", "target": 9}]})


@pytest.mark.parametrize(("kind", "directed"), [("directed", True), ("undirected", False), ("mixed", True)])
def test_graphology_says_directions_in_its_options(kind, directed):
    ends = {"source": "a", "target": "b"}
    found = {"options": {"type": kind}, "nodes": [{"key": "a"}, {"key": "b"}], "edges": [{**ends, "attributes": {"w": 1}}]}
    assert edges(found)[0][2] is directed
    found["edges"] = [{**ends, "undirected": True}]
    assert edges(found)[0][2] is False


def test_nodes_that_are_tuples_in_networkx():
    found = {"nodes": [{"id": [0, 0]}, {"id": [0, 1]}], "links": [{"source": [0, 0], "target": [0, 1], "w": 2}]}
    assert edges(found) == [("(0, 0)", "(0, 1)", None, {"w": 2})]
