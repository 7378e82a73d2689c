"""Films of the steps of a recorded training."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from imle_cli.films.frames import CURVE, MISSED, PATH, Panel, Pixels, Scale, Scene, ground, hues, with_path
from imle_cli.films.timing import Films
from imle_cli.runs.directories import HISTORY, METRICS, RunError
from imle_cli.runs.training import Row, TrainingHistory


class RunFilms(Films):
    """Films of a run, by name.

    Args:
        history: what was recorded.
        rows: its metrics, from step 0 on.
        options: its options.
        size: pixels of a frame's longer side.
        maximum: how many frames there may be.

    Raises:
        RunError: nothing was recorded.
    """

    def __init__(self, history: TrainingHistory, rows: list[Row], options: dict[str, Any], size: int, maximum: int):
        if not history.steps or not rows:
            empty = METRICS if history.steps else HISTORY
            raise RunError(empty, "nothing was recorded before the run stopped; go on with imle train --resume")
        self.history, self.size, self.options = history, size, options
        super().__init__(len(history.steps), maximum)
        self.losses = np.array([row[1] for row in rows])
        self.ground, self.shape = ground(history.costs), history.gold.shape
        finite = [weights[np.isfinite(weights)] for weights in history.weights]
        self.low = min((float(numbers.min()) for numbers in finite if numbers.size), default=0.0)
        self.high = max((float(numbers.max()) for numbers in finite if numbers.size), default=0.0)
        self.films = {
            "learning_paths": partial(self._panels, self._path_panel),
            "learning_weights": partial(self._panels, self._weights_panel),
            "learning": self._everything,
        }

    def _headline(self, record: int) -> str:
        temperatures = f"input temperature {self.options['input_temp']:g}, target {self.options['target_temp']:g}"
        return f"step {self.history.steps[record]}  ·  {temperatures}"

    def _path_panel(self, record: int, caption: str = "") -> Panel:
        chosen = "path" if self.options["solver"] == "dijkstra" else "chosen tiles"
        pixels = with_path(self.ground, self.history.solutions[record], self.history.gold)
        return Panel(pixels, caption, ((PATH, chosen), (MISSED, "gold, missed")))

    def _weights_panel(self, record: int, caption: str = "") -> Panel:
        pixels = hues(self.history.weights[record], self.low, self.high)
        return Panel(pixels, caption, Scale(f"{self.low:.3g}", f"{self.high:.3g}"))

    def _panels(self, panel: Callable[[int], Panel]) -> Iterator[Pixels]:
        scene = Scene(self.shape, self.size)
        return (scene.frame(self._headline(record), [panel(record)]) for record in self.shown)

    def _everything(self) -> Iterator[Pixels]:
        scene = Scene(self.shape, self.size, 4, captions=True)
        nothing = np.zeros_like(self.history.gold)
        gold = Panel(with_path(self.ground, nothing, self.history.gold), "gold path", ((MISSED, "gold"),))
        for record in self.shown:
            step = self.history.steps[record]
            distance = int(np.count_nonzero(self.history.solutions[record] != self.history.gold))
            off = f"path, off by {distance} tiles" if distance else "path, the gold one"
            seen = min(step + 1, len(self.losses))
            loss = f"loss {self.losses[seen - 1]:.2f}"
            curve = Panel(scene.curve(self.losses, seen), loss, ((CURVE, f"from 0 to {self.losses.max():.3g}"),))
            panels = [gold, self._path_panel(record, off), self._weights_panel(record, "weights"), curve]
            yield scene.frame(self._headline(record), panels)
