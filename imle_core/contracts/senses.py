"""Senses: what theta is, gains or costs, and what a solver gets for it."""

from collections.abc import Callable
from typing import Any, Literal

from torch import Tensor

from imle_core.contracts.calls import map_states
from imle_core.contracts.declarations import declared

Sense = Literal["max", "min"]
"""Whether what a user has is to be maximised, as gains are, or minimised, as costs are."""


def takes_costs(solver: Any, sense: str) -> bool:
    """True of a solver that minimises: by what it declares, or where it declares nothing by the user's ``sense``.

    One that declares that it maximises gets minus a user's costs.
    """
    does = declared(solver, "sense")
    return bool((does if does in ("max", "min") else sense) == "min")


def asked(solver: Any, given: Tensor, sense: str) -> Tensor:
    """Parameters that a solver gets for a user's gains under "max", or costs under "min"."""
    return -given if (sense == "min") != takes_costs(solver, sense) else given


def solve(solver: Callable[[Tensor], Tensor], given: Tensor, sense: str) -> Tensor:
    """Best solutions ``(N, *event)`` for gains under "max", or costs under "min", of the same shape, without noise.

    Raises:
        ArgumentTypeError: the solver gives no dense tensor of real numbers.
        ArgumentError: the solver gives another shape, or NaN.
    """
    rows = asked(solver, given.detach(), sense)
    return map_states(solver, rows.unsqueeze(1)).squeeze(1)
