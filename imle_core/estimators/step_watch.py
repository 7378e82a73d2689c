"""Notices of a step lambda that is far too large, or too small, for the parameters that it moves."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from imle_core.contracts import is_pure

_LARGE, _SMALL = 1000.0, 0.01


class StepSizeWarning(UserWarning):
    """Lambda times the upstream gradient is so large that the target hardly depends on theta."""


class ZeroGradientWarning(StepSizeWarning):
    """Lambda times the upstream gradient is so small that no solution moved: the gradient is 0."""


@contextmanager
def steps_of_any_size() -> Iterator[None]:
    """Context without warnings about steps, for studies that take far too large and small ones on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StepSizeWarning)
        yield


class StepWatch:
    """Holds ``lambda * max|dy|`` against the mean size ``m`` of the perturbed parameters, ``mean |theta + tau_in * eps|``.

    Above ``1000 m`` the target is the upstream gradient alone, as where ``torch.amp.GradScaler`` multiplies the loss by
    65536. Below ``0.01 m``, and if no solution of a batch has moved so far, the gradient is 0, as where a mean over many
    entries or ``loss / n`` divides lambda; where solutions have moved, a small gradient is a training that has come to its
    end. Either is told once by a warning. To cost next to nothing, it looks at the backward passes 1, 2, 4, 8 and so on.
    Infinite entries of theta do not count.
    """

    def __init__(self) -> None:
        self.passes, self.moved = 0, False
        self.told: set[type[StepSizeWarning]] = set()

    def look(self, target: Any, perturbed: Callable[[], Tensor], dy: Tensor, moved: Tensor) -> None:
        """Looks at a backward pass.

        Args:
            target: where the parameters move; nothing is said of one without a fixed lambda, one that leaves theta out, or
                one whose ``step_size`` might notice the question.
            perturbed: gives the perturbed parameters of the forward pass, ``(B, S, *event)``; called only for a look.
            dy: upstream gradients, likewise.
            moved: differences of solutions, likewise.
        """
        self.passes += 1
        if self.passes & (self.passes - 1) or not is_pure(target, "step_size"):
            return
        if not hasattr(target, "step_size") or getattr(target, "alpha", 1.0) == 0:
            return
        self.moved = self.moved or bool(moved.any())
        theta = perturbed()
        passable = theta.isfinite()
        step = target.step_size(theta.flatten(0, 1), dy.flatten(0, 1))
        if isinstance(step, Tensor) or not step or not passable.any():
            return
        size = float(theta[passable].abs().mean(dtype=torch.float64))
        reach = step * float(dy[passable].abs().max())
        if size and reach > _LARGE * size:
            self._tell(
                StepSizeWarning,
                reach,
                size,
                "the target hardly depends on them; if the loss is scaled by c, as torch.amp.GradScaler does, divide beta "
                "by c and take scale_gradient=True, or take AdaptiveTargetDistribution; else take a smaller beta",
            )
        elif 0 < reach < _SMALL * size and not self.moved:
            self._tell(
                ZeroGradientWarning,
                reach,
                size,
                "no solution moved and the gradient is 0; add the loss up where it is averaged, over rows or entries or by "
                "loss / n, or take a larger beta, or AdaptiveTargetDistribution",
            )

    def _tell(self, kind: type[StepSizeWarning], reach: float, size: float, what: str) -> None:
        if kind not in self.told:
            self.told.add(kind)
            warnings.warn(
                f"lambda times the largest upstream gradient is {reach:.3g}, the mean size of parameters {size:.3g}: {what}",
                kind,
                stacklevel=2,
            )
