"""A grid of trainings over temperatures, numbers of samples and seeds."""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from imle_cli.console import Table
from imle_cli.files.outputs import replacing
from imle_cli.films.training import RunFilms
from imle_cli.options.report import FilmOptions
from imle_cli.runs.sweep import TABLE, SweepCell, SweepFolder
from imle_cli.runs.training import Row, Run, TrainingHistory
from imle_cli.trainings.weights.experiment import Inputs, TrainingExperiment
from imle_cli.trainings.weights.recorder import TrainingRecorder

LOSS, STEPS = "final_loss.png", "first_gold_step.png"
AXES = ("input_temp", "target_temp", "samples", "seed")
Value = TypeVar("Value")
CellRow: TypeAlias = dict[str, Any]
ANIMATED = ("learning_paths", "learning_weights")


@dataclass(frozen=True, kw_only=True)
class MapCell(SweepCell):
    """One training of a map.

    Attributes:
        inputs: what it begins with.
        film: how to animate it; not at all if None.
    """

    inputs: Inputs
    film: FilmOptions | None

    AXES = AXES
    FREE = ("record_every",)

    @property
    def name(self) -> str:
        """Name of its folder, by its point of the grid."""
        point = self.point
        temperatures = f"in{_short(point['input_temp'])}-target{_short(point['target_temp'])}"
        return f"{temperatures}-samples{point['samples']}-seed{point['seed']}"

    def start(self, path: Path) -> TrainingRecorder:
        """Its training."""
        return TrainingRecorder.start(self.experiment, path, self.inputs)

    def films(self, recorder: TrainingRecorder) -> dict[str, bytes]:
        """Films of paths and weights, where they are wanted."""
        return self.animated(recorder.history, recorder.rows)

    def animated(self, history: TrainingHistory, rows: list[Row]) -> dict[str, bytes]:
        """The same of what a run has recorded."""
        if self.film is None:
            return {}
        films, files = (
            RunFilms(history, rows, self.experiment.options, self.film.size, self.film.frames, self.film.bounds),
            {},
        )
        for name in ANIMATED:
            file = io.BytesIO()
            films.write(file, name, "gif", self.film.fps)
            files[f"{name}.gif"] = file.getvalue()
        return files


class Sweep(SweepFolder[MapCell]):
    """A sweep over a map's trainings; those that take longest come first.

    Args:
        path: the folder; a new one under ``sweeps/`` if None.
        experiment: what the cells have in common.
        axes: values by axis.
        film: how to animate cells; not at all if None.
    """

    RUN = Run
    COLUMNS = (*AXES, "final_loss", "final_hamming", "first_gold_step", "seconds", "error")
    FILES = (TABLE, LOSS, STEPS)
    FILMS = tuple(f"{name}.gif" for name in ANIMATED)
    OTHER = "map, gold path or first weights"

    def __init__(
        self, path: Path | None, experiment: TrainingExperiment, axes: Mapping[str, Sequence[Any]], film: FilmOptions | None
    ) -> None:
        self.axes, inputs = axes, experiment.read()
        points = [dict(zip(AXES, values, strict=True)) for values in product(*(axes[name] for name in AXES))]
        cells = [MapCell(experiment=_at(experiment, point), inputs=inputs, film=film) for point in points]
        super().__init__(path, experiment.name, sorted(cells, key=lambda cell: -cell.point["samples"]), inputs.digest)

    def complete(self) -> None:
        """Animates cells that ended before animations were asked for."""
        for cell in self.cells:
            folder = self.folder(cell)
            done = all((folder / f"{name}.gif").exists() for name in ANIMATED)
            if cell.film and not done and (folder / "summary.json").exists():
                run = Run.open(folder)
                for name, content in cell.animated(run.history(), run.metrics()).items():
                    with replacing(folder / name) as file:
                        file.write(content)

    @property
    def stopped(self) -> str:
        """Progress of a sweep that ends early."""
        return f"stopped after {len(self.results)} of {len(self.cells)} cells"

    def table(self, below: Sequence[str] = ()) -> Table:
        """When cells found the gold path, or how far they ended from it."""
        seeds = len(self.axes["seed"])

        def entry(rows: list[CellRow]) -> str:
            if any(row["error"] for row in rows):
                return "failed"
            if len(rows) < seeds:
                return f"{len(rows)}/{seeds}" if rows else "…"
            distance = max(row["final_hamming"] for row in rows)
            return f"off by {distance}" if distance else f"step {sum(row['first_gold_step'] for row in rows) / seeds:.4g}"

        columns = [f"target temp {target:g}" for target in self.axes["target_temp"]]
        rows = [
            [str(samples), f"{heat:g}", *entries]
            for samples in self.axes["samples"]
            for heat, entries in zip(self.axes["input_temp"], self.grid(samples, entry), strict=True)
        ]
        header = ["samples", "input temp", *columns]
        return Table(header, rows, header, below)

    def draw(self) -> list[Path]:
        """Heat maps, means over seeds; a value is missing where a cell failed or, of steps, never found the gold path."""
        from imle_cli.figures.heat_maps import heat_maps

        def mean(column: str) -> Callable[[list[CellRow]], float]:
            def of(rows: list[CellRow]) -> float:
                values = [math.nan if row[column] is None else row[column] for row in rows]
                return sum(values) / len(values) if values else math.nan

            return of

        source = self.cells[0].experiment.source
        name = "built-in map" if source.map is None else source.map.name
        files = []
        for file, column, label in (
            (LOSS, "final_loss", "final loss"),
            (STEPS, "first_gold_step", "first step on the gold path"),
        ):
            grids = {samples: self.grid(samples, mean(column)) for samples in self.axes["samples"]}
            axes = self.axes["input_temp"], self.axes["target_temp"]
            files.append(self._draw(file, heat_maps(grids, *axes, title=f"{name}: {label}", label=label)))
        return files

    def grid(self, samples: int, value: Callable[[list[CellRow]], Value]) -> list[list[Value]]:
        """``value`` of the rows of all seeds, for each input temperature a list over target temperatures."""
        rows: dict[tuple[float, float], list[CellRow]] = {}
        for row in self.results.values():
            if row["samples"] == samples:
                rows.setdefault((row["input_temp"], row["target_temp"]), []).append(row)
        return [
            [value(rows.get((heat, target), [])) for target in self.axes["target_temp"]] for heat in self.axes["input_temp"]
        ]


def _at(experiment: TrainingExperiment, point: CellRow) -> TrainingExperiment:
    learning = {name: value for name, value in point.items() if name != "seed"}
    return replace(experiment, learning=replace(experiment.learning, **learning), seed=point["seed"])


def _short(value: float) -> str:
    return repr(float(value)).removesuffix(".0")
