"""Sequences of labels with transitions: linear-chain conditional random fields."""

import torch
from torch import Tensor

from imle_core.checks import ArgumentError, check_whole, wrong_shape
from imle_core.exact.family import ExponentialFamily
from imle_core.exact.parameters import NEVER, choose, log_sum_exp, wide_parameters


class Chain(ExponentialFamily):
    """``p(z) = exp(<z, theta> + sum_t T[y_t, y_{t+1}] - A)`` over sequences y of labels, z their one-hot masks.

    ``log a_t(y) = theta_t(y) + logsumexp_x (log a_{t-1}(x) + T[x, y])`` and ``A = logsumexp_y log a_L(y)``:
    ``O(L K^2)`` sums. Samples draw the last label, then each one before it.

    Args:
        transitions: T, ``(K, K)``, finite, or -inf for a step from the row's to the column's label that is never made;
            fixed: no gradient reaches it.
        length: L >= 1, number of labels of a sequence; events are ``(L, K)``.

    Raises:
        ArgumentError: transitions that are not square, NaN or +inf, a length < 1, or no sequence that the transitions allow;
            else as for :class:`ExponentialFamily`.

    Source: Rabiner 1989, "A Tutorial on Hidden Markov Models", section III; Lafferty, McCallum, Pereira 2001, "Conditional
    Random Fields".

    >>> Chain(torch.tensor([[0.0, -torch.inf], [-torch.inf, 0.0]]), 3).states().argmax(dim=2).tolist()
    [[0, 0, 0], [1, 1, 1]]
    """

    def __init__(self, transitions: Tensor, length: int) -> None:
        if transitions.dim() != 2 or transitions.shape[0] != transitions.shape[1] or 0 in transitions.shape:
            raise wrong_shape("transitions", transitions, "they must be (K, K), with K >= 1 labels", "give a square matrix")
        check_whole("length", length, 1, "use 1 for a single label")
        super().__init__((int(length), len(transitions)))
        if not (transitions < torch.inf).all():
            raise ArgumentError("transitions", "NaN or inf", "they must be finite", "use -inf for never")
        self._transitions = wide_parameters(transitions.detach(), (len(transitions),), "a chain")
        if self.count() == 0:
            raise ArgumentError(
                "transitions", f"no sequence of {length} labels", "a chain needs one", "open some transitions", "-inf leaves"
            )

    def __repr__(self) -> str:
        return f"Chain({self.event[1]} labels, length={self.event[0]})"

    def count(self) -> int:
        """Number of sequences without a transition of -inf."""
        return sum(self._continuations()[0])

    def _continuations(self) -> list[list[int]]:
        """Number of ways that lead from a label at a position to the end, by position and label."""
        after = [row.nonzero().flatten().tolist() for row in self._transitions > NEVER]
        ways = [[1] * self.event[1]]
        for _ in range(self.event[0] - 1):
            ways.insert(0, [sum(ways[0][label] for label in labels) for labels in after])
        return ways

    def _states(self) -> Tensor:
        ways = torch.tensor([[number > 0 for number in row] for row in self._continuations()])
        sequences = ways[0].nonzero()
        for position in range(1, self.event[0]):
            steps = (self._transitions > NEVER).cpu() & ways[position]
            before, label = steps[sequences[:, -1]].nonzero(as_tuple=True)
            sequences = torch.cat([sequences[before], label[:, None]], dim=1)
        return torch.nn.functional.one_hot(sequences, self.event[1]).to(torch.float64)

    def _log_base(self, z: Tensor) -> Tensor:
        labels = z.argmax(dim=2)
        steps = self._transitions.to(z.device)[labels[:, :-1], labels[:, 1:]]
        return steps.masked_fill(steps <= NEVER, -torch.inf).sum(dim=1)

    def _log_partition(self, theta: Tensor) -> Tensor:
        return log_sum_exp(self._forward(theta, self._transitions.to(theta.device))[-1], dim=1)

    def _mean_log_base(self, theta: Tensor) -> Tensor:
        """Mean of each transition's number, the gradient of A in the transitions, times the transition."""
        if self.event[0] == 1:
            return theta.new_zeros(len(theta))
        own = self._transitions.to(theta.device).repeat(len(theta), 1, 1).requires_grad_()
        with torch.enable_grad():
            total = log_sum_exp(self._forward(theta, own)[-1], dim=1).sum()
            (numbers,) = torch.autograd.grad(total, own, create_graph=theta.requires_grad)
        return (numbers * own.detach().masked_fill(own.detach() <= NEVER, 0)).flatten(1).sum(dim=1)

    def _forward(self, theta: Tensor, transitions: Tensor) -> list[Tensor]:
        """``log a_t(y)``, ``(N, K)`` at each position t, for transitions ``(K, K)`` or, a row each, ``(N, K, K)``."""
        sums = [theta[:, 0]]
        for position in range(1, self.event[0]):
            sums.append(theta[:, position] + log_sum_exp(sums[-1].unsqueeze(2) + transitions, dim=1))
        return sums

    def _sample(self, theta: Tensor, nb_samples: int, generator: torch.Generator | None) -> Tensor:
        sums = [values.unsqueeze(1) for values in self._forward(theta, self._transitions.to(theta.device))]
        into = self._transitions.to(theta.device).T
        labels = [choose(sums[-1].expand(-1, nb_samples, -1), generator)]
        for values in reversed(sums[:-1]):
            labels.append(choose(values + into[labels[-1]], generator))
        return torch.nn.functional.one_hot(torch.stack(labels[::-1], dim=2), self.event[1])
