"""Rankings and choices: brute force, ties, types, errors."""

import itertools
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imle_core.solvers import ArgMax, Ranking, TopK

SCORES = st.lists(st.sampled_from([-2.0, -0.5, 0.0, 0.5, 1.0, 2.0**30]), min_size=1, max_size=6)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(SCORES, st.sampled_from([torch.float32, torch.float64]))
def test_ranks_are_the_best_order_and_among_equals_the_first_is_higher(scores, dtype):
    orders = itertools.permutations(range(1, len(scores) + 1))
    best = max(orders, key=lambda ranks: (sum(map(float.__mul__, scores, map(float, ranks))), ranks))
    z = Ranking()(torch.tensor([scores], dtype=dtype))
    assert z.dtype == dtype
    assert z[0].tolist() == list(best)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(SCORES)
def test_a_choice_is_the_top_1(scores):
    theta = torch.tensor([scores])
    assert torch.equal(ArgMax()(theta), TopK(1)(theta))


@pytest.mark.parametrize("solver", [Ranking(), ArgMax()])
class TestBoth:
    def test_the_last_axis_counts(self, solver):
        theta = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(0)).round()
        assert torch.equal(solver(theta), solver(theta.flatten(0, 1)).view(theta.shape))
        turned = theta.transpose(1, 2).contiguous().transpose(1, 2)
        assert torch.equal(solver(turned), solver(theta))

    def test_infinite_scores(self, solver):
        z = solver(torch.tensor([[torch.inf, 1.0, torch.inf, -torch.inf]]))
        assert z[0].argmax() == 0

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
    def test_types_and_empty_batches(self, solver, dtype):
        z = solver(torch.ones(2, 3, dtype=dtype, requires_grad=True))
        assert (z.dtype, z.requires_grad) == (dtype, False)
        assert solver(torch.zeros(0, 3, dtype=dtype)).shape == (0, 3)


ERRORS = {
    "theta: got shape (2,); a ranking needs (N, *event); its last axis is ranked": lambda: Ranking()(torch.zeros(2)),
    "theta: got 1 NaN; a ranking needs numbers; use -inf for the last": lambda: Ranking()(torch.tensor([[torch.nan, 0.0]])),
    "theta: got 257 scores in torch.bfloat16; it counts exactly to 256; use theta.float()": lambda: Ranking()(
        torch.zeros(1, 257, dtype=torch.bfloat16)
    ),
    "theta: got shape (2, 0); a choice needs (N, *event) and something to choose from; give an axis of scores": lambda: (
        ArgMax()(torch.zeros(2, 0))
    ),
    "theta: got 2 NaN; a choice needs numbers; use -inf for the last": lambda: ArgMax()(torch.full((1, 2), torch.nan)),
    "theta: got only -inf for a choice of instance 1; a choice needs one score above; leave one open": lambda: ArgMax()(
        torch.tensor([[0.0, 0.0], [-torch.inf, -torch.inf]])
    ),
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ERRORS[message]()


def test_ranks_up_to_the_last_exact_one():
    z = Ranking()(torch.arange(256, dtype=torch.float32).to(torch.bfloat16)[None])
    assert z[0].tolist() == list(range(1, 257))
