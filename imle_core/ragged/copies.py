"""Copies between the two layouts of a ragged batch; each is the other's derivative."""

import math
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Layout(Protocol):
    """What copies need of :class:`.Instances`, which documents it."""

    @property
    def starts(self) -> NDArray[np.int64]: ...  # noqa: D102
    @property
    def sizes(self) -> NDArray[np.int64]: ...  # noqa: D102
    @property
    def longest(self) -> int: ...  # noqa: D102

    def __len__(self) -> int: ...


def padded(flat: Tensor, instances: Layout, fill: float, fill_empty: float) -> Tensor:
    """Samples ``(B, S, n, *rest)`` of values ``(S, T, *rest)``.

    Beyond the entries of an instance they are ``fill``, or ``fill_empty`` for an instance without entries.
    """
    return _apply(_Pad, flat, instances, fill, fill_empty)


def unpadded(values: Tensor, instances: Layout) -> Tensor:
    """Values ``(S, T, *rest)`` of samples ``(B, S, n, *rest)``."""
    return _apply(_Unpad, values, instances)


def _apply(function: type[torch.autograd.Function], tensor: Tensor, *inputs: Any) -> Tensor:
    """``function.apply``: outside of torch's compiler and transforms without reading its signature, half of its time."""
    needs_more = is_wrapped(tensor) or torch._C._are_functorch_transforms_active()
    quick: Any = super(torch.autograd.Function, function)
    output: Tensor = (function.apply if needs_more else quick.apply)(tensor, *inputs)
    return output


class _Pad(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(flat: Tensor, instances: Layout, fill: float, fill_empty: float) -> Tensor:
        samples, _, *rest = flat.shape
        result = flat.new_full((len(instances), samples, instances.longest, *rest), fill)
        if fill_empty != fill and not instances.sizes.all():
            result[torch.from_numpy(instances.sizes == 0).to(flat.device)] = fill_empty
        if flat.numel() == 0:
            return result
        if has_memory(flat):
            from imle_core.ragged.kernels import copies  # here, since numba takes half a second to import

            copies.pad(_bytes(flat, 1), _bytes(result, 2), _starts(flat, instances))
            return result
        numbers = _numbers(instances, flat.device)
        return (
            result.transpose(1, 2)
            .flatten(0, 1)
            .index_copy(0, numbers, flat.transpose(0, 1))
            .view(len(instances), instances.longest, samples, *rest)
            .transpose(1, 2)
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        ctx.instances = inputs[1]

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        return unpadded(dy, ctx.instances), None, None, None


class _Unpad(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(values: Tensor, instances: Layout) -> Tensor:
        samples, rest = values.shape[1], values.shape[3:]
        result = values.new_empty(samples, int(instances.starts[-1]), *rest)
        if result.numel() == 0:
            return result
        if has_memory(values):
            from imle_core.ragged.kernels import copies  # here, since numba takes half a second to import

            copies.unpad(_bytes(values, 2), _bytes(result, 1), _starts(result, instances))
            return result
        entries = values.transpose(1, 2).flatten(0, 1).index_select(0, _numbers(instances, values.device))
        return entries.transpose(0, 1).contiguous()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        ctx.instances = inputs[1]

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        return padded(dy, ctx.instances, 0.0, 0.0), None


def is_wrapped(tensor: Tensor) -> bool:
    """True where a transform of torch stands between the tensor and its memory."""
    compiling = torch.compiler.is_compiling()  # first, since the compiler cannot look into the other question
    return compiling or torch._C._functorch.is_functorch_wrapped_tensor(tensor)


def has_memory(tensor: Tensor) -> bool:
    """True of a tensor on the CPU with memory that kernels can read."""
    return tensor.device.type == "cpu" and not is_wrapped(tensor)


def _bytes(tensor: Tensor, kept: int) -> NDArray[np.uint8]:
    """Bytes of the entries; the first so many axes are kept, and all others make one."""
    array: NDArray[np.uint8] = tensor.detach().contiguous().view(-1).view(torch.uint8).numpy()
    return array.reshape(*tensor.shape[:kept], -1)


def _starts(flat: Tensor, instances: Layout) -> NDArray[np.int64]:
    """First bytes of instances in a sample of ``flat``, ``(S, T, *rest)``."""
    return instances.starts * (math.prod(flat.shape[2:]) * flat.element_size())


def _numbers(instances: Layout, device: torch.device) -> Tensor:
    """Numbers of the T entries among the ``B * n`` padded ones."""
    firsts = np.arange(len(instances)) * instances.longest - instances.starts[:-1]
    return torch.from_numpy(np.repeat(firsts, instances.sizes) + np.arange(instances.starts[-1])).to(device)
