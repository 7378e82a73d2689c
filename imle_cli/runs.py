"""Run directories: what a training was asked, what it saw, and where it stands.

A run has ``config.json`` (every option, versions), ``metrics.csv`` (a row a step), ``history.npz`` (recorded weights,
samples and solutions), ``checkpoint.pt`` (everything to go on), and at its end ``summary.json``. History and checkpoint are
replaced as a whole, so that an interruption at any moment leaves a run that can be shown and resumed.
"""

import csv
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from imle_cli.outputs import replacing

FORMAT = "imle run 1"
METRICS = ("step", "loss", "hamming")
Row: TypeAlias = tuple[int, float, int]
Made = TypeVar("Made")

_DAMAGED = "it is damaged or no run of imle; choose another folder"


def new_run_path(name: str, parent: str = "runs") -> Path:
    """``runs/<map>-<date and time>``, with a number behind it where that is taken."""
    stem = Path(parent) / f"{Path(name).stem}-{datetime.now():%Y%m%d-%H%M%S}"
    others = (stem.with_name(f"{stem.name}-{number}") for number in count(2))
    return next(path for path in chain([stem], others) if not path.exists())


def newest_run_path() -> Path | None:
    """The run under ``runs/`` that was begun last; None if there is none."""
    configs = sorted(Path("runs").glob("*/config.json"), key=lambda path: (path.stat().st_mtime_ns, path.parent.name))
    return configs[-1].parent if configs else None


class RunError(ValueError):
    """A run directory that cannot be used; the message is one line."""


@dataclass
class History:
    """What is recorded of a training.

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
class Run:
    """A run directory and what it was asked."""

    path: Path
    config: dict[str, Any]

    @classmethod
    def create(cls, path: Path, config: dict[str, Any]) -> "Run":
        """Makes the folder, its parents included, and writes ``config.json``.

        Raises:
            RunError: the folder has something in it.
        """
        if path.is_dir() and any(path.iterdir()):
            raise RunError(f"--out: {path} is not empty; go on with --resume {path}, or choose another name")
        path.mkdir(parents=True, exist_ok=True)
        run = cls(path, {"format": FORMAT, **config})
        run._write_json("config.json", run.config)
        return run

    @classmethod
    def open(cls, path: Path) -> "Run":
        """Reads a run that exists.

        Raises:
            RunError: no run, or a damaged one.
        """
        if not path.is_dir():
            raise RunError(f"{path}: no such run directory; check the path")
        config = cls(path, {})._read_json("config.json")
        if not isinstance(config, dict) or config.get("format") != FORMAT or "options" not in config:
            raise RunError(f"{path}: config.json is not of the format {FORMAT!r}; {_DAMAGED}")
        return cls(path, config)

    def experiment_options(self, make: Callable[[dict[str, Any]], Made]) -> Made:
        """What ``make`` gives for the options in ``config.json``.

        Raises:
            RunError: it cannot be made of them.
        """
        try:
            return make(self.config["options"])
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.path}: config.json lacks options ({error}); {_DAMAGED}") from error

    def save(self, history: History, state: dict[str, Any]) -> None:
        """Replaces history and checkpoint, in this order: the history may be ahead of the checkpoint, never behind."""
        with replacing(self.path / "history.npz") as file:
            np.savez(file, **history.arrays())  # type: ignore[arg-type]
        with replacing(self.path / "checkpoint.pt") as file:
            torch.save(state, file)

    def history(self) -> History:
        """Reads ``history.npz``.

        Raises:
            RunError: it is missing or damaged.
        """
        try:
            with (self.path / "history.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                history = History(arrays["gold"], arrays["costs"], arrays["steps"].tolist())
                history.weights, history.samples, history.solutions = (
                    list(arrays[name]) for name in ("weights", "samples", "solutions")
                )
        except FileNotFoundError:
            raise RunError(f"{self.path}: history.npz is missing; nothing was recorded, start the run anew") from None
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise RunError(f"{self.path}: history.npz cannot be read; {_DAMAGED}") from error
        return history

    def checkpoint(self) -> dict[str, Any]:
        """Reads ``checkpoint.pt``.

        Raises:
            RunError: it is missing or damaged.
        """
        try:
            state = torch.load(self.path / "checkpoint.pt", weights_only=True)
        except FileNotFoundError:
            raise RunError(f"{self.path}: checkpoint.pt is missing; the run cannot go on, start it anew") from None
        except Exception as error:  # torch has no common error for the many ways in which a file can be broken
            raise RunError(f"{self.path}: checkpoint.pt cannot be read; {_DAMAGED}") from error
        if not isinstance(state, dict) or not {"step", "weights", "optimizer", "generator", "seconds"} <= set(state):
            raise RunError(f"{self.path}: checkpoint.pt lacks what a checkpoint has; {_DAMAGED}")
        return state

    def metrics(self) -> list[Row]:
        """Rows of ``metrics.csv``; a last row that was cut off is left out.

        Raises:
            RunError: it is missing or damaged.
        """
        rows: list[Row] = []
        try:
            with (self.path / "metrics.csv").open(newline="", encoding="utf-8") as file:
                for number, line in enumerate(file):
                    if not line.endswith("\n"):
                        break
                    if number:
                        step, loss, distance = line.split(",")
                        rows.append((int(step), float(loss), int(distance)))
        except (OSError, ValueError) as error:
            raise RunError(f"{self.path}: metrics.csv cannot be read; {_DAMAGED}") from error
        return rows

    @contextmanager
    def writing_metrics(self, before: list[Row]) -> Iterator[Callable[[Row], None]]:
        """Writes ``metrics.csv`` anew with the rows ``before``, then row by row what follows."""
        with (self.path / "metrics.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(METRICS)
            writer.writerows(before)
            file.flush()

            def add(row: Row) -> None:
                writer.writerow(row)
                file.flush()

            yield add

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Writes ``summary.json``."""
        self._write_json("summary.json", summary)

    def summary(self) -> dict[str, Any]:
        """Reads ``summary.json``.

        Raises:
            RunError: it is missing or damaged.
        """
        summary = self._read_json("summary.json")
        if not isinstance(summary, dict) or not {"final_loss", "final_hamming", "first_gold_step", "seconds"} <= set(
            summary
        ):
            raise RunError(f"{self.path}: summary.json lacks what a summary has; {_DAMAGED}")
        return summary

    def _write_json(self, name: str, values: dict[str, Any]) -> None:
        with replacing(self.path / name) as file:
            file.write(json.dumps(values, indent=2, allow_nan=False).encode() + b"\n")

    def _read_json(self, name: str) -> Any:
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(f"{self.path}: {name} is missing; {_DAMAGED}") from None
        except (OSError, ValueError) as error:
            raise RunError(f"{self.path}: {name} cannot be read; {_DAMAGED}") from error
