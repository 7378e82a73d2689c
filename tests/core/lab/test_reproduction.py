"""The synthetic experiment of the I-MLE paper against the results of its authors' code, and against plain loops."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from imle_core import AdaptiveTargetDistribution, TargetDistribution
from imle_core.estimators import differentiable
from imle_core.exact import KSubset
from imle_core.lab import EXPERIMENTS, TUNING_SEED, reproduce
from imle_core.lab.reproduction import METHODS, MOMENTUM, ListedSets, Reproduction, gaps, top_k
from imle_core.solvers import TopK
from threads import torch_threads

# Estimator, rate, steps, noise, lambda or first beta, step of beta; what the authors' code gave in how many repetitions.
GAMMA, GUMBEL = "SumOfGammaNoiseDistribution(k=5, nb_iterations=10)", "GumbelNoiseDistribution(location=0, scale=1)"
TABLE = {
    "imle-sum-of-gamma": ("imle", 0.75, 50, GAMMA, 2.0, 0.0, (0.181, 0.188, 100)),
    "imle-sum-of-gamma-tuned": ("imle", 3.25, 50, GAMMA, 3.25, 0.0, None),
    "imle-gumbel": ("imle", 0.75, 50, GUMBEL, 2.0, 0.0, (0.301, 0.360, 100)),
    "imle-gumbel-tuned": ("imle", 6.0, 50, GUMBEL, 6.0, 0.0, None),
    "straight-through": ("straight-through", 0.019, 50, GUMBEL, 0.0, 0.0, (0.752, 0.107, 100)),
    "score-function": ("score-function", 0.0046, 500, "None", 0.0, 0.0, (0.394, 0.191, 10)),
    "adaptive-imle": ("adaptive-imle", 0.4, 50, GAMMA, 0.8, 0.02, None),
    "central-imle": ("central-imle", 2.5, 50, GAMMA, 4.0, 0.0, None),
    "simple": ("simple", 1.0, 50, "None", 0.0, 0.0, None),
}
REFERENCES = [name for name, method in METHODS.items() if method.reference]
REPETITIONS = 300


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Batches this small are slower on more threads, and much slower where other processes want them, too."""
    with torch_threads(1):
        yield


@pytest.fixture
def parameters():
    return 2 * torch.randn(40, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


class Recorded:
    """Noise that was drawn before, ``(steps, R, 10)``, one step a call."""

    def __init__(self, eps):
        self.eps, self.calls = eps, 0

    def sample(self, shape, *, generator=None):  # noqa: ARG002
        self.calls += 1
        return self.eps[self.calls - 1].view(shape)


class TestExperiment:
    def test_is_that_of_the_paper(self):
        experiment = EXPERIMENTS["top-k"]()
        stream = np.random.RandomState(0)
        theta, b = stream.randn(10), np.abs(stream.randn(10))
        assert (experiment.problem.theta.numpy() == theta).all()
        # The best set has the five largest b.
        best = np.sort(b)
        assert experiment.optimum == pytest.approx((best[:5] ** 2).sum() + ((1 - best[5:]) ** 2).sum())
        assert experiment.optimum == pytest.approx(1.1252, abs=5e-5)
        assert experiment.start == pytest.approx(4.114, abs=5e-4)

    def test_its_gap_by_enumeration_is_that_of_exact_marginals(self, parameters):
        b = torch.from_numpy(np.abs(np.random.RandomState(0).randn(20)[10:]))
        marginals = KSubset(5, 10).marginals(parameters)
        # z is 0 or 1, so that (z - b)^2 = z (1 - 2b) + b^2
        expected = marginals @ (1 - 2 * b) + b.square().sum() - top_k().optimum
        torch.testing.assert_close(top_k().gap(parameters), expected)

    def test_no_gap_is_negative_and_that_of_the_optimum_is_0(self, parameters):
        assert (top_k().gap(parameters) > 0).all()
        best = TopK(5)(torch.from_numpy(np.abs(np.random.RandomState(0).randn(20)[10:]))[None])
        assert float(top_k().gap(100 * best)) == pytest.approx(0, abs=1e-12)

    def test_another_temperature_is_another_gap(self):
        theta = top_k().problem.theta
        assert abs(float(top_k().gap(theta / 1.05)) - 4.114) > 5e-3


class TestListedSets:
    family = ListedSets(KSubset(5, 10).states())

    def test_answers_are_those_of_the_recursion(self, parameters):
        exact, weights = KSubset(5, 10), parameters.flip(0)
        torch.testing.assert_close(self.family.marginals(parameters), exact.marginals(parameters))
        gradient = exact.expectation_gradient(parameters, weights)
        torch.testing.assert_close(self.family.expectation_gradient(parameters, weights), gradient)

    def test_new_parameters_get_new_answers(self, parameters):
        self.family.marginals(parameters)
        changed = parameters.clone()
        changed[7] *= -1
        torch.testing.assert_close(self.family.marginals(changed), KSubset(5, 10).marginals(changed))
        assert self.family.marginals(changed[:3]).shape == (3, 10)

    def test_parameters_that_are_changed_in_place_get_new_answers(self, parameters):
        self.family.marginals(parameters)
        parameters.neg_()
        torch.testing.assert_close(self.family.marginals(parameters), KSubset(5, 10).marginals(parameters))

    def test_samples_follow_the_marginals(self, parameters):
        few, count = parameters[:4] / 2, 20_000
        z = self.family.sample(few, count, torch.Generator().manual_seed(0))
        assert (z.sum(dim=2) == 5).all()
        exact = self.family.marginals(few)
        error = (exact * (1 - exact) / count).sqrt()
        assert ((z.mean(dim=1) - exact).abs() < 4.5 * error).all()
        pair, both = z[:, :, 0] * z[:, :, 1], self.family.expectation(few, lambda states: states[:, 0] * states[:, 1])
        assert ((pair.mean(dim=1) - both).abs() < 4.5 * (both * (1 - both) / count).sqrt()).all()


def test_the_table_of_methods():
    found = {}
    for name, method in METHODS.items():
        theirs = method.reference and (method.reference.mean, method.reference.deviation, method.reference.repetitions)
        settings = method.estimator, method.rate, method.steps, str(method.noise), method.beta, method.beta_step
        assert method.name == name
        found[name] = (*settings, theirs)
    assert found == TABLE
    assert list(found) == list(TABLE)
    assert MOMENTUM == 0.9


def test_settings_are_the_authors_or_were_tuned_here():
    for method in METHODS.values():
        assert (method.reference is None) == (method.tuned_over is not None)
        for word in ("rate", *(["lambda"] if method.beta and not method.beta_step else [])):
            assert word in (method.tuned_over or word)
    assert TUNING_SEED == 1


def test_settings_by_name():
    gamma = {"steps": 50, "noise": GAMMA}
    assert METHODS["imle-sum-of-gamma"].settings == {"rate": 0.75, "lambda": 2.0, **gamma}
    assert METHODS["adaptive-imle"].settings == {"rate": 0.4, "first_beta": 0.8, "beta_step": 0.02, **gamma}
    assert METHODS["simple"].settings == {"rate": 1.0, "steps": 50, "noise": None}
    assert METHODS["straight-through"].settings == {"rate": 0.019, "steps": 50, "noise": GUMBEL}


@pytest.mark.slow
@pytest.mark.parametrize("name", REFERENCES)
def test_the_results_of_the_authors_code_come_out_again(name):
    outcome = reproduce(top_k(), METHODS[name], REPETITIONS)
    assert outcome.gaps.shape == (REPETITIONS, 500 if name == "score-function" else 50)
    np.testing.assert_allclose(outcome.gaps[:, 0], top_k().start, rtol=1e-12)
    assert abs(outcome.distance) < 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("imle-sum-of-gamma", "rate", 0.375),  # as if the gradient were divided by lambda
        ("imle-sum-of-gamma", "rate", 3.0),
        ("imle-sum-of-gamma", "beta", 1.0),
        ("imle-sum-of-gamma", "beta", 4.0),
        ("imle-gumbel", "beta", 0.5),
        ("straight-through", "rate", 0.0095),
        ("score-function", "rate", 0.0023),
    ],
)
def test_a_wrong_factor_would_be_seen(name, setting, value):
    repetitions = 50 if name == "score-function" else REPETITIONS
    assert abs(reproduce(top_k(), replace(METHODS[name], **{setting: value}), repetitions).distance) > 3.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("imle-sum-of-gamma-tuned", 0.16),
        ("imle-gumbel-tuned", 0.22),
        ("adaptive-imle", 0.4),
        ("central-imle", 0.2),
        ("simple", 0.3),
    ],
)
def test_methods_without_a_reference_are_tuned(name, most):
    outcome = reproduce(top_k(), METHODS[name], REPETITIONS)
    assert float(outcome.means[-1]) < most
    assert outcome.distance is None


def plain_run(estimator, target, eps, settings):
    """Gaps ``(steps,)`` of one repetition, with torch's optimiser and the library's own layer and distribution."""
    problem, family = top_k().problem, KSubset(5, 10)
    layer = differentiable(estimator, TopK(5), target, Recorded(eps))
    theta = torch.nn.Parameter(problem.theta.clone())
    optimiser = torch.optim.SGD([theta], lr=settings.rate, momentum=0.9)
    found = []
    for _ in range(settings.steps):
        found.append(family.expectation(theta.detach(), problem.loss).item() - top_k().optimum)
        optimiser.zero_grad()
        layer.estimate(theta, problem.loss).sum().backward()
        optimiser.step()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["imle-sum-of-gamma", "straight-through", "adaptive-imle", "central-imle"])
def test_a_repetition_is_what_a_run_of_its_own_would_be(name):
    rows, method = 3, METHODS[name]
    eps = method.noise.sample((50, rows, 10), dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    together = torch.stack(list(gaps(top_k(), replace(method, noise=Recorded(eps)), rows)), dim=1)
    for row in range(rows):
        target = TargetDistribution(beta=method.beta)
        if name == "adaptive-imle":
            target = AdaptiveTargetDistribution(beta=method.beta, step=method.beta_step, least=0.0)
        alone = plain_run(method.estimator, target, eps[:, row : row + 1], method)
        np.testing.assert_allclose(together[row].numpy(), alone, rtol=1e-6, atol=1e-9)


def test_other_repetitions_do_not_move_the_beta_of_one():
    rows, method = 5, METHODS["adaptive-imle"]
    eps = method.noise.sample((50, rows, 10), dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    other = eps.clone()
    other[:, 1:] = eps[:, 1:].flip(0)
    first, second = (list(gaps(top_k(), replace(method, noise=Recorded(some)), rows))[-1] for some in (eps, other))
    assert first[0] == second[0]
    assert (first[1:] != second[1:]).all()


@pytest.mark.slow
def test_a_seed_and_a_name_decide_whatever_else_is_run():
    method = METHODS["simple"]
    first = reproduce(top_k(), method, 4, seed=7).gaps
    reproduce(top_k(), METHODS["imle-gumbel"], 4, seed=7)
    torch.rand(3)
    assert torch.equal(reproduce(top_k(), method, 4, seed=7).gaps, first)
    assert not torch.equal(reproduce(top_k(), method, 4, seed=8).gaps, first)
    assert not torch.equal(reproduce(top_k(), replace(method, name="another"), 4, seed=7).gaps, first)


@pytest.mark.slow
def test_methods_may_take_turns():
    alone = {name: reproduce(top_k(), METHODS[name], 4).gaps for name in ("simple", "imle-gumbel")}
    turns = zip(*(gaps(top_k(), METHODS[name], 4) for name in alone), strict=True)
    for found, expected in zip(zip(*turns, strict=True), alone.values(), strict=True):
        assert torch.equal(torch.stack(found, dim=1), expected)


def test_steps_are_told():
    told = []
    reproduce(top_k(), replace(METHODS["simple"], steps=3), 2, observe=told.append)
    assert told == [1, 2, 3]


def test_summaries():
    outcome = Reproduction(METHODS["imle-sum-of-gamma"], torch.tensor([[5.0, 0.0], [5.0, 0.1], [5.0, 0.2], [5.0, 0.3]]))
    assert outcome.means.tolist() == pytest.approx([5.0, 0.15])
    deviation = (0.05 / 3) ** 0.5
    assert outcome.deviations.tolist() == pytest.approx([0.0, deviation])
    assert outcome.standard_errors.tolist() == pytest.approx([0.0, deviation / 2])
    assert outcome.quantile(0.5).tolist() == pytest.approx([5.0, 0.15])
    assert outcome.distance == pytest.approx((0.15 - 0.181) / (deviation**2 / 4 + 0.188**2 / 100) ** 0.5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"repetitions": 1}, "repetitions: got 1; a deviation takes 2 or more; the usual number is 1000"),
        (
            {"repetitions": 2, "seed": -1},
            "seed: got -1; it must be a whole number from 0 to 2^64 - 1; the usual one is 0",
        ),
    ],
)
def test_what_cannot_be_run(settings, message):
    with pytest.raises(ValueError, match=r"^") as error:
        reproduce(top_k(), METHODS["simple"], **settings)
    assert str(error.value) == message
