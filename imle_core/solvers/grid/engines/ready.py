"""Choice of who solves maps on the processor: kernels that are compiled, and scipy until they are.

Kernels take longer to compile than a first picture to draw, so that scipy answers first: with the same paths, counts and
errors. Beside that a process compiles them. When scipy has solved what takes it about as long as they take, they are waited
for, or compiled here where no process does.
"""

import os
import threading
from types import ModuleType

import numpy as np

from imle_core.kernels import beside, notice
from imle_core.kernels.compiled import cache_folder, is_ready
from imle_core.solvers.grid.engines import compiled, on_scipy
from imle_core.solvers.grid.kernels import lanes, one_map, shared
from imle_core.solvers.grid.kernels.maps import Maps, make_grid, make_maps
from imle_core.solvers.grid.kernels.visit_order import plan_visits
from imle_core.solvers.grid.tuning import TUNING

SETTING = "IMLE_COMPILE"
"""Variable of the environment; where it is "first", kernels are compiled before the first answer."""

_KERNELS = (
    plan_visits,
    shared.scaled_paths,
    shared.scaled_paths_alone,
    lanes.exact_paths,
    one_map.cheapest_paths,
    shared.still_cheapest,
)
_LARGEST = 2**18  # tiles of a map; scipy takes some 200 bytes for each
_MOST_TILES = 2**25  # that scipy solves; a second for four million, where kernels take some ten to compile

_SUBJECT = "paths on maps"

Type = np.dtype[np.floating]


class Choice:
    """The engine of each call of a process."""

    def __init__(self) -> None:
        self._ready: set[Type] = set()
        self._compilations: dict[Type, beside.Compilation] = {}
        self._tiles, self._lock = 0, threading.Lock()

    def engine(self, maps: Maps, tiles: int) -> ModuleType:
        """:mod:`.compiled` or :mod:`.on_scipy`, for so many tiles of maps of such a type."""
        kind: Type = maps.theta.dtype
        if kind in self._ready or maps.theta.shape[1] > _LARGEST:
            return compiled
        with self._lock:
            if os.environ.get(SETTING) != "first" and not all(is_ready(kernel, maps) for kernel in _KERNELS):
                self._tiles += tiles
                if kind not in self._compilations:
                    self._compilations[kind] = self._begin(kind)
                if self._tiles <= _MOST_TILES:
                    return on_scipy
                if self._compilations[kind].is_running:
                    with notice.waiting(_SUBJECT):
                        self._compilations[kind].wait()
            self._ready.add(kind)
        return compiled

    def _begin(self, kind: Type) -> beside.Compilation:
        compilation = beside.Compilation(compile_kernels, kind.name, cache_folder(shared.scaled_paths))
        if compilation.is_running:
            notice.goes_on(_SUBJECT, lambda: compilation.is_running)
        return compilation


CHOICE = Choice()
"""That of this process."""


def compile_kernels(kind: str) -> None:
    """Has every kernel called that solves maps of a type."""
    moves = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right)
    grid = make_grid((3, 3), (0, 0), (2, 2), moves, 1e-4, 1e290)
    # Costs that are lost in sums with others: no labels side by side decide such maps.
    costs = np.tile(np.array([1, 1e16, 1, 1e16, 1e16, 1, 1e16, 1, 1], kind), (64, 1))
    maps, masks = make_maps(-costs, None, 0.0, 1e-4, 1e290), np.empty_like(costs)
    for count, threads in ((1, 1), (len(costs), 1), (len(costs), 2)):
        compiled.solve(maps, grid, np.arange(count), masks, threads, TUNING._replace(tiles_a_thread=1))
    compiled.kept_masks(maps, maps, grid, masks, 1, TUNING)
