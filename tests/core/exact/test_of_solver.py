"""Which exact distribution belongs to which solver."""

import re
from itertools import combinations

import networkx as nx
import pytest
import torch

from imle_core.exact import (
    AcyclicGridPaths,
    Categorical,
    KnapsackSets,
    KSubset,
    SpanningTrees,
    check_family,
    exact_family,
    family_of,
)
from imle_core.solvers import AcyclicGridPath, ArgMax, Assignment, GridPath, Knapsack, Ranking, SpanningTree, TopK

EDGES = list(combinations("abcd", 2))
KNOWN = {
    "top-k": (TopK(2), (5,), KSubset),
    "top-k of a matrix": (TopK(3), (2, 3), KSubset),
    "argmax": (ArgMax(), (2, 3), Categorical),
    "path": (AcyclicGridPath(), (3, 4), AcyclicGridPaths),
    "path without diagonals": (AcyclicGridPath(diagonal=False), (3, 4), AcyclicGridPaths),
    "tree": (SpanningTree(EDGES), (6,), SpanningTrees),
    "tree of fewer edges": (SpanningTree(EDGES[:4]), (4,), SpanningTrees),
    "knapsack": (Knapsack([1, 2, 3, 4, 5], 7), (5,), KnapsackSets),
}
UNKNOWN = [GridPath(), SpanningTree([("a", "b"), ("c", "d")], forest=True), Ranking(), Assignment(), lambda z: z]


@pytest.mark.parametrize("name", KNOWN)
def test_the_solver_finds_the_mode_of_its_family(name):
    solver, event, kind = KNOWN[name]
    family = family_of(solver, event)
    assert type(family) is kind
    assert family.event == event
    check_family(solver, "the test")
    theta = torch.randn(200, *event, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    states = family.states()
    best = states[(theta.flatten(1) @ states.flatten(1).T).argmax(dim=1)]
    assert torch.equal(solver(theta), best)


def test_a_number_of_ones_for_each_instance_comes_with_the_call():
    solver, theta = TopK(at_most=True), torch.zeros(4, 5)
    assert family_of(solver, (5,)) is None
    check_family(solver, "the test")
    for arguments in ((([2, 7],), {}), ((), {"k": [2, 7]})):
        family = exact_family(solver, theta, arguments)
        assert repr(family) == "KSubset(k=(2, 7), event=(5,), at_most=True)"
        assert family.marginals(theta).sum(dim=1).tolist() == pytest.approx([2, 2, 5, 5])
    assert exact_family(TopK(1, dim=-1), torch.zeros(2, 3, 4), ((), {})).count() == 4**3
    with pytest.raises(ValueError, match=r"^k: got None; TopK\(\) needs one for each instance; call it with k=\[...\]$"):
        exact_family(solver, theta, ((), {}))


@pytest.mark.parametrize("solver", UNKNOWN, ids=lambda solver: type(solver).__name__)
def test_none_for_other_solvers(solver):
    assert family_of(solver, (2, 2)) is None
    message = (
        f"function: got {solver!r}; the test needs exact marginals, which are known for TopK, ArgMax, AcyclicGridPath, "
        "SpanningTree and Knapsack; give its exact distribution as family=..."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        check_family(solver, "the test")


def test_a_list_of_graphs_has_a_family_where_each_of_them_has_one():
    triangle, pair = [(0, 1), (1, 2), (0, 2)], ([[0, 1], [1, 0]], 2)
    graphs = [nx.Graph(triangle), nx.empty_graph(1), nx.path_graph(3)]
    solver = SpanningTree(graphs)
    family = family_of(solver, (3,))
    assert repr(family) == "SpanningTreesOfGraphs(graphs=3, edges=3 at most)"
    assert family_of(solver, (3,)) is family
    assert exact_family(solver, torch.zeros(1, 2), ((), {}), 2).count() == 1
    message = "^offsets: got 2 entries for instance 0; its graph has 3 edges; give the offsets of edges"
    with pytest.raises(ValueError, match=message):
        exact_family(solver, torch.zeros(1, 2), ((), {}), 0)
    for graph in (nx.MultiGraph([(0, 1), (0, 1)]), nx.Graph([(0, 1), (1, 1)]), pair):
        assert family_of(SpanningTree([nx.Graph(triangle), graph]), (3,)) is None
    assert family_of(SpanningTree(graphs, forest=True), (3,)) is None
    assert family_of(SpanningTree([nx.empty_graph(1)]), (0,)) is None
