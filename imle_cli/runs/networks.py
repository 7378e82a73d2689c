"""Run directories of networks: what all trainings of them write, epoch by epoch, and what they learn from, by splits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import torch

from imle_cli.files.outputs import replacing
from imle_cli.files.sources import SourceError
from imle_cli.options.recorded import fits
from imle_cli.runs.directories import CHECKPOINT, DAMAGED, RunError
from imle_cli.runs.folder import RunFolder
from imle_cli.runs.history import SomeHistory
from imle_core.concurrency import process_group

Instances = TypeVar("Instances", bound=Any)

_STATE: dict[str, type] = {
    "step": int,
    "network": dict,
    "method": dict,
    "optimizer": dict,
    "generators": list,
    "sums": dict,
    "seconds": float,
}


def number_or_none(text: str) -> float | None:
    """A number of a table, None where there is none."""
    return float(text) if text else None


@dataclass(frozen=True)
class NetworkRun(RunFolder[SomeHistory]):
    """A run of a network; besides what every run has, ``best.pt`` is the network of its best epoch so far."""

    STATE: ClassVar[dict[str, type]] = _STATE
    FIRST: ClassVar[int] = 1

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

    def all_epochs(self, count: int) -> list[dict[str, Any]]:
        """:meth:`epochs` of a run that has ended, of which there must be so many.

        Raises:
            RunError: there are others.
        """
        rows = self.epochs()
        if len(rows) != count:
            raise RunError(self.path, f"metrics.csv has {len(rows)} epochs, config.json says {count}; {DAMAGED}")
        return rows

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

    def load_network(self, network: torch.nn.Module, which: str, name: str) -> int | None:
        """Gives a network the weights of a checkpoint; the epoch of the best one.

        Args:
            network: the network.
            which: "last" or "best".
            name: what the options call it, for the message.

        Raises:
            RunError: a checkpoint that is missing, damaged, or of another network.
        """
        state, epoch = self.network_state(which)
        try:
            network.load_state_dict(state)
        except Exception as error:  # whatever a foreign state may lead to
            file = "best.pt" if which == "best" else CHECKPOINT
            text = f"{file} is of another network than {name}, which config.json names; choose another run"
            raise RunError(self.path, text) from error
        return epoch


@dataclass(frozen=True)
class Splits(Generic[Instances]):
    """Instances of an experiment, read from files.

    Attributes:
        train: those to learn from.
        judged: those by which epochs are judged.
        split: the split of these.
        tested: those by which the last network is judged.
        tested_split: the split of these.
    """

    train: Instances
    judged: Instances
    split: str
    tested: Instances
    tested_split: str

    @property
    def all(self) -> dict[str, Instances]:
        """Instances by split."""
        return {"train": self.train, self.split: self.judged, self.tested_split: self.tested}

    @property
    def counts(self) -> dict[str, int]:
        """Number of instances by split."""
        return {split: len(instances) for split, instances in self.all.items()}


def read_splits(
    path: Path, splits_in: Callable[[Path], Sequence[str]], read: Callable[[str], Instances], words: str
) -> tuple[Instances, Instances, str, Instances, str]:
    """Fields of :class:`Splits`: validation instances judge epochs where there are some, test instances the end likewise.

    Args:
        path: the data set, for messages.
        splits_in: names splits of a folder.
        read: reads one.
        words: what its instances are called.

    Raises:
        SourceError: a data set that cannot be used.
    """
    train, present = read("train"), splits_in(path)
    held_out = {split: read(split) for split in ("val", "test") if split in present}
    if not held_out:
        raise SourceError(path, f"has no val_ and no test_ files; a network is judged on {words} that it never saw")
    for split, instances in held_out.items():
        if len(instances) < process_group.size():
            text = f"{split}_ has {len(instances)} {words} for {process_group.size()} processes; start fewer"
            raise SourceError(path, text)
    splits = list(held_out)
    return train, held_out[splits[0]], splits[0], held_out[splits[-1]], splits[-1]
