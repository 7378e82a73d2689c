"""Ten ways in which public code uses differentiable solvers, of at most 15 lines each."""

from itertools import permutations

import networkx as nx
import numpy as np
import pytest
import torch
from torch import nn

from imle_core import IMLE, GumbelNoiseDistribution, SumOfGammaNoiseDistribution, TargetDistribution, imle
from imle_core.estimators import differentiable
from imle_core.exact import KSubset
from imle_core.solvers import BlackBox, SpanningTree, TopK


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def test_subgraphs_are_sampled_for_a_graph_network_by_scores_of_nodes_with_falling_noise():
    def best(scores):
        masks = TopK(3, at_most=True)(scores)
        return masks, [row.nonzero().flatten() for row in masks]

    ptr, scores = torch.tensor([0, 5, 7, 11]), torch.randn(11, generator=random(), requires_grad=True)
    layer = IMLE(best, noise_distribution=GumbelNoiseDistribution(), nb_samples=4, generator=random())
    layer.input_noise_temperature = lambda passes: 0.5**passes
    masks, indices = layer.ragged(scores, ptr)
    messages = masks * torch.arange(11.0)  # what the network does with the nodes that are chosen
    messages.sum().backward()
    assert [int(mask.sum()) for mask in masks[0].split(ptr.diff().tolist())] == [3, 2, 3]
    assert len(indices) == 12
    assert scores.grad.abs().sum() > 0


def test_candidate_edges_are_chosen_for_each_member_of_an_ensemble_also_where_there_are_fewer():
    edges = torch.randn(2, 4, 3, generator=random(), requires_grad=True)  # graphs, candidates, members
    layer = imle(TopK(6, at_most=True, dim=1), noise_distribution=GumbelNoiseDistribution(), generator=random())
    assert torch.equal(layer(edges), torch.ones(2, 4, 3))
    few = imle(TopK(2, at_most=True, dim=1), TargetDistribution(lambda_=10.0), nb_samples=1)(edges)
    assert torch.equal(few.sum(dim=1), torch.full((2, 3), 2.0))
    (few * torch.arange(4.0)[:, None]).sum().backward()
    assert edges.grad.shape == (2, 4, 3)
    assert edges.grad.any()


@pytest.mark.parametrize("estimator", ["imle", "simple", "perturbed", "straight-through"])
def test_a_share_of_the_nodes_of_padded_scene_graphs_is_kept_by_four_estimators(estimator):
    sizes = torch.tensor([6, 3, 1])
    theta = torch.randn(3, 6, generator=random()).masked_fill_(torch.arange(6) >= sizes[:, None], -torch.inf)
    theta.requires_grad_()
    layer = differentiable(estimator, TopK(), None, GumbelNoiseDistribution(), 8, generator=random(), reduction="mean")
    kept = layer(theta, k=(sizes + 1) // 2)
    (kept * torch.arange(6.0)).sum().backward()
    torch.testing.assert_close(kept.sum(dim=1), torch.tensor([3.0, 2.0, 1.0]))
    assert theta.grad[0].any()
    assert not theta.grad[theta.isinf()].any()


def test_each_token_of_a_transformer_has_a_gate():
    gate = nn.Linear(8, 1)
    layer = imle(lambda theta: (theta > 0).to(theta), TargetDistribution(lambda_=2.0), nb_samples=1)
    tokens = torch.randn(2, 5, 8, generator=random())
    gates = layer(gate(tokens).squeeze(2))
    (tokens * gates.unsqueeze(2)).square().sum().backward()
    assert gates.shape == (2, 5)
    assert gate.weight.grad.any()


def test_every_row_of_a_dense_adjacency_keeps_its_five_best_neighbours():
    scores = torch.randn(1, 9, 9, generator=random(), requires_grad=True)
    layer = imle(TopK(5, dim=-1), TargetDistribution(lambda_=5.0), GumbelNoiseDistribution(), 3, generator=random())
    adjacency = layer(scores)
    (adjacency @ torch.randn(9, 2, generator=random(1))).square().sum().backward()
    assert torch.equal(adjacency.sum(dim=2), torch.full((3, 9), 5.0))
    assert scores.grad.any()


def test_ten_of_five_hundred_features_are_selected_for_all_instances_by_one_theta():
    theta, x = nn.Parameter(torch.zeros(1, 500)), torch.randn(40, 500, generator=random())
    y, generator = x[:, :10].sum(dim=1), random(1)
    noise = SumOfGammaNoiseDistribution(10)
    layer = imle(TopK(10), TargetDistribution(lambda_=1.0), noise, 20, generator=generator, reduction="stacked")
    for _ in range(80):
        chosen = layer(theta)[0]
        loss = (chosen @ x.T - y).square().mean(dim=1).sum()
        (gradient,) = torch.autograd.grad(loss, theta)
        theta.data -= 0.1 * gradient
    assert TopK(10)(theta.data)[0, :10].sum() >= 6  # of ten; by chance .2


def test_latent_subsets_have_an_exact_divergence_from_the_uniform_distribution():
    family, theta = KSubset(3, 8), torch.randn(4, 8, generator=random()).requires_grad_()
    layer = differentiable("simple", TopK(3), nb_samples=2, generator=random(), reduction="stacked")
    reconstruction = (layer(theta) - torch.eye(8)[:4, None]).square().sum()
    divergence = family.kl(theta, torch.zeros(4, 8))
    (reconstruction + divergence.sum()).backward()
    torch.testing.assert_close(divergence, np.log(56) - family.entropy(theta))
    assert theta.grad.any()


def test_documents_are_retrieved_among_those_that_a_mask_allows():
    documents, query = torch.randn(7, 4, generator=random()), torch.randn(2, 4, generator=random(1), requires_grad=True)
    allowed = torch.tensor([[True] * 7, [True, False, True] + [False] * 4])
    scores = (query @ documents.T).masked_fill(~allowed, -torch.inf)
    layer = imle(TopK(3, at_most=True), TargetDistribution(lambda_=5.0), GumbelNoiseDistribution(), 2, generator=random())
    retrieved = layer(scores)
    (retrieved @ documents).square().sum().backward()
    assert retrieved.sum(dim=1).tolist() == [3, 3, 2, 2]
    assert not retrieved[2:, ~allowed[1]].any()
    assert query.grad.isfinite().all()


def test_molecules_of_a_batch_have_spanning_trees():
    molecules = [nx.cycle_graph(5), nx.complete_graph(4), nx.path_graph(2)]
    trees, sizes = SpanningTree(molecules), [len(molecule.edges) for molecule in molecules]
    offsets = [0, *np.cumsum(sizes).tolist()]
    scores = torch.randn(offsets[-1], generator=random(), requires_grad=True)
    layer = IMLE(trees, TargetDistribution(lambda_=3.0), GumbelNoiseDistribution(), 4, generator=random())
    masks = layer.ragged(scores, offsets)
    (masks * torch.arange(float(offsets[-1]))).sum().backward()
    assert [int(mask.sum()) for mask in masks[0].split(sizes)] == [4, 3, 1]
    assert scores.grad.any()


def test_a_travelling_salesman_gets_the_distances_of_each_instance():
    def shortest(scores, distances):
        gains, orders = scores - distances, [(0, *rest) for rest in permutations(range(1, 5))]
        best = np.array(max(orders, key=lambda order: gains[order, np.roll(order, -1)].sum()))
        return np.eye(5)[np.roll(best, -1)][np.argsort(best)]

    distances, theta = torch.rand(3, 5, 5, generator=random()), torch.zeros(3, 5, 5, requires_grad=True)
    layer = imle(BlackBox(shortest, arrays=True), TargetDistribution(lambda_=1.0), nb_samples=2)
    tours = layer(theta, distances=distances.numpy())
    (tours * torch.rand(6, 5, 5, generator=random(1))).sum().backward()
    assert torch.equal(tours.sum(dim=2), torch.ones(6, 5))
    assert theta.grad.any()
