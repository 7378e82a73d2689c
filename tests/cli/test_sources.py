"""Tables of text: cells, headers, and what may be wrong with a file."""

import gzip
from pathlib import Path

import pytest

from imle_cli import sources
from imle_cli.sources import SourceError, as_number, ending, read_bytes, read_table

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

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"1,2", "cannot be decompressed (Not a gzipped file (b'1,')); save the map again"),
            (gzip.compress(b"1,2" * 9)[:-9], "cannot be decompressed (Compressed file ended"),
            (gzip.compress(b""), "holds nothing once decompressed; save the map again"),
            (gzip.compress(b"0" * 99), "holds more than 98 bytes; give a smaller map"),
        ],
    )
    def test_that_is_damaged_or_too_much(self, content, message, monkeypatch):
        monkeypatch.setattr(sources, "MAX_BYTES", 98)
        Path("a.csv.gz").write_bytes(content)
        with pytest.raises(SourceError) as error:
            read_bytes(Path("a.csv.gz"), "a .csv file", "map")
        assert str(error.value).startswith(f"a.csv.gz: {message}")
