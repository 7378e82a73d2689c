"""Cheapest paths on grids by a Triton kernel, one program a map, with the result of :mod:`.on_torch` to the bit."""

import torch
from torch import Tensor

from imle_core.solvers.grid.engines import on_torch
from imle_core.solvers.grid.engines.on_torch import Tile
from imle_core.solvers.grid.kernels import triton_path
from imle_core.solvers.grid.tuning import TUNING, Tuning

try:
    import triton
except ImportError:
    triton = None

_SHORTEST_SIDE = 16  # tl.gather needs rows for all warps while it moves columns of a block, and columns while it moves rows
_CUT_OFF, _PLATEAU = 0, 2  # outcomes; 1 is a path


def available(device: torch.device) -> bool:
    """True where ``cheapest_paths`` runs on a device: Triton is there, and the device is CUDA or its interpreter is on."""
    if triton is None or not hasattr(triton.language, "gather"):
        return False
    return device.type == "cuda" or not isinstance(triton_path.cheapest_path, triton.JITFunction)


def cheapest_paths(
    costs: Tensor, start: Tile, goal: Tile, moves: tuple[Tile, ...], tuning: Tuning = TUNING
) -> tuple[Tensor, Tensor]:
    """Masks of the cheapest paths, and for which maps there is a path at all.

    The kernel solves maps of up to 64x64, or as many tiles once both sides are rounded up to powers of two. Larger ones go
    to :mod:`.on_torch`: they do not fit into the registers of one program, while each of torch's launches has enough to do.
    So do those maps whose walk meets a plateau, where a cost was lost in a label by rounding: hardly any does, and the way
    off needs a relaxation of its own. Arguments and results are those of :func:`.on_torch.cheapest_paths`.
    """
    count, height, width = costs.shape
    rows, columns = (max(_SHORTEST_SIDE, triton.next_power_of_2(side)) for side in (height, width))
    if rows * columns > tuning.block_tiles or count == 0:
        return on_torch.cheapest_paths(costs, start, goal, moves, tuning)
    costs = costs.detach().contiguous()
    masks = torch.empty(costs.shape, dtype=torch.uint8, device=costs.device)
    outcomes = torch.empty(count, dtype=torch.int32, device=costs.device)
    first, last = start[0] * columns + start[1], goal[0] * columns + goal[1]
    with torch.cuda.device_of(costs):  # Triton launches on the current device, whatever its arguments are on
        launch = triton_path.cheapest_path[(count,)]
        sizes = {"rows": rows, "columns": columns, "diagonal": len(moves) == 8}
        options = {"num_warps": rows * columns // tuning.tiles_a_warp, "enable_fp_fusion": False}
        launch(costs, masks, outcomes, height, width, first, last, **sizes, **options)
    on_plateau = (outcomes == _PLATEAU).nonzero().flatten()
    if len(on_plateau):
        masks[on_plateau] = on_torch.cheapest_paths(costs[on_plateau], start, goal, moves, tuning)[0]
    return masks, outcomes != _CUT_OFF
