"""Weights and a capacity as whole numbers, of the largest unit that makes them so, since sums of these are exact."""

from fractions import Fraction
from math import gcd
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imle_core.checks import ArgumentError, shown

_TOO_LARGE = 2**63  # the first that int64 does not hold


class WholeWeights(NamedTuple):
    """Weights of a constraint ``<weights, z> <= capacity`` in whole units.

    Attributes:
        weights: int64, in the shape that was given; those above the capacity are one above it.
        capacity: at most the sum of the weights.
        times: power of ten that makes the weights as they were given whole.
    """

    weights: NDArray[np.int64]
    capacity: int
    times: int


def in_whole_units(weights: NDArray[Any], capacity: Any) -> WholeWeights:
    """Weights and a capacity >= 0 in whole units: decimal numbers as they are written, times a power of ten.

    Of a float the shortest decimal number is meant that it is nearest to, so that 4.02 weighs 402 hundredths.

    Raises:
        ArgumentError: weights that are no finite numbers >= 0, or that no scaling makes whole numbers of 63 bits; a capacity
            that is no number >= 0.
    """
    if weights.dtype.kind not in "biuf":
        raise ArgumentError("weights", f"{weights.dtype} entries", "they must be numbers >= 0", "give floats or integers")
    unfit = ~((weights >= 0) & (weights < np.inf))
    if unfit.any():
        raise ArgumentError("weights", str(weights[unfit][0]), "they must be finite numbers >= 0", "leave the item out")
    if (weights.astype(np.float64) >= _TOO_LARGE).any():
        raise ArgumentError("weights", str(weights.max()), "they must be below 2^63", "measure weights in larger units")
    room = _capacity(capacity)
    exact = [Fraction(str(weight)) if weights.dtype.kind == "f" else Fraction(int(weight)) for weight in weights.ravel()]
    times = 1
    while any(times % weight.denominator for weight in exact):
        times *= 10
    numbers = [int(weight * times) for weight in exact]
    divisor = gcd(*numbers) or 1
    numbers = [number // divisor for number in numbers]
    within = min(room * times // divisor, sum(numbers))
    if within >= _TOO_LARGE:
        sizes = sorted(weights[weights > 0].tolist())
        raise ArgumentError(
            "weights",
            f"{sizes[0]:g} beside {sizes[-1]:g}",
            "no scaling makes them whole numbers whose sum, or capacity, is below 2^63",
            "round them",
        )
    cut = np.array([min(number, within + 1) for number in numbers], np.int64)
    return WholeWeights(cut.reshape(weights.shape), int(within), times)


def _capacity(capacity: Any) -> Fraction:
    try:
        room = Fraction(str(capacity))
    except (ValueError, ZeroDivisionError):
        room = Fraction(-1)
    if isinstance(capacity, (bool, str)) or room < 0:
        raise ArgumentError(
            "capacity",
            shown(capacity.item() if isinstance(capacity, np.generic) else capacity),
            "it must be a finite number >= 0",
            "use the sum of the weights for no limit",
        )
    return room
