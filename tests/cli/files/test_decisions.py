"""Data sets of decisions: what is written is read again, a user's own folder, and folders that are refused."""

import json

import numpy as np
import pytest
import torch

from imle_cli.files.decisions import PROBLEM, file_names, read_decisions, read_problem, splits_in, write_decisions
from imle_cli.files.decisions import write_problem as write
from imle_cli.files.sources import SourceError
from imle_core.decisions import Decisions
from imle_core.solvers import GridEdgePath, TopK

COSTS = torch.tensor([[3.0, 1.0, 2.0, 5.0], [1.0, 5.0, 4.0, 1.0]])
FEATURES = torch.eye(2)


@pytest.fixture
def folder(tmp_path):
    write_decisions(tmp_path, "train", Decisions(FEATURES, COSTS, TopK(1), sense="min"))
    write(tmp_path, "top-k", {"k": 1}, "min", {"kind": "by hand"})
    return tmp_path


def test_what_is_written_is_read_again(folder):
    assert splits_in(folder) == ["train"]
    assert {path.name for path in folder.iterdir()} == {PROBLEM, *file_names("train")}
    solver, sense = read_problem(folder)
    assert (repr(solver), sense) == ("TopK(k=1)", "min")
    read = read_decisions(folder, "train", solver, sense)
    for name, expected in (("features", FEATURES), ("costs", COSTS), ("gold", torch.eye(4)[[1, 0]])):
        assert torch.equal(getattr(read, name), expected)


def test_a_users_folder_needs_features_and_costs(folder):
    (folder / "train_solutions.npy").unlink()
    np.save(folder / "train_costs.npy", COSTS.double().numpy())
    solver = GridEdgePath((2, 2))
    assert read_decisions(folder, "train", solver, "min").gold.tolist() == [[1.0, 0.0, 1.0, 0.0]] * 2


def refusal(call):
    with pytest.raises(SourceError) as caught:
        call()
    return str(caught.value)


FOLDERS = {
    "half a data set: train_costs.npy is missing; a split needs features and costs": ("train_costs.npy", None),
    "half a data set: train_features.npy is missing; a split needs features and costs": ("train_features.npy", None),
    "train_costs.npy: got 1 instances, and features of 2; each instance has both; give as many rows": (
        "train_costs.npy",
        COSTS[:1].numpy(),
    ),
    "train_solutions.npy: got 1 of 2 that are not optimal (the first is instance 1, off by 4); labels are best solutions of "
    "the true costs; leave them out, so that they are solved": ("train_solutions.npy", np.eye(4)[[1, 1]]),
    "train_solutions.npy: got shape (2, 3) for costs of shape (2, 4); there is one for each instance; give as many": (
        "train_solutions.npy",
        np.eye(3)[:2],
    ),
    "train_features.npy: got 2 entries that are NaN or infinite; they must be finite in float32; correct them": (
        "train_features.npy",
        np.full((2, 1), np.nan),
    ),
    "train_costs.npy: has no instances; a split needs one or more": ("train_costs.npy", np.zeros((0, 3))),
    "train_costs.npy: holds values of type <U1; they must be real numbers; save them as such": (
        "train_costs.npy",
        np.array(["a"]),
    ),
}


@pytest.mark.parametrize("message", FOLDERS)
def test_folders_that_do_not_fit(folder, message):
    name, array = FOLDERS[message]
    (folder / name).unlink()
    if array is not None:
        np.save(folder / name, array)
    assert refusal(lambda: read_decisions(folder, "train", TopK(1), "min")).endswith(message)


def test_an_argument_of_the_solver_that_does_not_fit(folder):
    text = "train_costs.npy: k: got 9; an instance has 4 entries; k must be from 0 to 4, or at_most=True"
    assert refusal(lambda: read_decisions(folder, "train", TopK(9), "min")).endswith(text)


def test_no_folder_and_no_split(folder):
    assert "no such folder" in refusal(lambda: read_decisions(folder / "none", "train", TopK(1), "min"))
    assert "is a file" in refusal(lambda: read_decisions(folder / PROBLEM, "train", TopK(1), "min"))
    assert "has no test split; there is train; add" in refusal(lambda: read_decisions(folder, "test", TopK(1), "min"))
    (folder / "empty").mkdir()
    text = "holds no data set of decisions; add train_features.npy and train_costs.npy"
    assert text in refusal(lambda: read_decisions(folder / "empty", "train", TopK(1), "min"))


PROBLEMS = {
    "no JSON": "is no JSON (",
    "[1]": "has no sense and no solver; it must be {",
    json.dumps({"solver": "top-k"}): "has no sense; it must be {",
    json.dumps({"solver": "gurobi", "sense": "min"}): "has solver 'gurobi'; it must be one of acyclic-path, argmax,",
    json.dumps({"solver": "top-k", "sense": "up"}): "has sense 'up'; it must be min, where costs are paid, or max",
    json.dumps({"solver": "top-k", "sense": "min", "arguments": {"k": -1}}): "k: got -1; ",
    json.dumps({"solver": "top-k", "sense": "min", "arguments": {"q": 1}}): "has arguments that top-k does not take (",
    json.dumps({"solver": "top-k", "sense": "min", "arguments": [1]}): "has arguments [1]; they must be {NAME: VALUE, ...}",
    "[" * 10**5: "is no JSON (its lists in lists are too deep); write {",
    json.dumps(
        {"solver": "knapsack", "sense": "max", "arguments": {"weights": [[1, 2], [3]], "capacity": [3, 3]}}
    ): "weights: got lists of different lengths; lists side by side have the same length; add what is missing",
    json.dumps({"solver": "knapsack", "sense": "max", "arguments": {"weights": 3, "capacity": 3}}): "weights: got shape ()",
    json.dumps({"solver": "portfolio", "sense": "max", "arguments": {"covariance": [[1, 0], [0]]}}): "covariance: got lists",
    json.dumps({"solver": "portfolio", "sense": "max", "arguments": {"covariance": [[1]], "risk": "a"}}): "risk: got 'a'; ",
    json.dumps({"solver": [1], "sense": "min"}): "has solver [1]; it must be one of",
    json.dumps(
        {"solver": "portfolio", "sense": "max", "arguments": {"covariance": [[1, 0], [0, 1]], "risk": 0.1}}
    ): "risk: ",
}


@pytest.mark.parametrize("text", PROBLEMS)
def test_problems_of_another_kind(folder, text):
    if "portfolio" in text:
        pytest.importorskip("clarabel")
    (folder / PROBLEM).write_text(text)
    assert PROBLEMS[text] in refusal(lambda: read_problem(folder))


def test_no_problem(folder):
    (folder / PROBLEM).unlink()
    assert "problem.json" in refusal(lambda: read_problem(folder))
