"""The score function estimator: a loss in any form, weighted with the score of the distribution that was sampled."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from imle_core import checks, contracts
from imle_core.estimators.arguments import Arguments, copied
from imle_core.estimators.compiling import operators
from imle_core.estimators.density import check_density, check_leave_one_out, relative_gradient
from imle_core.estimators.derivatives import transforms
from imle_core.estimators.expectation import Loss
from imle_core.estimators.families import FamilyOfInstances
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.layer import Backward, Draw, Layer
from imle_core.exact import ExponentialFamily, check_family, exact_family

Baseline = Literal["none", "leave-one-out"]


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class ScoreFunction(Layer):
    """``g = mean_s (f(z_s) - b_s) d/dtheta log p_s``: unbiased for every loss f, differentiable or not. Call ``estimate``.

    With a solver, ``p_s`` is the density of the perturbed parameters, ``d/dtheta log p_s = nu'(eps_s) / tau_in`` for noise
    with density ``exp(-nu)``, and the gradient that of ``E f(MAP(theta + tau eps))``. With ``family``, samples are exact
    ones of ``p(z) ~ exp(<z, theta> / tau_in)``, no solver is called, no noise is used, and the score is
    ``(z_s - E z) / tau_in``. The baseline "leave-one-out" is the mean loss of the other samples, which needs two or more.

    Source: Williams 1992 (REINFORCE); leave-one-out: Kool, van Hoof, Welling 2019, "Buy 4 REINFORCE samples".

    Args:
        baseline: b.
        family: exact distribution of the states instead of the solver's under noise; "solver" for the one that fits it.
    """

    baseline: Baseline = "none"
    family: ExponentialFamily | Literal["solver"] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.check_name("baseline", self.baseline, get_args(Baseline))
        if self.baseline == "leave-one-out":
            check_leave_one_out(None if self.family else self.noise, self.nb_samples)
        if self.family is None:
            check_density(self.noise, "the score function")
        if self.family == "solver":
            check_family(self.solver, "the exact score function")

    def check_packed(self, solver: Any) -> None:
        """Only a family that was given, of packed solutions ``(total,)``, is exact for several tensors."""
        if self.family == "solver":
            check_family(solver, "the exact score function")

    @property
    def draws_noise(self) -> bool:
        """True where states are sampled, exactly or by noise."""
        return self.samples_exactly or super().draws_noise

    @property
    def samples_exactly(self) -> bool:
        """True with an exact family above temperature 0."""
        return self.family is not None and self.input_temperature != 0

    def draw(self, theta: Tensor, arguments: Arguments) -> Draw:
        """Noise and samples of the solver, or exact samples."""
        if self.family is None:
            return super().draw(theta, arguments)
        if self.input_temperature == 0:
            return super().draw(theta, arguments).alone("the exact score function")
        with self.drawing(theta):
            family = self._exact(theta, arguments)
            return Draw(None, family.sample(theta / self.input_temperature, self.nb_samples, self.generator))

    def expected(
        self, theta: Tensor, loss: Loss, args: tuple[Any, ...], kwargs: dict[str, Any], return_states: bool
    ) -> Tensor | tuple[Tensor, Any]:
        """``mean_s f(z_s)``, ``(B,)``, with the score function gradient; f's own parameters get their usual gradient.

        The loss f gets single samples under any reduction. In the backward pass temperature 0 is refused.
        """
        z, make_score = self._sampled(theta, args, kwargs)
        states = self.reduce(z).clone() if return_states else None
        rows = z.flatten(0, 1)
        own = rows if self.family is None else rows.clone()  # a loss may write in them, and an exact score needs z
        losses = self._losses(theta, contracts.losses_of(loss, own).view(z.shape[:2]), make_score)
        return losses if states is None else (losses, states)

    def _losses(self, theta: Tensor, values: Tensor, make_score: Callable[[], Tensor]) -> Tensor:
        """Means of the losses ``values`` ``(B, S)`` of samples, with their gradient by the score."""
        mean = values.mean(dim=1)
        if not (torch.is_grad_enabled() and theta.requires_grad):
            return mean
        if self.input_temperature == 0:
            return mean + _without_gradient(theta)
        with torch.no_grad():
            height = values
            if self.baseline == "leave-one-out":  # values less the mean of the others
                height = (values - mean[:, None]) * self.nb_samples / (self.nb_samples - 1)
            score = make_score()
            gradient = self.signed(self.over_samples(height.view(*height.shape, *[1] * (score.dim() - 2)) * score))
            gradient.masked_fill_(theta.isinf(), 0.0)
        moved = torch.where(theta.isinf(), 0.0, theta - theta.detach())  # 0, but with a gradient
        return mean + (moved * gradient).flatten(1).sum(dim=1)

    def _sampled(self, theta: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Tensor, Callable[[], Tensor]]:
        """Samples, and a function that gives their score."""
        if torch.compiler.is_compiling() and not torch._C._are_functorch_transforms_active():
            draw = operators.drawn(self, theta, args, kwargs, alone=True)
            return draw.z, partial(draw.score, theta.detach())
        arguments = copied(args, kwargs)
        eps, z, _ = self.sampled(theta, arguments)
        return z, partial(transforms.work_on, theta.detach(), eps, z, None, self, self.score, arguments)

    def noise_free(self) -> "ScoreFunction":
        """The same layer with one sample, and no noise or baseline."""
        return replace(self, nb_samples=1, input_temperature=0.0, target_temperature=0.0, baseline="none")

    def sample_gradients(self, call: Backward) -> Tensor:  # noqa: ARG002
        """Refused: the upstream gradient does not tell the loss."""
        raise checks.ArgumentTypeError(
            "score-function", "a gradient", "it needs the loss, not its gradient", "call layer.estimate(theta, loss)"
        )

    def score(self, theta: Tensor, eps: Tensor | None, z: Tensor, _: Any, arguments: Arguments) -> Tensor:
        """``d/dtheta log p``, ``(B, S, *event)``, for parameters (or costs) ``(B, *event)``."""
        if self.family is None:
            return relative_gradient(self.noise, eps, self.input_temperature)
        theta = self.signed(theta)
        mean = self._exact(theta, arguments).marginals(theta / self.input_temperature).to(z)
        return (z - mean.unsqueeze(1)) / self.input_temperature

    def _exact(self, theta: Tensor, arguments: Arguments) -> ExponentialFamily | FamilyOfInstances:
        if self.instances is not None:
            return FamilyOfInstances(self._family_of, self.instances, arguments)
        return self._family_of(theta, arguments)

    def _family_of(self, theta: Tensor, arguments: Arguments, instance: int | None = None) -> ExponentialFamily:
        if isinstance(self.family, ExponentialFamily):
            return self.family
        return exact_family(self.solver, theta, arguments, instance)


def _without_gradient(theta: Tensor) -> Tensor:
    """Zeros ``(B,)`` through which no gradient can flow to theta: at temperature 0 there is no score."""

    def refuse(_: Tensor) -> None:
        raise checks.ArgumentError("input_noise_temperature", "0", "a score needs a temperature > 0", "use 1 for a start")

    zeros = torch.where(theta.isinf(), 0.0, theta - theta.detach()).flatten(1).sum(dim=1)
    zeros.register_hook(refuse)
    return zeros
