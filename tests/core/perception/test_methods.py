"""How costs are learnt: what each method's loss and gradient are, and what goes wrong with another loss or step."""

import re
import threading
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from image_maps import CostTable
from imle_core import GumbelNoiseDistribution, NormalNoiseDistribution
from imle_core.estimators import ESTIMATORS
from imle_core.losses import hamming
from imle_core.perception import BASELINES, SUPERVISION, Clock, ImageMaps, PerceptionTraining, make_method
from imle_core.perception.methods import ThroughSolver
from imle_core.solvers import GridPath
from imle_core.training import clock as clocks

REFUSED = ("simple", "score-function-exact")
NEEDS = {"score-function-baseline": {"nb_samples": 3}, "perturbed-multiplicative": {}}
LEARNING = [name for name in SUPERVISION if name not in {*REFUSED, "mean-colour"}]


def costs_of(seed, count=6, height=4, width=5):
    return 0.5 + 2 * torch.rand(count, height, width, generator=torch.Generator().manual_seed(seed))


def cheapest(costs):
    return GridPath()(-costs)


TRUTH = costs_of(0)
GOLD = GridPath(engine="networkx")(-TRUTH)  # it compiles nothing, while tests are collected
SIGNS = 1 - 2 * GOLD


def noisy(name, seed=5, **settings):
    """A method with normal noise, which every estimator can use."""
    settings = {"noise_distribution": NormalNoiseDistribution()} | NEEDS.get(name, {}) | settings
    return make_method(name, generator=torch.Generator().manual_seed(seed), **settings)


def drawn(seed=5, samples=1, temperature=1.0):
    """The noise of such a method, ``(B, S, H, W)``."""
    shape = (len(TRUTH), samples, *TRUTH.shape[1:])
    return temperature * NormalNoiseDistribution().sample(shape, generator=torch.Generator().manual_seed(seed))


def outcome(method, costs):
    """Losses, and the gradient of their sum with respect to the costs."""
    costs = costs.clone().requires_grad_()
    losses = method.losses(costs, GOLD, TRUTH)
    losses.sum().backward()
    return losses.detach(), costs.grad


class TestNames:
    @pytest.mark.parametrize("name", LEARNING)
    def test_every_name_makes_a_method_that_gives_a_loss_and_a_gradient(self, name):
        losses, gradient = outcome(noisy(name), costs_of(1))
        assert losses.shape == (6,)
        assert losses.isfinite().all()
        assert gradient.isfinite().all()
        assert gradient.abs().sum() > 0 or name.startswith("adaptive")  # these begin with a step of 0

    @pytest.mark.parametrize("name", REFUSED)
    def test_what_needs_exact_marginals_is_refused_by_name(self, name):
        who = "SIMPLE" if name == "simple" else "the exact score function"
        with pytest.raises(TypeError, match=rf"^function: got GridPath\(.*\); {who} needs exact marginals, which are known"):
            make_method(name)

    def test_an_unknown_name_and_the_one_that_learns_by_no_loss(self):
        known = ", ".join(map(repr, [*ESTIMATORS, "regression", "tiles"]))
        for name, remedy in (("imlee", "did you mean 'imle'?"), ("mean-colour", "use 'imle' for instance")):
            message = f"estimator: got {name!r}; it must be one of {known}; {remedy}"
            with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
                make_method(name)

    def test_an_unknown_loss(self):
        message = "loss: got 'linear'; it must be one of 'hamming', 'squared'; use 'hamming' for instance"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            make_method("imle", loss="linear")

    def test_noise_that_the_estimator_cannot_use(self):
        with pytest.raises(ValueError, match="multiplicative perturbation needs normal noise"):
            make_method("perturbed-multiplicative", noise_distribution=GumbelNoiseDistribution())

    def test_supervision_is_told_for_every_name(self):
        assert set(SUPERVISION) == set(ESTIMATORS) | {"regression", "tiles", "mean-colour"}
        truths = {name for name, what in SUPERVISION.items() if what == "true costs of all tiles"}
        assert truths == {"regression", "mean-colour"}
        assert {what for name, what in SUPERVISION.items() if name not in truths} == {"gold paths"}
        assert set(BASELINES) == {"regression", "tiles", "mean-colour"}

    def test_settings_reach_the_layer(self):
        noise, generator = GumbelNoiseDistribution(), torch.Generator()
        layer = make_method(
            "central-imle",
            noise_distribution=noise,
            nb_samples=3,
            input_noise_temperature=0.5,
            target_noise_temperature=0.25,
            alpha=0.75,
            beta=4.0,
            generator=generator,
        ).layer
        assert (layer.nb_samples, layer.input_temperature, layer.target_temperature) == (3, 0.5, 0.25)
        assert (layer.target.alpha, layer.target.beta) == (0.75, 4)
        assert layer.generator is generator
        assert layer.difference == "central"
        assert type(layer.noise) is GumbelNoiseDistribution


class TestLosses:
    @pytest.mark.parametrize("loss", ["hamming", "squared"])
    @pytest.mark.parametrize("name", ["imle", "blackbox", "straight-through", "score-function"])
    def test_a_loss_is_the_number_of_tiles_that_differ(self, name, loss):
        noise = {"noise_distribution": NormalNoiseDistribution()} if name == "score-function" else {}
        method = make_method(name, loss=loss, **noise, generator=torch.Generator().manual_seed(5))
        costs = costs_of(1)
        z = cheapest(costs - drawn()[:, 0] if noise else costs)
        losses, _ = outcome(method, costs)
        assert losses.tolist() == (z != GOLD).flatten(1).sum(dim=1).tolist()
        assert losses.sum() > 0

    @pytest.mark.parametrize("samples", [1, 4])
    def test_it_is_the_mean_over_samples(self, samples):
        losses, _ = outcome(noisy("imle", nb_samples=samples, input_noise_temperature=0.5), costs_of(1))
        z = cheapest((costs_of(1)[:, None] - drawn(samples=samples, temperature=0.5)).flatten(0, 1))
        differ = (z.unflatten(0, (6, samples)) != GOLD[:, None]).flatten(2).sum(dim=2)
        torch.testing.assert_close(losses, differ.float().mean(dim=1))

    def test_usual_losses(self):
        squared = {name for name, entry in ESTIMATORS.items() if entry.usual_loss == "squared"}
        assert squared == {"identity", "straight-through"}
        for name in ("imle", "identity"):
            assert make_method(name).loss == ESTIMATORS[name].usual_loss
        assert make_method("imle", loss="squared").loss == "squared"

    def test_regression_is_of_squared_errors(self):
        losses, gradient = outcome(make_method("regression"), costs_of(1))
        torch.testing.assert_close(losses, ((costs_of(1) - TRUTH) ** 2).sum(dim=(1, 2)))
        torch.testing.assert_close(gradient, 2 * (costs_of(1) - TRUTH))

    def test_classification_of_tiles_is_binary_cross_entropy(self):
        costs = 10 ** (3 * costs_of(1).double() - 4)  # 0.003 to 20, in the end
        costs = costs.clamp(max=20.0)
        wanted = costs.clone().requires_grad_()
        entropy = functional.binary_cross_entropy(torch.exp(-wanted), GOLD.double(), reduction="none").sum(dim=(1, 2))
        entropy.sum().backward()
        losses, gradient = outcome(make_method("tiles"), costs)
        torch.testing.assert_close(losses, entropy.detach())
        torch.testing.assert_close(gradient, wanted.grad)

    @pytest.mark.parametrize("cost", [0.0, 1e-30, 1e-12, 1e-6, 1e-3, 20.0, 200.0, 1e4])
    def test_classification_of_tiles_is_finite_for_tiny_and_huge_costs(self, cost):
        losses, gradient = outcome(make_method("tiles"), torch.full_like(TRUTH, cost))
        assert losses.isfinite().all()
        assert gradient.isfinite().all()
        on, off = GOLD.bool(), ~GOLD.bool()
        torch.testing.assert_close(gradient[on], torch.ones_like(gradient[on]))
        assert (gradient[off] <= 0).all()

    def test_classification_is_least_at_the_share_of_paths(self):
        # A tile that is on one path of four costs log 4.
        paths = torch.tensor([1.0, 0.0, 0.0, 0.0]).view(4, 1, 1)
        cost = torch.full((1,), 4.0).log().requires_grad_()
        make_method("tiles").losses(cost.expand(4, 1, 1), paths, paths).sum().backward()
        assert abs(cost.grad.item()) < 1e-6


class TestGradients:
    @pytest.mark.parametrize("beta", [0.3, 2.0])
    def test_imle_goes_to_the_path_for_costs_moved_by_lambda(self, beta):
        costs = costs_of(1)
        _, gradient = outcome(make_method("imle", beta=beta), costs)
        assert torch.equal(gradient, cheapest(costs + beta * SIGNS) - cheapest(costs))
        assert gradient.abs().sum() > 0

    def test_lambda_is_that_of_a_single_sample_whatever_their_number(self):
        costs = costs_of(1)
        _, gradient = outcome(noisy("imle", nb_samples=4, beta=0.5), costs)
        eps = drawn(samples=4)
        z = cheapest((costs[:, None] - eps).flatten(0, 1))
        target = cheapest((costs[:, None] + 0.5 * SIGNS[:, None] - eps).flatten(0, 1))
        torch.testing.assert_close(gradient, (target - z).unflatten(0, (6, 4)).mean(dim=1))

    def test_squared_loss_moves_imle_from_the_sample_to_the_gold_path_alone(self):
        costs = costs_of(1)
        z = cheapest(costs)
        _, gradient = outcome(make_method("imle", beta=0.4, loss="squared"), costs)
        assert torch.equal(gradient, cheapest(costs + 0.8 * (z - GOLD)) - z)

    @pytest.mark.parametrize("samples", [1, 3])
    def test_fenchel_young_has_sample_minus_gold(self, samples):
        costs = costs_of(1)
        losses, gradient = outcome(noisy("fenchel-young", nb_samples=samples), costs)
        moved = costs[:, None] - drawn(samples=samples)
        z = cheapest(moved.flatten(0, 1)).unflatten(0, (6, samples))
        torch.testing.assert_close(gradient, GOLD - z.mean(dim=1))
        best = (-moved * z).sum(dim=(2, 3)).mean(dim=1)
        torch.testing.assert_close(losses, best + (costs * GOLD).sum(dim=(1, 2)), rtol=1e-4, atol=1e-4)

    @pytest.mark.filterwarnings("ignore::imle_core.StepSizeWarning")
    def test_lambda_above_the_cost_scale_makes_the_target_the_gold_path_itself(self):
        gradients = []
        for costs in (costs_of(1), 40 * costs_of(2), torch.ones_like(TRUTH)):
            _, implicit = outcome(noisy("imle", beta=1e4), costs)
            _, convex = outcome(noisy("fenchel-young"), costs)
            assert torch.equal(implicit, GOLD - cheapest(costs - drawn()[:, 0]))
            assert torch.equal(implicit, convex)
            gradients.append(implicit)
        assert not torch.equal(*gradients[:2])
        # Costs count, where lambda is of their size.
        _, small = outcome(noisy("imle", beta=0.5), costs_of(1))
        assert not torch.equal(small, gradients[0])


class TestLinearLoss:
    """Estimators that hand the loss gradient on as it is learn nothing of what the solver did, if the loss is linear."""

    def test_it_gives_straight_through_a_constant_gradient(self):
        method = make_method("straight-through", loss="hamming")
        for costs in (costs_of(1), costs_of(2), TRUTH):
            losses, gradient = outcome(method, costs)
            assert torch.equal(gradient, -SIGNS)
        assert losses.sum() == 0

    def test_it_gives_the_identity_a_constant_gradient_but_for_the_projection(self):
        method = make_method("identity", loss="hamming")
        for costs in (costs_of(1), costs_of(2), TRUTH):
            losses, gradient = outcome(method, costs)
            norm = costs.square().sum(dim=(1, 2), keepdim=True).sqrt()
            along = (SIGNS * costs).sum(dim=(1, 2), keepdim=True) / norm
            torch.testing.assert_close(gradient, -(SIGNS - along * costs / norm) / norm)
        assert losses.sum() == 0
        assert (gradient.abs().flatten(1).sum(dim=1) > 0).all()

    @pytest.mark.parametrize("name", ["straight-through", "identity"])
    def test_a_squared_one_has_gradient_zero_where_the_sampled_path_is_the_gold_path(self, name):
        costs = torch.cat([TRUTH[:3], costs_of(1)[3:]])
        losses, gradient = outcome(make_method(name), costs)
        assert losses[:3].tolist() == [0, 0, 0]
        assert (losses[3:] > 0).all()
        assert (gradient[:3] == 0).all()
        assert (gradient[3:].abs().flatten(1).sum(dim=1) > 0).all()

    def test_a_squared_one_gives_straight_through_the_difference_of_paths(self):
        costs = costs_of(1)
        _, gradient = outcome(make_method("straight-through"), costs)
        assert torch.equal(gradient, -2 * (cheapest(costs) - GOLD))

    def test_the_identity_keeps_the_signs_of_costs(self):
        # Another projection subtracts the mean, and the solver would see negative costs.
        method = make_method("identity")
        outcome(method, costs_of(1))
        assert method.layer.solver.seen > 0
        assert method.layer.solver.clamped == 0


class TestMeanReducedLoss:
    @pytest.mark.filterwarnings("ignore::imle_core.ZeroGradientWarning")  # which is right
    @pytest.mark.parametrize("beta", [0.4, 0.8])
    def test_a_small_lambda_gives_zero_gradients_on_nearly_all_maps(self, beta):
        truth = costs_of(3, count=64, height=6, width=6)
        images = torch.arange(64, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 48, 48, 3)
        maps = ImageMaps(images, truth, cheapest(truth))
        shares = {}
        for reduction in ("sum", "mean"):
            table = CostTable(costs_of(4, count=64, height=6, width=6))
            method = make_method("imle", beta=beta)
            (step,) = PerceptionTraining(table, method, maps, epochs=1, batch=64, loss_reduction=reduction)
            shares[reduction] = step.zeros
        assert shares["mean"] > 0.9
        assert shares["sum"] < 0.5


class TestClock:
    @pytest.fixture(autouse=True)
    def ticking(self, monkeypatch):
        """A clock that advances by 1 whenever it is read, so that every timed call takes 1."""
        ticks = iter(range(1000))
        monkeypatch.setattr(clocks, "time", SimpleNamespace(perf_counter=lambda: float(next(ticks))))

    @pytest.mark.parametrize(
        ("name", "solver", "noise"),
        [
            ("imle", 2, 1),
            ("central-imle", 3, 1),
            ("fenchel-young", 1, 1),
            ("straight-through", 1, 1),
            ("regression", 0, 0),
            ("tiles", 0, 0),
        ],
    )
    def test_it_adds_up_what_solver_and_noise_take_in_each_step(self, name, solver, noise):
        clock = Clock()
        method = noisy(name, clock=clock)
        for steps in (1, 2, 3):
            outcome(method, costs_of(1))
            assert (clock.solver, clock.noise) == (steps * solver, steps * noise)

    def test_without_noise_none_is_drawn(self):
        clock = Clock()
        outcome(make_method("imle", clock=clock), costs_of(1))
        assert (clock.solver, clock.noise) == (2, 0)

    def test_a_call_within_a_call_counts_once(self):
        clock = Clock()
        half = costs_of(1).half()  # which is not solved where noise is added
        make_method("imle", clock=clock).layer.solver.perturb_and_map(-half.unsqueeze(1), None, 0.0)
        assert clock.solver == 1

    def test_calls_of_several_threads_all_count(self):
        clock, meeting = Clock(), threading.Barrier(2)
        timed = clock.timed("solver", lambda: meeting.wait(20))
        both = [threading.Thread(target=timed) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert clock.solver > 1  # each time counts at least from its beginning to its end

    def test_failures_take_time_too(self):
        clock = Clock()
        with pytest.raises(ValueError, match="NaN"):
            make_method("imle", clock=clock).layer.solver(torch.full((1, 2, 2), torch.nan))
        assert clock.solver == 1

    def test_noise_that_was_handed_over_stays_as_it_was(self):
        noise, clocks = NormalNoiseDistribution(), (Clock(), Clock())
        methods = [noisy("imle", noise_distribution=noise, clock=clock) for clock in clocks]
        noise.sample((2, 2))
        assert (clocks[0].noise, clocks[1].noise) == (0, 0)
        outcome(methods[0], costs_of(1))
        assert (clocks[0].noise, clocks[1].noise) == (1, 0)

    def test_noise_that_takes_a_shape_alone(self):
        class Ones:
            def sample(self, shape):
                return torch.ones(shape)

        clock = Clock()
        losses, _ = outcome(make_method("imle", noise_distribution=Ones(), clock=clock), costs_of(1))
        torch.testing.assert_close(losses, hamming(cheapest(costs_of(1) - 1), GOLD))
        assert clock.noise == 1

    def test_the_solver_is_the_grid_s_and_keeps_known_paths(self):
        method = make_method("imle")
        outcome(method, costs_of(1))
        assert method.layer.solver.offered == len(costs_of(1))
        assert isinstance(method, ThroughSolver)
        assert isinstance(method.layer.solver.solver, GridPath)
        assert torch.equal(method.layer.solver(-costs_of(1)), cheapest(costs_of(1)))
