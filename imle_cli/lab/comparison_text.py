"""A comparison of estimators in words: tables of the best settings and of lambdas, and what ± stands for."""

import math

from imle_cli.lab.comparison import Comparison, edge
from imle_cli.lab.told import told, told_near_zero, told_share
from imle_core.lab import Cell

FIGURES = ["lambda", "temperature", "bias", "variance", "mse", "error", "cosine", "zero", "signs", "calls", "ms"]
FIGURES.append("repetitions")
HEADER = ["estimator", *FIGURES, "note"]


def rows(comparison: Comparison) -> list[list[str]]:
    """Each estimator at its best settings, the best first, then those that do not apply."""
    lines = [_row(cell, comparison) for cell in comparison.best]
    return lines + [[name, *[""] * len(FIGURES), f"skipped: {reason}"] for name, reason in comparison.skipped.items()]


def lambda_table(comparison: Comparison) -> list[str]:
    """Squared bias and variance of estimators with a step, lambda by lambda, all at one temperature; empty without any."""
    curves = comparison.curves
    lambdas = sorted({value for curve in curves.values() for value in curve.lambdas})
    table = [[f"at temperature {comparison.temperature:g}", "lambda", *(f"{value:g}" for value in lambdas)]]
    for name, curve in curves.items():
        bias, variance = (dict(zip(curve.lambdas, row, strict=True)) for row in (curve.bias, curve.variance))
        table.append([name, "squared bias", *(told_near_zero(bias[at]) if at in bias else "" for at in lambdas)])
        table.append(["", "variance", *(told(variance[at]) if at in variance else "" for at in lambdas)])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in table if curves
    ]


def legend(instances: int) -> str:
    """Origin of the errors and bounds of the tables."""
    source = (
        "of repetitions"
        if instances == 1
        else f"of the mean of {instances} instances, from their spread (or repetitions, where more)"
    )
    return f"± standard error {source}; where it is above a third of the figure, ends of the interval of 95%"


def scope(is_random: bool, instances: int) -> list[str]:
    """Limits of a single random problem."""
    alone = "instances  one, for which alone the ranking holds; --instances 5 tells whether others agree"
    return [alone] if is_random and instances == 1 else []


def _row(cell: Cell, comparison: Comparison) -> list[str]:
    accuracy, notes = cell.accuracy, [edge(cell)] if cell.edges else []
    if cell.beta is not None:
        notes.append(f"beta settles at {cell.beta:.2g}")
    if cell.estimator in comparison.antithetic:
        notes.append(f"antithetic pairs: {told(comparison.antithetic[cell.estimator])} times the variance")
    return [
        cell.estimator,
        "" if cell.lambda_ is None else f"{cell.lambda_:g}",
        f"{cell.temperature:g}",
        *(told(figure) for figure in (accuracy.bias, accuracy.variance, accuracy.mse, accuracy.error)),
        told_near_zero(accuracy.cosine),
        told_share(accuracy.zero_share),
        told_share(accuracy.sign_agreement),
        f"{cell.calls:g}",
        "" if math.isnan(cell.seconds) else f"{1e3 * cell.seconds:.2g}",
        f"{cell.repetitions:,}",
        "; ".join(notes),
    ]
