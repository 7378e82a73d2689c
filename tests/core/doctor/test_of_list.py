"""What the doctor says of solvers of certain instances."""

import networkx as nx
import pytest
import torch

from imle_core.checks import ArgumentError
from imle_core.doctor import check
from imle_core.solvers import Matching, MinCut, ShortestPath, SpanningTree, TopK

GRAPHS = [nx.path_graph(3), nx.complete_graph(4), nx.empty_graph(1)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "solver",
    [
        SpanningTree(GRAPHS),
        Matching(GRAPHS),
        ShortestPath(GRAPHS[:2], 0, 2),
        MinCut(GRAPHS[:2], 0, 2),
        SpanningTree([([[0, 1, 1, 2, 0, 2], [1, 0, 2, 1, 2, 0]], 3), ([[0], [1]], 2)]),
    ],
    ids=repr,
)
def test_graphs_of_a_list_are_examined_in_company(solver):
    findings = check(solver, (6,), nb_instances=12)
    assert [finding for finding in findings if finding.verdict == "fail"] == []
    details = {finding.check: finding.detail for finding in findings}
    assert details["call"].endswith("the largest")
    assert details["padding"] == "layer.ragged tells it the sizes of its rows"


def test_another_event_shape_is_a_finding():
    (finding,) = check(SpanningTree(GRAPHS), (5,))
    assert (finding.check, finding.verdict) == ("call", "fail")
    assert "3 graphs of up to 6 edges need (N, 6)" in finding.detail


class Uneven:
    """The largest entry of each row, of instances that have 2 and 4 entries; a base for wrong ones."""

    offsets = torch.tensor([0, 2, 6])

    def __call__(self, theta):
        return TopK(1)(theta)


class Writes(Uneven):
    def __call__(self, theta):
        z = TopK(1)(theta)
        theta.zero_()
        return z


class Smallest(Uneven):
    def __call__(self, theta):
        return TopK(1)(torch.where(theta.isinf(), theta, -theta)), ["row"] * len(theta)


class Shifted(Uneven):
    """Gives each instance what the other one asked for."""

    def __call__(self, theta):
        return TopK(1)(theta).roll(len(theta) // 2, dims=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("solver", "name", "verdict"),
    [
        (Uneven(), "maximiser", "pass"),
        (Writes(), "input", "warn"),
        (Smallest(), "maximiser", "fail"),
        (Shifted(), "rows", "fail"),
    ],
)
def test_what_is_wrong_with_an_instance_is_found(solver, name, verdict):
    verdicts = {finding.check: finding.verdict for finding in check(solver, (4,), nb_instances=12)}
    assert verdicts[name] == verdict


@pytest.mark.parametrize("offsets", ["all", 3, [0], [0.0, 2.0], [1, 3], [0, 3, 2]])
def test_offsets_that_are_none(offsets):
    solver = Uneven()
    solver.offsets = offsets
    with pytest.raises(
        ArgumentError, match=r"^offsets: the solver declares .*; they must be whole numbers that rise from 0"
    ):
        check(solver, (4,))
