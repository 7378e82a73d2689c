"""Run directories of ``imle perceive``: what was seen of a few maps on the way, and a row of numbers for each epoch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from imle_cli.files.archives import Shape
from imle_cli.files.outputs import replacing
from imle_cli.options.recorded import fits
from imle_cli.runs.folder import DAMAGED, Arrays, RunError, RunFolder
from imle_core.perception import TILE


@dataclass
class Views:
    """Predictions of a network for a few maps while it learns.

    Attributes:
        images: the maps, ``(M, 8H, 8W, 3)`` uint8.
        gold: their gold paths, ``(M, H, W)``.
        truth: their true costs, ``(M, H, W)``.
        steps: recorded steps; how many were made before.
        costs: predicted costs at these, ``(M, H, W)`` float32 each.
        paths: predicted paths, ``(M, H, W)`` each.
    """

    images: NDArray[np.uint8]
    gold: NDArray[np.uint8]
    truth: NDArray[np.float32]
    steps: list[int] = field(default_factory=list)
    costs: list[NDArray[np.float32]] = field(default_factory=list)
    paths: list[NDArray[np.uint8]] = field(default_factory=list)

    def add(self, step: int, costs: NDArray[Any], paths: NDArray[Any]) -> None:
        """Records a step."""
        self.steps.append(step)
        self.costs.append(costs.astype(np.float32))
        self.paths.append(paths.astype(np.uint8))

    def until(self, step: int) -> "Views":
        """The records up to ``step``."""
        kept = sum(recorded <= step for recorded in self.steps)
        return Views(self.images, self.gold, self.truth, self.steps[:kept], self.costs[:kept], self.paths[:kept])

    def arrays(self) -> Arrays:
        """Stacked arrays by name, ``(R, M, H, W)`` for R records."""
        shape = (len(self.steps), *self.gold.shape)
        return {
            "images": self.images,
            "gold": self.gold,
            "truth": self.truth,
            "steps": np.array(self.steps, dtype=np.int64),
            "costs": np.array(self.costs, dtype=np.float32).reshape(shape),
            "paths": np.array(self.paths, dtype=np.uint8).reshape(shape),
        }


def _number_or_none(text: str) -> float | None:
    return float(text) if text else None


@dataclass(frozen=True)
class PerceptionRun(RunFolder):
    """A run of ``imle perceive``; besides what every run has, ``best.pt`` is the network of its best epoch so far."""

    FORMAT: ClassVar[str] = "imle perception 1"
    ARRAYS: ClassVar[dict[str, str]] = {
        "images": "u1",
        "gold": "u1",
        "truth": "f4",
        "steps": "i8",
        "costs": "f4",
        "paths": "u1",
    }
    STATE: ClassVar[dict[str, type]] = {
        "step": int,
        "network": dict,
        "method": dict,
        "optimizer": dict,
        "generators": list,
        "sums": dict,
        "seconds": float,
    }
    COLUMNS: ClassVar[dict[str, Callable[[str], Any]]] = {
        "epoch": int,
        "optimal": float,
        "regret": float,
        "exact_on_unique": _number_or_none,
        "loss": float,
        "zero_gradients": float,
        "seconds": float,
        "network_seconds": float,
        "solver_seconds": float,
        "noise_seconds": float,
        "judging_seconds": float,
    }
    FIRST: ClassVar[int] = 1
    SUMMARY: ClassVar[dict[str, Any]] = {
        "estimator": str,
        "supervision": str,
        "split": str,
        "optimal": float,
        "regret": float,
        "exact_on_unique": float | None,
        "epochs": list,
        "seconds": float,
    }

    @classmethod
    def _is_summary(cls, summary: dict[str, Any]) -> bool:
        if not (super()._is_summary(summary) and summary["epochs"]):
            return False
        return all(isinstance(row, dict) and fits(row.get("zero_gradients"), float) for row in summary["epochs"])

    def views(self) -> Views:
        """Reads ``history.npz``.

        Raises:
            RunError: it is missing or damaged.
        """
        images, gold, truth, steps, costs, paths = self.arrays(_fit)
        if not ((truth > 0).all() and (gold <= 1).all() and (steps >= 0).all() and (np.diff(steps) > 0).all()):
            raise RunError(self.path, f"history.npz holds what no training records; {DAMAGED}")
        return Views(images, gold, truth, steps.tolist(), list(costs), list(paths))

    def epochs(self) -> list[dict[str, Any]]:
        """The rows of ``metrics.csv``, by the names of their columns.

        Raises:
            RunError: it is missing or damaged.
        """
        return [dict(zip(self.COLUMNS, row, strict=True)) for row in self.metrics()]

    def save_best(self, network: dict[str, Any], epoch: int) -> None:
        """Replaces ``best.pt``."""
        with replacing(self.path / "best.pt", durable=True) as file:
            torch.save({"network": network, "epoch": epoch}, file)

    def network_state(self, which: str) -> tuple[dict[str, Any], int | None]:
        """Weights of the "last" or the "best" checkpoint, and the epoch of the best one.

        Raises:
            RunError: it is missing or damaged.
        """
        if which == "best":
            state = self.read_state("best.pt", {"network": dict, "epoch": int})
            return state["network"], state["epoch"]
        return self.checkpoint()["network"], None


def _fit(shapes: Sequence[Shape]) -> bool:
    images, gold, truth, steps, costs, paths = shapes
    if (len(gold), len(steps)) != (3, 1) or 0 in gold:
        return False
    maps, records = (gold[0], *(TILE * side for side in gold[1:]), 3), (*steps, *gold)
    return (images, truth, costs, paths) == (maps, gold, records, records)
