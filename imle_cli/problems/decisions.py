"""Generated decision problems: options become features, costs, a solver by name, and words."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch

from imle_cli.messages import UsageError
from imle_cli.options.decision_data import OF_KIND, DecisionDataOptions
from imle_core.contracts import Sense
from imle_core.decisions import (
    Decisions,
    Labels,
    knapsack_data,
    portfolio_data,
    shortest_path_data,
    tour_data,
)
from imle_core.solvers import SOLVERS

_MOST_COSTS = 2**27
_AT_A_TIME = 64  # instances to one report of progress


@dataclass(frozen=True)
class DecisionProblem:
    """Instances of a generated problem, not solved yet.

    Attributes:
        features: ``(N, p)``.
        costs: ``(N, E)``.
        solver: a name of ``SOLVERS``.
        arguments: of the solver, as JSON has them.
        sense: "min" where costs are paid.
        words: what is to be decided.
    """

    features: torch.Tensor
    costs: torch.Tensor
    solver: str
    arguments: dict[str, Any]
    sense: Sense
    words: str


def made_with(kind: str, options: DecisionDataOptions, size: int) -> dict[str, Any]:
    """Settings that a kind has, by the names of their options."""
    own = OF_KIND[kind] - {"size", "split_seed"}
    sizes = {"size": size} if "size" in OF_KIND[kind] else {}
    return sizes | {entry.name: getattr(options, entry.name) for entry in fields(options) if entry.name in own}


def make_problem(kind: str, count: int, options: DecisionDataOptions, size: int, seed: int) -> DecisionProblem:
    """Instances of a kind of ``imle data``, as many as all splits together have.

    Args:
        kind: "shortest-path", "knapsack", "tour" or "portfolio".
        count: number of instances.
        options: of the kind.
        size: nodes along a side of a grid.
        seed: of all draws.

    Raises:
        UsageError: more costs than memory should hold.
        ArgumentError: a seed of more than 32 bits; of a portfolio, a risk that none keeps to, or no Clarabel.
    """
    _check_memory(kind, count, options, size)
    shared: dict[str, Any] = {"degree": options.degree, "seed": seed}
    if kind == "portfolio":
        data = portfolio_data(count, options.features, options.assets, noise_level=options.noise_level, **shared)
        arguments = {"covariance": data.covariance.tolist(), "risk": options.risk}
        words = f"portfolios of {options.assets} assets, to be gained"
        return DecisionProblem(data.features, data.costs, kind, arguments, "max", words)
    shared["noise_width"] = options.noise_width
    if kind == "knapsack":
        packed = knapsack_data(count, options.features, options.items, constraints=options.constraints, **shared)
        arguments = {"weights": packed.weights.tolist(), "capacity": [options.capacity] * options.constraints}
        words = (
            f"sets of {options.items} items that weigh at most {options.capacity:g} under {options.constraints} constraints"
        )
        return DecisionProblem(packed.features, packed.costs, kind, arguments, "max", f"{words}, to be gained")
    if kind == "tour":
        toured = tour_data(count, options.features, options.nodes, **shared)
        words = f"tours through {options.nodes} nodes, to be paid"
        return DecisionProblem(toured.features, toured.costs, kind, {"nodes": options.nodes}, "min", words)
    paths = shortest_path_data(count, options.features, (size, size), **shared)
    words = f"paths over the edges of a grid of {size} x {size} nodes, to be paid"
    return DecisionProblem(*paths, "grid-edge-path", {"grid": [size, size]}, "min", words)


def _check_memory(kind: str, count: int, options: DecisionDataOptions, size: int) -> None:
    sizes = {"shortest-path": ("size", size, 2 * size * (size - 1)), "knapsack": ("items", options.items, options.items)}
    sizes["tour"] = ("nodes", options.nodes, options.nodes * (options.nodes - 1) // 2)
    name, value, entries = sizes.get(kind, ("assets", options.assets, options.assets))
    if count * entries > _MOST_COSTS:
        rule = f"{count:,} instances of {entries:,} costs are more than 2^27 numbers"
        raise UsageError(f"--{name}: got {value}; {rule}; make fewer, or smaller ones")


def solved(problem: DecisionProblem, advance: Callable[[int], None]) -> Decisions:
    """The instances with their best solutions; ``advance`` is told how many are solved.

    Raises:
        ArgumentError: what the solver refuses.
    """
    solver = SOLVERS[problem.solver](**problem.arguments)
    golds, optima, done = [], [], 0
    for features, costs in zip(problem.features.split(_AT_A_TIME), problem.costs.split(_AT_A_TIME), strict=True):
        block = Decisions(features, costs, solver, sense=problem.sense)
        golds.append(block.gold)
        optima.append(block.optimum)
        done += len(block)
        advance(done)
    labels = Labels(torch.cat(golds), torch.cat(optima))
    return Decisions(problem.features, problem.costs, solver, sense=problem.sense, gold=labels)
