"""Protocols of solvers, noise and targets: the code looks for nothing else, and our own classes fulfil theirs."""

import ast
import re
from pathlib import Path

import pytest
import torch

from imle_core import (
    AdaptiveTargetDistribution,
    AntitheticNoiseDistribution,
    GumbelNoiseDistribution,
    KnownTargetDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
    TargetDistribution,
    contracts,
)
from imle_core.contracts import protocols, solver_protocols
from imle_core.solvers import BlackBox, GridPath, ShortestPath, TopK

ROOT = Path(__file__).parents[3]
REQUIRED = {"Solver", "Noise", "Target"}
ASKING = {"getattr", "hasattr", "declared", "check_method"}
ELSEWHERE = {  # what is asked of Python, of the system and of other libraries
    *("code", "exit_code", "format_message", "strerror"),  # errors
    *("encoding", "reconfigure"),  # streams
    *(
        "CREATE_NO_WINDOW",
        "getloadavg",
        "SIGHUP",
        "fork",
        "killpg",
        "mallopt",
        "register_at_fork",
        "setitimer",
        "setsid",
    ),  # systems
    *("_current_graph_task_id", "gather", "gi_frame", "ndim", "shape", "tag_v2"),  # torch, Triton, generators, arrays, TIFF
    *("optimizer", "sums"),  # a training
    *("hidden", "panel", "rich_help_panel", "show_default"),  # options, and their groups
    *("edges", "is_directed", "nodes", "number_of_edges"),  # graphs of networkx
    *("_fields", "detach", "dtype", "is_animated"),  # named tuples, tensors, pictures
    "lambda_",  # a target of ours, of which a module may change it
    "moves",  # a solver of paths on maps
}


def members_of_protocols():
    """Members of each protocol that is written in the modules."""
    trees = [ast.parse(Path(module.__file__).read_text(encoding="utf-8")) for module in (protocols, solver_protocols)]
    classes = [node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]
    return {
        node.name: {
            getattr(line, "name", None) or line.target.id
            for line in node.body
            if isinstance(line, ast.FunctionDef | ast.AnnAssign)
        }
        for node in classes
        if any(ast.unparse(base) == "Protocol" for base in node.bases)
    }


MEMBERS = members_of_protocols()
OPTIONAL = {name: members for name, members in MEMBERS.items() if name not in REQUIRED}


def asked_for():
    """Names for which the code looks, as far as they are written there."""
    for path in (path for package in ("imle_core", "imle_cli") for path in (ROOT / package).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if any(name in text for name in ASKING):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and called(node.func) in ASKING:
                    yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant))


def called(function):
    """The last name of what is called; what has none, as another call, is called by no name."""
    return getattr(function, "attr", None) or getattr(function, "id", None)


@pytest.mark.slow
def test_the_code_looks_for_no_member_that_no_protocol_documents():
    names = {name for name in asked_for() if isinstance(name, str) and name.isidentifier() and not name.startswith("__")}
    arguments = {"target_distribution", "noise_distribution"}  # of check_method
    assert names - arguments - ELSEWHERE - set().union(*MEMBERS.values()) == set()
    assert names >= {"perturb_and_map", "follows_gradient", "lacks_score", "kept"}


def test_the_table_has_every_optional_member_with_its_protocol():
    rows = re.findall(r"^    (\w[\w, ]*?)  +([A-Z]\w+)  ", protocols.__doc__, re.MULTILINE)
    table = {protocol: set(members.split(", ")) for members, protocol in rows}
    assert table == OPTIONAL


def test_every_protocol_is_offered_by_the_package():
    assert MEMBERS.keys() <= set(contracts.__all__)


EDGES = [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)]
FULFILLED = {
    "grid": (
        GridPath,
        {
            *("Pure", "FusedSolver", "DirectedSolver", "BoundedSolver", "ClampingSolver", "ReusingSolver", "CountingSolver"),
            "PaddedSolver",
        },
    ),
    "graph": (
        lambda: ShortestPath(EDGES, 0, 3),
        {
            *("Pure", "DirectedSolver", "BoundedSolver", "ClampingSolver"),
            *("CountingSolver", "CountingEach", "RaggedSolver", "ListSolver", "BindingSolver"),
        },
    ),
    "top-k": (
        lambda: TopK(2),
        {"Pure", "DirectedSolver", "CountingSolver", "ServingSolver", "PaddedSolver", "BindingSolver"},
    ),
    "black box": (lambda: BlackBox(torch.sign), {"Pure", "DirectedSolver", "ServingSolver", "RaggedSolver"}),
    "normal": (NormalNoiseDistribution, {"Pure", "ScoredNoise", "RaggedNoise"}),
    "sum of gamma": (lambda: SumOfGammaNoiseDistribution(5.0), {"Pure", "ScoredNoise", "SizedNoise", "RaggedNoise"}),
    "pairs": (
        lambda: AntitheticNoiseDistribution(GumbelNoiseDistribution()),
        {"Pure", "ScoredNoise", "DependentNoise", "RaggedNoise"},
    ),
    "fixed": (TargetDistribution, {"Pure", "SteppingTarget", "WeightedTarget", "RaggedTarget"}),
    "known": (lambda: KnownTargetDistribution(torch.zeros(3)), {"Pure", "CheckingTarget", "GivenTarget", "RaggedTarget"}),
    "adaptive": (
        AdaptiveTargetDistribution,
        {"Pure", "SteppingTarget", "DividingTarget", "WeightedTarget", "ObservingTarget", "RaggedTarget"},
    ),
    "a function": (lambda: torch.sign, set()),
}


@pytest.mark.parametrize("name", FULFILLED)
def test_which_protocols_ours_fulfil(name):
    make, expected = FULFILLED[name]
    thing = make()
    assert {protocol for protocol in OPTIONAL if isinstance(thing, getattr(contracts, protocol))} == expected
