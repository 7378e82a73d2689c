"""Tours: brute force, ties, both methods, forbidden edges, the order of a tour, errors."""

from itertools import permutations

import pytest
import torch

from draws import normal
from imle_core import ArgumentError, imle
from imle_core.solvers import Tour


def all_tours(nodes):
    """Masks of all tours by their nodes from node 0 on, in the order of these."""
    solver = Tour(nodes)
    masks = []
    for rest in permutations(range(1, nodes)):
        steps = zip((0, *rest), (*rest, 0), strict=True)
        chosen = {solver.edges.index((min(step), max(step))) for step in steps}
        masks.append([float(edge in chosen) for edge in range(len(solver.edges))])
    return torch.tensor(masks)


@pytest.mark.parametrize("nodes", [3, 4, 6])
def test_the_best_of_all_tours_by_gains_of_either_sign(nodes):
    solver, tours = Tour(nodes), all_tours(nodes)
    theta = normal(20, len(solver.edges), seed=nodes).double()
    best = tours[(theta @ tours.double().T).argmax(dim=1)].double()
    assert torch.equal(solver(theta), best)
    assert torch.equal(imle(solver, sense="min")(-theta), best)
    assert solver.typical_ones(()) == nodes


def test_of_equally_good_tours_the_first():
    solver, tours = Tour(6), all_tours(6)
    theta = torch.randint(3, (50, 15), generator=torch.Generator().manual_seed(0)).float()
    assert torch.equal(solver(theta), tours[(theta @ tours.T).argmax(dim=1)])  # argmax takes the first
    assert solver.tour_nodes(solver(torch.zeros(1, 15))[0]) == [0, 1, 2, 3, 4, 5]


def test_tours_by_programs_are_as_good(monkeypatch):
    solver, costs = Tour(8), normal(3, 28).double()
    costs[2, [solver.edges.index((u, v)) for u, v in [(0, 1), (2, 3), (4, 7)]]] = torch.inf
    best = solver(-costs)
    monkeypatch.setattr("imle_core.solvers.permutations.tour._MOST_COMPILED", 7)
    z = solver(-costs)
    finite = costs.masked_fill(costs.isinf(), 1e9)
    torch.testing.assert_close((z * finite).sum(dim=1), (best * finite).sum(dim=1))
    # Cheap edges within two parts of the nodes, which tours of their own would take.
    parts = torch.tensor([float((u < 4) != (v < 4)) for u, v in solver.edges])[None]
    assert float((solver(-parts) * parts).sum()) == 2


@pytest.mark.parametrize("most", [7, 12])
def test_instances_without_a_tour_are_named(most, monkeypatch):
    monkeypatch.setattr("imle_core.solvers.permutations.tour._MOST_COMPILED", most)
    theta = torch.zeros(3, 28)
    theta[1, :6] = -torch.inf  # of the 7 edges at node 0
    with pytest.raises(ArgumentError, match=r"^theta: got edges of -inf that leave instance 1 no tour; a tour visits"):
        Tour(8)(theta)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Tour(2), r"^nodes: got 2; it must be a whole number >= 3; a tour needs 3 nodes"),
        (lambda: Tour(4)(torch.zeros(1, 5)), r"^theta: got shape \(1, 5\); a tour through 4 nodes needs \(N, 6\)"),
        (lambda: Tour(3)(torch.full((1, 3), torch.nan)), r"^theta: got 3 NaN and 0 inf; gains must be finite"),
        (lambda: Tour(3)(torch.full((1, 3), torch.inf)), r"^theta: got 0 NaN and 3 inf; gains must be finite"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()


def test_a_huge_number_of_nodes_costs_nothing_until_it_is_solved():
    with pytest.raises(ArgumentError, match=r"^theta: got shape \(1, 5\); a tour through 1000000000 nodes needs \(N, 4"):
        Tour(10**9)(torch.zeros(1, 5))
