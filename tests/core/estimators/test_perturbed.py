"""The perturbed optimiser: its mean against closed forms, its formula sample by sample, baselines, refusals."""

import math
import re

import pytest
import torch

from draws import RecordedNormal, generator, gradient, normal
from imle_core import (
    AntitheticNoiseDistribution,
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
    TargetDistribution,
    perturb_and_map,
)
from imle_core.estimators import PerturbedOptimizer, differentiable
from imle_core.solvers import TopK

COUNT = 60_000
BASELINES = ["none", "noise-free", "leave-one-out"]


def rows_of(solver, theta, dy, noise, temperature=1.0, samples=1, **settings):
    """Independent estimates for one instance, a row each."""
    count = COUNT // samples
    layer = differentiable(
        "perturbed-baseline",
        solver,
        None,
        noise,
        samples,
        temperature,
        generator=generator(5),
        reduction="stacked",
        **settings,
    )
    return gradient(layer, theta.expand(count, -1), dy.expand(count, samples, -1))


def assert_mean(rows, exact):
    """The mean of the rows is ``exact``, as far as their number tells; and it tells a tenth of the largest entry."""
    error = rows.std(dim=0) / math.sqrt(len(rows))
    assert ((rows.mean(dim=0) - exact).abs() < 4.5 * error + 1e-12).all()
    largest = int(exact.abs().argmax())
    assert 4.5 * error[largest] < 0.1 * exact[largest].abs()


THETA = torch.tensor([0.3, -0.5, 1.0, 0.0], dtype=torch.float64)
DY = torch.tensor([2.0, -0.5, 0.2, 1.5], dtype=torch.float64)


class TestMean:
    @pytest.mark.parametrize("baseline", BASELINES)
    def test_gumbel_noise_on_one_of_n_has_the_jacobian_of_the_softmax(self, baseline):
        temperature = 0.7
        p = (THETA / temperature).softmax(0)
        exact = p * (DY - p @ DY) / temperature
        samples = 4 if baseline == "leave-one-out" else 1
        noise = GumbelNoiseDistribution()
        assert_mean(rows_of(TopK(1), THETA, DY, noise, temperature, samples, baseline=baseline), exact)

    @pytest.mark.parametrize("scale", [1.0, 2.5])
    def test_normal_noise_on_one_of_two_has_the_normal_density(self, scale):
        theta, dy, temperature = THETA[:2], DY[:2], 0.7
        deviation = math.sqrt(2) * scale * temperature
        u = float(theta[0] - theta[1]) / deviation
        slope = math.exp(-(u**2) / 2) / math.sqrt(2 * math.pi) / deviation
        exact = float(dy[0] - dy[1]) * slope * torch.tensor([1.0, -1.0], dtype=torch.float64)
        assert_mean(rows_of(TopK(1), theta, dy, NormalNoiseDistribution(0.4, scale), temperature), exact)

    def test_logistic_noise_on_switches_has_the_sigmoid_s_slope(self):
        temperature = 0.7
        p = torch.sigmoid(THETA / temperature)
        rows = rows_of(lambda rows: rows > 0, THETA, DY, LogisticNoiseDistribution(), temperature)
        assert_mean(rows, p * (1 - p) * DY / temperature)

    def test_sum_of_gamma_noise_on_one_of_two_has_the_overlap_of_shifted_densities(self):
        # For k = 1, X + log s is the largest of s exponential variables; d/d theta_1 P(1 wins) = int p(x) p(x + d) dx.
        iterations, d = 10, float(THETA[0] - THETA[1])
        u = torch.linspace(0, 60, 600_001, dtype=torch.float64)

        def density(u):
            inside = u.clamp(min=0)
            return (u > 0) * iterations * torch.exp(-inside) * (-torch.expm1(-inside)) ** (iterations - 1)

        slope = float(torch.trapezoid(density(u) * density(u + d), u))
        exact = float(DY[0] - DY[1]) * slope * torch.tensor([1.0, -1.0], dtype=torch.float64)
        assert_mean(rows_of(TopK(1), THETA[:2], DY[:2], SumOfGammaNoiseDistribution(1.0, iterations)), exact)

    def test_sum_of_gamma_noise_for_larger_k_against_differences_with_common_noise(self):
        noise, step = SumOfGammaNoiseDistribution(2.0, 10), 0.15
        draws = noise.sample((COUNT, 1, 4), dtype=torch.float64, generator=generator(8))
        rows = rows_of(TopK(2), THETA, DY, noise)
        values = []
        for unit in step * torch.eye(4, dtype=torch.float64):
            up, down = (
                perturb_and_map(TopK(2), moved.expand(COUNT, 4), RecordedNormal(draws))[:, 0] @ DY
                for moved in (THETA + unit, THETA - unit)
            )
            values.append((up - down) / (2 * step))
        differences = torch.stack(values, dim=1)
        error = ((rows.var(dim=0) + differences.var(dim=0)) / COUNT).sqrt()
        gap = (rows.mean(dim=0) - differences.mean(dim=0)).abs()
        assert (gap < 4.5 * error + 0.01 * differences.mean(dim=0).abs().max()).all()  # and the bias of a step
        assert 4.5 * error.max() < 0.15 * differences.mean(dim=0).abs().max()

    def test_the_identity_as_solver_gives_the_upstream_gradient(self):
        assert_mean(rows_of(lambda rows: rows, THETA, DY, NormalNoiseDistribution()), DY)

    def test_antithetic_pairs_keep_the_mean_and_lower_the_variance_of_the_plain_form(self):
        p = THETA.softmax(0)
        settings = {"temperature": 1.0, "samples": 2, "baseline": "none"}
        paired = rows_of(TopK(1), THETA, DY, AntitheticNoiseDistribution(GumbelNoiseDistribution()), **settings)
        assert_mean(paired, p * (DY - p @ DY))
        single = rows_of(TopK(1), THETA, DY, GumbelNoiseDistribution(), **settings)
        assert paired.var(dim=0).sum() < single.var(dim=0).sum()


class TestFormula:
    @pytest.mark.parametrize("baseline", BASELINES)
    @pytest.mark.parametrize("sense", ["max", "min"])
    def test_it_is_the_upstream_product_above_the_baseline_times_the_noise_over_the_temperature(self, baseline, sense):
        theta, eps, dy = normal(3, 2, 4), normal(3, 5, 2, 4, seed=1), normal(3, 5, 2, 4, seed=2)
        sign = 1 if sense == "max" else -1
        solver = TopK(3) if sense == "max" else (lambda rows: TopK(3)(-rows))
        layer = PerturbedOptimizer(solver, TargetDistribution(), RecordedNormal(eps), 5, 0.7, 9.0, sense, baseline=baseline)
        z = TopK(3)((sign * theta[:, None] + 0.7 * eps).flatten(0, 1)).view(3, 5, 2, 4)
        values = torch.einsum("bsij,btij->bst", dy, z)  # <z_t, dy_s>
        own = values.diagonal(dim1=1, dim2=2)
        height = {
            "none": own,
            "noise-free": own - torch.einsum("bsij,bij->bs", dy, TopK(3)(sign * theta)),
            "leave-one-out": own - (values.sum(dim=2) - own) / 4,
        }[baseline]
        expected = sign * (height[..., None, None] * eps / 0.7).mean(dim=1)
        torch.testing.assert_close(gradient(layer, theta, dy), expected)

    def test_of_two_samples_each_is_the_other_s_baseline(self):
        eps = torch.tensor([[[1.0, -2.0, 0.5], [-1.0, 3.0, 0.25]]], dtype=torch.float64)
        dy = torch.tensor([[[2.0, 5.0, 11.0], [7.0, -4.0, 1.0]]], dtype=torch.float64)
        layer = PerturbedOptimizer(TopK(1), noise=RecordedNormal(eps), nb_samples=2, baseline="leave-one-out")
        # Chosen are the first and the second entry: 2 - 5 for the upstream gradient of the one, -4 - 7 for the other's.
        result = gradient(layer, torch.zeros(1, 3, dtype=torch.float64), dy)
        torch.testing.assert_close(result, (-3 * eps[:, 0] - 11 * eps[:, 1]) / 2, rtol=1e-14, atol=0)

    def test_baselines_lower_the_variance(self):
        dy = DY + 3
        variances = {
            baseline: float(
                rows_of(TopK(2), THETA, dy, NormalNoiseDistribution(), 1.0, 4, baseline=baseline).var(dim=0).sum()
            )
            for baseline in BASELINES
        }
        assert variances["noise-free"] < 0.3 * variances["none"]
        assert variances["leave-one-out"] < 0.3 * variances["none"]

    @pytest.mark.parametrize(("baseline", "backward"), [("none", []), ("noise-free", [2]), ("leave-one-out", [])])
    def test_solver_calls(self, baseline, backward):
        calls = []

        def solver(rows):
            assert not rows.requires_grad
            calls.append(len(rows))
            return TopK(1)(rows)

        layer = PerturbedOptimizer(solver, noise=NormalNoiseDistribution(), nb_samples=3, baseline=baseline)
        gradient(layer, normal(2, 5), normal(6, 5))
        assert calls == [6, *backward]

    def test_walls_get_no_gradient(self):
        theta = torch.tensor([[1.0, -torch.inf, 0.5]], dtype=torch.float64)
        layer = differentiable("perturbed", TopK(1), None, GumbelNoiseDistribution(), 50, generator=generator())
        result = gradient(layer, theta, torch.tensor([[1.0, -9.0, 0.0]], dtype=torch.float64).expand(50, 3))
        assert result.isfinite().all()
        assert result[0, 1] == 0
        assert result.abs().sum() > 0

    def test_arguments_reach_the_baseline_s_solve_too(self):
        seen = []

        def solver(rows, scale):
            seen.append(scale)
            return TopK(1)(rows * scale)

        layer = differentiable("perturbed-baseline", solver, None, NormalNoiseDistribution())
        theta = normal(2, 4).requires_grad_()
        layer(theta, 2.0).sum().backward()
        assert seen == [2.0, 2.0]


class TestMultiplicative:
    @pytest.mark.parametrize("noise", [NormalNoiseDistribution(), NormalNoiseDistribution(0.5, 2.0)], ids=str)
    def test_one_of_two_positive_parameters_has_a_closed_form(self, noise):
        # theta_1 exp(tau eps_1) > theta_2 exp(tau eps_2) with probability Phi(log(theta_1/theta_2) / (sqrt 2 tau scale)).
        theta, dy, temperature = torch.tensor([1.5, 1.1], dtype=torch.float64), DY[:2], 0.4
        deviation = math.sqrt(2) * temperature * noise.scale
        u = math.log(float(theta[0] / theta[1])) / deviation
        slope = math.exp(-(u**2) / 2) / math.sqrt(2 * math.pi) / deviation
        exact = float(dy[0] - dy[1]) * slope * torch.tensor([1.0, -1.0], dtype=torch.float64) / theta
        assert_mean(rows_of(TopK(1), theta, dy, noise, temperature, perturbation="multiplicative"), exact)

    def test_against_differences_with_common_noise_for_either_sign(self):
        theta, temperature, step = torch.tensor([-1.0, -0.8, 0.3, 0.25], dtype=torch.float64), 0.5, 0.02
        draws = normal(COUNT, 4, seed=8)
        rows = rows_of(TopK(3), theta, DY, NormalNoiseDistribution(), temperature, perturbation="multiplicative")

        def values(theta):
            return TopK(3)(theta * torch.exp(temperature * draws - temperature**2 / 2)) @ DY

        units = step * torch.eye(4, dtype=torch.float64)
        differences = torch.stack([(values(theta + unit) - values(theta - unit)) / (2 * step) for unit in units], dim=1)
        error = ((rows.var(dim=0) + differences.var(dim=0)) / COUNT).sqrt()
        gap = (rows.mean(dim=0) - differences.mean(dim=0)).abs()
        assert (gap < 4.5 * error + 0.01 * differences.mean(dim=0).abs().max()).all()
        assert 4.5 * error.max() < 0.15 * differences.mean(dim=0).abs().max()

    @pytest.mark.parametrize("noise", [NormalNoiseDistribution(), NormalNoiseDistribution(-1.0, 2.0)], ids=str)
    def test_signs_and_means_stay(self, noise):
        theta = torch.tensor([[-2.0, 0.5, 3.0]], dtype=torch.float64)
        layer = PerturbedOptimizer(
            lambda rows: rows, TargetDistribution(), noise, COUNT, 0.3, perturbation="multiplicative", generator=generator()
        )
        rows = layer(theta)
        assert (rows.sign() == theta.sign()).all()
        error = rows.std(dim=0) / math.sqrt(COUNT)
        assert ((rows.mean(dim=0) - theta[0]).abs() < 4.5 * error).all()
        assert (4.5 * error < 0.02 * theta[0].abs()).all()

    def test_costs_stay_positive_and_walls_stay_walls(self):
        seen = []

        def solver(costs):
            seen.append(costs.clone())
            return TopK(1)(-costs)

        layer = differentiable(
            "perturbed-multiplicative",
            solver,
            None,
            NormalNoiseDistribution(),
            50,
            2.0,
            sense="min",
            generator=generator(),
            baseline="noise-free",
        )
        costs = torch.tensor([[1.0, torch.inf, 0.1]], dtype=torch.float64)
        result = gradient(layer, costs, torch.tensor([[1.0, 5.0, 0.0]], dtype=torch.float64).expand(50, 3))
        assert (seen[0] > 0).all()
        assert seen[0][:, 1].isinf().all()
        assert torch.equal(seen[1], costs)  # of the baseline
        assert result.isfinite().all()
        assert result[0, 1] == 0

    def test_zeros_are_refused(self):
        layer = differentiable("perturbed-multiplicative", TopK(1), None, NormalNoiseDistribution())
        message = (
            "theta: got 2 zeros; multiplicative noise cannot move them; use perturbation='additive', or parameters other "
            "than 0"
        )
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            layer(torch.tensor([[0.0, 1.0], [2.0, 0.0]]))

    def test_antithetic_normal_noise_will_do_but_no_other_law(self):
        differentiable("perturbed-multiplicative", TopK(1), None, AntitheticNoiseDistribution(NormalNoiseDistribution()))
        for noise in (GumbelNoiseDistribution(), AntitheticNoiseDistribution(GumbelNoiseDistribution())):
            message = (
                f"noise_distribution: got {type(noise).__name__}; multiplicative perturbation needs normal noise; use "
                "NormalNoiseDistribution()"
            )
            with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
                differentiable("perturbed-multiplicative", TopK(1), None, noise)


class Shapeless:
    def sample(self, shape):
        return torch.zeros(shape)

    def __repr__(self):
        return "Shapeless()"


class TestRefusals:
    @pytest.mark.parametrize(
        ("setting", "value", "rule"),
        [
            ("baseline", "noise_free", "'none', 'noise-free', 'leave-one-out'; did you mean 'noise-free'?"),
            ("baseline", "leave-one-uot", "'none', 'noise-free', 'leave-one-out'; did you mean 'leave-one-out'?"),
            ("baseline", "mean", "'none', 'noise-free', 'leave-one-out'; use 'none' for instance"),
            ("perturbation", "other", "'additive', 'multiplicative'; use 'additive' for instance"),
            ("perturbation", "multiplicativ", "'additive', 'multiplicative'; did you mean 'multiplicative'?"),
        ],
    )
    def test_names_that_there_are_not(self, setting, value, rule):
        message = f"{setting}: got {value!r}; it must be one of {rule}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            PerturbedOptimizer(TopK(1), noise=NormalNoiseDistribution(), nb_samples=2, **{setting: value})
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            differentiable("perturbed", TopK(1), None, NormalNoiseDistribution(), 2, **{setting: value})

    NOISE = (
        (
            None,
            "noise_distribution: got None; the perturbed optimiser needs noise; use GumbelNoiseDistribution() for instance",
        ),
        (
            SumOfGammaNoiseDistribution(10.0, 10),
            "noise_distribution: got SumOfGammaNoiseDistribution(k=10, nb_iterations=10); the perturbed optimiser needs the "
            "gradient of its density, but s/k = 1 is not above 1 and the density does not vanish at its lower end: take "
            "more than 10 iterations; use NormalNoiseDistribution() or GumbelNoiseDistribution()",
        ),
        (
            Shapeless(),
            "noise_distribution: got Shapeless(); the perturbed optimiser needs the gradient of its density, but it has no "
            "method score; use NormalNoiseDistribution() or GumbelNoiseDistribution()",
        ),
    )

    @pytest.mark.parametrize(("noise", "message"), NOISE, ids=["none", "sum-of-gamma", "no score"])
    def test_noise_without_a_density_that_can_be_differentiated(self, noise, message):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            differentiable("perturbed", TopK(1), None, noise)

    def test_temperature_zero(self):
        message = (
            "input_noise_temperature: got 0; a gradient through the noise's density needs a temperature > 0; use 1 for a "
            "start"
        )
        layer = differentiable("perturbed", TopK(1), None, NormalNoiseDistribution(), 1, 0.0)
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            gradient(layer, normal(2, 3), normal(2, 3))

    def test_leave_one_out_needs_other_samples(self):
        message = "nb_samples: got 1; the baseline 'leave-one-out' needs 2 or more; use another baseline"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            differentiable("perturbed", TopK(1), None, NormalNoiseDistribution(), baseline="leave-one-out")

    def test_leave_one_out_needs_independent_samples(self):
        noise = AntitheticNoiseDistribution(NormalNoiseDistribution())
        message = (
            f"noise_distribution: got {noise!r}; the baseline 'leave-one-out' needs independent samples, or it is biased; "
            "use another baseline, or noise without pairs"
        )
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            differentiable("perturbed", TopK(1), None, noise, 4, baseline="leave-one-out")


class TestLossesThatAreNotLinear:
    """The upstream gradient of a sample then depends on its noise, and a baseline is no longer free."""

    def gaps(self, loss, baseline, samples=8, count=40_000):
        """Relative distance of the mean gradient to that of ``E <z, dy(z)>``, exact for Gumbel noise on one of four."""
        layer = differentiable(
            "perturbed", TopK(1), None, GumbelNoiseDistribution(), samples, baseline=baseline, generator=generator(3)
        )
        theta = THETA.expand(count // samples, -1).clone().requires_grad_()
        layer.estimate(theta, loss).sum().backward()
        states = torch.eye(4, dtype=torch.float64, requires_grad=True)
        (slopes,) = torch.autograd.grad(loss(states).sum(), states)
        parameters = THETA.clone().requires_grad_()
        (exact,) = torch.autograd.grad(parameters.softmax(0) @ (states * slopes).sum(dim=1).detach(), parameters)
        error = float((theta.grad.var(dim=0).sum() / len(theta.grad)).sqrt() / exact.norm())
        return float((theta.grad.mean(dim=0) - exact).norm() / exact.norm()), error

    def test_without_a_baseline_the_mean_is_the_gradient_of_the_product(self):
        gap, error = self.gaps(lambda z: (z * DY).sum(dim=1) ** 3 + z.square() @ DY, "none")
        assert gap < 3 * error
        assert error < 0.05

    @pytest.mark.parametrize("baseline", ["noise-free", "leave-one-out"])
    def test_a_baseline_biases_it_as_the_docstring_says(self, baseline):
        gap, error = self.gaps(lambda z: (z * DY).sum(dim=1) ** 3 + z.square() @ DY, baseline, count=200_000)
        assert gap > 5 * error
