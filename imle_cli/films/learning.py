"""Films of learning: weights, solution and loss, moment by moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from imle_cli.films.drawn import Drawn
from imle_cli.films.frames import MISSED, PATH, Floats, Mask, Panel, Pixels, Scale, Scene
from imle_cli.films.plot import Plot
from imle_cli.films.timing import Films


@dataclass
class Moments:
    """Record of learning.

    Attributes:
        steps: steps of the moments, rising.
        weights: at each of them, ``(*event)``; none if they are not shown.
        states: solutions or means of samples, likewise.
        distances: entries in which the solution differs from the gold one, where they are known.
        losses: losses of all steps; none if they are not shown.
        loss_steps: the steps of these, rising.
        gold: the gold solution, ``(*event)``.
    """

    steps: list[int] = field(default_factory=list)
    weights: list[Floats] = field(default_factory=list)
    states: list[Mask] = field(default_factory=list)
    distances: list[int | None] = field(default_factory=list)
    losses: Sequence[float] = field(default_factory=list)
    loss_steps: Sequence[int] = field(default_factory=list)
    gold: Mask | None = None

    @property
    def event(self) -> tuple[int, ...]:
        """Shape of a solution; none if neither weights nor solutions are shown."""
        return next((array.shape for array in (*self.states[:1], *self.weights[:1])), ())


@dataclass(frozen=True)
class LearningWords:
    """Words of a film.

    Attributes:
        weights: the weights.
        solution: the solution.
        things: what solutions consist of.
        note: a remark behind the step in every frame, on settings for instance.
    """

    weights: str = "weights"
    solution: str = "solution"
    things: str = "entries"
    note: str = ""


class LearningFilms(Films):
    """Films by name: everything, the solution alone, the weights alone, as far as they were recorded.

    Args:
        moments: what was recorded.
        drawn: pictures of it.
        words: words of the frames.
        size: pixels of a frame's longer side.
        maximum: how many frames there may be.
        scale: the weights that are white and black; the smallest and the largest of the film if None.
        names: what the three films are called.
    """

    def __init__(
        self,
        moments: Moments,
        drawn: Drawn,
        words: LearningWords,
        size: int,
        maximum: int,
        scale: tuple[float, float] | None = None,
        names: Sequence[str] = ("learning", "solution", "weights"),
    ) -> None:
        self.moments, self.drawn, self.words, self.size = moments, drawn, words, size
        super().__init__(len(moments.steps), maximum)
        self.low, self.high = scale or _extremes(moments.weights)
        self.panels = [
            *([self._solution] if moments.states else []),
            *([self._weights] if moments.weights else []),
        ]
        single = {self._solution: names[1], self._weights: names[2]}
        self.films = {name: partial(self._alone, panel) for panel, name in single.items() if panel in self.panels}
        self.films[names[0]] = self._everything

    def _headline(self, record: int) -> str:
        note = f"  ·  {self.words.note}" if self.words.note else ""
        return f"step {self.moments.steps[record]}{note}"

    def _solution(self, record: int) -> Panel:
        state, gold, name = self.moments.states[record], self.moments.gold, self.words.solution
        if not np.isin(state, (0, 1)).all():
            high = max(1.0, float(np.max(self.moments.states)))
            return Panel(self.drawn.means(state, high), f"{name}, mean of samples", Scale("0", f"{high:.3g}"))
        distance = self._distance(record)
        caption = name
        if distance is not None:
            wrong = f"{distance} {self.words.things if distance != 1 else self.words.things[:-1]} wrong"
            caption = f"{name}, {wrong}" if distance else f"correct {name} found"
        key = [(PATH, name), *([(MISSED, "gold, missed")] if gold is not None else [])]
        return Panel(self.drawn.solution(state, gold), caption, key)

    def _distance(self, record: int) -> int | None:
        if self.moments.gold is not None:
            return int(np.count_nonzero(self.moments.states[record] != self.moments.gold))
        return self.moments.distances[record] if self.moments.distances else None

    def _weights(self, record: int) -> Panel:
        pixels = self.drawn.weights(self.moments.weights[record], self.low, self.high)
        return Panel(pixels, self.words.weights, Scale(f"{self.low:.3g}", f"{self.high:.3g}", is_grey=True))

    def _alone(self, panel: Any) -> Iterator[Pixels]:
        scene = Scene(self.drawn.shape, self.size, captions=True)
        return (scene.frame(self._headline(record), [panel(record)]) for record in self.shown)

    def _everything(self) -> Iterator[Pixels]:
        losses, steps = np.asarray(self.moments.losses), [self.moments.steps[record] for record in self.shown]
        scene = Scene(self.drawn.shape, self.size, len(self.panels), captions=True, plot=len(losses) > 0)
        plot = Plot(losses, self.moments.loss_steps, steps, scene.plot, scene.letters) if len(losses) else None
        for record, step in zip(self.shown, steps, strict=True):
            panels = [panel(record) for panel in self.panels]
            yield scene.frame(self._headline(record), panels, None if plot is None else plot.draw(step))


def _extremes(weights: Sequence[Floats]) -> tuple[float, float]:
    finite = [numbers for array in weights if (numbers := array[np.isfinite(array)]).size]
    low, high = min((float(x.min()) for x in finite), default=0.0), max((float(x.max()) for x in finite), default=0.0)
    return low, high
