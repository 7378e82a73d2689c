"""Comparisons of estimators of a gradient: bias, variance, direction and cost on problems, cell by cell."""

from collections.abc import Iterator, Sequence

from imle_core.checks import ArgumentError
from imle_core.estimators import ESTIMATORS
from imle_core.lab.cell import Cell, Skipped
from imle_core.lab.measurement import EstimatorSettings, Instance, Setting
from imle_core.lab.search import attempt, search


def compare(instances: Sequence[Instance], settings: EstimatorSettings) -> Iterator[Cell | Skipped]:
    """Measures every estimator at every lambda and temperature, by estimator, and marks the best cell of each.

    Repetitions, and perhaps further lambdas and temperatures, are where they decide something; see
    :func:`imle_core.lab.search.search`.

    Args:
        instances: problems of one kind with their true gradients; figures are means over them.
        settings: what to measure.

    Raises:
        ArgumentError: no instances; a loss that cannot be used, or a true gradient of 0.

    >>> from imle_core.noise import GumbelNoiseDistribution
    >>> from imle_core.lab.problem import make_problem
    >>> from imle_core.lab.reference import reference_gradient
    >>> settings = EstimatorSettings(GumbelNoiseDistribution(), ["central-imle"], [1.0], [1.0], repetitions=200)
    >>> problem = make_problem("top-k")
    >>> (cell,) = compare([Instance(problem, reference_gradient(problem, None, 0))], settings)
    >>> cell.accuracy.cosine.low > 0.5, cell.calls
    (True, 30.0)
    """
    if not instances:
        raise ArgumentError("instances", "none", "figures are means over them", "give at least one")
    if not all(instance.reference.norm > 0 for instance in instances):
        raise ArgumentError(
            "loss", "0", "nothing can be measured against it", "take another loss or theta", "its true gradient here is"
        )
    for name in settings.estimators or ESTIMATORS:
        yield from search(instances, settings, name)


def measured_again(instances: Sequence[Instance], settings: EstimatorSettings, cell: Cell) -> Cell | Skipped:
    """The cell's estimator, lambda (or beta) and temperature under other ``settings``, of samples or noise for instance."""
    setting = Setting(cell.estimator, cell.lambda_, cell.temperature, cell.beta)
    trial = attempt(instances, settings, setting, settings.repetitions)
    return trial if isinstance(trial, Skipped) else trial.cell()
