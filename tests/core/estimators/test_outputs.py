"""Further outputs of solvers, ``(z, *others)``, and solvers under inference mode, through every estimator."""

import re
from collections import namedtuple

import numpy as np
import pytest
import torch

from draws import generator, normal
from imle_core import (
    IMLE,
    ArgumentError,
    GumbelNoiseDistribution,
    NormalNoiseDistribution,
    distinct_solutions,
    imle,
    marginals,
    perturb_and_map,
    train,
)
from imle_core.contracts import Known
from imle_core.estimators import ESTIMATORS, differentiable
from imle_core.exact import KSubset
from imle_core.solvers import BlackBox, TopK

Answer = namedtuple("Answer", "z best length")
BEST = TopK(2)


def alone(theta):
    return BEST(theta)


def further(theta):
    return BEST(theta), theta.argmax(dim=1), {"values": [theta.sum(dim=1).numpy()]}, "words"


def layer_of(name, solver, **settings):
    family = {"family": KSubset(2, (5,))} if ESTIMATORS[name].exact else {}
    given = {"noise_distribution": NormalNoiseDistribution(), "nb_samples": 2, "generator": generator(), **settings}
    return differentiable(name, solver, **given, **family)


WITH_SOLVER = [name for name, entry in ESTIMATORS.items() if not entry.exact and entry.needs == "loss gradient"]


@pytest.mark.slow
@pytest.mark.parametrize("reduction", ["none", "stacked", "mean"])
@pytest.mark.parametrize("name", WITH_SOLVER)
def test_states_and_gradients_are_those_without_them(name, reduction):
    theta, dy = normal(3, 5).requires_grad_(), normal(3, 2, 5, seed=1)
    states = [layer_of(name, solver, reduction=reduction)(theta) for solver in (alone, further)]
    z, best, values, words = states[1]
    assert type(states[1]) is tuple
    assert torch.equal(z, states[0])
    assert (best.shape, words) == ((6,), "words")
    assert isinstance(values["values"][0], np.ndarray)
    upstream = dy.mean(dim=1) if reduction == "mean" else dy.reshape(z.shape)
    expected, gradient = (torch.autograd.grad(z, theta, upstream)[0] for z in (states[0], states[1][0]))
    assert torch.equal(gradient, expected)


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if ESTIMATORS[name].needs != "gold solutions"])
def test_losses_are_of_the_states(name):
    def loss(z):
        return (z * torch.arange(5)).sum(dim=1)

    found = []
    for solver in (alone, further):
        theta = normal(3, 5).requires_grad_()
        values = layer_of(name, solver).estimate(theta, loss)
        values.sum().backward()
        found.append((values, theta.grad))
    assert all(map(torch.equal, *found))


@pytest.mark.parametrize("name", ["fenchel-young", "structured-svm"])
def test_losses_of_gold_solutions_leave_them_aside(name):
    theta, gold = normal(3, 5), BEST(normal(3, 5, seed=1))
    losses = [layer_of(name, solver)(theta, gold) for solver in (alone, further)]
    assert torch.equal(*losses)


@pytest.mark.parametrize(("name", "who"), [("simple", "SIMPLE"), ("score-function-exact", "the exact score function")])
def test_estimators_that_sample_without_the_solver_refuse_them(name, who):
    message = f"function: got a solver with further outputs; {who} draws exact samples, for which there are none; give"
    with pytest.raises(ArgumentError, match=re.escape(message)):
        layer_of(name, further).noise_free()(normal(3, 5))


def test_a_function_a_decorator_and_a_module_give_them():
    theta = normal(2, 5).requires_grad_()

    @imle(nb_samples=2)
    def decorated(theta, *, scale):
        return further(theta * scale)

    for result in (imle(further, nb_samples=2)(theta), decorated(theta, scale=2), IMLE(further, nb_samples=2)(theta)):
        assert [len(entry) for entry in result[:2]] == [4, 4]
        assert result[0].requires_grad
    z, best, *_ = IMLE(further, noise_distribution=GumbelNoiseDistribution(), nb_samples=2).eval()(theta)
    assert torch.equal(best, theta.argmax(dim=1))
    with torch.no_grad():
        z, *_ = imle(further)(theta)
    assert not z.requires_grad


def test_a_named_tuple_comes_back_as_one_and_a_list_as_a_tuple():
    theta = normal(2, 5)
    named = imle(lambda theta: Answer(*further(theta)[:2], 3))(theta)
    assert type(named) is Answer
    assert (named.z.shape, named.length) == ((2, 5), 3)
    assert type(imle(lambda theta: list(further(theta)))(theta)) is tuple
    assert len(imle(lambda theta: (BEST(theta),))(theta)) == 1


def test_they_are_of_the_forward_pass_and_nobody_elses():
    buffer, array, weight = torch.zeros(2), np.zeros(2), torch.ones(2, requires_grad=True)

    def solver(theta):
        buffer.copy_(theta[:, 0])
        array[:] = theta[:, 0].numpy()
        with torch.enable_grad():
            product = weight * theta[:, 0]
        return BEST(theta), buffer, [buffer, {"array": array}], theta[:, 0], product, weight

    theta = normal(2, 5).float().requires_grad_()
    z, *others = imle(solver)(theta)
    first = theta[:, 0].detach().clone()
    (z * normal(2, 5)).sum().backward()  # which asks the solver again, for other parameters
    held, (nested, arrays), view, product, parameter = others
    for value in (held, nested, torch.from_numpy(arrays["array"]).float(), view, product):
        assert torch.equal(value, first)
    assert not product.requires_grad
    assert not parameter.requires_grad
    assert parameter.data_ptr() != weight.data_ptr()


def test_a_solver_that_adds_the_noise_may_have_them():
    class AtOnce:
        def __call__(self, theta):
            return further(theta)

        def perturb_and_map(self, theta, eps, temperature, known=None):
            assert known is None or isinstance(known, Known)
            rows = theta if eps is None else theta + temperature * eps
            return BEST(rows.flatten(0, 1)).view_as(rows), "at once"

    theta = normal(2, 5).requires_grad_()
    z, words = imle(AtOnce(), noise_distribution=GumbelNoiseDistribution(), nb_samples=3)(theta)
    z.sum().backward()
    assert (z.shape, words) == ((6, 5), "at once")


def test_sampling_and_training_take_the_solutions():
    theta, noise = normal(2, 5).float(), GumbelNoiseDistribution()
    for call in (
        lambda solver: perturb_and_map(solver, theta, noise, nb_samples=3, generator=generator()),
        lambda solver: marginals(solver, theta, noise, nb_samples=50).mean,
        lambda solver: distinct_solutions(solver, theta, noise, nb_samples=50)[0].solutions,
        lambda solver: torch.stack([step.weights for step in train(solver, BEST(theta)[0], steps=2)]),
    ):
        assert torch.equal(call(alone), call(further))


def test_a_batch_without_instances_has_them_where_the_solver_takes_it():
    theta = torch.zeros(0, 5, requires_grad=True)
    z, best = imle(lambda theta: (theta > 0, theta.sum(dim=1)))(theta)
    assert (z.shape, best.shape) == ((0, 5), (0,))
    assert imle(lambda theta: (theta > 0, theta.max()))(theta).shape == (0, 5)  # max() of nothing raises


def test_a_function_of_one_instance_has_a_list_of_them():
    solver = BlackBox(lambda theta: (theta >= theta.max(), int(theta.argmax()), theta))
    theta = normal(2, 5).requires_grad_()
    z, best, rows = imle(solver, noise_distribution=GumbelNoiseDistribution(), nb_samples=2)(theta)
    assert best == z.argmax(dim=1).tolist()
    assert len(rows) == 4
    (z * normal(4, 5)).sum().backward()


class TestFeatures:
    """A solver of ``argmax_y <theta, g(y)>`` gives ``(g(y), y)``."""

    STRUCTURES = torch.tensor([[0, 1], [1, 1], [1, 0], [2, 1]])
    FEATURES = torch.tensor([[0.0, 1.0, 1.0], [1.0, 1.0, 2.0], [1.0, 0.0, 0.5], [2.0, 1.0, 0.0]], dtype=torch.float64)

    def solver(self, theta):
        best = (theta @ self.FEATURES.T).argmax(dim=1)
        return self.FEATURES[best], self.STRUCTURES[best]

    def test_the_gradient_is_a_difference_of_features(self):
        theta, dy = normal(2, 3).requires_grad_(), normal(2, 3, seed=1)
        z, y = imle(self.solver)(theta)
        (gradient,) = torch.autograd.grad(z, theta, dy)
        with torch.no_grad():
            moved, structures = self.solver(theta - dy)
        assert torch.equal(gradient, z - moved)
        assert torch.equal(y, self.solver(theta.detach())[1])
        assert structures.shape == y.shape

    def test_the_gradient_of_the_log_partition_function_is_the_mean_of_features(self):
        theta = normal(1, 3).requires_grad_()
        scores = theta @ self.FEATURES.T
        (gradient,) = torch.autograd.grad(scores.logsumexp(dim=1).sum(), theta)
        torch.testing.assert_close(gradient, scores.softmax(dim=1) @ self.FEATURES)


class TestInferenceMode:
    @pytest.mark.parametrize("pure", [False, True])
    @pytest.mark.parametrize("dtype", [torch.float64, torch.bool])
    def test_a_solver_may_run_under_it(self, pure, dtype):
        def solver(theta):
            with torch.inference_mode():
                z = BEST(theta)
                return z.to(dtype), z

        solver.pure = pure
        theta = normal(2, 5).requires_grad_()
        z, other = imle(solver, noise_distribution=GumbelNoiseDistribution(), nb_samples=2)(theta)
        assert not z.is_inference()
        assert not other.is_inference()
        (z * other).sum().backward()  # which saves both
        assert theta.grad.shape == theta.shape

    @pytest.mark.parametrize("name", WITH_SOLVER)
    def test_a_layer_within_it_works_as_without_gradients(self, name):
        theta = normal(2, 5).requires_grad_()
        with torch.inference_mode():
            z = layer_of(name, alone)(theta)
        with torch.no_grad():
            assert torch.equal(z, layer_of(name, alone)(theta))
        assert not z.requires_grad

    def test_parameters_of_it_are_taken_outside(self):
        with torch.inference_mode():
            theta, wanting = normal(2, 5), normal(2, 5).requires_grad_()
        assert not imle(alone)(theta).requires_grad
        dy = normal(2, 5, seed=1)
        (imle(alone)(wanting) * dy).sum().backward()
        plain = theta.clone().requires_grad_()
        (imle(alone)(plain) * dy).sum().backward()
        assert torch.equal(wanting.grad, plain.grad)


class TestTransforms:
    def test_a_gradient_function_has_them(self):
        def loss(theta):
            z, best, *_, words = imle(further)(theta)
            assert (best.tolist(), words) == (theta.argmax(dim=1).tolist(), "words")
            return (z * dy).sum()

        theta, dy = normal(2, 5), normal(2, 5, seed=1)
        gradient = torch.func.grad(loss)(theta)
        wanting = theta.clone().requires_grad_()
        (imle(alone)(wanting) * dy).sum().backward()
        assert torch.equal(gradient, wanting.grad)

    @pytest.mark.parametrize("randomness", ["same", "different"])
    @pytest.mark.parametrize("is_whole", [False, True])
    def test_vmap_gives_those_of_a_loop(self, is_whole, randomness):
        """Outputs with an entry for each row come of one call, and others of a call for each entry of the axis more."""
        calls = []

        def solver(theta):
            calls.append(len(theta))
            beside = {"size": len(theta)} if is_whole else {"lists": [row.max().item() for row in theta]}
            return Answer(BEST(theta), theta.numpy(), (theta.argmax(dim=1), beside))

        layers = [layer_of("imle", solver) for _ in range(2)]
        theta = normal(3, 2, 5)
        z, best, (where, beside) = mapped = torch.func.vmap(layers[0], randomness=randomness)(theta)
        assert calls == ([12, 4, 4, 4] if is_whole else [12])
        assert type(mapped) is Answer
        start = layers[1].generator.get_state()
        for number, entry in enumerate(theta):
            if randomness == "same":
                layers[1].generator.set_state(start)
            state, row, (index, others) = layers[1](entry)
            (key, value), (same, numbers) = *others.items(), *beside.items()
            assert torch.equal(z[number], state)
            assert torch.equal(best[number], torch.from_numpy(row))
            assert torch.equal(where[number], index)
            assert torch.equal(numbers[number], torch.tensor(value))
            assert key == same

    def test_nested_axes_instances_of_several_sizes_and_gradients(self):
        layer = layer_of("imle", lambda theta: (BEST(theta), theta.argmax(dim=1)), generator=None)
        theta = normal(3, 4, 2, 5)
        _, best = torch.func.vmap(torch.func.vmap(layer.noise_free()))(theta)
        assert torch.equal(best, theta.argmax(dim=3))
        _, best = torch.func.vmap(lambda values: layer.noise_free().ragged(values, [0, 2, 5]))(theta[0, :, 0])
        assert torch.equal(best[:, 0], theta[0, :, 0, :2].argmax(dim=1))

        def loss(theta):
            z, best = layer.noise_free()(theta)
            return (z * best[:, None]).sum()

        slopes = torch.func.vmap(torch.func.grad(loss))(theta[0])
        assert torch.equal(slopes, torch.stack([torch.func.grad(loss)(entry) for entry in theta[0]]))

    def test_vmap_refuses_others_where_they_are_wanted(self):
        message = "^solver: gave str as a further output; vmap maps tensors, which arrays and lists of numbers become; give"
        with pytest.raises(ArgumentError, match=message):
            torch.func.vmap(imle(further))(normal(3, 2, 5))
        losses = torch.func.vmap(lambda theta: imle(further).estimator.estimate(theta, lambda z: z.sum(dim=1)))
        assert losses(normal(3, 2, 5)).shape == (3, 2)  # of states alone

    def test_black_boxes_under_vmap(self):
        solver = BlackBox(lambda theta: (theta == theta.max(), int(theta.argmax())))
        theta = normal(3, 2, 5)
        z, best = torch.func.vmap(imle(solver))(theta)
        assert torch.equal(best, theta.argmax(dim=2))
        assert z.shape == (3, 2, 5)


@pytest.mark.slow
def test_compiled_code_gives_states_alone():
    torch._dynamo.reset()
    layer, theta = imle(further).estimator, normal(2, 5)
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    with pytest.raises(
        ArgumentError, match=r"^solver: gave further outputs; compiled code has to know their shapes before; declare these"
    ):
        compiled(theta)
    estimate = torch.compile(lambda theta: layer.estimate(theta, lambda z: z.sum(dim=1)), backend="eager", fullgraph=True)
    assert estimate(theta).tolist() == [2.0, 2.0]
