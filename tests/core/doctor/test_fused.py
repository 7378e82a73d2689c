"""A method that adds noise and solves must give what the call gives."""

import pytest
import torch

from imle_core.doctor import check
from imle_core.solvers import GridPath, TopK


class Fused(TopK):
    """Top-k with a method for noise, which may be wrong."""

    def __init__(self, fault=None):
        super().__init__(2)
        self.fault = fault

    def perturb_and_map(self, theta, eps, temperature, known=None):
        if known is not None and self.fault == "known":
            return known.z
        sum_ = theta if eps is None or self.fault == "noise" else theta + temperature * eps
        z = self(sum_.flatten(0, 1)).view(sum_.shape)
        return -z if self.fault == "sign" else z


def verdicts(solver, shape=(6,), **settings):
    return {finding.check: finding for finding in check(solver, shape, **settings)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        ("noise", "its perturb_and_map gives others, which layers call in place of it; mend or remove it"),
        ("sign", "its perturb_and_map gives others, which layers call in place of it; mend or remove it"),
        ("known", "told of other solutions, its perturb_and_map gives others; keep one only where it is surely the same"),
    ],
)
def test_a_fault_is_the_only_failure(fault, detail):
    found = verdicts(Fused(fault))
    assert [finding.check for finding in found.values() if finding.verdict == "fail"] == ["fused"]
    assert found["fused"].detail.startswith(detail)


def test_one_that_raises():
    class Raising(Fused):
        def perturb_and_map(self, *_):
            raise KeyError("no noise")

    assert verdicts(Raising())["fused"].detail.startswith("it raised KeyError ('no noise')")


@pytest.mark.slow
@pytest.mark.parametrize(("solver", "shape"), [(Fused(), (6,)), (GridPath(), (5, 5))])
def test_one_that_is_right(solver, shape):
    found = verdicts(solver, shape)["fused"]
    assert (found.verdict, found.detail.endswith("instances alike")) == ("pass", True)


@pytest.mark.slow
@pytest.mark.parametrize("solver", [TopK(2), lambda theta: TopK(2)(theta)])
def test_one_without(solver):
    assert verdicts(solver)["fused"].detail == "it has no perturb_and_map that a layer would call"


def test_one_that_minimises_is_never_asked():
    class Least(Fused):
        sense = "min"

        def __call__(self, theta):
            return torch.as_tensor(TopK(2)(-theta))

    assert verdicts(Least("sign"), sense="min")["fused"].verdict == "pass"
