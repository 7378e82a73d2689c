"""Results as lines: whole where nothing shows them, between words on a terminal, whatever its width."""

import re

import pytest

from imle_cli.console.table import Table, rows_of

DETAIL = "raised an error, if that theta is outside its domain give --low and --high, or a domain attribute"
FINDINGS = Table(["check", "verdict", "detail"], [["call", "fail", DETAIL], ["shape", "pass", "(4, 5)"]], [])
FIGURES = Table(
    ["estimator", "lambda", "bias", "variance", "note"],
    [["imle", "1", "1.68 ± 0.12", "1.21 ± 0.26", ""], ["central-imle", "10", "0.42 ± 0.04", "0.109 ± 0.021", "x"]],
    ["lambda", "bias", "variance"],
    ["", "figures  ± standard error of repetitions, over which it is the mean", "Take imle, and nothing else, at any rate"],
)
LINES = [
    ("noise", "Sum-of-Gamma noise, k 20.8, temperature 1, seed 0"),
    ("tiles", "47: " + "0,0 " * 20 + "... 27 more (--json)"),
]


@pytest.mark.parametrize("text", [FINDINGS, FIGURES, LINES], ids=["findings", "figures", "lines"])
@pytest.mark.parametrize("width", [None, 200, 80, 60, 40])
def test_nothing_breaks_within_a_word_or_ends_in_spaces(text, width):
    whole, rows = rows_of(text, None), rows_of(text, width)
    assert not [row for row in rows if row != row.rstrip()]
    assert width is None or max(map(len, rows)) <= width
    assert {word for row in rows for word in row.split()} == {word for row in whole for word in row.split()}


def test_whole_lines_off_a_terminal():
    assert rows_of(FINDINGS, None) == [
        "check  verdict  detail",
        f"call   fail     {DETAIL}",
        "shape  pass     (4, 5)",
    ]
    assert rows_of(LINES, None) == [f"{name}  {text}" for name, text in LINES]


def test_text_in_the_last_column_breaks_and_goes_on_in_it():
    rows = rows_of(FINDINGS, 60)
    assert rows[1].startswith("call   fail     raised an error, ")
    assert all(re.fullmatch(r" {16}\S.*", row) for row in rows[2:-1])
    assert rows[-1] == "shape  pass     (4, 5)"


def test_columns_of_figures_go_on_below_with_the_names_of_their_rows():
    rows = rows_of(FIGURES, 40)
    assert rows[:7] == [
        "estimator     lambda         bias",
        "imle               1  1.68 ± 0.12",
        "central-imle      10  0.42 ± 0.04",
        "",
        "estimator          variance  note",
        "imle            1.21 ± 0.26",
        "central-imle  0.109 ± 0.021  x",
    ]


def test_a_named_line_goes_on_below_its_text_and_another_at_the_margin():
    assert rows_of(FIGURES, 40)[8:] == [
        "figures  ± standard error of",
        "         repetitions, over which it is",
        "         the mean",
        "Take imle, and nothing else, at any rate",
    ]
