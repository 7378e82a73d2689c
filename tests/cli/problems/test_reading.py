"""What each kind of file is read as, by the commands."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from imle_cli.app import app

MAP = [[1.0, 5.0, 3.0], [4.0, 1.0, 6.0], [7.0, 8.0, 1.0]]


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def values(*arguments):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refusal(*arguments):
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    return result.stderr.removeprefix("error: ").rstrip("\n")


def write(name, content):
    Path(name).write_bytes(gzip.compress(content.encode()) if name.lower().endswith(".gz") else content.encode())
    return name


class TestMaps:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["m.csv", "m.tsv", "m.txt", "m.dat", "m.tab", "m.csv.gz", "m.TSV.GZ"])
    def test_tables(self, name):
        write(name, "\n".join(";".join(f"{cost:g}" for cost in row) for row in MAP))
        assert values("solve", name)["cost"] == 3

    @pytest.mark.slow
    def test_arrays_and_grids(self):
        np.savez("m.npz", costs=np.array(MAP))
        write("m.asc", "ncols 3\nnrows 3\n" + "\n".join(" ".join(map(str, row)) for row in MAP))
        write("m.map", "type octile\nheight 1\nwidth 3\nmap\n...\n")
        assert [values("solve", name)["cost"] for name in ("m.npz", "m.asc", "m.map")] == [3, 3, 3]

    def test_train_and_gold(self):
        write("m.csv", "\n".join(";".join(f"{cost:g}" for cost in row) for row in MAP))
        write("gold.tsv", "1\t0\t0\n0\t1\t0\n0\t0\t1\n")
        found = run("train", "m.csv", "--gold", "gold.tsv", "--init", "m.csv", "--steps", "1", "--out", "run", "--quiet")
        assert found.exit_code == 0, found.stderr
        write("edges.csv", "1,2,0.5\n2,3,1.5\n1,3,4\n")
        assert refusal("train", "edges.csv", "--steps", "1").startswith("edges.csv: may be a list of edges, two nodes")
        assert refusal("train", "--init", write("m.foo", "x"), "--steps", "1").startswith(
            "--init: m.foo: is read as a picture"
        )
        assert refusal("train", "--gold", write("m.xlsx", "x"), "--steps", "1").startswith(
            "--gold: m.xlsx: is a spreadsheet"
        )

    def test_a_map_where_a_graph_is_given(self):
        assert refusal("train", write("g.gml", "graph []"), "--steps", "1") == (
            "g.gml: is a graph, and this needs a map; imle solve, sample and marginals take graphs"
        )

    @pytest.mark.slow
    def test_whole_numbers_that_would_be_rounded(self):
        np.save("m.npy", np.array([[2**53, 1], [1, 1]]))
        assert values("solve", "m.npy")["cost"] == 2.0**53
        np.save("m.npy", np.array([[2**53 + 1, 1], [1, 1]]))
        assert refusal("solve", "m.npy") == (
            "m.npy: holds whole numbers above 2^53, which as costs would be rounded; divide them"
        )


class TestTables:
    @pytest.mark.slow
    def test_edges_without_a_solver_are_no_map(self):
        write("e.csv", "1,2,0.5\n2,3,1.5\n1,3,4\n")
        assert refusal("solve", "e.csv").startswith(
            "e.csv: may be a list of edges, two nodes and a weight a line; for edges"
        )
        assert values("solve", "e.csv", "--solver", "spanning-tree", "--sense", "min")["total"] == 2
        assert values("solve", "e.csv", "--solver", "dijkstra")["cost"] == 1 + 3 + 4
        write("e.csv", "Source,Target,Type,Id,Label,timeset,Weight\na,b,Undirected,0,,,1.0\nb,c,Undirected,1,,,2.0\n")
        assert refusal("marginals", "e.csv").startswith("e.csv: is a list of edges, by its names (Source, Target, Type,")

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["i.csv", "i.tsv", "i.txt", "i.tsv.gz"])
    def test_items(self, name):
        write(name, "item\tscore\na\t1\nb\t2\n")
        assert values("solve", name, "--solver", "top-k", "--top-k", "1")["chosen"] == ["b"]

    @pytest.mark.slow
    def test_the_best_of_a_text_of_numbers_alone_are_tiles(self):
        write("m.txt", "1 5\n4 2\n")
        assert values("solve", "m.txt", "--solver", "top-k", "--top-k", "1")["tiles"] == [[0, 0]]

    @pytest.mark.slow
    def test_items_as_pandas_writes_them(self):
        write("i.csv", ",model,accuracy\n0,a,0.9\n1,b,0.8\n2,c,0.95\n")
        assert values("solve", "i.csv", "--solver", "top-k", "--top-k", "1")["chosen"] == ["c"]
        write("i.csv", ",accuracy\na,0.9\nb,0.8\nc,\nd,0.7\n")
        text = "i.csv: line 4: 'accuracy' is empty; it must be a number below 1e100, or inf; correct it"
        assert refusal("solve", "i.csv", "--solver", "top-k", "--top-k", "1") == text

    @pytest.mark.slow
    def test_pairs(self):
        write("p.tsv", "\tx\ty\na\t1,5\t2\nb\t3\t4\n")
        found = values("solve", "p.tsv", "--solver", "assignment")
        assert (found["chosen"], found["total"]) == ([["a", "x"], ["b", "y"]], 5.5)

    @pytest.mark.slow
    def test_notes_are_told_once_on_standard_error(self):
        write("i.csv", "item;score\na;1,5\nb;2,5\n")
        result = run("solve", "i.csv", "--solver", "top-k", "--top-k", "1")
        assert result.stderr == "note: i.csv: numbers such as 1,5 are read as 1.5\n"
        write("m.txt", "1,5 2\n3 4\n")
        result = run("solve", "m.txt", "--solver", "top-k", "--top-k", "1")
        assert result.stderr == "note: m.txt: numbers such as 1,5 are read as 1.5\n"
        assert run("solve", "i.csv", "--solver", "top-k", "--top-k", "1", "--quiet").stderr == ""
