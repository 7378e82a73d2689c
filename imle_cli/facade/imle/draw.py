"""Pictures and films of solvers, for notebooks and scripts: the same that the command ``imle`` draws.

>>> import torch
>>> from imle import GumbelNoiseDistribution, draw, marginals
>>> from imle.solvers import TopK
>>> result = marginals(TopK(2), torch.tensor([[0.3, 0.1, 0.2]]), GumbelNoiseDistribution())
>>> draw.marginals(result, [0.3, 0.1, 0.2], names=["ham", "jam", "spam"])
Picture(6.4 x 5.4 inches)

A notebook shows a picture or a film that a cell ends with; ``.save("name.png")`` or ``.save("name.gif")`` writes it; a
picture's ``.figure`` is a figure of matplotlib, to be changed further. Settings and windows of matplotlib stay as they are.

**Solutions** are tensors, arrays or lists of the shape ``(*event)`` of one solution, or with a batch axis before it, of
which ``instance`` is shown. Solvers of any shape can be drawn: tiles, edges, bars, a matrix, or bars of all entries.

**The ground** is what solutions lie on:

* an array ``(H, W)`` of costs, all > 0: a map, white cheap and black expensive, infinite costs walls;
* another array ``(R, C)``, or any with ``kind="matrix"`` or names of rows and columns: a matrix of scores;
* an array ``(n,)`` of scores, perhaps with names: bars;
* a networkx graph: edges in the order of ``graph.edges()``, nodes where their attributes ``pos``, or ``x`` and ``y``, say;
* a solver, with ``numbers`` for costs or scores: a path from its start to its goal, its graph, its weights and capacity;
* None: solutions alone.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from imle_cli.figures.comparison import comparison_figure, cosines_of, curves_of
from imle_cli.figures.grounds import Averages, Network, Terrain
from imle_cli.figures.ranked import Ranked
from imle_cli.films.drawn import Drawn, DrawnEdges, DrawnTiles
from imle_cli.films.learning import LearningFilms, LearningWords
from imle_cli.films.loop import Loop, state_of
from imle_cli.films.showing import Film, Picture
from imle_cli.problems.arrays import as_array, check_instance, event_of, instance_of, samples_of
from imle_cli.problems.grounds import Kind, ground_of, shape_of
from imle_core import ArgumentError, DistinctSolutions, Marginals
from imle_core.checks import ArgumentTypeError, is_whole
from imle_core.lab import Cell

__all__ = ["Film", "Picture", "comparison", "distinct", "film", "marginals", "samples", "solution"]


def __dir__() -> list[str]:
    return [*__all__, "__doc__"]


def solution(
    state: Any,
    ground: Any = None,
    *,
    numbers: Any = None,
    names: Sequence[Any] | None = None,
    kind: Kind | None = None,
    instance: int = 0,
    title: str = "",
) -> Picture:
    """One solution on its ground: a path on a map, edges of a graph, chosen items or pairs.

    Args:
        state: the solution, ``(*event)`` or ``(B, *event)``, mostly of zeros and ones.
        ground: map, graph, scores or solver; see the head of this module.
        numbers: costs or scores where the ground is a graph or a solver, ``(*event)`` or ``(B, *event)``.
        names: of the items; of a matrix a pair, names of rows and names of columns.
        kind: "map" or "matrix" for solutions with two axes; if None, told by the ground.
        instance: number of the instance, where there is a batch axis.
        title: text above the picture.

    Raises:
        ArgumentError: parts that do not fit each other.
    """
    array = as_array("state", state)
    event = event_of(array.shape, shape_of(ground, numbers))
    drawn = ground_of(ground, event, numbers=numbers, names=names, kind=kind, instance=instance)
    return Picture(drawn.solution(instance_of("state", array, event, instance), title or "One solution"))


def marginals(
    result: Any,
    ground: Any = None,
    *,
    numbers: Any = None,
    names: Sequence[Any] | None = None,
    kind: Kind | None = None,
    instance: int = 0,
    title: str = "",
) -> Picture:
    """Marginals, the share of samples in which each entry of a solution is chosen, with their standard errors.

    Args:
        result: what :func:`imle.marginals` gives, one sample of which is drawn, too; or means of samples of your own,
            ``(*event)`` or ``(B, *event)``.
        ground: as in :func:`solution`.
        numbers: as in :func:`solution`.
        names: as in :func:`solution`.
        kind: as in :func:`solution`.
        instance: as in :func:`solution`.
        title: text above the picture.

    Raises:
        ArgumentError: parts that do not fit each other.
    """
    is_result = isinstance(result, Marginals)
    mean = as_array("result", result.mean if is_result else result)
    event = event_of(mean.shape, shape_of(ground, numbers), is_batch=is_result)
    drawn = ground_of(ground, event, numbers=numbers, names=names, kind=kind, instance=instance)
    mean, averages = instance_of("result", mean, event, instance), None
    if is_result:
        error = result.standard_error[instance].cpu().double().numpy()
        sample = instance_of("result", as_array("result", result.first_state), event, instance)
        averages = Averages(mean, error, sample, result.nb_samples)
    return Picture(drawn.marginals(averages or Averages(mean), title or "Solutions under noise"))


def samples(
    states: Any,
    ground: Any = None,
    *,
    numbers: Any = None,
    names: Sequence[Any] | None = None,
    kind: Kind | None = None,
    instance: int = 0,
    title: str = "",
) -> Picture:
    """Samples side by side, of many the first 64 (of graphs and matrices 36).

    Args:
        states: samples, ``(S, *event)``, or ``(B, S, *event)`` as :func:`imle.perturb_and_map` gives them. Without a ground,
            three axes are ``(B, S, n)`` if the first is of length one, and else ``(S, H, W)``.
        ground: as in :func:`solution`.
        numbers: as in :func:`solution`.
        names: as in :func:`solution`.
        kind: as in :func:`solution`.
        instance: as in :func:`solution`.
        title: text above the picture.

    Raises:
        ArgumentError: parts that do not fit each other.
    """
    rows = samples_of(as_array("states", states), shape_of(ground, numbers), instance)
    drawn = ground_of(ground, rows.shape[1:], numbers=numbers, names=names, kind=kind, instance=instance)
    return Picture(drawn.samples(rows, title or f"{len(rows):,} sample{'s' if len(rows) > 1 else ''}"))


def distinct(
    records: Any,
    ground: Any = None,
    *,
    numbers: Any = None,
    names: Sequence[Any] | None = None,
    kind: Kind | None = None,
    instance: int = 0,
    title: str = "",
) -> Picture:
    """Whole solutions, the most frequent first, with their shares of the samples.

    Paths on a map lie over each other, at most 12 of them, each in its own lane and colour; other solutions stand side
    by side, what the most frequent one does not choose in another colour.

    Args:
        records: what :func:`imle.distinct_solutions` gives, or one record of it.
        ground: as in :func:`solution`.
        numbers: as in :func:`solution`.
        names: as in :func:`solution`.
        kind: as in :func:`solution`.
        instance: number of the instance, of several records.
        title: text above the picture.

    Raises:
        ArgumentError: parts that do not fit each other.
    """
    record = records
    if not isinstance(records, DistinctSolutions):
        if not (isinstance(records, Sequence) and records and all(isinstance(each, DistinctSolutions) for each in records)):
            rule = "it must be records of whole solutions"
            raise ArgumentTypeError("records", type(records).__name__, rule, "give what distinct_solutions() gives")
        check_instance(instance, len(records))
        record = records[instance]
    states = as_array("records", record.solutions)
    event = event_of(states.shape, shape_of(ground, numbers), is_batch=True)
    drawn = ground_of(ground, event, numbers=numbers, names=names, kind=kind, instance=instance)
    ranked = Ranked(states, as_array("records", record.shares), record.standard_errors.cpu().double().numpy())
    return Picture(drawn.distinct(ranked, title or f"The most frequent of {record.nb_samples:,} samples"))


def comparison(results: Iterable[Any], *, temperature: float | None = None, title: str = "") -> Picture:
    """Bias and variance of estimators against lambda, and the direction of their gradients, with intervals of 95%.

    Args:
        results: what :func:`imle.lab.compare` yields; what was skipped is left out.
        temperature: of the noise, the same for all curves; if None, of those measured the one nearest to 1.
        title: text above the picture.

    Raises:
        ArgumentError: no results, or none at that temperature.
    """
    try:
        cells = [record for record in iter(results) if isinstance(record, Cell)]
    except TypeError as error:
        got, rule = type(results).__name__, "it must give results one by one"
        raise ArgumentTypeError("results", got, rule, "give what lab.compare() yields") from error
    if not cells:
        raise ArgumentError("results", "none", "a comparison needs at least one estimator", "give what lab.compare() yields")
    known = sorted({cell.temperature for cell in cells})
    shown = min(known, key=_distance_from_1) if temperature is None else temperature
    if shown not in known:
        rule = f"it was measured at {', '.join(f'{value:g}' for value in known)}"
        raise ArgumentError("temperature", f"{shown:g}", rule, "use one of these")
    curves, cosines = curves_of(cells, shown), cosines_of(cells, shown)
    samples = max(cell.nb_samples for cell in cells)
    title = title or f"Gradients at temperature {shown:g}"
    return Picture(comparison_figure(curves, cosines, title=title, samples=samples, temperature=shown))


def film(
    records: Iterable[Any],
    ground: Any = None,
    *,
    gold: Any = None,
    title: str = "",
    fps: float = 8.0,
    frames: int = 100,
    every: int | None = None,
    size: int = 480,
    scale: tuple[float, float] | None = None,
    instance: int = 0,
) -> Film:
    """A training loop in motion: the weights, the solution and the loss.

    Records are read when the film is first wanted, one by one, so that a loop that yields them runs then. Of many records
    the first ones are all shown, later ones ever more sparsely, since most happens at first; the axis of the loss is
    stretched accordingly. Few are kept, as copies: a loop may change its tensors in place.

        def loop():
            for _ in range(300):
                ...
                yield weights, z, loss
        draw.film(loop()).save("learning.gif")

    Args:
        records: what :func:`imle.train` yields, or an iterable of ``(weights, state, loss)``, of which the last or the last
            two may be missing, or of dicts or objects with some of these: ``weights`` (or theta, costs, scores), ``state``
            (or solution, z, sample), ``loss``, and ``step``. Weights are ``(*event)`` or ``(B, *event)``; states likewise,
            or samples, whose mean is shown. Small weights are white, large ones black: give costs where a solver
            minimises, -theta for instance.
        ground: what solutions are drawn on, as in :func:`solution`: costs of a map, or a graph, or a solver that holds one.
        gold: the gold solution, ``(*event)``; what a solution lacks of it is shown.
        title: a remark in every frame.
        fps: frames a second.
        frames: how many there may be.
        every: show every so many records, in place of fewer and fewer.
        size: about the pixels of the longer side, 64 to 4096.
        scale: weights that are white and black; the smallest and the largest if None.
        instance: number of the instance, where there is a batch axis.

    Raises:
        ArgumentError: an argument outside its range; when the film is made, no records, or some that cannot be read.
    """
    _check("fps", fps, 0.1, 50, "8")
    _check_whole("frames", frames, 1, 10_000, "100")
    _check_whole("size", size, 64, 4096, "480")
    _check_whole("every", 1 if every is None else every, 1, 10**9, "10, or leave it out")
    _check_scale(scale)
    loop, made = Loop(records, int(frames), every, instance), list[LearningFilms]()
    answer = None if gold is None else state_of(as_array("gold", gold), instance=instance)

    def films() -> LearningFilms:
        if not made:
            moments = loop.moments()
            if answer is not None and answer.shape != moments.event:
                got = f"shape {answer.shape} for solutions of shape {moments.event}"
                raise ArgumentError("gold", got, "the two must be equal", "give one number for each entry")
            moments.gold = answer
            drawn, things = _drawn_on(ground, moments.event, instance, int(size))
            made.append(
                LearningFilms(moments, drawn, LearningWords(things=things, note=title), int(size), int(frames), scale)
            )
        return made[0]

    return Film(films, "learning", fps)


def _drawn_on(ground: Any, event: tuple[int, ...], instance: int, size: int) -> tuple[Drawn, str]:
    """Pictures of the frames of a film, and a word for the entries of its solutions."""
    made = None if ground is None else ground_of(ground, event, instance=instance)
    if isinstance(made, Network):
        return DrawnEdges(made.drawing.segments, made.drawing.positions, size // 2), "edges"
    if isinstance(made, Terrain):
        return DrawnTiles(event, made.costs), "tiles"
    return DrawnTiles(event), "entries"


def _distance_from_1(temperature: float) -> float:
    return abs(math.log(temperature)) if temperature else math.inf


def _check_scale(scale: Any) -> None:
    try:
        low, high = (0.0, 1.0) if scale is None else map(float, scale)
        is_scale = -math.inf < low < high < math.inf
    except (TypeError, ValueError):
        is_scale = False
    if not is_scale:
        raise ArgumentError("scale", repr(scale), "it must be two finite numbers, the smaller first", "leave it out for all")


def _check_whole(name: str, value: Any, low: int, high: int, usual: str) -> None:
    if not is_whole(value, low) or value > high:
        raise ArgumentError(name, repr(value), f"it must be a whole number from {low} to {high}", f"use {usual}")


def _check(name: str, value: Any, low: float, high: float, usual: str) -> None:
    if not (isinstance(value, (int, float)) and low <= value <= high):
        raise ArgumentError(name, repr(value), f"it must be a number from {low:g} to {high:g}", f"use {usual}")
