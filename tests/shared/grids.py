"""Grid paths by kernels that otherwise are asked for larger batches alone, and by networkx: ``from grids import Shared``."""

import numpy as np
import torch

from imle_core.solvers import GridPath
from imle_core.solvers.grid.engines import compiled
from imle_core.solvers.grid.engines.on_networkx import cheapest_path
from imle_core.solvers.grid.tuning import TUNING

FOUR = ((-1, 0), (0, -1), (0, 1), (1, 0))
EIGHT = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
SIX = TUNING._replace(small_tiles=96**2, fewest_small=6)
SHARED = TUNING._replace(tiles_a_thread=50, tiles_a_thread_one_by_one=50)


class SideBySide(GridPath):
    """Six maps of up to 96x96 are enough to be solved side by side."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, tuning=SIX, **options)


class Shared(GridPath):
    """Small batches are enough to be shared among threads."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, tuning=SHARED, **options)


def reference(costs, start, goal, moves):
    """Masks and whether there is a path, map by map, by networkx."""
    paths = [cheapest_path(map_costs.numpy(), start, goal, moves) for map_costs in costs]
    masks = torch.zeros(costs.shape, dtype=torch.uint8)
    for mask, path in zip(masks, paths, strict=True):
        if path is not None:
            mask[tuple(np.transpose(path))] = 1
    return masks, torch.tensor([path is not None for path in paths], dtype=torch.bool)


def kernel_calls(monkeypatch):
    """Kernels that are called from now on, in order, with the number of maps that each gets."""
    calls = []
    for module, name in (
        (compiled.shared, "scaled_paths"),
        (compiled.shared, "scaled_paths_alone"),
        (compiled.lanes, "exact_paths"),
        (compiled.one_map, "cheapest_paths"),
    ):
        kernel = getattr(module, name)

        def counted(maps, grid, which, *arguments, kernel=kernel, name=name):
            calls.append((name.removesuffix("_alone"), len(which)))
            return kernel(maps, grid, which, *arguments)

        monkeypatch.setattr(module, name, counted)
    return calls
