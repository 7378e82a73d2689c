"""Sizes of solutions, which a noise may want to know before it draws."""

from collections.abc import Sequence
from typing import Any

from imle_core.checks import ArgumentError, in_short
from imle_core.contracts.declarations import declared
from imle_core.contracts.protocols import Noise


def typical_ones(solver: Any, event: Sequence[int]) -> float | None:
    """Number of ones that a solver's solutions of this event shape typically have, >= 1; None where it does not say."""
    count = declared(solver, "typical_ones")
    ones = None if count is None else count(tuple(event))
    return None if ones is None else max(1.0, float(ones))


def sized(noise: Noise, solver: Any, event: Sequence[int]) -> Noise:
    """The noise for solutions of a solver: itself, or if it wants to know their size, the one for that.

    Raises:
        ArgumentError: it wants to know, and the solver does not say.
    """
    if not getattr(noise, "wants_size", False):
        return noise
    ones = typical_ones(solver, event)
    if ones is None:
        raise ArgumentError(
            "k",
            "None",
            f"it is the number of ones of a typical solution, and {in_short(solver)} has no typical_ones that says it",
            "give k: that of top-k, the nodes of a tree, 1.3 times the height of a map for a path across it",
        )
    given: Noise = noise.sized(ones)  # type: ignore[attr-defined]
    return given
