"""Frames of animations: maps, paths, weights and curves as pictures of palette colours, drawn without matplotlib."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from imle_cli.figures.preview import viridis

Pixels = NDArray[np.uint8]  # numbers of palette colours
Floats = NDArray[np.floating[Any]]
Mask = NDArray[Any]

_GREYS, _HUES = 96, 64  # few hues: more would be hard to tell apart, and make files half as large again
_RAMP = np.linspace(255, 38, _GREYS)[:, None].repeat(3, axis=1)
# Okabe and Ito's colours, which colour-blind readers tell apart; the last two are paler.
_SPECIAL = ("D55E00", "56B4E9", "9AD1F2", "0072B2", "C9CED6")
PATH, WALL, MISSED, CURVE, PALE = range(_GREYS + _HUES, _GREYS + _HUES + len(_SPECIAL))
WHITE, _DARK = 0, _GREYS - 1
FREE = _GREYS + _HUES + len(_SPECIAL)


def _palette() -> Pixels:
    special = [[int(colour[start : start + 2], 16) for start in (0, 2, 4)] for colour in _SPECIAL]
    known = np.concatenate([_RAMP, viridis(np.linspace(0, 1, _HUES)), np.array(special, dtype=np.float64)])
    return np.pad(np.rint(known).astype(np.uint8), ((0, 256 - len(known)), (0, 0)))


PALETTE: Pixels = _palette()
"""Colours ``(256, 3)``: greys from white to black, viridis, path, wall, missed gold, curve, pale grey; none from FREE on."""


def ground(costs: Floats) -> Pixels:
    """Greys of costs ``(H, W)``, white the lowest; walls in their colour."""
    passable = costs[np.isfinite(costs)]
    low, high = (passable.min(), passable.max()) if passable.size else (0.0, 0.0)
    level = (np.minimum(costs, high) - low) / ((high - low) or 1.0)
    pixels: Pixels = np.rint(_DARK * level).astype(np.uint8)
    pixels[np.isinf(costs)] = WALL
    return pixels


def with_path(pixels: Pixels, mask: Mask, gold: Mask | None = None) -> Pixels:
    """The tiles of a path over a ground; those of the gold path that it misses in pale blue."""
    below = pixels if gold is None else np.where(gold > 0, MISSED, pixels)
    return np.where(mask > 0, PATH, below).astype(np.uint8)


def hues(values: Floats, low: float, high: float) -> Pixels:
    """Viridis for values from ``low`` to ``high``; infinite ones are walls."""
    level = (np.clip(np.where(np.isfinite(values), values, low), low, high) - low) / ((high - low) or 1.0)
    pixels: Pixels = (_GREYS + np.rint((_HUES - 1) * level)).astype(np.uint8)
    pixels[~np.isfinite(values)] = WALL
    return pixels


@dataclass(frozen=True)
class Scale:
    """Meaning of the colours of :func:`hues`: texts at both ends of them."""

    low: str
    high: str


@dataclass(frozen=True)
class Panel:
    """A picture within a frame.

    Attributes:
        pixels: the picture; in a scene all have the maps' shape, or that of :meth:`Scene.curve`.
        caption: text above it.
        key: what its colours mean, below it: a scale, or pairs of a colour and a text; nothing if empty.
    """

    pixels: Pixels
    caption: str = ""
    key: Scale | Sequence[tuple[int, str]] = ()


class Scene:
    """Draws frames of one layout: a headline, and one panel, two side by side, or four two by two, tiles on whole pixels.

    Args:
        shape: ``(H, W)`` of the maps; large ones are reduced, so that a path stays whole.
        size: about the pixels of a frame's longer side, 64 or more.
        panels: how many panels a frame has, 1, or 2 or 4 in two columns.
        captions: whether panels have captions.
    """

    def __init__(self, shape: tuple[int, int], size: int, panels: int = 1, *, captions: bool = False):
        self.columns = 1 if panels == 1 else 2
        self.shrink = -(-max(shape) * self.columns // size)
        pooled = [-(-side // self.shrink) for side in shape]
        times = max(1, size // self.columns // max(pooled))
        self.height, self.width = (times * side for side in pooled)
        self.times, self.letters = times, max(10, size // (32 if panels == 1 else 44))
        self.line, self.gap = round(1.7 * self.letters), max(4, size // 48)
        self.caption = self.line if captions else 0
        self.slot = max(self.width, (24 if self.columns == 1 else 14) * self.letters)
        self.room = self.height if self.columns == 1 else max(self.height, 7 * self.letters)  # a curve needs some
        self.block = self.caption + self.room + self.line + self.gap // 2
        height = self.line + self.gap // 2 + -(-panels // self.columns) * self.block
        self.size = height, self.columns * (self.slot + self.gap) + self.gap

    def frame(self, headline: str, panels: Sequence[Panel]) -> Pixels:
        """One frame, ``size``."""
        canvas = np.full(self.size, WHITE, dtype=np.uint8)
        self._write(canvas, headline, self.gap // 2, self.size[1] // 2, self.size[1] - self.gap)
        for number, panel in enumerate(panels):
            top = self.line + self.gap // 2 + (number // self.columns) * self.block
            left = self.gap + (number % self.columns) * (self.slot + self.gap)
            self._write(canvas, panel.caption, top, left + self.slot // 2, self.slot)
            picture = self._enlarged(panel.pixels)
            (height, width), below = picture.shape, top + self.caption + self.room
            top, edge = below - (self.room + height) // 2, left + (self.slot - width) // 2
            canvas[top - 1 : top + height + 1, edge - 1 : edge + width + 1] = _DARK // 2
            canvas[top : top + height, edge : edge + width] = picture
            self._draw_key(canvas, panel.key, below + 2, left + self.slot // 2)
        return canvas

    def curve(self, values: Floats, count: int) -> Pixels:
        """A curve over a panel's full width, drawn up to its first ``count`` values; its axis starts at 0."""
        height, width = self.room, self.slot
        picture = Image.fromarray(np.full((height, width), WHITE, dtype=np.uint8))
        starts = np.unique(np.arange(2 * width) * len(values) // (2 * width))  # of blocks that become a point
        means = np.add.reduceat(values, starts) / np.diff([*starts, len(values)])
        across = 3 + (width - 7) * starts / max(1, starts[-1])
        down = height - 4 - (height - 9) * means / max(float(means.max()), 1e-9)
        seen = max(1, int(np.searchsorted(starts, count)))
        points = list(zip(across[:seen].tolist(), down[:seen].tolist(), strict=True))
        thick = max(1, self.letters // 8)
        drawing = ImageDraw.Draw(picture)
        drawing.line(points, fill=CURVE, width=thick)
        x, y = points[-1]
        drawing.ellipse((x - 2 * thick, y - 2 * thick, x + 2 * thick, y + 2 * thick), fill=CURVE)
        return np.array(picture)

    def _enlarged(self, pixels: Pixels) -> Pixels:
        if pixels.shape in ((self.height, self.width), (self.room, self.slot)):
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
            bar = (_GREYS + np.arange(self.slot // 2) * _HUES // (self.slot // 2)).astype(np.uint8)
            pieces = [_text(key.low, self.letters), bar[None].repeat(side, axis=0), _text(key.high, self.letters)]
        else:
            pieces = []
            for colour, words in key:
                between = [np.full((1, space), WHITE, dtype=np.uint8)] if pieces else []
                pieces += [*between, np.full((side, side), colour, dtype=np.uint8), _text(words, self.letters)]
        left = centre - (sum(piece.shape[1] for piece in pieces) + space * (len(pieces) - 1)) // 2
        for piece in pieces:
            middle = top + (self.line - piece.shape[0]) // 2
            self._put(canvas, piece, middle, left)
            left += piece.shape[1] + space

    def _write(self, canvas: Pixels, words: str, top: int, centre: int, room: int) -> None:
        text = _text(words, self.letters)
        while text.shape[1] > room and len(words) > 2:
            words = words[: len(words) // 2 - 1] + "…" + words[len(words) // 2 + 1 :]
            text = _text(words, self.letters)
        self._put(canvas, text, top + (self.line - text.shape[0]) // 2, centre - text.shape[1] // 2)

    def _put(self, canvas: Pixels, pixels: Pixels, top: int, left: int) -> None:
        left = max(0, left)
        area = canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]]
        np.maximum(area, pixels[: area.shape[0], : area.shape[1]], out=area)


@lru_cache(maxsize=256)
def _text(words: str, letters: int) -> Pixels:
    """Dark letters on white, smooth, as greys; of the height of a line of any letters."""
    font = ImageFont.load_default(letters)
    words = words.encode("utf-8", "replace").decode()
    height = int(font.getbbox("Ápg")[3]) + 1
    picture = Image.new("L", (max(1, int(font.getbbox(words)[2])), height))
    ImageDraw.Draw(picture).text((0, 0), words, fill=255, font=font)
    return np.rint(np.asarray(picture) * (_DARK / 255)).astype(np.uint8)
