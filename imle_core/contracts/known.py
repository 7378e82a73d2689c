"""Solutions that are known when others are asked for."""

from dataclasses import dataclass

from torch import Tensor

from imle_core.checks import Record


@dataclass(frozen=True, repr=False)
class Known(Record):
    """Solutions ``z = MAP(theta + temperature * eps)`` from before, for noise that is known from elsewhere.

    Attributes:
        theta: parameters, ``(B, 1 or S, *event)``.
        temperature: that of the noise.
        z: solutions, ``(B, S, *event)``.
    """

    theta: Tensor
    temperature: float
    z: Tensor
