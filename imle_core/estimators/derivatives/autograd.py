"""The samples of a layer as an operation of autograd, whose gradient is the estimator's."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from imle_core.estimators.arguments import Arguments
from imle_core.estimators.derivatives import autocast, transforms
from imle_core.estimators.derivatives.tangents import no_tangents
from imle_core.estimators.derivatives.transforms import Estimator


class _Estimate(torch.autograd.Function):
    @staticmethod
    def forward(
        theta: Tensor,  # noqa: ARG004
        eps: Tensor | None,  # noqa: ARG004
        z: Tensor,
        layer: Estimator,
        arguments: Arguments,  # noqa: ARG004
        finite: bool,  # noqa: ARG004
    ) -> Tensor:
        states = layer.reduce(z)
        if layer.reduction == "mean":
            return states
        if layer.instances is not None and layer.instances.copies(z.shape[1]):
            return states.detach()
        return states.clone()  # to be written in; the backward pass needs z

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        *tensors, ctx.layer, ctx.arguments, ctx.finite = inputs
        ctx.precision = autocast.precision(tensors[0])
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        theta, eps, z = ctx.saved_tensors
        if torch.is_grad_enabled() or torch._C._are_functorch_transforms_active():  # create_graph, or dy has axes in front
            work = partial(ctx.layer.gradient, finite=ctx.finite)
            with autocast.at(ctx.precision):
                gradient = transforms.work_on(theta, eps, z, dy, ctx.layer, work, ctx.arguments)
        else:
            with autocast.at(ctx.precision):
                gradient = ctx.layer.gradient(theta, eps, z, dy, ctx.arguments, ctx.finite)
        return gradient, None, None, None, None, None

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> Any:  # noqa: ARG004
        raise no_tangents()


_apply = super(torch.autograd.Function, _Estimate).apply


def differentiable_states(theta: Tensor, *inputs: Any) -> Tensor:
    """Samples in the reduction of their layer, with a gradient.

    Outside of torch's compiler the call leaves out to read the signature of ``_Estimate.apply``, half of its time.
    """
    needs_more = (
        torch.compiler.is_compiling()  # first, since it cannot look into the other question
        or torch._C._functorch.is_functorch_wrapped_tensor(theta)
    )
    output: Tensor = (_Estimate.apply if needs_more else _apply)(theta, *inputs)  # type: ignore[no-untyped-call]
    return output
