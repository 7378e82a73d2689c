"""``imle sample --distinct``: whole solutions and their shares, of every kind of problem."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from command_line import Command
from imle_core import SumOfGammaNoiseDistribution, distinct_solutions
from imle_core.solvers import GridPath

sample = Command("sample")
COSTS = np.array([[1.0, 2.0, 3.0], [2.0, 1.5, 1.0], [3.0, 1.0, 1.0]])


@pytest.fixture(autouse=True)
def _inputs():
    np.save("map.npy", COSTS)
    Path("items.csv").write_text("item,score\nham,3\njam,2\nspam,2\n")
    Path("pairs.csv").write_text(",day,night\nAnna,2,1\nBen,1,2\n")
    Path("roads.csv").write_text("source,target,weight\na,b,2\nb,c,1\na,c,2\n")


PROBLEMS = {
    "tiles": ("map.npy",),
    "set of tiles": ("map.npy", "--solver", "top-k", "--top-k", 2),
    "edges": ("roads.csv", "--solver", "path", "--start", "a", "--goal", "c"),
    "tree": ("roads.csv", "--solver", "spanning-tree"),
    "items": ("items.csv", "--solver", "top-k", "--top-k", 2),
    "pairs": ("pairs.csv", "--solver", "assignment"),
}


def test_they_are_the_library_s():
    values = sample.values("map.npy", "--distinct", 2, "-n", 400, "--seed", 3, "--save", "z.npy", "--no-picture")
    noise = SumOfGammaNoiseDistribution(1.3 * 3, 100)
    (record,) = distinct_solutions(GridPath(), -torch.from_numpy(COSTS)[None], noise, nb_samples=400, seed=3, most=2)
    np.testing.assert_array_equal(np.load("z.npy"), record.solutions.numpy())
    first, second = values["solutions"]
    assert [first["share"], second["share"]] == record.shares.tolist()
    assert [first["standard_error"], second["standard_error"]] == record.standard_errors.tolist()
    assert (values["distinct"], values["largest_left_out"]) == (record.nb_distinct, record.left_out)
    assert first["tiles"] == GridPath().path_tiles(record.solutions[0].numpy()).tolist()
    assert (first["length"], first["cost"]) == (record.solutions[0].sum(), (record.solutions[0].numpy() * COSTS).sum())


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEMS)
def test_every_kind_of_problem(name):
    text = sample(*PROBLEMS[name], "--distinct", 2, "-n", 60, "--save", "z.csv")
    header, first, *rest = text.splitlines()
    assert header.split()[:2] == ["rank", "share"]
    assert first.split()[0] == "1"
    assert Path("z.csv").read_text().splitlines()[0].endswith(",solution_1,solution_2")
    (picture,) = Path().glob("*-distinct.png")
    assert any(line.startswith("files ") and line.endswith(f"{picture}, z.csv") for line in rest)


@pytest.mark.parametrize("samples", [1, 30])
def test_fewer_than_asked_for(samples):
    shown = ["--distinct", 12, "-n", samples, "--noise", "none", "--no-picture"]
    lines = sample("items.csv", "--solver", "top-k", "--top-k", 1, *shown).splitlines()
    assert lines[1].split() == ["1", "100%", *(["0%"] if samples > 1 else []), "1", "3", "0", "ham"]
    assert "shown    1, which are all: fewer than the 12 asked for" in lines
    values = sample.values("items.csv", "--solver", "top-k", "--top-k", 1, *shown)
    assert [solution["standard_error"] for solution in values["solutions"]] == [None if samples == 1 else 0.0]


def test_what_is_not_surely_among_the_most_frequent_is_said(monkeypatch):
    monkeypatch.setattr("imle_cli.problems.whole_solutions.CAPACITY", 2)
    text = sample("--distinct", 2, "-n", 50, "--no-picture")
    assert "50, more than 2 distinct" in text
    assert "none is surely among the most frequent; raise --samples, or lower --input-temp" in text
    assert json.loads(sample("--distinct", 2, "-n", 50, "--no-picture", "--json"))["distinct"] is None


def test_a_thousand_samples_if_no_number_is_given():
    assert sample.values("map.npy", "--distinct", 1, "--no-picture")["samples"] == 1000
    assert sample.values("map.npy", "--no-picture")["samples"] == 16


@pytest.mark.parametrize("count", [0, -3])
def test_a_number_below_1(count):
    sample.expect_refusal(
        ["--distinct", count], 2, f"--distinct: got {count}; it must be a whole number >= 1; use 12 for a first look"
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_page_has_what_the_command_prints(name):
    sample(*PROBLEMS[name], "--distinct", 2, "-n", 60, "--out", "x.html")
    page = Path("x.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "this solution" in page
    assert "together" in page or "which are all" in page
