"""Run directories of ``imle train``: recorded weights, samples and solutions, and a row of numbers for each step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imle_cli.files.archives import Shape
from imle_cli.runs.folder import DAMAGED, RunError, RunFolder

Row: TypeAlias = tuple[int, float, int]


@dataclass
class History:
    """Record of a training.

    Attributes:
        gold: the gold solution, ``(H, W)``.
        costs: the map, ``(H, W)``.
        steps: recorded steps.
        weights: weights at these, ``(H, W)`` float32 each.
        samples: first samples, ``(H, W)`` each.
        solutions: noise-free solutions, ``(H, W)`` each.
    """

    gold: NDArray[np.uint8]
    costs: NDArray[np.float64]
    steps: list[int] = field(default_factory=list)
    weights: list[NDArray[np.float32]] = field(default_factory=list)
    samples: list[NDArray[np.uint8]] = field(default_factory=list)
    solutions: list[NDArray[np.uint8]] = field(default_factory=list)

    def add(self, step: int, weights: NDArray[Any], sample: NDArray[Any], solution: NDArray[Any]) -> None:
        """Records a step."""
        self.steps.append(step)
        self.weights.append(weights.astype(np.float32))
        self.samples.append(sample.astype(np.uint8))
        self.solutions.append(solution.astype(np.uint8))

    def until(self, step: int) -> "History":
        """The records before ``step``."""
        kept = sum(recorded < step for recorded in self.steps)
        return History(
            self.gold, self.costs, self.steps[:kept], self.weights[:kept], self.samples[:kept], self.solutions[:kept]
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Stacked arrays by name, ``(R, H, W)`` for R records."""
        shape = (len(self.steps), *self.gold.shape)
        return {
            "gold": self.gold,
            "costs": self.costs,
            "steps": np.array(self.steps, dtype=np.int64),
            "weights": np.array(self.weights, dtype=np.float32).reshape(shape),
            "samples": np.array(self.samples, dtype=np.uint8).reshape(shape),
            "solutions": np.array(self.solutions, dtype=np.uint8).reshape(shape),
        }


@dataclass(frozen=True)
class Run(RunFolder):
    """A run of ``imle train``."""

    FORMAT: ClassVar[str] = "imle run 1"
    ARRAYS: ClassVar[dict[str, str]] = {
        "gold": "u1",
        "costs": "f8",
        "steps": "i8",
        "weights": "f4",
        "samples": "u1",
        "solutions": "u1",
    }
    STATE: ClassVar[dict[str, type]] = {
        "step": int,
        "weights": Tensor,
        "optimizer": dict,
        "generator": Tensor,
        "seconds": float,
    }
    COLUMNS: ClassVar[dict[str, Callable[[str], Any]]] = {"step": int, "loss": float, "hamming": int}
    FIRST: ClassVar[int] = 0
    SUMMARY: ClassVar[dict[str, Any]] = {
        "final_loss": float,
        "final_hamming": int,
        "first_gold_step": int | None,
        "seconds": float,
    }

    @classmethod
    def _is_summary(cls, summary: dict[str, Any]) -> bool:
        # Whoever ended on the gold solution came to it at a step.
        return super()._is_summary(summary) and (summary["final_hamming"] != 0 or summary["first_gold_step"] is not None)

    def history(self) -> History:
        """Reads ``history.npz``.

        Raises:
            RunError: it is missing or damaged.
        """
        gold, costs, steps, *records = self.arrays(_fit)
        if not ((costs > 0).all() and (gold <= 1).all() and (steps >= 0).all() and (np.diff(steps) > 0).all()):
            raise RunError(self.path, f"history.npz holds what no training records; {DAMAGED}")
        return History(gold, costs, steps.tolist(), *map(list, records))


def _fit(shapes: Sequence[Shape]) -> bool:
    gold, costs, steps, *records = shapes
    whole = len(costs) == 2 and 0 not in costs and len(steps) == 1
    return whole and gold == costs and all(shape == (*steps, *costs) for shape in records)
