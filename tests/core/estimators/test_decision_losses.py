"""One call for every estimator, ``layer.loss(theta, truth=..., gold=...)``, in both senses."""

import re
from types import SimpleNamespace

import pytest
import torch

from draws import generator, normal
from imle_core import ArgumentError, LayerModule, NormalNoiseDistribution, TargetDistribution, hamming
from imle_core.estimators import DECISION_LOSSES, ESTIMATORS, differentiable
from imle_core.estimators.projections import nearest_in_cone
from imle_core.losses import cone_alignment
from imle_core.solvers import Ranking, TopK
from reference import CASES

# Arrays of the reference by estimator and settings, with tolerances of values and gradients.
LOSSES = {
    "spo_plus": ("spo-plus", {}, (1e-5, 1e-5)),
    "pg_backward_0.1": ("perturbation-gradient", {"target_distribution": TargetDistribution(lambda_=0.1)}, (1e-4, 1e-5)),
    "pg_central_0.7": (
        "central-perturbation-gradient",
        {"target_distribution": TargetDistribution(lambda_=0.7)},
        (1e-4, 1e-5),
    ),
    "nce": ("contrastive", {"pool": "pool"}, (1e-5, 1e-5)),
    "cmap": ("contrastive-map", {"pool": "pool"}, (1e-5, 1e-5)),
    "rank_list": ("rank-list", {"pool": "pool"}, (1e-5, 1e-4)),
    "rank_pair": ("rank-pair", {"pool": "pool"}, (1e-5, 1e-4)),
    "rank_point": ("rank-point", {"pool": "pool"}, (1e-5, 1e-4)),
    "cave_200": ("cone", {"normals": "normals"}, (1e-4, 1e-3)),
    "frank_wolfe_loss_0.3": ("frank-wolfe-fenchel-young", {"input_noise_temperature": 0.3}, (1e-4, 2e-5)),
}


LOSSES_ALONE = [name for name in DECISION_LOSSES if name != "frank-wolfe"]


def array(kind, name):
    return torch.from_numpy(CASES[f"{kind}/{name}"])


class Best:
    """A solver by enumeration that declares that it maximises."""

    pure, sense = True, "max"

    def __init__(self, kind):
        self.states = array(kind, "vertices").double()

    def __call__(self, theta):
        return self.states[(theta.double() @ self.states.T).argmax(dim=1)].to(theta)


def made(kind, name, settings, solver=None):
    settings = dict(settings)
    if "pool" in settings:
        settings["pool"] = array(kind, "pool")
    if "normals" in settings:
        settings["normals"] = lambda _: array(kind, "normals")
    return differentiable(name, solver or Best(kind), sense="min" if kind == "path" else "max", **settings)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", ["path", "knapsack"])
def test_values_and_gradients_of_costs_and_gains_are_those_of_the_reference(kind, loss):
    name, settings, (value, slope) = LOSSES[loss]
    theta = array(kind, "pred").clone().requires_grad_()
    losses = made(kind, name, settings).loss(theta, truth=array(kind, "true"), gold=array(kind, "sol"))
    losses.sum().backward()
    torch.testing.assert_close(losses.detach(), array(kind, f"{loss}/value"), rtol=1e-5, atol=value)
    torch.testing.assert_close(theta.grad, array(kind, f"{loss}/gradient"), rtol=1e-4, atol=slope)


def test_a_function_of_costs_that_declares_nothing_minimises_them():
    best, theta, truth = Best("path"), array("path", "pred"), array("path", "true")
    for name in ("spo-plus", "perturbation-gradient", "frank-wolfe"):
        ours, own = (made("path", name, {}, solver) for solver in (best, lambda costs: best(-costs)))
        assert torch.equal(
            ours.loss(theta, truth=truth, loss=None if name != "frank-wolfe" else "regret"),
            own.loss(theta, truth=truth, loss=None if name != "frank-wolfe" else "regret"),
        )


@pytest.mark.parametrize("scale", [1.0, 0.3])
@pytest.mark.parametrize("kind", ["path", "knapsack"])
class TestFrankWolfe:
    def test_states_and_gradients_are_those_of_the_reference(self, kind, scale):
        theta = array(kind, "pred").clone().requires_grad_()
        layer = made(kind, "frank-wolfe", {"input_noise_temperature": scale, "nb_samples": 3})
        mu = layer(theta)
        torch.testing.assert_close(mu.detach(), array(kind, f"frank_wolfe_{scale}/exact").to(mu), rtol=0, atol=2e-5)
        mu.backward(array(kind, "upstream"))
        torch.testing.assert_close(theta.grad, array(kind, f"frank_wolfe_{scale}/vjp"), rtol=1e-4, atol=1e-4)

    def test_a_certificate_bounds_the_distance_from_the_optimum(self, kind, scale):
        layer = made(kind, "frank-wolfe", {"input_noise_temperature": scale})
        z, gap = layer.certified(array(kind, "pred"))
        assert torch.equal(z, layer(array(kind, "pred")))
        assert gap.dtype == torch.float64
        assert gap.shape == (len(z),)
        assert ((gap >= 0) & (gap < 1e-6)).all()


def test_a_regularised_layer_has_gradients_by_finite_differences_samples_by_name_and_an_end():
    layer = differentiable("frank-wolfe", TopK(2), input_noise_temperature=0.7)
    theta = normal(3, 5).requires_grad_()
    assert torch.autograd.gradcheck(layer, theta, eps=1e-5, atol=1e-4)
    gold = TopK(2)(normal(3, 5, seed=1))
    assert torch.equal(layer.loss(theta, gold=gold), hamming(layer(theta), gold))
    assert differentiable("frank-wolfe", TopK(2), reduction="stacked")(theta).shape == (3, 1, 5)
    assert torch.equal(LayerModule(layer).eval()(theta), TopK(2)(theta))
    assert layer(theta[:0]).shape == (0, 5)
    (again,) = torch.func.grad(lambda x: layer(x)[:, 0].sum())(theta.detach())[:1]
    (first,) = torch.autograd.grad(layer(theta)[:, 0].sum(), theta)
    torch.testing.assert_close(again, first[0])


class TestSamples:
    """Losses of samples by name, of estimators that have none of their own."""

    @pytest.mark.parametrize("reduction", ["none", "stacked", "mean"])
    @pytest.mark.parametrize("sense", ["max", "min"])
    def test_values_and_gradients_are_those_of_an_estimate(self, sense, reduction):
        sign = 1 if sense == "max" else -1
        theta, truth = sign * normal(4, 6), sign * normal(4, 6, seed=1)
        gold = TopK(2)(sign * truth)
        samples = 1 if reduction == "mean" else 3

        def layer():
            settings = {"nb_samples": 3, "sense": sense, "reduction": reduction, "generator": generator()}
            return differentiable("imle", TopK(2), TargetDistribution(1.0, 2.0), NormalNoiseDistribution(), **settings)

        def passed(call):
            leaf = theta.clone().requires_grad_()
            losses = call(layer(), leaf)
            return losses.detach(), torch.autograd.grad(losses.sum(), leaf)[0]

        y, t = gold.repeat_interleave(samples, dim=0), truth.repeat_interleave(samples, dim=0)
        own = {
            "hamming": lambda z: hamming(z, y),
            "squared": lambda z: ((z - y) ** 2).sum(dim=1),
            "regret": lambda z: sign * ((y - z) * t).sum(dim=1),
        }
        for name, loss in own.items():
            expected = passed(lambda made, leaf, loss=loss: made.estimate(leaf, loss))
            assert expected[1].abs().sum() > 0
            known = {"truth": truth} if name == "regret" else {"gold": gold}  # of a regret gold is solved
            for given in (known, {"truth": truth, "gold": gold}):
                result = passed(lambda made, leaf, given=given, name=name: made.loss(leaf, loss=name, **given))
                torch.testing.assert_close(result, expected)
                if name == "regret":
                    assert (result[0] >= 0).all()

    @pytest.mark.parametrize("name", [name for name, entry in ESTIMATORS.items() if entry.needs != "gold solutions"])
    def test_the_usual_loss_is_that_of_the_registry(self, name):
        theta, gold = normal(3, 5).abs() + 0.1, TopK(2)(normal(3, 5, seed=1))

        def value(loss):
            noise = NormalNoiseDistribution()
            return differentiable(name, TopK(2), None, noise, 2, generator=generator()).loss(theta, gold=gold, loss=loss)

        assert torch.equal(value(None), value(ESTIMATORS[name].usual_loss))
        assert differentiable(name, TopK(2), None, NormalNoiseDistribution(), 2).usual_loss == ESTIMATORS[name].usual_loss

    @pytest.mark.parametrize("name", ["fenchel-young", "structured-svm"])
    def test_losses_of_gold_solutions_are_their_own(self, name):
        theta, gold = normal(3, 5), TopK(2)(normal(3, 5, seed=1))
        layer = differentiable(name, TopK(2))
        assert torch.equal(layer.loss(theta, gold=gold, truth=theta), layer(theta, gold))


class TestGold:
    def test_gold_of_a_convex_bound_is_solved_where_it_is_missing(self):
        theta, truth = normal(3, 5), normal(3, 5, seed=1)
        layer = differentiable("spo-plus", TopK(2))
        assert torch.equal(layer.loss(theta, truth=truth), layer(theta, truth=truth, gold=TopK(2)(truth)))
        assert torch.equal(LayerModule(layer).loss(theta, truth=truth), layer.loss(theta, truth=truth))
        assert torch.equal(LayerModule(layer).eval()(theta, truth=truth), layer.loss(theta, truth=truth))

    @pytest.mark.parametrize("name", ["spo-plus", "perturbation-gradient", "central-perturbation-gradient"])
    def test_walls_stay_and_have_no_gradient(self, name):
        theta, truth = normal(3, 5), normal(3, 5, seed=1)
        layer = differentiable(name, TopK(2))
        closed = torch.cat([theta, torch.full((3, 1), -torch.inf)], dim=1).requires_grad_()
        for beyond in (-torch.inf, 1.0):
            losses = layer.loss(closed, truth=torch.cat([truth, torch.full((3, 1), beyond)], dim=1))
            torch.testing.assert_close(losses, layer.loss(theta, truth=truth))
            (gradient,) = torch.autograd.grad(losses.sum(), closed)
            assert not gradient[:, 5].any()

    def test_structures_and_one_truth_for_all(self):
        theta, truth = normal(3, 5), normal(5, seed=1)
        whole = differentiable("spo-plus", TopK(2)).loss(theta, truth=truth)
        parts = differentiable("spo-plus", lambda given: TopK(2)(torch.cat(given, dim=1)).split([2, 3], dim=1))
        assert torch.equal(parts.loss((theta[:, :2], theta[:, 2:]), truth=(truth[:2], truth[2:])), whole)


class TestPools:
    def test_a_pool_may_grow_and_belong_to_the_solver(self):
        theta, gold = normal(3, 5), torch.eye(5, dtype=torch.float64)[:3]
        pool = SimpleNamespace(members=torch.eye(5)[:2])
        layer = differentiable("contrastive", TopK(1), pool=pool)
        few = layer.loss(theta, gold=gold)
        pool.members = torch.eye(5)
        assert not torch.equal(layer.loss(theta, gold=gold), few)

        class Pooled(TopK):
            members = torch.eye(5)

        assert torch.equal(differentiable("contrastive", Pooled(1)).loss(theta, gold=gold), layer.loss(theta, gold=gold))


class TestCones:
    def test_a_solver_may_name_its_own_constraints(self):
        class Bounded(TopK):
            """One of all: a solution is best where no entry is greater than that of its one."""

            def normals(self, gold):
                return gold.unsqueeze(1) - torch.eye(gold.shape[1]).to(gold)

        gold = torch.eye(3)[:2]
        layer = differentiable("cone", Bounded(1))
        theta = torch.tensor([[2.0, -1.0, -1.0], [1.0, -0.5, -0.5]])  # right, and wrong
        losses = layer.loss(theta, gold=gold)
        torch.testing.assert_close(losses, torch.tensor([0.0, 1.0]))
        assert torch.equal(differentiable("cone", TopK(1), normals=Bounded(1).normals).loss(theta, gold=gold), losses)
        assert torch.equal(differentiable("cone", Bounded(1), sense="min").loss(-theta, gold=gold), losses)

    def test_a_margin_keeps_off_the_edge(self):
        solver, theta = TopK(2), normal(9, 5)
        gold = solver(normal(9, 5, seed=1))
        wanted = cone_alignment(theta, nearest_in_cone(theta, solver.normals(gold), 0.5))
        assert torch.equal(differentiable("cone-margin", solver).loss(theta, gold=gold), wanted)
        assert torch.equal(differentiable("cone", solver, margin=0.5, sense="min").loss(-theta, gold=gold), wanted)
        assert (wanted >= differentiable("cone", solver).loss(theta, gold=gold)).all()
        edge = torch.tensor([[1.0, 1.0, 1.0, 0.0, 0.0]])
        tied = {name: differentiable(name, solver).loss(edge, gold=solver(edge)).item() for name in ("cone", "cone-margin")}
        assert tied["cone"] == pytest.approx(0, abs=1e-6)
        assert tied["cone-margin"] > 0.01


MISSING = {
    ("spo-plus", "truth"): "truth: missing; spo-plus learns from true parameters; give truth=...",
    ("perturbation-gradient", "truth"): "truth: missing; perturbation-gradient learns from true parameters; give truth=...",
    ("rank-list", "truth"): "truth: missing; rank-list learns from true parameters; give truth=...",
    ("contrastive", "gold"): "gold: missing; contrastive learns from gold solutions; give gold=...",
    ("cone", "gold"): "gold: missing; cone learns from gold solutions; give gold=...",
    ("frank-wolfe-fenchel-young", "gold"): "gold: missing; frank-wolfe-fenchel-young learns from gold solutions",
    ("fenchel-young", "gold"): "gold: missing; fenchel-young learns from gold solutions; give gold=...",
    ("structured-svm", "gold"): "gold: missing; structured-svm learns from gold solutions; give gold=...",
    ("imle", "gold"): "gold: missing; the loss 'hamming' learns from gold solutions; give gold=...",
    ("identity", "gold"): "gold: missing; the loss 'squared' learns from gold solutions; give gold=...",
}


def any_of(name, solver=None, **settings):
    options = {"pool": torch.eye(5)} if name in ("contrastive", "contrastive-map") or name.startswith("rank") else {}
    options |= {"normals": lambda gold: gold.unsqueeze(1)} if name == "cone" else {}
    return differentiable(name, solver or TopK(1), **options | settings)


class TestRefusals:
    @pytest.mark.parametrize("name", LOSSES_ALONE)
    def test_the_registry_says_what_each_needs(self, name):
        needs = DECISION_LOSSES[name].needs
        known = {"truth": torch.ones(2, 5)} if needs.startswith("true parameters") else {"gold": torch.ones(2, 5)}
        assert any_of(name).loss(normal(2, 5), **known).shape == (2,)
        with pytest.raises(ArgumentError, match=r"^(truth|gold): missing"):
            any_of(name).loss(normal(2, 5))
        settings = {"pool": None, "normals": None} if "normals" in needs else {"pool": None}
        if " and " in needs:
            with pytest.raises(ArgumentError, match=r"^(pool|normals): missing"):
                any_of(name, Ranking(), **settings)

    @pytest.mark.parametrize(("name", "missing"), MISSING)
    def test_what_is_missing_is_named(self, name, missing):
        given = {"truth": torch.ones(2, 5), "gold": torch.ones(2, 5)} | {missing: None}
        with pytest.raises(ArgumentError, match=f"^{re.escape(MISSING[name, missing])}"):
            any_of(name).loss(normal(2, 5), **given)

    def test_a_regret_needs_the_truth(self):
        with pytest.raises(ArgumentError, match=r"^truth: missing; the loss 'regret' learns from true parameters"):
            any_of("imle").loss(normal(2, 5), gold=torch.ones(5), loss="regret")

    @pytest.mark.parametrize("name", [*LOSSES_ALONE, "fenchel-young", "structured-svm"])
    def test_losses_of_their_own_take_no_name_of_another_and_no_estimate(self, name):
        with pytest.raises(ArgumentError, match=r"^loss: got 'hamming'; .* has a loss of its own; leave it out"):
            any_of(name).loss(normal(2, 5), truth=torch.ones(5), gold=torch.ones(5), loss="hamming")
        with pytest.raises(ArgumentError, match="it has a loss of its own and cannot take another"):
            any_of(name).estimate(normal(2, 5), lambda z: z.sum(dim=1))

    @pytest.mark.parametrize("name", ["imle", "spo-plus", "contrastive", "cone", "fenchel-young", "structured-svm"])
    @pytest.mark.parametrize(("number", "got"), [(torch.nan, "1 NaN of 4 entries"), (-torch.inf, "1 infinite")])
    def test_gold_solutions_that_are_no_numbers(self, name, number, got):
        layer = differentiable(name, TopK(1), **({"pool": torch.eye(2)} if name == "contrastive" else {}))
        if name == "cone":
            layer = differentiable(name, TopK(1), normals=lambda gold: gold.unsqueeze(1))
        gold = torch.tensor([[1.0, 0.0], [0.0, number]])
        with pytest.raises(ArgumentError, match=f"^gold: got {got}"):
            layer.loss(torch.zeros(2, 2), truth=torch.eye(2), gold=gold)

    @pytest.mark.parametrize("name", ["imle", "spo-plus", "contrastive"])
    def test_supervision_of_another_shape_or_kind(self, name):
        known, missing = ("truth", "gold") if name == "spo-plus" else ("gold", "truth")
        for value, got in ((torch.ones(3, 5), r"shape \(3, 5\)"), ([1.0], "list")):
            with pytest.raises(ArgumentError, match=f"^{known}: got {got}"):
                any_of(name).loss(normal(2, 5), **{known: value, missing: torch.ones(5)})

    def test_others(self):
        theta, truth = normal(2, 5), torch.ones(5)
        for refused, call in {
            "loss: got 'regrets'; .* did you mean 'regret'": lambda: any_of("imle").loss(theta, gold=truth, loss="regrets"),
            "truth: got 2 infinite": lambda: any_of("spo-plus").loss(theta, truth=torch.tensor([1, 2, 3, 4, torch.inf])),
            "truth: got 10 NaN": lambda: any_of("spo-plus").loss(theta, truth=truth * torch.nan),
            "pool: missing; rank-pair learns from a pool of solutions": lambda: any_of("rank-pair", pool=None),
            r"pool: got shape \(0, 5\)": lambda: any_of("rank-pair", pool=torch.ones(0, 5)).loss(theta, truth=truth),
            r"pool: got shape \(2, 4\)": lambda: any_of("rank-pair", pool=torch.ones(2, 4)).loss(theta, truth=truth),
            "pool: got tensor.* estimator 'imle' has no option": lambda: any_of("imle", pool=torch.ones(2, 4)),
            "normals: missing; cone learns from the constraints": lambda: any_of("cone", Ranking(), normals=None),
            "margin: got -1.0; it must be a finite number >= 0": lambda: any_of("cone", margin=-1.0),
            "margin: got inf; it must be a finite number": lambda: any_of("cone", margin=float("inf")),
            "normals: got Tensor; it must be a function": lambda: any_of("cone", normals=truth),
            "theta: got 10 infinite entries; frank-wolfe": lambda: any_of("frank-wolfe")(theta * torch.inf),
            "theta: got 10 infinite entries; rank-list": lambda: any_of("rank-list").loss(theta * torch.inf, truth=truth),
            "target_distribution: got a step of 0": lambda: any_of(
                "perturbation-gradient", target_distribution=TargetDistribution(lambda_=0.0)
            ).loss(theta, truth=truth),
            "theta: got a tensor under torch.func": lambda: torch.func.grad(
                lambda given: any_of("spo-plus").loss(given, truth=truth).sum()
            )(theta),
            "arguments: got some of the solver's": lambda: any_of("frank-wolfe")(theta, [1, 2]),
        }.items():
            with pytest.raises(ArgumentError, match=f"^({refused})"):
                call()
