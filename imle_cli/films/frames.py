"""Frames of animations: maps, paths, weights and curves as pictures of palette colours, drawn without matplotlib."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from imle_cli.figures import colours
from imle_cli.figures.preview import viridis

Pixels = NDArray[np.uint8]  # numbers of palette colours
Floats = NDArray[np.floating[Any]]
Mask = NDArray[Any]

_GREYS, _HUES = 96, 64  # few hues: more would be hard to tell apart, and make files half as large again
_RAMP = np.linspace(255, 38, _GREYS)[:, None].repeat(3, axis=1)
_SPECIAL = (colours.PATH, colours.WALL, colours.MISSED, colours.CURVE, colours.PALE, colours.GOLD)
PATH, WALL, MISSED, CURVE, PALE, GOLD = range(_GREYS + _HUES, _GREYS + _HUES + len(_SPECIAL))
WHITE, DARK = 0, _GREYS - 1
FREE = _GREYS + _HUES + len(_SPECIAL)


def _palette() -> Pixels:
    special = [[int(colour[start : start + 2], 16) for start in (1, 3, 5)] for colour in _SPECIAL]
    known = np.concatenate([_RAMP, viridis(np.linspace(0, 1, _HUES)), np.array(special, dtype=np.float64)])
    return np.pad(np.rint(known).astype(np.uint8), ((0, 256 - len(known)), (0, 0)))


PALETTE: Pixels = _palette()
"""Colours ``(256, 3)``: greys from white to black, viridis, those of ``figures.colours``; none from FREE on."""


def ground(costs: Floats) -> Pixels:
    """Greys of costs ``(H, W)``, white the lowest; walls in their colour."""
    passable = costs[np.isfinite(costs)]
    low, high = (passable.min(), passable.max()) if passable.size else (0.0, 0.0)
    level = (np.minimum(costs, high) - low) / ((high - low) or 1.0)
    pixels: Pixels = np.rint(DARK * level).astype(np.uint8)
    pixels[np.isinf(costs)] = WALL
    return pixels


def with_path(pixels: Pixels, mask: Mask, gold: Mask | None = None) -> Pixels:
    """The tiles of a path over a ground; those of the gold path that it misses in pale green."""
    below = pixels if gold is None else np.where(gold > 0, MISSED, pixels)
    return np.where(mask > 0, PATH, below).astype(np.uint8)


def hues(values: Floats, low: float, high: float) -> Pixels:
    """Viridis for values from ``low`` to ``high``; infinite ones are walls."""
    level = (np.clip(np.where(np.isfinite(values), values, low), low, high) - low) / ((high - low) or 1.0)
    pixels: Pixels = (_GREYS + np.rint((_HUES - 1) * level)).astype(np.uint8)
    pixels[~np.isfinite(values)] = WALL
    return pixels


def greys(values: Floats, low: float, high: float) -> Pixels:
    """Greys for values from ``low``, white, to ``high``; infinite ones are walls."""
    level = (np.clip(np.where(np.isfinite(values), values, low), low, high) - low) / ((high - low) or 1.0)
    pixels: Pixels = np.rint(DARK * level).astype(np.uint8)
    pixels[~np.isfinite(values)] = WALL
    return pixels


@dataclass(frozen=True)
class Scale:
    """Meaning of the colours of :func:`hues` or :func:`greys`: texts at both ends of them.

    Attributes:
        low: text at the first colour.
        high: text at the last colour.
        is_grey: whether they are greys.
    """

    low: str
    high: str
    is_grey: bool = False


@dataclass(frozen=True)
class Panel:
    """A picture within a frame.

    Attributes:
        pixels: the picture; in a scene all have the maps' shape, or their size on the canvas.
        caption: text above it.
        key: what its colours mean, below it: a scale, or pairs of a colour and a text; nothing if empty.
    """

    pixels: Pixels
    caption: str = ""
    key: Scale | Sequence[tuple[int, str]] = ()


class Scene:
    """Draws frames of one layout: a headline, panels with tiles on whole pixels, and perhaps a plot below them.

    Args:
        shape: ``(H, W)`` of the maps; large ones are reduced, so that a path stays whole.
        size: about the pixels of a frame's longer side, 64 or more.
        panels: how many panels a frame has: none, 1, or 2 or 4 in two columns.
        captions: whether panels have captions.
        plot: whether there is a plot below them, as wide as all.
    """

    def __init__(self, shape: tuple[int, int], size: int, panels: int = 1, *, captions: bool = False, plot: bool = False):
        self.columns = 1 if panels < 2 else 2
        self.shrink = -(-max(shape) * self.columns // size)
        pooled = [-(-side // self.shrink) for side in shape]
        times = max(1, size // self.columns // max(pooled))
        self.height, self.width = (times * side for side in pooled)
        self.times, self.letters = times, max(10, size // (32 if panels < 2 else 38))
        self.line, self.gap = round(1.7 * self.letters), max(4, size // 48)
        self.caption = self.line if captions else 0
        self.slot = max(self.width, (24 if self.columns == 1 else 14) * self.letters)
        self.block = self.caption + self.height + self.line + self.gap // 2
        self.below = self.line + self.gap // 2 + -(-panels // self.columns) * self.block
        width = self.columns * (self.slot + self.gap) + self.gap
        self.plot = (max(9 * self.letters, size // 4), width - 2 * self.gap) if plot else (0, 0)
        self.size = self.below + self.plot[0] + (self.gap if plot else 0), width

    def frame(self, headline: str, panels: Sequence[Panel], plot: Pixels | None = None) -> Pixels:
        """One frame, ``size``, with a plot of the size ``plot``."""
        canvas = np.full(self.size, WHITE, dtype=np.uint8)
        self._write(canvas, headline, self.gap // 2, self.size[1] // 2, self.size[1] - self.gap)
        for number, panel in enumerate(panels):
            top = self.line + self.gap // 2 + (number // self.columns) * self.block
            left = self.gap + (number % self.columns) * (self.slot + self.gap)
            self._write(canvas, panel.caption, top, left + self.slot // 2, self.slot)
            picture = self._enlarged(panel.pixels)
            (height, width), below = picture.shape, top + self.caption + self.height
            top, edge = below - (self.height + height) // 2, left + (self.slot - width) // 2
            canvas[top - 1 : top + height + 1, edge - 1 : edge + width + 1] = DARK // 2
            canvas[top : top + height, edge : edge + width] = picture
            self._draw_key(canvas, panel.key, below + 2, left + self.slot // 2)
        if plot is not None:
            canvas[self.below : self.below + self.plot[0], self.gap : self.gap + self.plot[1]] = plot
        return canvas

    def _enlarged(self, pixels: Pixels) -> Pixels:
        if pixels.shape == (self.height, self.width):
            return pixels
        if self.shrink > 1:
            rows, columns = (np.arange(0, side, self.shrink) for side in pixels.shape)
            # Of each block its highest colour: paths stay whole, dark and bright tiles stay visible.
            pixels = np.maximum.reduceat(np.maximum.reduceat(pixels, rows, axis=0), columns, axis=1)
        return pixels.repeat(self.times, axis=0).repeat(self.times, axis=1)

    def _draw_key(self, canvas: Pixels, key: Scale | Sequence[tuple[int, str]], top: int, centre: int) -> None:
        """A scale with its ends left and right of it, or coloured squares with texts, in one line."""
        side, space = max(4, 2 * self.letters // 3), self.letters // 2
        if isinstance(key, Scale):
            width = 2 * self.slot // 5
            first, count = (WHITE, _GREYS) if key.is_grey else (_GREYS, _HUES)
            bar = (first + np.arange(width) * count // width).astype(np.uint8)
            framed = np.pad(bar[None].repeat(side - 2, axis=0), 1, constant_values=DARK // 2)
            pieces = [text_pixels(key.low, self.letters), framed, text_pixels(key.high, self.letters)]
        else:
            pieces = []
            for colour, words in key:
                between = [np.full((1, space), WHITE, dtype=np.uint8)] if pieces else []
                pieces += [*between, np.full((side, side), colour, dtype=np.uint8), text_pixels(words, self.letters)]
        left = centre - (sum(piece.shape[1] for piece in pieces) + space * (len(pieces) - 1)) // 2
        for piece in pieces:
            middle = top + (self.line - piece.shape[0]) // 2
            self._put(canvas, piece, middle, left)
            left += piece.shape[1] + space

    def _write(self, canvas: Pixels, words: str, top: int, centre: int, room: int) -> None:
        text = text_pixels(words, self.letters)
        while text.shape[1] > room and len(words) > 2:
            words = words[: len(words) // 2 - 1] + "…" + words[len(words) // 2 + 1 :]
            text = text_pixels(words, self.letters)
        self._put(canvas, text, top + (self.line - text.shape[0]) // 2, centre - text.shape[1] // 2)

    def _put(self, canvas: Pixels, pixels: Pixels, top: int, left: int) -> None:
        left = max(0, left)
        area = canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]]
        np.maximum(area, pixels[: area.shape[0], : area.shape[1]], out=area)


@lru_cache(maxsize=256)
def text_pixels(words: str, letters: int) -> Pixels:
    """Dark letters on white, smooth, as greys; of the height of a line of any letters."""
    font = ImageFont.load_default(letters)
    words = words.encode("utf-8", "replace").decode().replace(" ", "  ")  # the font's gaps are narrow
    height = int(font.getbbox("Ápg")[3]) + 1
    picture = Image.new("L", (max(1, int(font.getbbox(words)[2])), height))
    ImageDraw.Draw(picture).text((0, 0), words, fill=255, font=font)
    return np.rint(np.asarray(picture) * (DARK / 255)).astype(np.uint8)
