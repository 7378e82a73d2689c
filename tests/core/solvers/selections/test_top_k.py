"""Top-k: brute force, ties, shapes, types, errors."""

import itertools
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imle_core.solvers import SOLVERS, GridPath, TopK
from imle_core.solvers.selections import top_k
from seeded import lists


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(lists([-1.5, -1.0, 0.0, 0.5, 0.5000001, 2.0, -float("inf")], 1, 7), st.data())
def test_the_best_set_and_among_equals_the_first(values, data):
    possible = [i for i, value in enumerate(values) if value > -float("inf")]
    if not possible:
        return
    k = data.draw(st.integers(1, len(possible)))
    # Sets in lexicographic order: the first of the best ones has its equals furthest to the front.
    best = max(itertools.combinations(possible, k), key=lambda chosen: sorted((values[i] for i in chosen), reverse=True))
    z = TopK(k)(torch.tensor([values], dtype=torch.float64))[0]
    assert z.nonzero().flatten().tolist() == list(best)


ENTRIES = [-1.5, -0.0, 0.0, 0.5, 2.0, float("inf"), -float("inf")]


class TestByTorch:
    """As on other devices than the CPU."""

    @pytest.mark.slow
    @settings(max_examples=200, deadline=None)
    @given(lists(lambda rng: rng.choices(ENTRIES, k=5), 1, 4), st.data())
    def test_it_is_the_compiled_engine_to_the_entry(self, rows, data):
        theta = torch.tensor(rows, dtype=data.draw(st.sampled_from([torch.float32, torch.float64])))
        at_most = data.draw(st.booleans())
        counts = torch.tensor(data.draw(lists(range(8 if at_most else 6), len(rows), len(rows))))
        (chosen, closed), (masks, first) = (engine(theta, counts, at_most) for engine in (top_k._sorted, top_k._compiled))
        assert closed == first
        if closed < 0:
            assert torch.equal(chosen.to(theta), masks)
            wanted = counts.minimum((theta > -torch.inf).sum(dim=1)) if at_most else counts
            assert chosen.sum(dim=1).tolist() == wanted.tolist()

    def test_the_largest_and_among_equals_the_first(self):
        theta = torch.tensor([[0.0, 2.0, 2.0, 2.0, 9.0, -1.0]] * 3)
        chosen, closed = top_k._sorted(theta, torch.tensor([1, 3, 6]), False)
        assert chosen.int().tolist() == [[0, 0, 0, 0, 1, 0], [0, 1, 1, 0, 1, 0], [1, 1, 1, 1, 1, 1]]
        assert closed == -1
        many = torch.arange(3000).remainder(3).float().expand(2, 3000)
        assert torch.equal(top_k._sorted(many, torch.tensor([7, 1500]), False)[0].float(), TopK()(many, k=[7, 1500]))

    def test_zeros_of_either_sign_tie_whatever_the_sort(self, monkeypatch):
        sort = torch.Tensor.argsort

        def by_bits(values, *args, **kwargs):  # as a radix sort that tells them apart
            return sort(values - values.signbit() * 1e-30, *args, **kwargs)

        monkeypatch.setattr(torch.Tensor, "argsort", by_bits)
        assert top_k._sorted(torch.tensor([[-0.0, 0.0]]), torch.tensor([1]), False)[0].tolist() == [[True, False]]

    def test_the_first_row_that_is_closed_is_named(self):
        theta = torch.tensor([[1.0, -torch.inf], [1.0, 2.0], [-torch.inf, 0.0]])
        assert top_k._sorted(theta, torch.tensor([1, 2, 2]), False)[1] == 2
        assert top_k._sorted(theta, torch.tensor([2, 2, 2]), False)[1] == 0

    def test_no_rows(self):
        chosen, closed = top_k._sorted(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64), False)
        assert (chosen.shape, closed) == ((0, 3), -1)


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


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(lists(lambda rng: rng.choices([-1.0, 0.0, 0.5, 2.0], k=4), 1, 4), st.data())
def test_a_number_for_each_instance_and_its_samples(rows, data):
    k = data.draw(lists([1, 2, 3, 4], len(rows), len(rows)))
    theta = torch.tensor(rows).repeat_interleave(3, dim=0)
    alone = [TopK(number)(row[None]) for number, row in zip(k, torch.tensor(rows), strict=True)]
    kinds = torch.int8, torch.uint8, torch.int32, torch.uint32
    for given_k in (k, tuple(k), np.array(k), torch.tensor(k), *(torch.tensor(k).to(kind) for kind in kinds)):
        assert torch.equal(TopK()(theta, k=given_k), torch.cat(alone).repeat_interleave(3, dim=0))


def test_at_most_takes_what_is_open():
    theta = torch.tensor([[1.0, -torch.inf, 3.0], [-torch.inf, 2.0, -torch.inf], [-torch.inf] * 3])
    assert TopK(2, at_most=True)(theta).tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert TopK(at_most=True)(theta, k=[1, 9, 9]).tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert TopK(5, at_most=True)(torch.zeros(2, 3)).tolist() == [[1, 1, 1]] * 2
    assert TopK(10**30, at_most=True)(torch.zeros(2, 3)).tolist() == [[1, 1, 1]] * 2
    assert TopK(5, at_most=True)(torch.zeros(2, 0)).shape == (2, 0)


def test_no_entry():
    assert TopK(0)(torch.zeros(2, 3)).tolist() == [[0, 0, 0]] * 2
    assert TopK()(torch.ones(2, 2), k=[0, 1]).tolist() == [[0, 0], [1, 0]]
    assert TopK(0)(torch.full((1, 3), -torch.inf)).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("dim", [1, 2, 3, -1, -2])
def test_along_an_axis_each_line_is_a_choice_of_its_own(dim):
    theta = torch.randn(4, 3, 5, 2, generator=torch.Generator().manual_seed(0))
    expected = torch.zeros_like(theta).scatter_(dim, theta.topk(2, dim=dim).indices, 1)
    z = TopK(2, dim=dim)(theta)
    assert torch.equal(z, expected)
    assert z.is_contiguous()
    one_each = TopK(dim=dim)(theta, k=[2, 0, 1, 2])
    assert torch.equal(one_each[0], expected[0])
    assert one_each.sum(dim=dim).flatten(1).unique(dim=1).flatten().tolist() == [2, 0, 1, 2]


def test_a_closed_line_names_its_instance():
    theta = torch.zeros(3, 2, 2)
    theta[1, 1] = -torch.inf
    with pytest.raises(ValueError, match=r"^k: got 1; instance 1 has fewer entries above -inf;"):
        TopK(1, dim=-1)(theta)


ERRORS = {
    "dim: got 0; it must be an axis of an instance; use 1 for the first, -1 for the last": lambda: TopK(1, dim=0),
    "dim: got 1.0; it must be an axis of an instance; use 1 for the first, -1 for the last": lambda: TopK(1, dim=1.0),
    "dim: got 3; theta has 3 axes, the first of instances; use -1 for the last": lambda: TopK(1, dim=3)(
        torch.zeros(2, 2, 2)
    ),
    "dim: got -3; theta has 3 axes, the first of instances; use -1 for the last": lambda: TopK(1, dim=-3)(
        torch.zeros(2, 2, 2)
    ),
    "k: got None; TopK() needs one for each instance; call it with k=[...]": lambda: TopK()(torch.zeros(2, 3)),
    "k: got 4; an instance has 3 entries; k must be from 0 to 3, or at_most=True ": lambda: TopK()(
        torch.zeros(2, 3), k=[1, 4]
    ),
    "k: got -1; an instance has 3 entries; k must be from 0 to 3, or at_most=True": lambda: TopK()(
        torch.zeros(2, 3), k=[-1, 4]
    ),
    "k: got shape (2,), torch.int64, for 3 rows; it must have a whole number for each instance, and rows a multiple of "
    "instances; give a list": lambda: TopK()(torch.zeros(3, 3), k=[1, 1]),
    "k: got shape (1,), torch.float32, for 2 rows; it must have a whole number for each instance, and rows a multiple of "
    "instances; give a list": lambda: TopK()(torch.zeros(2, 3), k=[1.0]),
    "k: got 2; instance 1 has fewer entries above -inf; choose a smaller k, or at_most=True ": lambda: TopK()(
        torch.tensor([[0.0, 0.0], [0.0, -torch.inf]]), k=[2]
    ),
    "k: got -1; it must be a whole number >= 0; top-k chooses k entries": lambda: TopK(-1),
    "k: got True; it must be a whole number >= 0; top-k chooses k entries": lambda: TopK(True),
    "k: got shape (1,), torch.bool, for 2 rows; it must have a whole number for each instance, and rows a multiple of "
    "instances; give a list": lambda: TopK()(torch.zeros(2, 3), k=[True]),
    "k: got shape (1,), torch.complex64, for 2 rows; it must have a whole number for each instance, and rows a multiple of "
    "instances; give a list": lambda: TopK()(torch.zeros(2, 3), k=[1j]),
    "k: got 'two'; it must have a whole number for each instance; give a list": lambda: TopK()(torch.zeros(2, 3), k="two"),
    "theta: got shape (3,); top-k needs (N, *event); use theta.unsqueeze(0) for one instance": lambda: TopK(1)(
        torch.zeros(3)
    ),
    "k: got 1.0; it must be a whole number >= 0; top-k chooses k entries": lambda: TopK(1.0),
    "k: got 4; an instance has 3 entries; k must be from 0 to 3, or at_most=True": lambda: TopK(4)(torch.zeros(2, 3)),
    "theta: got 1 NaN; top-k needs numbers; use -inf for never": lambda: TopK(1)(torch.tensor([[0.0, 1.0, torch.nan]])),
    "k: got 2; instance 1 has fewer entries above -inf; choose a smaller k, or at_most=True": lambda: TopK(2)(
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
