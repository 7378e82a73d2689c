"""Any finite set of structures, given as a list."""

import torch
from torch import Tensor

from imle_core.checks import ArgumentError, wrong_shape
from imle_core.exact.family import ExponentialFamily
from imle_core.exact.parameters import log_sum_exp

_LARGEST = 1e40


class Enumeration(ExponentialFamily):
    """``p(z) = softmax over z of <z, theta>`` over the structures of a list.

    They may have any finite numbers as entries, as ranks do. Where one is negative, theta = -inf is refused, since it
    would be a gain without end. ``Enumeration(family.states())`` keeps the states of another family, to ask for many
    expectations.

    Args:
        states: ``(M, *event)``, all different.

    Raises:
        ArgumentError: no states, states without entries, entries beyond 1e40 or NaN, or equal states; when called, -inf for
            states with negative entries; else as for :class:`ExponentialFamily`.

    >>> Enumeration(torch.tensor([[1.0, 2.0], [2.0, 1.0]])).marginals(torch.zeros(1, 2)).tolist()
    [[1.5, 1.5]]
    """

    def __init__(self, states: Tensor) -> None:
        if states.dim() < 2 or states.numel() == 0:
            raise wrong_shape("states", states, "they must be (M, *event), with M >= 1", "use states.unsqueeze(0) for one")
        super().__init__(tuple(states.shape[1:]))
        self._all = states.detach().to(torch.float64, copy=True)
        if not (self._all.abs() <= _LARGEST).all():
            worst = float(self._all[~(self._all.abs() <= _LARGEST)][0])
            raise ArgumentError(
                "states", f"an entry {worst:g}", "sums over entries must stay finite", f"keep them within {_LARGEST:g}"
            )
        distinct = len(self._all.unique(dim=0))
        if distinct < len(states):
            raise ArgumentError(
                "states",
                f"{len(states)}, of which {distinct} are distinct",
                "each may be there once",
                "use states.unique(dim=0)",
            )

    def __repr__(self) -> str:
        return f"Enumeration({len(self._all)} states, event={self.event})"

    def count(self) -> int:
        """Length of the list."""
        return len(self._all)

    def _states(self) -> Tensor:
        return self._all.clone()

    def _log_partition(self, theta: Tensor) -> Tensor:
        return log_sum_exp(self._scores(theta, self._all.to(theta.device)), dim=1)

    def _read(self, theta: Tensor) -> Tensor:
        if theta.isneginf().any() and bool((self._all < 0).any()):
            raise ArgumentError(
                "theta",
                f"{int(theta.isneginf().sum())} -inf for states with negative entries",
                "that would be a gain without end",
                "leave the states out",
            )
        return super()._read(theta)
