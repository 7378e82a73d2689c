"""``imle reproduce``: experiments that were published, done again."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from imle_cli.console import Report, Result
from imle_cli.messages import UsageError
from imle_cli.options.checks import check_at_least, check_names, option_of, read_numbers
from imle_cli.options.groups import Given, Without
from imle_cli.options.learning import ScheduleName
from imle_cli.options.panels import MEASUREMENT, OUTPUT
from imle_cli.options.report import NoPicture, ReportOptions, picture_path
from imle_cli.options.values import completer

EXAMPLES = (
    "imle reproduce top-k -n 100 --methods imle-gumbel,simple",
    "imle reproduce decisions --methods least-squares,spo-plus,imle --seeds 0,1,2",
)
_METHODS = {
    "top-k": (
        "imle-sum-of-gamma",
        "imle-sum-of-gamma-tuned",
        "imle-gumbel",
        "imle-gumbel-tuned",
        "straight-through",
        "score-function",
        "adaptive-imle",
        "central-imle",
        "simple",
    ),
    "decisions": (
        "least-squares",
        "mean-costs",
        "regression",
        "spo-plus",
        "spo-plus-pool",
        "perturbation-gradient",
        "central-perturbation-gradient",
        "imle",
        "imle-hamming",
        "central-imle",
        "adaptive-imle",
        "fenchel-young",
        "structured-svm",
        "perturbed",
        "blackbox",
        "identity",
        "contrastive",
        "contrastive-map",
        "rank-list",
        "rank-pair",
        "rank-point",
        "frank-wolfe",
        "frank-wolfe-fenchel-young",
        "cone",
        "cone-margin",
    ),
}
_OPTIONS = {"top-k": {"repetitions", "seed"}, "decisions": {"seeds", "epochs", "schedule", "jobs"}}
"""Options that an experiment alone has."""

_Experiment = Annotated[
    str,
    typer.Argument(
        metavar="EXPERIMENT",
        autocompletion=completer(_METHODS),
        help="The experiment: top-k, the synthetic one of the I-MLE paper, or decisions, of costs that are predicted from "
        "features.",
    ),
]
_Methods = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,...",
        rich_help_panel=MEASUREMENT,
        autocompletion=completer(list(dict.fromkeys(name for names in _METHODS.values() for name in names))),
        help="Methods, such as imle-gumbel,simple of top-k, or spo-plus,imle of decisions; default: all.",
    ),
]
_Repetitions = Annotated[
    int,
    typer.Option(
        "-n", "--repetitions", min=2, rich_help_panel=MEASUREMENT, help="Of top-k: independent runs of each method."
    ),
]
_Seeds = Annotated[
    str,
    typer.Option(
        metavar="N,...",
        rich_help_panel=MEASUREMENT,
        help="Of decisions: seeds of first weights, order and noise, a training each.",
    ),
]
_Epochs = Annotated[
    int | None,
    typer.Option(
        min=1,
        rich_help_panel=MEASUREMENT,
        help="Of decisions: number of times that each instance is seen; default: 20 and 40.",
    ),
]
_Schedule = Annotated[
    ScheduleName,
    typer.Option(
        rich_help_panel=MEASUREMENT,
        help="Of decisions: let the step size decay (cosine), or not, as the authors do (constant).",
    ),
]
_Jobs = Annotated[
    int | None,
    typer.Option(min=1, rich_help_panel=MEASUREMENT, help="Of decisions: trainings at a time; default: one a core."),
]
_Picture = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--out",
        rich_help_panel=OUTPUT,
        help="Picture to write (.png, .pdf, .svg); default: EXPERIMENT-reproduce.png here.",
    ),
]
_Table = Annotated[
    Path | None,
    typer.Option(
        "--save", rich_help_panel=OUTPUT, help="Gaps at every step, or regrets after every epoch, as a table (.csv)."
    ),
]


def reproduce(
    experiment: _Experiment,
    report: Annotated[ReportOptions, Without("device")],
    given: Given,
    console: Report,
    methods: _Methods = None,
    repetitions: _Repetitions = 1000,
    seeds: _Seeds = "0,1,2",
    epochs: _Epochs = None,
    schedule: _Schedule = "cosine",
    jobs: _Jobs = None,
    out: _Picture = None,
    no_picture: NoPicture = False,
    save: _Table = None,
) -> Result:
    """Do published experiments again: top-k, or costs predicted for decisions.

    Beside the numbers of top-k, the I-MLE paper's experiment, stand those that the authors' code gives: gaps to the optimum
    after the last step, mean ± standard deviation of single runs, and the standard error of the mean; differences are in
    combined standard errors. Settings are the authors', or were tuned here. Decisions are two experiments of the library
    PyEPO, whose table stands beside: regrets after the last epoch, mean ± standard deviation over seeds, and seconds.
    """
    from imle_cli.figures.encoding import prepare
    from imle_cli.files.outputs import Outputs

    check_names("EXPERIMENT", [experiment], _METHODS)
    check_at_least("--repetitions", repetitions, 2, "the usual number is 1000")
    check_at_least("--epochs", 1 if epochs is None else epochs, 1, "leave it out for the published number")
    check_at_least("--jobs", 1 if jobs is None else jobs, 1, "leave it out to use every core")
    numbers = read_numbers("--seeds", seeds, int, 0, "0,1,2")
    _check_fitting(experiment, given.names)
    known = _METHODS[experiment]
    names = list(known if methods is None else dict.fromkeys(name.strip().replace("_", "-") for name in methods.split(",")))
    check_names("--methods", names, known)
    outputs = Outputs(picture_path(out, no_picture, Path(f"{experiment}-reproduce.png")), save, (), (".csv",))
    prepare(not no_picture)
    if experiment == "top-k":
        from imle_cli.lab import published_top_k

        console.begin()
        return published_top_k.work(names, repetitions, report.seed, outputs, console)
    from imle_cli.lab import published_decisions

    console.begin()
    return published_decisions.DecisionWork(names, numbers, epochs, schedule).run(jobs, outputs, console)


def _check_fitting(experiment: str, given: Iterable[str]) -> None:
    """Refuses options of the other experiment."""
    for other, options in _OPTIONS.items():
        for name in sorted(options & set(given)):
            if other != experiment:
                raise UsageError(
                    f"{option_of(name)}: it belongs to {other}, but the experiment is {experiment}; leave it out"
                )
