"""Faults in what a solver solves: each is named, and its example shows it again; and what is no fault."""

import heapq
import math
import re

import pytest
import torch

from imle_core.solvers import GridPath, TopK

BEST = TopK(2)
EDGES = [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)]


def values(theta, z):
    return theta.flatten(1).double() @ z.flatten(1).double().T


def has_a_better_one(solver, example):
    z = solver(example["theta"])
    assert torch.equal(z, example["z"])
    products = values(example["theta"], z)
    return (products > products.diagonal()[:, None] + 1e-9).any()


def has_a_worse_one_only(solver, example):
    products = values(example["theta"], solver(example["theta"]))
    return (products >= products.diagonal()[:, None]).all() and has_a_better_one(solver, example)


def is_not_monotone(solver, example):
    (t1, t2), (z1, z2) = example["theta"].double(), solver(example["theta"]).double()
    return ((t1 - t2) * (z1 - z2)).sum() < 0


def has_another_sum(solver, example):
    return len({row.sum().item() for row in solver(example["theta"])}) == 2


def moves_to_worse(solver, example):
    theta, moved = example["theta"].double(), example["moved"].double()
    z, other = solver(example["theta"]).double(), solver(example["moved"]).double()
    return (theta * (other - z)).sum() > 0 or (moved * (z - other)).sum() > 0


def right(theta):
    return BEST(theta)


def wrong_sign(theta):
    return BEST(-theta)


def transposed(theta):
    return GridPath()(theta.transpose(1, 2))


def by_size(theta):
    return BEST(theta.abs())


def not_monotone(theta):
    return BEST(theta * torch.linspace(-1, 1, theta.shape[1]))


def softly(theta):
    return theta.softmax(dim=1)


def above_a_level(theta):
    return (theta > 0.5).to(theta)


def dijkstra(theta):
    """Paths from node 0 to 3 over ``EDGES``, with costs -theta, as in textbooks."""
    return torch.stack([path([-entry for entry in row]) for row in theta.tolist()] or [torch.zeros(5)])[: len(theta)].to(
        theta
    )


def path(costs):
    closed, heap = {}, [(0.0, 0, -1)]
    while heap:
        so_far, node, edge = heapq.heappop(heap)
        if node in closed:
            continue
        closed[node] = edge
        for number, ends in enumerate(EDGES):
            if node in ends:
                heapq.heappush(heap, (so_far + costs[number], sum(ends) - node, number))
    z, node = torch.zeros(len(EDGES)), 3
    while node:
        z[closed[node]] = 1
        node = sum(EDGES[closed[node]]) - node
    return z


class Dijkstra:
    """Says what it takes, and keeps targets to it."""

    domain = (-math.inf, 0.0)

    def __call__(self, theta):
        if theta.isnan().any():
            raise ValueError("NaN")
        return dijkstra(theta.clamp(max=0.0))


class SilentDijkstra:
    """Says what it takes, and takes the rest, too."""

    domain = (-math.inf, 0.0)

    def __call__(self, theta):
        return dijkstra(theta)


def one_too_many_on_ties(theta):
    return (theta >= theta.topk(2, dim=1).values[:, -1:]).to(theta)


def none_on_ties(theta):
    """The best entry if it is above 0, but nothing where two are the best."""
    best = theta.topk(2, dim=1).values
    return ((theta == best[:, :1]) & (best[:, :1] > best[:, 1:]) & (theta > 0)).to(theta)


def shared_on_ties(theta):
    best = (theta == theta.amax(dim=1, keepdim=True)).to(theta)
    return best / best.sum(dim=1, keepdim=True)


def ties_by_row(theta):
    odd = torch.arange(len(theta))[:, None] % 2
    return torch.where(odd == 0, BEST(theta), BEST(theta.flip(1)).flip(1))


def ties_refused(theta):
    if any(len(set(row)) < len(row) for row in theta.tolist()):
        raise ArithmeticError("a tie")
    return BEST(theta)


def on_a_sphere(theta):
    return theta / theta.norm(dim=1, keepdim=True).clamp(min=1e-12)


def off_by_little(theta):
    return BEST(theta + 2e-3 * (1e4 * theta).sin())


def in_whole_numbers(theta):
    return BEST((3000 * theta).round())


def of_small_numbers(theta):
    """Other solutions once all of theta is small."""
    small = theta.abs().amax(dim=1, keepdim=True) < 0.8
    return torch.where(small, BEST(theta.flip(1)), BEST(theta))


def of_low_numbers(theta):
    low = theta.amax(dim=1, keepdim=True) < 0.6
    return torch.where(low, BEST(theta.flip(1)), BEST(theta))


FAILS = {
    wrong_sign: (
        "maximiser",
        r"it minimises <z, theta>; give -theta, or take imle\(\.\.\., sense='min'\); example: theta",
        has_a_worse_one_only,
    ),
    by_size: (
        "maximiser",
        r"for \d+ of 24 instances another of its own solutions is better, by up to \S+; theta is outside its "
        r"domain: where all theta are above 0 it solves, with some below it does not; give low=0\.02 and high=2",
        has_a_better_one,
    ),
    not_monotone: (
        "maximiser",
        r"for \d+ of 24 instances another .*; it is no maximiser of <z, theta>; look at its objective, its signs",
        has_a_better_one,
    ),
    softly: ("maximiser", r"for \d+ of 24 instances another .*; it is no maximiser of <z, theta>", has_a_better_one),
    above_a_level: ("maximiser", r"for \d+ of 24 instances another .*; it is no maximiser of <z, theta>", has_a_better_one),
    one_too_many_on_ties: (
        "ties",
        r"a solution has 2 in sum, but [3-6] on ties; take only as many as there may be",
        has_another_sum,
    ),
    none_on_ties: ("ties", r"on ties it gives what is not best, or not feasible; example: theta", has_a_better_one),
    ties_refused: ("ties", r"it raised ArithmeticError \(a tie\)", None),
}
"""The first failure; where it is "maximiser", "monotone" may fail, too."""


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAILS, ids=lambda fault: fault.__name__)
def test_a_fault_is_named_first_and_its_example_shows_it_again(examined, fault):
    name, detail, shows = FAILS[fault]
    found = examined(fault)
    assert found.fails[0] == name
    assert set(found.fails) <= {name, "monotone"} if name == "maximiser" else {name}
    assert re.match(detail, found[name].detail)
    assert len(found[name].example["theta"]) <= 2
    assert shows is None or shows(fault, found[name].example)


def test_it_is_not_monotone(examined):
    finding = examined(not_monotone)["monotone"]
    assert finding.verdict == "fail"
    assert re.match(
        r"<t1 - t2, z1 - z2> is below 0 for \d+ of 276 pairs, as far as -\S+, which no maximiser has; expect wrong signs of "
        r"gradients; example: theta \[\[",
        finding.detail,
    )
    assert is_not_monotone(not_monotone, finding.example)


@pytest.mark.slow
def test_a_minimiser_is_called_so_and_then_taken_for_one(examined):
    found = examined(wrong_sign)
    assert found.fails == ["maximiser"]
    assert found["maximiser"].detail.endswith("; from here on it is taken for that")
    assert found["monotone"].detail == "<t1 - t2, z1 - z2> <= 0 for all of 276 pairs"
    assert (found["ties"].verdict, found["scale"].verdict, found["shift"].verdict) == ("pass", "pass", "pass")
    assert {"ties", "scale", "shift"} & set(examined(softly).found) == set()
    assert found["gradients"].verdict == "pass"


def test_a_minimiser_that_is_to_be_one(examined):
    found = examined(wrong_sign, sense="min")
    assert (found.fails, found.warns) == ([], [])
    assert found["maximiser"].detail == "it minimises <z, theta>: none of 576 other solutions of its own is better"
    wrong = examined(right, sense="min")
    assert wrong.fails == ["maximiser"]
    assert wrong["maximiser"].detail.startswith("it maximises <z, theta>; give -theta, or take imle(..., sense='max'); ex")


@pytest.mark.slow
def test_dijkstra_on_negative_costs(examined):
    found = examined(dijkstra, (5,))
    assert found.fails[0] == "maximiser"
    assert re.match(
        r"for \d+ of 24 instances another of its own solutions is better, by up to \S+; theta is outside its domain: where "
        r"all theta are below 0 it solves, with some above it does not, like Dijkstra's algorithm on negative costs; give "
        r"low=-2 and high=-0\.02, or a domain attribute, and clamp theta to it",
        found["maximiser"].detail,
    )
    assert has_a_better_one(dijkstra, found["maximiser"].example)
    assert examined(dijkstra, (5,), low=-2.0, high=-0.02).fails == []


@pytest.mark.slow
def test_one_that_keeps_targets_to_its_domain_and_one_that_does_not(examined):
    found = examined(Dijkstra(), (5,))
    assert (found.fails, found.warns) == ([], [])
    assert re.fullmatch(
        r"negative: solved, zero: solved, positive: clamped, huge: clamped, -huge: solved, -inf: solved, NaN: "
        r"ValueError",
        found["domain"].detail,
    )
    silent = examined(SilentDijkstra(), (5,))
    assert (silent.fails, silent.warns) == ([], ["domain"])
    assert "; targets theta - lambda dy leave its domain, where it is silently wrong; clamp theta" in silent["domain"].detail
    assert silent["domain"].example["theta"].max() > 0
    assert has_a_better_one(SilentDijkstra(), silent["domain"].example)


@pytest.mark.slow
def test_paths_that_are_clamped_outside_their_domain(examined):
    found = examined(lambda theta: GridPath()(theta), (4, 4))
    assert "like Dijkstra's algorithm on negative costs" in found["maximiser"].detail
    assert examined(lambda theta: GridPath()(theta), (4, 4), low=-2.0, high=-0.1).fails == []
    assert "it is no maximiser of <z, theta>; look at" in examined(transposed, (4, 4))["maximiser"].detail


def test_outside_a_domain_that_is_given_nothing_more_is_known(examined):
    detail = examined(softly, low=-2.0, high=-1.0)["maximiser"].detail
    assert "; it is no maximiser of <z, theta>, or theta from low to high is outside its domain" in detail


def test_one_that_is_wrong_for_a_number_in_its_domain(examined):
    found = examined(lambda theta: torch.where((theta == -1).any(dim=1, keepdim=True), BEST(-theta), BEST(theta)))
    assert found.fails == ["domain"]
    assert "; negative entries are in its domain, but not solved; example: theta" in found["domain"].detail
    assert (found["domain"].example["theta"][0] == -1).sum() == 1


def test_one_that_takes_nan(examined):
    found = examined(lambda theta: BEST(theta.nan_to_num()))
    assert found["domain"].verdict == "warn"
    assert found["domain"].detail.endswith("NaN: solved; NaN passes unseen, refuse it")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("solver", "name", "detail"),
    [
        (shared_on_ties, "ties", r"on ties it gives fractions; take one of the best solutions; example: theta \[\["),
        (ties_by_row, "ties", r"which of equally good solutions it takes depends on the batch; fix a tie rule \(\d+ of 25"),
        (
            off_by_little,
            "maximiser",
            r"for \d+ of 200 .* better, by up to 0\.00\d+, 0\.0\d+ % of the value; does it round, or",
        ),
        (
            in_whole_numbers,
            "scale",
            r"theta \* 0\.000976562 is too small or too large for its tolerances; scale theta inside",
        ),
    ],
)
def test_what_works_but_not_quite_is_a_warning(examined, solver, name, detail):
    found = examined(solver, nb_instances=200 if name == "maximiser" else 24)
    assert found.fails == []
    assert found[name].verdict == "warn"
    assert re.match(detail, found[name].detail)
    assert found[name].example


@pytest.mark.slow
def test_solutions_that_depend_on_scale(examined):
    finding = examined(of_small_numbers, low=0.55, high=1.5, nb_instances=64)["scale"]
    assert finding.verdict == "fail"
    assert re.match(
        r"theta \* 1\.65145 has solutions that are better or worse for theta, which no maximiser has; does it round, or "
        r"compare with fixed numbers\? \(\d+ of 64 instances\); example: theta .*, moved .*, z .*, other ",
        finding.detail,
    )


@pytest.mark.slow
def test_solutions_that_depend_on_level(examined):
    found = examined(of_low_numbers, low=0.44, high=0.84, nb_instances=64)
    assert found["shift"].verdict == "fail"
    assert re.match(
        r"theta \+ 0\.1 has solutions that no maximiser of both has; does it compare with fixed numbers\? \(\d+ of 64",
        found["shift"].detail,
    )
    assert moves_to_worse(of_low_numbers, found["shift"].example)


@pytest.mark.slow
def test_what_the_numbers_say(examined):
    found = examined(right)
    assert (found.fails, found.warns) == ([], [])
    assert found["maximiser"].detail == "it maximises <z, theta>: none of 576 other solutions of its own is better"
    assert found["monotone"].detail == "<t1 - t2, z1 - z2> >= 0 for all of 276 pairs"
    assert found["ties"].detail == "25 instances with many equal entries"
    assert found["scale"].detail == "theta * 0.5 and theta * 0.000976562: 24 instances alike"
    assert found["shift"].detail == "theta + 0.5: 24 instances alike"
    positive = examined(lambda theta: (theta > 0).to(theta))
    assert re.fullmatch(
        r"theta \+ 0\.5: \d+ of 24 solutions change, of sums from \d to \d; its level matters", positive["shift"].detail
    )
    assert examined(GridPath(), (3, 3))["scale"].detail == "theta * 2 and theta * 1024: 24 instances alike"
    assert examined(right, low=1.0, high=3.0)["scale"].detail == "theta * 1.73205: 24 instances alike"
    assert examined(wrong_sign, low=-3.0, high=-1.0, sense="min")["scale"].detail == "theta * 1.73205: 24 instances alike"


def test_solutions_of_no_corner(examined):
    found = examined(on_a_sphere)
    assert (found.fails, found.warns) == ([], [])
