"""Adam: torch's own, to the bit, and without torch's compiler."""

import copy
import subprocess
import sys

import pytest
import torch

from imle_core.training import Adam


def moved(kind, state=None, **settings):
    """Weights after three steps, and the optimiser."""
    weights = torch.randn(4, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    optimizer = kind([weights], lr=0.01, **settings)
    if state is not None:
        optimizer.load_state_dict(copy.deepcopy(state))
    for step in range(3):
        weights.grad = (weights.detach() + step).sin()
        optimizer.step()
        optimizer.zero_grad()
    return weights, optimizer


@pytest.mark.parametrize("settings", [{"foreach": False}, {"fused": True}], ids=["alone", "fused"])
def test_weights_and_states_are_those_of_torch(settings):
    state = None
    for _ in range(2):  # from the beginning, and from a state
        (ours, optimizer), (expected, reference) = (moved(kind, state, **settings) for kind in (Adam, torch.optim.Adam))
        assert torch.equal(ours, expected)
        state = reference.state_dict()
        torch.testing.assert_close(optimizer.state_dict(), state, rtol=0, atol=0)


def test_hooks_of_steps_are_called():
    called = []
    for kind in (Adam, torch.optim.Adam):
        weights = torch.ones(2, requires_grad=True)
        optimizer = kind([weights], lr=0.1)
        handles = [
            optimizer.register_step_pre_hook(lambda *_: called.append("before")),
            optimizer.register_step_post_hook(lambda *_: called.append("after")),
        ]
        weights.grad = torch.ones(2)
        optimizer.step()
        for handle in handles:
            handle.remove()
        optimizer.step()
    assert called == ["before", "after"] * 2


def test_gradients_are_taken_away_or_set_to_0():
    weights = torch.ones(2, requires_grad=True)
    optimizer = Adam([weights])
    weights.grad = torch.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert weights.grad.tolist() == [0, 0]
    optimizer.zero_grad()
    assert weights.grad is None


@pytest.mark.process
@pytest.mark.slow
def test_a_training_does_not_import_the_compiler_of_torch():
    script = """
import sys, torch
from imle_core import Training
from imle_core.solvers import TopK
training = Training(TopK(1), torch.tensor([0.0, 1.0]), steps=2)
list(training)
training.load_state_dict(training.state_dict())
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
