"""Our solvers by name: graphs, arguments, shapes."""

import pytest

from imle_cli.problems.built_in_solvers import BUILT_IN, edges, make
from imle_core.solvers import SOLVERS, IntegerProgram, Knapsack, MinCut, TopK


def test_every_solver_has_a_name():
    assert set(BUILT_IN) == set(SOLVERS)


@pytest.mark.parametrize("count", [1, 3, 5, 10])
def test_graphs_are_connected_and_have_as_many_edges_as_entries(count):
    graph = edges(count)
    assert len(graph) == len(set(graph)) == count
    assert {low for low, high in graph if high == max(map(max, graph))} >= {0}
    assert [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)][:count] == graph[:6]


def test_arguments_suit_the_shape_and_give_way():
    assert make("top-k", (3, 3), {}).k == 3
    assert make("top-k", (2,), {}).k == 1
    assert isinstance(make("top-k", (3, 3), {"k": 5}), TopK)
    assert make("top-k", (3, 3), {"k": 5}).k == 5
    knapsack = make("knapsack", (2, 3), {})
    assert isinstance(knapsack, Knapsack)
    assert (knapsack.weights.tolist(), knapsack.capacity) == ([[1, 2, 3], [4, 5, 6]], 10)
    assert isinstance(make("integer-program", (4,), {}), IntegerProgram)
    cut = make("min-cut", (6,), {"floor": None})
    assert isinstance(cut, MinCut)
    assert (cut.s, cut.t, cut.floor, len(cut.edges)) == (0, 3, None, 6)
