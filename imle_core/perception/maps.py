"""Images with costs and gold paths: a data set, and how well predicted costs plan.

A network sees an image of a map and predicts what each tile costs; a solver plans on these costs. What counts is what the
planned path costs in truth.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.utils.data import Dataset

from imle_core.checks import ArgumentError, ArgumentTypeError, Record, wrong_shape
from imle_core.solvers import GridPath

TILE = 8
"""Pixels along a side of a tile."""

TOLERANCE = 1e-5
"""Relative excess of a cost over the smallest one that still counts as equal: costs are sums of rounded numbers."""

TILES_AT_A_TIME = 2**14

Item = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True, eq=False, repr=False)
class ImageMaps(Record, Dataset[Item]):
    """Maps as images, with what their tiles cost and the cheapest path from the top left tile to the bottom right one.

    Item i is an image ``(8H, 8W, 3)`` uint8, its path ``(H, W)`` and its costs ``(H, W)``, both float32. The solver for
    these paths is :class:`imle_core.solvers.GridPath` as it is by default: 8 neighbours, the start's cost included.

    Attributes:
        images: ``(N, 8H, 8W, 3)`` uint8, channels last.
        costs: ``(N, H, W)`` float32, > 0.
        paths: ``(N, H, W)`` float32, of ones and zeros; gold paths.

    Raises:
        ArgumentError: arrays that do not fit each other, or costs that are not positive and finite.
        ArgumentTypeError: arrays of another type.
    """

    images: Tensor
    costs: Tensor
    paths: Tensor

    def __post_init__(self) -> None:
        for name, kind in (("images", torch.uint8), ("costs", torch.float32), ("paths", torch.float32)):
            if getattr(self, name).dtype != kind:
                raise ArgumentTypeError(name, str(getattr(self, name).dtype), f"it must be {kind}", "convert it")
        count, height, width = self.costs.shape if self.costs.dim() == 3 else (0, 0, 0)
        if 0 in (count, height, width):
            raise wrong_shape(
                "costs", self.costs, "it must be (N, H, W), none of them 0", "use costs.unsqueeze(0) for one map"
            )
        for name, shape in (("images", (count, TILE * height, TILE * width, 3)), ("paths", (count, height, width))):
            if getattr(self, name).shape != shape:
                got = tuple(getattr(self, name).shape)
                raise ArgumentError(
                    name, f"shape {got}", f"with costs {tuple(self.costs.shape)} it must be {shape}", "give one for each map"
                )
        if not bool(((self.costs > 0) & self.costs.isfinite()).all()):
            raise ArgumentError("costs", "some that are not positive and finite", "a path needs costs > 0", "correct them")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Item:
        return self.images[index], self.paths[index], self.costs[index]

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of tiles."""
        return self.costs.shape[1], self.costs.shape[2]

    @cached_property
    def solutions(self) -> Tensor:
        """A cheapest path of each map by its costs, ``(N, H, W)``."""
        return cheapest_paths(self.costs)

    @cached_property
    def optimum(self) -> Tensor:
        """Cost of a cheapest path of each map, ``(N,)`` float64."""
        return path_costs(self.solutions, self.costs)

    @cached_property
    def unique(self) -> Tensor:
        """Maps of which no other path costs as little, ``(N,)`` bool."""
        return have_single_optimum(self.costs, self.solutions)

    def is_optimal(self, paths: Tensor) -> Tensor:
        """Paths of ``(N, H, W)`` that cost no more than the cheapest ones, ``(N,)`` bool."""
        return path_costs(paths, self.costs) <= self.optimum * (1 + TOLERANCE)

    def part(self, rows: slice) -> "ImageMaps":
        """The maps of a slice."""
        return ImageMaps(self.images[rows], self.costs[rows], self.paths[rows])


def path_costs(paths: Tensor, costs: Tensor) -> Tensor:
    """``<z, c>`` of each path, ``(N,)`` float64, for paths and costs ``(N, H, W)``."""
    return (paths.double() * costs.double()).flatten(1).sum(dim=1)


def cheapest_paths(costs: Tensor) -> Tensor:
    """A cheapest path by costs ``(N, H, W)`` of any scale, ``(N, H, W)`` of ones and zeros in the type of the costs.

    Powers of 2, which round nothing, take the costs above the floor of :class:`imle_core.solvers.GridPath`.
    """
    scale = torch.frexp(costs.double().mean(dim=(1, 2), keepdim=True)).exponent
    return GridPath()(-torch.ldexp(costs.double(), -scale)).to(costs)


def have_single_optimum(costs: Tensor, paths: Tensor) -> Tensor:
    """Maps of which no other path costs as little as the cheapest ones ``paths``, ``(N,)`` bool, by costs ``(N, H, W)``.

    Raising all costs on a cheapest path by ``d`` raises its cost by ``d`` times its length, and that of any other path by
    less, since no path is part of another. So the solver leaves it if and only if another path's cost was above its own by
    less than that; d is chosen so that this is within the tolerance.
    """
    rise = TOLERANCE * path_costs(paths, costs) / paths.sum(dim=(1, 2), dtype=torch.float64)
    return (cheapest_paths(costs + rise[:, None, None] * paths) == paths).flatten(1).all(dim=1)
