"""The doctor as a whole: our solvers pass, its list of checks, its arguments."""

import random
import re
import signal
import sys

import numpy as np
import pytest
import torch

from all_solvers import INSTANCES
from imle_core.doctor import CHECKS, check
from imle_core.doctor.examination import EXAMINATION, FIRST
from imle_core.solvers import BlackBox, TopK

REFUSING = ["path, refusing", "cut, refusing"]


@pytest.mark.slow
@pytest.mark.parametrize("name", INSTANCES)
@pytest.mark.usefixtures("usual_rounds")
def test_our_solvers_pass(examined, name):
    found = examined(*INSTANCES[name])
    assert tuple(found.found) == CHECKS
    warns = ["gradients"] if name in REFUSING else []
    busy = [] if "speed" in warns else ["speed"]  # which depends on what else the machine does
    assert (found.fails, [name for name in found.warns if name not in busy]) == ([], warns)


def test_the_names_of_the_checks():
    names = (
        *(
            "call",
            "shape",
            "values",
            "determinism",
            "type",
            "rows",
            "mates",
            "input",
            "buffer",
            "outputs",
            "settings",
            "layout",
        ),
        *(
            "fused",
            "maximiser",
            "monotone",
            "ties",
            "scale",
            "shift",
            "precision",
            "grad",
            "empty",
            "padding",
            "domain",
            "threads",
            "pickle",
        ),
        *("speed", "variety", "gradients"),
    )
    assert names == CHECKS
    assert CHECKS[:4] == FIRST


def test_a_check_needs_checks_before_it():
    for number, entry in enumerate(EXAMINATION):
        assert set(entry.needs) <= set(CHECKS[:number])


@pytest.mark.slow
def test_what_a_check_spoils_leaves_out_the_checks_that_need_it(examined):
    def shares(theta):
        if len(theta) == 1:
            raise ValueError("none")
        return TopK(2)(theta - theta.mean(dim=0))

    def changes(theta):
        z = TopK(2)(theta.clone())
        theta.zero_()
        return z

    def rounds(theta):
        return TopK(2)(theta.abs())

    for solver, spoilt in ((shares, "mates"), (changes, "input"), (rounds, "maximiser")):
        assert set(CHECKS) - set(examined(solver).found) == {entry.name for entry in EXAMINATION if spoilt in entry.needs}


def test_progress():
    done, told, calls = [], [], [0]

    def counted(theta):
        calls[0] += 1
        return TopK(2)(theta)

    found = check(counted, (6,), nb_instances=4, observe=done.append, tell=told.append)
    assert done == sorted(done)
    assert set(done) == set(range(len(CHECKS)))
    assert len(done) >= calls[0] + len(CHECKS)
    assert found == told


def exits(_):
    sys.exit(3)


def interrupts(_):
    raise KeyboardInterrupt


def exits_by_a_generator(_):
    raise GeneratorExit


def recurses(theta):
    return recurses(theta)


ENDS = {
    exits: "raised SystemExit (3); it must give solutions; look for what ends the program",
    interrupts: "raised KeyboardInterrupt; it must give solutions; look for what ends the program",
    exits_by_a_generator: "raised GeneratorExit; it must give solutions; look for what ends the program",
    recurses: "raised RecursionError (maximum recursion depth exceeded); if that theta is outside its domain, give low and "
    "high, or a domain attribute",
}


@pytest.mark.parametrize("solver", ENDS, ids=lambda solver: solver.__name__)
def test_one_that_would_end_the_program(examined, solver):
    found = examined(solver)
    assert {name: finding.detail for name, finding in found.found.items()} == {"call": ENDS[solver]}
    assert found.fails == ["call"]


def test_one_that_would_end_it_on_the_way(examined):
    def now_and_then(theta):
        return TopK(2)(theta) if len(theta) else sys.exit()

    assert (
        examined(now_and_then)["empty"].detail
        == "for no instances it raised SystemExit; imle() then gives none, others may not"
    )


def test_ctrl_c_ends_it():
    with pytest.raises(KeyboardInterrupt):
        check(lambda _: signal.raise_signal(signal.SIGINT), (3,))


@pytest.mark.slow
def test_generators_are_left_as_they_were():
    def draws_and_seeds(theta):
        np.random.seed(0)
        random.seed(0)
        torch.manual_seed(0)
        return TopK(2)(theta)

    drawn = []
    for examine in (False, True):
        np.random.seed(1)
        random.seed(1)
        torch.manual_seed(1)
        if examine:
            check(draws_and_seeds, (6,), nb_instances=4)
        drawn.append((np.random.random(), random.random(), torch.rand(()).item()))
    assert drawn[0] == drawn[1]


class Declares:
    """A solver that says what it does, and does something."""

    def __init__(self, sense, sign):
        self.sense, self.sign = sense, sign

    def __call__(self, theta):
        return TopK(2)(self.sign * theta)


@pytest.mark.slow
def test_the_sense_that_a_solver_declares(examined):
    for sense, sign in (("max", 1), ("min", -1)):
        found = examined(Declares(sense, sign))
        assert found.fails == []
        assert f"it {sense}imises <z, theta>: none of" in found["maximiser"].detail
    for sense in ("max", "min"):  # a layer of costs gives a maximiser minus the costs
        assert examined(TopK(2), sense=sense).fails == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("declares", "does", "sense", "detail"),
    [
        (
            *("min", -1, "max"),
            "it minimises <z, theta>, as it declares; write imle(solver, sense='min') for costs, or imle(lambda theta: "
            "solver(-theta), sense='max') for scores",
        ),
        ("min", 1, None, "it maximises <z, theta>, though it declares sense = 'min'; declare 'max', or give it -theta"),
        ("max", -1, None, "it minimises <z, theta>, though it declares sense = 'max'; declare 'min', or give it -theta"),
        ("min", 1, "max", "it maximises <z, theta>, but declares sense = 'min'; declare 'max'"),
    ],
)
def test_a_sense_that_clashes(examined, declares, does, sense, detail):
    found = examined(Declares(declares, does), sense=sense)
    assert found.fails == ["maximiser"]
    assert found["maximiser"].detail.startswith(detail)


@pytest.mark.slow
def test_a_function_of_one_instance_in_a_black_box(examined):
    assert examined(BlackBox(lambda theta: theta > 0)).fails == []


@pytest.mark.parametrize("size", [1, 2])
def test_small_instances(examined, size):
    found = examined(lambda theta: (theta > 0).to(theta), (size,), nb_instances=2)
    assert found.fails == []


@pytest.mark.slow
def test_the_same_seed_finds_the_same():
    def told(seed):
        quiet = ("speed", "threads", "pickle")
        return [(some.check, some.detail) for some in check(TopK(2), (6,), seed=seed) if some.check not in quiet]

    assert told(1) == told(1)
    assert told(1) != told(2)


class WithDomain:
    """A solver that says what it takes."""

    def __init__(self, domain):
        self.domain = domain

    def __call__(self, theta):
        return TopK(1)(theta)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("domain", "asked"),
    [
        ((-float("inf"), float("inf")), "from -1 to 1"),
        ((-float("inf"), 0.0), "from -2 to 0"),
        ((3.0, float("inf")), "from 3 to 5"),
        ((0.0, 0.5), "from 0 to 0.5"),
        (torch.tensor([1.0, 2.0]), "from 1 to 2"),
    ],
)
def test_the_domain_of_a_solver_is_asked_for(examined, domain, asked):
    assert examined(WithDomain(domain))["call"].detail == f"24 instances, theta {asked}"


ERRORS = {
    "low, high: got 1 and 1; low must be finite and below high; leave them out for [-1, 1]": {"low": 1.0, "high": 1.0},
    "low, high: got -inf and 1; low must be finite and below high; leave them out for [-1, 1]": {
        "low": -float("inf"),
        "high": 1.0,
    },
    "nb_instances: got 1; it must be at least 2; the usual number is 64": {"nb_instances": 1},
    "seed: got -1; it must be a whole number from 0 to 2^64 - 1; the usual one is 0": {"seed": -1},
    "sense: got 'least'; it must be one of 'max', 'min'; use 'max' for instance": {"sense": "least"},
    "sense: the solver declares 'most'; it must be 'max' or 'min'; mend that attribute": {"solver": Declares("most", 1)},
    "shape: got (); it must be whole numbers >= 1, one for each axis; use (n,) for n numbers": {"shape": ()},
    "shape: got (3, 0); it must be whole numbers >= 1, one for each axis; use (n,) for n numbers": {"shape": (3, 0)},
    "shape: got 5; it must be whole numbers >= 1, one for each axis; use (n,) for n numbers": {"shape": 5},
    "domain: got 'all'; it must be a pair of the smallest and the largest theta; use -inf and inf for no end": {
        "solver": WithDomain("all")
    },
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    settings = {"solver": TopK(2), "shape": (3,)} | ERRORS[message]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check(settings.pop("solver"), settings.pop("shape"), **settings)
