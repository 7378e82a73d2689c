"""The best setting of an estimator: a grid that widens, and repetitions where they decide something."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any, TypeAlias

from imle_core.contracts import LossError
from imle_core.estimators import ESTIMATORS
from imle_core.lab.accuracy import mean_accuracy, noise_of_mean
from imle_core.lab.cell import Cell, Skipped, is_told_apart
from imle_core.lab.measurement import EstimatorSettings, Instance, Measurement, Setting

Point: TypeAlias = tuple[float | None, float]
"""A lambda, where there is one, and a temperature."""

_SURVEY, _CHOOSING = 4, 0.5  # a first look has a fourth of the repetitions; share of all that may be spent on choosing
_WIDENINGS, _LOOKS = 6, 2  # values that an axis gets at most; that are tried beyond the best before it counts as that
_CHANCE = 2.0  # standard errors of a difference
_SURE = 0.05  # a difference, or a standard error of repetitions, as a share of the error, that is small enough


class Trial:
    """A setting on every instance.

    Args:
        instances: at least one.
        settings: noise and samples.
        setting: what is measured.

    Raises:
        TypeError, ValueError: what the estimator, or its noise, refuses.
    """

    def __init__(self, instances: Sequence[Instance], settings: EstimatorSettings, setting: Setting) -> None:
        self._setting, self._nb_samples = setting, settings.nb_samples
        self._measurements = [Measurement(instance, settings, setting, number) for number, instance in enumerate(instances)]

    @property
    def repetitions(self) -> int:
        """Gradients of each instance."""
        return self._measurements[0].repetitions

    def extend(self, repetitions: int) -> None:
        """Adds so many gradients of each instance."""
        for measurement in self._measurements:
            measurement.extend(repetitions)

    def forget(self) -> None:
        """Drops all gradients, so that those to follow are independent of what was seen."""
        for measurement in self._measurements:
            measurement.forget()

    def cell(self, *, is_best: bool = False, edges: tuple[str, ...] = (), timed: bool = False) -> Cell:
        """The cell as far as it is known."""
        by_instance, first = tuple(measurement.accuracy for measurement in self._measurements), self._measurements[0]
        betas = [measurement.beta for measurement in self._measurements if measurement.beta is not None]
        return Cell(
            self._setting.estimator,
            self._setting.lambda_,
            sum(betas) / len(betas) if betas else None,
            self._setting.temperature,
            self._nb_samples,
            mean_accuracy(by_instance),
            sum(measurement.calls for measurement in self._measurements) / len(self._measurements),
            first.seconds() if timed else math.nan,
            self.repetitions,
            by_instance,
            is_best,
            edges,
        )


def attempt(
    instances: Sequence[Instance], settings: EstimatorSettings, setting: Setting, repetitions: int
) -> Trial | Skipped:
    """A setting with so many gradients of each instance, or why its estimator does not apply.

    Raises:
        LossError: a loss that cannot be used.
    """
    try:
        trial = Trial(instances, settings, setting)
        trial.extend(repetitions)
    except LossError:
        raise
    except (TypeError, ValueError) as error:  # what an estimator, or its noise, refuses
        return Skipped(setting.estimator, str(error))
    return trial


def search(instances: Sequence[Instance], settings: EstimatorSettings, name: str) -> Iterator[Cell | Skipped]:
    """Every cell of an estimator's grid, with the best of them marked.

    1. A first look at every cell, with a quarter of ``settings.repetitions``.
    2. A further value at each end of an axis in ``settings.widened``, in the ratio of the last ones, until the least error
       has a surely larger one, or two that are no smaller, on that side, or until two added values have not surely lowered
       it; surely is by more than 5% and than by chance. An axis gets six at most. Else cells that are not told apart from
       the best have their repetitions doubled, where these leave more than 5% of the error open, until half of
       ``settings.repetitions`` times the number of cells of the grid is spent.
    3. All cells at the temperature that is shown get ``settings.repetitions``.
    4. The best cell is measured afresh, with that many repetitions, doubled while it is not sure and some are left.

    The best cell is the least biased of those whose cost is within 5% of the least: from some temperature on cost hardly
    changes, since it leaves scale out, and chance would choose.

    A grid of one cell has nothing to choose, and gets ``settings.repetitions``. The same settings give the same figures,
    whichever other estimators are measured.
    """
    grid = _Grid(instances, settings, name)
    best = grid.choose() if grid.trials else None
    yield from grid.refused.values()
    for point, trial in sorted(grid.trials.items(), key=lambda item: (item[0][0] or 0.0, item[0][1])):
        yield trial.cell(is_best=point == best, edges=grid.edges(point) if point == best else (), timed=True)


class _Grid:
    """Cells of an estimator, and what was spent on them."""

    def __init__(self, instances: Sequence[Instance], settings: EstimatorSettings, name: str) -> None:
        self._instances, self._settings, self._name = instances, settings, name
        lambdas = sorted(set(settings.lambdas)) if ESTIMATORS[name].uses_step else [None]
        self._axes: dict[str, list[Any]] = {"lambdas": lambdas, "temperatures": sorted(set(settings.temperatures))}
        self._count = math.prod(map(len, self._axes.values()))
        self._budget, self._spent = settings.repetitions * self._count, 0
        self._added = Counter[tuple[str, int]]()
        self.trials: dict[Point, Trial] = {}
        self.refused: dict[Point, Skipped] = {}
        self._add()

    def choose(self) -> Point:
        """The best cell, with repetitions that know nothing of how it was chosen."""
        if self._count == 1:
            return self._best()
        limit = _CHOOSING * self._budget
        while self._widen() or self._refine(limit):
            pass
        best, enough = self._best(), self._settings.repetitions
        self.trials[best].forget()
        for point, trial in self.trials.items():
            if point == best or point[1] == self._settings.shown:
                self._extend(trial, max(0, enough - trial.repetitions))
        while not _is_sure(self.trials[best].cell()) and self._spent + self.trials[best].repetitions <= self._budget:
            self._extend(self.trials[best], self.trials[best].repetitions)
        return best

    def edges(self, point: Point) -> tuple[str, ...]:
        """Axes at an end of which a better cell may lie outside.

        No cell is beyond this one there; or, on an axis that may grow, none beyond it is surely worse.
        """
        open_axes, best = [], self.trials[point].cell()
        for name, direction in self._ends():
            _, beyond = self._line(name, direction, point)
            is_flat = name in self._settings.widened and not any(_is_surely_below(best, cell) for cell in beyond)
            if name not in open_axes and (is_flat or not beyond):
                open_axes.append(name)
        return tuple(open_axes)

    def _ends(self) -> list[tuple[str, int]]:
        """First (-1) and last (1) values of axes; a single value is no end, nor is 0, since nothing lies below it."""
        axes = [(name, values) for name, values in self._axes.items() if len(values) > 1]
        return [(name, direction) for name, values in axes for direction in (-1, 1) if values[::direction][-1]]

    def _line(self, name: str, direction: int, point: Point) -> tuple[list[Cell], list[Cell]]:
        """Cells along an axis towards one of its ends: up to that of a point, and those beyond it."""
        points = [(value, point[1]) if name == "lambdas" else (point[0], value) for value in self._axes[name][::direction]]
        after = points.index(point) + 1
        return self._known(points[:after]), self._known(points[after:])

    def _known(self, points: Iterable[Point]) -> list[Cell]:
        """Cells of those points that are not refused."""
        return [self.trials[point].cell() for point in points if point in self.trials]

    def _best(self) -> Point:
        """Point with the least bias among those whose cost is within 5% of the least."""
        cells = {point: trial.cell() for point, trial in self.trials.items()}
        cheapest = min(cells.values(), key=lambda cell: cell.rank)
        alike = [
            point for point, cell in cells.items() if cell is cheapest or cell.cost <= (1 + _SURE) * cheapest.cost < math.inf
        ]
        return min(alike, key=lambda point: cells[point].accuracy.squared_bias)

    def _widen(self) -> bool:
        """Adds a value at each end beyond which the error may be less."""
        cheapest = min(self.trials, key=lambda point: self.trials[point].cell().rank)
        before = self._added.total()
        for name, direction in self._ends():
            if self._is_open(name, direction, cheapest):
                values = self._axes[name]
                self._axes[name] = sorted([*values, _beyond(values[::-direction])])
                self._added[name, direction] += 1
        self._add()
        return self._added.total() > before

    def _is_open(self, name: str, direction: int, cheapest: Point) -> bool:
        """True where there may be less than the least error beyond an end of an axis.

        Not so where two values beyond the least are no better, or one is surely worse; nor where the last two values that
        were added have not surely lowered it.
        """
        if name not in self._settings.widened or self._added[name, -1] + self._added[name, 1] == _WIDENINGS:
            return False
        up_to, beyond = self._line(name, direction, cheapest)
        if len(beyond) >= _LOOKS or any(_is_surely_below(up_to[-1], cell) for cell in beyond):
            return False
        before = [*up_to, *beyond][:-_LOOKS]
        return self._added[name, direction] < _LOOKS or not before or _is_surely_below(up_to[-1], before[-1])

    def _refine(self, limit: float) -> bool:
        """Doubles what is known of cells that may be the best, up to what may be spent."""
        best, before = self.trials[self._best()].cell(), self._spent
        for trial in self.trials.values():
            cell, left = trial.cell(), int(limit - self._spent)
            if left > 0 and not _is_sure(cell) and not is_told_apart(cell, best):
                self._extend(trial, min(trial.repetitions, left))
        return self._spent > before

    def _add(self) -> None:
        """Takes a first look at those cells of the axes that are new."""
        first = self._settings.repetitions if self._count == 1 else max(2, self._settings.repetitions // _SURVEY)
        for point in product(*self._axes.values()):
            if point in self.trials or point in self.refused:
                continue
            trial = attempt(self._instances, self._settings, Setting(self._name, *point), first)
            if isinstance(trial, Skipped):
                self.refused[point] = trial
            else:
                self.trials[point] = trial
                self._spent += first

    def _extend(self, trial: Trial, repetitions: int) -> None:
        if repetitions:
            trial.extend(repetitions)
            self._spent += repetitions


def _beyond(values: Sequence[float]) -> float:
    """Value before the first of the values, in the ratios of the next: 0.03 before 0.1, 0.3, 1; 30 before 10, 3, 1."""
    edge, near, *rest = values
    far, base = (rest[0], near) if rest else (near, edge)
    return float(f"{edge * base / far:.12g}") if far else 2 * edge


def _is_surely_below(cell: Cell, rival: Cell) -> bool:
    """True where an error is below a rival's by more than 5% and than by chance.

    Chance is that of repetitions: a setting is chosen for these instances.
    """
    gain = cell.accuracy.alignment - rival.accuracy.alignment
    noise = math.hypot(noise_of_mean(cell.by_instance), noise_of_mean(rival.by_instance))
    return gain > _CHANCE * noise and (1 + _SURE) * cell.cost < rival.cost


def _is_sure(cell: Cell) -> bool:
    """True where further repetitions tell little: they leave 5% of the error, or less than half of what instances do."""
    alignment, noise = cell.accuracy.alignment, noise_of_mean(cell.by_instance)
    # The error 1/a^2 - 1 moves by 2/a^3 times what a moves.
    is_narrow = 2 * noise <= _SURE * alignment * (1 - alignment**2)
    return is_narrow or (len(cell.by_instance) > 1 and 2 * noise < alignment.standard_error)
