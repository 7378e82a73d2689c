"""The gradient that estimators are held against, exact or measured."""

from dataclasses import replace

import pytest
import torch

from imle_core import GumbelNoiseDistribution, NormalNoiseDistribution
from imle_core.exact import KSubset
from imle_core.lab import LabProblem, make_problem, reference_gradient, squared_distance
from imle_core.lab.reference import is_quadratic
from imle_core.solvers import TopK

WANTED = torch.tensor([0.2, 1.4, 0.1, 0.9, 0.6], dtype=torch.float64)
THETA = torch.tensor([[0.3, -0.5, 1.0, 0.0, 0.2]], dtype=torch.float64)


def cubic(z):
    return (z - WANTED.to(z)).abs().pow(3).sum(dim=1) + z.sum(dim=1) * (z @ WANTED.to(z)) ** 2


def problem(loss, family=True, k=1):
    return LabProblem("p", THETA, TopK(k), KSubset(k, 5) if family else None, loss, "loss", float(k))


def exact(loss, k=1):
    theta = THETA.clone().requires_grad_()
    states = KSubset(k, 5).states()
    value = ((theta @ states.T).softmax(dim=1) @ loss(states)).sum()
    return torch.autograd.grad(value, theta)[0][0]


@pytest.mark.parametrize("loss", [squared_distance(WANTED), cubic])
def test_by_enumeration(loss):
    found = reference_gradient(problem(loss, k=2), None, 0)
    torch.testing.assert_close(found.gradient, exact(loss, 2))
    assert (found.error, found.text) == (0.0, "exact, Gibbs distribution at temperature 1 over 10 states")
    assert found.norm == pytest.approx(float(found.gradient.norm()))


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("height", [0.1, 1.0, 1e6 / 3])
def test_what_rounding_leaves_of_a_gradient_of_zero_is_zero(k, height):
    assert reference_gradient(problem(lambda z: height * z.sum(dim=1), k=k), None, 0).norm == 0
    slight = reference_gradient(problem(lambda z: height * (z.sum(dim=1) + 1e-9 * z[:, 0]), k=k), None, 0)
    assert slight.norm > 1e-11 * height


def test_by_exact_samples_where_there_are_many_states(monkeypatch):
    monkeypatch.setattr("imle_core.lab.reference._MOST_STATES", 5)
    found = reference_gradient(problem(cubic, k=2), None, 0)
    assert found.text == "65,536 exact samples of the Gibbs distribution at temperature 1"
    assert float((found.gradient - exact(cubic, 2)).norm()) < 3 * found.error
    assert 0 < found.error < 0.04 * found.norm


@pytest.mark.parametrize("loss", [squared_distance(WANTED), cubic], ids=["direction", "entries"])
def test_by_differences_where_no_exact_distribution_is_known(loss):
    # Gumbel noise on one of five has the Gibbs distribution, so that the truth is known after all.
    found = reference_gradient(problem(loss, family=False), GumbelNoiseDistribution(), 0)
    truth = exact(loss)
    assert float((found.gradient - truth).norm()) < 3 * found.error + 0.04 * float(truth.norm())
    assert "perturb-and-MAP at temperature 1" in found.text
    assert ("every entry" in found.text) == (loss is cubic)


@pytest.mark.slow
def test_the_seed_alone_decides():
    one, same, other = (
        reference_gradient(problem(cubic, family=False), NormalNoiseDistribution(), seed).gradient for seed in (3, 3, 4)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_quadratic_losses_are_told_from_others():
    generator = torch.Generator().manual_seed(0)
    state = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0], dtype=torch.float64)
    assert is_quadratic(squared_distance(WANTED), state, generator)
    assert is_quadratic(lambda z: z @ WANTED.to(z), state, generator)
    assert is_quadratic(lambda z: (z @ WANTED.to(z)) ** 2, state, generator)
    assert not is_quadratic(cubic, state, generator)
    assert not is_quadratic(lambda z: z.sum(dim=1).sqrt(), state, generator)


def test_neither_an_exact_distribution_nor_noise():
    with pytest.raises(
        ValueError, match=r"^noise: got none for p, of which no exact distribution is known; the reference needs"
    ):
        reference_gradient(problem(cubic, family=False), None, 0)


@pytest.mark.slow
def test_many_paths_are_sampled():
    large = make_problem("path", "12x12")
    assert large.family.count() == 705_432
    found = reference_gradient(replace(large), None, 0)
    assert "exact samples" in found.text
    assert found.error < 0.1 * found.norm


def test_solvers_of_whole_numbers_are_measured_like_others():
    def whole(theta):
        return torch.nn.functional.one_hot(theta.argmax(dim=1), theta.shape[1])

    own = replace(problem(squared_distance(WANTED), family=False), solver=whole)
    same = problem(squared_distance(WANTED), family=False)
    one, other = (reference_gradient(each, GumbelNoiseDistribution(), 0).gradient for each in (own, same))
    assert torch.equal(one, other)


@pytest.mark.slow
def test_entries_are_taken_in_blocks_of_a_bounded_size(monkeypatch):
    whole = reference_gradient(problem(cubic, family=False), GumbelNoiseDistribution(), 0)
    monkeypatch.setattr("imle_core.lab.reference._ENTRIES", 30)
    monkeypatch.setattr("imle_core.lab.reference._SOLVES", 4000)
    parts = reference_gradient(problem(cubic, family=False), GumbelNoiseDistribution(), 0)
    assert float((parts.gradient - whole.gradient).norm()) < 4 * parts.error
