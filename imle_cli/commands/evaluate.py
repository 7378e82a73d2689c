"""``imle evaluate``: how well does a trained network plan, or decide, on another data set?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from imle_cli.console import Report, Result, Table
from imle_cli.options.groups import Without
from imle_cli.options.panels import INPUT
from imle_cli.options.report import NoPicture, Picture, ReportOptions, picture_path
from imle_cli.runs.directories import check_run, command_of

if TYPE_CHECKING:
    from imle_core.perception import ImageMaps, Plans

EXAMPLES = ("imle evaluate runs/seeing maps --split test -o judged.png", "imle evaluate runs/decided paths")

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="The run folder of imle perceive, or of imle decide.")]
Data = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a data set; its maps may have another size.")]
Split = Annotated[
    Literal["train", "val", "test"],
    typer.Option(metavar="train|val|test", rich_help_panel=INPUT, help="Maps of the data set."),
]
Checkpoint = Annotated[
    Literal["last", "best"],
    typer.Option(metavar="last|best", rich_help_panel=INPUT, help="The last network, or that of the best epoch."),
]

_FIGURES = ["maps", "optimal", "regret", "exact on unique", "unique", "seconds"]


def evaluate(
    run: RunPath,
    data: Data,
    report: Annotated[ReportOptions, Without("seed")],
    console: Report,
    split: Split = "test",
    checkpoint: Checkpoint = "last",
    out: Picture = None,
    no_picture: NoPicture = False,
) -> Result:
    """Judge a trained network on a data set, and show maps it plans on.

    The maps are those on which it plans worst, in the middle, and best; or the instances on which it decides so.
    """
    check_run(run)
    if command_of(run) == "decide":
        return _of_decisions(run, data, split, checkpoint, report, console, picture_path(out, no_picture, _usual(run)))
    from imle_cli.figures.encoding import encoder, prepare
    from imle_cli.files.datasets import read_maps
    from imle_cli.files.outputs import Outputs
    from imle_cli.trainings.perception.experiment import Trained, describe, epoch_rows
    from imle_core.kernels.notice import clock
    from imle_core.perception import judge, plan

    prepare(not no_picture)
    console.begin()
    trained = Trained.read(run, checkpoint, report.device)
    maps = read_maps(data, split)
    outputs = Outputs(picture_path(out, no_picture, _usual(run)), None, ())
    wrong = _noted(console, maps, split)
    began = clock()
    plans = plan(trained.network, maps)
    judgement, seconds = judge(plans, maps), clock() - began
    subject = f"{trained.experiment.learning.estimator} on {len(maps):,} {split} maps of {' x '.join(map(str, maps.size))}"
    outputs.write(encoder(lambda: _draw(maps, plans, f"{subject}: {judgement.optimal:.1%} optimal")))
    values = describe(trained.experiment, judgement) | {"data": str(data), "split": split, "size": list(maps.size)}
    values |= {"maps": len(maps), "non_optimal_paths": wrong, "epochs": epoch_rows(trained.experiment, trained.rows)}
    values |= {"seconds": seconds, "run": str(run), "checkpoint": checkpoint, "epoch": trained.epoch}
    return Result(values, _table, outputs.files)


def _noted(console: Report, maps: "ImageMaps", split: str) -> int:
    """Number of stored paths that are not optimal under the stored costs, with a note of it."""
    from imle_cli.files.datasets import non_optimal

    if wrong := non_optimal(maps):
        console.note(f"note: {wrong} of the stored paths of {split}_ are not optimal under the stored costs")
    return wrong


def _usual(run: Path) -> Path:
    """The picture of a run, where nobody names one."""
    return Path(f"{run.resolve().name}-evaluate.png")


def _of_decisions(
    run: Path, data: Path, split: str, checkpoint: str, report: ReportOptions, console: Report, picture: Path | None
) -> Result:
    from imle_cli.figures.encoding import prepare

    prepare(picture is not None)
    console.begin()
    from imle_cli.trainings.decisions.evaluation import evaluate as judged

    return judged(run, data, split, checkpoint, report.device, picture)


def _table(values: dict[str, Any]) -> Table:
    exact = values["exact_on_unique"]
    row = [
        f"{values['data']} ({values['split']}_)",
        f"{values['maps']:,}",
        f"{values['optimal']:.1%}",
        f"{values['regret']:.3%}",
        "–" if exact is None else f"{exact:.1%}",
        f"{values['unique_share']:.1%}",
        f"{values['seconds']:.2f}",
    ]
    origin = f"{values['checkpoint']} of {values['run']} (epoch {values['epoch']})"
    below = [
        "",
        f"network  {values['network']}, {origin}, by {values['estimator']} from {values['supervision']}",
        *(f"picture  {file}" for file in values["files"]),
    ]
    return Table(["data", *_FIGURES], [row], _FIGURES, below)


def _draw(maps: "ImageMaps", plans: "Plans", title: str) -> Any:
    from imle_cli.figures.evaluation import JudgedMap, judged_maps
    from imle_core.perception import TOLERANCE

    order = plans.regret.argsort(stable=True).tolist()
    shown = []
    for name, index in {"worst": order[-1], "median": order[len(order) // 2], "best": order[0]}.items():
        regret = float(plans.regret[index])
        worth = f"{regret:.2%} too expensive" if regret > TOLERANCE else "as cheap as gold"
        caption = f"{name}: {worth}"
        arrays = (maps.images, maps.paths, plans.paths, plans.costs, maps.costs)
        shown.append(JudgedMap(caption, *(array[index].numpy() for array in arrays)))
    return judged_maps(shown, title=title)
