"""The doctor names planted faults for what they are, and gives no false alarm on their good twins."""

import re
import threading
import time

import pytest
import torch

from imle_core.doctor import CHECKS, check
from imle_core.solvers import (
    AcyclicGridPath,
    ArgMax,
    Assignment,
    BlackBox,
    GridPath,
    IntegerProgram,
    Knapsack,
    Matching,
    MinCut,
    Ranking,
    ShortestPath,
    SpanningTree,
    TopK,
)

BEST = TopK(2)
EDGES = [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)]


def verdicts(solver, shape=(6,), **settings):
    findings = check(solver, shape, nb_instances=24, **settings)
    assert [finding.check for finding in findings] == [name for name in CHECKS if name in {f.check for f in findings}]
    return {finding.check: finding for finding in findings}


def alarms(found, verdict):
    return [name for name, finding in found.items() if finding.verdict == verdict]


GOOD = {
    "grid": (GridPath(), (4, 5), {}),
    "grid, networkx": (GridPath(engine="networkx"), (3, 3), {}),
    "acyclic": (AcyclicGridPath(), (4, 5), {}),
    "top-k": (TopK(3), (3, 4), {}),
    "choice": (ArgMax(), (3, 4), {}),
    "ranking": (Ranking(), (6,), {}),
    "knapsack": (Knapsack([1, 2, 3, 4], 6), (4,), {}),
    "assignment": (Assignment(), (3, 4), {}),
    "partial": (Assignment(partial=True), (3, 3), {}),
    "program": (IntegerProgram(A=[[1, 1, 1, 1]], b=[2]), (4,), {}),
    "path": (ShortestPath(EDGES, 0, 3), (5,), {"low": -2.0, "high": 0.0}),
    "tree": (SpanningTree(EDGES), (5,), {}),
    "matching": (Matching(EDGES), (5,), {}),
    "cut": (MinCut(EDGES, 0, 3), (5,), {"low": -2.0, "high": 0.0}),
}


@pytest.mark.parametrize("name", GOOD)
def test_our_solvers_pass(name):
    solver, shape, settings = GOOD[name]
    found = verdicts(solver, shape, **settings)
    assert list(found) == list(CHECKS)
    assert {check: found[check].detail for check in alarms(found, "fail")} == {}
    assert set(alarms(found, "warn")) <= {"precision", "speed", "domain", "gradients"}


def wrong_sign(theta):
    return BEST(-theta)


def mixed_up(theta):
    return BEST(theta.flip(0))


def one_too_many_on_ties(theta):
    return (theta >= theta.topk(2, dim=1).values[:, -1:]).to(theta)


def write_in_place(theta):
    z = BEST(theta)
    theta.zero_()
    return z


def at_random(theta):
    return BEST(theta + torch.randn_like(theta))


def beyond_its_domain(theta):
    return GridPath()(theta)


def with_mates(theta):
    return BEST(theta - 10 * theta.mean(dim=0))


def not_monotone(theta):
    return BEST(theta * torch.linspace(-1, 1, theta.shape[1]))


FAILS = {
    wrong_sign: ("maximiser", r"it minimises <z, theta>; give -theta, or take imle\(\.\.\., sense='min'\)"),
    mixed_up: ("rows", r"one by one it gives others than in a batch"),
    with_mates: ("rows", r"one by one it gives others than in a batch"),
    one_too_many_on_ties: ("ties", r"a solution has 2 in sum, but [3-6] on ties; take only as many as there may be"),
    write_in_place: ("input", r"it changes its input; work on theta\.clone\(\)"),
    at_random: ("determinism", r"a second call gives others; take a fixed seed or tie rule inside it"),
    not_monotone: ("maximiser", r"another of its own solutions is better, by up to"),
}


@pytest.mark.parametrize("fault", FAILS, ids=lambda fault: fault.__name__)
def test_a_planted_fault_fails_and_is_named(fault):
    name, detail = FAILS[fault]
    found = verdicts(fault)
    assert found[name].verdict == "fail"
    assert re.search(detail, found[name].detail)
    assert found[name].example


def test_a_path_outside_its_domain():
    found = verdicts(beyond_its_domain, (4, 4))
    assert found["maximiser"].verdict == "fail"
    assert "is theta outside its domain? then give low and high, and clamp theta to it" in found["maximiser"].detail
    example = found["maximiser"].example
    assert (example["theta"] * (example["better"] - example["z"])).sum() > 0
    assert alarms(verdicts(beyond_its_domain, (4, 4), low=-2.0, high=-0.1), "fail") == []


@pytest.mark.parametrize(
    ("solver", "name", "detail"),
    [
        (lambda theta: BEST(theta).long(), "type", "gives torch.int64; imle() casts it, but elsewhere it ends gradients"),
        (lambda theta: torch.ones_like(theta), "variety", "all 24 instances have one solution; a constant has no gradient"),
        (lambda theta: BEST(theta.nan_to_num()), "domain", "NaN passes unseen, refuse it"),
        (lambda theta: BEST(theta), "pickle", "cannot be sent to another process"),
        (lambda theta: BEST(theta) if len(theta) else theta.item(), "empty", "raised RuntimeError"),
        (lambda theta: BEST(theta) if theta.dtype == torch.float32 else theta.nothing, "precision", "raises AttributeError"),
    ],
)
def test_what_costs_is_a_warning(solver, name, detail):
    found = verdicts(solver)
    assert found[name].verdict == "warn"
    assert detail in found[name].detail
    assert alarms(found, "fail") == []


def test_a_view():
    found = verdicts(lambda theta: theta)
    assert found["input"].verdict == "warn"
    assert found["input"].detail.startswith("it returns its input or a view of it; return a clone")


def test_targets_outside_the_domain():
    found = verdicts(MinCut(EDGES, 0, 3), (5,), low=-2.0, high=0.0)
    assert found["gradients"].verdict == "warn"
    assert found["gradients"].detail.startswith("refuses targets theta - lambda dy at lambda 1 (theta: got ")
    assert verdicts(MinCut(EDGES, 0, 3, floor=0.0), (5,), low=-2.0, high=0.0)["gradients"].verdict == "pass"


def test_a_slow_one(monkeypatch):
    now = [0.0]

    def slow(theta):
        now[0] += 0.02 * len(theta)
        return BEST(theta)

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    found = verdicts(slow)
    assert found["speed"].verdict == "warn"
    assert found["speed"].detail.startswith(
        "20 ms an instance in a batch of 1, 20 ms an instance in a batch of 24; each step"
    )


def test_one_that_threads_disturb():
    barrier, held = threading.Barrier(2), []

    def shared(theta):
        if threading.current_thread() is threading.main_thread():
            return BEST(theta)
        held.append(theta)
        barrier.wait(5)  # two calls are under way, and both take what came last
        return BEST(held[-1])

    found = verdicts(shared)
    assert found["threads"].verdict == "warn"
    assert alarms(found, "fail") == []


@pytest.mark.parametrize(
    ("solver", "name", "detail"),
    [
        (lambda theta: theta.tolist(), "call", "gave list; it must give a tensor"),
        (lambda theta: theta.nothing, "call", "raised AttributeError"),
        (lambda theta: theta[:, :2], "shape", r"gave (24, 2) for (24, 6); it must keep the shape, N in front"),
        (lambda theta: theta * torch.nan, "values", "instance 0 has NaN or infinite entries"),
    ],
)
def test_nothing_is_checked_that_would_mean_nothing(solver, name, detail):
    found = verdicts(solver)
    assert list(found)[-1] == name
    assert found[name].verdict == "fail"
    assert detail in found[name].detail


def test_a_function_of_the_user_s_in_a_black_box():
    assert alarms(verdicts(BlackBox(lambda theta: theta > 0)), "fail") == []


ERRORS = {
    "low, high: got 1 and 1; low must be finite and below high; leave them out for [-1, 1]": {"low": 1.0, "high": 1.0},
    "nb_instances: got 1; it must be at least 2; the usual number is 64": {"nb_instances": 1},
    "seed: got -1; it must be a whole number from 0 to 2^64 - 1; the usual one is 0": {"seed": -1},
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check(BEST, (3,), **ERRORS[message])
