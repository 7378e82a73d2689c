"""The layer of losses over a pool of solutions, which solve nothing."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from imle_core import checks
from imle_core.contracts import asked, declared
from imle_core.estimators.decisions.decision_loss import DecisionLoss
from imle_core.estimators.frozen import telling_how_to_change


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class PoolLoss(DecisionLoss):
    """A loss over a pool of K solutions, the same for all instances.

    Args:
        pool: solutions ``(K, *event)``, K >= 1; or an object whose attribute ``members`` are these, asked in each call, such
            as a :class:`imle_core.solvers.SolutionPool`. By default the solver, if it has them. A pool that can grow does so
            before, in calls that want a gradient.

    Raises:
        ArgumentError: neither is given.
    """

    pool: Any = field(default=None, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self._members() is None:
            rule = f"{self.word} learns from a pool of solutions"
            raise checks.ArgumentError("pool", "missing", rule, "give pool=..., a tensor (K, *event)", verb="")

    def _members(self) -> Any:
        if self.pool is None:
            return declared(self.solver, "members")
        return getattr(self.pool, "members", self.pool)

    def members(self, theta: Tensor) -> Tensor:
        """The pool, grown if it can, ``(K, *event)``, in theta's type."""
        source = self.solver if self.pool is None else self.pool
        grow = declared(source, "grow")
        if grow is not None and torch.is_grad_enabled() and theta.requires_grad:
            grow(asked(source, theta.detach(), "max"))
        pool = self._members()
        checks.check_numbers(pool, "pool")
        if pool.dim() != theta.dim() or pool.shape[1:] != theta.shape[1:] or not len(pool):
            beside = f" for theta of shape {tuple(theta.shape)}"
            raise checks.wrong_shape("pool", pool, "it must be (K, *event)", "give at least one solution", beside)
        solutions: Tensor = pool.detach().to(theta)
        return solutions
