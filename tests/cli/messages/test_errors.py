"""Refusals of the library in the words of the command line."""

import networkx as nx
import pytest
import torch
import typer

from imle_cli.messages import WORDS, reported_errors, worded
from imle_core import ArgumentError, GumbelNoiseDistribution, SumOfGammaNoiseDistribution
from imle_core.checks import ArgumentTypeError
from imle_core.estimators import differentiable
from imle_core.perception import PerceptionTraining, make_method, make_network, terrain_maps
from imle_core.solvers import Assignment, Matching, ShortestPath, SpanningTree, TopK

INF, CYCLE, CHAIN = torch.inf, [("a", "b"), ("b", "c"), ("c", "a")], [("a", "b"), ("b", "c"), ("c", "d")]


def diverged():
    network = make_network("small", 0)
    for weights in network.parameters():
        torch.nn.init.constant_(weights, torch.nan)
    next(iter(PerceptionTraining(network, make_method("imle"), terrain_maps(1, 3, seed=0))))


# What the library refuses, and the words of the command that must be in its place.
REFUSED = {
    "a graph in two parts": (lambda: SpanningTree([("a", "b"), ("c", "d")]), "add edges, or use --solver spanning-forest"),
    "edges without which a graph is in parts": (
        lambda: SpanningTree([("a", "b")])(torch.tensor([[-INF]])),
        "raise one of them, or use --solver spanning-forest",
    ),
    "no perfect matching": (
        lambda: Matching(CHAIN[:2], perfect=True),
        "--solver perfect-matching needs one; add edges, or use --solver matching",
    ),
    "edges without which no matching is perfect": (
        lambda: Matching([("a", "b")], perfect=True)(torch.tensor([[-INF]])),
        "--solver perfect-matching needs one; raise one of them, or use --solver matching",
    ),
    "a cycle of negative cost": (
        lambda: ShortestPath(nx.DiGraph([*CYCLE, ("c", "d")]), "a", "d")(torch.tensor([[1.0, 1.0, 1.0, -1.0]])),
        "lower theta on its edges, or give --floor 0 to clamp costs",
    ),
    "noise that is not normal": (
        lambda: differentiable("perturbed-multiplicative", TopK(1), None, GumbelNoiseDistribution()),
        "use --noise normal",
    ),
    "noise without a density": (
        lambda: differentiable("perturbed", TopK(1), None, SumOfGammaNoiseDistribution(10.0, 10)),
        "use --noise normal or --noise gumbel",
    ),
    "no noise": (lambda: differentiable("perturbed", TopK(1)), "use --noise gumbel for instance"),
    "a solver without normals": (lambda: differentiable("cone", torch.clone), "choose another --estimator"),
    "costs that are no numbers": (diverged, "use a smaller --lr"),
    "no complete assignment": (
        lambda: Assignment()(torch.tensor([[[-INF, -INF], [0.0, 0.0]]])),
        "allow more, or take --solver partial-assignment",
    ),
    "a directed graph": (lambda: Matching(nx.DiGraph([("a", "b")])), "give --undirected"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_rules_and_remedies_name_options(case):
    refused, words = REFUSED[case]
    with pytest.raises(ArgumentError) as caught:
        refused()
    assert worded(caught.value).endswith(f"; {words}")
    assert not str(caught.value).endswith(f"; {words}")


def test_every_translation_is_of_something_that_the_library_says():
    words = " | ".join(words for _, words in REFUSED.values())
    assert [word for word in WORDS.values() if word not in words] == []


def test_an_argument_is_called_by_its_option_or_by_a_given_name():
    error = ArgumentTypeError("t", "'floor=0'", "it is s as well", "choose another node")
    assert worded(error) == "--goal: got 'floor=0'; it is s as well; choose another node"
    assert worded(error, "map.csv") == "map.csv: got 'floor=0'; it is s as well; choose another node"


@pytest.mark.parametrize("text", WORDS)
def test_no_other_text_is_changed(text, capsys):
    with pytest.raises(typer.Exit), reported_errors(False):
        raise ValueError(f"{text}.csv: {text}")
    assert capsys.readouterr().err == f"error: {text}.csv: {text}\n"
    error = ArgumentError(text, text, "it must be a file", "check the path")
    assert worded(error) == f"{text}: got {text}; it must be a file; check the path"


@pytest.mark.parametrize(("given", "code"), [((), 1), (("--goal",), 2), (("--start",), 2), (("--samples",), 1)])
def test_what_the_library_refuses_of_an_option_that_was_given_is_wrong_usage(given, code, capsys):
    with pytest.raises(typer.Exit) as caught, reported_errors(False, given):
        raise ArgumentError("goal", "tile (2, 2)", "walls cut it off from start (0, 0)", "open a way")
    assert caught.value.exit_code == code
    assert capsys.readouterr().err.startswith("error: --goal: got tile (2, 2); ")


def test_a_refusal_is_reported_in_the_words_of_the_command(capsys):
    with pytest.raises(typer.Exit) as caught, reported_errors(False):
        raise ArgumentError("s", "'x'", "perfect=True needs one", "use a smaller lr", "gave")
    assert caught.value.exit_code == 1
    assert capsys.readouterr().err == "error: --start: gave 'x'; --solver perfect-matching needs one; use a smaller --lr\n"
