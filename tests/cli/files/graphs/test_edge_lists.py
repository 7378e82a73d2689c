"""Lists of edges in tables, and with attributes in braces."""

import gzip
from pathlib import Path

import pytest

from imle_cli.files.graphs.edge_lists import read_edge_list
from imle_cli.files.sources import SourceError

MATRIX = (
    "g.csv: may be a matrix of {0} x {0} weights, and this needs edges; write an edge a line, below source,target,weight "
    "(networkx.from_numpy_array makes a graph of a matrix)"
)


def read(name, text, weight="weight"):
    Path(name).write_text(text, encoding="utf-8")
    return read_edge_list(Path(name), "a file", weight)


def edges(found):
    return [(edge.source, edge.target, edge.directed, dict(edge.data)) for edge in found.edges]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("g.csv", "a,b,2\nb,c,3.5\n"),
        ("g.csv", "source,target,weight\na,b,2\nb,c,3.5\n"),
        ("g.csv", "From;To;weight\na;b;2,0\nb;c;3,5\n"),
        ("g.csv", ",source,target,weight\n0,a,b,2\n1,b,c,3.5\n"),
        ("g.tsv", "source\ttarget\tweight\na\tb\t2\nb\tc\t3.5\n"),
        ("g.txt", "# a comment\na b 2\nb c 3.5\n"),
        ("g.edges", "% sym weighted\na\tb\t2\nb\tc\t3.5\n"),
        ("g.edgelist", "a b {'weight': 2}\n\n# a comment\nb c {'weight': 3.5}\n"),
    ],
)
def test_every_way_gives_the_same_edges(name, text):
    found = read(name, text)
    assert [(edge.source, edge.target, edge.directed) for edge in found.edges] == [("a", "b", None), ("b", "c", None)]
    assert [float(edge.data["weight"]) for edge in found.edges if edge.data.keys() & {"weight"}] == [2, 3.5]
    assert list(found.nodes) == ["a", "b", "c"]


def test_a_packed_list():
    Path("g.txt.gz").write_bytes(gzip.compress(b"a b 2\n"))
    assert edges(read_edge_list(Path("g.txt.gz"), "a file", "weight")) == [("a", "b", None, {"weight": "2"})]


def test_no_weights():
    assert edges(read("g.csv", "a,b\nb,c\n", "none")) == [("a", "b", None, {}), ("b", "c", None, {})]
    assert edges(read("g.csv", "source,target\na,b\n", "none")) == [("a", "b", None, {})]
    assert edges(read("g.txt", "1 2 7 1267110000\n2 3 8 1267110001\n", "none"))[0] == ("1", "2", None, {})


def test_node_names_are_kept_as_they_are_written():
    found = read("g.csv", "source;target;weight\n1,1;1,10;1,5\n1,10;2,1;2,5\n")
    assert edges(found) == [("1,1", "1,10", None, {"weight": "1.5"}), ("1,10", "2,1", None, {"weight": "2.5"})]


@pytest.mark.parametrize("text", ["1,2.0,3\n2,3.0,4\n", "source,target,weight\n1.0,2,3\n2.0,3,4\n"])
def test_whole_numbers_with_a_fraction_of_zero_are_the_same_nodes(text):
    assert list(read("g.csv", text).nodes) == ["1", "2", "3"]


def test_other_numbers_stay_what_they_are():
    assert list(read("g.csv", "1.0,1.5,3\n1.5,2.0,4\n").nodes) == ["1.0", "1.5", "2.0"]


def test_nodes_that_are_called_like_columns_are_no_header():
    assert edges(read("g.csv", "u,v\nv,w\n", "none")) == [("u", "v", None, {}), ("v", "w", None, {})]
    assert edges(read("g.csv", "start,a,5\na,end,3\n"))[0] == ("start", "a", None, {"weight": "5"})


def test_third_columns_that_look_like_times_are_told():
    assert read("g.txt", "1 2 1082040961\n2 3 1082155839\n").notes == [
        "its third column, taken as weights, looks like times (--weight none counts each edge as 1)"
    ]
    assert read("g.txt", "1 2 1082040961\n2 3 15\n").notes == []


def test_a_column_of_one_way_streets_is_told():
    found = read("g.csv", "u,v,key,length,oneway\n1,2,0,3.5,False\n2,3,0,1.5,True\n")
    assert found.notes == ["it has a column oneway, which is not used: --directed has every edge lead one way"]


def test_a_column_of_kinds():
    found = read("g.csv", "Source,Target,Type,Id,Label,Weight\na,b,Directed,0,,1\nb,c,Undirected,1,,2\nc,d,,2,,3\n")
    assert [edge.directed for edge in found.edges] == [True, False, None]


@pytest.mark.parametrize(
    ("comment", "directed"),
    [("# Directed graph: roads", True), ("% asym unweighted", True), ("# Undirected graph", None), ("# all directed", None)],
)
def test_a_comment_that_says_directed(comment, directed):
    for text in ("a b 1\n", "a b {'weight': 1}\n"):
        found = read("g.txt", f"{comment}\n{text}")
        assert found.edges[0].directed is directed
        assert len(found.notes) == bool(directed)


@pytest.mark.parametrize("line", ["b c {'weight': }", "b c", "b c {1, 2}", "b c {'x': open('f')}", "b c " + "{" * 500])
def test_braces_that_hold_no_attributes(line):
    with pytest.raises(
        SourceError, match=r"^g\.edgelist: line 2 is ['\"]b c.*['\"]; it must be two nodes and attributes in braces"
    ):
        read("g.edgelist", f"a b {{'weight': 1}}\n{line}\n")


@pytest.mark.parametrize(
    ("text", "weight", "message"),
    [
        (
            "a\nb\n",
            "weight",
            "g.csv: has 1 column and no header; an edge needs two nodes and a weight: write source,target,weight above",
        ),
        (
            "a,b,1,2\n",
            "weight",
            "g.csv: has 4 columns and no header; an edge needs two nodes and a weight: write source,target,weight above",
        ),
        ("a,b,1\n", "length", "g.csv: has no header with 'length'; write source,target,length above its lines"),
        (
            "p,q,r,weight\na,b,c,1\n",
            "weight",
            "g.csv: has columns 'p', 'q', 'r', 'weight'; an edge needs two nodes and a weight: "
            "call those of the nodes source and target",
        ),
        (",a,b\na,0,1\nb,2,0\n", "weight", MATRIX.format(2)),
        ("0 1 2\n1 0 3\n2 3 0\n", "weight", MATRIX.format(3)),
        ("a,,1\nb,c,2\n", "weight", "g.csv: line 1 lacks a node; an edge joins two; write it, or leave the line out"),
    ],
)
def test_tables_that_hold_no_edges(text, weight, message):
    with pytest.raises(SourceError) as error:
        read("g.csv", text, weight)
    assert str(error.value) == message
