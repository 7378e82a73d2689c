"""Exact chains: against matrix powers, forbidden transitions, errors."""

import re

import pytest
import torch

from imle_core.exact import Categorical, Chain


def test_equal_transitions_make_independent_choices():
    theta = torch.randn(2, 30, 4, generator=torch.Generator().manual_seed(0))
    chain = Chain(torch.full((4, 4), 0.25), 30)
    torch.testing.assert_close(chain.marginals(theta), Categorical((30, 4)).marginals(theta))
    torch.testing.assert_close(chain.log_partition(theta), Categorical((30, 4)).log_partition(theta) + 29 * 0.25)
    assert chain.count() == 4**30


def test_log_partition_is_a_matrix_power():
    transitions = torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    total = torch.linalg.matrix_power(transitions.exp(), 99).sum().log()
    torch.testing.assert_close(Chain(transitions, 100).log_partition(torch.zeros(1, 100, 3))[0], total)


def test_forbidden_transitions_leave_fibonacci_many_sequences():
    chain = Chain(torch.tensor([[0.0, 0.0], [0.0, -torch.inf]]), 90)  # no two labels 1 in a row
    assert chain.count() == 7540113804746346429
    assert len(Chain(torch.tensor([[0.0, 0.0], [0.0, -torch.inf]]), 10).states()) == 144
    labels = chain.sample(torch.zeros(2, 90, 2), 100, torch.Generator().manual_seed(0)).argmax(dim=3)
    assert (labels[..., 1:] + labels[..., :-1]).max() == 1


def test_no_gradient_reaches_transitions():
    transitions = torch.zeros(2, 2, requires_grad=True)
    assert not Chain(transitions, 3).log_partition(torch.zeros(1, 3, 2)).requires_grad


def test_a_forbidden_sequence_has_probability_zero():
    chain = Chain(torch.tensor([[0.0, 0.0], [0.0, -torch.inf]]), 2)
    theta = torch.zeros(1, 2, 2, requires_grad=True)
    log_probability = chain.log_probability(torch.tensor([[[0, 1], [0, 1]]]), theta)
    assert log_probability.tolist() == [-torch.inf]


ERRORS = {
    "transitions: got shape (2, 3); they must be (K, K), with K >= 1 labels; give a square matrix": lambda: Chain(
        torch.zeros(2, 3), 2
    ),
    "transitions: got shape (0, 0); they must be (K, K), with K >= 1 labels; give a square matrix": lambda: Chain(
        torch.zeros(0, 0), 2
    ),
    "transitions: got NaN or inf; they must be finite; use -inf for never": lambda: Chain(torch.tensor([[torch.inf]]), 2),
    "length: got 0; it must be a whole number >= 1; use 1 for a single label": lambda: Chain(torch.zeros(2, 2), 0),
    "transitions: -inf leaves no sequence of 2 labels; a chain needs one; open some transitions": lambda: Chain(
        torch.tensor([[-torch.inf]]), 2
    ),
    "theta: -inf leaves no structure in row 0 of 1; a structure needs finite entries; open some": lambda: Chain(
        torch.tensor([[0.0, -torch.inf], [0.0, 0.0]]), 2
    ).log_partition(torch.tensor([[[0.0, -torch.inf], [-torch.inf, 0.0]]])),
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ERRORS[message]()
