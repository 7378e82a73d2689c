"""Several parameters: structures of tensors through every estimator, packed and taken apart again."""

import re
from collections import OrderedDict, defaultdict, namedtuple

import pytest
import torch

from draws import generator, normal
from imle_core import (
    IMLE,
    AdaptiveTargetDistribution,
    AntitheticNoiseDistribution,
    ArgumentError,
    GumbelNoiseDistribution,
    KnownTargetDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
    TargetDistribution,
    imle,
)
from imle_core.estimators import ESTIMATORS, differentiable
from imle_core.exact import KSubset
from imle_core.solvers import TopK

Graph = namedtuple("Graph", "nodes edges")
WITH_SOLVER = [name for name, entry in ESTIMATORS.items() if not entry.exact and entry.needs == "loss gradient"]


def structure(kind, nodes, edges):
    return {
        dict: lambda: {"nodes": nodes, "edges": edges},
        tuple: lambda: (nodes, edges),
        Graph: lambda: Graph(nodes, edges),
    }[kind]()


def values(given):
    return list(given.values()) if isinstance(given, dict) else list(given)


def best(theta):
    """Two nodes and three of the edges, in the structure of theta."""
    nodes, edges = values(theta)
    z = TopK(2)(nodes), TopK(3)(edges.flatten(1)).view_as(edges)
    return structure(type(theta), *z)


def best_packed(theta):
    """The same for nodes and edges side by side."""
    return torch.cat([TopK(2)(theta[:, :4]), TopK(3)(theta[:, 4:])], dim=1)


class Packed:
    """Noise for nodes and edges side by side: of the nodes first, as it is drawn for a structure."""

    def __init__(self, noise):
        self.noise = noise
        self.mean, self.variance, self.score, self.law = 0.0, 1.0, noise.score, noise

    def sample(self, shape, *, dtype, device, generator):
        draws = (self.noise.sample((*shape[:2], size), dtype=dtype, device=device, generator=generator) for size in (4, 6))
        return torch.cat(list(draws), dim=2)


def parameters():
    return normal(3, 4).requires_grad_(), normal(3, 2, 3, seed=1).requires_grad_()


def settings(name, noise):
    given = {"noise_distribution": noise, "nb_samples": 3, "generator": generator(), "input_noise_temperature": 0.5}
    target = AdaptiveTargetDistribution if ESTIMATORS[name].adaptive else TargetDistribution
    return {**given, "target_distribution": target(beta=2.0)} | (
        {"family": KSubset(5, (10,))} if ESTIMATORS[name].exact else {}
    )


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "sense"), [(dict, "max"), (tuple, "min"), (Graph, "min")])
@pytest.mark.parametrize("reduction", ["none", "stacked", "mean"])
@pytest.mark.parametrize("name", [name for name in WITH_SOLVER if name != "perturbed-multiplicative"])
def test_states_and_gradients_are_those_of_the_packed_layer(name, reduction, sense, kind):
    noise = NormalNoiseDistribution()
    nodes, edges = parameters()
    layer = differentiable(name, best, reduction=reduction, sense=sense, **settings(name, noise))
    z = layer(structure(kind, nodes, edges))
    assert type(z) is kind
    lead = {"none": (9,), "stacked": (3, 3), "mean": (3,)}[reduction]
    assert [value.shape for value in values(z)] == [(*lead, 4), (*lead, 2, 3)]
    dy = normal(*lead, 10, seed=2)
    upstream = dy[..., :4], dy[..., 4:].view(*lead, 2, 3)
    sum((value * part).sum() for value, part in zip(values(z), upstream, strict=True)).backward()

    packed = torch.cat([nodes, edges.flatten(1)], dim=1).detach().requires_grad_()
    layer = differentiable(name, best_packed, reduction=reduction, sense=sense, **settings(name, Packed(noise)))
    expected = layer(packed)
    expected.backward(dy)
    assert torch.equal(torch.cat([values(z)[0], values(z)[1].flatten(-2)], dim=-1), expected)
    assert torch.equal(torch.cat([nodes.grad, edges.grad.flatten(1)], dim=1), packed.grad)


def test_multiplicative_noise():
    nodes, edges = parameters()
    layer = differentiable(
        "perturbed-multiplicative", best, **settings("perturbed", AntitheticNoiseDistribution(NormalNoiseDistribution()))
    )
    z = layer((nodes, edges))
    (z[0].sum() + (z[1] * normal(9, 2, 3)).sum()).backward()
    assert nodes.grad.isfinite().all()
    assert edges.grad.abs().sum() > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ESTIMATORS if ESTIMATORS[name].needs != "gold solutions"])
@pytest.mark.parametrize("reduction", ["stacked", "mean"])
def test_losses_get_the_structure(name, reduction):
    def loss(z):
        assert (z["nodes"].shape[1:], z["edges"].shape[1:]) == ((4,), (2, 3))
        return z["nodes"][:, 0] - (z["edges"].flatten(1) * torch.arange(6)).sum(dim=1)

    nodes, edges = parameters()
    layer = differentiable(name, best, reduction=reduction, **settings(name, NormalNoiseDistribution()))
    losses, states = layer.estimate({"nodes": nodes, "edges": edges}, loss, return_states=True)
    assert losses.shape == (3,)
    losses.sum().backward()
    assert edges.grad.abs().sum() > 0
    assert set(states) == {"nodes", "edges"}
    assert torch.equal(states["edges"], states["edges"].round()) or reduction == "mean"


@pytest.mark.parametrize("name", ["fenchel-young", "structured-svm"])
def test_losses_of_gold_solutions_compare_structures(name):
    nodes, edges = parameters()
    layer = differentiable(name, best, **settings(name, NormalNoiseDistribution()))
    gold = {"nodes": torch.tensor([1, 1, 0, 0]), "edges": best((nodes.detach(), edges.detach()))[1]}
    losses = layer({"nodes": nodes, "edges": edges}, gold)
    packed = differentiable(name, best_packed, **settings(name, Packed(NormalNoiseDistribution())))
    both = (
        torch.cat([nodes, edges.flatten(1)], dim=1),
        torch.cat([gold["nodes"].expand(3, 4), gold["edges"].flatten(1)], dim=1),
    )
    assert torch.equal(losses, packed(*both))
    losses.sum().backward()
    total = nodes.grad.sum(dim=1), edges.grad.flatten(1).sum(dim=1)
    for part in total:  # as many ones in samples as in gold solutions
        torch.testing.assert_close(part, torch.zeros(3, dtype=torch.float64), atol=1e-12, rtol=0)
    for wrong, message in (
        (
            (gold["nodes"], gold["edges"]),
            "gold: got a tuple of 2; it must have the structure of theta, a dict with 'nodes', 'edges'",
        ),
        (
            {**gold, "nodes": torch.ones(5)},
            "gold['nodes']: got shape (5,) for parameters of shape (4,) an instance; it must be",
        ),
        ({**gold, "nodes": [1, 0]}, "gold: got a dict with 'nodes', 'edges'; it must have the structure of theta"),
        ({**gold, "nodes": 1.0}, "gold['nodes']: got float; it must be a dense tensor of real numbers"),
    ):
        with pytest.raises(ArgumentError, match=re.escape(message)):
            layer({"nodes": nodes, "edges": edges}, wrong)


@pytest.mark.parametrize(("name", "who"), [("simple", "SIMPLE"), ("score-function-exact", "the exact score function")])
def test_exact_estimators_need_a_family_of_all_tensors(name, who):
    layer = differentiable(name, TopK(2))
    call = layer if name == "simple" else (lambda theta: layer.estimate(theta, lambda z: z[0].sum(dim=1)))
    message = (
        rf"^function: got TopK\(k=2\) of several tensors; {who} needs exact marginals, .*; give its exact distribution as"
    )
    with pytest.raises(ArgumentError, match=message):
        call(parameters())


def test_a_step_that_adapts_has_the_norm_of_all_tensors():
    nodes, edges = parameters()
    target = AdaptiveTargetDistribution(beta=1.0)
    z = imle(best, target)((nodes, edges))
    (z[0].sum() + (z[1] * normal(3, 2, 3)).sum()).backward()
    packed = torch.cat([nodes, edges.flatten(1)], dim=1).detach().requires_grad_()
    alone = AdaptiveTargetDistribution(beta=1.0)
    dy = torch.cat([torch.ones(3, 4), normal(3, 6)], dim=1)
    imle(best_packed, alone)(packed).backward(dy)
    assert torch.equal(torch.cat([nodes.grad, edges.grad.flatten(1)], dim=1), packed.grad)
    assert target.rate == alone.rate != 1.0


class TestKnownTargets:
    @pytest.mark.parametrize("batch", [True, False])
    def test_they_have_the_structure_of_theta(self, batch):
        nodes, edges = parameters()
        true = {"nodes": -nodes.detach(), "edges": normal(2, 3, seed=5)} if batch else {"nodes": nodes[0], "edges": edges[0]}
        theta = {"nodes": nodes, "edges": edges}
        z = imle(best, KnownTargetDistribution(true), NormalNoiseDistribution(), 2, 0.0, 0.0)(theta)
        (z["nodes"].sum() + z["edges"].sum()).backward()
        moved = best({name: value.detach().expand_as(theta[name]) for name, value in true.items()})
        solved = best({name: value.detach() for name, value in theta.items()})
        for name, value in theta.items():
            assert torch.equal(value.grad, solved[name] - moved[name])

    def test_others_are_refused(self):
        nodes, edges = parameters()
        cases = [
            (
                torch.ones(10),
                (nodes, edges),
                "theta: the known target has Tensor; it must have the structure of theta, a tuple of 2",
            ),
            (
                (nodes, edges),
                nodes,
                "theta: the known target has a tuple; it must be a tensor, as the layer's parameters are",
            ),
            (
                ((nodes[:2], edges)),
                (nodes, edges),
                "theta[1]: the known target has shape (3, 2, 3) for parameters of shape (2, 3)",
            ),
            (
                (nodes[:2], edges[:2]),
                (nodes, edges),
                "theta: the known target has shape (2, 10) for instances of shape (3, 10)",
            ),
        ]
        for true, theta, message in cases:
            solver = best if isinstance(theta, tuple) else TopK(2)
            z = imle(solver, KnownTargetDistribution(true))(theta)
            with pytest.raises(ArgumentError, match=re.escape(message)):
                sum(value.sum() for value in (z if isinstance(z, tuple) else (z,))).backward()
        with pytest.raises(ArgumentError, match=re.escape("theta[1]: got 1 NaN; true parameters must be numbers")):
            KnownTargetDistribution((torch.ones(1), torch.tensor([torch.nan])))


class TestStructures:
    def test_the_solver_gets_that_of_theta_with_samples_as_rows(self):
        given = []

        def solver(theta, scale):
            given.append((theta, scale))
            return theta

        theta = OrderedDict(nodes=normal(2, 4), edges=[normal(2, 3), (normal(2, 2, 2),)])
        z = imle(solver, nb_samples=3, noise_distribution=GumbelNoiseDistribution())(theta, 2.0)
        (((rows, scale),)) = given
        for result in (rows, z):
            assert (type(result), type(result["edges"]), type(result["edges"][1])) == (OrderedDict, list, tuple)
            assert result["edges"][1][0].shape == (6, 2, 2)
        assert scale == 2.0

    def test_lists_stand_for_tuples_and_order_of_keys_is_free(self):
        nodes, edges = parameters()
        assert type(imle(lambda theta: list(best(theta)))((nodes, edges))) is tuple
        z = imle(lambda theta: dict(reversed(best(theta).items())))({"nodes": nodes, "edges": edges})
        assert [z["nodes"].shape, z["edges"].shape] == [(3, 4), (3, 2, 3)]
        filled = defaultdict(list, nodes=nodes)
        assert imle(lambda theta: theta)(filled).default_factory is list

    def test_a_structure_of_one_tensor_is_like_that_tensor(self):
        theta, dy = normal(2, 5).requires_grad_(), normal(6, 5, seed=1)
        found = []
        for given, solver in ((theta, TopK(2)), ({"x": theta}, lambda rows: {"x": TopK(2)(rows["x"])})):
            layer = imle(solver, None, SumOfGammaNoiseDistribution(k=2.0), 3, generator=generator())
            z = layer(given)
            z = z["x"] if isinstance(z, dict) else z
            found.append((z, *torch.autograd.grad(z, theta, dy)))
        assert all(map(torch.equal, *found))

    def test_further_outputs_come_after_it(self):
        nodes, edges = parameters()
        for kind in (dict, tuple, Graph):
            z, words = imle(lambda theta: (best(theta), "words"))(structure(kind, nodes, edges))
            assert (type(z), words) == (kind, "words")
            values(z)[0].sum().backward()
        named = namedtuple("Answer", "z mask")
        answer = imle(lambda theta: named(best(theta), theta[0] > 0))((nodes, edges))
        assert type(answer) is named
        assert answer.z[1].shape == (3, 2, 3)
        ((z,), *others) = imle(lambda theta: ((theta[0] > 0,), theta[0], 1))((nodes,))
        assert (z.shape, len(others)) == ((3, 4), 2)

    def test_what_a_solver_and_a_user_write_into_is_theirs(self):
        nodes, edges = parameters()
        buffer = torch.zeros(3, 4)

        def solver(theta):
            z = TopK(2)(theta[0]), TopK(3)(theta[1].flatten(1)).view(-1, 2, 3)
            for rows in theta:
                rows.zero_()
            return buffer.copy_(z[0]), z[1]

        expected = best((nodes.detach(), edges.detach()))
        z = imle(solver)((nodes, edges))
        buffer.zero_()
        assert torch.equal(z[0], expected[0])
        z[0].mul_(2.0)
        assert torch.equal(z[1], expected[1])
        (z[0] * normal(3, 4)).sum().backward()
        assert nodes.grad.shape == (3, 4)
        with torch.no_grad():
            z = imle(best)((nodes, edges))
        z[1].zero_()
        assert torch.equal(z[0], expected[0])
        assert all(value.is_contiguous() for value in z)

    def test_only_some_of_them_may_want_gradients_and_walls_stay(self):
        nodes, edges = parameters()
        nodes.data[:, 0] = -torch.inf
        z = imle(best)({"nodes": nodes, "edges": edges.detach()})
        assert not z["nodes"][:, 0].any()
        (z["nodes"] * normal(3, 4)).sum().backward()
        assert not nodes.grad[:, 0].any()

    def test_a_module_trains_and_evaluates(self):
        nodes, edges = parameters()
        module = IMLE(best, noise_distribution=GumbelNoiseDistribution(), nb_samples=4, reduction="mean")
        assert module((nodes, edges))[0].shape == (3, 4)
        assert torch.equal(module.eval()((nodes, edges))[1], best((nodes.detach(), edges.detach()))[1])
        assert module.estimate((nodes, edges), lambda z: z[0].sum(dim=1)).tolist() == [2.0] * 3

    def test_no_instances(self):
        z, words = imle(lambda theta: (best(theta), "words"))((torch.zeros(0, 4), torch.zeros(0, 2, 3)))
        assert ([value.shape for value in z], words) == ([(0, 4), (0, 2, 3)], "words")

    def test_noise_is_of_the_size_that_a_solver_says(self):
        class Counting:
            sizes = ()

            def __call__(self, theta):
                return best(theta)

            def typical_ones(self, event):
                self.sizes = (*self.sizes, event)
                return 2.0

        solver = Counting()
        imle(solver, noise_distribution=SumOfGammaNoiseDistribution())(parameters())
        assert solver.sizes == ((4,), (2, 3))

    @pytest.mark.slow
    def test_checkpoints_and_gradient_functions(self):
        nodes, edges = parameters()
        layer = imle(best, None, GumbelNoiseDistribution(), generator=generator(3))

        def loss(nodes, edges):
            z = layer((nodes, edges))
            return (z[0] * dy[0]).sum() + (z[1] * dy[1]).sum()

        dy = normal(3, 4, seed=7), normal(3, 2, 3, seed=8)
        state = layer.estimator.generator.get_state()
        expected = torch.autograd.grad(loss(nodes, edges), (nodes, edges))
        layer.estimator.generator.set_state(state)
        again = torch.autograd.grad(
            torch.utils.checkpoint.checkpoint(loss, nodes, edges, use_reentrant=False), (nodes, edges)
        )
        assert all(map(torch.equal, expected, again))
        layer.estimator.generator.set_state(state)
        gradients = torch.func.grad(loss, argnums=(0, 1))(nodes.detach(), edges.detach())
        assert all(map(torch.equal, expected, gradients))
        calls = imle(best)
        mapped = torch.func.vmap(lambda nodes, edges: calls((nodes[None], edges[None])))(nodes.detach(), edges.detach())
        assert torch.equal(mapped[0][:, 0], best((nodes.detach(), edges.detach()))[0])


ONES = torch.ones(2, 3)
SOLVERS = {
    "another key": (
        lambda _: {"a": ONES, "c": ONES},
        "solver: gave a dict with 'a', 'c'; it must have the structure of theta, a dict with 'a', 'b'; give a solution",
    ),
    "a key too few": (lambda _: {"a": ONES}, "solver: gave a dict with 'a'; it must have the structure of theta"),
    "a tuple for a dict": (
        lambda _: (ONES, ONES),
        "solver: gave a tuple of 2; it must have the structure of theta, a dict",
    ),
    "a tensor": (lambda _: ONES, "solver: gave Tensor; it must have the structure of theta, a dict with 'a', 'b';"),
    "nothing": (lambda _: None, "solver: gave NoneType; it must have the structure of theta"),
    "an empty tuple": (lambda _: (), "solver: gave an empty tuple; it must give solutions, alone or as the first of"),
    "another shape": (
        lambda _: {"a": ONES, "b": ONES[:, :2]},
        "solver: gave, at ['b'], shape (2, 2) for parameters of shape (2, 3); each solution must",
    ),
    "no tensor": (
        lambda _: {"a": ONES, "b": 1.0},
        "solver: gave, at ['b'], float; it must give a dense tensor of real numbers",
    ),
    "NaN": (lambda _: {"a": ONES, "b": ONES * torch.nan}, "solver: gave NaN in 2 of 2 rows; a solution has numbers"),
}


@pytest.mark.parametrize("case", SOLVERS)
def test_solutions_of_other_structures_are_refused(case):
    solver, message = SOLVERS[case]
    with pytest.raises(ArgumentError, match=re.escape(message)):
        imle(solver)({"a": torch.zeros(2, 3), "b": torch.zeros(2, 3)})


def test_a_tuple_with_one_too_many_is_told_apart():
    message = "solver: gave a tuple of 3; it must have the structure of theta, a tuple of 2; give"
    with pytest.raises(ArgumentError, match=re.escape(message)):
        imle(lambda theta: (*theta, "words"))((torch.zeros(2, 3), torch.zeros(2, 3)))


THETAS = {
    "empty dict": ({}, "theta: got an empty dict; it must have a tensor or more; give one for each kind of parameter"),
    "empty tuple": ((), "theta: got an empty tuple; it must have a tensor or more"),
    "nested and empty": ([{}, ()], "theta: got an empty list; it must have a tensor or more"),
    "instances": (
        (ONES, torch.ones(3, 3)),
        "theta[1]: got 3 instances; all tensors must have as many as theta[0], 2; give one row",
    ),
    "types": (
        {"a": ONES, "b": ONES.double()},
        "theta['b']: got torch.float64; all tensors must have the type of theta['a'], torch.float32",
    ),
    "devices": ((ONES, ONES.to("meta")), "theta[1]: got a tensor without numbers of its own; it must be a dense tensor"),
    "no batch": (
        Graph(ONES, torch.ones(2)),
        "theta.edges: got shape (2,); it must be (B, *event) with a batch axis in front",
    ),
    "whole numbers": ((ONES.long(),), "theta[0]: got torch.int64; it must have a floating type; use theta.float()"),
    "NaN": ([ONES, [ONES * torch.nan]], "theta[1][0]: got 6 NaN of 6 entries; it must have none"),
    "None": (
        {"a": ONES, "b": None},
        "theta['b']: got NoneType; it must be a dense tensor of real numbers; use torch.as_tensor",
    ),
    "lists": ([[1.0, 2.0]], "theta: got list; it must be a dense tensor of real numbers; use torch.as_tensor"),
    "text": ("theta", "theta: got str; it must be a dense tensor of real numbers; use torch.as_tensor"),
}


@pytest.mark.parametrize("case", THETAS)
def test_parameters_that_are_no_structure_are_refused(case):
    theta, message = THETAS[case]
    for call in (imle(lambda rows: rows), lambda theta: imle(lambda rows: rows).estimator.estimate(theta, lambda z: z)):
        with pytest.raises(ArgumentError, match=f"^{re.escape(message)}"):
            call(theta)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute")  # the compiler looks there for itself
def test_compiled_code_breaks_off_for_a_structure():
    torch._dynamo.reset()
    layer, (nodes, edges) = imle(best), parameters()

    def loss(nodes, edges):
        z = layer({"nodes": 2 * nodes, "edges": edges})
        return (z["nodes"] * normal(3, 4)).sum() + z["edges"].sum()

    expected = torch.autograd.grad(loss(nodes, edges), nodes)
    assert torch.equal(*expected, *torch.autograd.grad(torch.compile(loss, backend="eager")(nodes, edges), nodes))
