"""What is declared holds for whoever declares it, and for nobody who has solved in another way since."""

from functools import partial, wraps

import pytest
import torch

from imle_core import (
    AdaptiveTargetDistribution,
    GumbelNoiseDistribution,
    KnownTargetDistribution,
    NormalNoiseDistribution,
    TargetDistribution,
    imle,
)
from imle_core.contracts import declared, is_pure
from imle_core.solvers import BlackBox, GridPath, TopK


class Pure:
    pure, sense = True, "min"

    def __call__(self, theta):
        return theta


class Renamed(Pure):
    name = "renamed"


class Changed(Pure):
    def __call__(self, theta):
        return theta


class DeclaredAnew(Changed):
    pure = True


class Fused(GridPath):
    def perturb_and_map(self, theta, eps, temperature, known=None):
        return super().perturb_and_map(-theta, eps, temperature, known)


class Mixin:
    def __call__(self, theta):
        return super().__call__(-theta)


class Mixed(Mixin, TopK):
    """Solves as the first of its bases."""


class Module(torch.nn.Module):
    pure, sense = True, "max"

    def forward(self, theta):
        return theta.clone()


class ChangedModule(Module):
    def forward(self, theta):
        return theta


def function(theta):
    return theta.clone()


function.pure, function.sense = True, "max"


@wraps(function)
def wrapper(theta):
    return function(-theta)


@wraps(function)
def declaring(theta):
    return function(-theta)


declaring.sense = "min"


@pytest.mark.parametrize(
    ("solver", "pure", "sense"),
    [
        (Pure(), True, "min"),
        (Renamed(), True, "min"),
        (Changed(), False, None),
        (DeclaredAnew(), True, None),
        (Fused(), False, None),
        (Mixed(1), False, None),
        (Module(), True, "max"),
        (ChangedModule(), False, None),
        (TopK(1).__call__, True, "max"),
        (partial(TopK(), k=[1]), True, "max"),
        (function, True, "max"),
        (wrapper, False, None),
        (declaring, False, "min"),
        (lambda theta: theta, False, None),
        (BlackBox(function), True, "max"),
        (BlackBox(wrapper), True, None),
        (type("Negated", (BlackBox,), {"__call__": lambda *_: None})(function), False, None),
    ],
)
def test_solvers(solver, pure, sense):
    assert (is_pure(solver), declared(solver, "sense")) == (pure, sense)


def test_of_an_object_itself():
    solver = Changed()
    solver.pure = True
    assert is_pure(solver)
    module = Module()
    module.forward = lambda theta: theta
    assert not is_pure(module)


def test_noise_and_targets_of_ours_are_pure():
    assert all(is_pure(noise, "sample") for noise in (NormalNoiseDistribution(), GumbelNoiseDistribution()))
    targets = TargetDistribution(), AdaptiveTargetDistribution(), KnownTargetDistribution(torch.ones(1))
    assert all(is_pure(target, "params") for target in targets)


def test_a_pure_solver_saves_the_copies():
    given = []

    class Watched:
        pure = True

        def __call__(self, theta):
            given.append(theta)
            return theta

    theta = torch.ones(1, 3)
    output = imle(Watched())(theta)
    assert given[0].data_ptr() == theta.data_ptr() == output.data_ptr()


class TestSolvesTogetherWithTheNoise:
    """The method is that of whoever solves, not of a base or of what is inside."""

    THETA = -torch.rand(2, 4, 4, generator=torch.Generator().manual_seed(0))

    def state(self, solver):
        return imle(solver, None, NormalNoiseDistribution(), 3, 0.1, generator=torch.Generator().manual_seed(1))(self.THETA)

    def flipped(self, theta):
        return GridPath()(theta.flip(-1)).flip(-1)

    def test_a_subclass_that_changes_the_call(self):
        class AtOnce:
            def perturb_and_map(self, theta, eps, temperature, known=None):
                raise NotImplementedError

            def __call__(self, theta):
                raise NotImplementedError

        class Flipped(AtOnce):
            def __call__(_, theta):  # noqa: N805
                return self.flipped(theta)

        assert torch.equal(self.state(Flipped()), self.state(self.flipped))

    def test_a_wrapper_that_passes_on_what_it_lacks(self):
        class Flipped:
            def __init__(self, solver):
                self.solver = solver

            def __call__(_, theta):  # noqa: N805
                return self.flipped(theta)

            def __getattr__(self, name):
                return getattr(self.solver, name)

        assert torch.equal(self.state(Flipped(GridPath())), self.state(self.flipped))

    def test_a_partial_function_has_none(self):
        assert torch.equal(self.state(partial(GridPath())), self.state(GridPath()))
