"""Films of samples of a map."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imle_cli.films.frames import PATH, Panel, Pixels, Scale, Scene, ground, hues, with_path
from imle_cli.films.timing import Films


class MapFilms(Films):
    """Films of samples of a map, by name; the two go in step.

    Args:
        costs: the map, ``(H, W)``.
        samples: makes an iterator of samples, ``(H, W)`` each.
        count: how many samples there are.
        law: what to call noise and temperature.
        size: pixels of a frame's longer side.
        maximum: how many frames there may be.
    """

    def __init__(
        self,
        costs: NDArray[np.float64],
        samples: Callable[[], Iterator[NDArray[Any]]],
        count: int,
        law: str,
        size: int,
        maximum: int,
    ):
        self.costs, self.samples, self.law = costs, samples, law
        super().__init__(count, maximum)
        self.scene = Scene(costs.shape, size)
        self.films = {"paths": self._paths, "distribution": self._distribution}

    def _shown(self) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
        """Number of a sample that is shown, the sample, and the mean of all up to it."""
        total, shown = np.zeros(self.costs.shape), set(self.shown.tolist())
        for number, sample in enumerate(self.samples()):
            total += sample
            if number in shown:
                yield number + 1, sample, total / (number + 1)

    def _paths(self) -> Iterator[Pixels]:
        below, key = ground(self.costs), ((PATH, "sample"),)
        for number, sample, _ in self._shown():
            yield self.scene.frame(f"sample {number}  ·  {self.law}", [Panel(with_path(below, sample), "", key)])

    def _distribution(self) -> Iterator[Pixels]:
        for count, _, mean in self._shown():
            probability = np.where(np.isinf(self.costs), np.inf, mean)
            panel = Panel(hues(probability, 0.0, 1.0), "", Scale("probability 0", "1"))
            yield self.scene.frame(f"{count} sample{'s' if count > 1 else ''}  ·  {self.law}", [panel])
