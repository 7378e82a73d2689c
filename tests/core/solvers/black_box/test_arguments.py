"""Further arguments of a black box: an entry for each instance, in all its samples."""

import re

import numpy as np
import pytest
import torch

from imle_core import imle
from imle_core.solvers import BlackBox


def scaled(theta, scale):
    return theta * scale


def test_each_instance_has_its_own_in_all_its_samples():
    solver = BlackBox(lambda theta, number, *, name: theta * 0 + number * len(name))
    z = solver(torch.zeros(6, 2), [1, 2, 3], name=["a", "bb", "ccc"])
    assert z[:, 0].tolist() == [1, 1, 4, 4, 9, 9]
    assert solver.solved == 3


@pytest.mark.parametrize("scale", [(1.0, 5.0), np.array([1.0, 5.0]), torch.tensor([[1.0], [5.0]], requires_grad=True)])
@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_a_layer_passes_them_on(scale, executor):
    layer = imle(BlackBox(scaled, executor=executor, jobs=2), nb_samples=2)
    for arguments, named in (((scale,), {}), ((), {"scale": scale})):
        theta = torch.ones(2, 3, requires_grad=True)
        z = layer(theta, *arguments, **named)
        assert z[:, 0].tolist() == [1, 1, 5, 5]
        z.sum().backward()
        assert theta.grad[:, 0].tolist() == [1, 5]


def test_a_cache_does_not_mix_them_up():
    solver = BlackBox(lambda theta, number: theta * 0 + number, cache=9)
    assert [solver(torch.zeros(1, 2), [number])[0, 0].item() for number in (1, 2)] == [1, 2]


def test_an_empty_batch_has_none():
    assert BlackBox(scaled)(torch.zeros(0, 2), []).shape == (0, 2)
    assert BlackBox(scaled)(torch.zeros(0, 2), [1.0]).shape == (0, 2)


FIT = "for 3 rows; it must have one for each instance, whose samples are one or more rows; give as many entries as instances"
ALL = "each argument must have one for each instance; give as many"
LISTED = (
    "it must be a list, array or tensor with one entry for each instance; use functools.partial for what all have in common"
)
WRONG = {
    f"argument 1: got 2 entries {FIT}": ([1, 2],),
    f"argument 1: got 0 entries {FIT}": ([],),
    f"argument 1: got 6 entries {FIT}": (range(6),),
    f"argument 2: got 3 entries, where others have 1; {ALL}": ([1], [1, 2, 3]),
    f"argument 1: got int; {LISTED}": (3,),
    f"argument 1: got str; {LISTED}": ("abc",),
    f"argument 1: got dict; {LISTED}": ({0: 1, 1: 2, 2: 3},),
    f"argument 1: got Tensor; {LISTED}": (torch.tensor(1.0),),
}


@pytest.mark.parametrize("message", WRONG)
def test_one_entry_for_each_instance(message):
    with pytest.raises((ValueError, TypeError), match=f"^{re.escape(message)}$"):
        BlackBox(scaled)(torch.zeros(3, 2), *WRONG[message])


def test_they_are_named():
    with pytest.raises(ValueError, match=rf"^scale: got 2 entries {re.escape(FIT)}$"):
        BlackBox(scaled)(torch.zeros(3, 2), scale=[1, 2])
