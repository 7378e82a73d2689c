"""Enumerated families: states of any numbers, and what is refused."""

import itertools
import re

import pytest
import torch

from imle_core.exact import Enumeration, KSubset
from imle_core.solvers import Ranking

RANKS = torch.tensor(list(itertools.permutations([1.0, 2.0, 3.0])))


def test_ranks_approach_the_solver_as_the_temperature_falls():
    theta = torch.tensor([[0.3, -1.0, 0.9]])
    torch.testing.assert_close(Enumeration(RANKS).marginals(theta * 100), Ranking()(theta).double(), rtol=0, atol=1e-20)


def test_states_of_another_family():
    theta = torch.randn(4, 2, 3, generator=torch.Generator().manual_seed(0))
    family = KSubset(2, (2, 3))
    torch.testing.assert_close(Enumeration(family.states()).marginals(theta), family.marginals(theta))


def test_closed_entries_exclude_states_whatever_positive_number_they_have_there():
    family = Enumeration(torch.tensor([[1e-30, 1.0], [0.0, 2.0], [5.0, 0.0]]))
    theta = torch.tensor([[-torch.inf, 1e4]])
    assert family.marginals(theta).tolist() == [[0.0, 2.0]]
    assert family.log_partition(theta).tolist() == [2e4]
    assert family.sample(theta, 5).tolist() == [[[0.0, 2.0]] * 5]


ERRORS = {
    "states: got shape (3,); they must be (M, *event), with M >= 1; use states.unsqueeze(0) for one": lambda: Enumeration(
        torch.zeros(3)
    ),
    "states: got shape (0, 3); they must be (M, *event), with M >= 1; use states.unsqueeze(0) for one": lambda: Enumeration(
        torch.zeros(0, 3)
    ),
    "states: got 3, of which 2 are distinct; each may be there once; use states.unique(dim=0)": lambda: Enumeration(
        torch.tensor([[0, 1], [1, 0], [0, 1]])
    ),
    "states: got an entry nan; sums over entries must stay finite; keep them within 1e+40": lambda: Enumeration(
        torch.tensor([[0.0, torch.nan]])
    ),
    "states: got an entry -1e+41; sums over entries must stay finite; keep them within 1e+40": lambda: Enumeration(
        torch.tensor([[0.0, -1e41]], dtype=torch.float64)
    ),
    "theta: got 1 -inf for states with negative entries; that would be a gain without end; leave the states out": lambda: (
        Enumeration(-torch.eye(2)).marginals(torch.tensor([[0.0, -torch.inf]]))
    ),
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ERRORS[message]()
