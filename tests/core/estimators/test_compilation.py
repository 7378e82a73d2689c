"""Layers inside torch.compile(fullgraph=True): equal to uncompiled ones to the bit, with all their draws."""

import copy
import gc
import io

import pytest
import torch
from torch.utils.checkpoint import checkpoint

import warm
from draws import generator, normal
from imle_core import IMLE, NormalNoiseDistribution, SumOfGammaNoiseDistribution, TargetDistribution, imle
from imle_core.checks import ArgumentError, ArgumentTypeError
from imle_core.estimators import ESTIMATORS, LayerModule, differentiable
from imle_core.solvers import ArgMax, BlackBox, SpanningTree, TopK

# The compiler itself calls what it warns of.
pytestmark = [
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


@pytest.mark.slow
def test_every_estimator_with_values_gradients_and_draws():
    names = [name for name, entry in ESTIMATORS.items() if entry.needs == "loss gradient"]

    def function(layers, theta):
        return [cubed(layer(2 * theta)) for layer in layers]

    plain = check_equal(function, lambda: [make(name) for name in names])
    assert plain[len(names)].abs().sum() > 0


@pytest.mark.slow
def test_expected_losses_of_every_estimator():
    for names, backend in ((list(ESTIMATORS), "eager"), (["imle", "score-function", "fenchel-young"], "aot_eager")):
        of_states = [name for name in names if ESTIMATORS[name].needs != "gold solutions"]
        of_gold, count = [name for name in names if name not in of_states], len(of_states)

        def function(layers, theta, count=count):
            losses = [layer.estimate(2 * theta, lambda z: (z * WEIGHTS).sum(dim=1) ** 2) for layer in layers[:count]]
            return [*losses, *(layer(theta, (WEIGHTS > 0).double()) for layer in layers[count:])]

        check_equal(function, lambda names=(*of_states, *of_gold): [make(name) for name in names], backend)


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_many_layers_share_compiled_code():
    torch._dynamo.reset()
    from torch._dynamo.testing import CompileCounter

    counter, layers = CompileCounter(), [make(generator=generator(seed)) for seed in range(10)]
    run = torch.compile(lambda layer, theta: layer(theta), fullgraph=True, backend=counter)
    for seed, layer in enumerate(layers):
        assert torch.equal(run(layer, normal(4, 7)), make(generator=generator(seed))(normal(4, 7)))
    assert counter.frame_count <= 2


@pytest.mark.slow
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


@pytest.mark.slow
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


def nodes_and_edges(theta):
    return {"nodes": theta[:, :3], "edges": theta[:, 3:].reshape(4, 2, 2)}


@pytest.mark.slow
def test_structures_of_tensors():
    def solver(theta):
        return {name: TopK(1)(rows) for name, rows in theta.items()}

    def twice(theta):
        return TopK(2)(theta[0]), [TopK(1)(theta[1][0])]

    def of_mappings(layers, theta):
        values = []
        for layer in layers:
            z = layer(nodes_and_edges(2 * theta))
            values += [(z["nodes"] * WEIGHTS[:3]) ** 3, (z["edges"] * WEIGHTS[:2]) ** 3]
        return values

    def of_sequences(layers, theta):
        values = []
        for layer in layers:
            first, (second,) = layer((theta, [theta.relu()]))
            values += [cubed(first), cubed(second)]
        return values

    names = [name for name, entry in ESTIMATORS.items() if entry.needs == "loss gradient" and not entry.exact]
    check_equal(of_mappings, lambda: [make(name, solver) for name in names], "eager")
    check_equal(of_mappings, lambda: [make("imle", solver)])
    check_equal(of_sequences, lambda: [make(solver=twice), make(solver=twice, reduction="mean")])


@pytest.mark.slow
def test_instances_of_several_sizes():
    names = [name for name, entry in ESTIMATORS.items() if entry.needs == "loss gradient"]
    solver = TopK(2, at_most=True)

    def function(layers, theta):
        return [
            cubed(layer.ragged(2 * theta.flatten(), offsets).unflatten(-1, (4, 7)))
            for layer in layers
            for offsets in (torch.tensor([0, 3, 3, 8, 28]), [0, 7, 14, 21, 28])
        ]

    check_equal(function, lambda: [make(name, solver) for name in names], "eager")
    plain = check_equal(
        function,
        lambda: [
            make(solver=solver),
            make(solver=solver, reduction="mean"),
            make(solver=TopK(1), noise=None),
        ],
    )
    assert plain[2 * 3].abs().sum() > 0


@pytest.mark.slow
def test_a_module_takes_structures_and_instances_of_several_sizes():
    torch._dynamo.reset()
    values, offsets = normal(7), torch.tensor([0, 3, 7])
    theta = {"a": normal(2, 3), "b": normal(2, 4)}
    solver = lambda rows: {name: TopK(1)(part) for name, part in rows.items()} if isinstance(rows, dict) else TopK(1)(rows)  # noqa: E731
    modules = [IMLE(solver, None, NormalNoiseDistribution(), 3, generator=generator(1)) for _ in range(2)]

    def run(module):
        return module.ragged(values, offsets), module(theta)

    given, (states, structure) = run(modules[0]), torch.compile(run, fullgraph=True, backend="aot_eager")(modules[1])
    assert torch.equal(given[0], states)
    assert all(torch.equal(given[1][name], structure[name]) for name in theta)
    assert modules[1].passes == modules[0].passes


@pytest.mark.slow
def test_losses_of_structures_and_of_several_sizes_break_the_graph():
    gold = (WEIGHTS > 0).double()

    def halves(theta):
        return {"a": theta[:1, :3], "b": theta[:1, 3:]}

    def function(layers, theta):
        one, other, loss = layers
        sums = lambda z: (z["a"] * WEIGHTS[:3]).sum(dim=1) + (z["b"] * WEIGHTS[3:]).sum(dim=1)  # noqa: E731
        of_sizes = lambda z: torch.stack([z[:, :3].sum(dim=1), (z[:, 3:] * WEIGHTS[3:]).sum(dim=1)], dim=1)  # noqa: E731
        return [
            one.estimate(halves(2 * theta), sums),
            one.loss(halves(theta), gold=halves(gold[None])),
            other.estimate_ragged(theta[0], [0, 3, 7], of_sizes),
            loss.ragged(2 * theta[0], torch.tensor([0, 3, 7]), gold),
            loss(halves(theta), halves(gold[None])),
        ]

    def both(theta):
        return {name: TopK(1)(rows) for name, rows in theta.items()} if isinstance(theta, dict) else TopK(1)(theta)

    def layers():
        return [make(solver=both), make(), make("fenchel-young", both)]

    outcomes = []
    for wrap in (lambda function: function, torch.compile(backend="aot_eager")):
        torch._dynamo.reset()
        theta, made = normal(1, 7).requires_grad_(), layers()
        values = wrap(lambda theta, made=made: function(made, theta))(theta)
        sum(value.sum() for value in values).backward()
        outcomes.append([*values, theta.grad])
    assert all(map(torch.equal, *outcomes))


class Promising:
    """Top 2 with the number of the best entry, and the rows less a shift; a base for broken promises."""

    def __call__(self, theta, shift=0.0):
        return TopK(2)(theta), theta.argmax(dim=1), theta - shift

    def outputs_like(self, theta, shift=0.0):  # noqa: ARG002
        return theta.new_empty(len(theta), dtype=torch.int64), theta


class Fewer(Promising):
    def outputs_like(self, theta):
        return (theta,)


@pytest.mark.slow
def test_further_outputs_that_the_solver_promises():
    def function(layers, theta):
        z, best, moved = layers[0](theta, 0.5)
        states = layers[1](theta)[0]
        return [cubed(z), best.double(), moved, cubed(states), layers[0].estimate(theta, lambda z: z.sum(dim=1))]

    check_equal(function, lambda: [make(solver=Promising()), make(solver=Promising(), reduction="mean")])
    torch._dynamo.reset()
    message = (
        r"^solver: gave int64 \(6,\), float64 \(6, 7\) as further outputs; its outputs_like promises float64 \(6, 7\); mend"
    )
    with pytest.raises(ArgumentError, match=message):
        torch.compile(make(solver=Fewer()), backend="eager", fullgraph=True)(normal(2, 7))


class Scale:
    factor = 2.0


@pytest.mark.slow
def test_objects_as_further_arguments_break_the_graph():
    layer = imle(lambda theta, scale: theta * scale.factor > 1, TargetDistribution(1.0, 3.0))

    def function(theta):
        return cubed(layer(theta, Scale))

    torch._dynamo.reset()
    assert torch.equal(torch.compile(function, backend="eager")(normal(4, 7)), function(normal(4, 7)))
    torch._dynamo.reset()
    with pytest.raises(Exception, match="outside_of_compiled_code"):
        torch.compile(function, backend="eager", fullgraph=True)(normal(4, 7))


@pytest.mark.slow
def test_transforms_inside_of_compiled_code_break_the_graph():
    layer, theta = make(), normal(3, 2, 7)
    torch._dynamo.reset()
    compiled = torch.compile(lambda theta: torch.func.vmap(layer, randomness="different")(theta), backend="eager")
    assert torch.equal(compiled(theta), torch.func.vmap(make(), randomness="different")(theta))
    with pytest.raises(Exception, match="outside_of_compiled_code"):
        torch.compile(lambda theta: torch.func.grad(lambda row: layer(row).sum())(theta), fullgraph=True)(theta[0])


@pytest.mark.slow
def test_errors_of_arguments():
    torch._dynamo.reset()
    run = torch.compile(make(), fullgraph=True, backend="eager")
    with pytest.raises(ArgumentError, match="theta: got 1 NaN of 14 entries"):
        run(torch.full((2, 7), torch.nan).masked_fill(torch.arange(14).view(2, 7) > 0, 0.0))
    assert torch.is_grad_enabled()


@pytest.mark.slow
def test_a_layer_that_is_gone():
    torch._dynamo.reset()
    from imle_core.estimators.compiling import operators

    layer = make()
    number, order = layer.number, layer.order
    del layer
    gc.collect()
    with pytest.raises(ArgumentError, match="layer: got none; compiled code calls one that is gone; keep the layer"):
        operators._sample(normal(2, 7), order, number, [], "((), {}, None, None)", "", 3, True, False, False, [])


class Scores(torch.nn.Module):
    def __init__(self, choose):
        super().__init__()
        torch.manual_seed(0)
        self.scores, self.choose = torch.nn.Linear(7, 7), choose

    def forward(self, features, *args):
        return 2 * self.choose(self.scores(features), *args)


def saved(module, *args, size=True, **options):
    """The file of an exported module, whose batch may have any size."""
    shapes = ({0: torch.export.Dim("instances")}, *[None] * (len(args) - 1)) if size else None
    file = io.BytesIO()
    torch.export.save(torch.export.export(module, args, dynamic_shapes=shapes, **options), file)
    file.seek(0)
    return file


class TestExport:
    features = normal(5, 7, dtype=torch.float32)

    @pytest.mark.slow
    @pytest.mark.parametrize("reduction", ["none", "stacked", "mean"])
    @pytest.mark.parametrize("name", ["imle", "identity", "perturbed-baseline"])
    def test_a_program_that_was_saved_gives_the_same(self, name, reduction):
        module = Scores(LayerModule(make(name, reduction=reduction))).eval()
        program = torch.export.load(saved(module, self.features)).module()
        more = normal(3, 7, seed=1, dtype=torch.float32)
        assert torch.equal(program(more), module(more))
        assert module(more).shape == ((3, 1, 7) if reduction == "stacked" else (3, 7))

    @pytest.mark.slow
    def test_costs_and_further_arguments(self):
        for solver, sense, args in ((ArgMax(), "min", ()), (TopK(), "max", (torch.tensor([1, 2, 3, 4, 0]),))):
            module = Scores(IMLE(solver, sense=sense)).eval()
            program = torch.export.load(saved(module, self.features, *args, size=False)).module()
            assert torch.equal(program(self.features, *args), module(self.features, *args))

    @pytest.mark.slow
    @pytest.mark.process
    def test_another_process(self, tmp_path):
        module = Scores(IMLE(SpanningTree([(0, 1), ("a", 1), ("a", 0), (2, 0), (2, 1), (3, 0), (3, "a")]))).eval()
        (tmp_path / "program.pt2").write_bytes(saved(module, self.features).getvalue())
        torch.save(self.features, tmp_path / "features.pt")
        code = (
            "import imle, torch\n"
            "program = torch.export.load('program.pt2').module()\n"
            "print(program(torch.load('features.pt')).int().tolist())"
        )
        done = warm.run("-c", code, cwd=tmp_path, imported="library", seconds=120)
        assert done.stdout.strip() == str(module(self.features).int().tolist()), done.stderr

    @pytest.mark.slow
    def test_what_is_refused(self):
        for module, error, words in (
            (
                IMLE(TopK(2), None, NormalNoiseDistribution()),
                ArgumentError,
                "module: got one that samples; torch.export",
            ),
            (IMLE(torch.sign).eval(), ArgumentTypeError, "only solvers of imle.solvers, BlackBox aside, can be written"),
            (IMLE(BlackBox(torch.sign)).eval(), ArgumentTypeError, "solver: got BlackBox"),
            (IMLE(SpanningTree([(Scale, 1)])).eval(), ArgumentTypeError, "solver: got type in a solver"),
        ):
            with pytest.raises(error, match=words):
                torch.export.export(module, (self.features,), strict=False)
        with pytest.raises(Exception, match="strict"):
            torch.export.export(IMLE(TopK(2)).eval(), (self.features,), strict=True)
        module = Scores(IMLE(TopK(2))).eval()
        module.register_forward_pre_hook(lambda _, args: (*args, Scale))
        with pytest.raises(ArgumentTypeError, match="argument: got type; further arguments of a solver must be tensors"):
            torch.export.export(module, (self.features,), strict=False)

    def test_a_program_checks_its_parameters(self):
        program = torch.export.load(saved(IMLE(TopK(2)).eval(), self.features)).module()
        with pytest.raises(ArgumentError, match="theta: got 35 NaN"):
            program(self.features * torch.nan)
