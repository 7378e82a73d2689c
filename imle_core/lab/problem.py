"""Problems on which estimators are measured: random parameters, a solver, its exact distribution, and a loss."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor

from imle_core import checks
from imle_core.checks import Record
from imle_core.exact import ExponentialFamily, family_of
from imle_core.solvers import AcyclicGridPath, Knapsack, SpanningTree, TopK


@dataclass(frozen=True, repr=False)
class LabProblem(Record):
    """An instance on which estimators are measured.

    Attributes:
        name: what to call it.
        theta: parameters, ``(1, *event)``, float64.
        solver: maximises ``<z, theta>``.
        family: exact distribution of its solutions, where one is known.
        loss: from states ``(N, *event)`` to one number for each, ``(N,)``.
        loss_name: what to call it.
        k: typical number of ones in a solution: the k of Sum-of-Gamma noise.
    """

    name: str
    theta: Tensor
    solver: Callable[[Tensor], Tensor]
    family: ExponentialFamily | None
    loss: Callable[[Tensor], Tensor]
    loss_name: str
    k: float


def squared_distance(wanted: Tensor) -> Callable[[Tensor], Tensor]:
    """The loss ``||z - b||^2``, from states ``(N, *event)`` to ``(N,)``, for wanted solutions b ``(*event)``."""

    def loss(z: Tensor) -> Tensor:
        return (z - wanted.to(z)).square().flatten(1).sum(dim=1)

    return loss


def make_problem(name: str, size: str | None = None, seed: int = 0) -> LabProblem:
    """A random instance: theta from N(0, 1) and the loss ``||z - b||^2`` with ``b = |N(0, 1)|``.

    Both come from NumPy's legacy stream ``RandomState(seed)``, theta first: for top-k with its default size, the instance of
    the synthetic experiment of Niepert, Minervini, Franceschi 2021 (arXiv 2106.01798), section 6.1.

    Args:
        name: a key of ``PROBLEMS``.
        size: "10,5" (n, k) for top-k; "8x8" for path, whose steps go right or down; "6" nodes of a complete graph for
            spanning-tree; "12" items for knapsack, of weights 1, 2, ... and half of their sum as capacity. The defaults.
        seed: of the stream, 0 to 2^32 - 1.

    Raises:
        ArgumentError: an unknown name, or a size of another form.

    >>> make_problem("top-k").theta.shape
    torch.Size([1, 10])
    """
    make, sizes = check_problem(name, size)
    solver, event, k = make(*sizes)
    stream = np.random.RandomState(seed)
    theta, wanted = (torch.from_numpy(stream.randn(*event)) for _ in range(2))
    loss = squared_distance(wanted.abs())
    return LabProblem(
        f"{name} {size or PROBLEMS[name][0]}", theta[None], solver, family_of(solver, event), loss, "squared distance", k
    )


def check_problem(name: str, size: str | None = None) -> tuple["_Maker", tuple[int, ...]]:
    """The maker of a problem and its sizes as numbers; errors as in :func:`make_problem`."""
    checks.check_name("problem", name, PROBLEMS)
    default, pattern, make = PROBLEMS[name]
    match = re.fullmatch(pattern, size or default)
    if match is None:
        raise checks.ArgumentError(
            "size", repr(size), f"{name} has sizes like {default!r}, of whole numbers >= 1", "leave it out for that one"
        )
    sizes = tuple(map(int, match.groups()))
    if name == "top-k" and sizes[1] > sizes[0]:
        raise checks.ArgumentError(
            "size", repr(size), "top-k chooses at most n of n", f"use '{sizes[0]},{max(1, sizes[0] // 2)}'"
        )
    if name == "spanning-tree" and sizes[0] < 2:
        raise checks.ArgumentError("size", repr(size), "a spanning tree needs 2 nodes or more", "use '6'")
    return make, sizes


def _top_k(n: int, k: int) -> tuple[Any, tuple[int, ...], float]:
    return TopK(k), (n,), float(k)


def _path(height: int, width: int) -> tuple[Any, tuple[int, ...], float]:
    return AcyclicGridPath(diagonal=False), (height, width), float(height + width - 1)


def _spanning_tree(nodes: int) -> tuple[Any, tuple[int, ...], float]:
    edges = list(combinations(range(nodes), 2))
    return SpanningTree(edges), (len(edges),), float(nodes - 1)


def _knapsack(items: int) -> tuple[Any, tuple[int, ...], float]:
    weights = np.arange(1, items + 1)
    capacity = int(weights.sum()) // 2
    return Knapsack(weights, capacity), (items,), max(1.0, items / 2)


_Maker = Callable[..., tuple[Any, tuple[int, ...], float]]
_NUMBER = r"\s*0*([1-9]\d{0,4})\s*"

PROBLEMS: dict[str, tuple[str, str, _Maker]] = {
    "top-k": ("10,5", f"{_NUMBER},{_NUMBER}", _top_k),
    "path": ("8x8", f"{_NUMBER}[xX]{_NUMBER}", _path),
    "spanning-tree": ("6", _NUMBER, _spanning_tree),
    "knapsack": ("12", _NUMBER, _knapsack),
}
"""Default size, form of sizes, and maker, by name."""
