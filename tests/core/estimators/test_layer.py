"""What all estimators share: averages over samples, losses of samples, the module form."""

import re
from dataclasses import dataclass

import pytest
import torch

from draws import Recorded, generator, normal
from imle_core import GumbelNoiseDistribution, Layer, LayerModule, NormalNoiseDistribution, hamming, imle
from imle_core.contracts import LossError
from imle_core.estimators.layer import Backward
from imle_core.solvers import TopK


@dataclass(frozen=True)
class Weighted(Layer):
    """A gradient that tells samples apart: ``(s + 1) * dy_s * theta``; keeps what it was given."""

    calls: tuple = ()

    def sample_gradients(self, call):
        object.__setattr__(self, "calls", (*self.calls, call))
        places = torch.arange(1, call.z.shape[1] + 1).to(call.z)
        return places.view(1, -1, *[1] * (call.z.dim() - 2)) * call.dy * torch.where(call.theta.isinf(), 1, call.theta)


def layer(eps=None, samples=3, solver=None, **settings):
    return Weighted(solver or TopK(2), noise=None if eps is None else Recorded(eps), nb_samples=samples, **settings)


def gradient(output, theta, dy):
    (result,) = torch.autograd.grad(output, theta, dy.reshape(output.shape))
    return result


class TestGradient:
    @pytest.mark.parametrize("reduction", ["none", "stacked", "mean"])
    def test_it_is_the_mean_over_samples_of_their_gradients(self, reduction):
        theta, eps = normal(2, 5).requires_grad_(), normal(2, 3, 5, seed=1)
        dy = normal(2, 5, seed=2) if reduction == "mean" else normal(2, 3, 5, seed=2)
        output = layer(eps, reduction=reduction)(theta)
        each = dy[:, None].expand(2, 3, 5) if reduction == "mean" else dy
        expected = (torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64).view(1, 3, 1) * each).mean(dim=1) * theta
        torch.testing.assert_close(gradient(output, theta, dy), expected)

    @pytest.mark.parametrize("sense", ["max", "min"])
    def test_an_estimator_gets_parameters_noise_samples_and_their_gradients(self, sense):
        theta, eps, dy = normal(2, 4, 5).requires_grad_(), normal(2, 3, 4, 5, seed=1), normal(2, 3, 4, 5, seed=2)
        sign = 1 if sense == "max" else -1
        estimator = layer(eps, sense=sense, input_temperature=0.5, solver=lambda rows, scale, *, add: rows * scale + add)
        scale = torch.tensor(2.0, requires_grad=True)
        output = estimator(theta, scale, add=1.0)
        result = gradient(output, theta, dy)
        (call,) = estimator.calls
        assert isinstance(call, Backward)
        assert torch.equal(call.theta, sign * theta.detach()[:, None].expand(2, 3, 4, 5))
        assert torch.equal(call.eps, eps)
        torch.testing.assert_close(call.z, sign * (sign * theta.detach()[:, None] + 0.5 * eps) * 2 + 1)
        assert torch.equal(output, call.z.flatten(0, 1))
        assert torch.equal(call.dy, dy)
        assert not call.arguments[0][0].requires_grad
        assert call.arguments[1] == {"add": 1.0}
        weights = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64).view(1, 3, 1, 1)
        torch.testing.assert_close(result, (weights * dy).mean(dim=1) * theta)

    def test_infinite_entries_get_none(self):
        theta = torch.tensor([[1.0, -torch.inf, 2.0]]).requires_grad_()
        result = gradient(layer(samples=1)(theta), theta, torch.ones(1, 3))
        assert result.tolist() == [[1.0, 0.0, 2.0]]

    def test_an_upstream_gradient_that_is_not_finite(self):
        theta = normal(2, 3).requires_grad_()
        message = "upstream gradient: got 1 entries of 6 that are NaN or infinite; it must be finite; look at the loss"
        dy = torch.zeros(2, 3).index_put((torch.tensor(0), torch.tensor(1)), torch.tensor(torch.inf))
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            gradient(layer(samples=1)(theta), theta, dy.double())

    def test_a_layer_without_a_gradient_of_its_own_cannot_be_made(self):
        with pytest.raises(TypeError, match="abstract"):
            Layer(TopK(1))


class TestEstimate:
    @pytest.mark.parametrize("reduction", ["none", "stacked"])
    def test_it_is_the_mean_loss_with_the_gradient_of_a_sum_over_samples(self, reduction):
        theta, eps, gold = normal(2, 5).requires_grad_(), normal(2, 3, 5, seed=1), TopK(2)(normal(2, 5, seed=2))
        wanted = gold.repeat_interleave(3, dim=0)
        estimator = layer(eps, reduction=reduction)
        value = estimator.estimate(theta, lambda z: hamming(z.square(), wanted))
        losses = hamming(layer(eps)(theta.detach()), wanted).view(2, 3)
        torch.testing.assert_close(value, losses.mean(dim=1))
        (result,) = torch.autograd.grad(value.sum(), theta)
        (summed,) = torch.autograd.grad(hamming(layer(eps)(theta).square(), wanted).sum(), theta)
        assert result.abs().sum() > 0
        torch.testing.assert_close(result, summed)
        assert estimator.calls[0].dy.abs().max() == 2  # of a single sample: 2 z (1 - 2 y)

    def test_under_mean_the_loss_gets_means(self):
        theta, eps, seen = normal(2, 5).requires_grad_(), normal(2, 3, 5, seed=1), []

        def loss(z):
            seen.append(z)
            return z.square().sum(dim=1)

        value = layer(eps, reduction="mean").estimate(theta, loss)
        mean = layer(eps, reduction="mean")(theta.detach())
        assert torch.equal(seen[0], mean)
        assert torch.equal(value, mean.square().sum(dim=1))
        (result,) = torch.autograd.grad(value.sum(), theta)
        torch.testing.assert_close(result, 2 * 2 * mean * theta)  # places 1, 2, 3 have mean 2

    def test_the_loss_s_own_parameters_get_the_gradient_of_the_mean(self):
        theta, eps = normal(2, 5).requires_grad_(), normal(2, 3, 5, seed=1)
        weights = normal(5, seed=2).requires_grad_()
        value = layer(eps).estimate(theta, lambda z: z @ weights)
        (result,) = torch.autograd.grad(value.sum(), weights)
        torch.testing.assert_close(result, layer(eps)(theta.detach()).sum(dim=0) / 3)

    def test_arguments_reach_the_solver(self):
        value = layer(samples=1, solver=lambda rows, factor, *, add: rows * factor + add).estimate(
            torch.ones(2, 3), lambda z: z.sum(dim=1), 2.0, add=1.0
        )
        assert value.tolist() == [9.0, 9.0]

    def test_without_gradients(self):
        with torch.no_grad():
            assert not layer(samples=1).estimate(normal(2, 3).requires_grad_(), lambda z: z.sum(dim=1)).requires_grad
        assert layer(samples=2).estimate(torch.zeros(0, 3), lambda z: z.sum(dim=1)).shape == (0,)

    ERRORS = (
        (
            lambda z: z.sum(),
            "loss: gave shape () for states of shape (6, 5); it must give one number for each, (6,); add up over the other "
            "axes, as in .flatten(1).sum(dim=1)",
        ),
        (
            lambda z: z.square(),
            "loss: gave shape (6, 5) for states of shape (6, 5); it must give one number for each, (6,); add up over the "
            "other axes, as in .flatten(1).sum(dim=1)",
        ),
        (
            lambda z: z.sum(dim=1) / 0 * 0,
            "loss: gave 6 NaN for 6 states; it must give numbers; look for 0/0 or log(0)",
        ),
        (
            lambda z: z.sum(dim=1).tolist(),
            "loss: gave list; it must give a tensor; wrap arrays in torch.as_tensor",
        ),
    )

    @pytest.mark.parametrize(("loss", "message"), ERRORS, ids=["scalar", "entries", "nan", "list"])
    def test_losses_that_cannot_be_used(self, loss, message):
        with pytest.raises(LossError, match=f"^{re.escape(message)}$"):
            layer().estimate(normal(2, 5), loss)


class TestModule:
    def test_evaluation_is_noise_free_with_one_sample(self):
        theta, noise = normal(4, 6).requires_grad_(), NormalNoiseDistribution(scale=5.0)
        for reduction, shape in (("none", (4, 6)), ("stacked", (4, 1, 6)), ("mean", (4, 6))):
            estimator = Weighted(TopK(2), noise=noise, nb_samples=3, reduction=reduction, generator=generator())
            module = LayerModule(estimator)
            assert len(module(theta).flatten(0, -2)) == (4 if reduction == "mean" else 12)
            module.eval()
            assert module(theta).shape == shape
            assert torch.equal(module(theta).view(4, 6), TopK(2)(theta))
            value = module.estimate(theta, lambda z: z @ torch.arange(6.0, dtype=torch.float64))
            assert torch.equal(value, TopK(2)(theta) @ torch.arange(6.0, dtype=torch.float64))

    def test_training_has_the_layer_s_estimate(self):
        theta, noise = normal(4, 6), GumbelNoiseDistribution()
        values = [
            wrap(Weighted(TopK(2), noise=noise, nb_samples=3, generator=generator())).estimate(theta, lambda z: z[:, 0])
            for wrap in (lambda estimator: estimator, LayerModule)
        ]
        assert torch.equal(*values)

    def test_the_solver_and_its_state_are_found(self):
        module = LayerModule(Weighted(torch.nn.BatchNorm1d(3, dtype=torch.float64), generator=generator()))
        assert "solver.running_mean" in module.state_dict()
        module.eval()
        assert not module.solver.training


class AtOnce:
    """A solver with the method that layers may call in its place."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def __call__(self, _):
        raise AssertionError("the method is there to be called")

    def perturb_and_map(self, theta, eps, temperature, known=None):
        self.asked.append((tuple(theta.shape), eps is not None, temperature, known is not None))
        return self.answer(theta if eps is None else theta + temperature * eps)


class TestAtOnce:
    def test_both_passes_call_it_and_the_second_says_what_is_known(self):
        solver = AtOnce(lambda theta: theta > 0)
        theta = torch.ones(2, 3, requires_grad=True)
        z = imle(solver, noise_distribution=GumbelNoiseDistribution(), nb_samples=4)(theta)
        z.sum().backward()
        assert (z.shape, z.dtype) == ((8, 3), torch.float32)
        assert solver.asked == [((2, 1, 3), True, 1.0, False), ((2, 4, 3), True, 1.0, True)]

    @pytest.mark.parametrize(
        ("answer", "kind", "message"),
        [
            (lambda rows: rows[:, 0], ValueError, r"shape \(2, 3\) for parameters of shape \(2, 4, 3\); it must"),
            (lambda _: None, TypeError, "NoneType; it must give a dense tensor of real numbers; use torch.as_tensor"),
        ],
    )
    def test_what_it_gives_is_checked(self, answer, kind, message):
        with pytest.raises(kind, match=f"^solver: gave {message}"):
            imle(AtOnce(answer), noise_distribution=GumbelNoiseDistribution(), nb_samples=4)(torch.ones(2, 3))
