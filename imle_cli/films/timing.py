"""Frames of a film: which of them are shown, and for how long."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from imle_cli.films import encoders
from imle_cli.films.frames import PALETTE, Pixels

Film: TypeAlias = Callable[[], Iterator[Pixels]]
_LAST_SECONDS = 2.0  # by which the last frame holds longer


class Films:
    """Films of ``count`` frames each, by name, in the colours ``(256, 3)`` of a palette.

    Args:
        records: how many records there are to be shown.
        maximum: how many frames there may be.
    """

    films: dict[str, Film]
    palette = PALETTE

    def __init__(self, records: int, maximum: int) -> None:
        self.shown = evenly(records, maximum)
        self.count = len(self.shown)

    def write(
        self, file: BinaryIO, name: str, kind: str, fps: float, advance: Callable[[int], None] = lambda _: None
    ) -> None:
        """Writes the film ``name`` as an animation of a kind; ``advance`` is told how many frames are drawn."""

        def pictures() -> Iterator[Pixels]:
            for number, picture in enumerate(self.films[name](), 1):
                advance(number)
                yield picture

        encoders.write(file, kind, timed(pictures(), fps), self.palette)


def timed(pictures: Iterator[Pixels], fps: float) -> Iterator[tuple[Pixels, int]]:
    """Each picture with its duration in milliseconds; the last one holds two seconds longer."""
    began, shown = 0, next(pictures)
    for number, picture in enumerate(pictures, 1):
        ends = round(1000 * number / fps)
        yield shown, ends - began
        began, shown = ends, picture
    yield shown, round(1000 * (1 / fps + _LAST_SECONDS))


def evenly(count: int, maximum: int) -> NDArray[np.int64]:
    """At most ``maximum`` of the numbers 0 to ``count - 1``, evenly spaced: the last, and the first if there are two."""
    return np.unique(np.rint(np.linspace(count - 1, 0, min(count, maximum))).astype(np.int64))
