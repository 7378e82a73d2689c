"""Folders of runs: what a training was asked, what it saw, and where it stands.

A run has ``history.npz`` (what was recorded on the way), ``checkpoint.pt`` (everything to go on), ``config.json`` (every
option, versions), ``metrics.csv`` (numbers, row by row), and at its end ``summary.json``. What has ``config.json`` is
complete enough to be shown and resumed: it is written after the first state, and all but the metrics, which only grow, are
replaced as a whole. So an interruption at any moment does no harm.
"""

import csv
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from itertools import chain, count
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from imle_cli.outputs import replacing

Arrays: TypeAlias = dict[str, NDArray[Any]]
Made = TypeVar("Made")
SomeRun = TypeVar("SomeRun", bound="RunFolder")

DAMAGED = "it is damaged or no run of imle; choose another folder"
COMMANDS = {"imle run 1": "train", "imle perception 1": "perceive"}
"""Which command makes runs of a format."""


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


def command_of(path: Path) -> str | None:
    """The command that made a run; None if it cannot be told."""
    try:
        return COMMANDS.get(json.loads((path / "config.json").read_text(encoding="utf-8"))["format"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


class RunError(ValueError):
    """A run directory that cannot be used; the message is one line."""


@dataclass(frozen=True)
class RunFolder:
    """A run directory and what it was asked; subclasses say what its files hold.

    Attributes:
        path: the folder.
        config: what ``config.json`` has.
        FORMAT: name of the format, a key of :data:`COMMANDS`.
        ARRAYS: arrays of the history, with their types.
        STATE: what a checkpoint has, with its types.
        COLUMNS: columns of the metrics, with what makes a value of a text; the first one counts rows.
        FIRST: what it counts from.
        SUMMARY: what a summary has, among more.
    """

    path: Path
    config: dict[str, Any]

    FORMAT: ClassVar[str]
    ARRAYS: ClassVar[dict[str, str]]
    STATE: ClassVar[dict[str, type]]
    COLUMNS: ClassVar[dict[str, Callable[[str], Any]]]
    FIRST: ClassVar[int]
    SUMMARY: ClassVar[set[str]]

    @classmethod
    def create(cls: type[SomeRun], path: Path, config: dict[str, Any], history: Arrays, state: dict[str, Any]) -> SomeRun:
        """Makes the folder, its parents included, and writes the first state and ``config.json``, or nothing.

        Raises:
            RunError: the folder has something in it, or cannot be made.
        """
        if path.is_dir() and any(path.iterdir()):
            resume = f"go on with --resume {path}, or " if (path / "config.json").exists() else ""
            raise RunError(f"--out: {path} is not empty; {resume}choose another name")
        make_folder(path)
        run = cls(path, {"format": cls.FORMAT, **config})
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
    def open(cls: type[SomeRun], path: Path) -> SomeRun:
        """Reads a run that exists.

        Raises:
            RunError: no run, one of another command, or a damaged one.
        """
        if not path.is_dir():
            raise RunError(f"{path}: no such run directory; check the path")
        config = cls(path, {})._read_json("config.json")
        made = config.get("format") if isinstance(config, dict) else None
        if made in COMMANDS and made != cls.FORMAT:
            raise RunError(f"{path}: is a run of imle {COMMANDS[made]}; this needs one of imle {COMMANDS[cls.FORMAT]}")
        if made != cls.FORMAT or not isinstance(config.get("options"), dict):
            raise RunError(f"{path}: config.json is not of the format {cls.FORMAT!r}; {DAMAGED}")
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

    def save(self, history: Arrays, state: dict[str, Any]) -> None:
        """Replaces history and checkpoint, in this order: the history may be ahead of the checkpoint, never behind."""
        with replacing(self.path / "history.npz") as file:
            np.savez(file, **history)  # type: ignore[arg-type]
        with replacing(self.path / "checkpoint.pt") as file:
            torch.save(state, file)

    def arrays(self) -> list[NDArray[Any]]:
        """Reads the arrays of ``history.npz``, in the order of :attr:`ARRAYS`.

        Raises:
            RunError: it is missing or damaged.
        """
        try:
            with (self.path / "history.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return [arrays[name].astype(kind, casting="equiv") for name, kind in self.ARRAYS.items()]
        except FileNotFoundError:
            raise RunError(f"{self.path}: history.npz is missing; nothing was recorded, start the run anew") from None
        except Exception as error:  # NumPy has no common error for the many ways in which a file can be broken
            raise RunError(f"{self.path}: history.npz cannot be read; {DAMAGED}") from error

    def checkpoint(self) -> dict[str, Any]:
        """Reads ``checkpoint.pt``.

        Raises:
            RunError: it is missing or damaged.
        """
        return self.read_state("checkpoint.pt", self.STATE)

    def read_state(self, name: str, kinds: dict[str, type]) -> dict[str, Any]:
        """Reads a file of tensors that has entries of these types.

        Raises:
            RunError: it is missing or damaged.
        """
        try:
            with zipfile.ZipFile(self.path / name) as archive:
                if archive.testzip() is not None:  # torch does not look at the check sums
                    raise zipfile.BadZipFile
            state = torch.load(self.path / name, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            raise RunError(f"{self.path}: {name} is missing; the run cannot go on, start it anew") from None
        except Exception as error:  # torch has no common error for the many ways in which a file can be broken
            raise RunError(f"{self.path}: {name} cannot be read; {DAMAGED}") from error
        if not isinstance(state, dict) or not all(isinstance(state.get(entry), kind) for entry, kind in kinds.items()):
            raise RunError(f"{self.path}: {name} lacks what a checkpoint has; {DAMAGED}")
        return state

    def metrics(self) -> list[Any]:
        """Rows of ``metrics.csv``, as tuples, which count up from :attr:`FIRST`; a last row that was cut off is left out.

        Raises:
            RunError: it is missing or damaged.
        """
        rows: list[Any] = []
        try:
            with (self.path / "metrics.csv").open(newline="", encoding="utf-8") as file:
                for number, line in enumerate(file):
                    if not line.endswith("\n"):
                        break
                    if number:
                        parts = line.rstrip("\n").split(",")
                        rows.append(tuple(make(part) for make, part in zip(self.COLUMNS.values(), parts, strict=True)))
                        if rows[-1][0] != self.FIRST + number - 1:
                            raise ValueError(f"row {rows[-1][0]} is not {self.FIRST + number - 1}")
        except (OSError, ValueError) as error:
            raise RunError(f"{self.path}: metrics.csv cannot be read; {DAMAGED}") from error
        return rows

    @contextmanager
    def writing_metrics(self, before: list[Any]) -> Iterator[Callable[[Any], None]]:
        """Replaces ``metrics.csv`` by the rows ``before``, then adds row by row what follows."""
        text = StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([tuple(self.COLUMNS), *before])
        with replacing(self.path / "metrics.csv") as whole:
            whole.write(text.getvalue().encode())
        with (self.path / "metrics.csv").open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")

            def add(row: Any) -> None:
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
        if not isinstance(summary, dict) or not set(summary) >= self.SUMMARY:
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
