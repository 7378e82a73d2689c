"""Notices of a step lambda that is far too large, or too small, for the parameters that it moves."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from imle_core.contracts import is_pure

_LARGE, _SMALL = 1000.0, 0.5
_FEW = 0.05  # a lambda that suits a problem moves nearly all solutions that are pulled at, a mean over rows hardly any


class StepSizeWarning(UserWarning):
    """Lambda times the upstream gradient is so large that the target hardly depends on theta."""


class ZeroGradientWarning(StepSizeWarning):
    """The loss pulls at solutions, and none of them moved, or hardly any: their gradient is 0."""


@contextmanager
def steps_of_any_size() -> Iterator[None]:
    """Context without warnings about steps, for studies that take far too large and small ones on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StepSizeWarning)
        yield


class StepWatch:
    """Watches over lambda: is it far too large for the parameters, or too small to move their solutions?

    Its reach is ``lambda * max|dy|``, the size of the parameters ``m = mean |theta + tau_in * eps|``. Above 1000 m it is far
    too large: the target is the upstream gradient alone, as where ``torch.amp.GradScaler`` multiplies the loss by 65536.

    Below m/2 it is too small if none of the solutions that the loss pulls at has moved, so that the gradient is 0, as
    where a mean over rows or ``loss / n`` divides lambda; or, where gradients are not divided by lambda, if fewer than 1 in
    20 have. The loss pulls at a solution where an entry of its upstream gradient is positive although the entry of the
    solution is not as small as any, or negative although it is not as large as any. So nothing is said

    * where the upstream gradient is 0, or confirms what is there, as at the end of a training with gold solutions;
    * once solutions have moved, since gradients that become 0 then are a training that has come to its end;
    * where lambda is 0, has no fixed size, or plays no part (alpha = 0).

    Either is told once by a warning. To cost next to nothing, it looks at the backward passes 1, 2, 4, 8 and so on.
    Infinite entries of theta do not count.
    """

    def __init__(self) -> None:
        self.passes, self.moves = 0, False
        self.told: set[type[StepSizeWarning]] = set()

    def look(
        self, target: Any, perturbed: Callable[[], Tensor], dy: Tensor, z: Tensor, difference: Tensor, divides: bool
    ) -> None:
        """Looks at a backward pass.

        Args:
            target: where the parameters move; nothing is said of one without a fixed lambda, one that leaves theta out, or
                one whose ``step_size`` might notice the question.
            perturbed: gives the perturbed parameters of the forward pass, ``(B, S, *event)``; called only for a look.
            dy: upstream gradients, likewise.
            z: solutions of the forward pass, likewise.
            difference: differences of solutions, likewise.
            divides: whether gradients are divided by lambda, which may then be small on purpose.
        """
        self.passes += 1
        if self.passes & (self.passes - 1) or not is_pure(target, "step_size"):
            return
        if not hasattr(target, "step_size") or getattr(target, "alpha", 1.0) == 0:
            return
        theta = perturbed()
        passable = theta.isfinite()
        step = target.step_size(theta.flatten(0, 1), dy.flatten(0, 1))
        if isinstance(step, Tensor) or not step or not passable.any():
            return
        size = float(theta[passable].abs().mean(dtype=torch.float64))
        slopes = dy[passable]
        slope = float(slopes.abs().max())
        figures = f"lambda {step:.3g} times the largest upstream gradient {slope:.3g}, parameters of mean size {size:.3g}"
        if size and step * slope > _LARGE * size:
            self._tell(StepSizeWarning, f"{figures}: {_TOO_LARGE}")
        if self.moves:
            return
        pulled = _pulled(dy, z, passable)
        moved, asked = int((pulled & _rows(difference != 0)).sum()), int(pulled.sum())
        few = moved == 0 or (moved < _FEW * asked and not divides)
        self.moves = asked > 0 and not few
        if asked and few and step * slope < _SMALL * size:
            same = _SAME if (slopes == slopes[0]).all() else ""
            self._tell(ZeroGradientWarning, f"{_still(moved, asked)} ({figures}); {_TOO_SMALL}{same}")

    def _tell(self, kind: type[StepSizeWarning], text: str) -> None:
        if kind not in self.told:
            self.told.add(kind)
            warnings.warn(text, kind, stacklevel=2)


_TOO_LARGE = (
    "the target hardly depends on them; if the loss is scaled by c, as torch.amp.GradScaler does, divide beta by c and take "
    "scale_gradient=True, or take AdaptiveTargetDistribution; else take a smaller beta"
)
_TOO_SMALL = (
    "add the loss up where it is averaged, over rows or entries or by loss / n, or take a larger lambda (beta), or "
    "AdaptiveTargetDistribution"
)
_SAME = "; this loss pulls at all entries alike, which moves nothing where all solutions have the same number of ones"


def _still(moved: int, asked: int) -> str:
    if moved:
        return f"only {moved} of the {asked} solutions that the loss pulls at moved, and the others have gradient 0"
    none = f"none of the {asked} solutions" if asked > 1 else "no solution"
    return f"{none} that the loss pulls at moved, so that the gradient is 0"


def _pulled(dy: Tensor, z: Tensor, passable: Tensor) -> Tensor:
    """True for each of the solutions ``z`` ``(B, S, *event)`` of which the gradient ``dy`` asks for more than it gives."""
    return _rows((((dy > 0) & (z > z.min())) | ((dy < 0) & (z < z.max()))) & passable)


def _rows(entries: Tensor) -> Tensor:
    """True for each ``(B, S)`` that has an entry."""
    return entries.flatten(2).any(dim=2)
