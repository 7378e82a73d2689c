"""Every exact family: against brute force, derivatives of each other, huge parameters, closed entries, samples, errors."""

import math
import re

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from draws import normal
from imle_core.checks import ArgumentError
from imle_core.exact import Categorical, Enumeration, ExponentialFamily, Hypercube, KSubset, SpanningTrees

TIGHT = {"rtol": 1e-11, "atol": 1e-12}


def sorted_rows(states):
    return sorted(states.flatten(1).tolist())


def brute_force(problem, theta):
    """Log-partition, marginals and covariance by a sum over all structures."""
    scores = problem.scores(theta)
    weights, z = scores.softmax(dim=1), problem.states.flatten(1)
    means = weights @ z
    second = (weights.unsqueeze(1) * z.T) @ z
    return scores.logsumexp(dim=1), means.view_as(theta), second - means.unsqueeze(2) * means.unsqueeze(1)


def random(*shape, seed=7):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.slow
def test_states_are_those_of_brute_force_and_counted(problem):
    states = problem.family.states()
    assert states.dtype == torch.float64
    assert sorted_rows(states) == sorted_rows(problem.states)
    assert problem.family.count() == len(states)
    assert type(problem.family.count()) is int


def test_log_partition_marginals_and_covariance_are_sums_over_states(problem):
    family, theta = problem.family, problem.theta
    log_partition, marginals, covariance = brute_force(problem, theta)
    torch.testing.assert_close(family.log_partition(theta), log_partition, **TIGHT)
    torch.testing.assert_close(family.marginals(theta), marginals, **TIGHT)
    torch.testing.assert_close(family.covariance(theta), covariance, **TIGHT)


def test_expectation_gradient_is_covariance_times_weights(problem):
    family, theta = problem.family, problem.theta
    covariance = brute_force(problem, theta)[2]
    for weights in (random(*theta.shape), random(*family.event)):
        rows = weights.expand_as(theta).flatten(1)
        expected = (covariance @ rows.unsqueeze(2)).view_as(theta)
        torch.testing.assert_close(family.expectation_gradient(theta, weights), expected, **TIGHT)


def test_expectation_gradient_is_linear_in_weights_also_for_autograd(problem):
    family, theta = problem.family, problem.theta
    weights = random(*theta.shape).requires_grad_()
    family.expectation_gradient(theta, weights).sum().backward()
    torch.testing.assert_close(weights.grad, family.expectation_gradient(theta, torch.ones_like(theta)), **TIGHT)


@pytest.mark.slow
def test_derivatives_agree_with_finite_differences(problem):
    family, theta = problem.family, problem.theta[:1].clone().requires_grad_()
    weights = random(*family.event)
    assert gradcheck(family.log_partition, theta, fast_mode=True)
    assert gradgradcheck(family.log_partition, theta, fast_mode=True)
    assert gradcheck(family.marginals, theta, fast_mode=True)
    assert gradcheck(lambda x: family.expectation_gradient(x, weights), theta, fast_mode=True)
    assert gradcheck(lambda x: family.expectation(x, lambda z: z.flatten(1).sum(dim=1).exp().sin()), theta, fast_mode=True)


def test_autograd_of_the_log_partition_is_the_marginals(problem):
    theta = problem.theta.clone().requires_grad_()
    problem.family.log_partition(theta).sum().backward()
    torch.testing.assert_close(theta.grad, problem.family.marginals(problem.theta), rtol=0, atol=0)


def test_expectation_and_log_probability(problem):
    family, theta = problem.family, problem.theta
    log_probabilities = problem.scores(theta).log_softmax(dim=1)

    def loss(z):
        return (z.flatten(1) @ torch.arange(1.0, 1 + z[0].numel(), dtype=z.dtype)).square()

    expected = log_probabilities.exp() @ loss(problem.states)
    torch.testing.assert_close(family.expectation(theta, loss), expected, **TIGHT)
    for number in range(len(theta)):
        rows = theta[number].expand_as(problem.states)
        torch.testing.assert_close(family.log_probability(problem.states, rows), log_probabilities[number], **TIGHT)


def test_gradient_of_a_linear_expectation_is_the_expectation_gradient(problem):
    family, theta = problem.family, problem.theta.clone().requires_grad_()
    weights = random(*family.event)
    family.expectation(theta, lambda z: (z * weights).flatten(1).sum(dim=1)).sum().backward()
    torch.testing.assert_close(theta.grad, family.expectation_gradient(problem.theta, weights), **TIGHT)


def test_gradient_of_log_probability_is_the_structure_less_the_marginals(problem):
    family, theta = problem.family, problem.theta[:1].clone().requires_grad_()
    family.log_probability(problem.states[:1], theta).sum().backward()
    torch.testing.assert_close(theta.grad, problem.states[:1] - family.marginals(problem.theta[:1]), **TIGHT)


@pytest.mark.slow
def test_entropy_cross_entropy_and_kl_are_sums_over_states(problem):
    family, theta = problem.family, problem.theta
    other = random(*theta.shape)
    logs = [problem.scores(numbers).log_softmax(dim=1) for numbers in (theta, other)]
    weights = logs[0].exp()
    entropy, crossed = (-(weights * log).sum(dim=1) for log in logs)
    torch.testing.assert_close(family.entropy(theta), entropy, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(family.cross_entropy(theta, other), crossed, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(family.kl(theta, other), crossed - entropy, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(family.kl(theta, theta), torch.zeros(3).double(), rtol=0, atol=1e-12)


@pytest.mark.slow
def test_entropy_and_kl_have_gradients_by_finite_differences(problem):
    family, theta = problem.family, problem.theta[:1].clone().requires_grad_()
    other = random(*theta.shape).requires_grad_()
    for function, rows in ((family.entropy, [theta]), (family.kl, [theta, other]), (family.cross_entropy, [theta, other])):
        assert gradcheck(function, rows, fast_mode=True)
        check_every_entry(function, rows)


def check_every_entry(function, rows, step=1e-6):
    """Differences by a step of each entry of each row, in one call, against the gradients."""
    gradients = torch.autograd.grad(function(*rows).sum(), rows)
    with torch.no_grad():
        for number, gradient in enumerate(gradients):
            steps = step * torch.eye(gradient.numel(), dtype=torch.float64).view(-1, *gradient.shape[1:])
            repeated = [row.repeat(2 * len(steps), *[1] * (row.dim() - 1)) for row in rows]
            repeated[number] += torch.cat([steps, -steps])
            above, below = function(*repeated).chunk(2)
            torch.testing.assert_close(gradient.flatten(), (above - below) / (2 * step), rtol=1e-3, atol=1e-5)


def test_kl_to_the_uniform_distribution_of_subsets_is_what_entropy_lacks():
    family, theta = KSubset(3, 9), random(4, 9)
    uniform = torch.zeros_like(theta)
    torch.testing.assert_close(
        family.entropy(uniform), torch.full((4,), math.log(math.comb(9, 3)), dtype=torch.float64), **TIGHT
    )
    lacking = math.log(math.comb(9, 3)) - family.entropy(theta)
    torch.testing.assert_close(family.kl(theta, uniform), lacking, rtol=1e-10, atol=1e-10)


def test_kl_with_closed_entries():
    """Where both are closed nothing is added; where the second alone is, the divergence has no bound."""
    family, theta, other = KSubset(2, 5), random(3, 5), random(3, 5, seed=8)
    theta[:, 1] = -torch.inf
    for_all = family.kl(theta, other)
    other[0, 1] = -torch.inf
    other[1, 2] = -torch.inf
    both = family.kl(theta, other)
    assert both.isposinf().tolist() == [False, True, False]
    assert family.cross_entropy(theta, other).isposinf().tolist() == [False, True, False]
    assert both[0] < for_all[0]
    kept = [0, 2, 3, 4]
    alone = KSubset(2, 4).kl(theta[:1, kept], other[:1, kept])
    torch.testing.assert_close(both[:1], alone, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(family.entropy(theta[:1]), KSubset(2, 4).entropy(theta[:1, kept]), rtol=1e-10, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1e3, 1e8, 1e14, 1e249])
def test_huge_parameters_neither_overflow_nor_underflow(problem, scale):
    family, theta = problem.family, problem.theta * scale
    log_partition, marginals, covariance = brute_force(problem, theta)
    torch.testing.assert_close(family.log_partition(theta), log_partition, rtol=1e-14, atol=1e-12)
    torch.testing.assert_close(family.marginals(theta), marginals, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(family.covariance(theta), covariance, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [10.0, 800.0, 1e4])
def test_magnitudes_that_differ_widely(problem, scale):
    spread = random(20, *problem.family.event, seed=3)
    theta = scale * spread * (random(20, *problem.family.event, seed=4) * 3).exp().clamp(max=1)
    log_partition, marginals, covariance = brute_force(problem, theta)
    bound = {"rtol": 1e-10, "atol": 1e-13 * scale}
    torch.testing.assert_close(problem.family.log_partition(theta), log_partition, **bound)
    torch.testing.assert_close(problem.family.marginals(theta), marginals, **bound)
    torch.testing.assert_close(problem.family.covariance(theta), covariance, **bound)


def with_closed_entries(problem):
    """Twenty rows of parameters, some -inf, that leave a structure each."""
    generator = torch.Generator().manual_seed(5)
    theta = 2 * torch.randn(200, *problem.family.event, dtype=torch.float64, generator=generator)
    theta[torch.rand(theta.shape, generator=generator) < 0.3] = -torch.inf
    return theta[problem.scores(theta).amax(dim=1) > -torch.inf][:20]


@pytest.mark.slow
def test_closed_entries_are_never_chosen_and_have_no_gradient(masks):
    family, theta = masks.family, with_closed_entries(masks)
    log_partition, marginals, covariance = brute_force(masks, theta)
    torch.testing.assert_close(family.log_partition(theta), log_partition, **TIGHT)
    torch.testing.assert_close(family.marginals(theta), marginals, **TIGHT)
    torch.testing.assert_close(family.covariance(theta), covariance, **TIGHT)
    closed = theta.isneginf()
    assert (family.marginals(theta)[closed] == 0).all()
    leaf = theta.clone().requires_grad_()
    family.expectation_gradient(leaf, random(*family.event)).square().sum().backward()
    assert leaf.grad.isfinite().all()
    assert (leaf.grad[closed] == 0).all()


def test_expectation_and_log_probability_with_closed_entries(masks):
    family, theta = masks.family, with_closed_entries(masks)
    log_probabilities = masks.scores(theta).log_softmax(dim=1)
    expected = log_probabilities.exp() @ masks.states.flatten(1).cos().prod(dim=1)
    torch.testing.assert_close(family.expectation(theta, lambda z: z.flatten(1).cos().prod(dim=1)), expected, **TIGHT)
    every = masks.states.repeat(len(theta), *[1] * len(family.event))
    rows = theta.repeat_interleave(len(masks.states), dim=0).requires_grad_()
    found = family.log_probability(every, rows)
    torch.testing.assert_close(found.view_as(log_probabilities), log_probabilities, **TIGHT)
    found[found > -torch.inf].sum().backward()
    assert rows.grad.isfinite().all()


def test_no_structure_left_is_refused(masks):
    theta = torch.zeros(2, *masks.family.event)
    theta[1] = -torch.inf
    if (masks.states.flatten(1).sum(dim=1) == 0).any():  # the empty set
        assert masks.family.log_partition(theta)[1] == 0
        return
    message = "theta: -inf leaves no structure in row 1 of 2; a structure needs finite entries; open some"
    with pytest.raises(ValueError, match=f"^{message}$"):
        masks.family.log_partition(theta)


@pytest.mark.slow
def test_batched_equals_one_by_one(problem):
    family, theta = problem.family, problem.theta
    for ask in (family.log_partition, family.marginals, family.covariance):
        torch.testing.assert_close(torch.cat([ask(row[None]) for row in theta]), ask(theta), rtol=1e-13, atol=1e-14)


def test_no_rows(problem):
    family, theta = problem.family, problem.theta[:0]
    size = problem.states[0].numel()
    assert family.log_partition(theta).shape == (0,)
    assert family.marginals(theta).shape == theta.shape
    assert family.covariance(theta).shape == (0, size, size)
    assert family.expectation(theta, lambda z: z.flatten(1).sum(dim=1)).shape == (0,)
    assert family.sample(theta, 2).shape == (0, 2, *family.event)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_answers_are_float64_and_gradients_in_thetas_type(problem, dtype):
    family, theta = problem.family, problem.theta.to(dtype).requires_grad_()
    exact = theta.detach().double()
    assert torch.equal(family.log_partition(theta), family.log_partition(exact))
    assert torch.equal(family.marginals(theta), family.marginals(exact))
    assert family.sample(theta, 2).dtype == dtype
    family.marginals(theta).square().sum().backward()
    assert theta.grad.dtype == dtype
    assert family.log_partition(torch.zeros(1, *family.event, dtype=torch.int64)).dtype == torch.float64


@pytest.mark.slow
def test_answers_do_not_depend_on_grad_mode_or_layout(problem):
    family, theta = problem.family, problem.theta
    weights = random(*family.event)
    leaf = theta.clone().requires_grad_()
    expected = family.marginals(theta), family.expectation_gradient(theta, weights), family.covariance(theta)

    def answers(x):
        return family.marginals(x), family.expectation_gradient(x, weights), family.covariance(x)

    assert not any(answer.requires_grad for answer in expected)
    assert all(answer.requires_grad for answer in answers(leaf))
    with torch.no_grad():
        found = answers(leaf)
        assert not any(answer.requires_grad for answer in found)
    assert all(map(torch.equal, found, expected))
    with torch.inference_mode():
        assert all(map(torch.equal, answers(theta.clone()), expected))
    strided = torch.stack([theta, -theta], dim=-1)[..., 0]
    assert all(map(torch.equal, answers(strided), expected))


def z_scores(counts, probabilities, nb_samples):
    """Standard deviations between counts and what is expected; exact where an outcome is certain."""
    certain = (probabilities < 1e-14) | (probabilities > 1 - 1e-14)
    assert ((counts / nb_samples)[certain] == probabilities[certain].round()).all()
    deviations = (nb_samples * probabilities * (1 - probabilities)).clamp(min=1e-300).sqrt()
    return ((counts - nb_samples * probabilities) / deviations)[~certain].abs()


@pytest.mark.slow
def test_samples_have_the_exact_distribution(problem):
    family, theta, nb_samples = problem.family, problem.theta[:2] / 2, 4000
    z = family.sample(theta, nb_samples, torch.Generator().manual_seed(11))
    assert z.shape == (2, nb_samples, *family.event)
    equal = torch.cdist(z.flatten(2), problem.states.flatten(1), p=1) == 0
    assert (equal.sum(dim=2) == 1).all()  # each sample is one of the structures
    probabilities = problem.scores(theta).softmax(dim=1)
    assert (z_scores(equal.double().sum(dim=1), probabilities, nb_samples) < 4.5).all()


@pytest.mark.slow
def test_sampled_means_are_the_marginals(masks):
    family, theta, nb_samples = masks.family, with_closed_entries(masks)[:5], 4000
    z = family.sample(theta, nb_samples, torch.Generator().manual_seed(12))
    assert (z_scores(z.sum(dim=1), brute_force(masks, theta)[1], nb_samples) < 4.5).all()


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1e4, 1e17, 1e200])
def test_samples_at_huge_parameters_choose_fairly_among_the_best(masks, scale):
    family, nb_samples = masks.family, 2000
    theta = (scale * masks.theta.sign())[:2]
    z = family.sample(theta, nb_samples, torch.Generator().manual_seed(13))
    scores = masks.scores(theta)
    if scale > 1e4:  # where what transitions add is rounded away
        scores = scores - masks.base
    equal = torch.cdist(z.flatten(2), masks.states.flatten(1), p=1) == 0
    assert (equal.sum(dim=2) == 1).all()
    assert (equal & (scores < scores.amax(dim=1, keepdim=True) - 100).unsqueeze(1)).sum() == 0
    if scale == 1e4:
        assert (z_scores(equal.double().sum(dim=1), scores.softmax(dim=1), nb_samples) < 4.5).all()


def test_samples_follow_the_generator(problem):
    draws = [problem.family.sample(problem.theta, 50, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert problem.family.count() < 3 or not torch.equal(draws[0], draws[2])
    assert not problem.family.sample(problem.theta.clone().requires_grad_(), 1).requires_grad


class Fair(ExponentialFamily):
    """A family of a user's own."""

    def __repr__(self):
        return "Fair()"

    def count(self):
        return 2

    def _states(self):
        return torch.eye(2, dtype=torch.float64)

    def _log_partition(self, theta):
        return theta.logsumexp(dim=1)


def test_a_family_of_ones_own_needs_three_methods():
    theta = torch.tensor([[0.0, 2.0]])
    torch.testing.assert_close(Fair(2).marginals(theta), Categorical(2).marginals(theta))
    torch.testing.assert_close(Fair(2).covariance(theta), Categorical(2).covariance(theta))
    ones = Fair(2).sample(theta, 4000, torch.Generator().manual_seed(0))[0, :, 1].sum()
    assert z_scores(ones[None].double(), torch.tensor([2.0], dtype=torch.float64).sigmoid(), 4000) < 4.5


NUMBERS = "parameters must be finite; use -inf for never"
ERRORS = {
    "event: got (); sizes must be whole numbers >= 1; give the shape of one instance": lambda: Hypercube(()),
    "event: got 0; sizes must be whole numbers >= 1; give the shape of one instance": lambda: Hypercube(0),
    "event: got (2, 1.5); sizes must be whole numbers >= 1; give the shape of one instance": lambda: Hypercube((2, 1.5)),
    "theta: got shape (4,); KSubset(k=2, event=(4,)) needs (N, 4); use theta.unsqueeze(0) for one instance": lambda: KSubset(
        2, 4
    ).log_partition(torch.zeros(4)),
    "theta: got shape (4, 2, 2); Hypercube(event=(2, 3)) needs (N, 2, 3); use theta.unsqueeze(0) for one instance": lambda: (
        Hypercube((2, 3)).marginals(torch.zeros(4, 2, 2))
    ),
    "theta: got shape (); Fair() needs (N, 2); use theta.unsqueeze(0) for one instance": lambda: Fair(2).covariance(
        torch.tensor(0.0)
    ),
    f"theta: got 2 NaN and 0 inf; {NUMBERS}": lambda: Fair(2).marginals(torch.full((1, 2), torch.nan)),
    f"theta: got 0 NaN and 1 inf; {NUMBERS}": lambda: Fair(2).sample(torch.tensor([[0.0, torch.inf]]), 1),
    "theta: got -1e+300; sums over entries must stay finite; keep entries within 1e+250, or use -inf for never": lambda: (
        Fair(2).log_partition(torch.tensor([[0.0, -1e300]], dtype=torch.float64))
    ),
    "weights: got shape (2, 1); it must be (2,) or (1, 2); give one weight an entry": lambda: Fair(2).expectation_gradient(
        torch.zeros(1, 2), torch.zeros(2, 1)
    ),
    "z: got shape (2, 2) for theta of shape (1, 2); both must have one; give a structure a row": lambda: Fair(
        2
    ).log_probability(torch.eye(2), torch.zeros(1, 2)),
    "states: there are 137846528820; enumeration takes at most 1048576; use the family's own marginals, or sample": lambda: (
        KSubset(20, 40).states()
    ),
    "states: there are 4; enumeration takes at most 3; use the family's own marginals, or sample": lambda: Hypercube(
        2
    ).states(most=3),
    "states: there are 1073741824; enumeration takes at most 1048576; use the family's own marginals, or sample": lambda: (
        Hypercube(30).expectation(torch.zeros(1, 30), lambda z: z.sum(dim=1))
    ),
    "loss: got shape (2, 2) for 2 states; it must give a number a state; return a tensor (M,)": lambda: Fair(2).expectation(
        torch.zeros(1, 2), lambda z: z
    ),
    "loss: got 'float' for 2 states; it must give a number a state; return a tensor (M,)": lambda: Fair(2).expectation(
        torch.zeros(1, 2), lambda _: 1.0
    ),
    "loss: got 2 NaN or inf for 2 states; it must give finite numbers; look for 0/0 or log(0)": lambda: Fair(2).expectation(
        torch.zeros(1, 2), lambda z: z.sum(dim=1) / 0
    ),
    "nb_samples: got 0; it must be a whole number >= 1; use 1 for a single sample": lambda: Fair(2).sample(
        torch.zeros(1, 2), 0
    ),
    "nb_samples: got 1.5; it must be a whole number >= 1; use 1 for a single sample": lambda: SpanningTrees([(0, 1)]).sample(
        torch.zeros(1, 1), 1.5
    ),
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ERRORS[message]()


def test_states_are_the_users_own():
    family = Enumeration(torch.eye(2))
    family.states().zero_()
    assert torch.equal(family.states(), torch.eye(2, dtype=torch.float64))


def test_one_row_stands_for_all_in_divergences():
    family = KSubset(2, 5)
    theta, other = normal(3, 5), normal(5, seed=1)
    expected = family.kl(theta, other.expand(3, 5))
    for rows in (other, other[None]):
        assert torch.equal(family.kl(theta, rows), expected)
        assert torch.equal(family.cross_entropy(theta, rows), family.cross_entropy(theta, other.expand(3, 5)))
    torch.testing.assert_close(family.kl(theta, torch.zeros(5)), torch.log(torch.tensor(10.0)) - family.entropy(theta))
    torch.testing.assert_close(family.kl(theta[:1], theta)[1:], family.kl(theta[:1].expand(3, 5), theta)[1:])
    learned = other.clone().requires_grad_()
    family.kl(theta, learned).sum().backward()
    torch.testing.assert_close(learned.grad, 3 * family.marginals(other[None])[0] - family.marginals(theta).sum(dim=0))
    with pytest.raises(
        ArgumentError, match=r"^other: got shape \(2, 5\) for theta of shape \(3, 5\); it must be \(N, \*event\)"
    ):
        family.kl(theta, theta[:2])
