"""Ragged batches through every estimator: an instance's states and gradient are the same alone and in any batch."""

from itertools import pairwise

import networkx as nx
import pytest
import torch

from draws import Recorded, generator, normal
from imle_core import (
    IMLE,
    AdaptiveTargetDistribution,
    ArgumentError,
    GumbelNoiseDistribution,
    KnownTargetDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
    TargetDistribution,
    fenchel_young,
    imle,
)
from imle_core.contracts import LossError
from imle_core.estimators import DECISION_LOSSES, ESTIMATORS, LayerModule, StepSizeWarning, differentiable
from imle_core.solvers import ArgMax, BlackBox, Ranking, SpanningTree, TopK

NOISES = [
    GumbelNoiseDistribution(),
    NormalNoiseDistribution(),
    SumOfGammaNoiseDistribution(),
    Recorded(torch.zeros(1)),
]
AT_MOST_2 = TopK(2, at_most=True)

pytestmark = pytest.mark.filterwarnings(f"ignore::{StepSizeWarning.__module__}.StepSizeWarning")


def starts_of(sizes):
    return torch.tensor([0, *sizes]).cumsum(0)


def total_by_instance(states, offsets):
    """Squared sums over the entries of each instance, ``(S, B)``."""
    flat = states.flatten(2) if states.dim() > 2 else states.unsqueeze(2)
    return torch.stack([flat[:, a:b].square().sum(dim=(1, 2)) for a, b in pairwise(offsets)], dim=1)


def made(name, source, solver=AT_MOST_2, noise=None, **settings):
    noise = NOISES[1] if noise is None else noise
    target = AdaptiveTargetDistribution(beta=2.0, step=0.0) if ESTIMATORS[name].adaptive else TargetDistribution(1.0, 2.0)
    return differentiable(name, solver, target, noise, 3, 0.7, 0.7, generator=source, **settings)


def passed(layer, name, values, offsets, weights, *arguments):
    """Result and gradient of a pass, for upstream gradients ``weights`` of the size of the values."""
    values = values.detach().clone().requires_grad_()
    needs = ESTIMATORS[name].needs
    if needs == "gold solutions":
        output = result = layer.ragged(values, offsets, weights[0], *arguments)
    elif needs == "loss values":
        output = result = layer.estimate_ragged(
            values, offsets, lambda z: total_by_instance(z * weights, offsets.tolist()), *arguments
        )
    else:
        result = layer.ragged(values, offsets, *arguments)
        output = result * (weights if layer.reduction != "mean" else weights[0])
    (gradient,) = torch.autograd.grad(output.sum(), values)
    return result.detach(), gradient


@pytest.mark.slow
@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_instance_is_the_same_alone_and_in_any_batch(name, reduction):
    source = generator(7)
    layer = made(name, source, reduction=reduction)
    for seed, rest in ((0, ()), (1, (3,))):
        sizes = [0, *torch.randint(0, 8, (6,), generator=generator(seed)).tolist(), 17, 1]
        offsets = starts_of(sizes)
        values = normal(int(offsets[-1]), *rest, seed=seed, dtype=torch.float32)
        weights = normal(3, *values.shape, seed=seed + 9, dtype=torch.float32)
        source.manual_seed(seed)
        states, gradient = passed(layer, name, values, offsets, weights)
        source.manual_seed(seed)
        for b, size in enumerate(sizes):
            first, last = offsets[b : b + 2].tolist()
            alone, slope = passed(layer, name, values[first:last], starts_of([size]), weights[:, first:last])
            by_instance = ESTIMATORS[name].needs != "loss gradient"
            of_batch = (
                states[b : b + 1] if by_instance else states[first:last] if reduction == "mean" else states[:, first:last]
            )
            assert torch.equal(alone, of_batch)
            assert torch.equal(slope, gradient[first:last])


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISES[:3], ids=repr)
def test_random_sizes_and_orders_change_no_instance(noise):
    layer = made("imle", source := generator(), noise=noise)
    for seed in range(8):
        draws = generator(seed)
        sizes = torch.randint(0, 12, (int(torch.randint(1, 9, (), generator=draws)),), generator=draws).tolist()
        offsets = starts_of(sizes)
        values = normal(sum(sizes), seed=seed, dtype=torch.float32)
        weights = normal(3, sum(sizes), seed=seed, dtype=torch.float32)
        source.manual_seed(seed)
        states, gradient = passed(layer, "imle", values, offsets, weights)
        cut = int(torch.randint(0, len(sizes) + 1, (), generator=draws))  # two batches one after the other
        middle = int(offsets[cut])
        source.manual_seed(seed)
        for part, some in ((slice(0, middle), sizes[:cut]), (slice(middle, None), sizes[cut:])):
            again, slope = passed(layer, "imle", values[part], starts_of(some), weights[:, part])
            assert torch.equal(again, states[:, part])
            assert torch.equal(slope, gradient[part])


def test_without_noise_an_instance_is_that_of_a_plain_call_in_any_order():
    layer = imle(AT_MOST_2, TargetDistribution(1.0, 2.0))
    values, weights, sizes = normal(12), normal(12, seed=1), [5, 1, 4, 2]
    for order in ([0, 1, 2, 3], [2, 3, 0, 1]):
        pieces = [torch.arange(12).split(sizes)[b] for b in order]
        mixed = torch.cat(pieces)
        states, gradient = passed(layer.estimator, "imle", values[mixed], starts_of(map(len, pieces)), weights[None, mixed])
        for piece, z, slope in zip(
            pieces, states[0].split([*map(len, pieces)]), gradient.split([*map(len, pieces)]), strict=True
        ):
            theta = values[piece].requires_grad_()
            plain = layer(theta[None])
            assert torch.equal(plain[0], z)
            assert torch.equal(torch.autograd.grad(plain, theta, weights[None, piece])[0], slope)


def test_shapes_follow_the_reduction():
    values, offsets = normal(7, 2), [0, 3, 7]
    for reduction in ("none", "stacked", "mean"):
        layer = imle(TopK(2), noise_distribution=NOISES[0], nb_samples=4, reduction=reduction)
        assert layer.ragged(values, offsets).shape == ((7, 2) if reduction == "mean" else (4, 7, 2))
        module = LayerModule(layer.estimator).eval()
        state = module.ragged(values, offsets)
        assert state.shape == ((7, 2) if reduction == "mean" else (1, 7, 2))
        assert torch.equal(state.view(7, 2), module.ragged(values, offsets).view(7, 2))
        assert torch.equal(state.view(7, 2)[:3], TopK(2)(values[None, :3])[0])


@pytest.mark.parametrize("offsets", [[0], [0, 0], [0, 0, 0]])
def test_nothing_has_nothing(offsets):
    layer = made("imle", generator())
    values = torch.zeros(0, 2, requires_grad=True)
    states = layer.ragged(values, offsets)
    assert states.shape == (3, 0, 2)
    assert torch.autograd.grad(states.sum(), values)[0].shape == (0, 2)
    assert made("fenchel-young", generator()).ragged(values, offsets, values.detach()).tolist() == [0.0] * (len(offsets) - 1)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_types_and_layouts(dtype):
    layer = made("imle", generator())
    wide = normal(9, 4).to(dtype)
    values = wide.T[1].requires_grad_()  # neither contiguous nor with a stride of one
    assert not values.is_contiguous()
    states = layer.ragged(values, [0, 2, 2, 9])
    assert (states.dtype, states.shape, states.is_contiguous()) == (dtype, (3, 9), True)
    assert torch.autograd.grad(states.sum(), values)[0].dtype == dtype
    with torch.no_grad():
        quiet = layer.ragged(values, [0, 2, 2, 9])
    assert not quiet.requires_grad
    quiet += values  # may be changed in place, also where gradients are wanted
    equal = layer.ragged(values.detach(), [0, 3, 6, 9])
    equal += values[None]


def test_masks_of_the_user_s_stay_masks():
    values = torch.tensor([5.0, -torch.inf, 1.0, 3.0, -torch.inf], requires_grad=True)
    layer = made("imle", generator())
    states = layer.ragged(values, [0, 3, 5])
    assert states.tolist() == [[1, 0, 1, 1, 0]] * 3
    (gradient,) = torch.autograd.grad((states * normal(3, 5)).sum(), values)
    assert gradient[[1, 4]].tolist() == [0, 0]


def test_a_function_gets_padding_and_what_else_it_is_called_with():
    seen = []

    def solver(theta, sizes, *, floor=0.0):
        seen.append((theta.clone(), list(sizes), floor))
        return (theta > floor).to(theta)

    values = torch.tensor([1.0, 2.0, 3.0, -1.0, 5.0, 6.0])
    states = imle(solver, nb_samples=2).ragged(values, [0, 2, 2, 6], [2, 0, 4], floor=1.5)
    assert states.tolist() == [[0, 1, 1, 0, 1, 1]] * 2
    ((theta, sizes, floor),) = seen
    assert (sizes, floor) == ([2, 0, 4], 1.5)
    never = -torch.inf
    assert theta.tolist() == [row for row in ([1, 2, never, never], [-1.0] * 4, [3, -1, 5, 6]) for _ in range(2)]


def test_costs_are_padded_with_what_no_minimiser_chooses():
    seen = []

    def least(costs):
        seen.append(costs.clone())
        return torch.nn.functional.one_hot(costs.argmin(dim=1), costs.shape[1])

    costs = torch.tensor([1.0, 2.0, 3.0, 2.0, 5.0], requires_grad=True)
    layer = imle(least, TargetDistribution(1.0, 3.0), sense="min")
    states = layer.ragged(costs, [0, 2, 2, 5])
    assert states.tolist() == [[1, 0, 0, 1, 0]]
    assert seen[0].tolist() == [[1, 2, torch.inf], [1, 1, 1], [3, 2, 5]]
    (gradient,) = torch.autograd.grad(states, costs, torch.tensor([[1.0, 0.0, 0.0, 0.0, 0.0]]))
    assert gradient.tolist() == [-1, 1, 0, 0, 0]


def test_k_of_each_instance():
    values, offsets = normal(9), [0, 3, 4, 9]
    layer = imle(TopK(), noise_distribution=NOISES[0], nb_samples=3)
    assert layer.ragged(values, offsets, k=[2, 1, 4])[:, :3].sum(dim=1).tolist() == [2] * 3
    assert layer.ragged(values, offsets, [2, 1, 4])[:, 4:].sum(dim=1).tolist() == [4] * 3
    with pytest.raises(ArgumentError, match=r"^k: got 2; .*fewer entries above -inf; choose a smaller k, or at_most=True"):
        layer.ragged(values, offsets, k=[2, 2, 4])
    with pytest.raises(ArgumentError, match="at_most=True"):
        imle(TopK(2)).ragged(values, offsets)
    for name in ("simple", "score-function-exact"):
        exact = made(name, generator(), TopK())
        values, weights = normal(9, dtype=torch.float32), normal(3, 9, dtype=torch.float32)
        states, gradient = passed(exact, name, values, torch.tensor(offsets), weights, torch.tensor([2, 1, 4]))
        assert gradient[3] == 0
        assert gradient.abs().sum() > 0
        assert states.shape == ((3, 9) if name == "simple" else (3,))


@pytest.mark.parametrize("solver", [Ranking(), ArgMax(), TopK(1, dim=-1), TopK(1, dim=1)], ids=repr)
@pytest.mark.parametrize("rest", [(), (2,)])
def test_solvers_that_padding_would_mislead_get_none(solver, rest):
    values, offsets = normal(8, *rest), [0, 3, 3, 4, 8]
    states = imle(solver).ragged(values, offsets)[0]
    for first, last in ((0, 3), (3, 4), (4, 8)):
        assert torch.equal(states[first:last], solver(values[None, first:last])[0])


def test_a_solver_may_say_that_it_takes_no_padding():
    shapes = []

    class Best:
        takes_padding = False

        def __call__(self, theta, bonus, label, shared=None):
            shapes.append((tuple(theta.shape), list(label), shared))
            assert theta.isfinite().all()
            return TopK(1)(theta + bonus.repeat_interleave(len(theta) // len(bonus))[:, None])

    values, offsets = normal(8), torch.tensor([0, 3, 4, 4, 7, 8])
    layer = imle(Best(), nb_samples=2)
    states = layer.ragged(values, offsets, torch.zeros(5), list("abcde"), shared={"x": 1})
    assert shapes == [((4, 1), ["b", "e"], {"x": 1}), ((4, 3), ["a", "d"], {"x": 1})]
    assert torch.equal(states[0], imle(TopK(1)).ragged(values, offsets[[0, 1, 2, 4, 5]])[0])
    message = "^argument 2: got 1 entries for 5 instances; instances of several sizes are solved a size at a time"
    with pytest.raises(ArgumentError, match=message):
        layer.ragged(values, offsets, torch.zeros(5), ["a"])


def test_further_outputs_are_passed_on():
    values, offsets = normal(6), [0, 2, 2, 5, 6]

    def with_count(theta):
        z = TopK(1)(theta)
        return z, (theta > 0).sum(dim=1), "as it is"

    z, counts, text = imle(with_count, nb_samples=2).ragged(values, offsets)
    assert (z.shape, counts.shape, text) == ((2, 6), (8,), "as it is")
    assert counts[::2].tolist() == [int((values[a:b] > 0).sum()) for a, b in pairwise(offsets)]

    class BySize:
        takes_padding = False

        def __call__(self, theta):
            return TopK(1)(theta), [row.shape[0] for row in theta]

    assert imle(BySize(), nb_samples=2).ragged(values, offsets)[1] == [2, 2, None, None, 3, 3, 1, 1]
    z, best = imle(BlackBox(lambda theta: (theta == theta.max(), int(theta.argmax())))).ragged(values, offsets)
    assert best == [int(values[a:b].argmax()) if b > a else None for a, b in pairwise(offsets)]
    assert z.sum() == 3
    nested = torch.nested.nested_tensor_from_jagged(values, torch.tensor(offsets))
    assert imle(with_count)(nested)[1].tolist() == counts[::2].tolist()
    BySize.__call__ = lambda _, theta: (TopK(1)(theta), "joined")
    with pytest.raises(
        ArgumentError, match=r"^solver: gave a further output that is no list of 1 entries; rows of one size"
    ):
        imle(BySize()).ragged(values, offsets)


def test_a_black_box_gets_each_instance_unpadded():
    seen = []

    def best(theta, name):
        seen.append((tuple(theta.shape), name))
        return theta == theta.max()

    solver = BlackBox(best)
    values = normal(6).requires_grad_()
    layer = imle(solver, TargetDistribution(1.0, 1e-3), nb_samples=2)
    states = layer.ragged(values, [0, 2, 2, 5, 6], list("abcd"))
    states.sum().backward()
    assert seen[:3] == [((2,), "a"), ((3,), "c"), ((1,), "d")]
    assert states.sum(dim=1).tolist() == [3, 3]
    assert len(seen) == 6  # all samples of an instance are alike, forward and backward
    assert solver.rows == 16


def test_a_black_box_repeats_rows_of_the_forward_pass():
    calls = []

    def best(theta):
        calls.append(theta)
        return theta == theta.max()

    for cache, expected in ((0, 3), (10, 3)):
        calls.clear()
        layer = imle(BlackBox(best, cache=cache), TargetDistribution(1.0, 1.0))
        values = normal(6).requires_grad_()
        (layer.ragged(values, [0, 2, 2, 5, 6]) * 0).sum().backward()
        assert len(calls) == expected
    layer.ragged(values, [0, 1, 6])
    assert len(calls) == 5
    layer.ragged(values[2:], [0, 3, 4])  # known, in another padding
    assert len(calls) == 5


@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_a_black_box_names_the_instance_that_it_fails_for(executor):
    def fails(theta):
        return theta if len(theta) < 3 else 1 / 0

    layer = imle(BlackBox(fails, executor=executor), nb_samples=2)
    with pytest.raises(RuntimeError, match=r"^function: raised ZeroDivisionError \(division by zero\) for row 4") as error:
        layer.ragged(normal(6), [0, 2, 2, 5, 6])
    assert error.value.theta.shape == (3,)
    with pytest.raises(RuntimeError, match="shape"):
        imle(BlackBox(lambda theta: theta[:1])).ragged(normal(6), [0, 2, 6])


def test_known_targets_are_those_of_the_entries():
    values, offsets = normal(6, dtype=torch.float32), [0, 2, 2, 6]
    known = normal(6, seed=1, dtype=torch.float32)
    layer = imle(TopK(1), KnownTargetDistribution(known)).estimator
    states, gradient = passed(layer, "imle", values, torch.tensor(offsets), torch.ones(1, 6))
    assert torch.equal(gradient, states[0] - imle(TopK(1)).ragged(known, offsets)[0])
    message = r"^theta: the known target has shape \(6,\) for 5 entries; it must be \(T, \*rest\)"
    with pytest.raises(ArgumentError, match=message):
        layer.ragged(values[1:], [0, 5])


class Toward:
    """A user's target with a norm of its own, which padding would make infinite."""

    def __init__(self):
        self.shapes, self.observed = [], []

    def params(self, theta, dy):
        self.shapes.append(tuple(theta.shape))
        return theta - self.step_size(theta, dy)[:, None] * dy

    def step_size(self, theta, dy):
        return theta.norm(dim=1) / (dy.norm(dim=1) + 1e-6)

    def observe(self, difference):
        self.observed.append(tuple(difference.shape))


def test_a_target_of_the_user_s_is_asked_without_padding():
    target = Toward()
    layer = imle(TopK(1), target, nb_samples=2, scale_gradient=True).estimator
    values, offsets = normal(7, dtype=torch.float32), torch.tensor([0, 2, 2, 5, 7])
    weights = normal(2, 7, dtype=torch.float32)
    _, gradient = passed(layer, "imle", values, offsets, weights)
    assert sorted(target.shapes) == [(2, 3), (4, 2)]
    assert target.observed == [(4, 2, 3)]
    _, alone = passed(layer, "imle", values[2:5], starts_of([3]), weights[:, 2:5])
    assert torch.equal(alone, gradient[2:5])
    assert gradient.isfinite().all()


def test_an_adaptive_target_moves_its_beta():
    target = AdaptiveTargetDistribution(beta=1.0, step=0.1, target_rate=5.0)
    layer = imle(TopK(1), target, NOISES[0], nb_samples=2).estimator
    passed(layer, "imle", normal(7, dtype=torch.float32), torch.tensor([0, 2, 4, 7]), torch.ones(2, 7))
    assert float(target.beta) == pytest.approx(1.1)


def test_what_a_solver_gives_for_padding_moves_no_beta():
    def noisy(theta):
        return torch.where(theta.isinf(), torch.arange(theta[0].numel()).view(theta.shape[1:]) + theta.sum(), theta > 0)

    rates = []
    for solver in (noisy, lambda theta: theta > 0):
        target = AdaptiveTargetDistribution(beta=1.0, decay=0.0)
        layer = imle(solver, target, NOISES[0], nb_samples=2, generator=generator()).estimator
        passed(layer, "imle", normal(7, dtype=torch.float32), torch.tensor([0, 2, 4, 7]), torch.ones(2, 7))
        rates.append(float(target.rate))
    assert rates[0] == rates[1] > 0


def test_the_perturbed_loss_is_that_of_each_instance():
    layer = made("fenchel-young", generator())
    values, offsets = normal(7), [0, 3, 7]
    gold = torch.tensor([1.0, 1, 0, 1, 0, 0, 1]).double()
    losses = layer.ragged(values, offsets, gold)
    source = generator()
    layer = made("fenchel-young", source)
    instances = layer.ragged(values[:3], [0, 3], gold[:3])
    torch.testing.assert_close(losses[:1], instances)
    quiet = differentiable("fenchel-young", AT_MOST_2)
    theta, z = values[None, 3:], TopK(2)(values[None, 3:])
    torch.testing.assert_close(
        quiet.ragged(values, offsets, gold)[1:], fenchel_young(theta[:, None], z[:, None], theta, gold[3:])
    )
    with pytest.raises(ArgumentError, match=r"^gold: got shape \(3,\) for values of shape \(7,\); it must be \(T, \*rest\)"):
        layer.ragged(values, offsets, gold[:3])
    with pytest.raises(ArgumentError, match=r"^gold: got list; it must be a tensor"):
        layer.ragged(values, offsets, [1.0])


def test_a_loss_gives_a_number_for_each_sample_of_each_instance():
    layer = made("imle", generator())
    values, offsets = normal(7).requires_grad_(), [0, 3, 3, 7]
    losses = layer.estimate_ragged(values, offsets, lambda z: total_by_instance(z, offsets))
    assert losses.tolist() == [2, 0, 2]
    settings = {"generator": generator(), "reduction": "mean"}
    for estimator in ("imle", "score-function", "score-function-exact"):
        other = differentiable(estimator, AT_MOST_2, None, NOISES[1], 2, **settings)
        losses, states = other.estimate_ragged(values, offsets, lambda z: total_by_instance(z, offsets), return_states=True)
        assert (losses.shape, states.shape) == ((3,), (7,))
    message = r"^loss: gave shape \(3,\) for states of shape \(3, 7\); .* for each sample of each instance, \(3, 3\)"
    with pytest.raises(LossError, match=message):
        layer.estimate_ragged(values, offsets, lambda z: z.sum(dim=1))
    module = IMLE(TopK(2, at_most=True), noise_distribution=NOISES[0], nb_samples=4)
    assert module.estimate_ragged(values, offsets, lambda z: total_by_instance(z, offsets)).tolist() == [2, 0, 2]


def test_a_recomputed_pass_draws_the_same_noise():
    from torch.utils.checkpoint import checkpoint

    layer = imle(TopK(1), TargetDistribution(1.0, 3.0), NOISES[0], 4, generator=generator(3))
    values, offsets = normal(7).requires_grad_(), [0, 3, 7]
    weights = normal(4, 7)
    plain = layer.ragged(values, offsets)
    (expected,) = torch.autograd.grad((plain * weights).sum(), values)
    layer.estimator.generator.manual_seed(3)
    again = checkpoint(lambda values: layer.ragged(values, offsets) * weights, values, use_reentrant=False)
    assert torch.equal(again, plain * weights)
    assert torch.equal(torch.autograd.grad(again.sum(), values)[0], expected)


def test_transforms_give_what_a_loop_gives():
    layer = imle(TopK(1), TargetDistribution(1.0, 3.0), NormalNoiseDistribution(), 2, generator=generator())
    values, offsets, weights = normal(3, 7), [0, 3, 3, 7], normal(2, 7)

    def loss(values):
        return (layer.ragged(values, offsets) * weights).sum()

    layer.estimator.generator.manual_seed(0)
    together = torch.func.vmap(torch.func.grad(loss), randomness="different")(values)
    layer.estimator.generator.manual_seed(0)
    assert torch.equal(together, torch.stack([torch.func.grad(loss)(row) for row in values]))
    layer.estimator.generator.manual_seed(0)
    theta = values[0].clone().requires_grad_()
    assert torch.equal(together[0], torch.autograd.grad(loss(theta), theta)[0])
    offsets = torch.tensor(offsets)
    for within in (False, True):
        layer.estimator.generator.manual_seed(0)
        tensors = torch.func.vmap(
            torch.func.grad(
                lambda values, offsets=offsets, within=within: (
                    layer.ragged(values, torch.tensor([0, 3, 3, 7]) if within else offsets) * weights
                ).sum()
            ),
            randomness="different",
        )(values)
        assert torch.equal(tensors, together)
    with pytest.raises(ArgumentError, match=r"^offsets: got a tensor without numbers of its own"):
        torch.func.vmap(layer.estimator.noise_free().ragged)(values, offsets.expand(3, 4))


@pytest.mark.parametrize("name", DECISION_LOSSES)
def test_losses_of_decisions_refuse_instances_of_several_sizes_by_name(name):
    pool = {"pool": torch.eye(5).double()} if DECISION_LOSSES[name].needs.endswith("pool") else {}
    layer = differentiable(name, TopK(1), **pool)
    for ask in (layer.ragged, lambda *given: layer.estimate_ragged(*given, torch.sum)):
        with pytest.raises(ArgumentError, match=f"^{layer.word}: got 2 instances, one after the other"):
            ask(normal(5), [0, 3, 5])


def test_a_list_of_graphs_has_a_graph_for_each_instance():
    graphs = [nx.cycle_graph(4), nx.empty_graph(1), nx.complete_graph(5), nx.path_graph(3)]
    solver = SpanningTree(graphs)
    offsets = solver.offsets
    values = normal(int(offsets[-1]), dtype=torch.float32)
    weights = normal(3, *values.shape, seed=1, dtype=torch.float32)
    together = made("imle", generator(2), solver, SumOfGammaNoiseDistribution())
    states, gradient = passed(together, "imle", values, offsets, weights)
    source = generator(2)
    for b, (first, last) in enumerate(pairwise(offsets.tolist())):
        alone = made("imle", source, SpanningTree([graphs[b]]), SumOfGammaNoiseDistribution())
        z, slope = passed(alone, "imle", values[first:last], starts_of([last - first]), weights[:, first:last])
        assert torch.equal(z, states[:, first:last])
        assert torch.equal(slope, gradient[first:last])
    with pytest.raises(
        ArgumentError, match=r"^offsets: got 5 entries for instance 0; its graph has 4 edges; give the offsets"
    ):
        together.ragged(values, offsets + torch.tensor([0, 1, 1, 0, 0]))
    with pytest.raises(ArgumentError, match=r"^offsets: got 3 rows for 4 graphs; each graph must have an instance"):
        together.ragged(values, [0, 16])
    single = made("imle", generator(), SpanningTree(graphs[0]))
    assert single.ragged(values[:8], [0, 4, 8]).shape == (3, 8)
    with pytest.raises(ArgumentError, match=r"^offsets: got 3 entries for row 3; its graph has 4 edges; take a list"):
        single.ragged(values[:7], [0, 4, 7])


@pytest.mark.slow
def test_a_compiled_function_leaves_it_to_python():
    layer = imle(AT_MOST_2, TargetDistribution(1.0, 3.0), NOISES[0], 2, generator=generator())
    values, offsets = normal(7), torch.tensor([0, 3, 3, 7])
    expected = layer.ragged(2 * values, offsets)
    layer.estimator.generator.manual_seed(0)
    compiled = torch.compile(lambda values: layer.ragged(2 * values, offsets), backend="eager")
    assert torch.equal(compiled(values), expected)
