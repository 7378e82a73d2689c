"""Layers inside torch.compile(fullgraph=True): equal to uncompiled ones to the bit, with all their draws."""

import copy
import gc

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from draws import generator, normal
from imle_core import IMLE, NormalNoiseDistribution, SumOfGammaNoiseDistribution, TargetDistribution, imle
from imle_core.checks import ArgumentError
from imle_core.estimators import ESTIMATORS, differentiable
from imle_core.solvers import TopK

# The compiler itself calls what it warns of.
pytestmark = [
    pytest.mark.slow,
    *map(
        pytest.mark.filterwarnings,
        (
            "ignore:The .grad attribute of a Tensor that is not a leaf",
            "ignore:<class 'torch.autograd.function.Function'> should not be instantiated",
            "ignore:Dynamo detected a call to a `functools.lru_cache`",
            "ignore:`torch.jit",
        ),
    ),
]
WEIGHTS = normal(7, seed=9)
PARTITIONED = "aot_eager_decomp_partition"  # all of the usual backend but its compiler of C++, which takes half a minute


def make(name="imle", solver=None, **settings):
    settings = {"nb_samples": 3, "generator": generator(1), "noise": NormalNoiseDistribution(), **settings}
    return differentiable(name, solver or TopK(2), TargetDistribution(1.0, 3.0), settings.pop("noise"), **settings)


def results(function, layers, theta=None, **options):
    """Values, the gradient, and states of generators, of a function of layers and theta that is compiled or not."""
    theta = (normal(4, 7) if theta is None else theta).clone().requires_grad_()
    if options:
        torch._dynamo.reset()
        run = torch.compile(lambda theta: function(layers, theta), fullgraph=True, **options)
    else:
        run = lambda theta: function(layers, theta)  # noqa: E731
    values = run(theta)
    sum(value.sum() for value in values).backward()
    return [*(value.detach() for value in values), theta.grad, *(layer.generator.get_state() for layer in layers)]


def check_equal(function, make_layers, backend="aot_eager", **options):
    plain = results(function, make_layers())
    compiled = results(function, make_layers(), backend=backend, **options)
    assert all(torch.equal(*pair) for pair in zip(plain, compiled, strict=True))
    return plain


def cubed(z):
    return (z * WEIGHTS) ** 3


def test_every_estimator_with_values_gradients_and_draws():
    names = [name for name, entry in ESTIMATORS.items() if entry.needs == "loss gradient"]

    def function(layers, theta):
        return [cubed(layer(2 * theta)) for layer in layers]

    plain = check_equal(function, lambda: [make(name) for name in names])
    assert plain[len(names)].abs().sum() > 0


def test_expected_losses_of_every_estimator():
    def function(layers, theta):
        *others, fenchel_young = layers
        losses = [layer.estimate(2 * theta, lambda z: (z * WEIGHTS).sum(dim=1) ** 2) for layer in others]
        return [*losses, fenchel_young(theta, (WEIGHTS > 0).double())]

    names = [name for name in ESTIMATORS if name != "fenchel-young"]
    check_equal(function, lambda: [make(name) for name in (*names, "fenchel-young")])


def test_nothing_is_merged_left_out_or_put_in_another_order():
    """Equal calls, a call that nobody uses, layers that share a generator, and a draw of it beside them."""

    def function(layers, theta):
        one, other = layers[0], layers[1]
        one(theta)
        return [cubed(one(theta)), cubed(other(theta)), cubed(one(theta)), cubed(other(theta))]

    def layers():
        shared = generator(1)
        return [make(generator=shared), make(generator=shared, reduction="mean")]

    for backend in ("aot_eager", PARTITIONED):
        first, _, third, *_ = check_equal(function, layers, backend)
        assert not torch.equal(first, third)


def test_reductions_noise_senses_and_solvers_that_differentiate():
    def relaxed(theta):
        with torch.enable_grad():
            rows = theta.clone().requires_grad_()
            return torch.autograd.grad(rows.relu().sum(), rows)[0]

    def function(layers, theta):
        return [cubed(layer(theta)) for layer in layers]

    check_equal(
        function,
        lambda: [
            make(reduction="stacked", noise=SumOfGammaNoiseDistribution(2.0)),
            make(reduction="mean", noise=None),
            make(sense="min", input_noise_temperature=0.0, target_noise_temperature=0.0),
            make(solver=relaxed),
        ],
    )


def test_further_arguments():
    seen = []

    def solver(theta, weights, shift, names, *, options=None):
        seen.append((shift, names, options))
        return theta * weights + options["limits"][1] > shift

    def function(layers, theta):
        options = {"limits": (float("-inf"), theta.detach()[0]), "on": True}
        return [cubed(layers[0](theta, WEIGHTS.abs(), 0.25, ["a", None, 3], options=options))]

    check_equal(function, lambda: [make(solver=solver)])
    forward = seen[-2]
    assert forward[:2] == (0.25, ["a", None, 3])
    assert forward[2]["limits"][0] == float("-inf")
    assert forward[2]["on"] is True


def test_a_module_in_both_modes_a_copy_of_it_and_no_gradients():
    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scores = torch.nn.Linear(7, 7).double()
            self.choose = IMLE(TopK(2), TargetDistribution(1.0, 3.0), NormalNoiseDistribution(), 3, generator=generator(1))

        def forward(self, features):
            return self.choose(self.scores(features))

    torch._dynamo.reset()
    torch.manual_seed(0)
    plain = Model()
    compiled = torch.compile(copy.deepcopy(plain), fullgraph=True, backend="aot_eager")
    for _ in range(2):
        assert torch.equal(compiled(normal(4, 7)), plain(normal(4, 7)))
        compiled.eval(), plain.eval()
        assert compiled(normal(4, 7)).shape == (4, 7)
        with torch.no_grad():
            assert torch.equal(compiled(normal(4, 7)), plain(normal(4, 7)))
        compiled.train(), plain.train()


def test_shapes_that_change_are_compiled_once():
    torch._dynamo.reset()
    from torch._dynamo.testing import CompileCounterWithBackend

    counter, plain, layer = CompileCounterWithBackend("aot_eager"), make(), make()
    run = torch.compile(lambda theta: cubed(layer(theta)), fullgraph=True, dynamic=True, backend=counter)
    for size in (3, 5, 4):
        thetas = [normal(size, 7, seed=size).requires_grad_() for _ in range(2)]
        for function, theta in zip((run, lambda theta: cubed(plain(theta))), thetas, strict=True):
            function(theta).sum().backward()
        assert torch.equal(thetas[0].grad, thetas[1].grad)
    assert counter.frame_count == 1


def test_many_layers_share_compiled_code():
    torch._dynamo.reset()
    from torch._dynamo.testing import CompileCounter

    counter, layers = CompileCounter(), [make(generator=generator(seed)) for seed in range(10)]
    run = torch.compile(lambda layer, theta: layer(theta), fullgraph=True, backend=counter)
    for seed, layer in enumerate(layers):
        assert torch.equal(run(layer, normal(4, 7)), make(generator=generator(seed))(normal(4, 7)))
    assert counter.frame_count <= 2


def test_autocast_inside_and_outside_of_the_function():
    seen = []

    def solver(theta):
        product = torch.ones(2, 7) @ torch.ones(7, 7)  # in the type of autocast
        seen.append((theta.dtype, product.dtype))
        return TopK(2)(theta)

    def function(layers, theta):
        with torch.autocast("cpu", torch.bfloat16):
            cast = layers[0](theta.float() @ torch.eye(7))
            with torch.autocast("cpu", enabled=False):
                return [cubed(cast), cubed(layers[0](theta))]

    check_equal(function, lambda: [make(solver=solver)])
    assert seen[:2] == [(torch.bfloat16, torch.bfloat16), (torch.float64, torch.float32)]
    assert sorted(seen[2:4], key=str) == sorted(seen[:2], key=str)
    assert sorted(seen[4:], key=str) == sorted(seen[:4], key=str)


def test_a_compiled_function_that_is_checkpointed_draws_the_same_noise():
    torch._dynamo.reset()
    for reentrant in (False, True):
        gradients = []
        for wrap in (lambda function: function, torch.compile(backend="aot_eager", fullgraph=True)):
            layer, theta = make(), normal(4, 7).requires_grad_()
            run = wrap(lambda theta, layer=layer: cubed(layer(theta.sin())))
            checkpoint(run, theta, use_reentrant=reentrant).sum().backward()
            gradients.append(theta.grad)
        assert torch.equal(*gradients)


class Scale:
    factor = 2.0


def test_objects_as_further_arguments_break_the_graph():
    layer = imle(lambda theta, scale: theta * scale.factor > 1, TargetDistribution(1.0, 3.0))

    def function(theta):
        return cubed(layer(theta, Scale))

    torch._dynamo.reset()
    assert torch.equal(torch.compile(function, backend="eager")(normal(4, 7)), function(normal(4, 7)))
    torch._dynamo.reset()
    with pytest.raises(Exception, match="_with_arguments_that_no_operator_takes"):
        torch.compile(function, backend="eager", fullgraph=True)(normal(4, 7))


def test_errors_of_arguments():
    torch._dynamo.reset()
    run = torch.compile(make(), fullgraph=True, backend="eager")
    with pytest.raises(ArgumentError, match="theta: got 1 NaN of 14 entries"):
        run(torch.full((2, 7), torch.nan).masked_fill(torch.arange(14).view(2, 7) > 0, 0.0))
    assert torch.is_grad_enabled()


def test_a_layer_that_is_gone():
    torch._dynamo.reset()
    from imle_core.estimators import operators

    layer = make()
    number, order = layer.number, layer.order
    del layer
    gc.collect()
    with pytest.raises(ArgumentError, match="layer: got none; compiled code calls one that is gone; keep the layer"):
        operators._sample(normal(2, 7), order, number, [], "((), {})", "", 3, True, False, False)
