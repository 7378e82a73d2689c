"""The score function: unbiased for any loss, its formula sample by sample, baselines, families, errors."""

import math
import re

import pytest
import torch

from draws import RecordedNormal, generator, normal
from imle_core import (
    AntitheticNoiseDistribution,
    GumbelNoiseDistribution,
    LayerModule,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
)
from imle_core.contracts import LossError
from imle_core.estimators import ScoreFunction, differentiable
from imle_core.exact import Categorical, KSubset
from imle_core.solvers import GridPath, TopK

COUNT = 80_000
THETA = torch.tensor([0.3, -0.5, 1.0, 0.0], dtype=torch.float64)
WEIGHTS = torch.tensor([0.4, -1.0, 1.3, 0.2], dtype=torch.float64)
LOSSES = {
    "cubic": lambda z: (z @ WEIGHTS.to(z) - 0.7) ** 3,
    "exponential": lambda z: torch.exp(z @ WEIGHTS.to(z)),
    "a step": lambda z: 2.0 * (z @ WEIGHTS.to(z) > 0.3) - 1,
}


def gradient(layer, theta, loss):
    theta = theta.detach().clone().requires_grad_()
    (result,) = torch.autograd.grad(layer.estimate(theta, loss).sum(), theta)
    return result


def assert_mean(rows, exact):
    error = rows.std(dim=0) / math.sqrt(len(rows))
    assert ((rows.mean(dim=0) - exact).abs() < 4.5 * error).all()
    largest = int(exact.abs().argmax())
    assert 4.5 * error[largest] < 0.1 * exact[largest].abs()


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("baseline", ["none", "leave-one-out"])
class TestMean:
    def test_gumbel_noise_on_one_of_n_has_the_gradient_of_the_softmax_s_expectation(self, loss, baseline):
        temperature = 0.7
        p, values = (THETA / temperature).softmax(0), loss(torch.eye(4, dtype=torch.float64)).double()
        samples = 4 if baseline == "leave-one-out" else 1
        layer = ScoreFunction(
            TopK(1),
            noise=GumbelNoiseDistribution(),
            nb_samples=samples,
            input_temperature=temperature,
            generator=generator(2),
            baseline=baseline,
        )
        rows = gradient(layer, THETA.expand(COUNT // samples, 4), lambda z: loss(z).double())
        assert_mean(rows, p * (values - p @ values) / temperature)

    @pytest.mark.slow
    def test_exact_samples_have_the_gradient_of_their_expectation(self, loss, baseline):
        temperature, theta = 0.7, THETA[None].clone().requires_grad_()
        expected = Categorical(4).expectation(theta / temperature, lambda z: loss(z).double())
        (exact,) = torch.autograd.grad(expected.sum(), theta)
        samples = 4 if baseline == "leave-one-out" else 1
        layer = ScoreFunction(
            never,
            nb_samples=samples,
            input_temperature=temperature,
            generator=generator(3),
            baseline=baseline,
            family=Categorical(4),
        )
        rows = gradient(layer, THETA.expand(COUNT // samples, 4), lambda z: loss(z).double())
        assert_mean(rows, exact[0])


def never(_):
    raise AssertionError("an exact sampler calls no solver")


class TestFormula:
    @pytest.mark.parametrize("baseline", ["none", "leave-one-out"])
    @pytest.mark.parametrize("sense", ["max", "min"])
    def test_it_is_the_loss_above_the_baseline_times_the_noise_over_the_temperature(self, baseline, sense):
        theta, eps = normal(3, 2, 4), normal(3, 5, 2, 4, seed=1)
        sign = 1 if sense == "max" else -1
        solver = TopK(3) if sense == "max" else (lambda rows: TopK(3)(-rows))
        layer = ScoreFunction(
            solver, noise=RecordedNormal(eps), nb_samples=5, input_temperature=0.7, sense=sense, baseline=baseline
        )
        weights = normal(2, 4, seed=2)

        def loss(z):
            return torch.exp((z * weights).flatten(1).sum(dim=1))

        z = TopK(3)((sign * theta[:, None] + 0.7 * eps).flatten(0, 1))
        values = loss(z).view(3, 5)
        height = values if baseline == "none" else values - (values.sum(dim=1, keepdim=True) - values) / 4
        expected = sign * (height[..., None, None] * eps / 0.7).mean(dim=1)
        torch.testing.assert_close(gradient(layer, theta, loss), expected)
        assert torch.equal(layer.estimate(theta, loss), values.mean(dim=1))

    def test_of_two_samples_each_is_the_other_s_baseline(self):
        eps = torch.tensor([[[1.0, -2.0, 0.5], [-1.0, 3.0, 0.25]]], dtype=torch.float64)
        layer = ScoreFunction(TopK(1), noise=RecordedNormal(eps), nb_samples=2, baseline="leave-one-out")
        values = torch.tensor([2.0, 5.0, 11.0], dtype=torch.float64)
        # Chosen are the first and the second entry: the losses are 2 and 5, and 3 below and above the other.
        result = gradient(layer, torch.zeros(1, 3, dtype=torch.float64), lambda z: z @ values)
        torch.testing.assert_close(result, (-3 * eps[:, 0] + 3 * eps[:, 1]) / 2, rtol=1e-14, atol=0)

    def test_of_two_exact_samples_each_is_the_other_s_baseline(self):
        theta = THETA[None]
        z = Categorical(4).sample(theta, 2, generator(5))
        assert not torch.equal(z[:, 0], z[:, 1])
        layer = ScoreFunction(never, nb_samples=2, generator=generator(5), baseline="leave-one-out", family=Categorical(4))
        apart = (z[:, 0] - z[:, 1]) @ WEIGHTS
        # The mean of the states drops out of the difference of their scores.
        expected = apart[:, None] * (z[:, 0] - z[:, 1]) / 2
        torch.testing.assert_close(gradient(layer, theta, lambda z: z @ WEIGHTS), expected)

    @pytest.mark.parametrize("family", [KSubset(2, 5), "solver"], ids=str)
    def test_of_exact_samples_it_is_the_loss_times_the_solution_less_its_mean(self, family):
        theta, weights = normal(3, 5), normal(5, seed=1)
        layer = ScoreFunction(TopK(2), nb_samples=6, input_temperature=0.5, generator=generator(3), family=family)
        z = KSubset(2, 5).sample(theta / 0.5, 6, generator(3))
        score = (z - KSubset(2, 5).marginals(theta / 0.5)[:, None]) / 0.5
        expected = (torch.exp(z @ weights)[..., None] * score).mean(dim=1)
        torch.testing.assert_close(gradient(layer, theta, lambda z: torch.exp(z @ weights)), expected)

    def test_a_number_of_ones_for_each_instance(self):
        theta, k = torch.randn(2, 5, dtype=torch.float64, generator=generator()), [1, 3]
        layer = differentiable("score-function-exact", TopK(), nb_samples=4, generator=generator())
        alone = layer.draw(theta, ((), {"k": k}))[1]
        layer = differentiable("score-function-exact", TopK(), nb_samples=4, generator=generator())
        leaf = theta.clone().requires_grad_()
        layer.estimate(leaf, lambda z: z[:, 0], k=k).sum().backward()
        means = KSubset(k, 5).marginals(theta)
        losses = alone[..., :1]
        torch.testing.assert_close(leaf.grad, (losses * (alone - means[:, None])).mean(dim=1))

    def test_the_baseline_lowers_the_variance(self):
        variances = []
        for baseline in ("none", "leave-one-out"):
            layer = ScoreFunction(
                TopK(2), noise=NormalNoiseDistribution(), nb_samples=4, generator=generator(), baseline=baseline
            )
            rows = gradient(layer, THETA.expand(5_000, 4), lambda z: 5 + z @ WEIGHTS)
            variances.append(float(rows.var(dim=0).sum()))
        assert variances[1] < 0.2 * variances[0]

    def test_the_loss_s_own_parameters_get_their_usual_gradient(self):
        theta, weights = normal(3, 4).requires_grad_(), normal(4, seed=1).requires_grad_()
        eps = normal(3, 5, 4, seed=2)
        layer = ScoreFunction(TopK(2), noise=RecordedNormal(eps), nb_samples=5)
        value = layer.estimate(theta, lambda z: (z @ weights) ** 3)
        result = torch.autograd.grad(value.sum(), (theta, weights))
        z = TopK(2)((theta.detach()[:, None] + eps).flatten(0, 1))
        by_hand = 3 * ((z @ weights.detach()) ** 2)[:, None] * z
        torch.testing.assert_close(result[1], by_hand.view(3, 5, 4).mean(dim=1).sum(dim=0))
        assert result[0].abs().sum() > 0
        (alone,) = torch.autograd.grad(layer.estimate(theta.detach(), lambda z: z @ weights).sum(), weights)
        torch.testing.assert_close(alone, z.view(3, 5, 4).mean(dim=1).sum(dim=0))

    def test_the_value_is_the_mean_loss_to_the_last_bit_however_large_the_parameters(self):
        theta = (1e6 * normal(3, 4).float()).requires_grad_()
        layer = ScoreFunction(TopK(1), noise=NormalNoiseDistribution(), generator=generator())
        assert layer.estimate(theta, lambda z: z.sum(dim=1) / 10).tolist() == [torch.tensor(0.1).item()] * 3

    def test_one_solve_and_infinite_entries_get_no_gradient(self):
        calls = []

        def solver(rows, scale):
            assert not scale.requires_grad
            calls.append(len(rows))
            return TopK(1)(rows)

        theta = torch.tensor([[1.0, -torch.inf, 0.5]], requires_grad=True)
        layer = ScoreFunction(solver, noise=GumbelNoiseDistribution(), nb_samples=20, generator=generator())
        value = layer.estimate(theta, lambda z: z[:, 0], torch.ones(1, requires_grad=True))
        assert 0 < value.item() < 1
        value.backward()
        assert calls == [20]
        assert theta.grad[0, 1] == 0
        assert theta.grad.isfinite().all()
        assert theta.grad.abs().sum() > 0

    def test_without_gradients_nor_samples(self):
        layer = ScoreFunction(TopK(1), noise=GumbelNoiseDistribution(), nb_samples=2)
        with torch.no_grad():
            assert not layer.estimate(normal(2, 3).requires_grad_(), lambda z: z[:, 0]).requires_grad
        empty = torch.zeros(0, 3, requires_grad=True)
        value = layer.estimate(empty, lambda z: z[:, 0])
        value.sum().backward()
        assert (value.shape, empty.grad.shape) == ((0,), (0, 3))


class TestErrors:
    @pytest.mark.parametrize(
        ("baseline", "remedy"),
        [
            ("leave-one-uot", "did you mean 'leave-one-out'?"),
            ("leave_one_out", "did you mean 'leave-one-out'?"),
            ("non", "did you mean 'none'?"),
            ("mean", "use 'none' for instance"),
            (None, "did you mean 'none'?"),
            (["none"], "did you mean 'none'?"),
        ],
    )
    def test_a_baseline_that_there_is_not(self, baseline, remedy):
        message = f"baseline: got {baseline!r}; it must be one of 'none', 'leave-one-out'; {remedy}"
        for noise, family in ((NormalNoiseDistribution(), None), (None, Categorical(4))):
            with pytest.raises(ValueError, match=r"^baseline") as error:
                ScoreFunction(TopK(1), noise=noise, nb_samples=2, baseline=baseline, family=family)
            assert str(error.value) == message

    LOSSES = (
        (
            lambda z: z.mean(),
            "loss: gave shape () for states of shape (6, 4); it must give one number for each, (6,); add up over the other "
            "axes, as in .flatten(1).sum(dim=1)",
        ),
        (
            lambda z: z[:3, 0],
            "loss: gave shape (3,) for states of shape (6, 4); it must give one number for each, (6,); add up over the "
            "other axes, as in .flatten(1).sum(dim=1)",
        ),
        (
            lambda z: torch.where(z[:, 0] >= 0, torch.nan, 0.0),
            "loss: gave 6 NaN for 6 states; it must give numbers; look for 0/0 or log(0)",
        ),
        (lambda z: z.sum(dim=1).numpy(), "loss: gave ndarray; it must give a tensor; wrap arrays in torch.as_tensor"),
    )

    @pytest.mark.parametrize(("loss", "message"), LOSSES, ids=["scalar", "shape", "nan", "array"])
    def test_losses_that_cannot_be_used(self, loss, message):
        layer = ScoreFunction(TopK(1), noise=GumbelNoiseDistribution(), nb_samples=3)
        with pytest.raises(LossError, match=f"^{re.escape(message)}$"):
            layer.estimate(normal(2, 4).requires_grad_(), loss)

    def test_a_backward_pass_through_samples_does_not_know_the_loss(self):
        layer = differentiable("score-function", TopK(1), None, GumbelNoiseDistribution())
        output = layer(normal(2, 4).requires_grad_())
        message = "score-function: got a gradient; it needs the loss, not its gradient; call layer.estimate(theta, loss)"
        with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
            output.sum().backward()

    def test_evaluation_gives_the_loss_of_the_noise_free_state_to_parameters_that_want_a_gradient(self):
        layer = LayerModule(ScoreFunction(TopK(1), noise=GumbelNoiseDistribution())).eval()
        theta = normal(2, 4).requires_grad_()
        assert torch.equal(layer.estimate(theta, LOSSES["cubic"]).detach(), LOSSES["cubic"](TopK(1)(theta)))

    def test_large_parameters_of_a_narrow_type_do_not_spoil_the_value(self):
        theta = (1000 * normal(2, 4)).half().requires_grad_()
        layer = ScoreFunction(TopK(1), noise=GumbelNoiseDistribution(), generator=generator())
        values = layer.estimate(theta, lambda z: 100 * z.sum(dim=1))
        assert values.tolist() == [100.0, 100.0]
        values.sum().backward()
        assert theta.grad.isfinite().all()

    def test_temperature_zero(self):
        message = "input_noise_temperature: got 0; a score needs a temperature > 0; use 1 for a start"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            gradient(
                ScoreFunction(TopK(1), noise=GumbelNoiseDistribution(), input_temperature=0.0), normal(2, 4), LOSSES["cubic"]
            )
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            gradient(ScoreFunction(TopK(1), input_temperature=0.0, family=Categorical(4)), normal(2, 4), LOSSES["cubic"])

    def test_noise_that_cannot_be_used(self):
        message = "noise_distribution: got None; the score function needs noise; use GumbelNoiseDistribution() for instance"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            differentiable("score-function", TopK(1))
        with pytest.raises(ValueError, match=r"the score function needs the gradient of its density, but s/k = 0.5"):
            differentiable("score-function", TopK(1), None, SumOfGammaNoiseDistribution(20.0, 10))

    def test_the_baseline_needs_other_independent_samples(self):
        with pytest.raises(ValueError, match=r"^nb_samples: got 1; the baseline 'leave-one-out' needs 2 or more"):
            differentiable("score-function-baseline", TopK(1), None, GumbelNoiseDistribution())
        pairs = AntitheticNoiseDistribution(NormalNoiseDistribution())
        with pytest.raises(ValueError, match=r"the baseline 'leave-one-out' needs independent samples"):
            differentiable("score-function-baseline", TopK(1), None, pairs, 4)
        differentiable("score-function-baseline", TopK(1), None, pairs, 4, family=Categorical(4))  # makes no use of pairs

    def test_a_solver_whose_distribution_is_not_known(self):
        message = (
            f"function: got {GridPath()!r}; the exact score function needs exact marginals, which are known for TopK, "
            "ArgMax, AcyclicGridPath, SpanningTree and Knapsack; give its exact distribution as family=..."
        )
        with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
            differentiable("score-function-exact", GridPath())
