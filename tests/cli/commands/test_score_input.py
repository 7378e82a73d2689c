"""``imle solve``, ``sample`` and ``marginals`` on a table of scores."""

import csv
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from command_line import Command
from imle_cli.app import app

ITEMS = {"tent": (15, 9), "stove": (10, 5), "rope": (12, 8), "map": (8, 2), "lamp": (-1, 1), "water": (16, 10)}
PAIRS = np.array([[4.0, 5.0, 1.0, 0.0], [3.0, 1.0, 3.0, 5.0], [2.0, 1.0, -2.0, 3.0]])


run = Command()
values = run.values


@pytest.fixture(autouse=True)
def _tables():
    lines = [f"{name},{value},{weight}" for name, (value, weight) in ITEMS.items()]
    Path("items.csv").write_text("\n".join(["item,value,weight", *lines]))
    lines = [f"{name},{','.join(map(str, row))}" for name, row in zip(("Anna", "Ben", "Zoë"), PAIRS.tolist(), strict=True)]
    Path("pairs.csv").write_text("\n".join([",red,green,blue,black", *lines]), encoding="utf-8")


class TestItems:
    @pytest.mark.slow
    def test_the_best_and_the_worst_items(self):
        found = values("solve", "items.csv", "--solver", "top-k", "--top-k", "2")
        assert (found["chosen"], found["total"], found["sense"], found["k"]) == (["tent", "water"], 31, "max", 2)
        found = values("solve", "items.csv", "--solver", "top-k", "--top-k", "2", "--sense", "min")
        assert (found["chosen"], found["total"]) == (["map", "lamp"], 7)
        found = values("solve", "items.csv", "--solver", "top-k", "--top-k", "1", "--score", "weight")
        assert found["chosen"] == ["water"]

    @pytest.mark.slow
    def test_a_knapsack_is_the_best_that_fits(self):
        sets = [
            some for size in range(7) for some in combinations(ITEMS, size) if sum(ITEMS[name][1] for name in some) <= 17
        ]
        best = max(sets, key=lambda some: sum(ITEMS[name][0] for name in some))
        found = values("solve", "items.csv", "--solver", "knapsack", "--capacity", "17")
        assert (found["chosen"], found["total"]) == (list(best), sum(ITEMS[name][0] for name in best))
        assert " ".join(found) == "scores items solver capacity sense total size chosen clamped_share seconds files"

    @pytest.mark.slow
    def test_marginals_of_one_item_are_a_softmax(self):
        options = ["--noise", "gumbel", "--input-temp", "4", "--samples", "40000", "--save", "p.csv"]
        found = values("marginals", "items.csv", "--solver", "top-k", "--top-k", "1", *options)
        exact = np.exp([value / 4 for value, _ in ITEMS.values()])
        exact /= exact.sum()
        with Path("p.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert [row["item"] for row in rows] == list(ITEMS)
        assert np.abs([float(row["marginal"]) for row in rows] - exact).max() < 4 * found["max_standard_error"] < 0.02

    @pytest.mark.slow
    def test_samples_fit_the_knapsack(self):
        options = ["--capacity", "17", "--samples", "50", "--input-temp", "9", "--save", "s.npy"]
        found = values("sample", "items.csv", "--solver", "knapsack", *options)
        masks = np.load("s.npy")
        assert (masks @ [weight for _, weight in ITEMS.values()] <= 17).all()
        assert found["totals"] == (masks @ [value for value, _ in ITEMS.values()]).tolist()
        assert found["distinct"] > 3


class TestPairs:
    @pytest.mark.slow
    @pytest.mark.parametrize("sense", ["min", "max"])
    def test_an_assignment(self, sense):
        found = values("solve", "pairs.csv", "--solver", "assignment", "--sense", sense)
        totals = [
            PAIRS[0, a] + PAIRS[1, b] + PAIRS[2, c]
            for a in range(4)
            for b in range(4)
            for c in range(4)
            if len({a, b, c}) == 3
        ]
        assert found["total"] == {"min": min, "max": max}[sense](totals)
        assert [row for row, _ in found["chosen"]] == ["Anna", "Ben", "Zoë"]
        assert found["shape"] == [3, 4]

    @pytest.mark.slow
    def test_a_partial_one_leaves_out_what_costs(self):
        Path("p.csv").write_text("2,-1\n-3,-1\n")
        assert values("solve", "p.csv", "--solver", "partial-assignment")["chosen"] == [["1", "1"]]
        assert values("solve", "p.csv", "--solver", "assignment")["chosen"] == [["1", "1"], ["2", "2"]]

    @pytest.mark.slow
    def test_a_forbidden_pair(self):
        Path("p.csv").write_text("5,1\n1,-inf\n")
        found = values("solve", "p.csv", "--solver", "assignment")
        assert (found["chosen"], found["total"]) == ([["1", "2"], ["2", "1"]], 2)
        assert values("marginals", "p.csv", "--solver", "assignment", "--samples", "5")["expected_total"] == 2

    @pytest.mark.slow
    def test_marginals_of_an_assignment_have_rows_that_sum_to_one(self):
        options = ["--samples", "500", "--input-temp", "3", "--save", "p.npy"]
        run("marginals", "pairs.csv", "--solver", "assignment", *options)
        probability = np.load("p.npy")
        np.testing.assert_allclose(probability.sum(axis=1), 1)
        assert (probability.sum(axis=0) <= 1 + 1e-12).all()


@pytest.mark.slow
@pytest.mark.parametrize("command", ["solve", "sample", "marginals"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["items.csv", "--solver", "top-k", "--top-k", "2"],
        ["items.csv", "--solver", "knapsack", "--capacity", "9"],
        ["pairs.csv", "--solver", "assignment"],
        ["pairs.csv", "--solver", "partial-assignment"],
    ],
    ids=lambda arguments: arguments[2],
)
def test_every_command_draws_the_same_picture_again(command, arguments):
    pictures = []
    for _ in range(2):
        run(command, *arguments, "--out", "p.png", *(["--samples", "5"] if command != "solve" else []))
        pictures.append(Path("p.png").read_bytes())
    assert pictures[0] == pictures[1]


def refusal(code, *arguments):
    found, message = run.refusal(*arguments)
    assert (found, list(Path().glob("*.png"))) == (code, [])
    return message.removeprefix("error: ")


WRONG_USAGE = {
    "items.csv --solver top-k": "--top-k: missing; --solver top-k needs a number of items from 1 to 6",
    "items.csv --solver top-k --top-k 7": "--top-k: got 7; it must be from 1 to the table's 6 items",
    "items.csv --solver top-k --top-k 0": "--top-k: got 0; it must be from 1 to the table's 6 items",
    "items.csv --solver knapsack": (
        "--capacity: missing; --solver knapsack needs what the chosen items may weigh, a whole number >= 0"
    ),
    "items.csv --solver top-k --top-k 2 --capacity 3": (
        "--capacity: it does not go with --solver top-k on items; leave it out"
    ),
    "items.csv --solver knapsack --capacity 3 --sense min": (
        "--sense: it does not go with --solver knapsack on items; leave it out"
    ),
    "pairs.csv --solver assignment --grid 2x2": "--grid: it does not go with --solver assignment on pairs; leave it out",
}


@pytest.mark.slow
@pytest.mark.parametrize("arguments", WRONG_USAGE)
def test_wrong_usage(arguments):
    assert refusal(2, "solve", *arguments.split()) == WRONG_USAGE[arguments]


BAD_TABLES = {
    (
        "item,value,weight\na,1,2\nb,1,-1.5\n",
        "knapsack",
        "--capacity",
        "3",
    ): "t.csv: weights: got -1.5; they must be finite numbers >= 0; leave the item out",
    (
        "item,value,weight\na,1,2\n",
        "knapsack",
        "--capacity",
        "-3",
    ): "--capacity: got -3; it must be a whole number >= 0; it is in the unit of the weights",
    ("-inf,-inf\n1,2\n", "assignment"): (
        "theta: got so many forbidden (-inf) pairs in instance 0 that no complete assignment is left; each row or each "
        "column needs a pair; allow more, or take "
        "--solver partial-assignment"
    ),
    ("1,2\n3\n", "assignment"): "t.csv: line 2 has 1 cells and line 1 has 2; every line must have the same number",
    ("1,inf\n3,4\n", "assignment"): "theta: got 0 NaN and 1 inf; scores must be finite; use -inf for never",
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables(case):
    text, solver, *options = case
    Path("t.csv").write_text(text)
    code = 2 if BAD_TABLES[case].startswith("--") else 1
    assert refusal(code, "solve", "t.csv", "--solver", solver, *options) == BAD_TABLES[case]


def noted(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    assert result.exit_code == 0, result.stderr
    return result.stderr


@pytest.mark.slow
def test_best_solutions_without_anything_are_told():
    Path("p.csv").write_text("1,2\n3,4\n")
    text = "no score is below 0, so that the partial assignment of min total score is empty; --solver assignment"
    assert text in noted("solve", "p.csv", "--solver", "partial-assignment", "--sense", "min")
    assert noted("solve", "p.csv", "--solver", "partial-assignment") == ""
    Path("k.csv").write_text("weight,score\n5,1\n1,-2\n")
    text = "no item with a score above 0 weighs at most 4, so that none is chosen; raise --capacity"
    assert text in noted("solve", "k.csv", "--solver", "knapsack", "--capacity", "4")
    assert noted("solve", "k.csv", "--solver", "knapsack", "--capacity", "5") == ""
