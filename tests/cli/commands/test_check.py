"""``imle check``: solvers by name, verdicts, counter-examples, exit codes."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from imle_cli.app import app
from imle_cli.built_in_solvers import BUILT_IN
from imle_core.doctor import CHECKS

MODULE = """
import torch
from imle_core.solvers import TopK

def good(theta):
    return TopK(2)(theta)

def bad(theta):
    return TopK(2)(-theta)

class Made:
    def __call__(self, theta):
        return good(theta)

class Needs:
    def __init__(self, k, name="top"):
        self.k, self.name = int(k), name

    def __call__(self, theta):
        return TopK(self.k)(theta)

def made(k):
    return TopK(k)

def of_one(theta):
    return theta > 0

of_one.domain = (2.0, 3.0)

def refuses(theta):
    if (theta[:, 0] > 0.9).any():
        raise KeyError("no such item")
    return good(theta)

def talks(theta):
    print("solving")
    return good(theta)

number = 3
"""


def invoke(*arguments):
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


@pytest.fixture
def module(request):
    """Name of a module of the user's in the current folder; each test has one of its own, since modules stay imported."""
    name = f"of_the_user_{abs(hash(request.node.nodeid))}"
    Path(f"{name}.py").write_text(MODULE)
    return name


@pytest.mark.parametrize("name", BUILT_IN)
def test_our_solvers_by_name(name):
    result = invoke(name, "--instances", "16")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["check", *CHECKS]
    verdicts = dict(line.split()[:2] for line in result.stdout.splitlines()[1:])
    assert verdicts.pop("speed") in ("pass", "warn")  # a busy machine is slow
    assert set(verdicts.values()) == {"pass"}


@pytest.mark.parametrize("name", ["good", "Made"])
def test_a_function_or_class_of_the_users(module, name):
    result = invoke(f"{module}:{name}", "--shape", "6", "--json")
    assert result.exit_code == 0
    values = json.loads(result.stdout)
    assert set(values) == {"solver", "shape", "findings", "failed", "seconds"}
    assert [set(finding) for finding in values["findings"]] == [{"check", "verdict", "detail"}] * len(CHECKS)
    assert (values["shape"], values["failed"]) == ([6], 0)


def test_one_that_fails_and_its_counter_example(module):
    result = invoke(f"{module}:bad", "--shape", "6", "--save", "example.npz")
    assert result.exit_code == 1
    assert "it minimises <z, theta>" in result.stdout
    assert result.stderr == (
        "example.npz: theta, z, which show what maximiser says\n"
        f"error: {module}:bad: 1 of 23 checks failed; the first is maximiser\n"
    )
    with np.load("example.npz") as arrays:
        products = arrays["theta"] @ arrays["z"].T
    assert products.shape == (2, 2)
    assert (products.diagonal() < products[[0, 1], [1, 0]]).any()


def test_one_that_minimises_and_is_to(module):
    result = invoke(f"{module}:bad", "--shape", "6", "--sense", "min")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "it minimises <z, theta>: none of 4,096 other solutions of its own is better" in result.stdout


def test_an_instance_that_is_refused_is_named_and_saved(module):
    result = invoke(f"{module}:refuses", "--shape", "6", "--save", "example.npz", "--json")
    assert result.exit_code == 1
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding["check"] == "call"
    assert finding["detail"].startswith("raised KeyError ('no such item') for instance ")
    with np.load("example.npz") as arrays:
        assert arrays["theta"].shape == (1, 6)
        assert arrays["theta"][0, 0] > 0.9


def test_the_example_of_a_warning_is_saved_where_nothing_fails():
    result = invoke("min-cut", "--arg", "floor=None", "--instances", "16", "--save", "example.npz")
    assert result.exit_code == 0
    assert result.stderr == "example.npz: theta, which show what gradients says\n"
    with np.load("example.npz") as arrays:
        assert (arrays["theta"] > 0).any()


def test_nothing_to_save(module):
    result = invoke(f"{module}:good", "--shape", "6", "--save", "example.npz")
    assert (result.exit_code, result.stderr) == (0, "example.npz: not written, since there is no counter-example\n")
    assert not Path("example.npz").exists()


def test_what_a_solver_prints_is_no_result(module):
    result = invoke(f"{module}:talks", "--shape", "6", "--json")
    assert json.loads(result.stdout)["failed"] == 0
    assert set(result.stderr.replace("\n", "").split("solving")) == {""}  # several threads print at once


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("Needs", ["k=2"]), ("Needs", ["k=2", "name=word"]), ("Needs", ["k='3'"]), ("made", ["k=2"])],
)
def test_arguments_of_a_class_or_of_what_makes_a_solver(module, name, arguments):
    given = [part for argument in arguments for part in ("--arg", argument)]
    result = invoke(f"{module}:{name}", "--shape", "6", "--instances", "8", *given)
    assert (result.exit_code, result.stderr) == (0, "")


def test_arguments_of_ours():
    values = json.loads(invoke("top-k", "--shape", "10", "--arg", "k=4", "--instances", "8", "--json").stdout)
    assert values["shape"] == [10]
    result = invoke("spanning-tree", "--arg", "graph=[('a', 'b'), ('b', 'c'), ('a', 'c')]", "--shape", "3")
    assert (result.exit_code, result.stderr) == (0, "")
    result = invoke("dijkstra", "--shape", "3,4", "--arg", "moves=4", "--arg", "start=(1, 0)", "--instances", "8")
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_function_of_one_instance(module):
    result = invoke(f"{module}:of_one", "--shape", "4", "--per-instance", "--instances", "8", "--json")
    findings = {finding["check"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert result.exit_code == 0
    assert findings["call"]["detail"] == "8 instances, theta from 2 to 3"


def test_bounds_of_theta():
    result = invoke("dijkstra", "--low", "-1", "--high", "1")
    assert result.exit_code == 1
    assert "theta is outside its domain: where all theta are below 0 it solves" in result.stdout


BAD = {
    ("nothing",): (
        2,
        "MODULE:SOLVER: got 'nothing'; it must be module:name, or one of acyclic-path, argmax, assignment, dijkstra, "
        "integer-program, knapsack, matching, min-cut, path, ranking, spanning-tree, top-k",
    ),
    ("no_such_module:solver",): (
        1,
        "no_such_module:solver: cannot be imported (ModuleNotFoundError: No module named 'no_such_module'); --debug shows "
        "where",
    ),
    ("math:nothing",): (
        1,
        "math:nothing: cannot be imported (AttributeError: module 'math' has no attribute 'nothing'); --debug shows where",
    ),
    ("math:pi",): (1, "math:pi: got float, which cannot be called; name a function or an object like one"),
    ("top-k", "--arg", "k"): (2, "--arg: got 'k'; it must be NAME=VALUE, such as k=3"),
    ("top-k", "--arg", "k=0"): (
        1,
        "top-k: cannot be made (ValueError: k: got 0; it must be a whole number >= 1; top-k chooses k entries); give its "
        "arguments with --arg NAME=VALUE",
    ),
    ("ranking", "--arg", "k=3"): (
        1,
        "ranking: cannot be made (TypeError: Ranking() takes no arguments); give its arguments with --arg NAME=VALUE",
    ),
    ("dijkstra", "--shape", "5,0"): (
        2,
        "--shape: got '5,0'; it must be whole numbers >= 1 between commas, such as 5,5",
    ),
    ("dijkstra", "--instances", "1"): (2, "--instances: got 1; it must be >= 2; the usual number is 64"),
    ("dijkstra", "--low", "3", "--high", "2"): (
        1,
        "low, high: got 3 and 2; low must be finite and below high; leave them out for [-1, 1]",
    ),
    ("dijkstra", "--save", "none/x.npz"): (1, "--save: the folder none does not exist; make it first"),
    ("dijkstra", "--save", "x.txt"): (1, "--save: x.txt ends in .txt; it must end in .npz"),
}


@pytest.mark.parametrize("arguments", BAD, ids=" ".join)
def test_bad_options(arguments):
    code, message = BAD[arguments]
    result = invoke(*arguments)
    assert (result.exit_code, result.stderr, result.stdout) == (code, f"error: {message}\n", "")


def test_a_class_without_its_arguments(module):
    result = invoke(f"{module}:Needs")
    assert result.exit_code == 1
    assert result.stderr == (
        f"error: {module}:Needs: cannot be made (TypeError: Needs.__init__() missing 1 required positional argument: 'k'); "
        "give its arguments with --arg NAME=VALUE\n"
    )


def test_a_module_that_ends_the_program():
    Path("ends_of_the_user.py").write_text("raise SystemExit(0)\n")
    result = invoke("ends_of_the_user:solver")
    assert result.exit_code == 1
    assert result.stderr == "error: ends_of_the_user:solver: cannot be imported (SystemExit: 0); --debug shows where\n"


def test_the_traceback_of_a_module_that_fails():
    Path("broken_of_the_user.py").write_text("1 / 0\n")
    result = invoke("broken_of_the_user:solver", "--debug")
    assert result.exit_code == 1
    assert 'broken_of_the_user.py", line 1' in result.stderr
    assert "ZeroDivisionError" in result.stderr
