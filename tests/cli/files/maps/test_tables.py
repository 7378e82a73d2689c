"""Maps in tables: separators, decimal commas, names and numbers of rows; and tables that are no maps."""

import numpy as np
import pytest

from imle_cli.files.maps.tables import holds_numbers_alone, likeness_to_edges
from imle_cli.files.maps.terrain import load
from imle_cli.files.sources import SourceError
from map_files import refusal, write

WAYS = "for edges give --solver path or spanning-tree, for items top-k, for pairs assignment, for a map dijkstra (or .npy)"
RASTER = "440.5 320 107\n500.5 320 123\n440.5 260 115\n500.5 260 99.5\n440.5 200 1\n500.5 200 2\n"
EDGES = "add --solver path --start NODE --goal NODE, or spanning-tree, matching, min-cut"
BEST, PAIRED = "add --solver top-k --top-k N", "add --solver assignment"
EXPECTED = [[1.5, 2, 3], [4, 5, 6], [7, 8, 9]]


class TestSeparators:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["m.csv", "m.txt", "m.tsv", "m.dat", "m.tab"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("separator", [",", ";", "\t", "|", " ", "   ", ", ", " ; ", " , "])
    def test_any_of_them_in_any_file(self, name, end, separator):
        content = end.join(separator.join(map(str, row)) for row in EXPECTED) + end
        np.testing.assert_array_equal(load(write(content, name)), EXPECTED)

    @pytest.mark.parametrize("separator", [";", "\t", "|", " ", "   "])
    def test_decimal_commas(self, separator, said):
        content = "\n".join(separator.join(map(str, row)) for row in EXPECTED).replace(".", ",")
        np.testing.assert_array_equal(load(write(content)), EXPECTED)
        assert said == ["m.csv: numbers such as 1,5 are read as 1.5"]

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            ("sep=;\r\n1;2\r\n3;4\r\n", [[1, 2], [3, 4]]),
            ('"sep=,"\n1,2\n3,4\n', [[1, 2], [3, 4]]),
            ('"1","2"\n"3","4"\n', [[1, 2], [3, 4]]),
            ('"1,5","2"\n"3","4"\n', [[1.5, 2], [3, 4]]),
            ("| 1 | 2 |\n|---|---|\n| 3 | 4 |\n", [[1, 2], [3, 4]]),
            ("  1.0   2.5\n 10.0   3.5\n", [[1, 2.5], [10, 3.5]]),
            ("1,2,\n3,4,\n", [[1, 2], [3, 4]]),
            ("1,2\n3,4,\n5,6\n", [[1, 2], [3, 4], [5, 6]]),
            ("# a\n% b\n// c\n1,2\n# d\n3,4\n", [[1, 2], [3, 4]]),
            ("1 234;2\n3;4\n", [[1234, 2], [3, 4]]),
            ("1'234.5,2\n3,4\n", [[1234.5, 2], [3, 4]]),
            ("1.234,5;2\n3;4\n", [[1234.5, 2], [3, 4]]),
            ('"1,234.5","2,345"\n3,4\n', [[1234.5, 2345], [3, 4]]),
            ("0,234;1,234\n3;4\n", [[0.234, 1.234], [3, 4]]),
            ("2\n3\n", [[2], [3]]),
            ("2,3\n", [[2, 3]]),
            ("1,5\n2,5\n", [[1, 5], [2, 5]]),  # commas separate, where nothing else does
            ("1e400,1\n1,1\n", [[np.inf, 1], [1, 1]]),
        ],
    )
    def test_as_people_write_them(self, content, expected):
        np.testing.assert_array_equal(load(write(content)), expected)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (
                "1,234;2\n3;4\n",
                "value 1 of line 1 is '1,234' (it may be 1234 or 1.234), not a number; write numbers with semicolons",
            ),
            ("1.234;2,5\n3;4\n", "value 1 of line 1 is '1.234', not a number; write numbers with semicolons"),
            ("1,,3\n4,5,6\n", "value 2 of line 1 is empty; write a cost there, or inf for a wall"),
            ("1,2\n# x\n3,\n", "value 2 of line 3 is empty; write a cost there, or inf for a wall"),
            ("1,2\nNA,4\n", "value 1 of line 2 is 'NA', not a number; write numbers with commas"),
            ("1,2\n50%,4\n", "value 1 of line 2 is '50%', not a number; write numbers with commas"),
            ("1,2,3\n4,5,6\n\nTotal: 2 rows\n", "line 4 has 1 cells and line 1 has 3; every line must have the same number"),
            ("1,2,3\n4,5,6,7\n8,9,10\n", "line 2 has 4 cells and line 1 has 3; every line must have the same number"),
            ('1,2\n3,"4\n', "cannot be read as a table (unexpected end of data); write cells with commas between them"),
            ("x" * 500, f"value 1 of line 1 is '{'x' * 40}', not a number; write numbers with commas between them"),
        ],
    )
    def test_the_first_cell_that_breaks_is_named(self, content, message):
        assert refusal(write(content)).startswith(message)


class TestNames:
    @pytest.mark.parametrize(
        ("content", "note"),
        [
            ("c0,c1,c2\n1.5,2,3\n4,5,6\n7,8,9\n", "the line of names (c0, c1, c2) is left out"),
            ("V1;V2;V3\n1.5;2;3\n4;5;6\n7;8;9\n", "the line of names (V1, V2, V3) is left out"),
            ("A,B,C\n1.5,2,3\n4,5,6\n7,8,9\n", "the line of names (A, B, C) is left out"),
            (
                ",0,1,2\n0,1.5,2,3\n1,4,5,6\n2,7,8,9\n",
                "the line of names (0, 1, 2) and the first column, which counts the rows, are left out",
            ),
            (
                '"V1" "V2" "V3"\n"1" 1.5 2 3\n"2" 4 5 6\n"3" 7 8 9\n',
                "the line of names (V1, V2, V3) and the first column, which counts the rows, are left out",
            ),
            ("Costs in minutes,,\n1.5,2,3\n4,5,6\n7,8,9\n", "line 1 is taken as a title (Costs in minutes)"),
            ("Costs, in minutes\n1.5,2,3\n4,5,6\n7,8,9\n", "line 1 is taken as a title (Costs, in minutes)"),
            ("1.5,2,3,\n4,5,6,\n7,8,9,\n", "empty cells at the ends of lines are left out"),
        ],
    )
    def test_what_is_no_cost_is_left_out_with_a_note(self, content, note, said):
        np.testing.assert_array_equal(load(write(content)), EXPECTED)
        assert said == [f"m.csv: {note}"]

    def test_a_first_column_that_counts_but_may_be_costs_stays(self):
        np.testing.assert_array_equal(load(write("1,5,5,1\n2,5,5,1\n3,5,6,1\n"))[:, 0], [1, 2, 3])

    def test_a_map_without_its_first_cost_is_refused(self):
        rule = "write a cost there, or inf for a wall; if line and column 1 are names, leave both out"
        assert refusal(write(",2,3\n4,5,6\n7,8,9\n")) == f"value 1 of line 1 is empty; {rule}"
        assert refusal(write(",0.0,0.5\n0.0,5,6\n0.5,7,8\n")) == f"value 1 of line 1 is empty; {rule}"

    def test_a_first_line_that_counts_columns_holds_no_costs(self):
        rule = "leave it out (pandas: to_csv(..., header=False, index=False))"
        got = "has a first line that only counts the columns (0, 1, ...), and costs are > 0"
        assert refusal(write("0,1,2\n5,6,7\n8,9,4\n")) == f"{got}; {rule}"

    @pytest.mark.parametrize("content", ["1 1 5\n1 2 6\n2 1 7\n2 2 8\n", RASTER])
    def test_a_list_of_tiles_is_no_map(self, content):
        assert refusal(write(content, "m.txt")) == (
            "may be a list of tiles, two coordinates and a value a line; a map has a line of costs for each row of tiles; "
            "if it is a map, say so with --solver dijkstra"
        )
        assert load(write(content, "m.txt"), surely=True).shape[1] == 3

    def test_a_note_tells_of_digits_without_spaces(self, said):
        assert load(write("1163\n1381\n2136\n", "m.txt")).tolist() == [[1163], [1381], [2136]]
        assert said == ["m.txt: each line is one cost; if each digit is a tile, write spaces between the digits"]
        load(write("7\n8\n9\n", "n.txt"))
        load(write("10\n8\n9\n", "o.txt"))
        assert len(said) == 1

    @pytest.mark.parametrize(
        ("content", "message", "ways"),
        [
            ("Source,Target,Weight\na,b,1\nb,c,2\n", "is a list of edges, by its names (Source, Target, Weight)", EDGES),
            ("from;to;cost\n1;2;1,5\n2;3;2,5\n", "is a list of edges, by its names (from, to, cost)", EDGES),
            ("source,target\na,b\nb,c\n", "is a list of edges, by its names (source, target)", EDGES),
            ("row,col,cost\n1,1,5\n1,2,6\n", "has columns row, col, cost, and a map is numbers alone", WAYS),
            ("item,value\ntent,15\nstove,10\n", "has columns item, value, and a map is numbers alone", BEST),
            (
                "item,value,weight\ntent,15,9\nstove,10,5\n",
                "has columns item, value, weight, and a map is numbers alone",
                f"{BEST} or --solver knapsack --capacity N",
            ),
            ("model,accuracy\na,0.9\nb,0.8\n", "has columns model, accuracy, and a map is numbers alone", BEST),
            (",early,late\nAnna,5,4\nBen,3,4\n", "has columns early, late, and a map is numbers alone", PAIRED),
            ("worker,x,y\nAnna,5,4\nBen,3,4\n", "has columns worker, x, y, and a map is numbers alone", PAIRED),
            (
                "model,speed,size\na,5,4\nb,3,4\n",
                "has columns model, speed, size, and a map is numbers alone",
                f"{PAIRED}, or {BEST.removeprefix('add ')} --score COLUMN",
            ),
            ("cost\n3\n4\n", "has columns cost, and a map is numbers alone", WAYS),
            (
                "tent,15,9\nstove,10,5\n",
                "has names in its first column (tent), and a map is numbers alone",
                f"{PAIRED}; above items write names, such as item,value,weight",
            ),
            ("a b 1\nb c 2\n", "has names in its first column (a), and a map is numbers alone", EDGES),
            ("1,2,0.5\n2,3,1.5\n1,3,4\n", "may be a list of edges, two nodes and a weight a line", WAYS),
            ("1,2,4\n2,3,1\n1,3,2\n", "may be a list of edges, two nodes and a weight a line", WAYS),
            ("1 2 4\n2 1 4\n2 3 1\n3 2 1\n", "may be a list of edges, two nodes and a weight a line", WAYS),
            ("# FromNodeId ToNodeId\n0\t1\n1\t2\n0\t2\n", "may be a list of edges, two nodes a line", WAYS),
        ],
    )
    def test_what_may_be_no_map_is_refused_with_the_solvers_that_fit(self, content, message, ways):
        assert refusal(write(content)) == f"{message}; {ways}"
        assert refusal(write(content, "m.txt")) == f"{message}; {ways}"

    @pytest.mark.parametrize("content", ["1,2,0.5\n2,3,1.5\n1,3,4\n", "row,col,cost\n1,2,0.5\n2,3,1.5\n1,3,4\n"])
    def test_whoever_insists_gets_a_map(self, content):
        np.testing.assert_array_equal(load(write(content), surely=True), [[1, 2, 0.5], [2, 3, 1.5], [1, 3, 4]])


class TestEdges:
    @pytest.mark.parametrize(
        "rows",
        [
            "1 2 3/4 5 6/7 8 9",
            "1 1 1/1 1 1/1 1 1",
            "1 9 1/1 9 1/1 1 1",
            "1 2 3/2 3 4",
            "1 2/2 1",
            "1.5 2 3/2 3 4/3 1 2",
            "1 2 3 4/2 3 4 5/3 1 2 2",
            "5 1 5/1 5 5/5 5 1",
            "100 200 3/300 400 5/500 600 7",
        ],
    )
    def test_maps_of_three_columns_are_maps(self, rows):
        assert likeness_to_edges([row.split() for row in rows.split("/")]) == 0

    @pytest.mark.slow
    def test_random_maps_of_three_columns_are_maps(self):
        generator = np.random.default_rng(0)
        maps = [generator.integers(1, 101, (12, 3)).astype(str).tolist() for _ in range(500)]
        assert not any(map(likeness_to_edges, maps))
        maps = [np.char.mod("%.2f", generator.uniform(1, 9, (5, 3))).tolist() for _ in range(100)]
        assert not any(map(likeness_to_edges, maps))

    def test_paths_trees_and_cycles_are_edges(self):
        for size in (4, 30):
            path = [[str(node), str(node + 1), "1.5"] for node in range(size)]
            star = [["0", str(node), str(node)] for node in range(1, size)]
            assert likeness_to_edges(path) == 1
            assert likeness_to_edges(star) == 1
            assert likeness_to_edges([*path, [str(size), "0", "1"]]) == 1
            assert likeness_to_edges([[f"{u}0", f"{v}0", "3"] for u, v, _ in path]) == (1 if size > 10 else 0.5)

    def test_in_doubt_a_note_tells(self, said):
        np.testing.assert_array_equal(load(write("1,5,5\n2,5,5\n3,5,6\n")), [[1, 5, 5], [2, 5, 5], [3, 5, 6]])
        text = "is read as a map, although it might be a list of edges; for these give --solver path, for instance"
        assert said == [f"m.csv: {text}"]


@pytest.mark.parametrize(
    ("content", "alone"), [("1 2\n3 4\n", True), ("a 2\nb 4\n", False), ("x y\n3 4\n", False), ("1\n2\n", False)]
)
def test_numbers_alone(content, alone):
    assert holds_numbers_alone(write(content, "m.txt")) is alone


def test_lines_of_unequal_length_are_refused_by_the_name_of_the_file():
    with pytest.raises(SourceError, match=r"^m\.txt: line 1 has 1 cells and most lines have 2"):
        holds_numbers_alone(write('"x"\n"a" 1.5\n"b" 2.5\n', "m.txt"))
