"""Numbers with decimal commas and signs between thousands."""

import pytest

from imle_cli.files.tables.number_formats import POINT, NumberFormat, as_number, doubt, find_format, is_numeric

COMMA = NumberFormat(",")
GERMAN = NumberFormat(",", ".")
ENGLISH = NumberFormat(".", ",")


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["1.5", "2", "x"], POINT),
        (["1,5", "2"], COMMA),
        ([",5", "-2,5e3"], COMMA),
        (["0,234", "1,234"], COMMA),
        (["1,234", "1,5"], COMMA),
        (["1.234,5", "2"], GERMAN),
        (["1,234.5"], ENGLISH),
        (["1,234,567"], ENGLISH),
        (["1,234", "2.5"], ENGLISH),
        (["1,234", "2,345"], POINT),  # nothing tells
        (["1.234", "2,5"], COMMA),
        (["2.5", "3.5", "4,5"], POINT),
        (["4,5", "5,5", "2.5"], COMMA),
        (["192.168.100.200", "5"], POINT),
    ],
)
def test_the_format_of_most_cells(cells, found):
    assert find_format(cells) == found


@pytest.mark.parametrize(
    ("form", "cell", "value"),
    [
        (POINT, "1.5", 1.5),
        (POINT, "1,5", None),
        (POINT, "1,234", None),
        (POINT, "1 234 567", 1234567),
        (POINT, "1\u202f234.5", 1234.5),
        (POINT, "1'234", 1234),
        (POINT, "12 34", None),
        (POINT, "1 234'567", None),
        (COMMA, "1,5", 1.5),
        (COMMA, "1,2,3", None),
        (COMMA, "1.5", None),
        (COMMA, "1.234", None),
        (COMMA, "inf", float("inf")),
        (COMMA, "7", 7),
        (COMMA, "1 234,5", 1234.5),
        (GERMAN, "1.234", 1234),
        (GERMAN, "1.234,5", 1234.5),
        (GERMAN, "1.5", None),
        (ENGLISH, "1,234.5", 1234.5),
        (ENGLISH, "-1,234,567", -1234567),
        (ENGLISH, "1,5", None),
        (ENGLISH, "12,34", None),
    ],
)
def test_the_number_in_a_cell(form, cell, value):
    assert form.number(cell) == value


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1", 1.0), ("-inf", -float("inf")), ("1_5", None), ("", None), ("x", None), ("nan", None), ("1e100", None)],
)
def test_numbers_as_python_writes_them(cell, value):
    assert as_number(cell) == value


def test_what_may_be_two_numbers():
    assert doubt("1,234") == " (it may be 1234 or 1.234)"
    assert doubt("1,5") == doubt("0,234") == doubt("1,234.5") == doubt("x") == ""


def test_what_is_a_number_in_any_form():
    assert all(map(is_numeric, ["1", "1,5", "1,234.5", "1.234,5", "1 234", "inf", "-2e5"]))
    assert not any(map(is_numeric, ["", "a", "1;2", "1 2", "2020-01-01", "1,2,3", "50%"]))
