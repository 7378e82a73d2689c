"""Run directories of ``imle train``: recorded weights, samples and solutions, and a row of numbers for each step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imle_cli.files.archives import Shape
from imle_cli.runs.folder import RunFolder
from imle_cli.runs.history import History, Kinds

Row: TypeAlias = tuple[int, float, int]


@dataclass
class TrainingHistory(History):
    """Record of a training of weights.

    Attributes:
        costs: the map, ``(H, W)``.
        weights: weights at the recorded steps, ``(H, W)`` each.
        samples: first samples, ``(H, W)`` each.
        solutions: noise-free solutions, ``(H, W)`` each.
    """

    costs: NDArray[np.float64]
    weights: list[NDArray[np.float32]] = field(default_factory=list)
    samples: list[NDArray[np.uint8]] = field(default_factory=list)
    solutions: list[NDArray[np.uint8]] = field(default_factory=list)

    KINDS: ClassVar[Kinds] = {
        "gold": "u1",
        "costs": "f8",
        "steps": "i8",
        "weights": "f4",
        "samples": "u1",
        "solutions": "u1",
    }
    COSTS = "costs"

    @classmethod
    def fit(cls, shapes: Sequence[Shape]) -> bool:
        """True where everything has the shape of the map."""
        gold, costs, steps, *records = shapes
        whole = len(costs) == 2 and 0 not in costs and len(steps) == 1
        return whole and gold == costs and all(shape == (*steps, *costs) for shape in records)


@dataclass(frozen=True)
class Run(RunFolder[TrainingHistory]):
    """A run of ``imle train``."""

    FORMAT: ClassVar[str] = "imle run 1"
    RECORD: ClassVar[type[TrainingHistory]] = TrainingHistory
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
