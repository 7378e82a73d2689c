"""A folder of runs, one a cell of a grid: which have ended, what came out, and what workers give back."""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from imle_cli.console import Report, Result, Table
from imle_cli.files.folder_lock import LOCK, FolderLock
from imle_cli.files.outputs import OutputError, leftovers, replacing, sync_folder, write_table
from imle_cli.options.checks import option_of
from imle_cli.runs.directories import CONFIG, PREVIOUS, SUMMARY, RunError, new_folder
from imle_cli.runs.folder import RunFolder, make_folder, run_leftovers
from imle_cli.runs.recorder import Recorder

if TYPE_CHECKING:
    from imle_cli.options.inputs import ExecutorName

TABLE = "table.csv"
_WORKPLACE = ".cells-"  # how names of folders begin in which cells are trained
SomeCell = TypeVar("SomeCell", bound="SweepCell")
SomeSweep = TypeVar("SomeSweep", bound="SweepFolder[Any]")


@dataclass(frozen=True, kw_only=True)
class SweepCell(ABC):
    """One training of a sweep.

    Attributes:
        experiment: what it is.
        workplace: folder to work in, if there is one.
        AXES: options in which cells differ.
        FREE: options that decide nothing about results, so that a later call may have others.
    """

    experiment: Any
    workplace: Path | None = None

    AXES: ClassVar[tuple[str, ...]]
    FREE: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of its folder, by its point of the grid."""

    @property
    def point(self) -> dict[str, Any]:
        """Its values on the axes."""
        options = self.experiment.options
        return {name: options[name] for name in self.AXES}

    @abstractmethod
    def start(self, path: Path) -> Recorder[Any]:
        """Its training before the first step, in a new run directory."""

    def films(self, recorder: Any) -> dict[str, bytes]:  # noqa: ARG002
        """Films of its training, by the names of their files."""
        return {}


@dataclass(frozen=True)
class FinishedCell:
    """A cell as a worker gives it back: the files of its run by name, and its summary; or why there are none."""

    files: dict[str, bytes]
    summary: dict[str, Any] | None = None
    error: str = ""


def run_cell(cell: SweepCell) -> FinishedCell:
    """Trains in a temporary folder, on whatever machine; a cell that fails must not stop the rest."""
    parent = cell.workplace if cell.workplace and cell.workplace.is_dir() else None
    try:
        with TemporaryDirectory(dir=parent) as folder:
            with cell.start(Path(folder) / "run") as recorder:
                for _ in recorder.steps():
                    pass
            # Nobody goes on from the state before the last: the run is complete.
            paths = [path for path in Path(folder, "run").iterdir() if path.name not in (PREVIOUS, LOCK)]
            files = {path.name: path.read_bytes() for path in paths}
            return FinishedCell(files | cell.films(recorder), recorder.summary())
    except Exception as error:  # whatever may go wrong in it
        return FinishedCell({}, error=" ".join(f"{type(error).__name__}: {error}".split()))


class SweepFolder(ABC, Generic[SomeCell]):
    """The cells of a sweep, and what came out so far, in the folder ``path``, or a new one under ``sweeps/`` if it is None.

    Args:
        path: the folder.
        name: after what to call a new one.
        cells: all cells, in the order in which they are to be begun.
        inputs: tells other inputs apart.

    Attributes:
        results: a row of ``COLUMNS`` for each cell that has ended, in the folder already or since, by the cell's name.
        RUN: what the cells' folders are.
        COLUMNS: columns of the table.
        FILES: what a folder of a sweep may hold besides.
        FILMS: what the folder of a cell may hold besides a run.
        OTHER: of what another sweep would be whose inputs are others.

    Raises:
        RunError: the folder has runs with other options, or something else.
        FolderLockError: another process writes it.
    """

    RUN: ClassVar[type[RunFolder[Any]]]
    COLUMNS: ClassVar[tuple[str, ...]]
    FILES: ClassVar[tuple[str, ...]]
    FILMS: ClassVar[tuple[str, ...]] = ()
    OTHER: ClassVar[str]

    def __init__(self, path: Path | None, name: str, cells: Sequence[SomeCell], inputs: str) -> None:
        self.cells = list(cells)
        if path is not None:
            make_folder(path)
        self.path = path or new_folder(name, "sweeps")
        self.results: dict[str, dict[str, Any]] = {}
        self._lock = FolderLock(self.path)
        try:
            self._check(inputs)
            self._remove_leftovers()
            for cell in self.cells:
                if (self.folder(cell) / SUMMARY).exists():
                    self._enter(cell, self.RUN.open(self.folder(cell)).summary())
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self: SomeSweep) -> SomeSweep:
        return self

    def __exit__(self, *_: Any) -> None:
        self._lock.release()

    def folder(self, cell: SomeCell) -> Path:
        """Folder of a cell's run."""
        return self.path / cell.name

    @contextmanager
    def at_work(self) -> Iterator[list[SomeCell]]:
        """The cells that have not ended, with a folder for those who work on this machine, which may be killed there."""
        with TemporaryDirectory(prefix=_WORKPLACE, dir=self.path, ignore_cleanup_errors=True) as folder:
            left = [cell for cell in self.cells if cell.name not in self.results]
            yield [replace(cell, workplace=Path(folder).resolve()) for cell in left]

    def keep(self, cell: SomeCell, outcome: FinishedCell | Exception) -> None:
        """Writes what a cell gave, its options first, and last its summary, which tells that the cell is complete."""
        if isinstance(outcome, Exception):
            outcome = FinishedCell({}, error=str(outcome))
        if outcome.summary is None:
            self._enter(cell, {}, outcome.error)
            return
        folder = self.folder(cell)
        folder.mkdir(parents=True, exist_ok=True)
        with FolderLock(folder):
            for name in sorted(outcome.files, key=lambda name: name != CONFIG):
                with replacing(folder / name, durable=True) as file:
                    file.write(outcome.files[name])
            sync_folder(folder)
            self.RUN(folder, {}).write_summary(outcome.summary | {"run": str(folder)})
        self._enter(cell, outcome.summary)

    @abstractmethod
    def table(self, below: Sequence[str] = ()) -> Table:
        """Outcomes so far."""

    @abstractmethod
    def draw(self) -> list[Path]:
        """Draws what came out; the files."""

    def _draw(self, name: str, figure: Any) -> Path:
        """Writes a figure into the folder; where it is."""
        from imle_cli.figures import canvas

        with replacing(self.path / name) as file:
            file.write(canvas.encode(figure, "png"))
        return self.path / name

    def told(self, counts: str) -> str:
        """The line below the table, with the counts of cells and the time in it."""
        return counts

    def complete(self) -> None:
        """Does what is left to do when every cell has ended."""

    @property
    def stopped(self) -> str:
        """Progress of a sweep that ends early."""
        return f"stopped: {self.progress}"

    def work(self, console: Report, executor: "ExecutorName", jobs: int | None) -> Result:
        """Trains the cells that are left, with a live table; whatever ends it, ``table.csv`` has those that have ended."""
        from imle_cli.runs.executors import outcomes

        before = len(self.results)
        try:
            with (
                self.at_work() as cells,
                closing(outcomes(run_cell, cells, executor, jobs)) as ended,
                console.live() as show,
            ):
                show(self.progress, self.table())
                for number, outcome in ended:
                    self.keep(cells[number], outcome)
                    show(self.progress, self.table())
                self.complete()
        except (KeyboardInterrupt, SystemExit):
            console.note(f"{self.stopped}; go on with the same and --out {self.path}")
            raise
        finally:
            self.write_table()
        values = self._values(before, [self.path / TABLE, *self.draw()])
        return Result(values, lambda ended: self.table([self.told(self._counts(ended))]), failure=self.failures)

    def _enter(self, cell: SomeCell, summary: Mapping[str, Any], error: str | None = None) -> None:
        self.results[cell.name] = {name: summary.get(name) for name in self.COLUMNS} | cell.point | {"error": error}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The results in the order of the grid."""
        return sorted(self.results.values(), key=lambda row: [row[name] for name in self.cells[0].AXES])

    @property
    def progress(self) -> str:
        """Number of cells that have ended."""
        return f"{len(self.results)} of {len(self.cells)} cells have ended"

    @property
    def failures(self) -> str:
        """Number of cells that failed, and why the first one did; empty if none did."""
        failed = [row for row in self.rows if row["error"]]
        if not failed:
            return ""
        where = ", ".join(f"{name} {failed[0][name]}" for name in self.cells[0].AXES)
        return f"{len(failed)} of {len(self.cells)} cells failed; the first ({where}): {failed[0]['error']}"

    def _values(self, before: int, files: Sequence[Path]) -> dict[str, Any]:
        """Outcomes, of ``before`` cells in earlier calls, for JSON."""
        return {
            "out": str(self.path),
            "cells": len(self.cells),
            "skipped": before,
            "failed": sum(bool(row["error"]) for row in self.rows),
            "seconds": None,
            "files": [str(file) for file in files],
            "rows": self.rows,
        }

    def _counts(self, values: dict[str, Any]) -> str:
        counts = f"{values['cells']} cells, {values['skipped']} of them done before, {values['failed']} failed"
        return f"{counts}; {values['seconds']:.1f} s; sweep in {self.path}"

    def write_table(self) -> None:
        """Writes ``table.csv``."""
        write_table(self.path / TABLE, {name: [row[name] for row in self.rows] for name in self.COLUMNS})

    def _check(self, inputs: str) -> None:
        path, runs = self.path, sorted(config.parent for config in self.path.glob(f"*/{CONFIG}"))
        if not runs and any(self._is_foreign(entry) for entry in path.iterdir()):
            raise OutputError(f"--out: {path} is not empty and has no sweep in it; choose another name")
        for folder in runs:
            run = self.RUN.open(folder)
            for name, value in self.cells[0].experiment.options.items():
                made = run.config["options"].get(name)
                if name not in (*self.cells[0].AXES, *self.cells[0].FREE) and made != value:
                    option = "FILE" if name == "data" else option_of(name)
                    got = f"got {value!r:.60}, but {folder / CONFIG} has {made!r:.60}"
                    raise RunError(option, f"{got}; choose another --out")
            if run.config.get("inputs") != inputs:
                raise OutputError(f"--out: {folder / CONFIG} is of another {self.OTHER}; choose another name")

    def _is_foreign(self, entry: Path) -> bool:
        if entry.name.startswith(".") or entry.name in self.FILES:
            return False
        return not entry.is_dir() or len(run_leftovers(entry, self.FILMS)) < len(list(entry.iterdir()))

    def _remove_leftovers(self) -> None:
        """Removes what killed processes have left: half-written files, and folders of workers."""
        for path in leftovers(self.path, self.FILES):
            path.unlink()
        for entry in list(self.path.iterdir()):
            if entry.name.startswith(_WORKPLACE):
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.is_dir():
                for path in run_leftovers(entry, self.FILMS):
                    path.unlink()
