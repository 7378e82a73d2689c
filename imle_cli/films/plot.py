"""A curve that grows from frame to frame, with axes, ticks and numbers, drawn without matplotlib."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from imle_cli.films.frames import CURVE, DARK, PALE, WHITE, Floats, Pixels, text_pixels


class Plot:
    """Values against steps.

    Frames of a film are evenly spaced along the axis of steps: where they are dense, so is the axis.

    Args:
        values: ``(N,)``.
        steps: their steps, rising.
        frames: those of the steps that have a frame.
        size: pixels, height and width.
        letters: pixels of a line of text.
        name: of the values.
    """

    def __init__(
        self,
        values: Floats,
        steps: Sequence[int],
        frames: Sequence[int],
        size: tuple[int, int],
        letters: int,
        name: str = "loss",
    ) -> None:
        self.values, self.letters, self.name = np.asarray(values, dtype=np.float64), letters, name
        self.steps = np.asarray(steps)
        self.frames = np.asarray(frames, dtype=np.float64)
        finite = self.values[np.isfinite(self.values)]
        low, high = float(finite.min(initial=0.0)), float(finite.max(initial=0.0))
        self.ticks = ticks(low, high)
        self.low, self.high = min(low, self.ticks[0]), max(high, self.ticks[-1]) or 1.0
        self.labels = [text_pixels(f"{tick:g}", letters) for tick in self.ticks]
        line = self.labels[0].shape[0]
        self.height, self.width = size
        self.left = max(label.shape[1] for label in self.labels) + letters // 2 + 2
        self.right = self.width - letters
        self.top, self.bottom = line + letters // 2, self.height - line - letters // 2 - 2
        self.axes = self._axes()
        self.points = self._points()

    def draw(self, step: int) -> Pixels:
        """The plot with the curve up to a step, and its value there."""
        canvas = self.axes.copy()
        value = self.values[max(0, int(np.searchsorted(self.steps, step, side="right")) - 1)]
        self._put(canvas, text_pixels(f"{self.name} {value:.2f}", self.letters), 0, self.left)
        picture = Image.fromarray(canvas)
        drawing = ImageDraw.Draw(picture)
        across, down = self.points
        seen = max(1, int(np.searchsorted(across, self._across(step), side="right")))
        line = list(zip(across[:seen].tolist(), down[:seen].tolist(), strict=True))
        thick = max(2, self.letters // 7)
        drawing.line(line, fill=CURVE, width=thick)
        x, y = line[-1]
        drawing.ellipse((x - 2 * thick, y - 2 * thick, x + 2 * thick, y + 2 * thick), fill=CURVE)
        return np.array(picture)

    def _across(self, step: float) -> float:
        if len(self.frames) == 1:
            return float(self.left)
        position = np.interp(step, self.frames, np.arange(len(self.frames))) / (len(self.frames) - 1)
        return float(self.left + position * (self.right - self.left))

    def _down(self, values: Floats) -> Floats:
        share = (np.clip(np.nan_to_num(values, nan=self.low), self.low, self.high) - self.low) / (self.high - self.low)
        return np.asarray(self.bottom - share * (self.bottom - self.top))

    def _points(self) -> tuple[Floats, Floats]:
        """Points of the curve: of steps that share a pixel their mean."""
        across = np.array([self._across(step) for step in self.steps.tolist()])
        starts = np.flatnonzero(np.diff(np.rint(across), prepend=-1.0) > 0)
        means = np.add.reduceat(np.nan_to_num(self.values), starts) / np.diff([*starts, len(across)])
        return across[starts], self._down(means)

    def _axes(self) -> Pixels:
        """Lines of the axes with their numbers."""
        picture = Image.fromarray(np.full((self.height, self.width), WHITE, dtype=np.uint8))
        drawing = ImageDraw.Draw(picture)
        for y in self._down(np.array(self.ticks)).tolist():
            drawing.line((self.left, y, self.right, y), fill=PALE)
        drawing.line((self.left, self.top, self.left, self.bottom, self.right, self.bottom), fill=DARK)
        marks = self._marks()
        for x, _ in marks:
            drawing.line((x, self.bottom, x, self.bottom + self.letters // 4), fill=DARK)
        canvas = np.array(picture)
        for y, label in zip(self._down(np.array(self.ticks)).tolist(), self.labels, strict=True):
            self._put(canvas, label, round(y) - label.shape[0] // 2, self.left - label.shape[1] - self.letters // 3)
        for x, label in marks:
            left = min(max(0, round(x) - label.shape[1] // 2), self.width - label.shape[1])
            self._put(canvas, label, self.height - label.shape[0], left)
        return canvas

    def _marks(self) -> list[tuple[float, Pixels]]:
        """Ticks of the axis of steps that do not touch, the first one with the axis's name."""
        last = int(self.frames[-1])
        tens = [10**power for power in range(len(str(last)))]
        chosen: list[tuple[float, Pixels]] = []
        for step in [0, last, *reversed(tens), *(5 * ten for ten in reversed(tens)), *(2 * ten for ten in reversed(tens))]:
            label = text_pixels(f"step {step}" if step == 0 else f"{step}", self.letters)
            x = self._across(step)
            clear = all(abs(x - at) > (label.shape[1] + near.shape[1]) / 2 + self.letters for at, near in chosen)
            if self.frames[0] <= step <= last and clear:
                chosen.append((x, label))
        return chosen

    @staticmethod
    def _put(canvas: Pixels, pixels: Pixels, top: int, left: int) -> None:
        top, left = max(0, top), max(0, left)
        area = canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]]
        np.maximum(area, pixels[: area.shape[0], : area.shape[1]], out=area)


def ticks(low: float, high: float) -> list[float]:
    """Two to five round numbers, 0 among them, that span the values from ``low`` to ``high`` but for their ends."""
    low, high = min(0.0, low), max(0.0, high)
    high = high if high > low else 1.0
    rough = (high - low) / 4
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(float(factor * power) for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [float(f"{number * step:.6g}") for number in range(first, max(last, first + 1) + 1)]
