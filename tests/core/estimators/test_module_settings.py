"""Settings of a module that change while it learns: numbers, schedules, their state, and passes that count."""

import copy
import io
import pickle
import re

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from draws import generator, gradient, normal
from imle_core import (
    IMLE,
    AdaptiveTargetDistribution,
    ArgumentError,
    GumbelNoiseDistribution,
    KnownTargetDistribution,
    LayerModule,
    NormalNoiseDistribution,
    TargetDistribution,
    imle,
)
from imle_core.estimators import differentiable
from imle_core.estimators.frozen import FrozenError
from imle_core.solvers import TopK

KNOBS = {"input_noise_temperature": 0.5, "target_noise_temperature": 0.25, "nb_samples": 3, "lambda_": 2.0}


def module(**settings):
    return IMLE(TopK(2), TargetDistribution(1.0, 1.0), NormalNoiseDistribution(), generator=generator(5), **settings)


def falling(passes):
    """A schedule that can be pickled."""
    return 1 / (passes + 1)


def loaded(state, into):
    stream = io.BytesIO()
    torch.save(state, stream)
    stream.seek(0)
    into.load_state_dict(torch.load(stream, weights_only=True))
    return into


class TestNumbers:
    def test_what_is_set_holds_as_if_it_had_been_given_at_first(self):
        changed = module(reduction="mean")
        for name, value in KNOBS.items():
            setattr(changed, name, value)
            assert getattr(changed, name) == value
        target, noise = TargetDistribution(1.0, 2.0), NormalNoiseDistribution()
        given = IMLE(TopK(2), target, noise, 3, 0.5, 0.25, reduction="mean", generator=generator(5))
        theta, dy = normal(4, 6), normal(4, 6, seed=1)
        assert torch.equal(gradient(changed, theta, dy), gradient(given, theta, dy))
        assert repr(changed) == repr(given)

    def test_a_backward_pass_has_the_settings_of_its_forward_pass(self):
        theta, dy = normal(4, 6).requires_grad_(), normal(4, 6, seed=1)
        layer = module()
        output = layer(theta)
        layer.lambda_, layer.target_noise_temperature, layer.nb_samples = 100.0, 9.0, 7
        output.backward(dy)
        assert torch.equal(theta.grad, gradient(module(), theta, dy))

    @pytest.mark.parametrize("reduction", ["none", "stacked", "mean"])
    def test_they_are_those_of_every_estimator(self, reduction):
        law = NormalNoiseDistribution()
        layer = differentiable("simple", TopK(2), None, law, reduction=reduction, generator=generator())
        changed = LayerModule(layer)
        changed.nb_samples, changed.input_noise_temperature = 5, 3.0
        again = differentiable("simple", TopK(2), None, law, 5, 3.0, reduction=reduction, generator=generator())
        assert torch.equal(changed(normal(2, 6)), again(normal(2, 6)))
        assert layer.nb_samples == 1

    def test_modules_of_the_same_layer_have_settings_of_their_own(self):
        layer = imle(TopK(2), TargetDistribution(1.0, 1.0), NormalNoiseDistribution()).estimator
        first, second = LayerModule(layer), LayerModule(layer)
        first.lambda_, first.nb_samples = 7.0, 2
        assert (second.lambda_, second.nb_samples, layer.target.lambda_, layer.nb_samples) == (1.0, 1, 1.0, 1)
        assert first.target is first.estimator.target

    def test_the_step_of_an_adaptive_target_is_where_it_goes_on(self):
        target = AdaptiveTargetDistribution(step=0.5)
        layer = LayerModule(imle(TopK(2), target).estimator)
        layer.lambda_ = 3.0
        layer(normal(2, 6).requires_grad_()).sum().backward()
        assert layer.target is target
        assert layer.lambda_ == float(target.beta) != 3.0
        assert "lambda_" not in layer.state_dict()["_extra_state"]

    def test_a_target_that_is_a_module_of_the_user_s(self):
        class Target(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.lambda_ = 1.0

            def params(self, theta, dy):
                return theta - self.lambda_ * dy

        layer = IMLE(TopK(2), Target())
        layer.lambda_ = 4.0
        assert loaded(layer.state_dict(), IMLE(TopK(2), Target())).target.lambda_ == 4.0

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("input_noise_temperature", -1.0, "got -1.0; it must be a finite number >= 0; use 0 for no noise"),
            ("target_noise_temperature", "hot", "got str; it must be a number; give one such as 1.0"),
            ("nb_samples", 0, "got 0; it must be a whole number >= 1; use 1 for a single sample"),
            ("nb_samples", lambda _: 1.5, "after 0 passes its schedule gave 1.5; it must be a whole number >= 1; use 1 for"),
            ("lambda_", float("inf"), "got inf; it must be a finite number >= 0; the usual value is 1"),
            ("lambda_", lambda _: None, "after 0 passes its schedule gave NoneType; it must be a number; give one"),
            ("eval_samples", -1, "got -1; it must be a whole number >= 0; use 0 for the noise-free state"),
            ("eval_samples", lambda _: 1, "got <function"),
            ("passes", 0.5, "got 0.5; it must be a whole number >= 0; use 0 to begin anew"),
            ("beta", 1.0, "got 1.0 for a module; a module has it for good; make another module, or set lambda_"),
            ("reduction", "mean", "got 'mean' for a module; a module has it for good; make another module"),
        ],
    )
    def test_what_cannot_be_set_is_refused_and_changes_nothing(self, name, value, message):
        layer = module()
        before = repr(layer), str(layer.state_dict())
        with pytest.raises(ArgumentError, match=f"^{name}: {re.escape(message)}"):
            setattr(layer, name, value)
        assert (repr(layer), str(layer.state_dict())) == before
        assert not layer.schedules

    def test_a_parameter_gets_no_gradient_and_is_not_registered(self):
        layer = module()
        with pytest.raises(
            ArgumentError, match=r"no gradient reaches a setting; .* or divide theta by it, at temperature 1$"
        ):
            layer.input_noise_temperature = torch.nn.Parameter(torch.ones(()))
        assert not list(layer.parameters())

    def test_a_target_without_a_step(self):
        layer = IMLE(TopK(2), KnownTargetDistribution(torch.zeros(6)))
        assert layer.lambda_ is None
        message = (
            "lambda_: got 2 for KnownTargetDistribution; it has no step of that name; take TargetDistribution(), or give "
            "your target an attribute lambda_"
        )
        with pytest.raises(ArgumentError, match=f"^{re.escape(message)}$"):
            layer.lambda_ = 2.0
        assert loaded(module().state_dict(), layer).lambda_ is None
        assert loaded(layer.state_dict(), module()).lambda_ == 1.0

    def test_a_step_that_cannot_be_set(self):
        class Target:
            lambda_ = property(lambda _: 1.0)

            def params(self, theta, dy):
                return theta - dy

        with pytest.raises(ArgumentError, match=r"^lambda_: got 2 for Target; its attribute lambda_ cannot be set: "):
            IMLE(TopK(2), Target()).lambda_ = 2.0

    def test_solver_target_and_layer_can_be_set_too(self):
        layer, theta, dy = module(), normal(4, 6), normal(4, 6, seed=1)
        layer.solver, layer.target = TopK(3), AdaptiveTargetDistribution(beta=2.0)
        assert "target.beta" in layer.state_dict()
        expected = IMLE(TopK(3), AdaptiveTargetDistribution(beta=2.0), NormalNoiseDistribution(), generator=generator(5))
        assert torch.equal(gradient(layer, theta, dy), gradient(expected, theta, dy))
        layer.estimator = module().estimator
        assert layer.target is layer.estimator.target
        assert torch.equal(gradient(layer, theta, dy), gradient(module(), theta, dy))

    def test_what_is_no_layer(self):
        message = r"^layer: got Differentiable; it must be a Layer; take IMLE, or the estimator of what imle made$"
        with pytest.raises(ArgumentError, match=message):
            LayerModule(imle(TopK(2)))

    def test_settings_that_the_estimator_cannot_have(self):
        law = NormalNoiseDistribution()
        layer = LayerModule(differentiable("perturbed", TopK(2), None, law, 3, baseline="leave-one-out"))
        for name in ("nb_samples", "eval_samples"):
            with pytest.raises(ArgumentError, match=f"^{name}: got 1; the baseline 'leave-one-out' needs 2 or more"):
                setattr(layer, name, 1)


class TestSchedules:
    def test_each_pass_asks_once_by_the_number_of_those_before(self):
        asked = []

        def schedule(passes):
            asked.append(passes)
            return 0.5**passes

        layer = module(input_noise_temperature=schedule)
        assert (asked, layer.input_noise_temperature) == ([0], 1.0)
        asked.clear()
        for _ in range(3):
            layer(normal(2, 6).requires_grad_())
        assert (asked, layer.input_noise_temperature, layer.passes) == ([0, 1, 2], 0.25, 3)
        layer.input_noise_temperature = 2.0
        layer(normal(2, 6))
        assert (asked, layer.input_noise_temperature, layer.passes) == ([0, 1, 2], 2.0, 4)

    @pytest.mark.parametrize("name", KNOBS)
    def test_a_schedule_is_the_same_as_setting_numbers(self, name):
        theta, dy = normal(4, 6), normal(24, 6, seed=1)
        by_hand, by_itself = module(nb_samples=2), module(nb_samples=2)
        setattr(by_itself, name, lambda passes: passes + 1)
        for passes in range(3):
            setattr(by_hand, name, passes + 1)
            rows = dy[: 4 * by_hand.nb_samples]
            assert torch.equal(gradient(by_hand, theta, rows), gradient(by_itself, theta, rows))

    def test_what_does_not_count(self):
        layer, theta = module(input_noise_temperature=falling), normal(2, 6).requires_grad_()
        with torch.no_grad():
            layer(theta)
        with torch.inference_mode():
            layer(theta)
        layer.eval()(theta)
        layer.train()
        with pytest.raises(ArgumentError, match=r"^theta: "):
            layer(theta[0])
        assert (layer.passes, layer.input_noise_temperature) == (0, 1.0)
        layer.estimate(theta, lambda z: z[:, 0])
        assert layer.passes == 1

    @pytest.mark.parametrize("reentrant", [False, True])
    def test_a_recomputation_has_the_settings_of_its_first_pass_and_does_not_count(self, reentrant):
        results = []
        for use in (False, True):
            layer = module(nb_samples=2, input_noise_temperature=falling)
            layer.lambda_ = lambda passes: passes + 1.0
            thetas = [normal(2, 6, seed=seed).requires_grad_() for seed in range(3)]
            outputs = [checkpoint(layer, theta, use_reentrant=reentrant) if use else layer(theta) for theta in thetas]
            for output in (outputs[1], outputs[0], outputs[2]):
                (output * normal(6, seed=9)).sum().backward()
            results.append([theta.grad for theta in thetas])
            assert layer.passes == 3
        assert all(torch.equal(*pair) for pair in zip(*results, strict=True))
        assert not torch.equal(results[0][0], results[0][1])

    def test_what_a_schedule_gives_is_checked_when_it_is_used(self):
        layer = module(nb_samples=lambda passes: 2 - passes)
        theta = normal(2, 6)
        assert [len(layer(theta)), len(layer(theta))] == [4, 2]
        message = "nb_samples: after 2 passes its schedule gave 0; it must be a whole number >= 1; use 1 for a single sample"
        with pytest.raises(ArgumentError, match=f"^{message}$"):
            layer(theta)
        assert layer.passes == 2
        assert repr(layer.eval()) == (
            "IMLE(TopK(k=2), TargetDistribution(alpha=1, lambda_=1), NormalNoiseDistribution(location=0, scale=1), "
            "scheduled: nb_samples)"
        )

    def test_an_error_of_a_schedule_is_its_own(self):
        layer = module()
        layer.lambda_ = [1.0, 2.0].__getitem__
        for _ in range(2):
            layer(normal(2, 6))
        with pytest.raises(IndexError):
            layer(normal(2, 6))
        assert layer.eval()(normal(2, 6)).shape == (2, 6)
        assert layer.state_dict()["_extra_state"]["lambda_"] == 2.0

    def test_a_module_as_a_schedule_is_no_part_of_the_layer(self):
        class Halving(torch.nn.Module):
            def forward(self, passes):
                return 0.5**passes

        layer = module()
        layer.target_noise_temperature = Halving()
        assert (layer.target_noise_temperature, list(layer.children())) == (1.0, [])

    def test_an_adaptive_target_has_none(self):
        layer = IMLE(TopK(2), AdaptiveTargetDistribution())
        message = "lambda_: got a schedule; AdaptiveTargetDistribution moves its step by itself; take TargetDistribution()"
        with pytest.raises(ArgumentError, match=f"^{re.escape(message)}$"):
            layer.lambda_ = falling


class TestState:
    def test_a_resumed_run_goes_on_where_it_was(self):
        def run(layer, passes):
            return [gradient(layer, normal(2, 6), normal(2, 6, seed=seed)) for seed in range(passes)]

        whole, first = (module(input_noise_temperature=falling, eval_samples=2) for _ in range(2))
        run(whole, 2)
        run(first, 2)
        resumed = loaded(first.state_dict(), module(input_noise_temperature=falling))
        assert (resumed.passes, resumed.input_noise_temperature, resumed.eval_samples) == (2, 0.5, 2)
        ahead = [gradient(layer, normal(2, 6), normal(2, 6)) for layer in (whole, resumed)]
        assert torch.equal(*ahead)
        assert resumed.input_noise_temperature == 1 / 3

    def test_settings_are_loaded_and_those_of_an_older_state_are_left(self):
        first = module()
        for name, value in KNOBS.items():
            setattr(first, name, value)
        second = loaded(first.state_dict(), module())
        assert {name: getattr(second, name) for name in KNOBS} == KNOBS
        older = {"_extra_state": {"generator": generator(7).get_state()}}
        second.load_state_dict(older, strict=True)
        assert {name: getattr(second, name) for name in KNOBS} == KNOBS
        assert torch.equal(second.estimator.generator.get_state(), generator(7).get_state())

    def test_a_module_without_the_schedule_takes_its_last_number(self):
        scheduled = module(input_noise_temperature=falling)
        for _ in range(2):
            scheduled(normal(2, 6))
        plain = loaded(scheduled.state_dict(), module())
        plain(normal(2, 6))
        assert (plain.input_noise_temperature, plain.passes) == (0.5, 3)

    def test_a_state_that_cannot_be_is_refused_by_name(self):
        state = module().state_dict()
        state["_extra_state"]["nb_samples"] = 0
        with pytest.raises(ArgumentError, match=r"^nb_samples: got 0; "):
            module().load_state_dict(state)

    @pytest.mark.parametrize("pickled", [False, True])
    def test_copies_and_pickles_go_on_alike_and_apart(self, pickled):
        layer = module(input_noise_temperature=falling, eval_samples=3)
        layer(normal(2, 6))
        twin = pickle.loads(pickle.dumps(layer)) if pickled else copy.deepcopy(layer)
        layer.nb_samples = 4
        assert (twin.passes, twin.nb_samples, twin.eval_samples, twin.schedules) == (1, 1, 3, layer.schedules)
        twin.nb_samples = 4
        assert torch.equal(layer(normal(2, 6)), twin(normal(2, 6)))
        assert torch.equal(layer.eval()(normal(2, 6)), twin.eval()(normal(2, 6)))
        layer.train()(normal(2, 6))
        assert (layer.passes, twin.passes) == (3, 2)

    def test_the_whole_module_can_be_saved(self):
        stream = io.BytesIO()
        layer = module(input_noise_temperature=falling)
        layer(normal(2, 6))
        torch.save(layer, stream)
        stream.seek(0)
        again = torch.load(stream, weights_only=False)
        assert torch.equal(layer(normal(2, 6)), again(normal(2, 6)))
        assert again.input_noise_temperature == 0.5


class TestEvaluation:
    @pytest.mark.parametrize(("reduction", "shape"), [("none", (8, 6)), ("stacked", (2, 4, 6)), ("mean", (2, 6))])
    def test_it_draws_as_many_samples_as_are_asked_for(self, reduction, shape):
        layer, theta = module(nb_samples=2, reduction=reduction, eval_samples=4), normal(2, 6)
        as_in_training = module(nb_samples=4, reduction=reduction)(theta)
        drawn = layer.eval()(theta)
        assert drawn.shape == shape
        assert torch.equal(drawn, as_in_training)
        assert layer.estimate(theta, lambda z: z[:, 0]).shape == (2,)
        layer.eval_samples = 0
        assert torch.equal(layer(theta).view(2, 6), TopK(2)(theta))

    def test_it_leaves_the_noise_of_the_training_alone(self):
        theta = normal(3, 6)
        apart, plain = module(eval_samples=5), module()
        for _ in range(2):
            first, second = apart.eval()(theta), apart(theta)
            assert not torch.equal(first, second)
            assert torch.equal(apart.eval()(theta), first)
            assert torch.equal(apart.train()(theta), plain(theta))

    def test_a_seed_that_is_set_meanwhile_counts(self):
        theta, layer = normal(3, 6), module(eval_samples=5).eval()
        layer(theta)
        layer.estimator.generator.manual_seed(7)
        expected = module(nb_samples=5)
        expected.estimator.generator.manual_seed(7)
        assert torch.equal(layer(theta), expected(theta))

    def test_it_has_the_temperature_of_the_last_pass(self):
        layer = IMLE(TopK(2), None, GumbelNoiseDistribution(), 1, lambda passes: 0.0 * passes, 0.0, eval_samples=3)
        theta = normal(2, 6)
        assert torch.equal(layer.eval()(theta), TopK(2)(theta).repeat_interleave(3, dim=0))

    def test_the_loss_of_gold_solutions_has_as_many(self):
        law = GumbelNoiseDistribution()
        layer = LayerModule(differentiable("fenchel-young", TopK(2), None, law, generator=generator()), eval_samples=9)
        theta, gold = normal(2, 6), TopK(2)(normal(2, 6, seed=1))
        expected = differentiable("fenchel-young", TopK(2), None, law, 9, generator=generator())
        assert torch.equal(layer.eval()(theta, gold), expected(theta, gold))


class TestFrozen:
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (
                "input_noise_temperature",
                "got 0.5 for a layer; a layer is frozen once it is made; set it on a module, module = LayerModule(layer), "
                "or make another one with dataclasses.replace(layer, input_temperature=...)",
            ),
            (
                "reduction",
                "got 0.5 for a layer; a layer is frozen once it is made; make another one with "
                "dataclasses.replace(layer, reduction=...)",
            ),
            ("colour", "got 0.5 for a layer; a layer is frozen once it is made; keep it beside the layer: it is none of"),
        ],
    )
    def test_a_layer_says_what_to_do_instead(self, name, message):
        layer = differentiable("blackbox", TopK(2))
        with pytest.raises(AttributeError, match=f"^{name}: {re.escape(message)}") as error:
            setattr(layer, name, 0.5)
        assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)
        bare = FrozenError.__new__(FrozenError)  # as libraries make errors of other processes
        bare.args, bare.__dict__ = error.value.args, error.value.__dict__
        assert str(bare) == str(error.value)

    @pytest.mark.parametrize("name", [*KNOBS, "eval_samples", "reduction", "beta"])
    def test_a_function_does_too(self, name):
        layer = imle(TopK(2))
        with pytest.raises(ArgumentError, match=f"^{name}: got 2 for a layer; .* make another one with imle"):
            setattr(layer, name, 2)
        layer.note = "an attribute of the user's own, as of any function"

    def test_the_step_of_a_target_is_checked_when_it_is_set(self):
        target = TargetDistribution()
        target.lambda_ = 3.0
        assert target.beta == 3.0
        with pytest.raises(ArgumentError, match=r"^lambda_: got -3\.0; it must be"):
            target.lambda_ = -3.0


class TestLearnedTemperature:
    """Theta divided by a temperature that is learned: perturbed at temperature 1, E z = softmax(theta / tau)."""

    THETA, LOSS = torch.tensor([[0.8, -0.4, 0.1]], dtype=torch.float64), torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)

    def gradient(self, layer, tau=1.7):
        tau = torch.tensor(tau, dtype=torch.float64, requires_grad=True)
        layer.estimate(self.THETA / tau, lambda z: z @ self.LOSS).sum().backward()
        return float(tau.grad)

    def expected_loss(self, tau):
        return float((self.THETA / tau).softmax(dim=1) @ self.LOSS)

    def test_an_exact_estimator_gives_the_slope_of_the_expected_loss(self):
        layer = differentiable("simple", TopK(1), nb_samples=2, generator=generator())
        slope = (self.expected_loss(1.7 + 1e-5) - self.expected_loss(1.7 - 1e-5)) / 2e-5
        assert self.gradient(layer) == pytest.approx(slope, rel=1e-6)

    def test_i_mle_gives_the_slope_along_its_own_step(self):
        step, tau, samples = 0.8, 1.7, 20_000
        target, law = TargetDistribution(1.0, step), GumbelNoiseDistribution()
        module = IMLE(TopK(1), target, law, samples, scale_gradient=True, generator=generator())
        theta = self.THETA / tau
        mean = (theta.softmax(dim=1) - (theta - step * self.LOSS).softmax(dim=1)) / step
        exact = float(-(mean * self.THETA).sum() / tau**2)
        # A sample's difference has entries of size 1/step at most, times theta.
        error = float(self.THETA.abs().sum()) / tau**2 / step / samples**0.5
        assert abs(self.gradient(module) - exact) < 4 * error < 0.1 * abs(exact)
