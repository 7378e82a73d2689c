"""Scores from tables of items and of pairs."""

from pathlib import Path

import pytest

from imle_cli.files.scores import read_items, read_pairs
from imle_cli.files.sources import SourceError
from refusals import refused

RULE = "it must be a number below 1e100, or inf; correct it"


def write(text):
    Path("t.csv").write_text(text, encoding="utf-8")
    return Path("t.csv")


class TestItems:
    @pytest.mark.parametrize(
        ("text", "names", "scores"),
        [
            ("item,score\na,1\nb,2.5\n", ["a", "b"], [1, 2.5]),
            ("a,1\nb,-2\n", ["a", "b"], [1, -2]),
            ("3\n4\n", ["1", "2"], [3, 4]),
            ("score\n3\n4\n", ["1", "2"], [3, 4]),
            ("kind,name,price,value\nx,a,9,1\nx,b,8,2\n", ["a", "b"], [1, 2]),  # the first texts that differ are names
            ("a,1\na,2\n", ["1", "2"], [1, 2]),
            ("7,5\n", None, None),
            (",0\na,1.5\nb,2.5\n", ["a", "b"], [1.5, 2.5]),  # a series of pandas
            (",0\n0,1.5\n1,2.5\n", ["0", "1"], [1.5, 2.5]),
            (";0\na;1,5\nb;2\n", ["a", "b"], [1.5, 2]),
            ("name;score\n1,10;1,5\n1,20;2,5\n", ["1,10", "1,20"], [1.5, 2.5]),  # names stay as they are written
            ("name;score\na;1\u00a0234,5\nb;2\n", ["a", "b"], [1234.5, 2]),
        ],
    )
    def test_one_score_a_line(self, text, names, scores):
        if names is None:
            with pytest.raises(SourceError, match="several columns of numbers"):
                read_items(write(text))
            return
        items = read_items(write(text))
        assert (items.names, items.scores.tolist(), items.weights) == (names, scores, None)

    def test_two_columns_of_one_name(self):
        with pytest.raises(SourceError, match=r"^t\.csv: has several columns 'score'; give each a name of its own$"):
            read_items(write("name,score,Score\na,1,9\nb,2,8\n"))

    def test_names_of_columns_alone(self):
        with pytest.raises(
            SourceError, match=r"^t\.csv: holds names of columns \(name, score\) and no rows; write one line"
        ):
            read_items(write("name,score\n"))

    def test_columns_by_name(self):
        path = write("item,price,value,weight\na,9,1,3\nb,8,2,4\n")
        items = read_items(path, "price", "weight")
        assert (items.names, items.scores.tolist(), items.weights.tolist()) == (["a", "b"], [9, 8], [3, 4])
        assert read_items(path, None, "weight").scores.tolist() == [1, 2]

    @pytest.mark.parametrize(
        ("text", "arguments", "message"),
        [
            ("a,1,2\nb,3,4\n", (), "has several columns of numbers, value 2, value 3; name that of the scores with --score"),
            ("item,x,y\na,1,2\n", (), "has several columns of numbers, 'x', 'y'; name that of the scores with --score"),
            (
                "item,x\na,1\n",
                ("y",),
                "has no column 'y'; its columns are 'item', 'x'; name one with --score, in a first line of names",
            ),
            (
                "a,1\n",
                (None, "weight"),
                "has no column 'weight'; it has no header; name one with --weight, in a first line of names",
            ),
            ("weight\n1\n", (None, "weight"), "has weights alone; write a column of scores beside them"),
            (
                "item,score\na,1\nb,x\n",
                (),
                "line 3: 'score' is 'x'; " + RULE,
            ),
            ("a,1\nb,x\n", (), "line 2: value 2 is 'x'; " + RULE),
        ],
    )
    def test_errors(self, text, arguments, message):
        assert refused("t.csv", read_items, write(text), *arguments) == message


class TestPairs:
    @pytest.mark.parametrize(
        ("text", "rows", "columns"),
        [
            (",x,y\na,1,2\nb,3,4\n", ["a", "b"], ["x", "y"]),
            ("x,y\n1,2\n3,4\n", ["1", "2"], ["x", "y"]),
            ("a,1,2\nb,3,4\n", ["a", "b"], ["1", "2"]),
            ("1,2\n3,4\n", ["1", "2"], ["1", "2"]),
            (",2020,2021\na,1,2\nb,3,4\n", ["a", "b"], ["2020", "2021"]),
            ("name,2020,2021\na,1,2\nb,3,4\n", ["a", "b"], ["2020", "2021"]),
            (",7,8\n101,1,2\n102,3,4\n", ["101", "102"], ["7", "8"]),
            ("id,x,y\n101,1,2\n102,3,4\n", ["101", "102"], ["x", "y"]),
        ],
    )
    def test_names_are_optional(self, text, rows, columns):
        pairs = read_pairs(write(text))
        assert (pairs.rows, pairs.columns, pairs.scores.tolist()) == (rows, columns, [[1, 2], [3, 4]])

    @pytest.mark.parametrize(
        "text", ["worker,x,y\n10,1,2\n20,3,4\n", "w/t,1,2\n10,1,2\n20,3,4\n", "index,x,y\n10,1,2\n20,3,4\n"]
    )
    def test_numbers_of_rows_are_no_scores(self, text):
        pairs = read_pairs(write(text))
        assert (pairs.rows, pairs.scores.tolist()) == (["10", "20"], [[1, 2], [3, 4]])

    def test_a_value_that_is_no_number(self):
        assert refused("t.csv", read_pairs, write(",x,y\na,1,2\nb,3,four\nc,5,6\n")) == "line 3: 'y' is 'four'; " + RULE

    @pytest.mark.parametrize("text", [",x,x\na,1,2\n", ",y,z\nx,1,2\nx,3,4\n"])
    def test_two_of_one_name(self, text):
        message = "has 'x' twice as a name; every row and every column needs a name of its own"
        assert refused("t.csv", read_pairs, write(text)) == message
