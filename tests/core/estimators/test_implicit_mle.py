"""The estimator: reference cases, contract, reductions, senses, module form, arguments, types, errors."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from draws import generator, gradient, normal
from imle_core import IMLE, GumbelNoiseDistribution, NormalNoiseDistribution, TargetDistribution, imle, perturb_and_map
from imle_core.solvers import GridPath, TopK

CASES = np.load(Path(__file__).parent / "data" / "estimator_cases.npz")
META = json.loads(bytes(CASES["meta"]))


class Recorded:
    """Noise that was drawn before; knows the shape alone."""

    def __init__(self, values):
        self.values = values

    def sample(self, shape):
        assert tuple(shape) == tuple(self.values.shape)
        return self.values.clone()


class Counting:
    """A top-1 solver that counts its calls and rows."""

    def __init__(self):
        self.rows = []

    def __call__(self, theta):
        assert not theta.requires_grad
        self.rows.append(len(theta))
        return TopK(1)(theta)


class TestReference:
    @pytest.mark.filterwarnings("ignore::imle_core.ZeroGradientWarning")  # of small cases, whose solution may stay
    @pytest.mark.parametrize("case", META, ids=lambda case: f"{case['case']}-{case['solver']}")
    def test_outputs_and_gradients_are_equal_to_the_last_bit(self, case):
        number = case["case"]
        theta, noise, upstream, output, expected = (
            torch.from_numpy(CASES[f"case{number}_{name}"]) for name in ("theta", "noise", "upstream", "output", "gradient")
        )
        layer = imle(
            GridPath() if case["solver"] == "grid_path" else TopK(case["k"]),
            TargetDistribution(case["alpha"], case["beta"]),
            Recorded(noise),
            case["nb_samples"],
            case["input_noise_temperature"],
            case["target_noise_temperature"],
        )
        theta.requires_grad_()
        z = layer(theta)
        assert torch.equal(z, output)
        z.backward(upstream)
        assert torch.equal(theta.grad, expected)

    def test_the_cases_contain_gradients_that_differ_from_zero(self):
        assert all(np.abs(CASES[f"case{case['case']}_gradient"]).sum() > 0 for case in META if case["beta"] > 1)


class TestForm:
    def test_defaults_are_no_noise_one_sample_alpha_and_beta_one(self):
        theta, dy = normal(4, 6), normal(4, 6, seed=1)
        layer = imle(TopK(2))
        assert torch.equal(layer(theta), TopK(2)(theta))
        assert torch.equal(gradient(layer, theta, dy), TopK(2)(theta) - TopK(2)(theta - dy))

    def test_decorator_with_and_without_arguments(self):
        @imle
        def bare(theta):
            """Ones where positive."""
            return theta > 0

        @imle(target_distribution=TargetDistribution(1.0, 5.0), nb_samples=3)
        def with_arguments(theta):
            return theta > 0

        assert (bare.__name__, bare.__doc__) == ("bare", "Ones where positive.")
        assert bare(normal(2, 3)).shape == (2, 3)
        assert with_arguments(normal(2, 3)).shape == (6, 3)
        assert with_arguments.estimator.target.beta == 5.0

    def test_estimates_are_those_of_its_layer(self):
        layer, theta = imle(TopK(2), nb_samples=2), normal(3, 4).requires_grad_()
        losses, states = layer.estimate(theta, lambda z: z[:, 0], return_states=True)
        assert torch.equal(losses, layer.estimator.estimate(theta, lambda z: z[:, 0]))
        assert (losses.requires_grad, states.shape) == (True, (6, 4))
        ragged = layer.estimate_ragged(theta.flatten(), [0, 4, 8, 12], lambda z: z[:, ::4])
        assert torch.equal(ragged, losses)

    def test_flat_rows_are_instance_by_instance(self):
        noise = normal(2, 3, 4, seed=2)
        theta = normal(2, 4)
        flat = imle(lambda rows: rows, None, Recorded(noise), 3)(theta)
        for b in range(2):
            for s in range(3):
                assert torch.equal(flat[b * 3 + s], theta[b] + noise[b, s])

    @pytest.mark.parametrize(("reduction", "shape"), [("none", (6, 4, 5)), ("stacked", (2, 3, 4, 5)), ("mean", (2, 4, 5))])
    def test_reductions_are_views_of_the_same_samples(self, reduction, shape):
        theta, noise = normal(2, 4, 5), Recorded(normal(2, 3, 4, 5, seed=1))
        stacked = imle(TopK(2), None, noise, 3, reduction="stacked")(theta)
        output = imle(TopK(2), None, noise, 3, reduction=reduction)(theta)
        assert output.shape == shape
        expected = {"none": stacked.flatten(0, 1), "stacked": stacked, "mean": stacked.mean(dim=1)}[reduction]
        assert torch.equal(output, expected)

    def test_under_mean_every_sample_s_target_uses_the_gradient_of_the_mean(self):
        theta, dy, eps = normal(2, 5), normal(2, 5, seed=1), normal(2, 4, 5, seed=2)
        layer = imle(TopK(2), TargetDistribution(1.0, 3.0), Recorded(eps), 4, reduction="mean")
        z = TopK(2)((theta[:, None] + eps).flatten(0, 1)).view(2, 4, 5)
        target = TopK(2)((theta[:, None] - 3 * dy[:, None] + eps).flatten(0, 1)).view(2, 4, 5)
        assert torch.equal(gradient(layer, theta, dy), (z - target).mean(dim=1))

    def test_stacked_and_flat_gradients_are_equal(self):
        theta, dy, eps = normal(2, 5), normal(2, 4, 5, seed=1), Recorded(normal(2, 4, 5, seed=2))
        settings = {"target_distribution": TargetDistribution(1.0, 3.0), "noise_distribution": eps, "nb_samples": 4}
        flat, stacked = (imle(TopK(2), **settings, reduction=name) for name in ("none", "stacked"))
        assert torch.equal(gradient(flat, theta, dy), gradient(stacked, theta, dy))

    def test_central_difference(self):
        theta, dy, eps = normal(2, 5), normal(2, 5, seed=1), normal(2, 1, 5, seed=2)
        layer = imle(TopK(2), TargetDistribution(0.5, 3.0), Recorded(eps), 1, 0.7, 1.3, difference="central")
        up, down = (TopK(2)(0.5 * theta - sign * 3 * dy + 1.3 * eps[:, 0]) for sign in (-1, 1))
        assert torch.equal(gradient(layer, theta, dy), (up - down) / 2)

    @pytest.mark.parametrize("difference", ["forward", "central"])
    def test_a_scaled_gradient_is_divided_by_lambda(self, difference):
        theta, dy, eps = normal(3, 6), normal(6, 6, seed=1), Recorded(normal(3, 2, 6, seed=2))
        target = TargetDistribution(1.0, 4.0)
        plain = imle(TopK(2), target, eps, 2, difference=difference)
        scaled = imle(TopK(2), target, eps, 2, difference=difference, scale_gradient=True)
        assert torch.equal(gradient(scaled, theta, dy), gradient(plain, theta, dy) / 4)

    def test_a_scaled_gradient_with_lambda_zero_is_zero(self):
        layer = imle(TopK(1), TargetDistribution(0.0, 0.0), scale_gradient=True)
        assert torch.equal(gradient(layer, normal(2, 3), normal(2, 3, seed=1)), torch.zeros(2, 3, dtype=torch.float64))

    def test_lambda_may_differ_by_row(self):
        class PerRow:
            def params(self, theta, dy):
                return theta - self.step_size(theta, dy)[:, None] * dy

            def step_size(self, _, dy):
                return dy.norm(dim=1)

        theta, dy, eps = normal(2, 6), normal(6, 6, seed=1), normal(2, 3, 6, seed=2)
        layer = imle(TopK(2), PerRow(), Recorded(eps), 3, scale_gradient=True)
        rows, norms = (theta[:, None] + eps).flatten(0, 1), dy.norm(dim=1, keepdim=True)
        expected = (TopK(2)(rows) - TopK(2)(theta.repeat_interleave(3, 0) - norms * dy + eps.flatten(0, 1))) / norms
        torch.testing.assert_close(gradient(layer, theta, dy), expected.view(2, 3, 6).mean(dim=1))

    def test_observe_is_called_once_with_the_differences_before_scaling(self):
        class Observing(TargetDistribution):
            seen = ()

            def observe(self, difference):
                self.seen = (*self.seen, difference)

        target, theta, dy = Observing(1.0, 9.0), normal(2, 6), normal(6, 6, seed=1)
        layer = imle(TopK(2), target, Recorded(normal(2, 3, 6, seed=2)), 3, scale_gradient=True)
        result = gradient(layer, theta, dy)
        (difference,) = target.seen
        assert difference.shape == (2, 3, 6)
        torch.testing.assert_close(difference.mean(dim=1) / 9, result)


class TestSense:
    @pytest.mark.parametrize("difference", ["forward", "central"])
    def test_costs_are_minus_the_parameters_with_the_noise_s_sign_kept(self, difference):
        theta, dy, eps = normal(3, 6), normal(6, 6, seed=1), normal(3, 2, 6, seed=2)
        target = TargetDistribution(0.7, 3.0)
        most = imle(TopK(2), target, Recorded(eps), 2, 0.8, 1.2, difference=difference)
        least = imle(lambda costs: TopK(2)(-costs), target, Recorded(eps), 2, 0.8, 1.2, sense="min", difference=difference)
        assert torch.equal(least(-theta), most(theta))
        assert torch.equal(gradient(least, -theta, dy), -gradient(most, theta, dy))

    def test_the_solver_gets_costs_minus_noise_and_then_the_target_costs(self):
        seen, costs, dy, eps = [], normal(1, 4), normal(1, 4, seed=1), normal(1, 1, 4, seed=2)

        def solver(rows):
            seen.append(rows.clone())
            return TopK(1)(-rows)

        layer = imle(solver, TargetDistribution(0.5, 2.0), Recorded(eps), 1, 3.0, 4.0, sense="min")
        result = gradient(layer, costs, dy)
        torch.testing.assert_close(seen[0], costs - 3 * eps[0])
        torch.testing.assert_close(seen[1], 0.5 * costs + 2 * dy - 4 * eps[0])
        assert torch.equal(result, TopK(1)(-seen[1]) - TopK(1)(-seen[0]))


class TestCalls:
    @pytest.mark.parametrize(("difference", "backward"), [("forward", [6]), ("central", [6, 6])])
    def test_one_forward_and_one_or_two_backward(self, difference, backward):
        solver = Counting()
        layer = imle(solver, None, NormalNoiseDistribution(), 3, difference=difference, generator=generator())
        theta = normal(2, 5).requires_grad_()
        output = layer(theta)
        assert solver.rows == [6]
        output.sum().backward()
        assert solver.rows == [6, *backward]

    def test_none_for_a_gradient_that_nobody_wants(self):
        solver = Counting()
        layer = imle(solver)
        with torch.no_grad():
            assert not layer(normal(2, 5).requires_grad_()).requires_grad
        assert not layer(normal(2, 5)).requires_grad
        assert solver.rows == [2, 2]

    def test_noise_is_drawn_once(self):
        class Drawing(NormalNoiseDistribution):
            shapes = ()

            def sample(self, shape, **settings):
                self.shapes = (*self.shapes, tuple(shape))
                return super().sample(shape, **settings)

        noise = Drawing()
        gradient(imle(TopK(1), None, noise, 3, generator=generator()), normal(2, 4, 5), torch.ones(6, 4, 5))
        assert noise.shapes == ((2, 3, 4, 5),)

    def test_no_noise_is_drawn_at_temperature_zero(self):
        layer = imle(TopK(1), None, Recorded(torch.empty(0)), 1, 0.0, 0.0)
        assert layer(normal(2, 5)).shape == (2, 5)


class TestGenerator:
    def test_the_same_seed_gives_the_same_samples_and_the_next_call_others(self):
        def layer():
            return imle(TopK(2), None, NormalNoiseDistribution(), 5, generator=generator(7))

        theta = normal(2, 9)
        one, other = layer(), layer()
        first = one(theta)
        assert torch.equal(first, other(theta))
        assert not torch.equal(first, one(theta))

    def test_the_global_generator_is_left_alone_or_used_without_one(self):
        theta, before = normal(2, 9), torch.get_rng_state()
        imle(TopK(2), None, NormalNoiseDistribution(), 5, generator=generator())(theta)
        assert torch.equal(torch.get_rng_state(), before)
        layer = imle(TopK(2), None, NormalNoiseDistribution(), 5)
        torch.manual_seed(3)
        first = layer(theta)
        torch.manual_seed(3)
        assert torch.equal(layer(theta), first)
        torch.set_rng_state(before)


class TestModule:
    def test_evaluation_is_noise_free_with_one_sample_in_the_chosen_reduction(self):
        theta = normal(3, 4, 5)
        for reduction, shape in (("none", (3, 4, 5)), ("stacked", (3, 1, 4, 5)), ("mean", (3, 4, 5))):
            layer = IMLE(TopK(2), None, NormalNoiseDistribution(), 6, reduction=reduction, generator=generator())
            layer.eval()
            assert layer(theta).shape == shape
            assert torch.equal(layer(theta).view(3, 4, 5), TopK(2)(theta))

    def test_evaluation_has_a_gradient_too(self):
        layer = IMLE(TopK(2), TargetDistribution(1.0, 2.0), NormalNoiseDistribution(), 6).eval()
        theta, dy = normal(3, 5), normal(3, 5, seed=1)
        assert torch.equal(gradient(layer, theta, dy), TopK(2)(theta) - TopK(2)(theta - 2 * dy))

    def test_a_loaded_state_continues_the_draws(self):
        def module():
            return IMLE(TopK(2), None, NormalNoiseDistribution(), 4, generator=generator(5))

        theta, first, second = normal(2, 9), module(), module()
        first(theta)
        stream = io.BytesIO()
        torch.save(first.state_dict(), stream)
        stream.seek(0)
        second.load_state_dict(torch.load(stream, weights_only=True))
        assert torch.equal(first(theta), second(theta))

    def test_states_with_and_without_a_generator_fit_each_other(self):
        without, with_one = IMLE(TopK(2)), IMLE(TopK(2), generator=generator())
        without.load_state_dict(with_one.state_dict())
        before = with_one.estimator.generator.get_state()
        with_one.load_state_dict(without.state_dict())
        assert torch.equal(with_one.estimator.generator.get_state(), before)

    def test_solver_and_target_that_are_modules_are_found(self):
        class Target(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.register_buffer("beta", torch.tensor(2.0))

            def params(self, theta, dy):
                return theta - self.beta * dy

        layer = IMLE(torch.nn.Identity(), Target())
        assert list(layer.state_dict()) == ["_extra_state", "target.beta"]


class TestArguments:
    def test_they_reach_the_solver_detached_in_both_passes(self):
        seen = []

        def solver(theta, weights, *, flag):
            assert not weights.requires_grad
            seen.append((weights, flag))
            return theta * weights

        weights = normal(5, seed=1).requires_grad_()
        layer = imle(solver)
        theta = normal(2, 5).requires_grad_()
        layer(theta, weights, flag="on").sum().backward()
        assert [flag for _, flag in seen] == ["on", "on"]
        assert all(torch.equal(used, weights) for used, _ in seen)
        assert weights.grad is None

    def test_a_user_s_noise_that_knows_the_shape_alone(self):
        class Plain:
            def sample(self, shape):
                return torch.full(shape, 0.5)

        output = imle(lambda rows: rows, None, Plain(), 2, 2.0)(torch.zeros(1, 3, dtype=torch.float64))
        assert output.dtype == torch.float64
        assert output.tolist() == [[1.0] * 3] * 2

    def test_a_user_s_target_that_has_params_alone(self):
        class Plain:
            def params(self, _, dy):
                return -dy

        theta, dy = normal(2, 5), normal(2, 5, seed=1)
        assert torch.equal(gradient(imle(TopK(1), Plain()), theta, dy), TopK(1)(theta) - TopK(1)(-dy))


class TestTypes:
    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
    def test_output_and_gradient_have_theta_s_type(self, dtype):
        layer = imle(lambda theta: (theta > 0).int(), TargetDistribution(1.0, 5.0), NormalNoiseDistribution(), 2)
        theta = normal(2, 4).to(dtype).requires_grad_()
        output = layer(theta)
        output.sum().backward()
        assert (output.dtype, theta.grad.dtype) == (dtype, dtype)
        assert theta.grad.abs().sum() > 0

    @pytest.mark.parametrize("cast", [torch.Tensor.bool, torch.Tensor.int, torch.Tensor.long])
    def test_whole_number_solutions_have_the_gradient_of_floating_ones(self, cast):
        theta, dy = normal(2, 6), normal(2, 6, seed=1)
        target = TargetDistribution(1.0, 5.0)
        expected = gradient(imle(TopK(2), target), theta, dy)
        assert torch.equal(gradient(imle(lambda rows: cast(TopK(2)(rows)), target), theta, dy), expected)
        assert expected.abs().sum() > 0

    def test_parameters_and_gradients_that_are_not_contiguous(self):
        theta, dy = normal(5, 3).T, normal(5, 6, seed=1).T
        eps = Recorded(normal(3, 2, 5, seed=2))
        layer = imle(TopK(2), TargetDistribution(1.0, 5.0), eps, 2)
        theta_grad = theta.detach().requires_grad_()
        (result,) = torch.autograd.grad(layer(theta_grad), theta_grad, dy)
        assert torch.equal(result, gradient(layer, theta.contiguous(), dy.contiguous()))

    @pytest.mark.parametrize("shape", [(0, 4), (3, 0), (0, 2, 3)])
    def test_empty_batches_and_events(self, shape):
        layer = imle(TopK(1), None, NormalNoiseDistribution(), 2, generator=generator())
        theta = torch.zeros(shape, requires_grad=True)
        output = layer(theta)
        output.sum().backward()
        assert output.shape == (2 * shape[0], *shape[1:])
        assert theta.grad.shape == shape

    @pytest.mark.parametrize(("sense", "alpha"), [("max", 1.0), ("max", 0.0), ("min", 1.0), ("min", 0.0)])
    def test_walls_stay_walls_with_gradient_zero(self, sense, alpha):
        sign = 1 if sense == "max" else -1
        theta = torch.tensor([[1.0, -torch.inf, 2.0, 0.5]]) * sign
        solver = TopK(2) if sense == "max" else (lambda costs: TopK(2)(-costs))
        noise = GumbelNoiseDistribution()
        layer = imle(solver, TargetDistribution(alpha, 9.0), noise, 50, sense=sense, generator=generator())
        dy = torch.tensor([[0.0, -100.0, 1.0, -1.0]]).expand(50, 4)
        result = gradient(layer, theta, dy)
        assert result[0, 1] == 0
        assert result.isfinite().all()
        assert result.abs().sum() > 0
        assert layer(theta)[:, 1].sum() == 0


class TestPerturbAndMap:
    def test_it_is_the_forward_pass_stacked(self):
        theta, noise = normal(2, 4, 5), NormalNoiseDistribution()
        expected = imle(TopK(2), None, noise, 3, 0.7, reduction="stacked", generator=generator())(theta)
        result = perturb_and_map(TopK(2), theta, noise, nb_samples=3, temperature=0.7, generator=generator())
        assert torch.equal(result, expected)

    def test_without_noise_every_sample_is_the_map_state(self):
        theta = normal(2, 4).requires_grad_()
        result = perturb_and_map(TopK(2), theta, nb_samples=3)
        assert torch.equal(result, TopK(2)(theta)[:, None].expand(2, 3, 4))
        assert not result.requires_grad
