"""Decisions to be learned: features, true costs, and the best decision of each instance, solved once."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from imle_core import contracts
from imle_core.checks import ArgumentError, check_name, check_numbers, in_short, tuple_in_short, wrong_shape
from imle_core.contracts import Sense, Solver
from imle_core.decisions.data import split
from imle_core.solvers import InfeasibleError

TOLERANCE = 1e-6
"""Distance from an optimum that still counts as none, relative to the sum of the absolute terms of the objective."""

Values: TypeAlias = Tensor | NDArray[Any]
Item = tuple[Tensor, Tensor, Tensor]


class Labels(NamedTuple):
    """Labels of instances that need not be solutions of their costs, such as means over neighbours.

    Attributes:
        gold: ``(N, *event)``.
        optimum: objectives, ``(N,)``.
    """

    gold: Tensor
    optimum: Tensor

    def __repr__(self) -> str:
        return tuple_in_short(self)


class Decisions(Dataset[Item]):
    """Instances of a decision problem: item i is its features, its true costs c, and its gold solution.

    A network learns to predict costs from features; what counts is what a solver's decision by these costs in truth.
    Labels are solved once, here, so that all methods learn from the same of several best solutions.

    Args:
        features: ``(N, *shape)``, real and finite; they become float32.
        costs: true costs or gains, ``(N, *event)``, real and finite; float64 stays, others become float32.
        solver: from ``(N, *event)`` to solutions of that shape. Under "min" one that declares that it maximises, as ours do,
            gets minus the costs.
        sense: "min" where costs are paid, "max" where values are gained.
        gold: best solutions ``(N, *event)`` that are known; the solver is asked for their optimum. With :class:`Labels`,
            both are taken as they are. The solver's own if None.

    Attributes:
        features: ``(N, *shape)`` float32.
        costs: ``(N, *event)`` float32 or float64.
        gold: gold solutions, ``(N, *event)``, in the type of the costs.
        optimum: objectives ``<c, z>`` of these, ``(N,)`` float64.

    Raises:
        ArgumentError: arrays that do not fit each other, or have numbers that are not finite; an instance without a
            solution; gold solutions of which some are not optimal, how many is said; or as the solver raises.

    >>> from imle_core.decisions import shortest_path_data
    >>> from imle_core.solvers import GridEdgePath
    >>> features, costs = shortest_path_data(30, grid=(3, 3), seed=0)
    >>> learned_from, judged_by = Decisions(features, costs, GridEdgePath((3, 3)), sense="min").split(10)
    >>> learned_from
    Decisions(20 instances, features of (5,), costs of (12,), GridEdgePath((3, 3)), sense='min')
    """

    def __init__(
        self, features: Values, costs: Values, solver: Solver, *, sense: Sense, gold: Values | Labels | None = None
    ) -> None:
        check_name("sense", sense, get_args(Sense))
        contracts.check_solver(solver, sense)
        self.solver, self.sense = solver, sense
        self.costs = _read("costs", costs)
        self.features = _read("features", features, torch.float32)
        if len(self.features) != len(self.costs):
            got = f"{len(self.costs)} instances, and features of {len(self.features)}"
            raise ArgumentError("costs", got, "each instance has both", "give as many rows")
        if isinstance(gold, Labels):
            self.gold, self.optimum = self._fitting(gold.gold), gold.optimum.detach().cpu().double()
            if self.optimum.shape != self.costs.shape[:1]:
                rule = "there is one for each instance"
                raise wrong_shape("optimum", self.optimum, rule, "give as many", f" for {_shape(self.costs)}")
        else:
            solved = self._solved()
            self.optimum = objectives(solved, self.costs)
            self.gold = solved if gold is None else self._checked(self._fitting(gold))

    def __repr__(self) -> str:
        shapes = f"features of {tuple(self.features.shape[1:])}, costs of {tuple(self.costs.shape[1:])}"
        return f"Decisions({len(self)} instances, {shapes}, {in_short(self.solver)}, sense={self.sense!r})"

    def __len__(self) -> int:
        return len(self.costs)

    def __getitem__(self, index: int) -> Item:
        return self.features[index], self.costs[index], self.gold[index]

    @property
    def sign(self) -> int:
        """1 where costs are paid, -1 where values are gained."""
        return 1 if self.sense == "min" else -1

    def solve(self, costs: Tensor) -> Tensor:
        """Best decisions by costs ``(N, *event)`` of any source, in this data set's sense."""
        return contracts.solve(self.solver, costs, self.sense)

    def part(self, rows: Sequence[int] | Tensor | slice) -> "Decisions":
        """The instances of a slice, or of indices in their order."""
        index = rows if isinstance(rows, (slice, Tensor)) else torch.as_tensor(rows, dtype=torch.long)
        labels = Labels(self.gold[index], self.optimum[index])
        return Decisions(self.features[index], self.costs[index], self.solver, sense=self.sense, gold=labels)

    def split(self, test: int, *, train: int | None = None, seed: int = 0) -> "tuple[Decisions, Decisions]":
        """Instances to learn from, and to be judged by; arguments as for :func:`.split`, which draws them."""
        learned_from, judged_by = split(len(self), test, train=train, seed=seed)
        return self.part(learned_from), self.part(judged_by)

    def _solved(self) -> Tensor:
        """Best solutions by the true costs."""
        try:
            return self.solve(self.costs)
        except InfeasibleError as error:
            got = f"instance {error.row} without a solution"
            raise ArgumentError("solver", got, "each instance has one", "loosen its constraints") from error

    def _fitting(self, gold: Values) -> Tensor:
        labels = _read("gold", gold).to(self.costs.dtype)
        if labels.shape != self.costs.shape:
            raise wrong_shape("gold", labels, "there is one for each instance", "give as many", f" for {_shape(self.costs)}")
        return labels

    def _checked(self, gold: Tensor) -> Tensor:
        """Gold solutions that must be as good as the solver's."""
        off = (objectives(gold, self.costs) - self.optimum).abs()
        wrong = off > TOLERANCE * room(self.costs, gold)
        if wrong.any():
            count, first = int(wrong.sum()), int(wrong.double().argmax())
            raise ArgumentError(
                "gold",
                f"{count} of {len(gold)} that are not optimal (the first is instance {first}, off by {off[first]:.3g})",
                "labels are best solutions of the true costs",
                "leave them out, so that they are solved",
            )
        return gold


def objectives(z: Tensor, costs: Tensor) -> Tensor:
    """``<c, z>``, ``(N,)`` float64, for solutions and costs ``(N, *event)``."""
    return (z.double() * costs.double()).flatten(1).sum(dim=1)


def room(costs: Tensor, *solutions: Tensor) -> Tensor:
    """Sum of the absolute terms of the objectives of solutions, ``(N,)`` float64: the scale of their rounding."""
    return torch.stack([(costs.double() * z.double()).abs().flatten(1).sum(dim=1) for z in solutions]).amax(dim=0)


def check_some(count: float) -> None:
    """Refuses a number of instances of 0, of which there is nothing to learn or to judge.

    Raises:
        ArgumentError: there are none.
    """
    if not count:
        raise ArgumentError("decisions", "no instances", "it must have one or more", "give some")


def _read(name: str, values: Values, kind: torch.dtype | None = None) -> Tensor:
    """A copy of an argument, dense, ``(N, *shape)``, finite, on the processor, of a type, by default float64 or float32."""
    tensor = torch.from_numpy(np.array(values)) if isinstance(values, np.ndarray) else values
    check_numbers(tensor, name)
    if tensor.dim() < 2 or 0 in tensor.shape[1:]:
        raise wrong_shape(name, tensor, "it must be (N, ...), a row an instance with numbers", "add what is missing")
    wide = kind or (torch.float64 if tensor.dtype == torch.float64 else torch.float32)
    tensor = tensor.detach().to("cpu", wide, copy=True)
    wrong = int((~tensor.isfinite()).sum())
    if wrong:
        got = f"{wrong} entries that are NaN or infinite"
        raise ArgumentError(name, got, f"they must be finite in {str(wide).removeprefix('torch.')}", "correct them")
    return tensor


def _shape(tensor: Tensor) -> str:
    return f"costs of shape {tuple(tensor.shape)}"
