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
from imle_cli.runs.directories import CHECKPOINT
from imle_cli.runs.folder import RunFolder
from imle_cli.runs.history import History, Kinds
from imle_core.perception import TILE


@dataclass
class Views(History):
    """Predictions of a network for a few maps while it learns; the records' steps are those made before them.

    Attributes:
        images: the maps, ``(M, 8H, 8W, 3)`` uint8.
        truth: their true costs, ``(M, H, W)``.
        costs: predicted costs at the recorded steps, ``(M, H, W)`` each.
        paths: predicted paths, ``(M, H, W)`` each.
    """

    images: NDArray[np.uint8]
    truth: NDArray[np.float32]
    costs: list[NDArray[np.float32]] = field(default_factory=list)
    paths: list[NDArray[np.uint8]] = field(default_factory=list)

    KINDS: ClassVar[Kinds] = {"images": "u1", "gold": "u1", "truth": "f4", "steps": "i8", "costs": "f4", "paths": "u1"}
    COSTS = "truth"

    @classmethod
    def fit(cls, shapes: Sequence[Shape]) -> bool:
        """True where everything has the shape of the gold paths, images their pixels."""
        images, gold, truth, steps, costs, paths = shapes
        if (len(gold), len(steps)) != (3, 1) or 0 in gold:
            return False
        maps, records = (gold[0], *(TILE * side for side in gold[1:]), 3), (*steps, *gold)
        return (images, truth, costs, paths) == (maps, gold, records, records)


def _number_or_none(text: str) -> float | None:
    return float(text) if text else None


@dataclass(frozen=True)
class PerceptionRun(RunFolder[Views]):
    """A run of ``imle perceive``; besides what every run has, ``best.pt`` is the network of its best epoch so far."""

    FORMAT: ClassVar[str] = "imle perception 1"
    RECORD: ClassVar[type[Views]] = Views
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
        return self.read_state(CHECKPOINT, self.STATE)["network"], None
