"""``imle solve``, ``sample`` and ``marginals`` on a graph."""

import csv
import json
from pathlib import Path

import networkx
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from command_line import Command
from imle_cli.app import app
from imle_core import GumbelNoiseDistribution, SumOfGammaNoiseDistribution, marginals
from imle_core.solvers import Matching, ShortestPath, SpanningTree

SOLVERS = ("path", "min-cut", "spanning-tree", "spanning-forest", "matching", "perfect-matching")


run = Command()
values = run.values


@pytest.fixture
def city():
    """A grid of 3 x 4 crossings with lengths and coordinates, as city.graphml."""
    grid, generator = networkx.grid_2d_graph(3, 4), np.random.default_rng(0)
    graph = networkx.Graph()
    for row, column in grid:
        graph.add_node(f"{row}{column}", x=float(column), y=float(row))
    for (a, b), (c, d) in grid.edges():
        graph.add_edge(f"{a}{b}", f"{c}{d}", length=float(generator.integers(1, 9)))
    networkx.write_graphml(graph, "city.graphml")
    return graph


def arguments_of(solver):
    return ["--solver", solver, "--weight", "length"] + (
        ["--start", "00", "--goal", "23"] if solver in ("path", "min-cut") else []
    )


class TestSolve:
    @pytest.mark.slow
    def test_a_path_is_the_shortest_in_order(self, city):
        found = values("solve", "city.graphml", *arguments_of("path"))
        assert found["total"] == networkx.shortest_path_length(city, "00", "23", "length")
        nodes = [found["chosen"][0][0], *(v for _, v in found["chosen"])]
        assert (nodes[0], nodes[-1], found["size"]) == ("00", "23", len(nodes) - 1)
        assert networkx.path_weight(city, nodes, "length") == found["total"]
        assert " ".join(found) == "graph nodes edges directed solver sense total size chosen clamped_share seconds files"
        assert run("solve", "city.graphml", *arguments_of("path")).splitlines()[:2] == [
            "graph   city.graphml, 12 nodes, 17 edges",
            "solver  path, min total weight",
        ]
        assert f"edges   {len(nodes) - 1}: {' '.join(nodes)}\n" in run("solve", "city.graphml", *arguments_of("path"))

    @pytest.mark.slow
    def test_dijkstra_of_a_graph_is_a_path(self, city):
        found = values("solve", "city.graphml", "--weight", "length", "--start", "00", "--goal", "23")
        assert (found["solver"], found["total"]) == ("path", networkx.shortest_path_length(city, "00", "23", "length"))

    @pytest.mark.slow
    def test_a_cut_is_as_large_as_the_flow(self, city):
        found = values("solve", "city.graphml", *arguments_of("min-cut"))
        assert found["total"] == networkx.maximum_flow_value(city, "00", "23", "length")
        city.remove_edges_from(found["chosen"])
        assert not networkx.has_path(city, "00", "23")

    @pytest.mark.slow
    @pytest.mark.parametrize("sense", ["min", "max"])
    def test_a_spanning_tree_of_either_sense(self, city, sense):
        tree = {"min": networkx.minimum_spanning_tree, "max": networkx.maximum_spanning_tree}[sense](city, "length")
        found = values("solve", "city.graphml", *arguments_of("spanning-tree"), "--sense", sense)
        assert (found["total"], found["sense"], found["size"]) == (tree.size("length"), sense, 11)
        assert values("solve", "city.graphml", *arguments_of("spanning-tree"))["sense"] == "max"

    @pytest.mark.slow
    def test_a_matching(self, city):
        best = networkx.max_weight_matching(city, weight="length")
        found = values("solve", "city.graphml", *arguments_of("matching"))
        assert found["total"] == sum(city.edges[edge]["length"] for edge in best)
        cheap = networkx.min_weight_matching(city, weight="length")
        found = values("solve", "city.graphml", *arguments_of("perfect-matching"), "--sense", "min")
        assert (found["total"], found["size"]) == (sum(city.edges[edge]["length"] for edge in cheap), 6)

    @pytest.mark.slow
    def test_negative_weights_of_a_directed_graph_without_cycles(self):
        Path("d.csv").write_text("a,b,-5\nb,c,-1\na,c,2\nc,d,1\n")
        path = ["solve", "d.csv", "--solver", "path", "--directed", "--start", "a", "--goal", "d"]
        assert (values(*path)["total"], values(*path, "--sense", "max")["total"]) == (-5, 3)

    @pytest.mark.slow
    def test_weights_of_no_cost_stay_so(self):
        Path("d.csv").write_text("a,b,0\nb,c,0\na,c,1e-9\n")
        found = values("solve", "d.csv", "--solver", "path", "--start", "a", "--goal", "c")
        assert (found["total"], found["clamped_share"]) == (0, 0)
        found = values("solve", "d.csv", "--solver", "path", "--start", "a", "--goal", "c", "--floor", "1")
        assert (found["chosen"], found["clamped_share"]) == ([["a", "c"]], 1)

    @pytest.mark.slow
    def test_an_infinite_total_is_no_number(self):
        Path("d.csv").write_text("a,b,inf\nb,c,2\n")
        found = values("solve", "d.csv", "--solver", "spanning-tree")
        assert (found["total"], found["size"], found["edges"]) == (None, 2, 2)
        assert "total   inf\n" in run("solve", "d.csv", "--solver", "spanning-tree")
        assert values("marginals", "d.csv", "--solver", "spanning-tree", "--samples", "3")["expected_total"] is None
        assert values("sample", "d.csv", "--solver", "spanning-tree", "--samples", "2")["totals"] == [None, None]

    def test_names_do_nothing_to_a_terminal(self):
        Path("d.csv").write_text("a\x1b[31m,b\x07,1\nb\x07,c,2\n")
        assert "edges   2: a\\x1b[31m-b\\x07 b\\x07-c\n" in run("solve", "d.csv", "--solver", "spanning-tree")

    def test_an_edge_of_infinite_cost_is_never_taken(self):
        Path("d.csv").write_text("a,b,inf\nb,c,1\na,c,9\n")
        found = values("solve", "d.csv", "--solver", "path", "--start", "a", "--goal", "b")
        assert (found["total"], found["chosen"]) == (10, [["a", "c"], ["c", "b"]])

    @pytest.mark.slow
    @pytest.mark.parametrize("solver", ["matching", "spanning-tree"])
    def test_parallel_edges_are_edges_of_their_own(self, solver):
        Path("d.csv").write_text("a,b,1\nb,a,2\na,b,1\n")
        found = values("solve", "d.csv", "--solver", solver, "--save", "s.csv")
        assert (found["edges"], found["size"], found["total"]) == (3, 1, 2)
        assert [line.rpartition(",")[2] for line in Path("s.csv").read_text().splitlines()] == ["chosen", "0", "1", "0"]

    @pytest.mark.slow
    def test_parallel_edges_of_paths_and_cuts(self):
        Path("d.csv").write_text("a,b,1\nb,a,2\nb,c,4\n")
        ends = ["--start", "a", "--goal", "c"]
        assert values("solve", "d.csv", "--solver", "path", *ends)["total"] == 5
        found = values("solve", "d.csv", "--solver", "min-cut", *ends)
        assert (found["total"], found["size"]) == (3, 2)


class TestMarginals:
    @pytest.mark.slow
    def test_numbers_are_the_library_s(self, city):
        options = ["--noise", "gumbel", "--input-temp", "2", "--samples", "300", "--seed", "4", "--save", "p.npy"]
        found = values("marginals", "city.graphml", *arguments_of("spanning-tree"), *options)
        lengths = torch.tensor([length for *_, length in city.edges(data="length")], dtype=torch.float64)
        exact = marginals(
            SpanningTree(city), lengths[None], GumbelNoiseDistribution(), nb_samples=300, temperature=2.0, seed=4
        )
        np.testing.assert_array_equal(np.load("p.npy"), exact.mean[0])
        assert found["expected_size"] == pytest.approx(11)
        assert found["expected_total"] == pytest.approx(float(exact.mean[0] @ lengths))
        assert found["max_standard_error"] == exact.standard_error.max()

    @pytest.mark.slow
    def test_two_ways_of_equal_cost_are_equally_likely(self):
        Path("d.csv").write_text("a,b,5\nb,d,5\na,c,5\nc,d,5\n")
        path = ["--solver", "path", "--start", "a", "--goal", "d", "--samples", "4000", "--save", "p.csv"]
        run("marginals", "d.csv", *path)
        with Path("p.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == ["source", "target", "weight", "marginal", "standard_error"]
        for row in rows:
            assert abs(float(row["marginal"]) - 0.5) < 4 * float(row["standard_error"])
            assert float(row["standard_error"]) == pytest.approx(0.5 / 4000**0.5, rel=0.02)

    @pytest.mark.slow
    @pytest.mark.usefixtures("city")
    def test_noise_sums_to_gumbel_over_a_solution_unless_k_is_given(self):
        size = values("solve", "city.graphml", *arguments_of("path"))["size"]
        shown = run("marginals", "city.graphml", *arguments_of("path"), "--samples", "3")
        assert f"Sum-of-Gamma noise, k {size}, temperature" in shown
        shown = run("marginals", "city.graphml", *arguments_of("path"), "--samples", "3", "--noise-k", "2")
        assert "Sum-of-Gamma noise, k 2, " in shown

    @pytest.mark.slow
    def test_costs_that_noise_makes_negative_are_clamped_and_counted(self, city):
        path = [*arguments_of("path"), "--input-temp", "20", "--samples", "200"]
        share = values("marginals", "city.graphml", *path)["clamped_share"]
        solver, size = (
            ShortestPath(city, "00", "23", floor=0),
            values("solve", "city.graphml", *arguments_of("path"))["size"],
        )
        theta = -torch.tensor([[length for *_, length in city.edges(data="length")]], dtype=torch.float64)
        marginals(solver, theta, SumOfGammaNoiseDistribution(size, 100), nb_samples=200, temperature=20.0)
        assert 0.05 < share == solver.clamped / solver.seen
        assert "clamped weights" in run("marginals", "city.graphml", *path)
        assert "clamped" not in run("marginals", "city.graphml", *arguments_of("matching"), "--samples", "3")

    @pytest.mark.slow
    @pytest.mark.usefixtures("city")
    @pytest.mark.parametrize("solver", SOLVERS)
    def test_every_solver_draws(self, solver):
        for command in ("solve", "sample", "marginals"):
            found = values(
                command, "city.graphml", *arguments_of(solver), *(["--samples", "5"] if command != "solve" else [])
            )
            assert found["files"] == [f"city-{command}.png"]
            assert Path(f"city-{command}.png").read_bytes().startswith(b"\x89PNG")


class TestSample:
    @pytest.mark.slow
    def test_every_sample_is_a_matching(self, city):
        found = values(
            "sample", "city.graphml", *arguments_of("matching"), "--samples", "40", "--input-temp", "5", "--save", "s.npy"
        )
        masks = np.load("s.npy")
        assert masks.shape == (40, 17)
        for mask, size, total in zip(masks, found["sizes"], found["totals"], strict=True):
            chosen = [edge for edge, one in zip(city.edges(), mask, strict=True) if one]
            assert networkx.is_matching(city, chosen)
            assert (len(chosen), sum(city.edges[edge]["length"] for edge in chosen)) == (size, total)
        assert found["distinct"] == len({mask.tobytes() for mask in masks}) > 1

    @pytest.mark.slow
    def test_a_table_of_samples(self, city):
        run("sample", "city.graphml", *arguments_of("matching"), "--samples", "3", "--save", "s.csv")
        lines = Path("s.csv").read_text().splitlines()
        assert lines[0] == "source,target,weight,sample_1,sample_2,sample_3"
        masks = np.array([line.split(",")[3:] for line in lines[1:]], dtype=int)
        solver, lengths = Matching(city), [length for *_, length in city.edges(data="length")]
        assert masks.shape == (len(solver.edges), 3)
        assert [float(line.split(",")[2]) for line in lines[1:]] == lengths


def refusal(code, *arguments):
    found, message = run.refusal(*arguments)
    assert (found, list(Path().glob("*.png"))) == (code, [])
    return message.removeprefix("error: ")


def noted(*arguments):
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert result.exit_code == 0
    return json.loads(result.stdout), result.stderr.splitlines()


class TestNotes:
    def test_self_loops_are_left_out_and_counted(self):
        Path("d.csv").write_text("a,b,1\na,a,2\nb,b,7\n")
        found, notes = noted("solve", "d.csv", "--solver", "matching")
        assert (found["edges"], found["total"], notes) == (1, 1, ["note: d.csv: 2 self-loops are left out"])

    @pytest.mark.slow
    def test_the_attribute_that_is_taken_is_named(self, city):
        found, notes = noted("solve", "city.graphml", "--start", "00", "--goal", "23")
        assert found["total"] == networkx.shortest_path_length(city, "00", "23", "length")
        assert notes == ["note: city.graphml: no edge has a weight; 'length' is taken for it (--weight names another)"]

    @pytest.mark.usefixtures("city")
    def test_a_node_may_be_called_by_its_identifier(self):
        Path("d.gml").write_text('graph [ node [ id 7 label "a" ] node [ id 8 label "b" ] edge [ source 7 target 8 ] ]')
        found = values("solve", "d.gml", "--weight", "none", "--start", "7", "--goal", "b")
        assert (found["chosen"], found["total"]) == ([["a", "b"]], 1)

    @pytest.mark.slow
    def test_a_graph_of_both_kinds_of_edges_becomes_directed(self):
        Path("d.csv").write_text("source,target,type,weight\na,b,Directed,1\nb,c,Undirected,2\n")
        found, notes = noted("solve", "d.csv", "--solver", "path", "--start", "c", "--goal", "b")
        assert (found["chosen"], found["directed"], found["edges"]) == ([["c", "b"]], True, 3)
        assert notes == ["note: d.csv: 1 edge without direction leads both ways, beside directed ones"]
        message = "d.csv: --goal: got 'a'; no path leads to it from 'b'; add edges, or choose another node"
        result = CliRunner().invoke(app, ["solve", "d.csv", "--solver", "path", "--start", "b", "--goal", "a"])
        assert result.stderr.splitlines()[-1] == f"error: {message}"
        found, notes = noted("solve", "d.csv", "--solver", "spanning-tree", "--undirected")
        assert (found["total"], found["edges"], notes) == (3, 2, [])

    @pytest.mark.slow
    def test_a_list_that_does_not_say_may_be_directed(self):
        Path("d.edges").write_text("a b 1\nb a 5\n")
        path = ["solve", "d.edges", "--start", "b", "--goal", "a"]
        assert (values(*path)["total"], values(*path, "--directed")["total"]) == (1, 5)
        Path("d.json").write_text(
            '{"directed": false, "nodes": [{"id": 0}, {"id": 1}], "edges": [{"source": 0, "target": 1}]}'
        )
        arguments = ["solve", "d.json", "--weight", "none", "--start", "0", "--goal", "1", "--directed"]
        result = CliRunner().invoke(app, arguments)
        assert (result.exit_code, result.stderr) == (
            1,
            "error: d.json: says itself that no edge is directed; leave --directed out\n",
        )

    @pytest.mark.slow
    def test_a_way_back_at_the_same_weight_is_the_same_edge(self):
        Path("d.csv").write_text("a,b,1\nb,a,1\nb,c,2\nc,b,3\n")
        found, notes = noted("solve", "d.csv", "--solver", "min-cut", "--start", "a", "--goal", "b")
        assert (found["edges"], found["total"]) == (3, 1)
        assert notes == ["note: d.csv: 1 edge listed in both directions counts once"]
        assert noted("solve", "d.csv", "--solver", "path", "--directed", "--start", "a", "--goal", "b")[0]["edges"] == 4


class TestErrors:
    def test_a_disconnected_graph(self):
        Path("d.csv").write_text("a,b,1\nc,d,2\n")
        message = (
            "d.csv: graph: got no path between 'a' and 'c'; a spanning tree needs a connected graph; add edges, or use "
        )
        assert refusal(1, "solve", "d.csv", "--solver", "spanning-tree") == message + "--solver spanning-forest"
        message = "d.csv: --goal: got 'd'; no path leads to it from 'a'; add edges, or choose another node"
        assert refusal(1, "solve", "d.csv", "--solver", "path", "--start", "a", "--goal", "d") == message
        message = "d.csv: --goal: got 'd'; no path leads to it from 'a'; add edges, or choose another node"
        assert refusal(1, "solve", "d.csv", "--solver", "min-cut", "--start", "a", "--goal", "d") == message
        Path("e.csv").write_text("a,b,1\nb,c,2\n")
        message = (
            "e.csv: graph: got no perfect matching of its 3 nodes; --solver perfect-matching needs one; add edges, or use "
            "--solver matching"
        )
        assert refusal(1, "solve", "e.csv", "--solver", "perfect-matching") == message

    def test_nodes_are_named_as_they_are(self):
        Path("d.csv").write_text("forest=True,goal: b,1\nc,d,2\n")
        message = (
            "d.csv: graph: got no path between 'forest=True' and 'c'; a spanning tree needs a connected graph; add edges, "
            "or use --solver spanning-forest"
        )
        assert refusal(1, "solve", "d.csv", "--solver", "spanning-tree") == message

    @pytest.mark.slow
    def test_a_best_matching_without_edges_is_told(self):
        Path("e.csv").write_text("a,b,1\nb,c,2\n")
        text = (
            "note: e.csv: no weight is below 0, so that the matching of min total weight is empty; --solver "
            "perfect-matching joins all nodes, --sense max chooses edges"
        )
        for command in ("solve", "sample", "marginals"):
            assert noted(command, "e.csv", "--solver", "matching", "--sense", "min")[1] == [text]
        assert noted("solve", "e.csv", "--solver", "matching")[1] == []
        Path("f.csv").write_text("a,b,-1\nb,c,2\n")
        assert noted("solve", "f.csv", "--solver", "matching", "--sense", "min")[1] == []

    def test_a_best_forest_without_edges_is_told(self):
        Path("e.csv").write_text("a,b,inf\nb,c,inf\n")
        text = "note: e.csv: no edge has a finite weight, so that the forest is empty; --weight none counts each edge as 1"
        assert noted("solve", "e.csv", "--solver", "spanning-forest", "--sense", "min")[1] == [text]

    @pytest.mark.slow
    @pytest.mark.usefixtures("city")
    @pytest.mark.parametrize("solver", ["path", "min-cut"])
    def test_an_unknown_node(self, solver):
        message = "--start: got 'z'; it is no node of the graph; the nodes are '00', '01', '02', '03', '10', '11', ..."
        assert (
            refusal(2, "solve", "city.graphml", "--solver", solver, "--weight", "length", "--start", "z", "--goal", "00")
            == message
        )

    @pytest.mark.usefixtures("city")
    @pytest.mark.parametrize("command", ["solve", "sample", "marginals"])
    def test_a_missing_weight(self, command):
        Path("city.graphml").write_text(Path("city.graphml").read_text().replace('"length"', '"lanes"'))
        message = (
            "city.graphml: edges have no 'weight'; numbers are in 'lanes': name one with --weight, or give --weight none "
        )
        assert refusal(1, command, "city.graphml", "--solver", "matching") == message + "to count each edge as 1"

    def test_a_tree_of_a_directed_graph(self):
        Path("d.csv").write_text("a,b,1\nb,c,2\n")
        message = "d.csv: graph: got a directed graph; a spanning tree needs an undirected one; give --undirected"
        assert refusal(1, "solve", "d.csv", "--solver", "spanning-tree", "--directed") == message
        assert values("solve", "d.csv", "--solver", "spanning-tree", "--directed", "--undirected")["total"] == 3

    @pytest.mark.slow
    def test_negative_weights(self):
        Path("d.csv").write_text("a,b,1\nb,c,-2\n")
        message = (
            "d.csv: 1 weight is below 0 (first: -2 between 'b' and 'c'); path needs weights >= 0; correct them, or raise "
            "them with --floor 0"
        )
        assert refusal(1, "solve", "d.csv", "--solver", "path", "--start", "a", "--goal", "c") == message
        raised = ["--floor", "0", "--out", "p.svg", "--json"]
        assert json.loads(run("solve", "d.csv", "--solver", "path", "--start", "a", "--goal", "c", *raised))["total"] == -1
        Path("d.csv").write_text("a,b,1\nb,c,-2\nc,a,0.5\nc,d,1\n")
        message = (
            "theta: got a cycle of negative cost 'a' -> 'b' -> 'c' -> 'a'; costs -theta must sum to >= 0 on every cycle; "
            "lower theta on its edges, or give --floor 0 to clamp costs"
        )
        assert refusal(1, "solve", "d.csv", "--solver", "path", "--directed", "--start", "a", "--goal", "d") == message


NEEDED = "--solver path needs --start and --goal, for instance --start 00 --goal 23"
WRONG_USAGE = {
    "city.graphml --weight length": f"--start: missing; {NEEDED}",
    "city.graphml --weight length --solver path --start 01": f"--goal: missing; {NEEDED.replace('00', '01')}",
    "city.graphml --weight length --solver path --goal 00": f"--start: missing; {NEEDED.replace('23', '00', 1)}",
    "city.graphml --solver top-k": "--solver: got top-k; a graph has " + ", ".join(SOLVERS) + "; choose one of them",
    "--solver matching": (
        "--solver: got matching; it needs a graph: a .graphml, .gml, .gexf or .csv file; a map has dijkstra, top-k"
    ),
    "map.npy --solver knapsack": "--solver: got knapsack; it needs scores: a .csv file; a map has dijkstra, top-k",
    "city.graphml --solver matching --start 00": "--start: it does not go with --solver matching on a graph; leave it out",
    "city.graphml --solver matching --top-k 3": "--top-k: it does not go with --solver matching on a graph; leave it out",
    "city.graphml --solver matching --directed": (
        "--directed: it does not go with --solver matching on a graph; leave it out"
    ),
    "--weight x": "--weight: it does not go with --solver dijkstra on a map; leave it out",
    "city.graphml --solver min-cut --start 00 --goal 01 --sense max": (
        "--sense: got max; min-cut has no largest cut that could be found; leave it out"
    ),
    "city.graphml --weight length --start 00 --goal 01 --sense max": (
        "--sense: got max; a longest path needs a directed graph without cycles; leave it out"
    ),
}


@pytest.mark.slow
@pytest.mark.usefixtures("city")
@pytest.mark.parametrize("arguments", WRONG_USAGE)
def test_wrong_usage(arguments):
    np.save("map.npy", np.ones((3, 4)))
    assert refusal(2, "solve", *arguments.split()) == WRONG_USAGE[arguments]
