"""Layers under torch.func: equal to a loop to the bit, one call of the solver for all, and refusals in words."""

import re

import pytest
import torch
from torch.autograd import forward_ad
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vjp, vmap

from draws import generator, normal
from imle_core import (
    IMLE,
    AdaptiveTargetDistribution,
    KnownTargetDistribution,
    NormalNoiseDistribution,
    TargetDistribution,
    imle,
)
from imle_core.checks import ArgumentError
from imle_core.estimators import ESTIMATORS, differentiable
from imle_core.solvers import BlackBox, TopK

pytestmark = pytest.mark.slow  # the first of them has torch import much
WEIGHTS = normal(7, seed=9)
LAYERS = [name for name, entry in ESTIMATORS.items() if entry.needs == "loss gradient"]


class Counting(TopK):
    """Top-k that notes the number of rows of each call."""

    pure, sense = True, "max"

    def __init__(self, k=None):
        super().__init__(k)
        self.calls = []

    def __call__(self, theta, k=None):
        self.calls.append(len(theta))
        return super().__call__(theta, k)


def make(name="imle", solver=None, **settings):
    settings = {"nb_samples": 3, "generator": generator(1), **settings}
    noise = settings.pop("noise", NormalNoiseDistribution())
    # Moved once for a whole axis, where a loop moves it each time, an adaptive target would not be that of a loop.
    target = AdaptiveTargetDistribution(beta=2.0, step=0.0) if "adaptive" in name else TargetDistribution(1.0, 3.0)
    return differentiable(name, solver or TopK(2), target, noise, **settings)


def loss_of(layer):
    return lambda theta, *args: (layer(theta, *args) * WEIGHTS).pow(3).sum()


def looped(function, *tensors):
    return torch.stack([function(*entries) for entries in zip(*tensors, strict=True)])


class TestEveryEstimator:
    @pytest.mark.parametrize("reduction", ["none", "stacked", "mean"])
    @pytest.mark.parametrize("name", LAYERS)
    def test_gradients_of_instances_are_those_of_a_loop(self, name, reduction):
        theta = normal(4, 2, 7)
        mapped = vmap(grad(loss_of(make(name, reduction=reduction))), randomness="different")(theta)
        assert mapped.abs().sum() > 0
        assert torch.equal(mapped, looped(grad(loss_of(make(name, reduction=reduction))), theta))

    @pytest.mark.parametrize("name", ESTIMATORS)
    def test_expected_losses_are_those_of_a_loop(self, name):
        def loss(layer):
            if ESTIMATORS[name].needs == "gold solutions":
                return lambda theta: layer(theta, torch.ones(7).double()).sum()
            return lambda theta: layer.estimate(theta, lambda z: (z * WEIGHTS).sum(dim=1) ** 2).sum()

        theta = normal(3, 2, 7)
        for transform in (grad, lambda function: function):
            mapped = vmap(transform(loss(make(name))), randomness="different")(theta)
            assert torch.equal(mapped, looped(transform(loss(make(name))), theta))

    @pytest.mark.parametrize("name", LAYERS)
    def test_the_jacobian_is_that_of_single_backward_passes(self, name):
        theta, layer = normal(2, 7).requires_grad_(), make(name, reduction="mean")
        z = layer(theta)
        rows = [torch.autograd.grad(z, theta, dy, retain_graph=True)[0] for dy in torch.eye(14).double().view(14, 2, 7)]
        jacobian = jacrev(make(name, reduction="mean"))(theta.detach())
        assert torch.equal(jacobian, torch.stack(rows).view(2, 7, 2, 7))


class TestNoise:
    theta = normal(4, 2, 7)

    def test_a_loop_draws_as_much_from_a_generator(self):
        one, other = make(), make()
        vmap(one, randomness="different")(self.theta)
        looped(other, self.theta)
        assert torch.equal(one.generator.get_state(), other.generator.get_state())

    def test_torchs_own_generator(self):
        results = []
        for run in (lambda layer: vmap(layer, randomness="different")(self.theta), lambda layer: looped(layer, self.theta)):
            torch.manual_seed(3)
            results.append(run(make(generator=None)))
        assert torch.equal(*results)

    @pytest.mark.parametrize("name", ["imle", "simple"])
    def test_same_draws_once_for_all(self, name):
        layer = make(name)
        mapped = vmap(layer, randomness="same")(self.theta)
        assert torch.equal(mapped, torch.stack([make(name)(theta) for theta in self.theta]))
        once = make(name)
        once(self.theta[0])
        assert torch.equal(layer.generator.get_state(), once.generator.get_state())

    @pytest.mark.parametrize("name", ["imle", "simple", "score-function"])
    def test_error_refuses_what_draws_and_nothing_else(self, name):
        def run(layer):
            return vmap(lambda theta: layer.estimate(theta, lambda z: z.sum(dim=1)))(self.theta)

        with pytest.raises(RuntimeError, match="called random operation while in randomness error mode"):
            run(make(name))
        assert run(make(name).noise_free()).shape == (4, 2)

    def test_parameters_that_are_not_mapped_get_noise_that_is(self):
        layer, again = make(), make()
        mapped = vmap(lambda weight: layer(self.theta[0]) * weight, randomness="different")(torch.ones(3))
        assert torch.equal(mapped, torch.stack([again(self.theta[0]) for _ in range(3)]).to(mapped))

    @pytest.mark.parametrize("name", ["imle", "simple"])
    @pytest.mark.parametrize("inner", ["same", "different"])
    @pytest.mark.parametrize("outer", ["same", "different"])
    def test_nested_axes(self, name, outer, inner):
        theta = normal(3, 2, 2, 7)
        layer, again = make(name), make(name)
        mapped = vmap(vmap(layer, randomness=inner), randomness=outer)(theta)
        start, rows = again.generator.get_state(), []
        for block in theta:
            if outer == "same":
                again.generator.set_state(start)
            rows.append(vmap(again, randomness=inner)(block))
        assert torch.equal(mapped, torch.stack(rows))


class TestFolding:
    def test_one_call_of_the_solver_for_all_in_each_pass(self):
        solver = Counting(2)
        layer = make(solver=solver)
        vmap(grad(loss_of(layer)), randomness="different")(normal(4, 2, 7))
        assert solver.calls == [24, 24]

    def test_one_call_of_the_solver_for_a_jacobian(self):
        solver = Counting(2)
        jacrev(make(solver=solver, reduction="mean"))(normal(2, 7))
        assert solver.calls == [6, 6 * 14]

    @pytest.mark.parametrize("axis", [0, 1, 2, -1])
    def test_any_axis(self, axis):
        theta = normal(4, 2, 7)
        mapped = vmap(make(noise=None), in_dims=axis, out_dims=axis)(theta.movedim(0, axis))
        assert torch.equal(mapped.movedim(axis, 0), looped(make(noise=None), theta))

    def test_a_gradient_of_what_vmap_gives(self):
        theta = normal(4, 2, 7)
        outside = theta.clone().requires_grad_()
        (vmap(make(), randomness="different")(outside) * WEIGHTS).pow(3).sum().backward()
        assert torch.equal(outside.grad, vmap(grad(loss_of(make())), randomness="different")(theta))
        inside = grad(lambda theta: (vmap(make(), randomness="different")(theta) * WEIGHTS).pow(3).sum())(theta)
        assert torch.equal(outside.grad, inside)

    def test_vjp_after_the_pass(self):
        theta, layer = normal(2, 7), make()
        z, pull = vjp(layer, theta)
        dys = normal(5, *z.shape, seed=2)
        assert torch.equal(vmap(pull)(dys)[0], torch.stack([pull(dy)[0] for dy in dys]))

    def test_models_of_an_ensemble(self):
        network = torch.nn.Sequential(torch.nn.Linear(3, 7).double(), IMLE(TopK(2), TargetDistribution(1.0, 3.0)))
        weights = dict(network.named_parameters())
        features = normal(5, 1, 3, seed=4)

        def loss(weights, features):
            return (functional_call(network, weights, (features,)) * WEIGHTS).sum()

        mapped = vmap(grad(loss), in_dims=(None, 0))(weights, features)
        for name, entry in mapped.items():
            assert torch.equal(entry, looped(lambda row, name=name: grad(loss)(weights, row)[name], features))
            assert entry.abs().sum() > 0

    def test_a_known_target_has_its_instances_in_each_call(self):
        target = KnownTargetDistribution(normal(2, 7, seed=5))
        layer = imle(TopK(2), target)
        theta = normal(4, 2, 7)
        assert torch.equal(vmap(grad(loss_of(layer)))(theta), looped(grad(loss_of(layer)), theta))


class TestFurtherArguments:
    theta, k = normal(4, 2, 7), torch.tensor([[1, 2], [2, 3], [3, 1], [4, 4]])

    @pytest.mark.parametrize("mapped", [0, None])
    def test_arguments_of_instances_go_with_them(self, mapped):
        solver = Counting()
        layer, again = make(solver=solver), make(solver=TopK())
        k = self.k if mapped == 0 else self.k[0]
        result = vmap(layer, in_dims=(0, mapped), randomness="different")(self.theta, k)
        assert torch.equal(result, looped(again, self.theta, k.expand(4, 2)))
        assert solver.calls == [6, 6, 6, 6]  # a class that writes __call__ anew declares nothing
        Counting.by_instance = True
        try:
            solver.calls.clear()
            vmap(make(solver=solver), in_dims=(0, mapped), randomness="different")(self.theta, k)
            assert solver.calls == [24]
        finally:
            del Counting.by_instance

    def test_gradients_with_arguments(self):
        def gradients(layer):
            return vmap(grad(loss_of(layer)), randomness="different")(self.theta, self.k)

        assert torch.equal(gradients(make(solver=TopK())), looped(grad(loss_of(make(solver=TopK()))), self.theta, self.k))

    def test_a_black_box_gets_its_instances(self):
        box = BlackBox(lambda theta, scale: (theta * scale.item() > 0.5).double())
        scale = normal(4, 2, seed=3)
        mapped = vmap(imle(box))(self.theta, scale)
        assert torch.equal(mapped, looped(imle(box), self.theta, scale))

    def test_a_solver_that_declares_nothing_has_a_call_for_each_entry(self):
        calls = []

        def solver(theta, matrix, *, limit):
            calls.append(matrix.shape)
            return (theta @ matrix > limit).double()

        matrices, layer = normal(4, 7, 7, seed=2), imle(solver, TargetDistribution(1.0, 3.0))

        def loss(theta, matrix):
            return (layer(theta, matrix, limit=0.5) * WEIGHTS).pow(3).sum()

        mapped = vmap(grad(loss))(self.theta, matrices)
        assert set(calls) == {(7, 7)}
        assert len(calls) == 8
        assert torch.equal(mapped, looped(grad(loss), self.theta, matrices))
        shared = vmap(grad(loss), in_dims=(0, None))(self.theta, matrices[0])
        assert torch.equal(shared, looped(lambda theta: grad(loss)(theta, matrices[0]), self.theta))


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch itself calls it
class TestRefusals:
    def test_parameters_of_one_instance_without_a_batch(self):
        with pytest.raises(ArgumentError, match="with a batch axis in front"):
            vmap(make(noise=None))(normal(4, 7))

    def test_an_axis_without_entries(self):
        with pytest.raises(ArgumentError, match="vmap: got an axis without entries; a layer needs one or more"):
            vmap(make(noise=None))(normal(0, 2, 7))

    def test_nan(self):
        theta = normal(4, 2, 7)
        theta[1, 0, 3] = torch.nan
        with pytest.raises(ArgumentError, match="theta: got 1 NaN of 56 entries"):
            vmap(make(noise=None))(theta)

    @pytest.mark.parametrize(
        "transformed",
        [
            lambda layer, theta: jacfwd(layer)(theta),
            lambda layer, theta: jvp(layer, (theta,), (theta,)),
            lambda layer, theta: hessian(lambda theta: layer(theta).pow(2).sum())(theta),
            lambda layer, theta: jacfwd(lambda theta: layer.estimate(theta, lambda z: z.sum(dim=1)))(theta),
        ],
    )
    def test_tangents(self, transformed):
        message = (
            "theta: it has a tangent, and a solution, which jumps, has none; estimates of gradients are made in backward "
            "passes alone; use torch.func.grad, vjp or jacrev in place of jvp, jacfwd and hessian"
        )
        with pytest.raises(RuntimeError, match=re.escape(message)):
            transformed(make(), normal(2, 7))

    @pytest.mark.parametrize("wants_gradient", [False, True])
    def test_tangents_without_transforms(self, wants_gradient):
        with forward_ad.dual_level():
            dual = forward_ad.make_dual(normal(2, 7).requires_grad_(wants_gradient), normal(2, 7))
            with pytest.raises(RuntimeError, match="it has a tangent"):
                make()(dual)

    def test_a_tangent_of_something_else(self):
        theta = normal(2, 7)
        value, tangent = jvp(lambda scale: make()(theta).sum() * scale, (torch.ones(()),), (torch.ones(()),))
        assert value == tangent == 12

    @pytest.mark.parametrize("power", [1, 2])
    def test_second_derivatives(self, power):
        def first(theta):
            return grad(lambda theta: (make()(theta) ** power).sum())(theta).sum()

        with pytest.raises(RuntimeError, match="asked for its own derivative"):
            grad(first)(normal(2, 7))
