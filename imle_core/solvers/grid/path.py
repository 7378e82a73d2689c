"""Cheapest paths on a grid of tiles."""

from collections.abc import Iterable, Sequence
from operator import index
from typing import Literal, SupportsIndex, TypeAlias, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core.checks import ArgumentError, check_name, check_numbers, wrong_shape
from imle_core.concurrency import OwnLock
from imle_core.contracts import Known
from imle_core.solvers.grid.tuning import TUNING, Tuning, check_tuning
from imle_core.solvers.rows import Rows, array_of, as_rows, numbers

Tile: TypeAlias = tuple[int, int]
Engine = Literal["compiled", "networkx", "torch"]

_FOUR: tuple[Tile, ...] = ((-1, 0), (0, -1), (0, 1), (1, 0))
_EIGHT: tuple[Tile, ...] = tuple((down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0))
_KERNEL_TYPES = (torch.float32, torch.float64)
_CEILING = 1e290  # sums over any map stay finite
_TILES_A_ROW = 1.3


class GridPath:
    """Cheapest path between two tiles: ``argmax_z <z, theta>`` over paths, with cost ``c = clamp(-theta)`` of a tile.

    z is 1 on the tiles of the path, start and goal included, and 0 elsewhere. Paths with negative tiles are no
    shortest-path problem, so the solver's domain is costs from ``floor`` up: a finite theta is projected onto it by
    clamping, and ``clamped`` counts how often, of ``seen`` passable tiles. theta = -inf is a wall. ``domain`` holds the
    smallest and the largest theta of the domain.

    Among equally cheap paths it takes the one found by walking back from the goal, along labels that are exact in
    float64, to the smallest row-major predecessor. All engines give the same tiles, whatever the batch, threads or device:

    * "compiled": numba, on as many threads as torch may use where the work is worth it; on a GPU Triton where it is
      installed, and else as "torch"; so too where numba is told not to compile (NUMBA_DISABLE_JIT).
    * "torch": plain tensor operations, on any device that has float64.
    * "networkx": the reference.

    Args:
        moves: 8 neighbours, or 4.
        start: row and column of the first tile; negative ones count from the end; the top left corner if None.
        goal: row and column of the last tile, likewise; the bottom right corner if None.
        floor: smallest cost, > 0.
        engine: "compiled", "torch" or "networkx"; if None "compiled", which scipy stands in for while kernels are not
            compiled yet, unless the environment has ``IMLE_COMPILE=first``.
        tuning: numbers that decide about speed alone.

    Attributes:
        clamped: costs clamped so far.
        seen: costs of passable tiles so far.
        kept: solutions of backward passes so far that surely were those of the forward pass, and were not solved again.
        offered: solutions of backward passes so far.

    Raises:
        ArgumentError: an argument outside its range; when called, parameters that are not ``(N, H, W)``, NaN, a start or
            goal that is outside the map, in a wall, or cut off from the other by walls.
        ArgumentTypeError: a ``tuning`` that is none; when called, what is no dense tensor of real numbers.

    >>> GridPath()(torch.tensor([[[-1.0, -9.0], [-1.0, -1.0]]]))
    tensor([[[1., 0.],
             [0., 1.]]])
    """

    pure, sense, takes_padding = True, "max", False

    def __init__(
        self,
        moves: int = 8,
        start: Tile | None = None,
        goal: Tile | None = None,
        floor: float = 1e-4,
        engine: Engine | None = None,
        *,
        tuning: Tuning = TUNING,
    ) -> None:
        if moves not in (4, 8):
            raise ArgumentError("moves", repr(moves), "it must be 4 or 8", "use 8 for diagonal steps")
        if not 0 < float(floor) < _CEILING:
            raise ArgumentError("floor", repr(floor), "it must be > 0 and finite", "the usual value is 1e-4")
        self._waits = engine is not None  # for kernels to be compiled
        engine = "compiled" if engine is None else engine
        check_name("engine", engine, get_args(Engine))
        check_tuning(tuning)
        self.moves, self.floor, self.engine, self.tuning = moves, float(floor), engine, tuning
        self.start = None if start is None else _tile("start", start)
        self.goal = None if goal is None else _tile("goal", goal)
        self.domain = (-np.inf, -self.floor)
        self.clamped = self.seen = self.kept = self.offered = 0
        self._counting = OwnLock()

    def __repr__(self) -> str:
        return f"GridPath(moves={self.moves}, start={self.start}, goal={self.goal}, engine={self.engine!r})"

    def __call__(self, theta: Tensor) -> Tensor:
        """Masks of the cheapest paths, ``(N, H, W)``, in theta's type and on its device."""
        gains = numbers(theta)
        if gains.dim() != 3 or 0 in gains.shape[1:]:
            raise wrong_shape("theta", theta, "a grid path needs (N, H, W)", "use theta.unsqueeze(0) for one map")
        if self.engine == "torch" or (self.engine == "compiled" and (gains.is_cuda or not _is_compiling())):
            return self._solve_on_device(gains).to(theta)
        rows = array_of(gains)
        masks = self._solve_compiled(rows) if self.engine == "compiled" else self._solve_networkx(rows)
        return masks.view(theta.shape).to(theta)

    def perturb_and_map(self, theta: Tensor, eps: Tensor | None, temperature: float, known: Known | None = None) -> Tensor:
        """``MAP(theta + temperature * eps)``, the solver called with that sum, but without the sum in memory.

        Args:
            theta: ``(B, 1 or S, H, W)``; ``(B, S, H, W)`` without eps.
            eps: ``(B, S, H, W)``, or None.
            temperature: factor of eps.
            known: solutions for other parameters and the same eps. One is kept, without solving, if no cost on its path rose
                and all others rose by more than rounding, or if none changed.

        Returns:
            Masks ``(B, S, H, W)`` in theta's type.
        """
        check_numbers(theta)
        shape = theta.shape
        if eps is not None:
            check_numbers(eps, "eps")
            shape = eps.shape
        kind = type(self)  # a subclass that changes the call alone is to be called
        is_own = kind.__call__ is GridPath.__call__ or kind.perturb_and_map is not GridPath.perturb_and_map
        if not (
            self.engine == "compiled" and is_own and _can_fuse(theta, theta if eps is None else eps) and _is_compiling()
        ):
            perturbed = theta if eps is None else _real(theta) + temperature * _real(eps)
            return self(perturbed.flatten(0, 1)).view(shape).to(theta)
        if known is not None and not (
            known.z.shape == shape and known.z.dtype == theta.dtype and _can_fuse(known.theta, known.z)
        ):
            known = None
        noise = None if eps is None else as_rows(eps.flatten(0, 1))
        return self._solve_compiled(as_rows(theta.flatten(0, 1)), noise, temperature, known).view(shape)

    def typical_ones(self, event: Sequence[int]) -> float:
        """1.3 times the height of a map ``(H, W)``, about the tiles of a path across it.

        Source: Niepert, Minervini, Franceschi 2021 (arXiv 2106.01798), whose experiments with maps take this k.
        """
        return typical_tiles(event)

    def ends(self, height: int, width: int) -> tuple[Tile, Tile]:
        """Start and goal on a map of this size.

        Raises:
            ArgumentError: one of them is outside the map.
        """
        start = _inside("start", (0, 0) if self.start is None else self.start, height, width)
        return start, _inside("goal", (-1, -1) if self.goal is None else self.goal, height, width)

    def path_tiles(self, mask: NDArray[np.generic]) -> NDArray[np.int64]:
        """Tiles ``(L, 2)`` of a solution ``(H, W)``, as row and column, in an order that leads from start to goal.

        A cheapest path never touches itself, so its order can be read off its mask: of two neighbours on it one follows
        the other. Only where a cost is lost in a sum by rounding may it touch itself; then any order that visits each tile
        once is as good, and the search prefers tiles with the fewest ways on.

        Raises:
            ArgumentError: the mask is no such path, or finding an order takes too long.
        """
        start, goal = self.ends(*mask.shape)
        left = {(int(row), int(column)) for row, column in np.argwhere(mask)} - {start}
        path, choices = [start], [self._followers(start, left, goal)]
        for _ in range(self.tuning.search_steps * (len(left) + 1) if mask[start] else 0):
            if path[-1] == goal and not left:
                return np.array(path)
            if path[-1] != goal and choices[-1]:
                path.append(choices[-1].pop())
                left.remove(path[-1])
                choices.append(self._followers(path[-1], left, goal))
            elif len(path) > 1:
                left.add(path.pop())
                choices.pop()
        raise ArgumentError(
            "mask",
            f"no cheapest path from {start} to {goal} with {self.moves} moves",
            "only tiles of such a path have an order",
            "give what the solver gave",
            "it is",
        )

    def _followers(self, tile: Tile, left: set[Tile], goal: Tile) -> list[Tile]:
        """Neighbours of ``tile`` among ``left``: the goal, then those with ever fewer ways on."""

        def around(centre: Tile) -> list[Tile]:
            return [neighbour for down, right in self._steps if (neighbour := (centre[0] + down, centre[1] + right)) in left]

        return sorted(around(tile), key=lambda neighbour: (neighbour == goal, len(around(neighbour))), reverse=True)

    def check_path(self, mask: NDArray[np.generic]) -> None:
        """Refuses a mask ``(H, W)`` that no costs make the cheapest path.

        Such a path leads from start to goal in one piece and never touches itself: a shorter way would leave out what lies
        between, which costs something.

        Raises:
            ArgumentError: the mask is no such path; the message says where.
        """
        left = {(int(row), int(column)) for row, column in np.argwhere(mask)}
        start, goal = self.ends(*mask.shape)
        for name, end in (("start", start), ("goal", goal)):
            if end not in left:
                raise ArgumentError(
                    "mask",
                    f"not on {name} {end}",
                    "a path leads from start to goal, both included",
                    "add its tile",
                    "the path is",
                )
        tile = start
        left.remove(start)
        while tile != goal:
            following = self._followers(tile, left, goal)
            if not following:
                raise ArgumentError(
                    "mask",
                    f"broken after tile {tile}",
                    f"each tile needs a neighbour that leads on to {goal}",
                    "close the gap",
                    "the path is",
                )
            if len(following) > 1:
                raise ArgumentError(
                    "mask",
                    f"tile {tile}",
                    "no costs make such a path the cheapest",
                    "take the longer way out",
                    "the path touches itself or forks at",
                )
            tile = following[0]
            left.remove(tile)
        if left:
            raise ArgumentError(
                "mask", f"{len(left)} tiles off the path", f"the first is at {min(left)}", "take them away", "it has"
            )

    @property
    def _steps(self) -> tuple[Tile, ...]:
        return _EIGHT if self.moves == 8 else _FOUR

    def _check_ends(self, rows: Rows, noise: Rows | None = None, temperature: float = 0.0) -> None:
        """Refuses walls at the ends of maps ``(B, H, W)``, with noise ``(B * S, H, W)`` if there is any."""
        count = len(rows) if noise is None else len(noise)
        for name, (row, column) in zip(("start", "goal"), self.ends(*rows.shape[1:]), strict=True):
            gains = rows[:, row, column].repeat(count // max(1, len(rows)))
            if noise is not None:
                gains = gains + temperature * noise[:, row, column]
            walled = np.flatnonzero(gains == -np.inf)
            if len(walled):
                self._refuse_wall(name, (row, column), int(walled[0]), count)

    @staticmethod
    def _refuse_wall(name: str, tile: Tile, row: int, count: int) -> None:
        raise ArgumentError(name, f"tile {tile}", f"it is a wall{_where(row, count)}", "choose a passable tile")

    def _report(self, nans: int, clamped: int, passable: int, cut_off: int, count: int, ends: tuple[Tile, Tile]) -> None:
        """Refuses what a solve has found to be wrong, and adds up the rest."""
        if nans:
            raise ArgumentError("theta", f"{nans} NaN", "a grid path needs numbers", "use -inf for a wall")
        if cut_off >= 0:
            raise ArgumentError(
                "goal",
                f"tile {ends[1]}",
                f"walls cut it off from start {ends[0]}{_where(cut_off, count)}",
                "open a way or move one of them",
            )
        with self._counting:
            self.clamped += clamped
            self.seen += passable

    def _solve_compiled(
        self, rows: Rows, noise: Rows | None = None, temperature: float = 0.0, known: Known | None = None
    ) -> Tensor:
        """Masks ``(N, T)`` of maps ``(B, H, W)`` with noise ``(N, H, W)``, or of N maps without; in the maps' type."""
        from imle_core.solvers.grid.engines import compiled, ready  # here, since numba takes half a second to import
        from imle_core.solvers.grid.kernels.maps import make_grid, make_maps

        height, width = rows.shape[1:]
        ends, tiles, threads = self.ends(height, width), height * width, torch.get_num_threads()
        eps = None if noise is None else noise.reshape(-1, tiles)
        grid = make_grid((height, width), *ends, self._steps, self.floor, _CEILING)
        maps = make_maps(rows.reshape(-1, tiles), eps, temperature, self.floor, _CEILING)
        count = len(rows) if eps is None else len(eps)
        masks, which = np.empty((count, tiles), rows.dtype), np.arange(count)
        engine = compiled if self._waits else ready.CHOICE.engine(maps, masks.size)
        if known is not None:
            before = known.theta.expand(known.z.shape) if eps is None else known.theta
            old = make_maps(as_rows(before.flatten(0, 1)).reshape(-1, tiles), eps, known.temperature, self.floor, _CEILING)
            z = as_rows(known.z.flatten(0, 1)).reshape(-1, tiles)
            kept = engine.kept_masks(maps, old, grid, z, threads, self.tuning)
            masks[kept], which = z[kept], np.flatnonzero(~kept)
            with self._counting:
                self.kept += count - len(which)
                self.offered += count
        outcome: compiled.Found = engine.solve(maps, grid, which, masks, threads, self.tuning)
        if outcome.passable < len(which) * tiles and not outcome.nans:
            self._check_ends(rows, noise, temperature)
        self._report(*outcome, count, ends)
        return torch.from_numpy(masks)

    def _solve_on_device(self, theta: Tensor) -> Tensor:
        from imle_core.solvers.grid.engines import on_torch, on_triton

        start, goal = self.ends(*theta.shape[1:])
        costs = -theta.double()
        inside = costs.clamp(self.floor, _CEILING).masked_fill(costs == torch.inf, torch.inf)
        ends = torch.stack([costs[:, row, column] == torch.inf for row, column in (start, goal)])
        is_fast = self.engine == "compiled" and on_triton.available(theta.device)
        cheapest_paths = on_triton.cheapest_paths if is_fast else on_torch.cheapest_paths
        masks, reached = cheapest_paths(inside, start, goal, self._steps, self.tuning)
        figures = [costs.isnan().sum(), (inside != costs).sum(), (costs != torch.inf).sum(), ends.sum(), (~reached).sum()]
        nans, clamped, passable, walled, missed = torch.stack(figures).tolist()
        if walled and not nans:
            end, row = next(iter(ends.nonzero().tolist()))
            self._refuse_wall(("start", "goal")[end], (start, goal)[end], row, len(theta))
        cut_off = int((~reached).nonzero()[0]) if missed else -1
        self._report(nans, clamped, passable, cut_off, len(theta), (start, goal))
        return masks

    def _solve_networkx(self, rows: Rows) -> Tensor:
        from imle_core.solvers.grid.engines.on_networkx import cheapest_path

        nans, (start, goal) = int(np.isnan(rows).sum()), self.ends(*rows.shape[1:])
        masks, clamped, cut_off = np.zeros(rows.shape, np.uint8), 0, -1
        if not nans:
            self._check_ends(rows)
        for number, (row, mask) in enumerate(zip(rows, masks, strict=True) if not nans else ()):
            costs = -row.astype(np.float64)
            inside = np.where(costs == np.inf, np.inf, costs.clip(self.floor, _CEILING))
            clamped += int(np.count_nonzero(inside != costs))
            path = cheapest_path(inside, start, goal, self._steps)
            if path is None:
                cut_off = number
                break
            mask[tuple(np.transpose(path))] = 1
        self._report(nans, clamped, int(np.count_nonzero(rows != -np.inf)), cut_off, len(rows), (start, goal))
        return torch.from_numpy(masks)


def typical_tiles(event: Sequence[int]) -> float:
    """1.3 times the height of a map ``(H, W)``, about the tiles of a path across it."""
    return _TILES_A_ROW * event[0]


def _can_fuse(theta: Tensor, eps: Tensor) -> bool:
    """True where a kernel can add eps ``(B, S, H, W)`` to theta ``(B, 1 or S, H, W)``."""
    if not (theta.dtype == eps.dtype and theta.dtype in _KERNEL_TYPES and theta.is_cpu and eps.is_cpu and eps.numel()):
        return False
    fitting = eps.shape, (*eps.shape[:1], 1, *eps.shape[2:])
    return eps.dim() == 4 and theta.shape in fitting


def _real(values: Tensor) -> Tensor:
    """Values of a floating type as they are, others as :func:`numbers`."""
    return values if values.is_floating_point() else numbers(values)


def _tile(name: str, given: Iterable[SupportsIndex]) -> Tile:
    """Row and column, of any type of whole numbers."""
    try:
        row, column = map(index, given)
    except (TypeError, ValueError):
        raise ArgumentError(
            name, repr(given), "it must be a row and a column, whole numbers", "give (0, 0) for instance"
        ) from None
    return row, column


def _is_compiling() -> bool:
    from imle_core.kernels.compiled import is_compiling  # here, since numba takes half a second to import

    return is_compiling()


def _inside(name: str, tile: Tile, height: int, width: int) -> Tile:
    row, column = tile
    if not (-height <= row < height and -width <= column < width):
        raise ArgumentError(
            name, f"tile {tuple(tile)}", f"it is outside the map of {height} x {width}", "rows and columns count from 0"
        )
    return row % height, column % width


def _where(row: int, count: int) -> str:
    return f" (map {row} of {count})" if count > 1 else ""
