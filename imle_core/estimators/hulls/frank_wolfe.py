"""Regularised Frank-Wolfe: the best mean of solutions under a quadratic price, over any solver and without noise."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from imle_core import checks
from imle_core.checks import tuple_in_short
from imle_core.estimators.arguments import Arguments, copied
from imle_core.estimators.decisions.decision_loss import NoiseFree
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.hulls.regularised import regularised
from imle_core.estimators.layer import Backward, Draw
from imle_core.estimators.projections import Face


class Certified(NamedTuple):
    """Regularised solutions with a bound of their error.

    Attributes:
        z: ``(B, *event)``.
        gap: duality gap of each, ``(B,)`` float64: no mean of solutions has an objective that is greater by more.
    """

    z: Tensor
    gap: Tensor

    def __repr__(self) -> str:
        return tuple_in_short(self)


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class FrankWolfe(NoiseFree):
    """``argmax <theta, m> - a/2 |m|^2`` over the convex hull of solutions, with a the input noise temperature.

    Deterministic, one state an instance: noise, samples and the target play no part. The gradient is exact, ``1/a`` times
    the projection of the upstream gradient on the face of the hull that the state lies on. At a = 0, as in evaluation mode
    of a module, the state is the solution of theta, and the gradient 0.

    Source: Dalle et al. 2022 (arXiv 2207.13513); the hull by Wolfe 1976; its derivative as that of any projection.
    """

    word: ClassVar[str] = "frank-wolfe"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "nb_samples", 1)

    def __call__(self, theta: Any, /, *args: Any, **kwargs: Any) -> Any:
        """States ``(B, *event)``, or ``(B, 1, *event)`` under the reduction "stacked"."""
        if not isinstance(theta, Tensor) or theta.is_nested or checks.are_hidden():
            return super().__call__(theta, *args, **kwargs)
        checks.check_theta(theta)
        parameters = self.signed(theta)
        face = regularised(self, parameters, copied(args, kwargs), self.word)
        return self.reduce(_OnFace.apply(parameters, face, self.input_temperature).unsqueeze(1))  # type: ignore[no-untyped-call]

    def certified(self, theta: Tensor, /, *args: Any, **kwargs: Any) -> Certified:
        """The same states, ``(B, *event)`` and without a gradient, and how far from the optimum they can be.

        Raises:
            ArgumentError: as in a call.
            ArgumentTypeError: likewise.
        """
        checks.check_theta(theta)
        face = regularised(self, self.signed(theta), copied(args, kwargs), self.word)
        return Certified(face.point.view(theta.shape).to(theta), face.gap * self.input_temperature)

    def draw(self, theta: Tensor, arguments: Arguments) -> Draw:
        """States ``(B, 1, *event)`` for parameters to be maximised ``(B, *event)``."""
        face = regularised(self, theta, arguments, self.word)
        return Draw(None, face.point.view(theta.shape).to(theta).unsqueeze(1))

    @property
    def draws_noise(self) -> bool:
        """False."""
        return False

    @property
    def samples_exactly(self) -> bool:
        """True: a forward pass is more than one solve."""
        return True

    def sample_gradients(self, call: Backward) -> Tensor:
        """Upstream gradients along the face of the state, which is looked for again."""
        face = regularised(self, call.theta[:, 0], call.arguments, self.word)
        return _along(face, call.dy[:, 0], self.input_temperature).unsqueeze(1)


def _along(face: Face, dy: Tensor, scale: float) -> Tensor:
    """The product of an upstream gradient ``(B, *event)`` and the derivative of the state."""
    return (face.along(dy.flatten(1).cpu()) / (scale or 1.0)).view(dy.shape).to(dy)


class _OnFace(torch.autograd.Function):
    @staticmethod
    def forward(theta: Tensor, face: Face, scale: float) -> Tensor:  # noqa: ARG004
        return face.point.view(theta.shape).to(theta)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        _, ctx.face, ctx.scale = inputs

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        checks.check_upstream(dy)
        return _along(ctx.face, dy, ctx.scale), None, None
