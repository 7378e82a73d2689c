"""The estimator among torch's own tools: checkpointing, compilation, in-place changes, second derivatives, processes."""

import copy
import re

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from draws import generator, normal
from imle_core import IMLE, NormalNoiseDistribution, TargetDistribution, imle
from imle_core.solvers import TopK


def layer(seed=0, noise=None, **settings):
    target, noise = TargetDistribution(1.0, 5.0), noise or NormalNoiseDistribution()
    return imle(TopK(2), target, noise, 3, generator=generator(seed), reduction="mean", **settings)


@pytest.mark.parametrize("reentrant", [False, True])
class TestCheckpointing:
    def gradients(self, estimator, reentrant, inputs, use):
        weights = normal(8, seed=9)
        leaves = [theta.clone().requires_grad_() for theta in inputs]
        loss = torch.zeros((), dtype=torch.float64)
        for theta in leaves:
            output = checkpoint(estimator, theta, use_reentrant=reentrant) if use else estimator(theta)
            loss = loss + (output * weights).sum() ** 2
        loss.backward()
        return [theta.grad for theta in leaves], estimator.estimator.generator.get_state()

    def test_the_recomputation_draws_the_same_noise(self, reentrant):
        inputs = [normal(2, 8)]
        (plain,), _ = self.gradients(layer(), reentrant, inputs, False)
        (recomputed,), _ = self.gradients(layer(), reentrant, inputs, True)
        assert plain.abs().sum() > 0
        assert torch.equal(plain, recomputed)

    def test_several_calls_and_a_generator_that_goes_on_as_without(self, reentrant):
        inputs = [normal(2, 8), normal(2, 8, seed=1), normal(2, 8)]
        plain, state = self.gradients(layer(), reentrant, inputs, False)
        recomputed, state_after = self.gradients(layer(), reentrant, inputs, True)
        assert all(torch.equal(one, other) for one, other in zip(plain, recomputed, strict=True))
        assert torch.equal(state, state_after)

    @pytest.mark.slow
    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
    @pytest.mark.parametrize("nested", [False, True])
    @pytest.mark.parametrize("calls", [1, 2])
    def test_calls_with_equal_parameters_get_their_own_noise_in_whatever_order(self, reentrant, order, nested, calls):
        def gradients(use):
            estimator, weights = layer(), normal(8, seed=9)
            thetas = [torch.ones(2, 8, dtype=torch.float64, requires_grad=True) for _ in range(3)]

            def region(theta):
                return sum(estimator(theta.clone()) * weights * (call + 1) for call in range(calls))

            def recomputed(function):
                return (lambda theta: checkpoint(function, theta, use_reentrant=reentrant)) if use else function

            outer = recomputed(recomputed(region) if nested else region)
            losses = [outer(theta).sum() ** 2 for theta in thetas]
            for place in order:
                losses[place].backward()
            return [theta.grad for theta in thetas]

        plain, again = gradients(False), gradients(True)
        assert not torch.equal(plain[0], plain[1])
        assert all(torch.equal(one, other) for one, other in zip(plain, again, strict=True))

    def test_a_second_backward_pass_recomputes_the_same(self, reentrant):
        if reentrant:
            pytest.skip("torch cannot go back twice through a re-entrant checkpoint")
        estimator, theta = layer(), normal(2, 8).requires_grad_()
        loss = (checkpoint(estimator, theta, use_reentrant=False) * normal(8, seed=9)).sum() ** 2
        (first,) = torch.autograd.grad(loss, theta, retain_graph=True)
        assert torch.equal(first, torch.autograd.grad(loss, theta)[0])

    def test_states_are_kept_no_longer_than_the_graph(self, reentrant):
        estimator, theta = layer(), normal(2, 8).requires_grad_()
        output = checkpoint(estimator, theta, use_reentrant=reentrant)
        assert len(estimator.estimator.replay._records) == 1
        del output
        assert len(estimator.estimator.replay._records) == 0

    def test_nothing_on_record(self, reentrant):
        estimator = layer()

        def forgets(theta):
            if torch._C._current_graph_task_id() != -1:
                estimator.estimator.replay._records.clear()
            return estimator(theta)

        theta = normal(2, 8).requires_grad_()
        output = checkpoint(forgets, theta, use_reentrant=reentrant)
        message = (
            "generator: no state is on record for a recomputation with parameters of shape (2, 8); inside a backward pass "
            "only what was checkpointed can be computed, just as before; use torch.utils.checkpoint"
        )
        with pytest.raises(RuntimeError, match=re.escape(message)):
            output.sum().backward()


class TestAutograd:
    def test_the_mean_may_be_changed_in_place(self):
        theta, dy = normal(2, 8), normal(2, 8, seed=1)
        gradients = []
        for factor in (1, 3):
            leaf = theta.clone().requires_grad_()
            output = layer()(leaf)
            (output.mul_(factor) * dy / factor).sum().backward()
            gradients.append(leaf.grad)
        torch.testing.assert_close(*gradients)

    def test_second_derivatives_are_refused(self):
        theta = normal(2, 8).requires_grad_()
        (first,) = torch.autograd.grad((layer()(theta) ** 2).sum(), theta, create_graph=True)
        message = (
            "gradient: it was asked for its own derivative, and a difference of solutions has none; a layer can be "
            "differentiated once; leave out create_graph=True, or detach the gradient"
        )
        with pytest.raises(RuntimeError, match=re.escape(message)):
            first.sum().backward()

    def test_second_derivatives_of_a_linear_loss_are_refused_rather_than_0(self):
        theta = normal(2, 8).requires_grad_()
        (first,) = torch.autograd.grad((layer()(theta) * normal(8, seed=1)).sum(), theta, create_graph=True)
        with pytest.raises(RuntimeError, match="asked for its own derivative"):
            (first.sum() + (theta**2).sum()).backward()

    def test_two_backward_passes_give_the_same_gradient(self):
        theta = normal(2, 8).requires_grad_()
        loss = (layer()(theta) * normal(8, seed=1)).sum()
        loss.backward(retain_graph=True)
        first = theta.grad.clone()
        loss.backward()
        assert torch.equal(theta.grad, 2 * first)

    def test_gradients_pass_through_to_what_made_the_parameters(self):
        network = torch.nn.Linear(4, 8, dtype=torch.float64)
        (layer()(network(normal(2, 4))) * normal(8, seed=1)).sum().backward()
        assert network.weight.grad.abs().sum() > 0

    def test_transforms_of_torch_give_the_same_gradient(self):
        estimator, weights = imle(lambda theta: theta > 0, TargetDistribution(1.0, 10.0)), normal(2, 8, seed=1)

        def loss(theta):
            return (estimator(theta) * weights).sum()

        theta = normal(2, 8).requires_grad_()
        loss(theta).backward()
        assert theta.grad.abs().sum() > 0
        assert torch.equal(torch.func.grad(loss)(theta.detach()), theta.grad)


class Recomputing(torch.autograd.Function):
    """A checkpoint of somebody's own, with names of its own."""

    @staticmethod
    def forward(context, function, theta):
        context.function = function
        context.save_for_backward(theta)
        with torch.no_grad():
            return function(theta)

    @staticmethod
    def backward(context, dy):
        theta = context.saved_tensors[0].detach().requires_grad_()
        with torch.enable_grad():
            output = context.function(theta)
        return None, torch.autograd.grad(output, theta, dy)[0]


def test_a_function_that_recomputes_draws_the_same_noise():
    weights = normal(8, seed=9)
    gradients = []
    for use in (False, True):
        estimator = layer()
        thetas = [torch.ones(2, 8, dtype=torch.float64, requires_grad=True) for _ in range(2)]
        losses = [((Recomputing.apply(estimator, some) if use else estimator(some)) * weights).sum() ** 2 for some in thetas]
        for loss in losses:
            loss.backward()
        gradients.append([some.grad for some in thetas])
    assert all(torch.equal(*pair) for pair in zip(*gradients, strict=True))
    assert not torch.equal(*gradients[0])


def test_a_module_can_be_copied():
    module = IMLE(TopK(2), None, NormalNoiseDistribution(), 3)
    twin = copy.deepcopy(module)
    assert twin(normal(2, 8)).shape == module(normal(2, 8)).shape
