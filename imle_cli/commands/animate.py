"""``imle animate``: a recorded training, or samples of a map, in motion."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from imle_cli.console import Report, Result
from imle_cli.messages import UsageError
from imle_cli.options.checks import option_of
from imle_cli.options.groups import Given
from imle_cli.options.inputs import InputTemperature, MapOptions, MapSolverOptions, NoiseOptions
from imle_cli.options.panels import NOISE, OUTPUT
from imle_cli.options.report import FilmOptions, ReportOptions
from imle_cli.options.values import completer
from imle_cli.problems.presence import check_present
from imle_cli.runs.directories import command_of, newest_run_path

if TYPE_CHECKING:
    from imle_cli.films.timing import Films
    from imle_cli.pages.in_place_of_films import OnePage
    from imle_cli.problems.map import MapProblem
    from imle_cli.problems.sampling import Sampling

EXAMPLES = ("imle animate runs/first --format mp4 -o films", "imle animate map.png -n 60 --only paths")

FormatName = Literal["gif", "webp", "apng", "mp4", "html"]
Folder = Annotated[
    Path,
    typer.Option(
        "-o",
        "--out",
        metavar="DIR",
        rich_help_panel=OUTPUT,
        show_default=False,
        help="Folder for the files; default: the current one.",
    ),
]
Format = Annotated[
    FormatName,
    typer.Option(
        rich_help_panel=OUTPUT,
        help="Kind of file: gif, webp, apng, mp4 (needs imageio-ffmpeg), or html: a page with every record to explore.",
    ),
]
MapSamples = Annotated[
    int | None,
    typer.Option("-n", "--samples", min=1, rich_help_panel=NOISE, help="Of a map: how many samples; default: one a frame."),
]
_FILMS = ("learning_paths", "learning_weights", "learning", "perceiving", "paths", "distribution")
Only = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,...",
        rich_help_panel=OUTPUT,
        autocompletion=completer(_FILMS),
        help="Of a run: learning_paths, learning_weights, learning, or perceiving; of a map: paths, distribution. "
        "Default: all.",
    ),
]
# What only an animation of a map needs: a run was recorded with its own.
_MAP_ONLY = {field.name for group in (MapOptions, MapSolverOptions, NoiseOptions) for field in fields(group)} - {"map"}
_MAP_ONLY |= {"input_temp", "samples", "seed", "device"}


@dataclass(frozen=True)
class SourceOptions(MapOptions):
    """A run directory or a map."""

    map: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN|FILE",
            help="Run folder, or a map; default: the newest run under runs/, or else the built-in 16x16 map.",
        ),
    ] = None


def animate(
    source: SourceOptions,
    choice: MapSolverOptions,
    noise: NoiseOptions,
    film: FilmOptions,
    report: ReportOptions,
    given: Given,
    console: Report,
    input_temp: InputTemperature = 1.0,
    samples: MapSamples = None,
    out: Folder = Path(),
    format: Format = "gif",  # noqa: A002
    only: Only = None,
) -> Result:
    """Animate a training, or samples of a map, frame by frame."""
    check_present(source.map)
    is_page = format == "html"
    _check_fits(is_page, given)
    _check_folder(out)
    run = _run_of(source, given, console)
    from imle_cli.files.outputs import make_folder, replacing
    from imle_cli.films import encoders

    console.begin()
    _check_scale(film, run)
    if run is None:
        problem, sampling = _read_map(source, choice, noise, input_temp, film.frames if samples is None else samples, report)
        films = _page_of_map(problem, sampling) if is_page else _films_of_map(problem, sampling, film)
        values = problem.values | sampling.values
    else:
        films = _page_of_run(run, film.frames if "frames" in given.names else None) if is_page else _films_of_run(run, film)
        values = {"run": str(run)}
    encoders.check_encoder(format)
    inputs = () if source.map is None else (source.map,)
    paths = make_folder("--out", out, f".{format}", _selected(films, only), inputs)
    for name, path in paths.items():
        with console.progress(path.name, films.count) as advance, replacing(path) as file:
            films.write(file, name, format, film.fps, advance)
    return _result(values, {"records" if is_page else "frames": films.count}, list(paths.values()))


def _run_of(source: SourceOptions, given: Given, console: Report) -> Path | None:
    """The run that is to be animated; None for a map."""
    for_maps = sorted(given.names & _MAP_ONLY)
    run = source.map if source.map is not None and source.map.is_dir() else None
    if source.map is None and not for_maps:
        run = newest_run_path()
        console.note(f"animating {'the built-in map; there is no run' if run is None else f'the newest run, {run}'}")
    if run is not None and for_maps:
        text = f"it belongs to an animation of a map, but {run} was recorded with its own; leave it out"
        raise UsageError(f"{option_of(for_maps[0])}: {text}")
    return run


def _check_fits(is_page: bool, given: Given) -> None:
    """Refuses options of films for a page."""
    foreign = sorted(given.names & {"fps", "size", "only"}) if is_page else []
    if foreign:
        raise UsageError(f"{option_of(foreign[0])}: it belongs to films; --format html makes one page of all; leave it out")


def _check_folder(out: Path) -> None:
    """Refuses the name of a film in the place of its folder."""
    kind = out.suffix.removeprefix(".")
    if kind in get_args(FormatName) and not out.is_dir():
        text = f"got {out}; it names a folder, since films have names of their own"
        raise UsageError(f"--out: {text}; use --out {out.with_suffix('')} --format {kind}")


def _check_scale(film: FilmOptions, run: Path | None) -> None:
    """Refuses a scale of weights where none are learned."""
    if film.scale is not None and (run is None or command_of(run) == "perceive"):
        raise UsageError("--scale: it belongs to an animation of a training of weights; leave it out")


def _result(values: dict[str, Any], counted: dict[str, int], paths: list[Path]) -> Result:
    """Files that were written, with their sizes and what was counted in them."""
    sizes = ", ".join(f"{path} ({path.stat().st_size / 1000:,.0f} kB)" for path in paths)
    counts = [(name, f"{count}") for name, count in counted.items()]
    return Result(
        values | counted,
        lambda ended: [*counts, ("time", f"{ended['seconds']:.2f} s"), ("files", sizes)],
        list(map(str, paths)),
    )


def _films_of_run(path: Path, film: FilmOptions) -> "Films":
    from imle_cli.films.perception import PerceptionFilms
    from imle_cli.films.training import RunFilms
    from imle_cli.runs.perception import PerceptionRun
    from imle_cli.runs.training import Run
    from imle_cli.trainings.perception.experiment import PerceptionExperiment
    from imle_cli.trainings.weights.experiment import TrainingExperiment

    if command_of(path) == "perceive":
        seen = PerceptionRun.open(path)
        learning = seen.experiment(PerceptionExperiment).learning
        return PerceptionFilms(seen.history(), learning.estimator, film.size, film.frames)
    run = Run.open(path)
    experiment = run.experiment(TrainingExperiment)
    return RunFilms(run.history(), run.metrics(), experiment.options, film.size, film.frames, film.bounds)


def _page_of_run(path: Path, records: int | None) -> "OnePage":
    """The page of all records, or of so many."""
    from imle_cli.pages import perceiving, runs
    from imle_cli.problems.map import make_map_problem
    from imle_cli.runs.perception import PerceptionRun
    from imle_cli.runs.training import Run
    from imle_cli.trainings.perception.experiment import PerceptionExperiment
    from imle_cli.trainings.weights.experiment import TrainingExperiment

    if command_of(path) == "perceive":
        seen = PerceptionRun.open(path)
        asked = seen.experiment(PerceptionExperiment)
        return perceiving.page_of(seen.history(), seen.epochs(), asked.learning.estimator, asked.lines, records)
    run = Run.open(path)
    experiment, history = run.experiment(TrainingExperiment), run.history()
    problem = make_map_problem(experiment.source, history.costs, experiment.choice, "cpu")
    return runs.page_of(history, run.metrics(), problem, experiment.options, experiment.lines, records)


def _read_map(
    source: SourceOptions,
    choice: MapSolverOptions,
    noise: NoiseOptions,
    input_temp: float,
    samples: int,
    report: ReportOptions,
) -> tuple["MapProblem", "Sampling"]:
    from imle_cli.problems.map import read_map_problem
    from imle_cli.problems.sampling import read_sampling

    problem = read_map_problem(source, choice, report.device)
    return problem, read_sampling(noise, problem.default_k, input_temp, samples, report.seed)


def _films_of_map(problem: "MapProblem", sampling: "Sampling", film: FilmOptions) -> "Films":
    from imle_cli.films.map import MapFilms

    def draw() -> Iterator[Any]:
        for masks in sampling.stream(problem):
            yield from masks

    return MapFilms(problem.costs, draw, sampling.samples, sampling.title, film.size, film.frames)


def _page_of_map(problem: "MapProblem", sampling: "Sampling") -> "OnePage":
    """The page of ``imle sample``."""
    from imle_cli.figures.encoding import encoder
    from imle_cli.pages.in_place_of_films import OnePage
    from imle_cli.pages.samples import sampling_page

    def make(advance: Callable[[int], None]) -> bytes:
        masks = sampling.draw(problem, lambda _: None)
        still = encoder(lambda: problem.draw_samples(masks, sampling.title_of(problem)))("png")
        return sampling_page(
            problem, sampling, still, lambda _, total: nullcontext(lambda done: advance(done * sampling.samples // total))
        )

    return OnePage("samples", sampling.samples, make)


def _selected(films: "Films | OnePage", only: str | None) -> list[str]:
    """The names in ``--only``, or all."""
    if only is None:
        return list(films.films)
    names = list(dict.fromkeys(name.strip() for name in only.split(",")))
    for name in names:
        if name not in films.films:
            raise UsageError(f"--only: got {name!r}; here there are {', '.join(films.films)}; take one or more of them")
    return names
