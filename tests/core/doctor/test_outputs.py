"""Further outputs of a solver under examination."""

import numpy as np
import pytest
import torch

from imle_core.doctor import CHECKS, check
from imle_core.solvers import BlackBox, TopK

BEST = TopK(2)


class Uncopyable(dict):
    """A dictionary that is no plain one, with which nothing is wrong."""


class Broken(torch.Tensor):
    """A tensor that cannot be copied."""

    def detach(self):
        raise OSError("on another machine")


GIVES = {
    BEST: "solutions alone",
    lambda theta: (BEST(theta), 1.0): "1 further output (float), which imle() gives after its states, copied and without a "
    "gradient",
    lambda theta: [BEST(theta), theta[:, 0], np.zeros(len(theta)), Uncopyable(), theta.sum()]: "4 further outputs (Tensor, "
    "ndarray, Uncopyable, Tensor), which imle() gives after its states, copied and without a gradient; with one entry a "
    "row: number 1, number 2",
    lambda theta: (BEST(theta),): "a tuple of solutions alone, which imle() gives after its states, copied and without a "
    "gradient",
    BlackBox(lambda theta: (BEST(theta[None])[0], 1)): "1 further output (list), which imle() gives after its "
    "states, copied and without a gradient; with one entry a row: number 1",
}


@pytest.mark.slow
@pytest.mark.parametrize("solver", GIVES)
def test_what_it_gives(solver):
    found = {row.check: row for row in check(solver, (6,), nb_instances=8)}
    assert (found["outputs"].verdict, found["outputs"].detail) == ("pass", GIVES[solver])
    assert [name for name, row in found.items() if row.verdict == "fail"] == []
    assert tuple(found) == CHECKS


@pytest.mark.slow
def test_another_number_for_other_batches_is_a_failure():
    for solver, text in (
        (
            lambda theta: (BEST(theta),) if len(theta) == 1 else BEST(theta),
            "solutions alone, for 1 a tuple of solutions alone",
        ),
        (
            lambda theta: (BEST(theta), *range(min(2, len(theta)))),
            "2 further outputs (int, int), for 1 1 further output (int)",
        ),
    ):
        (found,) = (row for row in check(solver, (6,), nb_instances=8) if row.check == "outputs")
        assert found.verdict == "fail"
        assert found.detail == f"for 8 instances it gives {text}; whoever unpacks them needs as many each time"
        assert found.example["theta"].shape == (1, 6)


def test_one_that_cannot_be_copied_is_a_failure_and_not_the_end():
    found = {row.check: row for row in check(lambda theta: (BEST(theta), torch.ones(1).as_subclass(Broken)), (6,))}
    assert found["outputs"].verdict == "fail"
    assert "a copy of them, which a layer makes, raised OSError (on another machine)" in found["outputs"].detail
    assert tuple(found) == CHECKS


class Odd:
    """Its declarations raise."""

    def __call__(self, theta):
        return BEST(theta)

    @property
    def perturb_and_map(self):
        raise OSError("no licence")

    @property
    def pure(self):
        raise OSError("no licence")


class OfInferenceMode(torch.nn.Module):
    """Knows no other mode, not even when asked for its settings."""

    @torch.inference_mode()
    def forward(self, theta):
        return BEST(theta), theta


def test_no_exception_ends_it():
    found = {row.check: row for row in check(Odd(), (6,), nb_instances=8)}
    assert tuple(found)[-1] == CHECKS[-1]
    assert found["fused"].verdict == "fail"
    assert found["fused"].detail == "this check raised OSError (no licence); look at what the solver gives there"


def test_inference_tensors_have_a_verdict():
    found = {row.check: row for row in check(OfInferenceMode(), (6,), nb_instances=8)}
    assert (found["buffer"].verdict, [row.check for row in found.values() if row.verdict == "fail"]) == ("warn", [])
    assert found["buffer"].detail.startswith("it returns tensors of inference mode, which imle() copies out of it")
    assert found["outputs"].verdict == "pass"
