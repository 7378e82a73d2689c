"""Cheapest paths on a grid of tiles."""

from typing import Literal, TypeAlias, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core.locks import OwnLock
from imle_core.solvers.rows import Rows, as_rows
from imle_core.threads import in_threads

Tile: TypeAlias = tuple[int, int]
Engine = Literal["compiled", "networkx"]

_FOUR: tuple[Tile, ...] = ((-1, 0), (0, -1), (0, 1), (1, 0))
_EIGHT: tuple[Tile, ...] = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0))
_CEILING = 1e290  # sums over any map stay finite
_STEPS_A_TILE = 64  # of the search for a path's order
_TILES_A_THREAD = 2**13  # below, threads get in the way of torch's own, which spin for a while after their work


class GridPath:
    """Cheapest path between two tiles: ``argmax_z <z, theta>`` over paths, with cost ``c = clamp(-theta)`` of a tile.

    z is 1 on the tiles of the path, start and goal included, and 0 elsewhere. Paths with negative tiles are no
    shortest-path problem, so the solver's domain is costs from ``floor`` up: a finite theta is projected onto it by
    clamping, and ``clamped`` counts how often, of ``seen`` passable tiles. theta = -inf is a wall. ``domain`` holds the
    smallest and the largest theta of the domain.

    Among equally cheap paths it takes the one found by walking back from the goal, along labels that are exact in
    float64, to the smallest row-major predecessor. Both engines give the same tiles: "compiled" (numba, on as many threads
    as torch may use where the work is worth it; the result does not depend on them) and "networkx" (the reference).

    Args:
        moves: 8 neighbours, or 4.
        start: row and column of the first tile; negative ones count from the end; the top left corner if None.
        goal: row and column of the last tile, likewise; the bottom right corner if None.
        floor: smallest cost, > 0.
        engine: "compiled" or "networkx".

    Raises:
        ValueError: an argument outside its range; when called, parameters that are not ``(N, H, W)``, NaN, a start or
            goal that is outside the map, in a wall, or cut off from the other by walls.

    >>> GridPath()(torch.tensor([[[-1.0, -9.0], [-1.0, -1.0]]]))
    tensor([[[1., 0.],
             [0., 1.]]])
    """

    def __init__(
        self,
        moves: int = 8,
        start: Tile | None = None,
        goal: Tile | None = None,
        floor: float = 1e-4,
        engine: Engine = "compiled",
    ) -> None:
        if moves not in (4, 8):
            raise ValueError(f"moves: got {moves!r}; it must be 4 or 8; use 8 for diagonal steps")
        if not 0 < floor < _CEILING:
            raise ValueError(f"floor: got {floor!r}; it must be > 0 and finite; the usual value is 1e-4")
        if engine not in get_args(Engine):
            raise ValueError(f"engine: got {engine!r}; it must be 'compiled' or 'networkx'")
        self.moves, self.start, self.goal, self.floor, self.engine = moves, start, goal, floor, engine
        self.domain = (-np.inf, -floor)
        self.clamped = self.seen = 0
        self._counting = OwnLock()

    def __repr__(self) -> str:
        return f"GridPath(moves={self.moves}, start={self.start}, goal={self.goal}, engine={self.engine!r})"

    def __call__(self, theta: Tensor) -> Tensor:
        """Masks of the cheapest paths, ``(N, H, W)``, in theta's type and on its device."""
        if theta.dim() != 3 or 0 in theta.shape[1:]:
            raise ValueError(
                f"theta: got shape {tuple(theta.shape)}; a grid path needs (N, H, W); use theta.unsqueeze(0) for one map"
            )
        rows = as_rows(theta)
        if np.isnan(rows).any():
            raise ValueError(f"theta: got {int(np.isnan(rows).sum())} NaN; a grid path needs numbers; use -inf for a wall")
        start, goal = self.ends(*rows.shape[1:])
        self._check_ends(rows, start, goal)
        solve = self._solve_compiled if self.engine == "compiled" else self._solve_networkx
        masks = np.zeros_like(rows)
        clamped, cut_off = solve(rows, masks, start, goal)
        if cut_off >= 0:
            raise ValueError(
                f"goal: tile {goal} is cut off from start {start} by walls{_where(cut_off, rows)}; "
                "open a way or move one of them"
            )
        with self._counting:
            self.clamped += clamped
            self.seen += int(np.count_nonzero(rows != -np.inf))
        return torch.from_numpy(masks).to(theta)

    def ends(self, height: int, width: int) -> tuple[Tile, Tile]:
        """Start and goal on a map of this size.

        Raises:
            ValueError: one of them is outside the map.
        """
        start = _inside("start", self.start or (0, 0), height, width)
        return start, _inside("goal", (-1, -1) if self.goal is None else self.goal, height, width)

    def path_tiles(self, mask: NDArray[np.generic]) -> NDArray[np.int64]:
        """Tiles ``(L, 2)`` of a solution ``(H, W)``, as row and column, in an order that leads from start to goal.

        A cheapest path never touches itself, so its order can be read off its mask: of two neighbours on it one follows
        the other. Only where a cost is lost in a sum by rounding may it touch itself; then any order that visits each tile
        once is as good, and the search prefers tiles with the fewest ways on.

        Raises:
            ValueError: the mask is no such path, or finding an order takes too long.
        """
        start, goal = self.ends(*mask.shape)
        left = {(int(row), int(column)) for row, column in np.argwhere(mask)} - {start}
        path, choices = [start], [self._followers(start, left, goal)]
        for _ in range(_STEPS_A_TILE * (len(left) + 1) if mask[start] else 0):
            if path[-1] == goal and not left:
                return np.array(path)
            if path[-1] != goal and choices[-1]:
                path.append(choices[-1].pop())
                left.remove(path[-1])
                choices.append(self._followers(path[-1], left, goal))
            elif len(path) > 1:
                left.add(path.pop())
                choices.pop()
        raise ValueError(f"mask: it is no cheapest path from {start} to {goal} with {self.moves} moves")

    def _followers(self, tile: Tile, left: set[Tile], goal: Tile) -> list[Tile]:
        """Neighbours of ``tile`` among ``left``: the goal, then those with ever fewer ways on."""

        def around(place: Tile) -> list[Tile]:
            return [other for down, right in self._steps if (other := (place[0] + down, place[1] + right)) in left]

        return sorted(around(tile), key=lambda other: (other == goal, len(around(other))), reverse=True)

    def check_path(self, mask: NDArray[np.generic]) -> None:
        """Refuses a mask ``(H, W)`` that no costs make the cheapest path.

        Such a path leads from start to goal in one piece and never touches itself: a shorter way would leave out what lies
        between, which costs something.

        Raises:
            ValueError: the mask is no such path; the message says where.
        """
        left = {(int(row), int(column)) for row, column in np.argwhere(mask)}
        start, goal = self.ends(*mask.shape)
        for name, end in (("start", start), ("goal", goal)):
            if end not in left:
                raise ValueError(f"the path is not on {name} {end}; a path leads from start to goal, both included")
        tile = start
        left.remove(start)
        while tile != goal:
            following = self._followers(tile, left, goal)
            if not following:
                raise ValueError(
                    f"the path is broken after tile {tile}; each tile needs a neighbour that leads on to {goal}"
                )
            if len(following) > 1:
                raise ValueError(f"the path touches itself or forks at tile {tile}; no costs make such a path the cheapest")
            tile = following[0]
            left.remove(tile)
        if left:
            raise ValueError(f"{len(left)} tiles are off the path, the first at {min(left)}; take them away")

    @property
    def _steps(self) -> tuple[Tile, ...]:
        return _EIGHT if self.moves == 8 else _FOUR

    def _check_ends(self, rows: Rows, start: Tile, goal: Tile) -> None:
        for name, tile in (("start", start), ("goal", goal)):
            walled = np.flatnonzero(rows[:, tile[0], tile[1]] == -np.inf)
            if len(walled):
                raise ValueError(f"{name}: tile {tile} is a wall{_where(walled[0], rows)}; choose a passable tile")

    def _solve_compiled(self, rows: Rows, masks: Rows, start: Tile, goal: Tile) -> tuple[int, int]:
        from imle_core.solvers.grid_kernel import cheapest_paths  # here, since numba takes half a second to import

        moves = np.array(self._steps)

        def solve(first: int, last: int) -> tuple[int, int]:
            clamped, row = cheapest_paths(rows[first:last], masks[first:last], start, goal, moves, self.floor, _CEILING)
            return int(clamped), first + int(row) if row >= 0 else -1

        threads = min(torch.get_num_threads(), len(rows), rows.size // _TILES_A_THREAD)
        parts = in_threads(solve, len(rows), threads)
        failed = [row for _, row in parts if row >= 0]
        return sum(clamped for clamped, _ in parts), min(failed, default=-1)

    def _solve_networkx(self, rows: Rows, masks: Rows, start: Tile, goal: Tile) -> tuple[int, int]:
        from imle_core.solvers.grid_networkx import cheapest_path

        clamped = 0
        for row, mask in zip(rows, masks, strict=True):
            costs = -row.astype(np.float64)
            inside = np.where(costs == np.inf, np.inf, costs.clip(self.floor, _CEILING))
            clamped += int(np.count_nonzero(inside != costs))
            path = cheapest_path(inside, start, goal, self._steps)
            if path is None:
                return clamped, int(np.flatnonzero(masks.any(axis=(1, 2)) == 0)[0])
            mask[tuple(np.transpose(path))] = 1
        return clamped, -1


def _inside(name: str, tile: Tile, height: int, width: int) -> Tile:
    row, column = tile
    if not (-height <= row < height and -width <= column < width):
        raise ValueError(
            f"{name}: tile {tuple(tile)} is outside the map of {height} x {width}; rows and columns count from 0"
        )
    return row % height, column % width


def _where(row: int, rows: Rows) -> str:
    return f" (map {row} of {len(rows)})" if len(rows) > 1 else ""
