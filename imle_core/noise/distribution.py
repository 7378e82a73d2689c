"""The base of noise distributions.

Every class has ``sample(shape, *, dtype, device, generator)``, ``mean``, ``variance``, ``cdf(x)`` and,
where its density has a gradient, ``score(x)``.
Draws are made in float64 and then rounded to the wanted type, so that narrow types lose precision but no tail. On the CPU,
compiled code makes them of a key that is drawn from the generator, elsewhere torch does.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from imle_core.checks import ArgumentError

_CHUNK = 2**16  # entries drawn at once: their temporaries stay in the cache
_REACH = 40.0  # deviations from the mean within which all draws lie

Device = torch.device | str | None


class NoiseDistribution(ABC):
    """Independent, identically distributed noise with a known distribution.

    Attributes:
        mean: of a draw.
        variance: of a draw.
        device: where ``sample`` puts its draws when it is not told.
    """

    pure = True
    device: Device = None
    mean: float
    variance: float

    @property
    def lacks_score(self) -> str | None:
        """Reason why the distribution has no usable ``score``; None where it has one."""
        return None

    @abstractmethod
    def score(self, x: Tensor) -> Tensor:
        """``d/dx log p(x)`` for the density p, in x's shape and type; where there is none, it is not to be called."""

    def sample(
        self,
        shape: Sequence[int],
        *,
        dtype: torch.dtype | None = None,
        device: Device = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Draws a tensor of independent values.

        Args:
            shape: shape of the result, any, empty ones included.
            dtype: floating type of the result; torch's default type if None.
            device: device of the result; if None the noise's own, else the generator's, else torch's default device.
            generator: source of randomness; torch's global one if None. Draws are made where it lives and then moved.
        """
        device = self.device if device is None else device
        target = None if device is None else torch.device(device)
        source = generator.device if generator is not None else target or torch.get_default_device()
        values = torch.empty(torch.Size(shape), dtype=dtype or torch.get_default_dtype(), device=source)
        self._fill(values.view(-1), generator)
        return values.to(target or source)

    @abstractmethod
    def cdf(self, x: ArrayLike) -> NDArray[np.float64]:
        """``P(X <= x)`` at every entry of ``x``."""

    def _fill(self, values: Tensor, generator: torch.Generator | None) -> None:
        """Overwrites ``values``, one-dimensional, with draws."""
        working = torch.float32 if values.device.type == "mps" else torch.float64
        for chunk in values.split(_CHUNK):
            chunk.copy_(self._draw(len(chunk), values.device, working, generator))

    @abstractmethod
    def _draw(self, count: int, device: torch.device, dtype: torch.dtype, generator: torch.Generator | None) -> Tensor: ...


class CompiledNoise(NoiseDistribution):
    """Noise that compiled code draws on the CPU."""

    _remedy: str
    _fitting: frozenset[torch.dtype] = frozenset()  # types that were checked

    @property
    @abstractmethod
    def _settings(self) -> tuple[str, str]:
        """Names of its settings, and their values, for messages."""

    def check_type(self, dtype: torch.dtype) -> None:
        """Draws rounded to a floating type must be finite, and not all the same.

        Raises:
            ArgumentError: mean and deviation lie outside what the type holds.
        """
        if dtype in self._fitting:
            return
        kind, size = torch.finfo(dtype), abs(self.mean)
        deviation = math.sqrt(self.variance)
        if not (size + _REACH * deviation <= kind.max and deviation > kind.eps * max(size, kind.smallest_normal)):
            name, got = self._settings
            raise ArgumentError(
                name,
                got,
                f"draws of mean {self.mean:.2g} and deviation {deviation:.2g} must be finite and differ in {dtype}, which "
                f"ends at {kind.max:.2g} and rounds to {kind.eps:.0g} of a number",
                self._remedy,
            )
        self._fitting |= {dtype}

    def _fill(self, values: Tensor, generator: torch.Generator | None) -> None:
        self.check_type(values.dtype)
        if values.device.type != "cpu":
            super()._fill(values, generator)
            return
        wide = values if values.dtype in (torch.float32, torch.float64) else values.double()
        key = torch.empty((), dtype=torch.int64, device=values.device).random_(generator=generator)
        self._fill_array(wide.numpy(), int(key), torch.get_num_threads())
        if wide is not values:
            values.copy_(wide)

    def sample_ragged(
        self, shape: Sequence[int], sizes: NDArray[np.int64], keys: NDArray[np.int64], *, dtype: torch.dtype, device: Device
    ) -> Tensor:
        """Draws for instances of several sizes; see :class:`imle_core.contracts.RaggedNoise`."""
        self.check_type(dtype)
        wide = dtype if dtype in (torch.float32, torch.float64) else torch.float64
        make = torch.empty if (sizes == shape[2]).all() else torch.zeros
        values = make(torch.Size(shape), dtype=wide, device="cpu")
        rest = math.prod(shape[3:])
        out = values.view(shape[0], shape[1], shape[2] * rest).numpy()
        self._fill_instances(out, sizes * rest, keys, torch.get_num_threads())
        return values.to(dtype).to(device)

    @abstractmethod
    def _fill_array(self, out: NDArray[np.floating], key: int, threads: int) -> None:
        """Overwrites ``out``, ``(n,)`` float32 or float64, with draws that depend on the key and their positions alone."""

    @abstractmethod
    def _fill_instances(
        self, out: NDArray[np.floating], sizes: NDArray[np.int64], keys: NDArray[np.int64], threads: int
    ) -> None:
        """Overwrites the first ``sizes[b]`` entries of ``out[b, s]``, ``(B, S, n)``, as ``_fill_array`` with ``keys[b]``."""
