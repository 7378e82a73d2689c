"""Derivatives in forward mode, of which a solution has none."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad


class _Tangentless(torch.autograd.Function):
    """Refuses parameters with a tangent."""

    @staticmethod
    def forward(theta: Tensor) -> Tensor:
        return theta.new_empty(())

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:  # noqa: ARG004
        ctx.mark_non_differentiable(output)

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> Any:  # noqa: ARG004
        raise no_tangents()

    @staticmethod
    def vmap(info: Any, in_dims: Any, theta: Tensor) -> tuple[Tensor, None]:  # noqa: ARG004
        return _Tangentless.apply(theta), None  # type: ignore[no-untyped-call]


def check_tangent(theta: Tensor) -> None:
    """Outside of transforms, parameters must have no tangent.

    Raises:
        RuntimeError: they have one.
    """
    if forward_ad._current_level >= 0 and forward_ad.unpack_dual(theta).tangent is not None:
        raise no_tangents()


def check_tangent_below(theta: Tensor) -> None:
    """The same within transforms, where only an operation of autograd sees the tangent.

    Raises:
        RuntimeError: there is one.
    """
    if forward_ad._current_level >= 0:
        _Tangentless.apply(theta)  # type: ignore[no-untyped-call]


def no_tangents() -> RuntimeError:
    """The refusal of derivatives in forward mode."""
    return RuntimeError(
        "theta: it has a tangent, and a solution, which jumps, has none; estimates of gradients are made in backward passes "
        "alone; use torch.func.grad, vjp or jacrev in place of jvp, jacfwd and hessian"
    )
