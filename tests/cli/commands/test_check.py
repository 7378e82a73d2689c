"""``imle check``: solvers by name, verdicts, counter-examples, exit codes."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from imle_cli.app import app
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
    def __init__(self, k):
        pass

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


@pytest.mark.parametrize("name", ["acyclic-path", "argmax", "assignment", "dijkstra", "ranking"])
def test_our_solvers_by_name(name):
    result = invoke(name, "--shape", "4,5")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["check", *CHECKS]
    assert " fail " not in result.stdout


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
    assert result.stderr == f"error: {module}:bad: 3 of 22 checks failed; the first is maximiser\n"
    with np.load("example.npz") as arrays:
        assert arrays["theta"].shape == (1, 6)


def test_bounds_of_theta():
    result = invoke("dijkstra", "--low", "-1", "--high", "1")
    assert result.exit_code == 1
    assert "is theta outside its domain?" in result.stdout


BAD = {
    ("nothing",): (
        2,
        "MODULE:SOLVER: got 'nothing'; it must be module:name, or one of acyclic-path, argmax, assignment, dijkstra, "
        "ranking",
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


def test_the_traceback_of_a_module_that_fails():
    Path("broken_of_the_user.py").write_text("1 / 0\n")
    result = invoke("broken_of_the_user:solver", "--debug")
    assert result.exit_code == 1
    assert 'broken_of_the_user.py", line 1' in result.stderr
    assert "ZeroDivisionError" in result.stderr
