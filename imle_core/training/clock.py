"""Time of a training that goes into solving and into drawing noise, and a solver that is watched for it."""

import functools
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from imle_core.checks import in_short
from imle_core.contracts import Known, declared


class Clock:
    """Seconds spent in the solver and in drawing noise, which may run inside each other's callers, and rows solved.

    Attributes:
        solver: seconds in the solver.
        noise: seconds in drawing noise.
        solves: rows of parameters that the solver was given.
    """

    def __init__(self) -> None:
        self.solver = self.noise = 0.0
        self.solves = 0
        self._running = threading.local()

    def __repr__(self) -> str:
        return f"Clock(solver={self.solver:.3g} s, noise={self.noise:.3g} s, {self.solves} solves)"

    def timed(self, name: Literal["solver", "noise"], function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose time is added up here, once where it calls another one of this name."""

        @functools.wraps(function)
        def measured(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._running, name, False):
                return function(*args, **kwargs)
            if any(isinstance(value, Tensor) and value.is_cuda for value in args):
                torch.cuda.synchronize()  # else the solver would be charged for what it waits for
            setattr(self._running, name, True)
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                setattr(self._running, name, False)
                setattr(self, name, getattr(self, name) + time.perf_counter() - began)

        return measured


class WatchedSolver:
    """A solver whose time and rows are added up by a clock; it declares what the solver does.

    Args:
        solver: the solver.
        clock: the clock.
    """

    def __init__(self, solver: Callable[..., Any], clock: Clock) -> None:
        self.solver, self.clock = solver, clock
        self._solve = clock.timed("solver", solver)
        fused = declared(solver, "perturb_and_map")
        self._fused = None if fused is None else clock.timed("solver", fused)

    def __repr__(self) -> str:
        return in_short(self.solver)

    def __call__(self, theta: Tensor, /, *args: Any, **kwargs: Any) -> Any:
        """Solutions of the solver, ``(N, *event)``."""
        self.clock.solves += len(theta)
        return self._solve(theta, *args, **kwargs)

    @property
    def perturb_and_map(self) -> Callable[..., Tensor] | None:
        """The solver's own, if it has one."""
        return None if self._fused is None else self._perturb_and_map

    def _perturb_and_map(self, theta: Tensor, eps: Tensor | None, temperature: float, known: Known | None = None) -> Tensor:
        self.clock.solves += (theta if eps is None else eps).shape[:2].numel()
        return self._fused(theta, eps, temperature, known)  # type: ignore[misc, no-any-return]


_DECLARED = (
    *("pure", "sense", "domain", "floor", "clamped", "seen", "kept", "offered", "typical_ones", "typical_ones_of_each"),
    *("takes_padding", "solve_ragged", "by_instance", "outputs_like", "offsets", "members", "grow", "normals"),
)


def _of_solver(name: str) -> property:
    return property(lambda watched: declared(watched.solver, name), doc=f"What the solver declares by ``{name}``.")


for _name in _DECLARED:
    setattr(WatchedSolver, _name, _of_solver(_name))
