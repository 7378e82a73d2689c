"""Independent choices: one of several each, or yes and no."""

from math import prod

import torch
from torch import Tensor

from imle_core.exact.family import ExponentialFamily
from imle_core.exact.parameters import choose, flips, log_sum_exp


class Categorical(ExponentialFamily):
    """``p(z) = prod softmax(theta)`` over z with exactly one 1 along the last axis: a product of categorical choices.

    ``A = sum logsumexp(theta)`` over the last axis. The structures are those of :class:`~imle_core.solvers.ArgMax`.

    Args:
        event: shape of a structure; its last axis is chosen along.

    Raises:
        ArgumentError: as for :class:`ExponentialFamily`.

    >>> Categorical(2).marginals(torch.tensor([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """

    def __repr__(self) -> str:
        return f"Categorical(event={self.event})"

    def count(self) -> int:
        """``K^c`` for c choices among K."""
        return int(self.event[-1] ** prod(self.event[:-1]))

    def _states(self) -> Tensor:
        options = torch.eye(self.event[-1], dtype=torch.float64)
        choices = torch.cartesian_prod(*[torch.arange(self.event[-1])] * prod(self.event[:-1]))
        return options[choices].view(-1, *self.event)

    def _log_partition(self, theta: Tensor) -> Tensor:
        return log_sum_exp(theta.reshape(len(theta), prod(self.event[:-1]), self.event[-1]), dim=2).sum(dim=1)

    def _sample(self, theta: Tensor, nb_samples: int, generator: torch.Generator | None) -> Tensor:
        scores = theta.unsqueeze(1).expand(-1, nb_samples, *self.event)
        return torch.nn.functional.one_hot(choose(scores, generator), self.event[-1])


class Hypercube(ExponentialFamily):
    """``p(z) = prod sigmoid(theta)^z (1 - sigmoid(theta))^(1 - z)`` over all z of zeros and ones: independent bits.

    ``A = sum log(1 + exp theta)``.

    Args:
        event: shape of a structure.

    Raises:
        ArgumentError: as for :class:`ExponentialFamily`.

    >>> Hypercube(2).marginals(torch.tensor([[0.0, -torch.inf]])).tolist()
    [[0.5, 0.0]]
    """

    def __repr__(self) -> str:
        return f"Hypercube(event={self.event})"

    def count(self) -> int:
        """``2^n``."""
        return int(2 ** prod(self.event))

    def _states(self) -> Tensor:
        shifts = torch.arange(prod(self.event) - 1, -1, -1)
        bits = torch.arange(self.count()).unsqueeze(1).bitwise_right_shift(shifts).bitwise_and_(1)
        return bits.to(torch.float64).view(-1, *self.event)

    def _log_partition(self, theta: Tensor) -> Tensor:
        # Not softplus, which torch rounds to the identity above 20.
        return log_sum_exp(torch.stack([torch.zeros_like(theta), theta], dim=-1), dim=-1).flatten(1).sum(dim=1)

    def _sample(self, theta: Tensor, nb_samples: int, generator: torch.Generator | None) -> Tensor:
        return flips(theta.unsqueeze(1).expand(-1, nb_samples, *self.event).contiguous(), generator)
