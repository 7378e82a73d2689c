"""What a solver leaves behind: its input, memory that it gives twice, settings of the process."""

import os
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import torch

from imle_core.doctor import check
from imle_core.solvers import BlackBox, TopK

BEST = TopK(2)


class OneBuffer:
    """Writes all solutions to the same memory, as compiled solvers do."""

    def __init__(self, count=1):
        self.buffers, self.calls = [torch.zeros(10_000) for _ in range(count)], 0

    def __call__(self, theta):
        self.calls += 1
        buffer = self.buffers[self.calls % len(self.buffers)]
        return buffer[: theta.numel()].view(theta.shape).copy_(BEST(theta))


class ArrayBuffer:
    """Likewise in NumPy, as ``out=`` does."""

    def __init__(self):
        self.buffer = np.zeros(10_000, np.float32)

    def __call__(self, theta):
        z = self.buffer[: theta.numel()].reshape(theta.shape)
        z[:] = BEST(theta.float())
        return torch.from_numpy(z)


class Knows:
    """Gives for the same theta the same tensor."""

    def __init__(self):
        self.known = {}

    def __call__(self, theta):
        key = theta.dtype, theta.shape, theta.detach().contiguous().view(torch.uint8).numpy().tobytes()
        return self.known.setdefault(key, BEST(theta))


class KeepsInput:
    """Keeps theta and its solution, for the case that it is asked for the same again."""

    def __init__(self):
        self.theta = self.z = torch.zeros(0)

    def __call__(self, theta):
        if not torch.equal(self.theta, theta):
            self.theta, self.z = theta, BEST(theta)
        return self.z.clone()


def in_place(theta):
    best = theta.topk(2, dim=1).indices
    return theta.zero_().scatter_(1, best, 1.0)


def spoils(theta):
    z = BEST(theta)
    theta.zero_()
    return z


def shrinks(theta):
    z = BEST(theta)
    theta.resize_(0)
    return z


def view_of_input(theta):
    return theta.copy_(BEST(theta)).flatten().view(theta.shape)


WARNS = {
    OneBuffer: {"buffer": "it returns the same memory again, so that later calls change earlier solutions"},
    lambda: OneBuffer(3): {"buffer": "it returns the same memory again, so that later calls change earlier solutions"},
    ArrayBuffer: {"buffer": "it returns the same memory again, so that later calls change earlier solutions"},
    Knows: {"buffer": "it returns the same memory again"},
    KeepsInput: {"buffer": "it keeps its input, so that what becomes of that changes solutions"},
    lambda: spoils: {"input": "it changes its input"},
    lambda: shrinks: {"input": "it changes its input"},
    lambda: in_place: {"input": "it changes its input", "buffer": "it returns its input or a view of it"},
    lambda: view_of_input: {"input": "it changes its input", "buffer": "it returns its input or a view of it"},
}
COST = ", which costs imle() a copy and others their numbers; "


@pytest.mark.slow
@pytest.mark.parametrize("make", WARNS)
def test_what_the_layer_makes_up_for_is_a_warning(examined, make):
    found = examined(make())
    assert found.fails == []
    assert [name for name in ("input", "buffer", "settings") if name in found.warns] == list(WARNS[make])
    for name, detail in WARNS[make].items():
        assert found[name].detail.startswith(detail + COST)
        assert ", and do not declare pure = True before" in found[name].detail


@pytest.mark.slow
@pytest.mark.parametrize("make", WARNS)
def test_but_not_for_one_that_declares_to_be_pure(examined, make):
    solver = make()

    class Pure:
        pure = True

        def __call__(self, theta):
            return solver(theta)

    found = examined(Pure())
    assert found.fails == list(WARNS[make])
    for name, detail in WARNS[make].items():
        assert found[name].detail.startswith(f"{detail}, though it declares pure = True, for which imle() copies nothing; ")
        assert ", or leave that out" in found[name].detail


def test_the_example_of_an_overwritten_solution(examined):
    example = examined(OneBuffer())["buffer"].example
    assert torch.equal(example["z"], BEST(example["theta"]))
    assert not torch.equal(example["other"], example["z"])


def test_the_example_of_a_changed_input(examined):
    found = examined(spoils)
    theta = found["input"].example["theta"]
    assert len(theta) == 1
    assert torch.equal(found["input"].example["z"], BEST(theta))
    assert not found["input"].example["changed"].any()
    assert (theta != 0).any()
    assert "grad" not in found.found


def test_a_buffer_hides_nothing_else(examined):
    """Solutions that are compared must not lie in one memory, where they always agree."""

    class Draws(OneBuffer):
        def __call__(self, theta):
            return super().__call__(theta + torch.randn_like(theta))

    assert examined(Draws()).fails == ["determinism"]


@pytest.mark.slow
def test_one_that_gives_new_memory(examined):
    for solver in (BEST, BlackBox(lambda theta: theta > 0), lambda theta: BEST(theta).requires_grad_()):
        found = examined(solver)
        assert (found.fails, found["input"].detail) == ([], "left as it is")
        assert found["buffer"].detail == "new memory for each call"
        assert found["settings"].verdict == "pass"


@pytest.mark.slow
def test_settings_are_told_and_put_back(examined, tmp_path):
    def changes(theta):
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        torch.set_grad_enabled(False)
        torch.use_deterministic_algorithms(True)
        os.chdir(tmp_path)
        return BEST(theta)

    before = Path.cwd()
    found = examined(changes)
    assert (found.fails, found["settings"].verdict) == ([], "warn")
    assert found["settings"].detail == (
        "it changes grad mode (to False), torch's default type (to torch.float64), torch's default device (to meta), "
        "torch's choice of deterministic algorithms (to True), the current folder "
        f"(to {tmp_path}), for all that follows; put it back "
        "before returning"
    )
    assert (torch.get_default_dtype(), torch.zeros(1).device.type) == (torch.float32, "cpu")
    assert (torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled()) == (True, False)
    assert Path.cwd() == before


def test_the_number_of_threads(examined):
    before = torch.get_num_threads()

    def changes(theta):
        torch.set_num_threads(before + 1)
        return BEST(theta)

    assert f"it changes torch's number of threads (to {before + 1})" in examined(changes)["settings"].detail
    assert torch.get_num_threads() == before


def test_inference_mode_that_is_left_on_is_a_failure():
    with ExitStack() as stack:

        def leaves_it_on(theta):
            stack.enter_context(torch.inference_mode())
            return BEST(theta)

        found = {finding.check: finding for finding in check(leaves_it_on, (6,), nb_instances=4)}
        assert not torch.is_inference_mode_enabled()
    assert found["settings"].verdict == "fail"
    assert found["settings"].detail == (
        "it changes inference mode (to True), after which nothing has gradients; leave that mode before returning"
    )
