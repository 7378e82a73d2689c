"""Tables of the guide, made of the measurements that are kept beside it."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import fmean, stdev

from imle_cli.lab.told import told
from imle_core.lab import IntervalEstimate
from measured import FOLDER, NOISES, PROBLEMS, Values, results

PAGES = FOLDER.parent


@dataclass(frozen=True)
class Table:
    """A table of a page.

    Attributes:
        page: its name.
        columns: the header.
        rows: makes its cells of the results in the file.
    """

    page: str
    columns: tuple[str, ...]
    rows: Callable[[list[Values]], Iterable[Iterable[str]]]

    def lines(self, found: list[Values]) -> list[str]:
        """Its lines in Markdown."""
        return [_line(self.columns), "|" + "---|" * len(self.columns), *map(_line, self.rows(found))]

    def shown(self) -> list[str]:
        """The lines that the page has."""
        lines = self.text().splitlines()
        first = lines.index(_line(self.columns))
        last = next((number for number in range(first, len(lines)) if not lines[number].startswith("|")), len(lines))
        return lines[first:last]

    def text(self) -> str:
        """The page."""
        return (PAGES / f"{self.page}.md").read_text(encoding="utf-8")


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def estimate(values: Values, name: str, key: str | None = None) -> IntervalEstimate:
    """A figure with its standard error and interval, of keys that begin with its name; open ends are None."""
    value, error, low, high = (
        entry if key is None else entry.get(key)
        for entry in (values[f"{name}{end}"] for end in ("", "_standard_error", "_low", "_high"))
    )
    infinite = math.inf
    return IntervalEstimate(
        infinite if value is None else value,
        infinite if error is None else error,
        low or 0.0,
        infinite if high is None else high,
    )


def _errors(found: list[Values]) -> Iterable[list[str]]:
    """A row for each estimator, the best on the first problem first; those that agree everywhere share one."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for estimator in (cell["estimator"] for cell in found[0]["cells"]):
        cells = [next(cell for cell in values["cells"] if cell["estimator"] == estimator) for values in found]
        told_errors = (f"{told(estimate(cell, 'error'))}{' (at the edge)' * bool(cell['edge'])}" for cell in cells)
        key = f"{cells[0]['calls']:g}", *told_errors, _factors(found, estimator)
        rows.setdefault(key, []).append(f"`{estimator}`")
    return [[", ".join(names), *key] for key, names in rows.items()]


def _factors(found: list[Values], estimator: str) -> str:
    """Factors of the variance, the smallest and the largest; empty where pairs do not apply."""
    ratios = [estimate(values, "antithetic", estimator) for values in found if estimator in values["antithetic"]]
    if not ratios:
        return ""
    if all(ratio.low <= 1 <= ratio.high for ratio in ratios):
        return "none seen"
    return f"{min(ratios):.2f} to {max(ratios):.2f}"


_NOISES = dict(zip(NOISES, ("Sum-of-Gamma (100 terms, k = 5, 15)", "Gumbel", "normal", "logistic"), strict=True))


def _distances(found: list[Values]) -> Iterable[list[str]]:
    """A row for each noise, with three figures for each problem."""
    for noise in NOISES:
        row = [_NOISES[noise]]
        for values in (values for values in found if values["noise"] == noise):
            row += [f"{values[which]['total_variation']:.2f}" for which in ("usual", "best")]
            row.append(f"{values['best']['temperature']:.2g}")
        yield row


_METHODS = {
    "imle-sum-of-gamma": "I-MLE, Sum-of-Gamma",
    "imle-sum-of-gamma-tuned": "I-MLE, Sum-of-Gamma",
    "imle-gumbel": "I-MLE, Gumbel",
    "imle-gumbel-tuned": "I-MLE, Gumbel",
    "straight-through": "straight-through",
    "score-function": "score function, 500 steps",
    "central-imle": "central I-MLE",
    "simple": "SIMPLE",
    "adaptive-imle": "adaptive I-MLE",
}


def _experiment(found: list[Values]) -> Iterable[list[str]]:
    """A row for each method and setting."""
    for name, words in _METHODS.items():
        method = found[0]["methods"][name]
        settings = method["settings"]
        numbers = [f"rate {settings['rate']:g}"]
        if "lambda" in settings:
            numbers.append(f"lambda {settings['lambda']:g}")
        if "first_beta" in settings:
            numbers.append(f"beta from {settings['first_beta']:g} by {settings['beta_step']:g}")
        theirs = "" if method["reference_mean"] is None else _gap(method, "reference")
        origin = "tuned here" if method["tuned"] else "authors'"
        yield [words, f"{origin}: {', '.join(numbers)}", _gap(method, "gap"), theirs]


def _gap(method: Values, name: str) -> str:
    mean, deviation, error = (method[f"{name}_{part}"] for part in ("mean", "std", "standard_error"))
    return f"{mean:.3f} ± {deviation:.3f} ({error:.3f})"


def _regret(record: Values) -> str:
    return f"{record['regret_mean']:.2%}" + (f" ± {record['regret_std']:.2%}" if record["runs"] > 1 else "")


def _decisions(found: list[Values]) -> Iterable[list[str]]:
    """A row for each method, with figures of both protocols and those of their authors."""
    protocols = [protocol["methods"] for protocol in found[0]["protocols"].values()]
    for name in protocols[0]:
        row = [f"`{name}`"]
        for methods in protocols:
            record = methods[name]
            published, seconds = record["published_regret"], record["published_seconds"]
            theirs = [] if published is None else [f"{published:.2%}"]
            theirs += [] if seconds is None else [f"{seconds:.1f} s"]
            row += [_regret(record), f"{record['best_mean']:.2%}", f"{record['seconds']:.2f}", ", ".join(theirs)]
        yield row


def _schedules(found: list[Values]) -> Iterable[list[str]]:
    """A row for each method, with a step size that decays and one that stays."""
    decaying = results("decisions")[0]["protocols"]
    for name in found[0]["protocols"]["paths"]["methods"]:
        row = [f"`{name}`"]
        for protocol, values in found[0]["protocols"].items():
            row += [_regret(shown["methods"][name]) for shown in (decaying[protocol], values)]
        yield row


_SEERS = {"tiles": "`tiles`, no solver while it learns", "regression": "`regression`, no solver while it learns"}
_SEERS["mean-colour"] = "`mean-colour`, a look-up"


def _seeing(found: list[Values]) -> Iterable[list[str]]:
    """A row for each method, means over seeds."""
    usual = found[0]["rows"]
    names = list(dict.fromkeys(row["estimator"] for row in usual))
    runs = {_SEERS.get(name, f"`{name}`"): [row for row in usual if row["estimator"] == name] for name in names}
    for words, rows in runs.items():
        shares = [row["optimal"] for row in rows]
        spread = f" ± {stdev(shares):.1%}" if len(set(shares)) > 1 else ""
        regret, exact = (fmean(row[key] for row in rows) for key in ("regret", "exact_on_unique"))
        zeros = [row["zero_gradients"] for row in rows if row["zero_gradients"] is not None]
        yield [
            words,
            rows[0]["supervision"],
            f"{fmean(shares):.1%}{spread}",
            f"{regret:.3%}",
            f"{exact:.1%}",
            f"{fmean(zeros):.1%}" if zeros else "",
        ]


def _speed(found: list[Values]) -> Iterable[list[str]]:
    """A row for each figure, with the ratios to all that it was measured by turns with."""
    rows = found[0]["rows"]
    references = [(row["subject"], row["reference"]) for row in rows if row["reference"]]
    ratios: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        key = row["subject"], row["means"], told_number(row["value"], row["unit"])
        if row["ratio"] is not None:
            ratios.setdefault(key, []).append(f"{row['reference']} {_told_ratio(row)}")
        elif not any(reference in row["means"] for subject, reference in references if subject == row["subject"]):
            ratios[key] = []
    return [[*key, ", ".join(times)] for key, times in ratios.items()]


def _told_ratio(row: Values) -> str:
    """The ratio of a row with its interval, where one is kept, and a mark where it is not settled."""
    ends = [row.get(f"ratio_{end}") for end in ("low", "high")]
    interval = "" if None in ends else f" ({' to '.join(map(told_number, ends))})"
    return f"{told_number(row['ratio'])}{interval}{' ?' * (not row['settled'])}"


def told_number(value: float, unit: str = "") -> str:
    """Three digits, with commas or as millions, and the unit."""
    rounded = float(f"{value:.3g}")
    text = f"{rounded / 1e6:g} million" if rounded >= 1e6 else f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"
    return f"{text} {unit.replace('us', 'µs')}".strip()


TABLES = {
    "decisions": Table(
        "decisions",
        (
            "method",
            *("paths: regret", "best epoch", "seconds", "published"),
            *("knapsacks: regret", "best epoch", "seconds", "published"),
        ),
        _decisions,
    ),
    "schedules": Table(
        "decisions",
        ("method", "paths: decaying", "constant", "knapsacks: decaying", "constant"),
        _schedules,
    ),
    "errors": Table(
        "settings",
        ("estimator", "solves", *PROBLEMS.values(), "antithetic pairs: variance times"),
        _errors,
    ),
    "distances": Table(
        "settings", ("noise", "top-5 of 10: at 1", "best", "at", "8x8 paths: at 1", "best", "at"), _distances
    ),
    "experiment": Table("settings", ("method", "settings", "gap here", "authors' code"), _experiment),
    "seeing": Table(
        "perception",
        (
            "`--estimator`",
            "learns from",
            "optimal paths",
            "regret",
            "exact, of the maps with one optimum",
            "gradients of 0 in the last epoch",
        ),
        _seeing,
    ),
    "speed": Table("speed", ("what", "with", "figure", "times as fast as"), _speed),
    "speed-avx2": Table("speed", ("what", "with", "figure", "times as fast as (95% interval)"), _speed),
}
"""Tables by the file of their measurements."""


def write_tables(name: str) -> None:
    """Writes the table of a file into its page."""
    if name in TABLES:
        table = TABLES[name]
        text = table.text().replace("\n".join(table.shown()), "\n".join(table.lines(results(name))))
        (PAGES / f"{table.page}.md").write_text(text, encoding="utf-8")
