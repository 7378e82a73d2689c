"""Instances of several sizes: their offsets, and their entries in two layouts, one after the other and padded."""

from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core import checks
from imle_core.checks import ArgumentError, ArgumentTypeError
from imle_core.ragged import copies


class Instances:
    """Sizes of the B instances of a ragged batch, whose T entries lie one after the other or padded to one length n.

    Attributes:
        starts: numbers of the first entry of each instance, and T, ``(B + 1,)``.
        sizes: numbers of entries, ``(B,)``.
        longest: n, the largest of them; 0 where there is none.
        equal: whether all have as many.

    Args:
        starts: as above, checked.
    """

    def __init__(self, starts: NDArray[np.int64]) -> None:
        self.starts = starts
        self.sizes: NDArray[np.int64] = starts[1:] - starts[:-1]
        self.longest = int(self.sizes.max(initial=0))
        self.equal = bool(starts[-1] == self.longest * len(self.sizes))

    def __repr__(self) -> str:
        return f"Instances(sizes={self.sizes.tolist()})"

    def __len__(self) -> int:
        return len(self.sizes)

    def padded(self, values: Tensor, fill: float = 0.0, fill_empty: float = 0.0) -> Tensor:
        """Entries ``(B, n, *rest)`` of values ``(T, *rest)``.

        Beyond the entries of an instance they are ``fill``, or ``fill_empty`` for an instance without entries.
        """
        if self.equal:
            return values.reshape(len(self), self.longest, *values.shape[1:])
        return copies.padded(values.unsqueeze(0), self, fill, fill_empty).squeeze(1)

    def unpadded(self, padded: Tensor) -> Tensor:
        """Values ``(T, *rest)`` of entries ``(B, n, *rest)``."""
        if self.equal:
            return padded.flatten(0, 1)
        return copies.unpadded(padded.unsqueeze(1), self).squeeze(0)

    def unpadded_samples(self, padded: Tensor) -> Tensor:
        """Values ``(S, T, *rest)`` of samples ``(B, S, n, *rest)``."""
        if self.equal:
            return padded.transpose(0, 1).flatten(1, 2)
        return copies.unpadded(padded, self)

    def zero_beyond(self, padded: Tensor) -> Tensor:
        """Samples ``(B, S, n, *rest)`` with 0 beyond the entries of instances, whatever is there."""
        if self.equal:
            return padded
        beyond = torch.from_numpy(np.arange(self.longest) >= self.sizes[:, None]).to(padded.device)
        return padded.masked_fill(beyond.view(len(self), 1, self.longest, *[1] * (padded.dim() - 3)), 0.0)

    def padded_samples(self, flat: Tensor) -> Tensor:
        """Samples ``(B, S, n, *rest)`` of values ``(S, T, *rest)``; 0 beyond the entries of an instance."""
        if self.equal:
            return flat.reshape(len(flat), len(self), self.longest, *flat.shape[2:]).transpose(0, 1)
        return copies.padded(flat, self, 0.0, 0.0)

    def copies(self, nb_samples: int) -> bool:
        """True where :meth:`unpadded_samples` gives so many samples in memory of their own."""
        return not self.equal or min(len(self), nb_samples) > 1

    def rows_of_samples(self, flat: Tensor) -> Tensor:
        """Entries ``(S * T, *rest)`` of values ``(S, T, *rest)``, those of an instance's samples one after the other."""
        samples = np.arange(len(flat))
        sizes = np.repeat(self.sizes, len(flat))
        begins = (samples * self.starts[-1] + self.starts[:-1, None]).ravel()
        numbers = np.repeat(begins - np.append(0, sizes.cumsum())[:-1], sizes) + np.arange(sizes.sum())
        return flat.flatten(0, 1)[torch.from_numpy(numbers).to(flat.device)]

    @cached_property
    def by_size(self) -> dict[int, NDArray[np.int64]]:
        """Numbers of the instances of each size, but for those without entries."""
        return {int(size): np.flatnonzero(self.sizes == size) for size in np.unique(self.sizes) if size}

    def rows_by_size(self, rows: int) -> dict[int, Tensor]:
        """Numbers of the rows of each size, of so many rows, neighbours of which are samples of an instance."""
        samples = torch.arange(rows // max(len(self), 1))
        return {
            size: (torch.from_numpy(which)[:, None] * len(samples) + samples).flatten()
            for size, which in self.by_size.items()
        }


def instances_of(values: Any, offsets: Any) -> Instances:
    """Instances whose entries ``(T, *rest)`` lie one after the other, and begin and end at ``offsets``, ``(B + 1,)``.

    Raises:
        ArgumentError: values without an axis of entries or with NaN; offsets that are no whole numbers, do not begin at 0,
            fall, do not end at T, or are on another device.
        ArgumentTypeError: values or offsets of a wrong type.
    """
    _check_values(values)
    starts = _whole_numbers(offsets, values.device)
    if starts[0] != 0:
        raise ArgumentError("offsets", f"{starts[0]} as the first", "it must be 0", "put 0 in front of the ends")
    falls = starts[1:] < starts[:-1]
    if falls.any():
        at = int(falls.argmax())
        raise ArgumentError(
            "offsets",
            f"{starts[at + 1]} after {starts[at]}",
            "an instance cannot end before it begins",
            "give ends in order, as sizes.cumsum(0) does",
        )
    if starts[-1] != len(values):
        raise ArgumentError(
            "offsets",
            f"{starts[-1]} as the last for values of {len(values)} entries",
            "the last instance must end with them",
            "give the offsets of these values",
        )
    return Instances(starts)


def _check_values(values: Any) -> None:
    checks.check_floats(values, "values", "use values.float()")
    if values.dim() < 1:
        raise checks.wrong_shape(
            "values", values, "they must be (T, *rest), the entries of all instances", "use values.unsqueeze(0)"
        )
    if not copies.is_wrapped(values):
        checks.check_values(values, "values")


_RULE, _REMEDY = "they must be B + 1 whole numbers", "give where instances begin and the last one ends: [0, 3, 5]"


def _whole_numbers(offsets: Any, device: torch.device) -> NDArray[np.int64]:
    """Offsets ``(B + 1,)`` of any integer type, or a list of them."""
    numbers = _of_tensor(offsets, device) if isinstance(offsets, Tensor) else _of_list(offsets)
    if numbers.ndim != 1 or len(numbers) == 0:
        raise ArgumentError("offsets", f"shape {numbers.shape}", _RULE, _REMEDY)
    if numbers.dtype.kind not in "iu":
        raise ArgumentTypeError("offsets", str(numbers.dtype), _RULE, "give integers, as offsets.long() does")
    return numbers.astype(np.int64)  # a copy


def _of_tensor(offsets: Tensor, device: torch.device) -> NDArray[Any]:
    functorch = torch._C._functorch
    while functorch.is_functorch_wrapped_tensor(offsets) and not functorch.is_batchedtensor(offsets):
        offsets = functorch.get_unwrapped(offsets)  # such as one that is made within torch.func.grad
    if offsets.layout is not torch.strided or offsets.is_nested or functorch.is_functorch_wrapped_tensor(offsets):
        what = "a tensor without numbers of its own, such as one that torch.func maps"
        raise ArgumentTypeError("offsets", what, _RULE, "give a dense tensor, the same for all")
    if offsets.device != device:
        raise ArgumentError(
            "offsets",
            f"a tensor on {offsets.device} for values on {device}",
            "both must be on one device",
            f"use offsets.to({str(device)!r})",
        )
    if offsets.is_floating_point() or offsets.is_complex():  # NumPy does not know all of these
        raise ArgumentTypeError("offsets", str(offsets.dtype), _RULE, "use offsets.long()")
    with torch._C._DisableFuncTorch():  # which would wrap it once more
        numbers: NDArray[Any] = offsets.numpy() if device.type == "cpu" else offsets.cpu().numpy()
    return numbers


def _of_list(offsets: Any) -> NDArray[Any]:
    try:
        numbers = np.asarray(offsets)
    except (TypeError, ValueError, RuntimeError):
        numbers = np.empty(0, object)
    if numbers.dtype.kind not in "iufb":
        raise ArgumentTypeError("offsets", type(offsets).__name__, _RULE, _REMEDY)
    return numbers
