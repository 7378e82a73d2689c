"""Folders of runs: what a training was asked, what it saw, and where it stands.

A run has ``metrics.csv`` (numbers, row by row), ``history.npz`` (what was recorded on the way), ``checkpoint.pt``
(everything to go on, the rows of the metrics among it), ``previous.pt`` (the checkpoint before that one), ``config.json``
(every option, versions), and at its end ``summary.json``. What has ``config.json`` is complete enough to be shown and
resumed: it is written after the first state, and every file is replaced as a whole. So an interruption at any moment does no
harm. One process at a time writes a run.
"""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch

from imle_cli.files.archives import ArchiveError, DamagedArchiveError, array_shapes, read_arrays, read_state
from imle_cli.files.folder_lock import LOCK, FolderLock
from imle_cli.files.outputs import OutputError, check_leads, leftovers, replacing, sync_folder
from imle_cli.options.recorded import fits, from_recorded
from imle_cli.runs.directories import (
    CHECKPOINT,
    COMMANDS,
    CONFIG,
    DAMAGED,
    HISTORY,
    METRICS,
    PREVIOUS,
    SUMMARY,
    RunError,
    check_run,
    read_json,
)
from imle_cli.runs.history import Arrays, SomeHistory

Made = TypeVar("Made")
SomeRun = TypeVar("SomeRun", bound="RunFolder[Any]")

_FIRST = {METRICS, HISTORY, CHECKPOINT}  # what is there before ``config.json`` is
_FILES = (CONFIG, HISTORY, METRICS, SUMMARY, CHECKPOINT, PREVIOUS, "best.pt")


def make_folder(path: Path) -> None:
    """Makes the folder and its parents, where they are missing.

    Raises:
        OutputError: it cannot be made.
    """
    check_leads("--out", path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"--out: {path} cannot be made a folder ({error.strerror}); choose another name") from error


def run_leftovers(folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """Half-written files of a run, and of these names, left by killed processes; whoever removes them must have the lock."""
    return leftovers(folder, (*_FILES, *names))


@dataclass(frozen=True)
class RunFolder(Generic[SomeHistory]):
    """A run directory and what it was asked; subclasses say what its files hold.

    Attributes:
        path: the folder.
        config: what ``config.json`` has.
        lock: what keeps other processes from writing it; None if this one does not write it either.
        FORMAT: name of the format, a key of :data:`COMMANDS`.
        RECORD: its history.
        STATE: what a checkpoint has, with its types, among more.
        COLUMNS: columns of the metrics, with what makes a value of a text; the first one counts rows.
        FIRST: what it counts from.
        SUMMARY: what a summary has, with its types, among more.
    """

    path: Path
    config: dict[str, Any]
    lock: FolderLock | None = field(default=None, repr=False, compare=False)

    FORMAT: ClassVar[str]
    RECORD: ClassVar[type[Any]]
    STATE: ClassVar[dict[str, type]]
    COLUMNS: ClassVar[dict[str, Callable[[str], Any]]]
    FIRST: ClassVar[int]
    SUMMARY: ClassVar[dict[str, Any]]

    @classmethod
    def create(cls: type[SomeRun], path: Path, config: dict[str, Any], history: Arrays, state: dict[str, Any]) -> SomeRun:
        """Makes the folder, its parents included, and writes the first state and ``config.json``, or nothing.

        What a process left that was killed amid this is removed.

        Raises:
            OutputError: the folder has something else in it, or cannot be made.
            FolderLockError: another process writes it.
        """
        make_folder(path)
        run = cls(path, {"format": cls.FORMAT, **config}, FolderLock(path))
        try:
            cls._clear(path)
            try:
                run.save(history, [], state)
                run._write_json(CONFIG, run.config)
                sync_folder(path)
            except BaseException:
                for name in (*_FIRST, CONFIG):
                    (path / name).unlink(missing_ok=True)
                raise
        except BaseException:
            run.release()
            raise
        return run

    @classmethod
    def open(cls: type[SomeRun], path: Path) -> SomeRun:
        """Reads a run that exists.

        Raises:
            RunError: no run, one of another command, or a damaged one.
        """
        check_run(path)
        if not (path / CONFIG).exists() and any(path.iterdir()) and cls._has_only_begun(path):
            raise RunError(path, f"has no {CONFIG} yet, so nothing was recorded; start the run anew with --out {path}")
        config = cls(path, {})._read_json(CONFIG)
        made = config.get("format") if isinstance(config, dict) else None
        if isinstance(made, str) and made in COMMANDS and made != cls.FORMAT:
            raise RunError(path, f"is a run of imle {COMMANDS[made]}; this needs one of imle {COMMANDS[cls.FORMAT]}")
        if made != cls.FORMAT or not isinstance(config.get("options"), dict):
            raise RunError(path, f"config.json is not of the format {cls.FORMAT!r}; {DAMAGED}")
        return cls(path, config)

    @classmethod
    def open_to_write(cls: type[SomeRun], path: Path) -> SomeRun:
        """Reads a run that exists and is to go on; errors as in :meth:`open`.

        Raises:
            FolderLockError: another process writes it.
        """
        cls.open(path)  # a folder of somebody else is left alone
        lock = FolderLock(path)
        try:
            for file in run_leftovers(path):
                file.unlink()
            return cls(path, cls.open(path).config, lock)
        except BaseException:
            lock.release()
            raise

    def release(self) -> None:
        """Lets other processes write it."""
        if self.lock is not None:
            self.lock.release()

    def made_of_options(self, make: Callable[[dict[str, Any]], Made]) -> Made:
        """Outcome of ``make`` for the options in ``config.json``.

        Raises:
            RunError: it cannot be made of them.
        """
        try:
            return make(self.config["options"])
        except Exception as error:  # whatever the options of another program may lead to
            raise RunError(self.path, f"config.json lacks options ({str(error)[:120]}); {DAMAGED}") from error

    def experiment(self, kind: type[Made]) -> Made:
        """The options in ``config.json``; errors as in :meth:`made_of_options`."""
        return self.made_of_options(lambda options: from_recorded(kind, options))

    def save(self, history: Arrays, rows: list[Any], state: dict[str, Any]) -> None:
        """Replaces metrics, history and checkpoint, in this order: the first two may be ahead of the last, never behind."""
        metrics = self._metrics_text(rows)
        with replacing(self.path / METRICS) as file:
            file.write(metrics)
        with replacing(self.path / HISTORY, durable=True) as file:
            np.savez(file, **history)  # type: ignore[arg-type]
        text = torch.frombuffer(bytearray(metrics), dtype=torch.uint8)
        with replacing(self.path / CHECKPOINT, durable=True, kept=self.path / PREVIOUS) as file:
            torch.save(state | {"metrics": text}, file)
        sync_folder(self.path)

    def history(self) -> SomeHistory:
        """Reads ``history.npz``, once its arrays fit each other.

        Raises:
            RunError: it is missing or damaged.
        """
        kinds = self.RECORD.KINDS
        try:
            arrays = dict(zip(kinds, read_arrays(self.path / HISTORY, kinds, self.RECORD.fit), strict=True))
            return self.RECORD.of(arrays)  # type: ignore[no-any-return]
        except FileNotFoundError:
            raise RunError(self.path, f"{HISTORY} is missing; nothing was recorded, start the run anew") from None
        except ValueError as error:
            raise RunError(self.path, f"{HISTORY} {error}; {DAMAGED}") from error

    def last_checkpoint(self) -> tuple[dict[str, Any], str]:
        """Content of ``checkpoint.pt``, or of the one before where that is missing or damaged; and the name of that file.

        Raises:
            RunError: neither can be read.
        """
        try:
            return self.read_state(CHECKPOINT, self.STATE), CHECKPOINT
        except RunError as error:
            if not isinstance(error.__cause__, (FileNotFoundError, DamagedArchiveError)):
                raise
            if not (self.path / PREVIOUS).exists():
                raise
            try:
                return self.read_state(PREVIOUS, self.STATE), PREVIOUS
            except RunError:
                raise RunError(self.path, f"neither {CHECKPOINT} nor {PREVIOUS} can be read; {DAMAGED}") from error

    def read_state(self, name: str, kinds: dict[str, type]) -> dict[str, Any]:
        """Reads a file of tensors that has entries of these types.

        Raises:
            RunError: it is missing or damaged.
        """
        try:
            return read_state(self.path / name, kinds)
        except FileNotFoundError as error:
            raise RunError(self.path, f"{name} is missing; the run cannot go on, start it anew") from error
        except ArchiveError as error:
            raise RunError(self.path, f"{name} {error}; {DAMAGED}") from error

    def rows(self, state: dict[str, Any], name: str) -> list[Any]:
        """The rows of metrics in the checkpoint ``name``; one of an earlier version has none, but ``metrics.csv`` has them.

        Raises:
            RunError: they are damaged.
        """
        text = state.get("metrics")
        if text is None:
            return self.metrics()
        try:
            if text.dtype != torch.uint8:
                raise ValueError(text.dtype)
            return self._parsed_rows(StringIO(bytes(text.numpy()).decode(), newline=""))
        except Exception as error:  # whatever a foreign state may lead to
            raise RunError(self.path, f"{name} lacks what a checkpoint has; {DAMAGED}") from error

    def metrics(self) -> list[Any]:
        """Rows of ``metrics.csv``, as tuples, which count up from :attr:`FIRST`; a last row that was cut off is left out.

        Raises:
            RunError: it is missing or damaged.
        """
        try:
            with (self.path / METRICS).open(newline="", encoding="utf-8") as file:
                return self._parsed_rows(file)
        except (OSError, ValueError) as error:
            raise RunError(self.path, f"{METRICS} cannot be read; {DAMAGED}") from error

    def _parsed_rows(self, lines: Iterable[str]) -> list[Any]:
        rows: list[Any] = []
        for number, line in enumerate(lines):
            if not line.endswith("\n"):
                break
            if number:
                cells = line.rstrip("\n").split(",")
                rows.append(tuple(make(cell) for make, cell in zip(self.COLUMNS.values(), cells, strict=True)))
                if rows[-1][0] != self.FIRST + number - 1:
                    raise ValueError(f"row {rows[-1][0]} is not {self.FIRST + number - 1}")
        return rows

    @classmethod
    def _metrics_text(cls, rows: list[Any]) -> bytes:
        text = StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([tuple(cls.COLUMNS), *rows])
        return text.getvalue().encode()

    @classmethod
    def _clear(cls, path: Path) -> None:
        """Removes what a process left that was killed before ``config.json`` was there; refuses anything else."""
        if (path / CONFIG).exists():
            raise OutputError(f"--out: {path} is not empty; go on with --resume {path}, or choose another name")
        if not cls._has_only_begun(path):
            raise OutputError(f"--out: {path} is not empty; choose another name")
        for entry in path.iterdir():
            if entry.name != LOCK:
                entry.unlink()

    @classmethod
    def _has_only_begun(cls, path: Path) -> bool:
        """True where the folder has nothing but what is written before ``config.json``, whole or not."""
        entries = {entry for entry in path.iterdir() if entry.name != LOCK} - set(run_leftovers(path))
        return all(entry.name in _FIRST and entry.is_file() and cls._is_first(entry) for entry in entries)

    @classmethod
    def _is_first(cls, file: Path) -> bool:
        """True of a file that is empty, or of the state before the first step: whatever else has its name is somebody's."""
        if file.stat().st_size == 0:
            return True
        try:
            match file.name:
                case "metrics.csv":
                    return file.read_bytes() == cls._metrics_text([])
                case "history.npz":
                    kinds = cls.RECORD.KINDS
                    return bool(dict(zip(kinds, array_shapes(file, kinds), strict=True))["steps"] == (0,))
            return bool(read_state(file, cls.STATE)["step"] == 0)
        except ArchiveError:
            return False

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Writes ``summary.json``."""
        self._write_json(SUMMARY, summary)

    def summary(self) -> dict[str, Any]:
        """Reads ``summary.json``.

        Raises:
            RunError: it is missing or damaged.
        """
        summary = self._read_json(SUMMARY)
        if not isinstance(summary, dict) or not self._is_summary(summary):
            raise RunError(self.path, f"{SUMMARY} lacks what a summary has; {DAMAGED}")
        return summary

    @classmethod
    def _is_summary(cls, summary: dict[str, Any]) -> bool:
        return all(name in summary and fits(summary[name], kind) for name, kind in cls.SUMMARY.items())

    def _write_json(self, name: str, values: dict[str, Any]) -> None:
        with replacing(self.path / name, durable=True) as file:
            file.write(json.dumps(values, indent=2, allow_nan=False).encode() + b"\n")

    def _read_json(self, name: str) -> Any:
        try:
            return read_json(self.path / name)
        except FileNotFoundError:
            raise RunError(self.path, f"{name} is missing; {DAMAGED}") from None
        except (OSError, ValueError) as error:
            raise RunError(self.path, f"{name} cannot be read; {DAMAGED}") from error
