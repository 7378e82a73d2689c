"""Steps that are far too large or too small are told, once; float16 is not overrun in silence."""

import warnings

import pytest
import torch

from draws import generator, normal
from imle_core import (
    IMLE,
    AdaptiveTargetDistribution,
    GumbelNoiseDistribution,
    StepSizeWarning,
    SumOfGammaNoiseDistribution,
    TargetDistribution,
    ZeroGradientWarning,
    hamming,
    imle,
    perturb_and_map,
)
from imle_core.estimators import BlackboxInterpolation
from imle_core.estimators.step_watch import StepWatch
from imle_core.solvers import GridPath, TopK

SLOPES = torch.linspace(-0.1, 0.1, 10)


def layer(target, make=imle, **settings):
    return make(TopK(5), target, GumbelNoiseDistribution(), 10, generator=generator(5), **settings)


def gradient(estimator, scale, dtype=torch.float32):
    theta = torch.randn(64, 10, generator=generator(3)).to(dtype).requires_grad_()
    ((estimator(theta) * SLOPES.to(dtype)).sum() * scale).backward()
    return theta.grad


@pytest.mark.parametrize("make", [imle, BlackboxInterpolation])
def test_a_scaled_loss_is_told_once(make):
    estimator = layer(TargetDistribution(beta=1.0), make)
    message = (
        r"^lambda 1 times the largest upstream gradient 6.55e\+03, parameters of mean size 1.34: the target hardly depends "
        r"on them; if the loss is scaled by c, as torch.amp.GradScaler does, divide beta by c and take scale_gradient=True, "
        r"or take AdaptiveTargetDistribution; else take a smaller beta$"
    )
    with pytest.warns(StepSizeWarning, match=message):
        gradient(estimator, 65536.0)
    gradient(estimator, 65536.0)


@pytest.mark.parametrize("scale", [65536.0, 1 / 64])
def test_the_remedies_give_the_gradient_of_the_loss_itself(scale):
    for plain, scaled in (
        (
            layer(TargetDistribution(beta=1.0), scale_gradient=True),
            layer(TargetDistribution(beta=1 / scale), scale_gradient=True),
        ),
        (layer(AdaptiveTargetDistribution(beta=1.0)), layer(AdaptiveTargetDistribution(beta=1.0))),
    ):
        expected = gradient(plain, 1.0)
        assert expected.abs().sum() > 0
        torch.testing.assert_close(gradient(scaled, scale) / scale, expected)


@pytest.mark.parametrize("make", [imle, BlackboxInterpolation])
def test_a_step_that_moves_nothing_is_told_once(make):
    estimator = layer(TargetDistribution(beta=1.0), make)
    message = (
        r"^none of the 640 solutions that the loss pulls at moved, so that the gradient is 0 \(lambda 1 times the largest "
        r"upstream gradient 1e-07, parameters of mean size 1.34\); add the loss up where it is averaged, over rows or "
        r"entries or by loss / n, or take a larger lambda \(beta\), or AdaptiveTargetDistribution$"
    )
    with pytest.warns(ZeroGradientWarning, match=message):
        assert not gradient(estimator, 1e-6).any()
    assert not gradient(estimator, 1e-6).any()


@pytest.mark.parametrize(
    ("target", "slope", "theta"),
    [
        (TargetDistribution(beta=1.0), 1.0, [[1.8, 0.0]]),  # a step of the parameters' size that happens to move nothing
        (TargetDistribution(beta=1.0), -1.0, [[5.0, 0.0]]),  # the loss wants what is there
        (TargetDistribution(beta=1.0), 1.0, [[0.0, 5.0]]),  # likewise
        (TargetDistribution(beta=0.0), 1.0, [[5.0, 0.0]]),
        (TargetDistribution(beta=1.0), 0.0, [[5.0, 0.0]]),
        (TargetDistribution(beta=1.0), 1e6, [[0.0, 0.0]]),  # a start at 0
        (TargetDistribution(0.0, 1.0), 1e9, [[1.0, 0.0]]),  # theta plays no part
        (TargetDistribution(beta=1.0), 1.0, [[-torch.inf, 0.0]]),
        (AdaptiveTargetDistribution(beta=0.0), 1.0, [[1.0, 0.0]]),
    ],
)
def test_what_is_as_it_should_be_is_not_told(target, slope, theta):
    theta = torch.tensor(theta, requires_grad=True)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        (imle(TopK(1), target)(theta) * slope)[:, 0].sum().backward()
    assert not told


def test_it_is_told_once_in_evaluation_mode_too():
    module = IMLE(TopK(5), TargetDistribution(beta=1.0)).eval()
    with pytest.warns(StepSizeWarning):
        gradient(module, 65536.0)
    gradient(module, 65536.0)


def test_small_steps_at_the_end_of_a_training_are_not_told():
    estimator = layer(TargetDistribution(beta=1.0))
    for scale in (1.0, 1e-6, 1e-6, 1e-6):
        gradient(estimator, scale)


def test_the_mean_of_a_top_k_layer_is_told_with_its_reason():
    theta = normal(1, 6).requires_grad_()
    message = (
        r"^no solution that the loss pulls at moved, so that the gradient is 0 \(lambda 1 times the largest upstream "
        r"gradient 0.167, .* AdaptiveTargetDistribution; this loss pulls at all entries alike, which moves nothing where "
        r"all solutions have the same number of ones$"
    )
    with pytest.warns(ZeroGradientWarning, match=message):
        imle(TopK(2))(theta).mean().backward()
    assert not theta.grad.any()


def test_a_mean_over_rows_that_moves_hardly_any_solution_is_told():
    theta, slopes = normal(64, 12).requires_grad_(), normal(64, 12, seed=1)
    message = "^only 2 of the 64 solutions .* and the others have gradient 0 .* add the loss up"
    with pytest.warns(ZeroGradientWarning, match=message):
        (imle(TopK(3))(theta) * slopes).sum(dim=1).mean().backward()
    imle(TopK(3))(theta).mul(slopes).sum().backward()  # the sum of the same losses is as it should be


def paths_to_gold(reduction):
    """The first steps of a training on a map, as a first example has them, with this reduction of the loss."""
    costs = torch.ones(1, 8, 8)
    costs[:, 2:6, :6] = 9.0
    gold, theta = GridPath()(-costs), torch.full_like(costs, -1.0, requires_grad=True)
    noise = SumOfGammaNoiseDistribution(10.4, 100)
    paths = imle(GridPath(), TargetDistribution(1.0, 10.0), noise, 10, generator=generator())
    optimizer = torch.optim.Adam([theta], lr=0.05)
    for _ in range(40):
        loss = getattr(paths(theta) * (1 - gold) + (1 - paths(theta)) * gold, reduction)()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return int((GridPath()(theta) - gold).abs().sum())


@pytest.mark.slow
def test_the_mean_of_a_hamming_loss_is_told():
    with pytest.warns(ZeroGradientWarning, match="^none of the 10 solutions that the loss pulls at moved"):
        assert paths_to_gold("mean") > 0


@pytest.mark.slow
def test_a_training_that_arrives_is_not_told():
    assert paths_to_gold("sum") == 0


def test_a_start_at_the_gold_solutions_is_not_told():
    theta = normal(8, 6).requires_grad_()
    hamming(imle(TopK(2))(theta), TopK(2)(theta.detach())).sum().backward()
    assert not theta.grad.any()


def test_walls_do_not_count():
    theta = torch.tensor([[-torch.inf, 1.0, 0.0]], requires_grad=True)
    (imle(TopK(1))(theta) * torch.tensor([-1.0, -1.0, 1.0])).sum().backward()
    assert not theta.grad.any()


def test_parameters_are_perturbed_for_a_look_alone():
    watch, looks = StepWatch(), []

    def perturbed():
        looks.append(watch.passes)
        return torch.ones(1, 1, 2)

    for _ in range(9):
        watch.look(TargetDistribution(), perturbed, torch.ones(1, 1, 2), torch.ones(1, 1, 2), torch.ones(1, 1, 2), False)
    assert looks == [1, 2, 4, 8]


def test_no_entry_at_all():
    theta = torch.ones(0, 3, requires_grad=True)
    imle(TopK(1))(theta).sum().backward()
    assert theta.grad.shape == (0, 3)


class TestFloat16:
    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_lambda_times_a_gradient_is_computed_in_float32(self, dtype):
        theta, dy = torch.tensor([[300.0, -2.0]], dtype=dtype), torch.tensor([[60000.0, 3.0]], dtype=dtype)
        expected = (0.5 * theta.float() - 1.25 * dy.float()).to(dtype)
        assert torch.equal(TargetDistribution(0.5, 1.25).params(theta, dy), expected)
        # 2 * 40000 is too large for float16, less 49984 it is not
        theta, dy = torch.tensor([[49984.0]]).half(), torch.tensor([[40000.0]]).half()
        assert TargetDistribution(1.0, 2.0).params(theta, dy).tolist() == [[-30016.0]]

    @pytest.mark.parametrize("make", [imle, BlackboxInterpolation])
    def test_a_target_that_becomes_infinite_is_refused(self, make):
        message = (
            "^target_distribution: lambda times the upstream gradient makes 2 of 4 target parameters infinite or NaN in "
            "torch.float16; they must be finite where theta is; use a smaller lambda or loss scale, or "
            r"theta.float\(\)$"
        )
        theta = torch.tensor([[1.0, 2.0, 3.0, -torch.inf]]).half().requires_grad_()
        z = make(TopK(1), TargetDistribution(beta=1000.0))(theta)
        with pytest.raises(ValueError, match=message):
            (z * torch.tensor([100.0, -100.0, 1.0, 100.0]).half()).sum().backward()

    @pytest.mark.parametrize("solver", [TopK(1), GridPath()], ids=["top-k", "grid"])
    def test_noise_that_makes_parameters_infinite_is_refused(self, solver):
        theta = torch.full((1, 2, 2), -60000.0).half()
        theta[0, 0, 1] = -torch.inf
        message = (
            "^theta: noise makes [1-9] of 12 parameters infinite in torch.float16, which ends at 65504; they must stay "
            r"finite; use a lower temperature, or theta.float\(\)$"
        )
        for call in (
            lambda: imle(solver, None, GumbelNoiseDistribution(), 3, 60000.0, generator=generator())(theta),
            lambda: perturb_and_map(
                solver, theta, GumbelNoiseDistribution(), nb_samples=3, temperature=60000.0, generator=generator()
            ),
        ):
            with pytest.raises(ValueError, match=message):
                call()
        assert imle(solver, None, GumbelNoiseDistribution(), 3)(theta).isfinite().all()

    def test_walls_stay_walls(self):
        theta = torch.tensor([[1.0, -torch.inf, 2.0]]).half().requires_grad_()
        z = imle(TopK(1), TargetDistribution(0.0, 5.0))(theta)
        (z * torch.tensor([-1.0, -100.0, 1.0]).half()).sum().backward()
        assert theta.grad.tolist() == [[-1.0, 0.0, 1.0]]
