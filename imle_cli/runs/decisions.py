"""Run directories of ``imle decide``: predictions for a few instances on the way, and a row of numbers for each epoch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from imle_cli.files.archives import Shape
from imle_cli.runs.history import Arrays, History, Kinds
from imle_cli.runs.networks import NetworkRun


@dataclass
class DecisionViews(History):
    """Predictions of a network for a few instances while it learns; the records' steps are those made before them.

    Attributes:
        truth: true costs, ``(V, *event)``.
        costs: predicted costs at the recorded steps, ``(V, *event)`` each.
    """

    truth: NDArray[np.float32]
    costs: list[NDArray[np.float32]] = field(default_factory=list)

    KINDS: ClassVar[Kinds] = {"gold": "f4", "truth": "f4", "steps": "i8", "costs": "f4"}
    COSTS = "truth"

    @classmethod
    def fit(cls, shapes: Sequence[Shape]) -> bool:
        """True where everything has the shape of the gold solutions."""
        gold, truth, steps, costs = shapes
        return len(gold) > 1 and 0 not in gold and len(steps) == 1 and truth == gold and costs == (*steps, *gold)

    @classmethod
    def is_possible(cls, arrays: Arrays) -> bool:
        """True of finite numbers."""
        return bool(np.isfinite(arrays["truth"]).all() and np.isfinite(arrays["gold"]).all())


@dataclass(frozen=True)
class DecisionRun(NetworkRun[DecisionViews]):
    """A run of ``imle decide``."""

    FORMAT: ClassVar[str] = "imle decision 1"
    RECORD: ClassVar[type[DecisionViews]] = DecisionViews
    COLUMNS: ClassVar[dict[str, Callable[[str], Any]]] = {
        "epoch": int,
        "regret": float,
        "optimal": float,
        "mse": float,
        "loss": float,
        "zero_gradients": float,
        "solves": int,
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
        "regret": float,
        "worst_regret": float | None,
        "optimal": float,
        "baselines": dict,
        "epochs": list,
        "solves": int,
        "training_seconds": float,
        "seconds": float,
    }
