"""Solvers of costs in layers: noise and targets that make costs negative are clamped, not refused."""

import pytest
import torch

from draws import generator
from imle_core import GumbelNoiseDistribution, SumOfGammaNoiseDistribution, TargetDistribution, hamming, imle, marginals
from imle_core.solvers import MinCut, ShortestPath

EDGES = [("a", "b"), ("b", "d"), ("a", "c"), ("c", "d"), ("b", "c")]
SOLVERS = [ShortestPath(EDGES, "a", "d"), MinCut(EDGES, "a", "d")]


@pytest.mark.parametrize("solver", SOLVERS, ids=["path", "cut"])
@pytest.mark.parametrize("noise", [GumbelNoiseDistribution(), SumOfGammaNoiseDistribution()], ids=["gumbel", "gamma"])
def test_a_layer_under_noise_trains(solver, noise):
    theta = torch.full((4, 5), -1.0, requires_grad=True)
    z = imle(solver, TargetDistribution(lambda_=20.0), noise, 10, generator=generator())(theta)
    before = solver.clamped
    gold = solver(torch.tensor([[-9.0, -9.0, -1.0, -1.0, -5.0]]))
    hamming(z, gold[0]).sum().backward()
    assert theta.grad.any()
    assert 0 < before < solver.clamped <= solver.seen


@pytest.mark.parametrize("solver", SOLVERS, ids=["path", "cut"])
def test_costs_below_0_count_as_0(solver):
    theta = torch.randn(50, 5, generator=generator())
    assert torch.equal(solver(theta), solver(theta.clamp(max=0)))


def test_marginals_under_noise():
    result = marginals(ShortestPath(EDGES, "a", "d"), torch.full((1, 5), -1.0), GumbelNoiseDistribution(), nb_samples=50)
    assert (result.mean[0, :4] > 0).all()


@pytest.mark.parametrize(("kind", "what"), [(ShortestPath, "a shortest path"), (MinCut, "a minimum cut")])
def test_without_a_floor_the_error_names_noise_and_the_remedy(kind, what):
    layer = imle(kind(EDGES, "a", "d", floor=None), None, GumbelNoiseDistribution(), 10, generator=generator())
    message = (
        rf"^theta: got \d positive entries in row \d of 40; {what}.* needs costs -theta >= 0; make theta <= 0, also after "
        "noise and in targets, or leave floor out, so that costs are clamped$"
    )
    with pytest.raises(ValueError, match=message):
        layer(torch.full((4, 5), -1.0))
