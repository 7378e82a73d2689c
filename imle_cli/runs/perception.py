"""Run directories of ``imle perceive``: what was seen of a few maps on the way, and a row of numbers for each epoch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from imle_cli.files.archives import Shape
from imle_cli.runs.history import History, Kinds
from imle_cli.runs.networks import NetworkRun, number_or_none
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


@dataclass(frozen=True)
class PerceptionRun(NetworkRun[Views]):
    """A run of ``imle perceive``."""

    FORMAT: ClassVar[str] = "imle perception 1"
    RECORD: ClassVar[type[Views]] = Views
    COLUMNS: ClassVar[dict[str, Callable[[str], Any]]] = {
        "epoch": int,
        "optimal": float,
        "regret": float,
        "exact_on_unique": number_or_none,
        "loss": float,
        "zero_gradients": float,
        "seconds": float,
        "network_seconds": float,
        "solver_seconds": float,
        "noise_seconds": float,
        "judging_seconds": float,
    }
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
