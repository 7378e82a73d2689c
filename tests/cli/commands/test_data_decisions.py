"""``imle data shortest-path`` and its like: the peer's instances in a folder, options of another kind, overwriting."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from command_line import Command
from imle_cli.files.decisions import read_decisions, read_problem
from imle_core.decisions import shortest_path_data, split
from imle_core.solvers import GridEdgePath

data = Command("data")
FEW = ["--train", "4", "--val", "1", "--test", "3"]


def test_instances_are_the_peers_and_split_as_by_scikit_learn():
    values = json.loads(data("shortest-path", *FEW, "--seed", "42", "--split-seed", "7", "-o", "paths", "--json"))
    made = {"kind": "shortest-path", "size": 5, "features": 5, "degree": 4, "noise_width": 0.5, "seed": 42, "split_seed": 7}
    assert {key: values[key] for key in made} == made
    assert sorted(values["files"]) == sorted(str(path) for path in Path("paths").iterdir())
    problem = json.loads(Path("paths/problem.json").read_text())
    arguments = {"grid": [5, 5]}
    assert problem == {"solver": "grid-edge-path", "arguments": arguments, "sense": "min", "made": made}
    features, costs = shortest_path_data(8, degree=4, noise_width=0.5, seed=42)
    train, test = split(8, 3, seed=7)
    solver, sense = read_problem(Path("paths"))
    for name, rows in (("train", train[:4]), ("val", train[4:]), ("test", test)):
        read = read_decisions(Path("paths"), name, solver, sense)
        assert torch.equal(read.costs, costs[rows])
        assert torch.equal(read.features, features[rows].float())
        assert torch.equal(read.gold, GridEdgePath((5, 5))(-costs[rows]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "folder", "entries"),
    [
        (["knapsack", "--items", "6", "--capacity", "12.5"], "knapsack-6", 6),
        (["tour", "--nodes", "5"], "tour-5", 10),
        (["portfolio", "--assets", "4"], "portfolio-4", 4),
    ],
)
def test_other_kinds(words, folder, entries):
    if words[0] == "portfolio":
        pytest.importorskip("clarabel")
    lines = data(*words, *FEW).splitlines()
    assert lines[0] == f"instances  4 train, 1 val, 3 test, 5 features and {entries} costs each"
    assert lines[3] == f"files      {folder} (10 files; problem.json has the problem)"
    solver, sense = read_problem(Path(folder))
    assert len(read_decisions(Path(folder), "test", solver, sense)) == 3
    assert np.load(Path(folder, "val_solutions.npy")).shape == (1, entries)


def test_its_own_data_set_is_replaced_and_others_are_kept():
    data("tour", "--nodes", "4", *FEW, "-o", "set", "--quiet")
    data("tour", "--nodes", "5", "--train", "2", "--test", "0", "-o", "set", "--quiet")
    assert {path.name for path in Path("set").iterdir()} == {
        *("problem.json", "train_features.npy", "train_costs.npy", "train_solutions.npy")
    }
    text = "--out: set holds problem.json, which is no part of a made data set; choose another folder"
    data.expect_refusal(["terrain", "--train", "1", "--test", "0", "--out", "set"], 2, text)
    Path("set/problem.json").unlink()
    text = "--out: set holds a data set without the problem.json of those that this command makes; choose another folder"
    data.expect_refusal(["tour", "--out", "set"], 2, text)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("tour --items 3", "--items: it belongs to knapsack, not to tour; leave it out"),
        ("knapsack --size 3", "--size: it belongs to terrain and shortest-path, not to knapsack; leave it out"),
        ("shortest-path --hard", "--hard: it belongs to terrain, not to shortest-path; leave it out"),
        (
            "terrain --split-seed 3",
            "--split-seed: it belongs to shortest-path and knapsack and tour and portfolio, not to terrain; leave it out",
        ),
        (
            "shortest-path --size 1000",
            "--size: got 1000; 2,000 instances of 1,998,000 costs are more than 2^27 numbers; make fewer, or smaller ones",
        ),
        ("tour --noise-width 1e9", "--noise-width: got 1e+09; it must be a number from 0 to 1e+06; use 0 for none"),
        ("tour --seed 4294967296", "--seed: got 4294967296; it must be below 2^32; use 0 for instance"),
    ],
)
def test_refusals(words, message):
    code, text = data.refusal(*words.split())
    assert text == f"error: {message}\n" or text.strip() == f"error: {message}"
    assert code in (1, 2)
    assert not list(Path().iterdir())
