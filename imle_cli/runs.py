"""Run directories: what a training was asked, what it saw, and where it stands.

A run has ``history.npz`` (recorded weights, samples and solutions), ``checkpoint.pt`` (everything to go on),
``config.json`` (every option, versions), ``metrics.csv`` (a row a step), and at its end ``summary.json``. What has
``config.json`` is complete enough to be shown and resumed: it is written after the first state, and all but the metrics,
which only grow, are replaced as a whole. So an interruption at any moment does no harm.
"""

import csv
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from itertools import chain, count
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_cli.outputs import replacing

FORMAT = "imle run 1"
METRICS = ("step", "loss", "hamming")
_ARRAYS = {"gold": "u1", "costs": "f8", "steps": "i8", "weights": "f4", "samples": "u1", "solutions": "u1"}
_STATE = {"step": int, "weights": Tensor, "optimizer": dict, "generator": Tensor, "seconds": float}
Row: TypeAlias = tuple[int, float, int]
Made = TypeVar("Made")

DAMAGED = "it is damaged or no run of imle; choose another folder"


def new_folder(name: str, parent: str = "runs") -> Path:
    """Makes ``runs/<map>-<date and time>``, with a number behind it where another process took that name."""
    stem = Path(parent) / f"{Path(name).stem}-{datetime.now():%Y%m%d-%H%M%S}"
    others = (stem.with_name(f"{stem.name}-{number}") for number in count(2))
    return next(path for path in chain([stem], others) if _made(path))


def _made(path: Path) -> bool:
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return False
    return True


def make_folder(path: Path) -> None:
    """Makes the folder and its parents, where they are missing.

    Raises:
        RunError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"--out: {path} cannot be made a folder ({error.strerror}); choose another name") from error


def newest_run_path() -> Path | None:
    """The run in ``runs/`` or a folder of it that was begun last; None if there is none."""
    configs = sorted(Path("runs").rglob("config.json"), key=lambda path: (path.stat().st_mtime_ns, path.parent.name))
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
    def create(cls, path: Path, config: dict[str, Any], history: History, state: dict[str, Any]) -> "Run":
        """Makes the folder, its parents included, and writes the first state and ``config.json``, or nothing.

        Raises:
            RunError: the folder has something in it, or cannot be made.
        """
        if path.is_dir() and any(path.iterdir()):
            resume = f"go on with --resume {path}, or " if (path / "config.json").exists() else ""
            raise RunError(f"--out: {path} is not empty; {resume}choose another name")
        make_folder(path)
        run = cls(path, {"format": FORMAT, **config})
        try:
            run.save(history, state)
            with run.writing_metrics([]):
                run._write_json("config.json", run.config)
        except BaseException:
            for name in ("history.npz", "checkpoint.pt", "metrics.csv", "config.json"):
                (path / name).unlink(missing_ok=True)
            raise
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
        if not isinstance(config, dict) or config.get("format") != FORMAT or not isinstance(config.get("options"), dict):
            raise RunError(f"{path}: config.json is not of the format {FORMAT!r}; {DAMAGED}")
        return cls(path, config)

    def experiment_options(self, make: Callable[[dict[str, Any]], Made]) -> Made:
        """What ``make`` gives for the options in ``config.json``.

        Raises:
            RunError: it cannot be made of them.
        """
        try:
            return make(self.config["options"])
        except Exception as error:  # whatever the options of another program may lead to
            raise RunError(f"{self.path}: config.json lacks options ({error}); {DAMAGED}") from error

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
                gold, costs, steps, *records = (arrays[name].astype(kind, casting="equiv") for name, kind in _ARRAYS.items())
        except FileNotFoundError:
            raise RunError(f"{self.path}: history.npz is missing; nothing was recorded, start the run anew") from None
        except Exception as error:  # NumPy has no common error for the many ways in which a file can be broken
            raise RunError(f"{self.path}: history.npz cannot be read; {DAMAGED}") from error
        shape = (*steps.shape, *costs.shape)
        if (gold.shape, costs.ndim, steps.ndim) != (costs.shape, 2, 1) or any(array.shape != shape for array in records):
            raise RunError(f"{self.path}: history.npz has arrays that do not fit each other; {DAMAGED}")
        return History(gold, costs, steps.tolist(), *map(list, records))

    def checkpoint(self) -> dict[str, Any]:
        """Reads ``checkpoint.pt``.

        Raises:
            RunError: it is missing or damaged.
        """
        try:
            with zipfile.ZipFile(self.path / "checkpoint.pt") as archive:
                if archive.testzip() is not None:  # torch does not look at the check sums
                    raise zipfile.BadZipFile
            state = torch.load(self.path / "checkpoint.pt", map_location="cpu", weights_only=True)
        except FileNotFoundError:
            raise RunError(f"{self.path}: checkpoint.pt is missing; the run cannot go on, start it anew") from None
        except Exception as error:  # torch has no common error for the many ways in which a file can be broken
            raise RunError(f"{self.path}: checkpoint.pt cannot be read; {DAMAGED}") from error
        if not isinstance(state, dict) or not all(isinstance(state.get(name), kind) for name, kind in _STATE.items()):
            raise RunError(f"{self.path}: checkpoint.pt lacks what a checkpoint has; {DAMAGED}")
        return state

    def metrics(self) -> list[Row]:
        """Rows of ``metrics.csv``, one for each step from 0; a last row that was cut off is left out.

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
                        if int(step) != len(rows):
                            raise ValueError(f"step {step} is not {len(rows)}")
                        rows.append((len(rows), float(loss), int(distance)))
        except (OSError, ValueError) as error:
            raise RunError(f"{self.path}: metrics.csv cannot be read; {DAMAGED}") from error
        return rows

    @contextmanager
    def writing_metrics(self, before: list[Row]) -> Iterator[Callable[[Row], None]]:
        """Replaces ``metrics.csv`` by the rows ``before``, then adds row by row what follows."""
        text = StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([METRICS, *before])
        with replacing(self.path / "metrics.csv") as whole:
            whole.write(text.getvalue().encode())
        with (self.path / "metrics.csv").open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")

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
            raise RunError(f"{self.path}: summary.json lacks what a summary has; {DAMAGED}")
        return summary

    def _write_json(self, name: str, values: dict[str, Any]) -> None:
        with replacing(self.path / name) as file:
            file.write(json.dumps(values, indent=2, allow_nan=False).encode() + b"\n")

    def _read_json(self, name: str) -> Any:
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(f"{self.path}: {name} is missing; {DAMAGED}") from None
        except (OSError, ValueError) as error:
            raise RunError(f"{self.path}: {name} cannot be read; {DAMAGED}") from error
