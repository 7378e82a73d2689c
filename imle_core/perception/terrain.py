"""Terrain maps made up at random: images whose tiles have costs that no pixel gives away, nor their mean for certain."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.lib.stride_tricks import as_strided, sliding_window_view
from numpy.typing import NDArray

from imle_core.checks import ArgumentError
from imle_core.concurrency import in_threads
from imle_core.perception.maps import TILE, ImageMaps, cheapest_paths, have_single_optimum

COSTS = (0.8, 1.2, 5.3, 7.7, 9.2)
"""Cost of a tile of each class."""

JITTER = 0.05
"""Largest change of a tile's cost where optima are to be unique, as a part of its class's."""

# The first and the third differ by no more than light and tint vary within each: a mean colour is wrong on 2% of tiles.
_COLOURS = np.array([[104, 152, 78], [160, 150, 104], [82, 128, 70], [134, 124, 104], [74, 112, 150]], dtype=np.float32)
_CUTS = (-0.35, 0.15, 0.45, 0.75)  # between classes, in standard deviations of the noise that they cut
_DEVIATION = 0.85  # standard deviation of the noise that is cut into classes
_LIGHT, _TILE_LIGHT, _TINT, _TEXTURE, _SHOWN_JITTER = 10.0, 7.0, 5.0, 30.8, 12.0  # levels out of 255
_BLUR, _HARD_BLUR = 1.5, 3.0  # pixels
_BLOCK_PIXELS = 2**18  # maps drawn together have so many at most, which stay in a processor's cache
_MARGIN = 2  # pixels beyond each edge that smoothed grain needs

Floats = NDArray[np.float32]
Classes = NDArray[np.int64]


def terrain_maps(
    count: int,
    size: int,
    *,
    seed: int | tuple[int, ...],
    hard: bool = False,
    unique: bool = False,
    advance: Callable[[int], None] | None = None,
) -> ImageMaps:
    """Smooth noise of three octaves cut into 5 classes with costs 0.8, 1.2, 5.3, 7.7 and 9.2, each drawn in its own way.

    A tile is 8x8 pixels. ``pixel = blur(class colour + light + tint) + sum over classes of blur(class) * its texture``:
    grain, upright stripes, bumps, slanted stripes and level stripes. Light varies over a map and from tile to tile, tint
    from tile to tile, so that a look-up of a tile's mean colour errs on one in fifty, which spoils a third of 12x12 maps;
    a network that sees patterns does better.

    Every random number comes from a generator seeded by ``seed`` and the index of a block of maps: the first maps are the
    same whatever ``count`` and the number of threads.

    Args:
        count: N, how many maps, >= 1.
        size: K, tiles along a side, >= 2.
        seed: a number from 0 to 2^63 - 1, or several, a seed and the index of a part of the data for instance.
        hard: blur by a Gaussian of 3 pixels, not 1.5, so that tiles run into their neighbours.
        unique: multiply each cost by 1 + U(-0.05, 0.05), again and again until the map's optimum is unique; a tile's
            brightness shows it, by 12 levels at the most, brighter where it costs more.
        advance: called with the number of maps drawn so far.

    Returns:
        Images ``(N, 8K, 8K, 3)``, costs ``(N, K, K)``, and a cheapest path of each map.

    Raises:
        ArgumentError: a number out of range.
    """
    _check("count", count, 1, "ask for one map or more")
    _check("size", size, 2, "the usual size is 12")
    seeds = seed if isinstance(seed, tuple) else (seed,)
    for number in seeds:
        _check("seed", number, 0, "the usual seed is 0")
    terrain = _Terrain(seeds, size, _blur_weights(_HARD_BLUR if hard else _BLUR), unique)
    blocks = [slice(first, min(first + terrain.block, count)) for first in range(0, count, terrain.block)]
    classes, jitter = np.empty((count, size, size), dtype=np.int64), np.empty((count, size, size), dtype=np.float32)
    images = np.empty((count, TILE * size, TILE * size, 3), dtype=np.uint8)
    threads = min(torch.get_num_threads(), len(blocks))
    for begin in range(0, len(blocks), threads):
        several = blocks[begin : begin + threads]
        for index, rows in enumerate(several, start=begin):
            classes[rows], jitter[rows] = (drawn[: rows.stop - rows.start] for drawn in terrain.tiles(index))

        def draw(first: int, last: int, begin: int = begin) -> None:
            for index in range(begin + first, begin + last):
                rows = blocks[index]
                terrain.draw(index, classes[rows], jitter[rows], images[rows])

        in_threads(draw, len(several), len(several))
        if advance is not None:
            advance(several[-1].stop)
    costs = _costs(classes, jitter)
    return ImageMaps(torch.from_numpy(images), costs, cheapest_paths(costs))


@dataclass(frozen=True)
class _Terrain:
    """The making of maps, block by block.

    Attributes:
        seeds: numbers that decide everything.
        size: K, tiles along a side.
        weights: ``(8, 3)`` what a pixel takes from the tile before its own, its own, and the one after.
        unique: whether costs are jittered.
    """

    seeds: tuple[int, ...]
    size: int
    weights: Floats
    unique: bool

    @property
    def block(self) -> int:
        """Maps in a block."""
        return max(1, _BLOCK_PIXELS // (TILE * self.size) ** 2)

    def tiles(self, index: int) -> tuple[Classes, Floats]:
        """Classes and relative changes of their costs, ``(block, K, K)`` each."""
        generator = self._generator(index, 0)
        classes = np.digitize(_octaves(generator, self.block, self.size) / _DEVIATION, _CUTS).astype(np.int64)
        jitter = np.zeros(classes.shape, dtype=np.float32)
        left = np.arange(self.block if self.unique else 0)
        while len(left):
            jitter[left] = generator.uniform(-JITTER, JITTER, (len(left), self.size, self.size))
            costs = _costs(classes[left], jitter[left])
            left = left[~have_single_optimum(costs, cheapest_paths(costs)).numpy()]
        return classes, jitter

    def draw(self, index: int, classes: Classes, jitter: Floats, images: NDArray[np.uint8]) -> None:
        """Draws the first maps of a block, ``(n, K, K)`` tiles, into ``images``, ``(n, 8K, 8K, 3)``."""
        generator, count, pixels = self._generator(index, 1), len(classes), TILE * self.size
        light = _LIGHT * _octaves(generator, self.block, self.size)
        light += _TILE_LIGHT * generator.standard_normal(light.shape, dtype=np.float32)
        tint = _TINT * generator.standard_normal((self.block, 3, self.size, self.size), dtype=np.float32)
        phases = 2 * np.pi * generator.random((self.block, 3), dtype=np.float32)[:count]
        side = pixels + 2 * _MARGIN
        grain = generator.standard_normal((self.block, side, side), dtype=np.float32)[:count]
        brightness = light[:count] + (_SHOWN_JITTER / JITTER) * jitter
        planes = np.moveaxis(_COLOURS[classes], -1, 1) + brightness[:, None] + tint[:count]
        texture = self._grain(classes, grain)
        texture += self._stripes(classes, phases)
        texture *= _TEXTURE
        for channel in range(3):
            level = self._blurred(planes[:, channel])
            level += texture
            np.rint(level, out=level)
            images[..., channel] = np.clip(level, 0, 255, out=level)

    def _generator(self, index: int, stream: int) -> np.random.Generator:
        words = [word for number in self.seeds for word in divmod(number, 2**32)]
        return np.random.default_rng(np.random.SeedSequence(words, spawn_key=(index, stream)))

    def _grain(self, classes: Classes, grain: Floats) -> Floats:
        """Grain on the first class and, smoothed, on the third, from white noise ``(n, 8K + 4, 8K + 4)``."""
        inner = slice(_MARGIN, -_MARGIN)
        texture = self._blurred((classes == 0).astype(np.float32))
        texture *= grain[:, inner, inner]
        texture *= 0.2
        smooth = self._blurred((classes == 2).astype(np.float32))
        smooth *= _smoothed(grain)
        smooth *= 0.3
        texture += smooth
        return texture

    def _stripes(self, classes: Classes, phases: Floats) -> Floats:
        """Textures that are products of a wave down and a wave across, or sums of two of them, ``(n, 8K, 8K)``."""
        position = np.arange(TILE * self.size, dtype=np.float32)
        first, second, third = (phases[:, number, None] for number in range(3))
        flat = np.ones((len(classes), len(position)), dtype=np.float32)
        terms = [
            (1, flat, 0.9 * np.sin(1.6 * position + first)),
            (2, np.cos(1.25 * position + second), np.cos(1.25 * position + third)),
            (3, np.sin(1.1 * position + second), np.cos(1.1 * position) * flat),
            (3, np.cos(1.1 * position + second), np.sin(1.1 * position) * flat),
            (4, 0.8 * np.sin(1.6 * position + third), flat),
        ]
        kinds, down, across = zip(*terms, strict=True)
        masks = (classes[:, :, None] == np.array(kinds)[:, None]).astype(np.float32)
        lines = self._widened(masks) * np.stack(across, axis=1)[:, None]
        count, size = classes.shape[:2]
        # One product for all terms: (8, 3 * 5) weights of a row of tiles by the (3 * 5, 8K) lines that it depends on.
        waves = np.stack(down, axis=-1).reshape(count, size, TILE, 1, len(terms))
        weights = (self.weights[:, :, None] * waves).reshape(count, size, TILE, -1)
        pixels: Floats = np.matmul(weights, _neighbours(lines))
        return pixels.reshape(count, TILE * size, TILE * size)

    def _blurred(self, tiles: Floats) -> Floats:
        """Tiles ``(n, K, K)`` as pixels ``(n, 8K, 8K)``, their borders blended."""
        lines = self._widened(tiles)[:, :, None]
        pixels: Floats = np.matmul(self.weights, _neighbours(lines))
        return pixels.reshape(len(tiles), lines.shape[-1], lines.shape[-1])

    def _widened(self, tiles: Floats) -> Floats:
        """The last axis, ``K`` tiles, as ``8K`` pixels."""
        padded = np.concatenate([tiles[..., :1], tiles, tiles[..., -1:]], axis=-1)
        wide: Floats = np.matmul(sliding_window_view(padded, 3, axis=-1), self.weights.T)
        return wide.reshape(*tiles.shape[:-1], TILE * self.size)


def _check(name: str, value: int, least: int, remedy: str) -> None:
    if not least <= value < 2**63:
        raise ArgumentError(name, str(value), f"it must be a whole number from {least} to 2^63 - 1", remedy)


def _costs(classes: Classes, jitter: Floats) -> torch.Tensor:
    return torch.from_numpy(np.array(COSTS, dtype=np.float32)[classes] * (1 + jitter))


def _blur_weights(blur: float) -> Floats:
    """``(8, 3)``: how much of a Gaussian around each pixel of a tile falls on the tile before it, itself, the one after."""
    distance = np.arange(3 * TILE) - (TILE + np.arange(TILE))[:, None]
    gauss = np.exp(-(distance**2) / (2 * blur**2)).reshape(TILE, 3, TILE).sum(axis=2)
    return np.asarray(gauss / gauss.sum(axis=1, keepdims=True), dtype=np.float32)


def _neighbours(lines: Floats) -> Floats:
    """Lines of each row of tiles and its two neighbours, ``(n, K, 3T, P)``, of lines ``(n, K, T, P)``, T for each row.

    They are a view of one copy, laid out so that a matrix product can take it as it is.
    """
    count, size, terms, pixels = lines.shape
    padded = np.concatenate([lines[:, :1], lines, lines[:, -1:]], axis=1)
    return as_strided(padded, (count, size, 3 * terms, pixels), padded.strides, writeable=False)


def _smoothed(noise: Floats) -> Floats:
    """White noise under the binomial filter 1 4 6 4 1, near a Gaussian of 1 pixel, scaled back to variance 1.

    Takes two pixels from each edge.
    """
    for _ in range(4):
        noise = noise[:, 1:] + noise[:, :-1]
    for _ in range(4):
        noise = noise[:, :, 1:] + noise[:, :, :-1]
    return np.asarray(noise / np.float32(70))  # the sum of the squares of 1 4 6 4 1


def _octaves(generator: np.random.Generator, count: int, size: int) -> Floats:
    """Noise ``(count, size, size)``: values on coarse grids, smoothly interpolated, the finer the weaker."""
    total = np.zeros((count, size, size), dtype=np.float32)
    for octave, cells in enumerate((3, 6, 12)):
        across = max(2, round(cells * size / 12))
        values = generator.standard_normal((count, across + 3, across + 3), dtype=np.float32)
        shift = generator.random((2, count, 1), dtype=np.float32)
        for axis in (1, 2):
            position = (np.arange(size, dtype=np.float32) + 0.5) * (across / size) + shift[axis - 1]
            below = position.astype(np.int64)
            share = position - below
            share = np.expand_dims(share * share * (3 - 2 * share), 3 - axis)
            lower, upper = (np.take_along_axis(values, np.expand_dims(below + step, 3 - axis), axis) for step in (0, 1))
            values = lower + share * (upper - lower)
        total += values * 0.5**octave
    return total
