"""Target distributions: fixed, known and adaptive."""

import copy
import json
import math
import os
import pickle
import re
import sys

import numpy as np
import pytest
import torch
from torch.utils.checkpoint import checkpoint

import warm
from draws import generator, gradient, normal
from imle_core import (
    IMLE,
    AdaptiveTargetDistribution,
    GumbelNoiseDistribution,
    KnownTargetDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
    TargetDistribution,
    imle,
)
from imle_core.solvers import TopK


class Recorded:
    """Noise that was drawn before, handed out piece by piece along the batch."""

    def __init__(self, values):
        self.values, self.used = values, 0

    def sample(self, shape):
        piece = self.values[self.used : self.used + shape[0]]
        assert tuple(shape) == tuple(piece.shape)
        self.used = (self.used + shape[0]) % len(self.values)
        return piece.clone()


class Counting:
    """A top-1 solver that counts its calls and rows."""

    def __init__(self):
        self.rows = []

    def __call__(self, theta):
        self.rows.append(len(theta))
        return TopK(1)(theta)


class TestFixed:
    def test_parameters_move_against_the_gradient(self):
        theta, dy = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 4.0]])
        assert TargetDistribution(0.5, 3.0).params(theta, dy).tolist() == [[-1.0, -13.0]]
        assert TargetDistribution().params(theta, dy).tolist() == [[0.5, -6.0]]
        assert TargetDistribution(0.5, 3.0).step_size(theta, dy) == 3.0

    def test_repr(self):
        assert repr(TargetDistribution(1, 10)) == "TargetDistribution(alpha=1, lambda_=10)"

    @pytest.mark.parametrize("name", ["alpha", "beta"])
    @pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
    def test_settings_outside_their_range(self, name, value):
        message = f"{name}: got {value!r}; it must be a finite number >= 0; the usual value is 1"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            TargetDistribution(**{name: value})


class TestKnown:
    @pytest.mark.parametrize("samples", [1, 3])
    @pytest.mark.parametrize("each", [False, True])
    def test_the_gradient_is_the_difference_of_two_perturbed_solutions_whatever_the_loss(self, samples, each):
        theta, eps, true = normal(4, 6), normal(4, samples, 6, seed=1), normal(4, 6, seed=2)
        true = true if each else true[0]
        layer = imle(TopK(2), KnownTargetDistribution(true), Recorded(eps), samples, 0.7, 1.3)
        z = TopK(2)((theta[:, None] + 0.7 * eps).flatten(0, 1)).view(4, samples, 6)
        wanted = TopK(2)((true.view(-1, 1, 6) + 1.3 * eps).flatten(0, 1)).view(4, samples, 6)
        result = gradient(layer, theta, normal(4 * samples, 6, seed=3))
        assert result.abs().sum() > 0
        assert torch.equal(result, (z - wanted).mean(dim=1))
        assert torch.equal(gradient(layer, theta, torch.zeros(4 * samples, 6)), result)

    def test_it_reaches_the_true_solution(self):
        true, theta = normal(3, 6, seed=1), normal(3, 6).requires_grad_()
        layer = imle(TopK(2), KnownTargetDistribution(true))
        for _ in range(60):
            (result,) = torch.autograd.grad(layer(theta).sum(), theta)
            theta = (theta - 0.1 * result).detach().requires_grad_()
        assert torch.equal(layer(theta), TopK(2)(true))

    def test_under_min_it_takes_minus_the_true_costs(self):
        costs, true = normal(3, 6).abs(), normal(3, 6, seed=1).abs()
        cheapest = lambda rows: TopK(2)(-rows)  # noqa: E731
        result = gradient(imle(cheapest, KnownTargetDistribution(-true), sense="min"), costs, normal(3, 6, seed=2))
        assert result.abs().sum() > 0
        assert torch.equal(result, cheapest(true) - cheapest(costs))

    def test_a_closed_entry_of_the_true_parameters_is_never_wanted_and_one_of_the_layer_s_own_stays_closed(self):
        true = torch.tensor([-torch.inf, 5.0, 4.0, -1.0])
        theta = torch.tensor([[3.0, -torch.inf, 0.0, 1.0]])
        result = gradient(imle(TopK(1), KnownTargetDistribution(true)), theta, torch.ones(1, 4))
        assert result.tolist() == [[1.0, 0.0, -1.0, 0.0]]

    def test_parameters_of_the_next_batch_may_be_set(self):
        target = KnownTargetDistribution(normal(5, 4))
        target.theta = normal(2, 4, seed=1)
        assert torch.equal(target.params(torch.zeros(6, 4, dtype=torch.float64), None), target.theta.repeat_interleave(3, 0))

    def test_type_and_repr(self):
        target = KnownTargetDistribution(normal(2, 4).requires_grad_())
        params = target.params(torch.zeros(2, 4), None)
        assert (params.dtype, params.requires_grad) == (torch.float32, False)
        assert repr(target) == "KnownTargetDistribution(theta of shape (2, 4))"

    def test_central_differences_are_refused(self):
        message = (
            "difference: got 'central' with KnownTargetDistribution, whose parameters do not depend on the upstream "
            "gradient; both of its sides would be equal; use difference='forward'"
        )
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            imle(TopK(1), KnownTargetDistribution(torch.zeros(3)), difference="central")

    def test_division_by_a_step_is_refused(self):
        message = (
            "target_distribution: got KnownTargetDistribution; it must have a method step_size; use TargetDistribution(), "
            "or scale_gradient=False"
        )
        with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
            imle(TopK(1), KnownTargetDistribution(torch.zeros(3)), scale_gradient=True)

    @pytest.mark.parametrize(("value", "got"), [([1.0, 2.0], "list"), (torch.tensor([1, 2]), "torch.int64")])
    def test_parameters_that_are_no_floating_tensor(self, value, got):
        message = f"theta: got {got}; it must be a tensor of a floating type; use torch.as_tensor(theta).float()"
        with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
            KnownTargetDistribution(value)

    def test_nan(self):
        message = "theta: got 1 NaN; true parameters must be numbers; -inf is never chosen"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            KnownTargetDistribution(torch.tensor([0.0, torch.nan]))

    @pytest.mark.parametrize("shape", [(3,), (3, 4), (4, 4), (1, 4), (2, 5), (0, 4), (2, 4, 1)])
    def test_parameters_of_a_wrong_shape(self, shape):
        message = (
            f"theta: the known target has shape {shape} for instances of shape (2, 4); it must be (*event), or (B, *event) "
            "with the layer's B instances; give the true parameters of this batch"
        )
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            gradient(imle(TopK(1), KnownTargetDistribution(torch.zeros(shape)), None, 2), torch.ones(2, 4), torch.ones(4, 4))


def fixed_beta(beta, **settings):
    return AdaptiveTargetDistribution(beta=beta, step=0.0, **settings)


class TestAdaptiveStep:
    def test_lambda_is_beta_times_the_ratio_of_norms_of_each_row(self):
        theta = torch.tensor([[[3.0, 0.0], [0.0, 4.0]], [[0.0, 1.0], [0.0, 0.0]]])
        dy = torch.tensor([[[0.0, 2.0], [0.0, 0.0]], [[3.0, 0.0], [4.0, 0.0]]])
        target = fixed_beta(0.5)
        assert target.step_size(theta, dy).tolist() == pytest.approx([0.5 * 5 / 2, 0.5 * 1 / 5])
        torch.testing.assert_close(target.params(theta, dy), theta - torch.tensor([1.25, 0.1])[:, None, None] * dy)
        torch.testing.assert_close(
            fixed_beta(0.5, alpha=0.25).params(theta, dy), theta / 4 - torch.tensor([1.25, 0.1])[:, None, None] * dy
        )

    @pytest.mark.slow
    @pytest.mark.parametrize("samples", [1, 3])
    @pytest.mark.parametrize("reduction", ["none", "stacked", "mean"])
    @pytest.mark.parametrize("difference", ["forward", "central"])
    def test_with_beta_held_it_is_imle_over_lambda_with_that_lambda_for_each_row(self, samples, reduction, difference):
        theta, eps = normal(4, 7), normal(4, samples, 7, seed=1)
        dy = normal(4, 7, seed=2) if reduction == "mean" else normal(4, samples, 7, seed=2)
        settings = {"reduction": reduction, "difference": difference}
        adaptive = imle(TopK(2), fixed_beta(0.75, alpha=0.5), Recorded(eps), samples, 0.6, 1.1, **settings)
        rows = dy[:, None].expand(4, samples, 7) if reduction == "mean" else dy
        lambdas = (0.75 * theta.norm(dim=1, keepdim=True) / rows.norm(dim=2)).tolist()
        expected = torch.zeros(4, 7, dtype=torch.float64)
        for b in range(4):
            for s in range(samples):
                single = imle(
                    TopK(2),
                    TargetDistribution(0.5, lambdas[b][s]),
                    Recorded(eps[b : b + 1, s : s + 1]),
                    1,
                    0.6,
                    1.1,
                    difference=difference,
                )
                expected[b] += gradient(single, theta[b : b + 1], rows[b, s])[0] / lambdas[b][s] / samples
        assert expected.abs().sum() > 0
        torch.testing.assert_close(gradient(adaptive, theta, dy), expected, rtol=1e-12, atol=1e-14)

    def test_scale_gradient_false_leaves_differences_undivided(self):
        theta, dy = normal(4, 7), normal(4, 7, seed=1)
        scaled = gradient(imle(TopK(2), fixed_beta(1.0)), theta, dy)
        plain = gradient(imle(TopK(2), fixed_beta(1.0), scale_gradient=False), theta, dy)
        step = fixed_beta(1.0).step_size(theta, dy)[:, None]
        assert set(plain.unique().tolist()) == {-1.0, 0.0, 1.0}
        torch.testing.assert_close(scaled * step, plain)

    @pytest.mark.parametrize(("difference", "backward"), [("forward", [6]), ("central", [6, 6])])
    def test_solver_calls(self, difference, backward):
        solver = Counting()
        layer = imle(solver, AdaptiveTargetDistribution(beta=0.1), None, 3, difference=difference)
        gradient(layer, normal(2, 5), normal(6, 5))
        assert solver.rows == [6, *backward]

    @pytest.mark.parametrize("reduction", ["stacked", "mean"])
    def test_a_row_s_gradient_does_not_depend_on_its_batch_mates(self, reduction):
        sizes = torch.tensor([1.0, 1e3, 1e-3, 1.0], dtype=torch.float64)
        theta, eps = normal(4, 7) * sizes[:, None], normal(4, 3, 7, seed=1) * sizes[:, None, None]
        dy = normal(4, 3, 7, seed=2) if reduction == "stacked" else normal(4, 7, seed=2)

        def result(rows):
            layer = imle(TopK(2), fixed_beta(0.5), Recorded(eps[rows]), 3, reduction=reduction)
            return gradient(layer, theta[rows], dy[rows])

        together = result(slice(None))
        assert (together.flatten(1).abs().sum(dim=1) > 0).sum() >= 3
        for b in range(4):
            assert torch.equal(result(slice(b, b + 1))[0], together[b])

    @pytest.mark.parametrize("difference", ["forward", "central"])
    def test_the_divisor_is_the_lambda_that_was_used_although_beta_moves_in_the_same_pass(self, difference):
        theta, dy = normal(4, 7), normal(4, 7, seed=1)
        moving = AdaptiveTargetDistribution(beta=0.5, step=0.25, least=0.0)
        expected = gradient(imle(TopK(2), fixed_beta(0.5), difference=difference), theta, dy)
        assert torch.equal(gradient(imle(TopK(2), moving, difference=difference), theta, dy), expected)
        assert float(moving.beta) in (0.25, 0.75)

    def test_beta_zero_and_rows_without_a_gradient_or_parameters_give_zero(self):
        theta, dy = normal(3, 5), normal(3, 5, seed=1)
        dy[1], theta[2] = 0.0, 0.0
        result = gradient(imle(TopK(2), fixed_beta(2.0)), theta, dy)
        assert result[0].abs().sum() > 0
        assert (result[1:] == 0).all()
        assert (gradient(imle(TopK(2), fixed_beta(0.0)), theta, dy) == 0).all()

    def test_walls_are_left_out_of_the_norms(self):
        theta = torch.tensor([[3.0, -torch.inf, 4.0, 0.0]])
        dy = torch.tensor([[0.0, 100.0, 1.0, -1.0]])
        torch.testing.assert_close(fixed_beta(2.0).step_size(theta, dy), torch.tensor([2 * 5 / math.sqrt(2)]))
        for sense, sign in (("max", 1), ("min", -1)):
            solver = TopK(1) if sense == "max" else (lambda rows: TopK(1)(-rows))
            result = gradient(imle(solver, fixed_beta(2.0), sense=sense), sign * theta, dy)
            torch.testing.assert_close(sign * result, torch.tensor([[0.0, 0.0, 1.0, -1.0]]) / (10 / math.sqrt(2)))

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
    def test_a_step_beyond_what_narrow_types_hold(self, dtype):
        theta = torch.tensor([[300.0, -50.0, 20.0]], dtype=dtype)
        dy = torch.tensor([[1e-4, 0.0, 0.0]], dtype=dtype)
        lambda_ = 2 * float(theta.double().norm() / dy.double().norm())
        result = gradient(imle(TopK(1), fixed_beta(2.0)), theta, dy)
        assert result.dtype == dtype
        torch.testing.assert_close(
            result, (torch.tensor([[1.0, 0.0, -1.0]]) / lambda_).to(dtype), rtol=2e-2, atol=6e-8
        )  # float16's least step is 6e-8

    @pytest.mark.parametrize("shape", [(0, 4), (3, 0), (0, 2, 3)])
    def test_empty_batches_and_events_move_nothing(self, shape):
        target = AdaptiveTargetDistribution(beta=0.5, step=0.1)
        layer = imle(TopK(1), target, NormalNoiseDistribution(), 2, generator=generator())
        assert gradient(layer, torch.zeros(shape), torch.zeros(2 * shape[0], *shape[1:])).shape == shape
        if 0 in shape[:1]:
            assert float(target.beta) == 0.5


def with_nonzeros(*counts, samples=1, size=12):
    """Differences ``(B, S, size)`` of which each row has that many entries that are not zero."""
    rows = torch.zeros(len(counts), size)
    for row, count in zip(rows, counts, strict=True):
        row[:count] = -0.5
    return rows.view(-1, samples, size)


class TestRelative:
    """A fixed relative step is what an adaptive target has that does not move."""

    @pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
    def test_it_is_an_adaptive_target_that_stays(self, dtype):
        theta, dy = normal(5, 3, 2).to(dtype), normal(5, 3, 2, seed=1).to(dtype)
        theta[0, 0, 0], dy[1] = -torch.inf, 0
        target, adaptive = TargetDistribution(0.5, 0.75, relative=True), fixed_beta(0.75, alpha=0.5)
        assert torch.equal(target.params(theta, dy), adaptive.params(theta, dy))
        torch.testing.assert_close(target.step_size(theta, dy), adaptive.step_size(theta, dy).to(dtype), check_dtype=False)

    def test_a_mean_over_rows_or_a_scaled_loss_changes_no_solution(self):
        theta, dy = normal(4, 7), normal(4, 7, seed=1)
        layer = imle(TopK(2), TargetDistribution(beta=0.5, relative=True))
        moved = gradient(layer, theta, dy)
        assert moved.any()
        for scale in (1e-4, 1e3):
            assert torch.equal(gradient(layer, theta, scale * dy), moved)
        assert repr(TargetDistribution(relative=True)) == "TargetDistribution(alpha=1, lambda_=1, relative=True)"

    def test_ragged_instances_have_steps_of_their_own(self):
        values, offsets, weights = normal(7).requires_grad_(), [0, 4, 7], normal(7, seed=1)
        layer = imle(TopK(2), TargetDistribution(beta=0.9, relative=True))
        (layer.ragged(values, offsets) * weights).sum().backward()
        for first, last in ((0, 4), (4, 7)):
            alone = gradient(layer, values.detach()[None, first:last], weights[None, first:last])
            assert torch.equal(values.grad[first:last], alone[0])


class TestAdaptiveBeta:
    SETTINGS = (
        {},
        {"momentum": 0.9},
        {"decay": 0.0, "target_rate": 3.0},
        {"momentum": 0.5, "decay": 0.5, "step": 0.25},
        {"beta": 0.02, "step": 0.05, "least": 0.0},
        {"beta": 0.02, "step": 0.05, "decay": 0.5},
        {"beta": 0.5, "step": 0.05, "least": 0.45},
    )

    @pytest.mark.parametrize("settings", SETTINGS, ids=str)
    def test_the_trajectory_is_the_recursion_by_hand(self, settings):
        rates = [0, 0, 4, 2, 0, 1, 9, 9, 9, 9, 0, 0, 0, 0, 6, 1, 0, 0, 0, 0, 12, 12, 12, 0, 0, 0]
        target = AdaptiveTargetDistribution(**{"beta": 0.0} | settings)
        wanted = {"beta": 0.0, "step": 1e-3, "momentum": 0.0, "decay": 0.9, "target_rate": 1.0} | settings
        beta, rate, move, clamped, betas = wanted["beta"], wanted["target_rate"], 0.0, False, set()
        least = wanted.get("least", beta)
        for count in rates:
            target.observe(with_nonzeros(count))
            rate = wanted["decay"] * rate + (1 - wanted["decay"]) * count
            sign = (wanted["target_rate"] > rate) - (wanted["target_rate"] < rate)
            move = wanted["momentum"] * move + (1 - wanted["momentum"]) * wanted["step"] * sign
            clamped |= beta + move < least
            beta = max(least, beta + move)
            betas.add(beta)
            observed = [float(value) for value in (target.beta, target.rate, target.move)]
            assert observed == pytest.approx([beta, rate, move], rel=1e-5, abs=1e-7)
        assert len(betas) >= 3
        if settings == {} or "beta" in settings:
            assert clamped

    def test_it_begins_at_2_and_grows_only(self):
        target = AdaptiveTargetDistribution(step=0.125)
        target.observe(with_nonzeros(8))
        assert float(target.beta) == 2.0
        for _ in range(40):
            target.observe(with_nonzeros(0))
        assert float(target.beta) > 3.0
        for _ in range(80):
            target.observe(with_nonzeros(8))
        assert float(target.beta) == 2.0

    def test_a_loaded_beta_below_the_least_stays_until_it_grows(self):
        # A state of a version whose betas came down from 1 to 0.
        target = AdaptiveTargetDistribution(step=0.125)
        target.load_state_dict(AdaptiveTargetDistribution(beta=0.25).state_dict())
        target.observe(with_nonzeros(8))
        assert float(target.beta) == 0.25
        for _ in range(10):
            target.observe(with_nonzeros(0))
        risen = float(target.beta)
        assert 0.25 < risen < 2
        target.observe(with_nonzeros(12, 12, 12))
        assert float(target.beta) >= risen

    def test_the_rate_is_the_mean_over_instances_and_samples(self):
        target = AdaptiveTargetDistribution(decay=0.5, target_rate=2.0)
        target.observe(with_nonzeros(0, 1, 5, 8, 0, 1, samples=3))
        assert float(target.rate) == 0.5 * 2.0 + 0.5 * 15 / 6

    def test_it_counts_what_the_layer_s_samples_differ_in(self):
        theta, dy, eps = normal(4, 7), normal(4, 3, 7, seed=1), normal(4, 3, 7, seed=2)
        target = AdaptiveTargetDistribution(beta=0.5, decay=0.5)
        gradient(imle(TopK(2), target, Recorded(eps), 3), theta, dy)
        rows, lambdas = theta[:, None] + eps, 0.5 * theta.norm(dim=1)[:, None] / dy.norm(dim=2)
        z, moved = (TopK(2)(each.flatten(0, 1)) for each in (rows, rows - lambdas[..., None] * dy))
        assert float(target.rate) == pytest.approx(0.5 + 0.5 * float((z != moved).sum()) / 12)

    def test_no_move_where_the_rate_is_met(self):
        target = AdaptiveTargetDistribution(beta=0.5, target_rate=2.0, decay=0.0)
        target.observe(with_nonzeros(2, 1, 3))
        assert float(target.beta) == 0.5

    @pytest.mark.slow
    def test_it_settles_where_a_gradient_has_about_one_entry_and_needs_a_long_way_there_in_small_steps(self):
        # Top-5 of 10, as in the synthetic experiment of the papers.
        stream = np.random.RandomState(0)
        theta = torch.from_numpy(stream.randn(1, 10)).requires_grad_()
        wanted = torch.from_numpy(stream.randn(10)).abs()

        def betas(step, passes):
            target = AdaptiveTargetDistribution(beta=0.0, step=step)
            layer = imle(TopK(5), target, SumOfGammaNoiseDistribution(5, 10), generator=generator())
            seen = []
            for _ in range(passes):
                torch.autograd.grad((layer(theta) - wanted).square().sum(), theta)
                seen.append(float(target.beta))
            return np.array(seen)

        settled = betas(1e-3, 800)[-400:]
        assert 0.1 < settled.mean() < 0.3
        assert settled.std() < 0.05
        rising = betas(1e-4, 300)
        assert (np.diff(rising) > 0).mean() > 0.98
        assert rising[-1] == pytest.approx(0.03, rel=0.04)

    def test_accumulated_passes_move_it_as_one_large_batch_does(self):
        steps, rows, parts = 8, 6, 3
        theta, dy, eps = (normal(steps, rows, 2, 9, seed=seed) for seed in range(3))
        theta = theta[:, :, 0]

        def run(accumulate):
            target = AdaptiveTargetDistribution(beta=0.1, step=0.05, least=0.0, momentum=0.3, accumulate=accumulate)
            layer = imle(TopK(3), target, Recorded(eps.flatten(0, 1)), 2, reduction="stacked")
            gradients, betas = [], []
            for step in range(steps):
                for some in torch.arange(rows).chunk(accumulate):
                    gradients.append(gradient(layer, theta[step, some], dy[step, some]))
                    betas.append(float(target.beta))
            return torch.cat(gradients), betas[accumulate - 1 :: accumulate], betas, target.state_dict()

        one, many = run(1), run(parts)
        assert torch.equal(one[0], many[0])
        assert one[1] == many[1]
        assert len(set(one[1])) > 3
        assert [many[2][i] == many[2][i - 1] for i in range(1, len(many[2]))].count(False) <= steps
        assert all(torch.equal(one[3][name], many[3][name]) for name in one[3])

    def test_activation_checkpointing_moves_it_once(self):
        theta, dy = normal(4, 7), normal(4, 7, seed=1)
        results = []
        for wrap in (lambda layer: layer, lambda layer: lambda rows: checkpoint(layer, rows, use_reentrant=False)):
            target = AdaptiveTargetDistribution(beta=0.5, step=0.25, least=0.0)
            layer = imle(TopK(2), target, NormalNoiseDistribution(), generator=generator())
            results.append((gradient(wrap(layer), theta, dy), float(target.beta), float(target.rate)))
        assert torch.equal(results[0][0], results[1][0])
        assert results[0][1:] == results[1][1:]
        assert abs(results[0][1] - 0.5) == 0.25


class TestAdaptiveState:
    def module(self):
        target = AdaptiveTargetDistribution(beta=0.1, step=0.05, least=0.0, momentum=0.5, accumulate=2)
        return IMLE(TopK(3), target, GumbelNoiseDistribution(), 2, generator=generator(5))

    def run(self, module, steps):
        return [gradient(module, normal(4, 9, seed=step), normal(8, 9, seed=100 + step)) for step in steps]

    def test_a_loaded_state_continues_to_the_last_bit(self, tmp_path):
        first, second = self.module(), self.module()
        self.run(first, range(5))
        torch.save(first.state_dict(), tmp_path / "state.pt")
        self.run(second, range(3))  # another state
        second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
        assert int(second.target.passes) == 1  # between two passes of one move
        for one, other in zip(self.run(first, range(5, 12)), self.run(second, range(5, 12)), strict=True):
            assert torch.equal(one, other)
        assert float(first.target.beta) == float(second.target.beta) != 0.1

    @pytest.mark.parametrize("change", [torch.nn.Module.half, torch.nn.Module.double, torch.nn.Module.bfloat16])
    def test_other_types_of_a_network_change_neither_its_type_nor_its_value(self, change):
        module = self.module()
        self.run(module, range(4))
        before = copy.deepcopy(module.target.state_dict())
        change(torch.nn.Sequential(module))
        after = module.target.state_dict()
        assert all(torch.equal(before[name], after[name]) and before[name].dtype == after[name].dtype for name in before)
        assert module.target.beta.dtype == torch.float32

    def test_it_follows_to_another_device(self):
        target = AdaptiveTargetDistribution(beta=0.3).to("meta")
        assert {tensor.device.type for tensor in target.buffers()} == {"meta"}
        assert target.beta.dtype == torch.float32
        assert target.to_empty(device="cpu").beta.device.type == "cpu"

    @pytest.mark.parametrize("twin", [copy.deepcopy, lambda module: pickle.loads(pickle.dumps(module))])
    def test_copies_have_a_beta_of_their_own(self, twin):
        module = IMLE(TopK(3), AdaptiveTargetDistribution(beta=0.1, step=0.05, least=0.0))
        self.run_plain(module, range(3))
        other = twin(module)
        assert other.estimator.target is other.target
        beta = float(module.target.beta)
        assert float(other.target.beta) == beta
        self.run_plain(other, range(3, 4))
        assert float(module.target.beta) == beta != float(other.target.beta)

    def run_plain(self, module, steps):
        for step in steps:
            gradient(module, normal(4, 9, seed=step), normal(4, 9, seed=100 + step))

    def test_the_module_s_state_has_all_that_moves(self):
        names = ["beta", "rate", "move", "nonzeros", "rows", "passes"]
        assert list(self.module().state_dict()) == ["_extra_state", *(f"target.{name}" for name in names)]

    def test_repr(self):
        text = "AdaptiveTargetDistribution(alpha=1, beta=0.5, step=0.001, target_rate=1)"
        assert repr(AdaptiveTargetDistribution(beta=0.5)) == text


ADAPTIVE_ERRORS = {
    "alpha: got -1.0; it must be a finite number >= 0; the usual value is 1": {"alpha": -1.0},
    "beta: got inf; it must be a finite number >= 0; the usual value is 2": {"beta": math.inf},
    "least: got -1.0; it must be a finite number >= 0; leave it out": {"least": -1.0},
    "least: got 0.5; it must be <= beta, 0.25; leave it out": {"least": 0.5, "beta": 0.25},
    "least: got 0.5; it must be <= lambda_, 0.25; leave it out": {"least": 0.5, "lambda_": 0.25},
    "step: got nan; it must be a finite number >= 0; the usual value is 0.001": {"step": math.nan},
    "momentum: got 1.0; it must be >= 0 and < 1; the usual value is 0": {"momentum": 1.0},
    "decay: got -0.1; it must be >= 0 and < 1; the usual value is 0.9": {"decay": -0.1},
    "target_rate: got 0.0; it must be a finite number > 0; the usual value is 1": {"target_rate": 0.0},
    "accumulate: got 0; it must be a whole number >= 1; use 1 for a move in each pass": {"accumulate": 0},
    "accumulate: got True; it must be a whole number >= 1; use 1 for a move in each pass": {"accumulate": True},
}


@pytest.mark.parametrize("message", ADAPTIVE_ERRORS)
def test_adaptive_settings_outside_their_range(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        AdaptiveTargetDistribution(**ADAPTIVE_ERRORS[message])


# Of the rows of a batch each process has its own; those of the second have no gradient, so that alone it would always rise.
PROCESSES = """
import json, sys
import torch
from imle_core import AdaptiveTargetDistribution, imle

def top_3(theta):
    return torch.zeros_like(theta).scatter(1, theta.topk(3, dim=1).indices, 1)

def betas(rows, synchronised):
    settings = {"beta": 0.5, "step": 0.125, "least": 0.0, "decay": 0.5, "accumulate": 2}
    target = AdaptiveTargetDistribution(**settings, synchronised=synchronised)
    layer, seen = imle(top_3, target), []
    for step in range(12):
        theta, dy = torch.randn(2, 6, 9, generator=torch.Generator().manual_seed(step))
        dy[3:] = 0
        layer(theta[rows].requires_grad_()).backward(dy[rows])
        seen.append(float(target.beta))
    return seen

def work(rank, folder):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    own = slice(3 * rank, 3 * rank + 3)
    with open(f"{folder}/{rank}.json", "w") as stream:
        json.dump({"alone": betas(own, False), "together": betas(own, True)}, stream)
    torch.distributed.destroy_process_group()

if __name__ == "__main__":
    torch.set_num_threads(1)
    with open(f"{sys.argv[1]}/joint.json", "w") as stream:
        json.dump(betas(slice(6), True), stream)
    torch.multiprocessing.start_processes(work, (sys.argv[1],), nprocs=2, start_method="fork")
"""


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.skipif(
    sys.platform == "win32" or not (torch.distributed.is_available() and torch.distributed.is_gloo_available()),
    reason="no process groups",
)
def test_synchronised_replicas_move_as_one_process_with_all_their_rows(tmp_path):
    script = tmp_path / "processes.py"
    script.write_text(PROCESSES)
    environment = os.environ | {"GLOO_SOCKET_IFNAME": "lo"}
    done = warm.run(script, tmp_path, env=environment, seconds=120)
    assert done.returncode == 0, done.stderr
    joint, first, second = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("joint", 0, 1))
    assert first["together"] == second["together"] == joint
    assert len(set(joint)) > 3
    assert joint not in (first["alone"], second["alone"])
    assert first["alone"] != second["alone"]
