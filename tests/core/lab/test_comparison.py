"""How good gradients are: measures, cells, what applies and what does not."""

import math
from dataclasses import replace

import pytest
import torch

from imle_core import GumbelNoiseDistribution, NormalNoiseDistribution, SumOfGammaNoiseDistribution, hamming
from imle_core.contracts import LossError
from imle_core.lab import (
    Cell,
    EstimatorSettings,
    Instance,
    LabProblem,
    Reference,
    Skipped,
    make_problem,
    measured_again,
    reference_gradient,
)
from imle_core.lab import compare as compare_on
from imle_core.solvers import GridPath, TopK

GUMBEL = GumbelNoiseDistribution()


def settings(*estimators, **changes):
    given = {"lambdas": [1.0], "temperatures": [1.0], "repetitions": 400, **changes}
    return EstimatorSettings(given.pop("noise", GUMBEL), estimators or None, **given)


def compare(problem, settings, reference):
    return compare_on([Instance(problem, reference)], settings)


def top_1(loss=None):
    """One of four with the Gumbel law's own exact distribution: perturb-and-MAP at temperature 1 has no bias."""
    theta = torch.tensor([[0.3, -0.5, 1.0, 0.0]], dtype=torch.float64)
    weights = torch.tensor([1.0, -0.5, 0.2, 0.0], dtype=torch.float64)
    problem = make_problem("top-k", "4,1")
    linear = replace(problem, theta=theta, loss=loss or (lambda z: z @ weights.to(z)))
    return linear, reference_gradient(linear, None, 0)


class TestCells:
    @pytest.mark.slow
    @pytest.mark.parametrize(("lambda_", "temperature"), [(0.5, 1.0), (2.0, 1.0), (1.0, 2.0)])
    @pytest.mark.parametrize("central", [False, True])
    def test_bias_of_imle_is_that_of_the_closed_form(self, lambda_, temperature, central):
        problem, reference = top_1()
        slope = torch.tensor([1.0, -0.5, 0.2, 0.0], dtype=torch.float64)
        theta = problem.theta[0]
        up, middle, down = ((theta + sign * lambda_ * slope).div(temperature).softmax(0) for sign in (1, 0, -1))
        expected = ((up - down) / 2 if central else middle - down) / lambda_
        bias = float((expected - reference.gradient).norm() / reference.gradient.norm())
        name = "central-imle" if central else "imle"
        (cell,) = compare(
            problem, settings(name, lambdas=[lambda_], temperatures=[temperature], repetitions=20_000), reference
        )
        error = math.sqrt(cell.accuracy.variance / 20_000)
        assert abs(cell.accuracy.bias - bias) < 4.5 * error
        assert bias > 9 * error or central
        assert cell.accuracy.mse == pytest.approx(cell.accuracy.bias**2 + cell.accuracy.variance, rel=0.02)
        assert (cell.lambda_, cell.temperature, cell.nb_samples, cell.beta) == (lambda_, temperature, 10, None)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "name",
        ["perturbed", "perturbed-baseline", "score-function", "score-function-baseline", "score-function-exact", "simple"],
    )
    def test_unbiased_estimators_have_no_bias_for_a_linear_loss(self, name):
        problem, reference = top_1()
        (cell,) = compare(problem, settings(name, repetitions=20_000), reference)
        assert cell.accuracy.bias < 4.5 * math.sqrt(cell.accuracy.variance / 20_000) + 1e-9
        assert cell.accuracy.cosine > 0.3

    def test_simple_is_exact_for_a_linear_loss(self):
        problem, reference = top_1()
        (cell,) = compare(problem, settings("simple"), reference)
        assert cell.accuracy.mse < 1e-20
        assert cell.calls == 10

    @pytest.mark.slow
    def test_calls_of_each_estimator(self):
        problem, reference = top_1()
        cells = {cell.estimator: cell for cell in compare(problem, settings(noise=NormalNoiseDistribution()), reference)}
        assert {name: cell.calls for name, cell in cells.items() if isinstance(cell, Cell)} == {
            "imle": 20,
            "central-imle": 30,
            "adaptive-imle": 20,
            "adaptive-central-imle": 30,
            "blackbox": 20,
            "straight-through": 10,
            "identity": 10,
            "perturbed": 10,
            "perturbed-baseline": 11,
            "score-function": 10,
            "score-function-baseline": 10,
            "score-function-exact": 10,
            "simple": 10,
        }

    def test_cells_do_not_depend_on_which_others_are_measured(self):
        problem, reference = top_1()
        together = [cell for cell in compare(problem, settings("blackbox", "imle"), reference) if cell.estimator == "imle"]
        alone = list(compare(problem, settings("imle"), reference))
        assert [cell.accuracy for cell in together] == [cell.accuracy for cell in alone]

    def test_imle_and_blackbox_agree_at_equal_temperatures(self):
        problem, reference = top_1()
        one, other = compare(problem, settings("imle", "blackbox"), reference)
        assert one.accuracy == other.accuracy

    @pytest.mark.slow
    def test_adaptive_targets_settle_and_are_then_kept(self):
        problem = make_problem("top-k")
        reference = reference_gradient(problem, None, 0)
        (cell,) = compare(problem, settings("adaptive-imle", noise=SumOfGammaNoiseDistribution(5, 10)), reference)
        assert cell.beta == 2.0  # samples differ in more than one entry there, so that nothing makes it grow
        again = measured_again(
            [Instance(problem, reference)], settings(nb_samples=3, noise=SumOfGammaNoiseDistribution(5, 10)), cell
        )
        assert (again.beta, again.nb_samples, again.calls) == (cell.beta, 3, 6)


def test_repetitions_are_taken_in_parts_of_a_bounded_size(monkeypatch):
    problem, reference = top_1()
    monkeypatch.setattr("imle_core.lab.measurement._ENTRIES", 4000)
    (cell,) = compare(problem, settings("imle", repetitions=1000), reference)
    assert cell.calls == 20
    assert cell.accuracy.cosine > 0.3


class TestSkipped:
    def skipped(self, problem, noise, **changes):
        reference = Reference(torch.ones(problem.theta.shape[1:], dtype=torch.float64), 0.0, "ones")
        records = compare(problem, settings(noise=noise, repetitions=4, **changes), reference)
        return {record.estimator: record.reason for record in records if isinstance(record, Skipped)}

    @pytest.mark.slow
    def test_what_noise_without_a_density_s_gradient_leaves_out(self):
        found = self.skipped(make_problem("top-k"), SumOfGammaNoiseDistribution(5, 4))
        assert set(found) == {
            "fenchel-young",
            "structured-svm",
            "perturbed",
            "perturbed-baseline",
            "perturbed-multiplicative",
            "score-function",
            "score-function-baseline",
        }
        assert found["perturbed"].startswith(
            "noise_distribution: got SumOfGammaNoiseDistribution(k=5, nb_iterations=4); the perturbed optimiser needs the "
            "gradient of its density, but s/k = 0.8 is not above 1"
        )
        assert (
            found["fenchel-young"] == "it has a loss of its own, of gold solutions, and estimates the gradient of no other"
        )

    @pytest.mark.slow
    def test_a_solver_without_an_exact_distribution_leaves_out_exact_estimators(self):
        theta = -torch.ones(1, 4, 4, dtype=torch.float64)
        gold = GridPath()(theta)[0]
        problem = LabProblem("map", theta, GridPath(), None, lambda z: hamming(z, gold.to(z)), "Hamming", 4.0)
        found = self.skipped(problem, GUMBEL)
        assert set(found) == {
            "fenchel-young",
            "structured-svm",
            "perturbed-multiplicative",
            "score-function-exact",
            "simple",
        }
        assert found["simple"].startswith("function: got GridPath(")

    @pytest.mark.slow
    def test_a_single_sample_has_no_baseline_of_others(self):
        assert "score-function-baseline" in self.skipped(make_problem("top-k"), GUMBEL, nb_samples=1)


class TestErrors:
    @pytest.mark.parametrize(
        ("loss", "message"),
        [
            (lambda z: z.sum(), "loss: gave shape () for states of shape"),
            (lambda z: z, "loss: gave shape (4, 4) for states of shape (4, 4); it must give one number for each, (4,)"),
            (
                lambda z: z.sum(dim=1) * torch.nan,
                "loss: gave 4 NaN for 4 states; it must give numbers; look for 0/0 or log(0)",
            ),
            (lambda _: 1.0, "loss: gave float; it must give a tensor; wrap arrays in torch.as_tensor"),
        ],
    )
    def test_a_loss_that_cannot_be_used(self, loss, message):
        with pytest.raises(LossError) as caught:
            top_1(loss)
        assert str(caught.value).startswith(message)

    def test_a_loss_that_fails_later_is_an_error_not_a_skip(self):
        problem, reference = top_1()
        broken = replace(problem, loss=lambda z: z.sum(dim=1).log() * torch.nan)
        with pytest.raises(LossError, match=r"^loss: gave "):
            list(compare(broken, settings("imle"), reference))

    def test_a_true_gradient_of_zero(self):
        problem, reference = top_1(lambda z: z.sum(dim=1))
        with pytest.raises(ValueError, match=r"^loss: its true gradient here is 0; nothing can be measured against it"):
            list(compare(problem, settings("imle"), replace(reference, gradient=torch.zeros(4))))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"lambdas": []}, r"lambdas: got \[\]; it must be finite numbers >= 0, at least one"),
            ({"temperatures": [-1.0]}, r"temperatures: got \[-1.0\]; it must be finite numbers >= 0"),
            ({"repetitions": 1}, "repetitions: got 1; a variance needs 2 or more; the usual number is 500"),
            ({"nb_samples": 0}, "nb_samples: got 0; it must be a whole number >= 1"),
            ({"widened": frozenset({"temps"})}, r"widened: got \['temps'\]; it must be of \['lambdas', 'temperatures'\]"),
        ],
    )
    def test_settings_outside_their_range(self, changes, message):
        with pytest.raises(ValueError, match=rf"^{message}"):
            settings("imle", **changes)

    def test_no_instances(self):
        with pytest.raises(ValueError, match=r"^instances: got none; figures are means over them; give at least one$"):
            list(compare_on([], settings("imle")))

    def test_an_unknown_estimator(self):
        with pytest.raises(
            ValueError, match=r"^estimator: got 'imel'; it must be one of 'imle', .*; did you mean 'imle'\?$"
        ):
            settings("imel")


def test_no_estimator_loops_over_samples_in_python():
    class Counting:
        def __init__(self):
            self.calls = 0

        def __call__(self, theta):
            self.calls += 1
            return TopK(5)(theta)

    problem = make_problem("top-k")
    reference = reference_gradient(problem, None, 0)
    for samples in (2, 64):
        solver = Counting()
        found = list(compare(replace(problem, solver=solver), settings("imle", nb_samples=samples), reference))
        assert solver.calls == 2 * 6  # one measurement and five timed steps, forward and backward
        assert found[0].calls == 2 * samples
