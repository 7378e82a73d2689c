"""Top-k: brute force, ties, shapes, types, errors."""

import itertools
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imle_core.solvers import SOLVERS, GridPath, TopK


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([-1.5, -1.0, 0.0, 0.5, 0.5000001, 2.0, -float("inf")]), min_size=1, max_size=7), st.data())
def test_the_best_set_and_among_equals_the_first(values, data):
    possible = [i for i, value in enumerate(values) if value > -float("inf")]
    if not possible:
        return
    k = data.draw(st.integers(1, len(possible)))
    # Sets in lexicographic order: the first of the best ones has its equals furthest to the front.
    best = max(itertools.combinations(possible, k), key=lambda chosen: sorted((values[i] for i in chosen), reverse=True))
    z = TopK(k)(torch.tensor([values], dtype=torch.float64))[0]
    assert z.nonzero().flatten().tolist() == list(best)


@pytest.mark.parametrize("shape", [(4, 6), (4, 2, 3), (4, 2, 1, 3)])
def test_events_of_any_shape_are_one_set(shape):
    theta = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    z = TopK(2)(theta)
    assert z.shape == shape
    assert torch.equal(z.flatten(1), TopK(2)(theta.flatten(1)))
    assert z.flatten(1).sum(dim=1).tolist() == [2] * 4


def test_batched_equals_one_by_one():
    theta = torch.randn(9, 7, generator=torch.Generator().manual_seed(0)).mul(2).round()
    assert torch.equal(torch.cat([TopK(3)(row[None]) for row in theta]), TopK(3)(theta))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_types(dtype):
    z = TopK(1)(torch.tensor([[1.0, 3.0, 3.0]], dtype=dtype, requires_grad=True))
    assert (z.dtype, z.tolist(), z.requires_grad) == (dtype, [[0, 1, 0]], False)


def test_every_entry_and_infinite_gain():
    assert TopK(3)(torch.tensor([[1.0, -2.0, 0.0]])).tolist() == [[1, 1, 1]]
    assert TopK(1)(torch.tensor([[1.0, torch.inf, torch.inf]])).tolist() == [[0, 1, 0]]


def test_no_rows():
    assert TopK(2)(torch.zeros(0, 3)).shape == (0, 3)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), min_size=4, max_size=4), min_size=1, max_size=4), st.data())
def test_a_number_for_each_instance_and_its_samples(rows, data):
    k = data.draw(st.lists(st.integers(1, 4), min_size=len(rows), max_size=len(rows)))
    theta = torch.tensor(rows).repeat_interleave(3, dim=0)
    alone = [TopK(number)(row[None]) for number, row in zip(k, torch.tensor(rows), strict=True)]
    for given_k in (k, torch.tensor(k)):
        assert torch.equal(TopK()(theta, k=given_k), torch.cat(alone).repeat_interleave(3, dim=0))


ERRORS = {
    "k: got None; TopK() needs one for each instance; call it with k=[...]": lambda: TopK()(torch.zeros(2, 3)),
    "k: got 4; an instance has 3 entries; k must be from 1 to 3 ": lambda: TopK()(torch.zeros(2, 3), k=[1, 4]),
    "k: got 0; an instance has 3 entries; k must be from 1 to 3": lambda: TopK()(torch.zeros(2, 3), k=[0, 4]),
    "k: got shape (2,), torch.int64, for 3 rows; it must have a whole number for each instance, and rows a multiple of "
    "instances": lambda: TopK()(torch.zeros(3, 3), k=[1, 1]),
    "k: got shape (1,), torch.float32, for 2 rows; it must have a whole number for each instance, and rows a multiple of "
    "instances": lambda: TopK()(torch.zeros(2, 3), k=[1.0]),
    "k: got 2; instance 1 has fewer entries above -inf; choose a smaller k ": lambda: TopK()(
        torch.tensor([[0.0, 0.0], [0.0, -torch.inf]]), k=[2]
    ),
    "k: got 0; it must be a whole number >= 1; top-k chooses k entries": lambda: TopK(0),
    "k: got 1.0; it must be a whole number >= 1; top-k chooses k entries": lambda: TopK(1.0),
    "k: got 4; an instance has 3 entries; k must be from 1 to 3": lambda: TopK(4)(torch.zeros(2, 3)),
    "theta: got 1 NaN; top-k needs numbers; use -inf for never": lambda: TopK(1)(torch.tensor([[0.0, 1.0, torch.nan]])),
    "k: got 2; instance 1 has fewer entries above -inf; choose a smaller k": lambda: TopK(2)(
        torch.tensor([[0.0, 1.0], [0.0, -torch.inf]])
    ),
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message.rstrip())}$"):
        ERRORS[message]()


def test_registry():
    assert {"dijkstra", "top-k"} <= set(SOLVERS)
    assert repr(SOLVERS["top-k"](3)) == "TopK(k=3)"
    assert isinstance(SOLVERS["dijkstra"](), GridPath)
