"""Nobody shares memory with a layer: solvers, noise and targets get tensors of their own, and what a layer gives is free."""

import pickle
from functools import partial

import pytest
import torch

from draws import generator
from imle_core import (
    IMLE,
    KnownTargetDistribution,
    NormalNoiseDistribution,
    TargetDistribution,
    imle,
    marginals,
    perturb_and_map,
    stream_samples,
    train,
)
from imle_core.estimators import BlackboxInterpolation, differentiable
from imle_core.solvers import TopK


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=generator(seed))


def chosen(theta, k=2):
    return torch.zeros_like(theta).scatter(1, theta.topk(k, 1).indices, 1.0)


def in_place(theta):
    best = theta.topk(2, 1).indices
    return theta.zero_().scatter_(1, best, 1.0)


class Buffer:
    """Gives every solution in one tensor of its own, as compiled solvers do."""

    def __init__(self, inference=False):
        self.kept, self.inference = {}, inference

    def __call__(self, theta):
        with torch.inference_mode(self.inference):
            buffer = self.kept.setdefault(theta.shape, torch.empty(theta.shape, dtype=theta.dtype))
            return buffer.copy_(chosen(theta))


class AtOnce(Buffer):
    """The same, together with the noise; it spoils what it was given."""

    def perturb_and_map(self, theta, eps, temperature, known=None):
        rows = theta if eps is None else theta + temperature * eps
        z = self(rows.flatten(0, 1)).view(rows.shape)
        for given in (theta, eps) if known is None else (theta, eps, known.theta, known.z):
            if given is not None:
                given.fill_(torch.nan)
        return z


def inferring(theta):
    with torch.inference_mode():
        return chosen(theta)


SOLVERS = {
    "in place": in_place,
    "buffer": Buffer(),
    "inference": inferring,
    "inference buffer": Buffer(inference=True),
    "at once": AtOnce(),
}
SETTINGS = {
    "plain": {},
    "samples": {"nb_samples": 3},
    "noise": {"nb_samples": 3, "noise_distribution": NormalNoiseDistribution()},
    "one sample": {"noise_distribution": NormalNoiseDistribution()},
    "central": {"difference": "central"},
    "stacked": {"nb_samples": 2, "reduction": "stacked"},
    "mean": {"nb_samples": 2, "reduction": "mean", "noise_distribution": NormalNoiseDistribution()},
    "known": {"target_distribution": KnownTargetDistribution(normal(4, 5, seed=3))},
    "no target noise": {"noise_distribution": NormalNoiseDistribution(), "target_noise_temperature": 0.0},
}


def step(solver, **settings):
    theta = normal(4, 5).requires_grad_()
    layer = imle(solver, **{"target_distribution": TargetDistribution(beta=5.0), "generator": generator(1), **settings})
    z = layer(theta)
    before = z.detach().clone()
    (z * torch.arange(5.0)).sum().backward()
    assert torch.equal(z, before)
    assert torch.equal(theta.detach(), normal(4, 5))
    return before, theta.grad


@pytest.mark.slow
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)
def test_a_solver_may_write_where_it_likes(solver, settings):
    expected, result = step(chosen, **settings), step(solver, **settings)
    assert all(torch.equal(*pair) for pair in zip(expected, result, strict=True))
    assert result[1].abs().sum() > 0


@pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)
@pytest.mark.parametrize("name", ["blackbox", "straight-through", "identity", "perturbed", "perturbed-baseline"])
def test_every_estimator_around_such_a_solver(solver, name):
    def gradient(function):
        theta = normal(4, 5).requires_grad_()
        target, noise = TargetDistribution(beta=5.0), NormalNoiseDistribution()
        z = differentiable(name, function, target, noise, 3, generator=generator(1))(theta)
        (z * torch.arange(5.0)).sum().backward()
        assert torch.equal(theta.detach(), normal(4, 5))
        return theta.grad

    assert torch.equal(gradient(chosen), gradient(solver))


@pytest.mark.parametrize("noise", [None, NormalNoiseDistribution()], ids=str)
@pytest.mark.parametrize("solver", [in_place, Buffer(), inferring], ids=["in place", "buffer", "inference"])
def test_samples_stay_what_they_were(solver, noise):
    theta = normal(1, 5)
    draw = partial(perturb_and_map, solver, theta, noise, nb_samples=2, generator=generator(2))
    first = draw()
    kept = first.clone()
    theta_before, _ = theta.clone(), draw()
    assert torch.equal(first, kept)
    assert torch.equal(theta, theta_before)
    assert torch.equal(first, perturb_and_map(chosen, theta, noise, nb_samples=2, generator=generator(2)))
    settings = {"nb_samples": 5000, "chunk_size": 100}
    block = [*stream_samples(solver, theta.expand(8, 5), noise, **settings)]
    assert torch.equal(torch.cat(block, 1), torch.cat([*stream_samples(chosen, theta.expand(8, 5), noise, **settings)], 1))
    assert torch.equal(marginals(solver, theta, noise).mean, marginals(chosen, theta, noise).mean)


@pytest.mark.parametrize("solver", [lambda theta: theta, lambda theta: theta[:, :]], ids=["itself", "a view"])
@pytest.mark.parametrize("reduction", ["none", "stacked", "mean"])
@pytest.mark.parametrize("needs", [True, False])
def test_a_solver_that_gives_back_what_it_got(solver, reduction, needs):
    theta = normal(3, 4).requires_grad_(needs)
    output = imle(solver, reduction=reduction)(theta)
    output.detach().zero_()
    perturb_and_map(solver, theta).zero_()
    assert torch.equal(theta.detach(), normal(3, 4))


@pytest.mark.parametrize("reduction", ["none", "stacked", "mean"])
@pytest.mark.parametrize("solver", [TopK(2), chosen], ids=["ours", "function"])
def test_an_output_may_be_edited_in_place(reduction, solver):
    gradients = []
    for edits in (False, True):
        theta = normal(2, 5).requires_grad_()
        z = imle(solver, TargetDistribution(beta=5.0), nb_samples=2, reduction=reduction)(theta)
        if edits:
            z[..., 0] = 1.0  # forces an entry, which then has no gradient
        else:
            z = torch.cat([torch.ones_like(z[..., :1]), z[..., 1:]], dim=-1)
        (z * torch.arange(5.0)).sum().backward()
        gradients.append(theta.grad)
    assert torch.equal(*gradients)
    assert gradients[0].abs().sum() > 0


@pytest.mark.parametrize("reduction", ["none", "stacked", "mean"])
@pytest.mark.parametrize("solver", [TopK(2), chosen, AtOnce()], ids=["ours", "function", "at once"])
def test_an_output_without_gradients_may_be_edited_with_them(reduction, solver):
    theta, weights = normal(2, 5), torch.arange(5.0).requires_grad_()
    outputs = [imle(solver, nb_samples=2, reduction=reduction), IMLE(solver, None, None, 2, reduction=reduction).eval()]
    outputs += [partial(perturb_and_map, solver), lambda theta: next(stream_samples(solver, theta))]
    for output in outputs:
        with torch.no_grad():
            z = output(theta)
        expected = (z * weights).sum()
        z.mul_(weights)
        assert torch.equal(z.sum(), expected)


def masked(theta, mask, *, scale):
    """Spoils its further arguments after it has used them."""
    states = chosen(theta * torch.as_tensor(mask) * torch.as_tensor(scale))
    for given in (mask, scale):
        given[:] = 0
    return states


@pytest.mark.parametrize("kind", [torch.as_tensor, torch.Tensor.numpy], ids=["tensors", "arrays"])
@pytest.mark.parametrize("noise", [None, NormalNoiseDistribution()], ids=str)
def test_further_arguments_stay_what_they_were_in_the_call(kind, noise):
    gradients = []
    for solver in (lambda theta, mask, *, scale: masked(theta, torch.as_tensor(mask).clone(), scale=scale.copy()), masked):
        theta, mask, scale = normal(4, 5).requires_grad_(), kind(normal(4, 5, seed=4)), normal(5, seed=5).numpy()
        z = imle(solver, TargetDistribution(beta=5.0), noise, generator=generator())(theta, mask, scale=scale)
        assert torch.equal(torch.as_tensor(mask), normal(4, 5, seed=4))
        if solver is masked:
            mask[:] = scale[:] = 7  # what a caller does with a buffer of its own
        (z * torch.arange(5.0)).sum().backward()
        gradients.append(theta.grad)
    assert torch.equal(*gradients)
    assert gradients[0].abs().sum() > 0


def test_a_solver_that_is_pure_may_infer():
    class Inferring:
        pure = True

        def __call__(self, theta):
            return inferring(theta)

    assert all(torch.equal(*pair) for pair in zip(step(chosen), step(Inferring()), strict=True))


class OneBuffer:
    """Noise in one tensor of its own, perhaps of inference mode."""

    def __init__(self, inference):
        with torch.inference_mode(inference):
            self.buffer, self.draws = torch.empty(4, 3, 5), 0

    def sample(self, shape, *, generator=None):  # noqa: ARG002
        self.draws += 1
        with torch.inference_mode(self.buffer.is_inference()):
            return self.buffer.copy_(normal(*shape, seed=self.draws))


@pytest.mark.parametrize("inference", [False, True])
def test_noise_of_a_buffer_is_reused_in_the_backward_pass_as_it_was_drawn(inference):
    theta = normal(4, 5).requires_grad_()
    noise = OneBuffer(inference)
    layer = imle(TopK(2), TargetDistribution(beta=5.0), noise, 3)
    first, _ = layer(theta), layer(theta)
    (first * torch.arange(5.0)).sum().backward()
    again = normal(4, 5).requires_grad_()
    (imle(TopK(2), TargetDistribution(beta=5.0), OneBuffer(False), 3)(again) * torch.arange(5.0)).sum().backward()
    assert torch.equal(theta.grad, again.grad)


def test_noise_of_a_buffer_stays_the_user_s_while_samples_are_streamed():
    noise = OneBuffer(False)
    noise.buffer = torch.empty(1, 6553, 5)
    for _ in stream_samples(TopK(2), torch.zeros(1, 5), noise, nb_samples=10, temperature=3.0):
        assert torch.equal(noise.buffer, normal(1, 6553, 5, seed=noise.draws))


def test_a_training_keeps_its_gold_solution_and_gives_solutions_that_stay():
    def records(solver):
        gold = solver(torch.tensor([[0.0, 3.0, 0.0, 2.0, 1.0]]))[0]
        steps = [*train(solver, gold, steps=20, target_distribution=TargetDistribution(beta=2.0), lr=0.1)]
        return [step.distance for step in steps], torch.stack([step.solution for step in steps])

    (expected, solutions), (distances, others) = records(chosen), records(Buffer())
    assert expected == distances
    assert expected[-1] == 0 < expected[0]
    assert torch.equal(solutions, others)


class Greedy:
    """A target that writes in whatever it gets."""

    def params(self, theta, dy):
        return theta.sub_(dy.mul_(5.0))

    def observe(self, difference):
        difference.zero_()

    def step_size(self, theta, dy):
        theta.zero_()
        dy.zero_()
        return 5.0


@pytest.mark.parametrize("scaled", [False, True])
def test_a_target_may_write_where_it_likes(scaled):
    expected = step(TopK(2), scale_gradient=scaled)
    results = step(TopK(2), target_distribution=Greedy(), scale_gradient=scaled)
    assert all(torch.equal(*pair) for pair in zip(expected, results, strict=True))


def test_a_target_s_step_is_asked_for_once_a_backward_pass():
    class Decaying:
        beta = 8.0

        def params(self, theta, dy):
            return theta - self.beta * dy

        def step_size(self, *_):
            self.beta /= 2
            return self.beta

    target = Decaying()
    step(TopK(2), target_distribution=target)
    assert target.beta == 8.0
    step(TopK(2), target_distribution=target, scale_gradient=True)
    assert target.beta == 4.0


class TestSense:
    class Least:
        sense = "min"

        def __call__(self, costs):
            return chosen(-costs, 1)

    @pytest.mark.parametrize("make", [imle, IMLE, BlackboxInterpolation])
    @pytest.mark.parametrize("solver", [TopK(1), TopK(1).__call__, partial(TopK(1))])
    def test_a_solver_that_maximises_gets_minus_the_costs(self, make, solver):
        assert make(solver, sense="min")(torch.tensor([[3.0, 1.0, 2.0]])).tolist() == [[0.0, 1.0, 0.0]]

    def test_a_solver_that_minimises(self):
        message = (
            "^sense: got 'max' with Least; it declares 'min' and would give the worst; use sense='min', or give lambda "
            r"theta: solver\(-theta\)$"
        )
        for call in (imle, lambda solver: perturb_and_map(solver, torch.ones(1, 3))):
            with pytest.raises(ValueError, match=message):
                call(self.Least())
        assert imle(self.Least(), sense="min")(torch.tensor([[3.0, 1.0, 2.0]])).tolist() == [[0.0, 1.0, 0.0]]


@imle(noise_distribution=NormalNoiseDistribution(), generator=generator(5))
def decorated(theta):
    return chosen(theta)


class TestPickle:
    def test_a_layer_of_an_object_goes_on_where_it_was(self):
        layer = imle(TopK(2), TargetDistribution(beta=3.0), NormalNoiseDistribution(), 4, generator=generator(3))
        layer(normal(2, 5))
        again = pickle.loads(pickle.dumps(layer))
        assert again.estimator.target.beta == 3.0
        assert torch.equal(again(normal(2, 5)), layer(normal(2, 5)))

    def test_a_decorated_function_is_found_by_its_name(self):
        assert pickle.loads(pickle.dumps(decorated)) is decorated

    def test_repr(self):
        assert repr(imle(TopK(2))) == "imle(TopK(k=2), TargetDistribution(alpha=1, lambda_=1))"
