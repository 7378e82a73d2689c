"""``imle calibrate``: at which temperature does noise make perturb-and-MAP sample from the exact distribution?"""

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imle_cli.console import Report, Result, Table
from imle_cli.errors import UsageError
from imle_cli.options.checks import check_at_least, read_numbers
from imle_cli.options.groups import Given, Without
from imle_cli.options.inputs import InputOptions, NoiseOptions, SolverOptions
from imle_cli.options.measuring import LabOptions
from imle_cli.options.report import Picture, ReportOptions

if TYPE_CHECKING:
    from imle_cli.files.outputs import Outputs
    from imle_core import SumOfGammaNoiseDistribution
    from imle_core.exact import ExponentialFamily
    from imle_core.lab import Calibration, Estimate

Instances = Annotated[int, typer.Option(help="How many random problems, of seeds --seed, --seed + 1, ...")]
Temperatures = Annotated[
    str, typer.Option(metavar="T,...", help="Temperatures to try; more are tried between the best ones of them.")
]
Draws = Annotated[int, typer.Option(help="Samples of each instance at each temperature.")]
_LOOSE = 0.05  # between the bounds of a total variation, from which on both are told


@dataclass(frozen=True)
class CalibratedInput(InputOptions):
    """The user's own input, where there is one."""

    map: Annotated[
        Path | None,
        typer.Argument(
            metavar="INPUT",
            help="A map, a graph or a table of scores, whose --solver has an exact distribution: top-k, knapsack, "
            "spanning-tree. Without it, or a --solver, a random --problem.",
        ),
    ] = None


def calibrate(
    place: CalibratedInput,
    choice: SolverOptions,
    lab: Annotated[LabOptions, Without("function", "loss", "gold")],
    noise: NoiseOptions,
    report: ReportOptions,
    given: Given,
    console: Report,
    instances: Instances = 1,
    temps: Temperatures = "0.5,1,1.5,2,3,4,6",
    samples: Draws = 100_000,
    out: Picture = None,
) -> Result:
    """Find the noise temperature at which samples come closest to the exact distribution p(z) ~ exp(<z, theta>).

    Distances are the total variation, where the solutions can be enumerated, and the largest error of a marginal.
    """
    from imle_cli.files.outputs import Outputs
    from imle_cli.problems.lab import number_of_states, read_lab_problems
    from imle_cli.problems.noise import make_noise, noise_title
    from imle_core import SumOfGammaNoiseDistribution
    from imle_core.lab import REFINEMENTS
    from imle_core.lab import calibrate as measure

    console.begin()
    temperatures = read_numbers("--temps", temps, float, 0, "0.5,1,2,4")
    check_at_least("--samples", samples, 2, "the usual number is 100000")
    found = read_lab_problems(place, choice, lab, report, given.names, instances)
    problem, stem, inputs = found[0]
    family, law = _known(problem.family, choice.solver), make_noise(noise, problem.k)
    if law is None:
        raise UsageError("--noise: got none; its temperature would change nothing; choose a law")
    series = law if isinstance(law, SumOfGammaNoiseDistribution) else None
    outputs = Outputs(out or Path(f"{stem}-calibrate.png"), None, inputs)
    theta = _stacked([each.theta for each, *_ in found])
    with console.progress("sampling", samples * (len(temperatures) + (len(temperatures) > 1) * REFINEMENTS)) as advance:
        ask = partial(measure, theta, problem.solver, family, law, temperatures)
        records = list(ask(nb_samples=samples, seed=report.seed, observe=advance))
    title = (
        f"{problem.name}{f', {instances} instances' if instances > 1 else ''}: {noise_title(noise.noise)}{_details(series)}"
    )
    outcome = _Outcome(title, family, temperatures, records)
    _draw(outputs, outcome)
    values = {
        "problem": problem.name,
        "instances": instances,
        **number_of_states(family),
        "noise": noise.noise,
        "k": None if series is None else series.k,
        "iterations": None if series is None else noise.noise_iterations,
        "samples": samples,
        "seed": report.seed,
        "best": _row(outcome.best),
        "rows": [_row(record) for record in outcome.ordered],
    }
    return Result(values, lambda ended: _table(ended, outcome), outputs.files)


def _known(family: "ExponentialFamily | None", solver: Any) -> "ExponentialFamily":
    """The exact distribution, where there is one."""
    if family is None:
        raise UsageError(
            f"--solver: got {solver}; the exact distribution of its solutions is not known here; choose top-k, knapsack or "
            "spanning-tree, or leave INPUT out for paths that never turn back: --problem path"
        )
    return family


def _table(values: dict[str, Any], outcome: "_Outcome") -> Table:
    ended = f"{values['seconds']:.1f} s, {', '.join(values['files'])}"
    below = [f"{values['samples']:,} samples, seed {values['seed']}, {ended}", *_warnings(outcome), _verdict(outcome)]
    header = _header(values["instances"])
    return Table(header, outcome.rows, header[:-1], [outcome.title, *below])


@dataclass(frozen=True)
class _Outcome:
    """Everything that was measured.

    Attributes:
        title: of which problem and noise.
        family: the exact distribution.
        temperatures: those of ``--temps``.
        records: of these and of others between them.
    """

    title: str
    family: "ExponentialFamily"
    temperatures: list[float]
    records: list["Calibration"]

    @property
    def ordered(self) -> list["Calibration"]:
        """Records by temperature."""
        return sorted(self.records, key=lambda record: record.temperature)

    @property
    def best(self) -> "Calibration":
        """The closest one."""
        from imle_core.lab import closest

        return closest(self.records)

    @property
    def rows(self) -> list[list[str]]:
        """A table of the temperatures of ``--temps`` and of the closest one."""
        shown = [some for some in self.ordered if some is self.best or some.temperature in self.temperatures]
        return [_cells(record, record is self.best) for record in shown]


def _stacked(parts: list[Any]) -> Any:
    import torch

    return torch.cat(parts)


def _details(series: "SumOfGammaNoiseDistribution | None") -> str:
    return "" if series is None else f", k = {series.k:g}, {series.nb_iterations:g} terms"


def _row(record: "Calibration") -> dict[str, Any]:
    """A temperature for JSON: means over instances, and each of them."""
    distances = {"total_variation": record.total_variation, "marginal_error": record.marginal_error}
    row: dict[str, Any] = {"temperature": record.temperature}
    for name, estimate in distances.items():
        row[name] = None if estimate is None else estimate.mean
        row[f"{name}_standard_error"] = None if estimate is None else estimate.mean_standard_error
    most = record.most_total_variation
    row["most_total_variation"] = None if most is None else float(most.mean())
    row["by_instance"] = {"most_total_variation": None if most is None else most.tolist()}
    for name, estimate in distances.items():
        row["by_instance"][name] = None if estimate is None else estimate.value.tolist()
        row["by_instance"][f"{name}_standard_error"] = None if estimate is None else estimate.standard_error.tolist()
    return row


def _header(instances: int) -> list[str]:
    mean, each = ("", []) if instances == 1 else ("mean ", ["of instances"])
    return ["temperature", f"{mean}total variation", "at most", *each, f"{mean}marginal error", *each, ""]


def _cells(record: "Calibration", is_best: bool) -> list[str]:
    distance, most, error = record.total_variation, record.most_total_variation, record.marginal_error
    several = len(error.value) > 1
    known = ["-"] * (2 + several)
    if distance is not None and most is not None:
        known = [_with_error(distance), f"{float(most.mean()):.4f}", *([_range(distance)] if several else [])]
    shown = [_with_error(error), *([_range(error)] if several else [])]
    return [f"{record.temperature:.4g}", *known, *shown, "closest" if is_best else ""]


def _range(estimate: "Estimate") -> str:
    return f"{float(estimate.value.min()):.3f} to {float(estimate.value.max()):.3f}"


def _with_error(estimate: "Estimate") -> str:
    return f"{estimate.mean:.4f} ± {estimate.mean_standard_error:.4f}"


def _verdict(outcome: _Outcome) -> str:
    best = outcome.best
    what = "marginal error" if best.total_variation is None else "total variation"
    mean = "mean " if len(best.marginal_error.value) > 1 else ""
    alike = [record.temperature for record in outcome.ordered if _is_alike(record.distance, best.distance)]
    ends = f" ({alike[0]:.3g} to {alike[-1]:.3g} within two standard errors)" if len(alike) > 1 else ""
    place = f"temperature {best.temperature:.3g}{ends}"
    return f"closest to p(z) ~ exp(<z, theta>) at {place}, with {mean}{what} {_with_error(best.distance)}"


def _is_alike(some: "Estimate", least: "Estimate") -> bool:
    """Whether two means are the same within two standard errors of independent ones, which is cautious for shared noise."""
    return some.mean - least.mean <= 2 * math.hypot(some.mean_standard_error, least.mean_standard_error)


def _warnings(outcome: _Outcome) -> list[str]:
    """Warnings that a reader of the numbers must know."""
    lines, best, temperatures, count = [], outcome.best, outcome.temperatures, outcome.family.count()
    if best.total_variation is None:
        states = f"{count:,}" if count < 10**9 else f"about 10^{math.log10(count):.0f}"
        lines.append(f"total variation is left out: {states} solutions are too many to enumerate")
    else:
        gap, record = max(((_gap(record), record) for record in outcome.records), key=lambda pair: pair[0])
        if gap > _LOOSE and record.total_variation is not None:
            low = record.total_variation.mean
            lines.append(
                f"total variation is a lower bound: {low:.2f} at temperature {record.temperature:.3g} may in truth be up to "
                f"{low + gap:.2f}; {count:,} solutions need more --samples"
            )
    if len(temperatures) > 1 and best.temperature in (temperatures[0], temperatures[-1]):
        side = "higher" if best.temperature == temperatures[-1] else "lower"
        lines.append(f"the best of --temps is the last on its side; give {side} ones, too")
    return lines


def _gap(record: "Calibration") -> float:
    """Between the bounds of a total variation."""
    if record.total_variation is None or record.most_total_variation is None:
        return 0.0
    return float(record.most_total_variation.mean()) - record.total_variation.mean


def _draw(outputs: "Outputs", outcome: _Outcome) -> None:
    import numpy as np

    from imle_cli.figures import canvas
    from imle_cli.figures.calibration import CalibrationCurve, calibration_figure

    curves = []
    for name in ("total variation", "marginal error"):
        estimates = [getattr(record, name.replace(" ", "_")) for record in outcome.ordered]
        if None not in estimates:
            values, errors = (
                np.stack([getattr(estimate, part).numpy() for estimate in estimates]) for part in ("value", "standard_error")
            )
            curves.append(CalibrationCurve(name, values, errors))
    temperatures = [record.temperature for record in outcome.ordered]
    figure = calibration_figure(temperatures, curves, outcome.best.temperature, title=outcome.title)
    outputs.write(canvas.encode(figure, outputs.format), np.array(temperatures))
