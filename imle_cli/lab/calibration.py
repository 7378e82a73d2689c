"""A calibration of noise: everything that was measured, told and pictured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from imle_cli.figures.calibration import CalibrationCurve, calibration_figure
from imle_core import NoiseDistribution
from imle_core.exact import ExponentialFamily
from imle_core.lab import REFINEMENTS, Calibration, Estimate, LabProblem, calibrate, closest

_LOOSE = 0.05  # between the bounds of a total variation, from which on both are told


@dataclass(frozen=True)
class CalibrationTable:
    """A calibration, ready to be told and pictured.

    Attributes:
        title: name of the problem and of the noise.
        family: the exact distribution.
        asked: temperatures that were asked for.
        records: measurements at these and at temperatures between them.
    """

    title: str
    family: ExponentialFamily
    asked: Sequence[float]
    records: Sequence[Calibration]

    @property
    def ordered(self) -> list[Calibration]:
        """The records by temperature."""
        return sorted(self.records, key=lambda record: record.temperature)

    @property
    def best(self) -> Calibration:
        """The closest record."""
        return closest(self.records)

    @property
    def values(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {"best": _row(self.best), "rows": [_row(record) for record in self.ordered]}

    @property
    def header(self) -> list[str]:
        """Names of the columns."""
        mean, spread = ("mean ", ["of instances"]) if _has_instances(self.best) else ("", [])
        return ["temperature", f"{mean}total variation", "at most", *spread, f"{mean}marginal error", *spread, ""]

    @property
    def rows(self) -> list[list[str]]:
        """A row for each temperature that was asked for, and for the closest one."""
        best = self.best
        shown = [record for record in self.ordered if record is best or record.temperature in self.asked]
        return [_cells(record, record is best) for record in shown]

    @property
    def figure(self) -> Any:
        """Distances against temperatures."""
        curves = []
        for name in ("total variation", "marginal error"):
            estimates = [getattr(record, name.replace(" ", "_")) for record in self.ordered]
            if None not in estimates:
                values, errors = (
                    np.stack([getattr(estimate, field).numpy() for estimate in estimates])
                    for field in ("value", "standard_error")
                )
                curves.append(CalibrationCurve(f"{name} (0 = perfect)", values, errors))
        temperatures = [record.temperature for record in self.ordered]
        return calibration_figure(temperatures, curves, self.best.temperature, title=self.title)

    @property
    def warnings(self) -> list[str]:
        """Warnings that a reader of the numbers must know."""
        lines, best, count = [], self.best, self.family.count()
        if best.total_variation is None:
            states = f"{count:,}" if count < 10**9 else f"about 10^{math.log10(count):.0f}"
            lines.append(f"total variation is left out: {states} solutions are too many to enumerate")
        else:
            gap, record = max(((_gap(record), record) for record in self.records), key=lambda pair: pair[0])
            if gap > _LOOSE and record.total_variation is not None:
                low = record.total_variation.mean
                lines.append(
                    f"total variation is a lower bound: {low:.2f} at temperature {record.temperature:.3g} may in truth be "
                    f"up to {low + gap:.2f}; {count:,} solutions need more --samples"
                )
        if len(self.asked) > 1 and best.temperature in (self.asked[0], self.asked[-1]):
            side = "higher" if best.temperature == self.asked[-1] else "lower"
            lines.append(f"the best of --temps is the last on its side; give {side} ones, too")
        return lines

    @property
    def verdict(self) -> str:
        """The closest temperature, and those that are as close within two standard errors."""
        best = self.best
        distance = "marginal error" if best.total_variation is None else "total variation"
        mean = "mean " if _has_instances(best) else ""
        alike = [record.temperature for record in self.ordered if _is_alike(record.distance, best.distance)]
        ends = f" ({alike[0]:.3g} to {alike[-1]:.3g} within two standard errors)" if len(alike) > 1 else ""
        at = f"temperature {best.temperature:.3g}{ends}"
        return f"closest to p(z) ~ exp(<z, theta>) at {at}, with {mean}{distance} {_with_error(best.distance)}"


def draws(samples: int, temperatures: Sequence[float]) -> int:
    """Number of samples of each instance that :func:`make_calibration` draws."""
    return samples * (len(temperatures) + (len(temperatures) > 1) * REFINEMENTS)


def make_calibration(
    problems: Sequence[LabProblem],
    family: ExponentialFamily,
    law: NoiseDistribution,
    temperatures: Sequence[float],
    **settings: Any,
) -> list[Calibration]:
    """Measurements of all instances at all temperatures, and at more between the best; settings as for ``calibrate``."""
    theta = torch.cat([problem.theta for problem in problems])
    return list(calibrate(theta, problems[0].solver, family, law, temperatures, **settings))


def _has_instances(record: Calibration) -> bool:
    return len(record.marginal_error.value) > 1


def _row(record: Calibration) -> dict[str, Any]:
    """A temperature for JSON: means over instances, and each of them."""
    distances = {"total_variation": record.total_variation, "marginal_error": record.marginal_error}
    row: dict[str, Any] = {"temperature": record.temperature}
    for name, estimate in distances.items():
        row[name] = None if estimate is None else estimate.mean
        row[f"{name}_standard_error"] = None if estimate is None else estimate.mean_standard_error
    upper = record.most_total_variation
    row["most_total_variation"] = None if upper is None else float(upper.mean())
    row["by_instance"] = {"most_total_variation": None if upper is None else upper.tolist()}
    for name, estimate in distances.items():
        row["by_instance"][name] = None if estimate is None else estimate.value.tolist()
        row["by_instance"][f"{name}_standard_error"] = None if estimate is None else estimate.standard_error.tolist()
    return row


def _cells(record: Calibration, is_best: bool) -> list[str]:
    distance, upper, error = record.total_variation, record.most_total_variation, record.marginal_error
    several = _has_instances(record)
    known = ["-"] * (2 + several)
    if distance is not None and upper is not None:
        known = [_with_error(distance), f"{float(upper.mean()):.4f}", *([_range(distance)] if several else [])]
    shown = [_with_error(error), *([_range(error)] if several else [])]
    return [f"{record.temperature:.4g}", *known, *shown, "closest" if is_best else ""]


def _range(estimate: Estimate) -> str:
    return f"{float(estimate.value.min()):.3f} to {float(estimate.value.max()):.3f}"


def _with_error(estimate: Estimate) -> str:
    return f"{estimate.mean:.4f} ± {estimate.mean_standard_error:.4f}"


def _is_alike(estimate: Estimate, smallest: Estimate) -> bool:
    """True where two means are the same within two standard errors of independent ones: cautious for shared noise."""
    spread = math.hypot(estimate.mean_standard_error, smallest.mean_standard_error)
    return estimate.mean - smallest.mean <= 2 * spread


def _gap(record: Calibration) -> float:
    """Difference of the bounds of a total variation."""
    if record.total_variation is None or record.most_total_variation is None:
        return 0.0
    return float(record.most_total_variation.mean()) - record.total_variation.mean
