"""Tables of text: cells, headers, and what may be wrong with a file."""

import copy
import gzip
import pickle
from pathlib import Path

import pytest

from imle_cli.files import sources
from imle_cli.files.sources import SourceError, ending, read_bytes
from imle_cli.files.tables.number_formats import as_number
from imle_cli.files.tables.reading import read_table
from imle_cli.runs.folder import RunError
from refusals import refused

RULE = "it must be a number below 1e100, or inf; correct it"


def table(text, *names, encoding="utf-8"):
    Path("table.csv").write_bytes(text.encode(encoding))
    return read_table(Path("table.csv"), names)


class TestHeader:
    @pytest.mark.parametrize(
        ("text", "header"),
        [
            ("item,score\na,1\nb,2\n", ["item", "score"]),
            (",x,y\na,1,2\n", ["", "x", "y"]),
            ("a,1\nb,2\n", None),
            ("1,2\n3,4\n", None),
            ("a,b\nc,d\n", None),
            ("x,y\n", None),
            ("a,1x\nb,2\nc,3\n", None),  # a slip, not a name
            ("a,\nb,2\nc,3\n", None),
            ("a,NA\nb,2\nc,3\n", None),
            ("id,1st,2nd\n1,2,3\n2,4,5\n", ["id", "1st", "2nd"]),
            (",accuracy\na,0.9\nb,\nc,0.8\n", ["", "accuracy"]),
            (",0,1\n0,5,6\n1,7,8\n", ["", "0", "1"]),
            (",2,3\n4,5,6\n7,8,9\n", None),
            ('"x" "y"\n"r1" 1 2\n"r2" 3 4\n', ["", "x", "y"]),  # as R writes it
            ("      x    y\n0   1.5  2.5\n1  10.5  3.5\n", ["", "x", "y"]),  # as pandas prints it
            ("1,2x,3\n4,5,6\n7,8,9\n", None),
        ],
    )
    def test_a_text_above_every_column_of_numbers(self, text, header):
        assert table(text).header == header

    def test_a_known_name(self):
        assert table("source,target,cost\na,b,c\n", "source").header == ["source", "target", "cost"]
        assert table("source,target,cost\na,b,c\n").header is None


class TestCells:
    def test_spaces_quotes_comments_empty_lines_and_a_byte_order_mark(self):
        read = table('\ufeff# from a survey\n name , score\r\n\n"Doe, Jane", 1.5 \n#x,1\nZoë,-2e3\n')
        assert (read.header, read.lines) == (["name", "score"], [4, 5, 6])
        assert read.rows == [["Doe, Jane", "1.5"], ["#x", "1"], ["Zoë", "-2e3"]]
        assert read.number(2, 1) == -2000

    @pytest.mark.parametrize(
        ("cell", "value"), [("1", 1.0), ("-inf", -float("inf")), ("1_5", None), ("", None), ("x", None)]
    )
    def test_numbers(self, cell, value):
        assert as_number(cell) == value

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "item,score\na,1\nb,\n",
                "table.csv: line 3: 'score' is empty; " + RULE,
            ),
            (
                "item,score\na,1\nb,nan\n",
                "table.csv: line 3: 'score' is 'nan'; " + RULE,
            ),
            (
                "a,1\nb,one\n",
                "table.csv: line 2: value 2 is 'one'; " + RULE,
            ),
        ],
    )
    def test_what_is_no_number_is_named(self, text, message):
        with pytest.raises(SourceError) as error:
            table(text, "score").number(1, 1)
        assert str(error.value) == message


class TestSeparators:
    """Of tables with names; maps, which have none, are tested on their own."""

    @pytest.mark.parametrize("separator", [",", ";", "\t", "|", " ", "   "])
    def test_any(self, separator):
        read = table(separator.join(["item", "score"]) + "\n" + separator.join(["a", "1.5"]) + "\n", "score")
        assert (read.header, read.rows, read.lines) == (["item", "score"], [["a", "1.5"]], [2])

    @pytest.mark.parametrize(
        ("text", "rows"),
        [
            ("from;to;weight\r\na;b;1,5\r\nb;c;2,25\r\n", [["a", "b", "1.5"], ["b", "c", "2.25"]]),
            ("item;price\na;1.234,5\nb;2,5\n", [["a", "1234.5"], ["b", "2.5"]]),
            ("item\tprice\na\t1,234\nb\t2,5\n", [["a", "1.234"], ["b", "2.5"]]),
            ('item,price\na,"1,234.50"\nb,"2,345"\n', [["a", "1234.50"], ["b", "2345"]]),
            ("item;version;price\na;1.10;5,5\nb;1.9;6,5\n", [["a", "1.10", "5.5"], ["b", "1.9", "6.5"]]),
            ("item;price\na;1 234\nb;5\n", [["a", "1234"], ["b", "5"]]),
            ("New York,5\nLos Angeles,3\n", [["New York", "5"], ["Los Angeles", "3"]]),
            ("route 1,5\nroute 2,7\n", [["route 1", "5"], ["route 2", "7"]]),
            ("node 1,node 2\nnode 2,node 3\n", [["node 1", "node 2"], ["node 2", "node 3"]]),
            ("x;y,1\nz,2\n", [["x;y", "1"], ["z", "2"]]),
            ("New York   5\nLos Angeles  3\n", [["New York", "5"], ["Los Angeles", "3"]]),
            ('"Doe, Jane";1\n"a ""b""";2\n', [["Doe, Jane", "1"], ['a "b"', "2"]]),
            ("a,1,\nb,2,\n", [["a", "1"], ["b", "2"]]),
            ("192.168.100.200,5\n10.0.0.1,6\n", [["192.168.100.200", "5"], ["10.0.0.1", "6"]]),
        ],
    )
    def test_as_people_write_them(self, text, rows):
        assert table(text).rows == rows

    def test_titles_and_texts_of_other_programs(self):
        read = table("Results of 2026,\nitem,score\na,1\nb,2\n", "score")
        assert (read.header, read.rows, read.lines) == (["item", "score"], [["a", "1"], ["b", "2"]], [3, 4])
        assert table("Results\nof 2026\n\nitem;score\na;1\nb;2\n").rows == [["a", "1"], ["b", "2"]]
        assert (
            table("größe;1\nb;2\n", encoding="cp1252").rows[0][0]
            == table("größe;1\nb;2\n", encoding="utf-16").rows[0][0]
            == "größe"
        )

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "item;score\na;1.5\nb;2,5\nc;3,5\n",
                "line 2: 'score' is '1.5' in a column with decimal commas; write all its numbers alike",
            ),
            ("a\nb,2\nc,3\n", "line 1 has 1 cells and most lines have 2; every line must have the same number"),
            ("item,score\na,1,9\nb,2\n", "line 2 has 3 cells and most lines have 2; every line must have the same number"),
        ],
    )
    def test_what_breaks_is_named(self, text, message):
        assert refused("table.csv", table, text) == message

    def test_thousands_are_not_guessed_from_other_columns(self):
        read = table("version;score\n1.1;1,234\n1.2;2,345\n")
        with pytest.raises(SourceError, match=r"line 2: 'score' is '1,234' \(it may be 1234 or 1\.234\)"):
            read.number(0, 1)

    def test_commas_or_spaces_in_a_file_that_is_no_csv(self):
        Path("t.txt").write_text("route 1,5\nroute 2,7\n")
        with pytest.raises(SourceError) as error:
            read_table(Path("t.txt"))
        assert str(error.value) == "t.txt: may have commas or spaces between its cells; write semicolons between them"

    def test_a_column_that_counts(self):
        read = table(",source,target\n0,a,b\n1,b,c\n")
        assert read.has_index
        assert (read.without_index().header, read.without_index().rows) == (["source", "target"], [["a", "b"], ["b", "c"]])
        other = table("id,source,target\n0,a,b\n1,b,c\n")
        assert not other.has_index
        assert other.without_index() is other


class TestMessages:
    def test_what_does_not_fit_is_left_out_in_the_middle(self):
        message = str(SourceError(Path("folder/table.csv"), f"{'x' * 400}; correct it"))
        assert len(message) == 300
        assert message.startswith("folder/table.csv: xxx")
        assert message.endswith("xxx; correct it")
        message = str(SourceError(Path("d" * 400) / "table.csv", f"{'x' * 400}; correct it"))
        assert (len(message), message[:6], message[-12:]) == (300, "...ddd", "; correct it")
        assert "/table.csv: xxx" in message

    def test_one_line(self):
        assert str(SourceError("a\nb.csv", "c\r\nd")) == "a b.csv: c d"

    @pytest.mark.parametrize("kind", [SourceError, RunError])
    def test_it_comes_back_from_a_worker_as_it_was(self, kind):
        error = kind(Path("folder/table.csv"), f"{'x' * 400}; correct it")
        for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert type(again) is kind
            assert str(again) == str(error)


BAD = {
    "#\n\n\n": "table.csv: holds no rows; write one line for each",
    "a,1\n\nb\n": "table.csv: line 3 has 1 cells and line 1 has 2; every line must have the same number",
    'a,"b\n': "table.csv: cannot be read as a table (unexpected end of data); write cells with commas between them",
}


@pytest.mark.parametrize("text", BAD)
def test_a_table_that_cannot_be_used(text):
    with pytest.raises(SourceError) as error:
        table(text)
    assert str(error.value) == BAD[text]


def test_what_is_no_text():
    with pytest.raises(SourceError) as error:
        read_table(Path("none.csv"))
    assert str(error.value) == "none.csv: no such file; check the path"
    Path("empty.csv").touch()
    with pytest.raises(SourceError) as error:
        read_table(Path("empty.csv"))
    assert str(error.value) == "empty.csv: the file is empty (0 bytes); save the table again"
    with pytest.raises(SourceError) as error:
        read_table(Path())
    assert str(error.value) == ".: is a folder; give a table such as a .csv file in it"


class TestContent:
    def test_of_a_file_and_of_one_that_is_compressed(self):
        Path("a.CSV.gz").write_bytes(gzip.compress(b"1,2"))
        Path("b.csv").write_bytes(b"1,2")
        assert [(ending(Path(name)), read_bytes(Path(name), "", "")) for name in ("a.CSV.gz", "b.csv")] == [
            (".csv", b"1,2")
        ] * 2

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"1,2", "cannot be decompressed (Not a gzipped file (b'1,')); save the map again"),
            (gzip.compress(b"1,2" * 9, mtime=0)[:-9], "cannot be decompressed (Compressed file ended"),
            (gzip.compress(b"", mtime=0), "holds nothing once decompressed; save the map again"),
            (gzip.compress(b"0" * 99, mtime=0), "holds more than 98 bytes; give a smaller map"),
        ],
    )
    def test_that_is_damaged_or_too_much(self, content, message, monkeypatch):
        monkeypatch.setattr(sources, "MAX_BYTES", 98)
        Path("a.csv.gz").write_bytes(content)
        with pytest.raises(SourceError) as error:
            read_bytes(Path("a.csv.gz"), "a .csv file", "map")
        assert str(error.value).startswith(f"a.csv.gz: {message}")
