"""Estimators by name: one call for all, and what all of them must keep to."""

import copy
import re

import pytest
import torch

from draws import generator, gradient, normal
from imle_core import (
    AdaptiveTargetDistribution,
    GumbelNoiseDistribution,
    LayerModule,
    NormalNoiseDistribution,
    TargetDistribution,
    hamming,
    imle,
)
from imle_core.estimators import ESTIMATORS, differentiable, steps_of_any_size
from imle_core.solvers import GridPath, TopK

LOSS_VALUES = [name for name, entry in ESTIMATORS.items() if entry.needs == "loss values"]
LAYERS = [name for name, entry in ESTIMATORS.items() if entry.needs == "loss gradient"]
WITH_ESTIMATE = [*LAYERS, *LOSS_VALUES]
# Samples of the solver for the parameters themselves, with the noise.
OF_THE_SOLVER = [name for name in LAYERS if name not in ("identity", "perturbed-multiplicative", "simple")]
# Solves for 2 instances of 3 samples: forward, then backward.
CALLS = {
    "imle": ([6], [6]),
    "central-imle": ([6], [6, 6]),
    "adaptive-imle": ([6], [6]),
    "adaptive-central-imle": ([6], [6, 6]),
    "blackbox": ([6], [6]),
    "straight-through": ([6], []),
    "identity": ([6], []),
    "perturbed": ([6], []),
    "perturbed-baseline": ([6], [2]),
    "perturbed-multiplicative": ([6], []),
    "score-function": ([6], []),
    "score-function-baseline": ([6], []),
    "score-function-exact": ([], []),
    "simple": ([], []),
}


class CountingTopK(TopK):
    """Top-k that counts its rows and sees no gradients; with a sign for costs."""

    def __init__(self, k, sign=1):
        super().__init__(k)
        self.rows, self.sign = [], sign

    def __call__(self, theta, *args):
        assert not theta.requires_grad
        self.rows.append(len(theta))
        return super().__call__(self.sign * theta, *args)


def make(name, solver=None, samples=3, **settings):
    target = AdaptiveTargetDistribution(beta=2.0, step=0.0) if ESTIMATORS[name].adaptive else TargetDistribution(1.0, 2.0)
    settings = {
        "target_distribution": target,
        "noise_distribution": NormalNoiseDistribution(),
        "generator": generator(),
    } | settings
    return differentiable(name, solver or TopK(2), nb_samples=samples, **settings)


def estimate(layer, theta, loss):
    theta = theta.detach().clone().requires_grad_()
    value = layer.estimate(theta, loss)
    (result,) = torch.autograd.grad(value.sum(), theta)
    return value.detach(), result


WEIGHTS = normal(6, seed=4)


def cubic(z):
    return (z @ WEIGHTS.to(z)) ** 3


class TestForm:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["imle", "central-imle"])
    def test_imle_is_that_of_the_package(self, name):
        theta, dy = normal(3, 6), normal(9, 6, seed=1)
        options = ESTIMATORS[name].options
        settings = (TargetDistribution(0.5, 4.0), GumbelNoiseDistribution(), 3, 0.7, 1.2)
        own = differentiable(name, TopK(2), *settings, generator=generator())
        other = imle(TopK(2), *settings, generator=generator(), **options)
        assert torch.equal(own(theta), other(theta))
        assert torch.equal(gradient(own, theta, dy), gradient(other, theta, dy))

    def test_it_is_a_decorator_too(self):
        @differentiable("blackbox", target_distribution=TargetDistribution(1.0, 4.0), nb_samples=2, reduction="mean")
        def layer(theta):
            return theta > 0

        assert type(layer).__name__ == "BlackboxInterpolation"
        assert (layer.target.beta, layer.nb_samples, layer.reduction) == (4.0, 2, "mean")
        assert layer(normal(3, 5)).shape == (3, 5)

        @differentiable("identity", projection="mean")
        def projected(theta):
            return theta > 0

        assert projected.projection == "mean"

    def test_adaptive_estimators_make_their_own_target_and_take_one(self):
        made = differentiable("adaptive-imle", TopK(1), TargetDistribution(0.25, 9.0)).target
        assert isinstance(made, AdaptiveTargetDistribution)
        assert (made.alpha, float(made.beta)) == (0.25, 2.0)
        assert differentiable("adaptive-imle", TopK(1)).target.alpha == 1.0
        given = AdaptiveTargetDistribution(beta=0.5)
        assert differentiable("adaptive-central-imle", TopK(1), given).target is given

    def test_options_that_are_given_go_before_those_of_the_name(self):
        assert differentiable("central-imle", TopK(1)).difference == "central"
        assert differentiable("central-imle", TopK(1), difference="forward").difference == "forward"

    def test_the_names_and_what_they_need(self):
        of_gold = ["fenchel-young", "structured-svm"]
        assert {*CALLS, *of_gold} == set(ESTIMATORS)
        assert [name for name, entry in ESTIMATORS.items() if entry.needs == "gold solutions"] == of_gold

    @pytest.mark.parametrize("name", CALLS)
    def test_the_step_matters_for_those_that_say_so(self, name):
        theta, results = normal(3, 6).abs() + 0.1, []
        for beta in (0.7, 5.0):
            layer = make(
                name, target_distribution=TargetDistribution(1.0, beta), noise_distribution=NormalNoiseDistribution()
            )
            results.append(estimate(layer, theta, cubic)[1])
        assert ESTIMATORS[name].uses_step != torch.equal(*results)

    @pytest.mark.parametrize(
        ("name", "remedy"),
        [
            ("imel", "did you mean 'imle'?"),
            ("strait-through", "did you mean 'straight-through'?"),
            ("perturbed-multiplicativ", "did you mean 'perturbed-multiplicative'?"),
            ("", "use 'imle' for instance"),
        ],
    )
    def test_unknown_names(self, name, remedy):
        known = (
            "'imle', 'central-imle', 'adaptive-imle', 'adaptive-central-imle', 'blackbox', 'straight-through', 'identity', "
            "'perturbed', 'perturbed-baseline', 'perturbed-multiplicative', 'fenchel-young', 'structured-svm', "
            "'score-function', 'score-function-baseline', 'score-function-exact', 'simple', "
            "'spo-plus', 'perturbation-gradient', 'central-perturbation-gradient', 'contrastive', 'contrastive-map', "
            "'rank-list', 'rank-pair', 'rank-point', 'frank-wolfe', 'frank-wolfe-fenchel-young', 'cone', "
            "'cone-margin', 'sfess'"
        )
        message = f"estimator: got {name!r}; it must be one of {known}; {remedy}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            differentiable(name, TopK(1))
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            differentiable(name)(TopK(1))


class TestSamples:
    @pytest.mark.parametrize("reduction", ["none", "stacked", "mean"])
    def test_all_that_solve_for_the_parameters_draw_the_same_ones(self, reduction):
        theta = normal(4, 6)
        outputs = [make(name, reduction=reduction)(theta) for name in OF_THE_SOLVER]
        assert len(outputs) == 8
        assert all(torch.equal(output, outputs[0]) for output in outputs)

    @pytest.mark.parametrize("name", LAYERS)
    def test_the_same_seed_gives_the_same_samples_and_gradients_and_the_next_call_others(self, name):
        theta, dy = normal(8, 6), normal(24, 6, seed=1)
        one, other = make(name), make(name)
        first = one(theta)
        assert torch.equal(first, other(theta))
        assert not torch.equal(first, one(theta))
        assert torch.equal(gradient(make(name), theta, dy), gradient(make(name), theta, dy))

    @pytest.mark.parametrize("name", LAYERS)
    def test_the_global_generator_is_left_alone(self, name):
        before = torch.get_rng_state()
        gradient(make(name), normal(3, 6), normal(9, 6, seed=1))
        assert torch.equal(torch.get_rng_state(), before)

    @pytest.mark.parametrize("name", CALLS)
    def test_solver_calls(self, name):
        solver = CountingTopK(2)
        theta = normal(2, 6).requires_grad_()
        value = make(name, solver).estimate(theta, cubic)
        forward, backward = CALLS[name]
        assert solver.rows == forward
        value.sum().backward()
        assert solver.rows == forward + backward
        assert theta.grad.shape == (2, 6)

    @pytest.mark.parametrize("name", CALLS)
    def test_no_backward_solve_without_gradients(self, name):
        solver = CountingTopK(2)
        with torch.no_grad():
            assert not make(name, solver)(normal(2, 6).requires_grad_()).requires_grad
        assert not make(name, solver)(normal(2, 6)).requires_grad
        assert solver.rows == CALLS[name][0] * 2


class TestSense:
    """A function of costs that declares nothing, and a solver that declares that it maximises: it gets minus the costs."""

    OF_COSTS = pytest.mark.parametrize("solver", [CountingTopK(2, sign=-1), TopK(2)], ids=["function", "declares max"])

    @pytest.mark.slow
    @OF_COSTS
    @pytest.mark.parametrize("name", WITH_ESTIMATE)
    def test_costs_are_minus_the_parameters_and_so_is_their_gradient(self, name, solver):
        theta = normal(4, 6)
        most = estimate(make(name, CountingTopK(2)), theta, cubic)
        least = estimate(make(name, solver, sense="min"), -theta, cubic)
        assert torch.equal(most[0], least[0])
        assert most[1].abs().sum() > 0
        assert torch.equal(most[1], -least[1])

    @OF_COSTS
    def test_the_fenchel_young_loss_too(self, solver):
        theta, gold = normal(4, 6).requires_grad_(), TopK(2)(normal(4, 6, seed=1))
        costs = (-theta.detach()).requires_grad_()
        most = make("fenchel-young", CountingTopK(2))(theta, gold)
        least = make("fenchel-young", solver, sense="min")(costs, gold)
        assert torch.equal(most, least)
        (one,), (other,) = torch.autograd.grad(most.sum(), theta), torch.autograd.grad(least.sum(), costs)
        assert torch.equal(one, -other)

    def test_a_solver_that_adds_the_noise_itself_and_knows_solutions(self):
        costs = normal(2, 4, 4).abs() + 1
        most, least = make("imle", GridPath()), make("imle", GridPath(), sense="min")
        assert torch.equal(most(-costs), least(costs))
        assert torch.equal(
            estimate(most, -costs, lambda z: -z[:, 1, 1])[1], -estimate(least, costs, lambda z: -z[:, 1, 1])[1]
        )

    def test_noise_free_modules_and_means_keep_the_sense(self):
        costs = torch.tensor([[3.0, 1.0, 2.0, 2.5]])
        module = LayerModule(make("imle", TopK(1), sense="min", reduction="mean")).eval()
        assert module(costs).tolist() == [[0.0, 1.0, 0.0, 0.0]]


class TestReductions:
    @pytest.mark.parametrize("name", LAYERS)
    def test_flat_and_stacked_have_equal_samples_and_gradients(self, name):
        theta, dy = normal(4, 6), normal(12, 6, seed=1)
        flat, stacked = make(name), make(name, reduction="stacked")
        assert torch.equal(flat(theta).view(4, 3, 6), stacked(theta))
        assert torch.equal(gradient(make(name), theta, dy), gradient(make(name, reduction="stacked"), theta, dy))

    @pytest.mark.slow
    @pytest.mark.parametrize("name", LAYERS)
    def test_under_mean_each_sample_has_the_gradient_of_the_mean(self, name):
        theta, dy = normal(4, 6), normal(4, 6, seed=1)
        mean, stacked = make(name, reduction="mean"), make(name, reduction="stacked")
        assert torch.equal(mean(theta), stacked(theta).mean(dim=1))
        result = gradient(make(name, reduction="mean"), theta, dy)
        each = gradient(make(name, reduction="stacked"), theta, dy[:, None].expand(4, 3, 6))
        assert result.abs().sum() > 0
        torch.testing.assert_close(result, each)

    @pytest.mark.slow
    @pytest.mark.parametrize("name", LAYERS)
    @pytest.mark.parametrize("reduction", ["none", "stacked"])
    def test_an_estimate_is_the_mean_loss_with_the_gradient_of_the_sum_over_samples(self, name, reduction):
        theta = normal(4, 6)
        value, result = estimate(make(name, reduction=reduction), theta, cubic)
        leaf = theta.clone().requires_grad_()
        losses = cubic(make(name)(leaf)).view(4, 3)
        losses.sum().backward()
        assert result.abs().sum() > 0
        torch.testing.assert_close(value, losses.mean(dim=1).detach())
        torch.testing.assert_close(result, leaf.grad)

    @pytest.mark.parametrize("name", [name for name in LAYERS if name != "simple" and not name.startswith("perturbed")])
    def test_a_row_s_gradient_does_not_depend_on_its_batch_mates(self, name):
        # Without noise, which differs with the size of the batch.
        theta = normal(4, 6) * torch.tensor([[1.0], [10.0], [0.1], [1.0]], dtype=torch.float64)

        def result(rows):
            with steps_of_any_size():
                return estimate(make(name, noise_distribution=None, samples=1), theta[rows], cubic)[1]

        together = result(slice(None))
        for b in range(4):
            assert torch.equal(result(slice(b, b + 1))[0], together[b])


class TestStates:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", WITH_ESTIMATE)
    @pytest.mark.parametrize(("reduction", "shape"), [("none", (12, 6)), ("stacked", (4, 3, 6)), ("mean", (4, 6))])
    def test_an_estimate_gives_its_states_too(self, name, reduction, shape):
        theta = normal(4, 6).requires_grad_()
        seen = []

        def loss(z):
            seen.append(z.detach().clone())
            return cubic(z.mul_(0.5))  # it may write in them

        losses, states = make(name, reduction=reduction).estimate(theta, loss, return_states=True)
        alone = make(name, reduction=reduction).estimate(theta, lambda z: cubic(z * 0.5))
        assert torch.equal(losses, alone)
        assert torch.equal(*(torch.autograd.grad(values.sum(), theta)[0] for values in (losses, alone)))
        assert (states.shape, states.requires_grad) == (shape, False)
        single = name in LOSS_VALUES and reduction == "mean"  # which see single samples
        assert torch.equal(seen[0].view(4, 3, 6).mean(dim=1) if single else seen[0].view(shape), states)
        values, again = LayerModule(make(name, reduction=reduction)).estimate(theta, cubic, return_states=True)
        assert values.shape == (4,)
        assert torch.equal(again, states)


class TestModule:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", WITH_ESTIMATE)
    @pytest.mark.parametrize("reduction", ["none", "stacked", "mean"])
    def test_evaluation_gives_the_noise_free_state(self, name, reduction):
        theta = normal(4, 6)
        module = LayerModule(make(name, reduction=reduction)).eval()
        expected = TopK(2)(theta)[:, None] if reduction == "stacked" else TopK(2)(theta)
        assert torch.equal(module(theta), expected)
        assert torch.equal(module.estimate(theta, cubic), cubic(TopK(2)(theta)))

    def test_evaluation_of_a_layer_with_a_leave_one_out_baseline(self):
        layer = make("perturbed", baseline="leave-one-out")
        theta = normal(4, 6).requires_grad_()
        assert torch.equal(LayerModule(layer).eval()(theta), TopK(2)(theta))

    def test_evaluation_of_the_fenchel_young_loss_has_no_noise(self):
        theta, gold = normal(4, 6), TopK(2)(normal(4, 6, seed=1))
        value = LayerModule(make("fenchel-young")).eval()(theta, gold)
        torch.testing.assert_close(value, theta.topk(2).values.sum(dim=1) - (theta * gold).sum(dim=1))

    @pytest.mark.parametrize("name", LAYERS)
    def test_training_is_the_layer_and_a_loaded_state_goes_on(self, name):
        theta, dy = normal(4, 6), normal(12, 6, seed=1)
        module, other = LayerModule(make(name)), LayerModule(make(name))
        assert torch.equal(gradient(module, theta, dy), gradient(make(name), theta, dy))
        other.load_state_dict(copy.deepcopy(module.state_dict()))
        assert torch.equal(gradient(module, theta, dy), gradient(other, theta, dy))


class TestTypes:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", WITH_ESTIMATE)
    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
    def test_values_and_gradients_have_theta_s_type(self, name, dtype):
        theta = normal(4, 6).to(dtype).requires_grad_()
        layer = make(name)
        value = layer.estimate(theta, lambda z: hamming(z, TopK(2)(WEIGHTS[None].to(dtype))))
        value.sum().backward()
        assert (value.dtype, theta.grad.dtype) == (dtype, dtype)
        assert theta.grad.isfinite().all()
        assert theta.grad.abs().sum() > 0

    @pytest.mark.parametrize("name", WITH_ESTIMATE)
    def test_narrow_types_give_about_the_gradient_of_wide_ones(self, name):
        theta = normal(4, 6).half()
        results = [
            estimate(make(name), theta.to(dtype), lambda z: z @ WEIGHTS.to(z))[1] for dtype in (torch.half, torch.double)
        ]
        torch.testing.assert_close(results[0].double(), results[1], rtol=3e-2, atol=3e-2)

    @pytest.mark.parametrize("name", WITH_ESTIMATE)
    def test_no_instances(self, name):
        theta = torch.zeros(0, 6, requires_grad=True)
        value = make(name).estimate(theta, lambda z: z.sum(dim=1))
        value.sum().backward()
        assert (value.shape, theta.grad.shape) == ((0,), (0, 6))

    @pytest.mark.parametrize("name", WITH_ESTIMATE)
    def test_events_of_several_axes_and_whole_number_solutions(self, name):
        class Whole(TopK):
            def __call__(self, theta):
                return super().__call__(theta).int()

        theta = normal(3, 2, 3)
        wide = estimate(make(name, TopK(2)), theta, lambda z: z.flatten(1) @ WEIGHTS)
        whole = estimate(make(name, Whole(2)), theta, lambda z: z.flatten(1) @ WEIGHTS)
        assert wide[1].shape == (3, 2, 3)
        assert wide[1].abs().sum() > 0
        assert all(torch.equal(one, other) for one, other in zip(wide, whole, strict=True))

    @pytest.mark.parametrize("name", WITH_ESTIMATE)
    def test_walls_get_no_gradient(self, name):
        theta = normal(4, 6)
        theta[:, 2] = -torch.inf
        weights = WEIGHTS.clone()
        weights[2] = -9.0
        value, result = estimate(make(name, samples=8), theta, lambda z: (z @ weights) ** 3)
        assert value.isfinite().all()
        assert result.isfinite().all()
        assert (result[:, 2] == 0).all()
        assert result.abs().sum() > 0
