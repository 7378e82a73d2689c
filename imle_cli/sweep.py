"""A grid of trainings over temperatures, numbers of samples and seeds: cells, their folders, and what came out."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from imle_cli import animation, frames
from imle_cli.experiment import Experiment, Inputs, Recorder
from imle_cli.films import RunFilms, timed
from imle_cli.options import FilmOptions
from imle_cli.outputs import replacing
from imle_cli.run_folder import RunError, make_folder, new_folder
from imle_cli.runs import History, Row, Run

TABLE, LOSS, STEPS = "table.csv", "final_loss.png", "first_gold_step.png"
AXES = ("input_temp", "target_temp", "samples", "seed")
COLUMNS = (*AXES, "final_loss", "final_hamming", "first_gold_step", "seconds", "error")
Value = TypeVar("Value")
ANIMATED = ("learning_paths", "learning_weights")


@dataclass(frozen=True)
class Cell:
    """One training of a sweep.

    Attributes:
        experiment: what it is.
        inputs: what it begins with.
        film: how to animate it; not at all if None.
        workplace: folder to work in, if there is one.
    """

    experiment: Experiment
    inputs: Inputs
    film: FilmOptions | None
    workplace: Path | None = None

    @property
    def name(self) -> str:
        """Name of its folder, by its place in the grid."""
        place = self.place
        temperatures = f"in{_short(place['input_temp'])}-target{_short(place['target_temp'])}"
        return f"{temperatures}-samples{place['samples']}-seed{place['seed']}"

    @property
    def place(self) -> dict[str, Any]:
        """Its temperatures, number of samples and seed."""
        options = self.experiment.options
        return {name: options[name] for name in AXES}


@dataclass(frozen=True)
class Outcome:
    """What a worker gives back: the files of a run directory by name, and its summary; or why there are none."""

    files: dict[str, bytes]
    summary: dict[str, Any] | None = None
    error: str = ""


def run_cell(cell: Cell) -> Outcome:
    """Trains and animates in a temporary folder, so that it does not matter on which machine."""
    parent = cell.workplace if cell.workplace and cell.workplace.is_dir() else None
    try:
        with TemporaryDirectory(dir=parent) as folder:
            recorder = Recorder.start(cell.experiment, Path(folder) / "run", cell.inputs)
            for _ in recorder.steps():
                pass
            files = {path.name: path.read_bytes() for path in recorder.run.path.iterdir()}
        return Outcome(files | _animated(cell, recorder.history, recorder.rows), recorder.summary)
    except Exception as error:  # a cell that fails must not stop the others
        return Outcome({}, error=" ".join(f"{type(error).__name__}: {error}".split()))


def _animated(cell: Cell, history: History, rows: list[Row]) -> dict[str, bytes]:
    if cell.film is None:
        return {}
    films = RunFilms(history, rows, cell.experiment.options, cell.film.size, cell.film.frames).films
    files = {}
    for name in ANIMATED:
        file = io.BytesIO()
        animation.write(file, "gif", timed(films[name](), cell.film.fps), frames.PALETTE)
        files[f"{name}.gif"] = file.getvalue()
    return files


class Sweep:
    """The cells of a sweep, and what came out so far, in the folder ``path``, or a new one under ``sweeps/`` if it is None.

    Attributes:
        path: the folder.
        cells: all cells, those that take longest first.
        results: a row of :data:`COLUMNS` for each cell that has ended, in the folder already or since, by the cell's name.

    Raises:
        RunError: the folder has runs with other options, or something else.
    """

    def __init__(
        self, path: Path | None, experiment: Experiment, axes: Mapping[str, Sequence[Any]], film: FilmOptions | None
    ) -> None:
        self.axes, inputs = axes, Inputs.read(experiment)
        places = [dict(zip(AXES, values, strict=True)) for values in product(*(axes[name] for name in AXES))]
        cells = [Cell(_at(experiment, place), inputs, film) for place in places]
        self.cells = sorted(cells, key=lambda cell: -cell.place["samples"])
        if path is not None:
            _check_folder(path, experiment, inputs)
            make_folder(path)
        self.path = path or new_folder(experiment.place.name, "sweeps")
        self.results: dict[str, dict[str, Any]] = {}
        for cell in self.cells:
            if (self.folder(cell) / "summary.json").exists():
                self._enter(cell, Run.open(self.folder(cell)).summary())

    def folder(self, cell: Cell) -> Path:
        """Where a cell's run is."""
        return self.path / cell.name

    @property
    def left(self) -> list[Cell]:
        """Cells that have not ended."""
        return [cell for cell in self.cells if cell.name not in self.results]

    @contextmanager
    def at_work(self) -> Iterator[list[Cell]]:
        """The cells that have not ended, with a folder for those who work on this machine, which may be killed there."""
        with TemporaryDirectory(prefix=".cells-", dir=self.path, ignore_cleanup_errors=True) as folder:
            yield [replace(cell, workplace=Path(folder).resolve()) for cell in self.left]

    def keep(self, cell: Cell, outcome: Outcome | Exception) -> None:
        """Writes what a cell gave, its options first, and last its summary, which tells that the cell is complete."""
        if isinstance(outcome, Exception):
            outcome = Outcome({}, error=str(outcome))
        if outcome.summary is None:
            self._enter(cell, {}, outcome.error)
            return
        folder = self.folder(cell)
        folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(outcome.files, key=lambda name: name != "config.json"):
            with replacing(folder / name) as file:
                file.write(outcome.files[name])
        Run(folder, {}).write_summary(outcome.summary | {"run": str(folder)})
        self._enter(cell, outcome.summary)

    def animate_the_rest(self) -> None:
        """Animates cells that ended before animations were asked for."""
        for cell in self.cells:
            folder = self.folder(cell)
            done = all((folder / f"{name}.gif").exists() for name in ANIMATED)
            if cell.film and not done and (folder / "summary.json").exists():
                run = Run.open(folder)
                for name, content in _animated(cell, run.history(), run.metrics()).items():
                    with replacing(folder / name) as file:
                        file.write(content)

    def _enter(self, cell: Cell, summary: dict[str, Any], error: str | None = None) -> None:
        self.results[cell.name] = {name: summary.get(name) for name in COLUMNS} | cell.place | {"error": error}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The results in the order of the grid."""
        return sorted(self.results.values(), key=lambda row: [row[name] for name in AXES])

    def write_table(self) -> None:
        """Writes ``table.csv``."""
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        with replacing(self.path / TABLE) as file:
            file.write(text.getvalue().encode())

    def grid(self, samples: int, value: Callable[[list[dict[str, Any]]], Value]) -> list[list[Value]]:
        """``value`` of the rows of all seeds, for each input temperature a list over target temperatures."""
        places: dict[tuple[float, float], list[dict[str, Any]]] = {}
        for row in self.results.values():
            if row["samples"] == samples:
                places.setdefault((row["input_temp"], row["target_temp"]), []).append(row)
        return [
            [value(places.get((heat, target), [])) for target in self.axes["target_temp"]]
            for heat in self.axes["input_temp"]
        ]


def _check_folder(path: Path, experiment: Experiment, inputs: Inputs) -> None:
    runs = sorted(config.parent for config in path.glob("*/config.json"))
    if path.is_dir() and not runs and any(_foreign(entry.name) for entry in path.iterdir()):
        raise RunError(f"--out: {path} is not empty and has no sweep in it; choose another name")
    for folder in runs:
        run = Run.open(folder)
        for name, value in experiment.options.items():
            if name not in AXES and run.config["options"].get(name) != value:
                option = "MAP" if name == "map" else "--" + name.replace("_", "-")
                made = run.config["options"].get(name)
                raise RunError(f"{option}: got {value}, but the sweep in {path} was made with {made}; choose another --out")
        if run.config.get("inputs") != inputs.digest:
            raise RunError(f"--out: {path} has a sweep of another map, gold path or first weights; choose another name")


def _foreign(name: str) -> bool:
    return not name.startswith(".") and name not in (TABLE, LOSS, STEPS)


def _at(experiment: Experiment, place: dict[str, Any]) -> Experiment:
    learning = {name: value for name, value in place.items() if name != "seed"}
    return replace(experiment, learning=replace(experiment.learning, **learning), seed=place["seed"])


def _short(value: float) -> str:
    return repr(float(value)).removesuffix(".0")
