"""A table of scores as a problem: which items are among the best or fit a knapsack, or who is assigned to whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imle_cli.files import scores
from imle_cli.files.sources import SourceError
from imle_cli.messages import UsageError, note, worded
from imle_cli.options.checks import check_at_least
from imle_cli.options.inputs import DeviceName, InputOptions, SenseName, SolverOptions
from imle_cli.problems.problem import Fact, Ground, Masks, Problem, Words, enumerated, theta_of
from imle_core.checks import ArgumentError
from imle_core.solvers import Assignment, Knapsack, TopK


@dataclass(frozen=True)
class ItemProblem(Problem):
    """Items and the solver that is asked about them; theta has their scores, ``(1, n)``, or minus these.

    Attributes:
        items: names, scores and perhaps weights.
        sense: whether the sum of the scores is to be small or large.
    """

    solver: TopK | Knapsack
    items: scores.Items
    sense: SenseName

    words = Words("scores", "items", "size", "total", "scores")

    @property
    def _size(self) -> Fact:
        return {"items": len(self.items.names)}, f"{len(self.items.names)} items"

    @property
    def _task(self) -> Fact:
        if isinstance(self.solver, TopK):
            return {"k": self.solver.k, "sense": self.sense}, f"{self.solver.k} of them, {self.sense} total score"
        capacity = self.solver.capacity
        return {"capacity": capacity, "sense": self.sense}, f"capacity {capacity}, {self.sense} total score"

    @property
    def labels(self) -> Mapping[str, Sequence[Any]]:
        """Columns that name every item, and its score."""
        heavy = {} if self.items.weights is None else {"weight": self.items.weights.tolist()}
        return {"item": self.items.names, **heavy, "score": self.numbers.tolist()}

    def chosen(self, mask: Masks) -> Any:
        """Names of the chosen items."""
        return [self.items.names[number] for number in np.flatnonzero(mask)]

    def chosen_text(self, mask: Masks) -> str:
        """The same for a reader."""
        return enumerated(self.chosen(mask), ", ")

    @property
    def ground(self) -> Ground:
        """Bars of the items."""
        from imle_cli.figures.grounds import ItemTable
        from imle_cli.figures.items import Items

        capacity = self.solver.capacity if isinstance(self.solver, Knapsack) else None
        return ItemTable(Items(self.items.names, self.numbers, self.items.weights, capacity))


@dataclass(frozen=True)
class PairProblem(Problem):
    """Pairs of rows and columns, and their solver; theta has the scores, ``(1, R, C)``, or minus these.

    Attributes:
        pairs: names and scores.
        sense: whether the sum of the scores is to be small or large.
    """

    solver: Assignment
    pairs: scores.Pairs
    sense: SenseName

    words = Words("scores", "pairs", "size", "total", "scores")

    @property
    def _size(self) -> Fact:
        height, width = self.numbers.shape
        return {"shape": [height, width]}, f"{height} x {width} pairs"

    @property
    def _task(self) -> Fact:
        return {"sense": self.sense}, f"{self.sense} total score"

    @property
    def labels(self) -> Mapping[str, Sequence[Any]]:
        """Columns that name every pair, and its score."""
        rows = [row for row in self.pairs.rows for _ in self.pairs.columns]
        return {
            "row": rows,
            "column": self.pairs.columns * len(self.pairs.rows),
            "score": self.numbers.ravel().tolist(),
        }

    def chosen(self, mask: Masks) -> Any:
        """Row and column of each chosen pair."""
        return [[self.pairs.rows[row], self.pairs.columns[column]] for row, column in np.argwhere(mask)]

    def chosen_text(self, mask: Masks) -> str:
        """The same for a reader."""
        return enumerated([f"{row}-{column}" for row, column in self.chosen(mask)], ", ")

    @property
    def ground(self) -> Ground:
        """The matrix of scores."""
        from imle_cli.figures.grounds import PairTable
        from imle_cli.figures.pairs import Pairs

        return PairTable(Pairs(self.pairs.rows, self.pairs.columns, self.numbers))


def read_item_problem(options: InputOptions, choice: SolverOptions, device: DeviceName) -> ItemProblem:
    """Reads the items and makes the solver.

    Raises:
        UsageError: options that do not fit each other or the table.
        SourceError: a table that cannot be used.
    """
    path = options.map
    assert path is not None
    packs = choice.solver == "knapsack"
    if packs and options.capacity is None:
        raise UsageError("--capacity: missing; --solver knapsack needs what the chosen items may weigh, a whole number >= 0")
    if packs:
        check_at_least("--capacity", options.capacity or 0, 0, "it is in the unit of the weights")
    items = scores.read_items(path, options.score, options.weight if packs else None)
    count = len(items.names)
    if not packs and choice.top_k is None:
        raise UsageError(f"--top-k: missing; --solver top-k needs a number of items from 1 to {count}")
    if not packs and not 1 <= (choice.top_k or 0) <= count:
        raise UsageError(f"--top-k: got {choice.top_k}; it must be from 1 to the table's {count} items")
    try:
        solver = Knapsack(items.weights, options.capacity or 0) if items.weights is not None else TopK(choice.top_k)
    except ArgumentError as error:
        raise SourceError(path, worded(error)) from error
    sense: SenseName = options.sense or "max"
    if items.weights is not None and not (items.weights[items.scores > 0] <= (options.capacity or 0)).any():
        got = f"{path}: no item with a score above 0 weighs at most {options.capacity}"
        note(f"{got}, so that none is chosen; raise --capacity")
    theta = theta_of(items.scores, sense, device)
    return ItemProblem(options.name, theta, choice.solver, solver, (path,), items.scores, items, sense)


def read_pair_problem(options: InputOptions, choice: SolverOptions, device: DeviceName) -> PairProblem:
    """Reads the matrix and makes the solver; errors as in :func:`read_item_problem`."""
    path = options.map
    assert path is not None
    pairs = scores.read_pairs(path)
    sense: SenseName = options.sense or "max"
    theta = theta_of(pairs.scores, sense, device)
    solver = Assignment(partial=choice.solver == "partial-assignment")
    if solver.partial and theta.max() <= 0:
        signs = "below" if sense == "min" else "above"
        got = f"{path}: no score is {signs} 0, so that the partial assignment of {sense} total score is empty"
        note(f"{got}; --solver assignment gives every row a column")
    return PairProblem(options.name, theta, choice.solver, solver, (path,), pairs.scores, pairs, sense)
