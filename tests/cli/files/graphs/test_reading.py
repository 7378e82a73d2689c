"""Graphs from files: the same graph from every format, weights, coordinates, and what may be wrong."""

from pathlib import Path

import networkx
import numpy as np
import pytest

from imle_cli.files.graphs.layout import layout
from imle_cli.files.graphs.reading import read_graph
from imle_cli.files.sources import SourceError

RULE = "it must be a number below 1e100, or inf; correct it"


def write(name, text):
    Path(name).write_text(text, encoding="utf-8")
    return Path(name)


def edges(file):
    return {(u, v): weight for (u, v), weight in zip(file.graph.edges(), file.weights, strict=True)}


def triangle(kind=networkx.Graph, **attributes):
    graph = kind()
    for number, name in enumerate("abc"):
        graph.add_node(name, **{key: value[number] for key, value in attributes.items()})
    graph.add_edge("a", "b", weight=1.5, length=3)
    graph.add_edge("b", "c", weight=2.0, length=4)
    graph.add_edge("a", "c", weight=-1.0, length=5)
    return graph


class TestFormats:
    @pytest.mark.parametrize("kind", [networkx.Graph, networkx.DiGraph])
    def test_every_format_gives_the_same_graph(self, kind):
        networkx.write_graphml(triangle(kind), "g.graphml")
        networkx.write_gml(triangle(kind), "g.gml")
        write("g.csv", "target,weight,source\nb,1.5,a\nc,2,b\nc,-1,a\n")
        write("h.csv", "a,b,1.5\nb,c,2\na,c,-1\n")
        directed = kind is networkx.DiGraph
        for name in ("g.graphml", "g.gml", "g.csv", "h.csv"):
            file = read_graph(Path(name), directed=directed if name.endswith("csv") else None)
            assert file.graph.is_directed() == directed
            assert list(file.graph) == ["a", "b", "c"]
            assert edges(file) == {("a", "b"): 1.5, ("b", "c"): 2.0, ("a", "c"): -1.0}

    def test_another_weight(self):
        networkx.write_graphml(triangle(), "g.graphml")
        write("g.csv", "from,to,weight,length\na,b,1,3\n")
        assert sorted(read_graph(Path("g.graphml"), "length").weights) == [3, 4, 5]
        assert read_graph(Path("g.csv"), "length").weights.tolist() == [3]

    def test_names_in_every_letter_case_and_script(self):
        networkx.write_graphml(networkx.relabel_nodes(triangle(), {"a": "Zürich", "b": "東京"}), "g.GraphML")
        assert set(read_graph(Path("g.GraphML")).graph) == {"Zürich", "東京", "c"}

    def test_nodes_are_called_by_their_labels_where_these_differ(self):
        networkx.write_graphml(triangle(label=["x", "y", "z"]), "g.graphml")
        networkx.write_graphml(triangle(label=["x", "x", "z"]), "h.graphml")
        assert list(read_graph(Path("g.graphml")).graph) == ["x", "y", "z"]
        assert list(read_graph(Path("h.graphml")).graph) == ["a", "b", "c"]

    @pytest.mark.parametrize("header", ["Id,Source,Target,Weight", "id,from,to,weight", "id,u,v,WEIGHT"])
    def test_columns_of_other_tools(self, header):
        assert edges(read_graph(write("g.csv", f"{header}\n1,a,b,3\n2,b,c,4\n"))) == {("a", "b"): 3.0, ("b", "c"): 4.0}

    def test_gml_in_utf_8_and_with_equal_labels(self):
        text = 'graph [ node [ id 1 label "Zürich" ] node [ id 2 label "X" ] edge [ source 1 target 2 weight 2 ] ]'
        assert edges(read_graph(write("g.gml", text))) == {("Zürich", "X"): 2.0}
        assert edges(read_graph(write("g.gml", text.replace("Zürich", "X")))) == {("1", "2"): 2.0}

    def test_nodes_in_one_place_have_no_positions(self):
        networkx.write_graphml(triangle(x=[1.0] * 3, y=[2.0] * 3), "g.graphml")
        assert read_graph(Path("g.graphml")).positions is None

    def test_gml_without_labels(self):
        text = "graph [ node [ id 7 ] node [ id 9 ] edge [ source 7 target 9 weight 2 ] ]"
        assert edges(read_graph(write("g.gml", text))) == {("7", "9"): 2.0}

    def test_isolated_nodes_and_parallel_edges_are_kept(self):
        file = read_graph(write("g.csv", "a,b,1\nb,a,2\na,b,1\n"))
        assert file.weights.tolist() == [1, 2, 1]
        graph = triangle()
        graph.add_node("d")
        networkx.write_gml(graph, "g.gml")
        assert list(read_graph(Path("g.gml")).graph) == ["a", "b", "c", "d"]

    def test_a_weight_as_text(self):
        networkx.write_graphml(networkx.Graph([("a", "b", {"weight": "2.5"})]), "g.graphml")
        assert read_graph(Path("g.graphml")).weights.tolist() == [2.5]


class TestPositions:
    @pytest.mark.parametrize(
        "attributes",
        [
            {"x": [1.0, 2.0, 3.5], "y": [0.0, -1.0, 4.0]},
            {"pos": ["1,0", "(2, -1)", "[3.5, 4]"]},
        ],
    )
    def test_coordinates(self, attributes):
        networkx.write_graphml(triangle(**attributes), "g.graphml")
        file = read_graph(Path("g.graphml"))
        assert file.positions.tolist() == [[1, 0], [2, -1], [3.5, 4]]
        assert layout(file.graph, file.positions) is file.positions

    @pytest.mark.parametrize(
        "attributes", [("pos", [[1, 0], [2, -1], [3, 4]]), ("graphics", [{"x": x, "y": 0} for x in (1, 2, 3)])]
    )
    def test_coordinates_in_gml(self, attributes):
        name, values = attributes
        networkx.write_gml(triangle(**{name: values}), "g.gml")
        assert read_graph(Path("g.gml")).positions[0].tolist() == [1, 0]

    def test_longitudes_are_as_long_as_their_latitude_has_them(self):
        networkx.write_graphml(triangle(lon=[8.0, 9.0, 10.0], lat=[60.0, 60.0, 60.0]), "g.graphml")
        places = read_graph(Path("g.graphml")).positions
        np.testing.assert_allclose(np.diff(places[:, 0]), 0.5)

    @pytest.mark.parametrize("wrong", ["north", float("nan"), float("inf"), 1e300])
    def test_coordinates_of_which_one_is_no_number_are_not_used(self, wrong):
        networkx.write_graphml(triangle(x=["1", "2", str(wrong)], y=["1", "2", "3"]), "g.graphml")
        assert read_graph(Path("g.graphml")).positions is None

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "graph",
        [
            networkx.path_graph(2),
            networkx.path_graph(30),
            networkx.grid_2d_graph(18, 18),
            networkx.disjoint_union(networkx.path_graph(5), networkx.path_graph(4)),
        ],
    )
    def test_a_layout_keeps_neighbours_closer_than_others(self, graph):
        places = layout(graph, None)
        assert np.isfinite(places).all()
        assert np.array_equal(places, layout(graph, None))
        number = {node: place for place, node in enumerate(graph)}
        apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
        near = np.mean([apart[number[u], number[v]] for u, v in graph.edges()])
        assert len(graph) == 2 or near < 0.6 * apart[np.triu_indices(len(graph), 1)].mean()


def refusal(path, *arguments):
    with pytest.raises(SourceError) as error:
        read_graph(path, *arguments)
    return str(error.value)


class TestErrors:
    def test_a_missing_weight(self):
        networkx.write_graphml(networkx.Graph([("a", "b", {"lanes": 1, "name": "x"})]), "g.graphml")
        equal = "--weight none to count each edge as 1"
        message = f"g.graphml: edges have no 'weight'; numbers are in 'lanes': name one with --weight, or give {equal}"
        assert refusal(Path("g.graphml")) == message
        networkx.write_graphml(networkx.Graph([("a", "b")]), "g.graphml")
        assert refusal(Path("g.graphml")) == f"g.graphml: edges have no 'weight'; write one, or give {equal}"
        path = write("g.csv", "source,target,lanes,id\na,b,1,7\n")
        assert refusal(path) == message.replace("graphml", "csv")

    def test_a_weight_that_is_no_number(self):
        networkx.write_graphml(networkx.Graph([("a", "b", {"weight": "heavy"})]), "g.graphml")
        message = "g.graphml: the edge between 'a' and 'b' has weight 'heavy'; " + RULE
        assert refusal(Path("g.graphml")) == message
        path = write("g.csv", "source,target,weight\na,b,1\nb,c,heavy\n")
        assert refusal(path) == "g.csv: the edge between 'b' and 'c' in line 3 has weight 'heavy'; " + RULE

    def test_tables_that_hold_no_edges(self):
        message = (
            "g.csv: has 4 columns and no header; an edge needs two nodes and a weight: write source,target,weight above"
        )
        assert refusal(write("g.csv", "a,b,1,2\nb,c,3,4\n")) == message
        message = "g.csv: has no header with 'length'; write source,target,length above its lines"
        assert refusal(write("g.csv", "a,b,1\n"), "length") == message
        rule = "an edge needs two nodes and a weight: call those of the nodes source and target"
        assert refusal(write("g.csv", "source,weight\na,1\n")) == f"g.csv: has columns 'source', 'weight'; {rule}"
        message = f"g.csv: has columns 'id', 'a', 'b', 'weight'; {rule}"
        assert refusal(write("g.csv", "id,a,b,weight\n1,x,y,2\n")) == message

    def test_no_edges(self):
        networkx.write_gml(networkx.empty_graph(3), "g.gml")
        assert refusal(Path("g.gml")) == "g.gml: has no edges; a solver on edges needs at least one"

    @pytest.mark.parametrize(
        ("name", "content"), [("g.graphml", "<graphml>"), ("g.graphml", "hello"), ("g.gml", "hello"), ("g.gml", "graph [")]
    )
    def test_broken_files(self, name, content):
        kind = {"g.graphml": "GraphML", "g.gml": "GML"}[name]
        message = refusal(write(name, content))
        assert message.startswith(f"{name}: cannot be read as {kind} (")
        assert message.endswith("); save it again, with networkx for instance")

    def test_no_file(self):
        assert refusal(Path("none.gml")) == "none.gml: no such file; check the path"

    def test_nodes_of_one_name(self):
        text = "graph [ node [ id 1 ] node [ id 1 ] edge [ source 1 target 2 weight 2 ] ]"
        message = refusal(write("g.gml", text))
        assert message == "g.gml: has two nodes '1'; give each an identifier of its own"

    def test_an_edge_to_nowhere(self):
        message = refusal(write("g.gml", "graph [ node [ id 1 ] edge [ source 1 target 2 weight 2 ] ]"))
        assert message == "g.gml: an edge leads to '2', which is no node; add it, or correct the edge"
