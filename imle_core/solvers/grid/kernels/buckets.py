"""Labels of a grid's tiles, ``d(v) = min_u d(u) + c(v)`` over neighbours u in float64, by buckets, compiled.

Tiles whose label was lowered wait in unsorted lists until they lower their neighbours' labels. Near ahead a list holds an
interval of labels, so narrow that few tiles wait twice; where many do, intervals become narrower. Beyond the last interval
lists go by the highest bit in which labels differ from where the intervals begin, as in a radix heap. When the intervals are
used up, they begin again at the smallest label of the first of these lists, and take in what they reach; what is left goes
to lower lists: however costs are spread, a tile moves few times on average.

A tile waits in one list at most: if its label falls while it waits, it stays where it is, and is late. The order is a
matter of speed alone; that labels are final is known from those that wait.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imle_core.kernels.compiled import compiled, compiled_borrowing
from imle_core.kernels.vectors import address, differing, first_bit, lowered, put, take
from imle_core.solvers.grid.kernels.maps import Grid
from imle_core.solvers.grid.tuning import BucketsTuning

_BEYOND = 64  # lists after the lists of intervals, one for each bit
_FINEST = 1e300  # intervals for a unit; products with differences of labels are no NaN
_NEVER, _DONE = -1, -2  # in place of a next tile: the tile has been in no list; it has left its list
_LOOKS = 12  # positions looked at from a tile, 4 in each of 3 rows
_EIGHT, _FOUR = 0b1110_0101_0111, 0b0100_0101_0010  # sets of the positions that a move leads to


class BucketsSpace(NamedTuple):
    """Memory of the kernel for one map, by position; :func:`make_buckets_space` makes one.

    Attributes:
        costs: of entering tiles; inf in walls and around the map.
        labels: inf where a tile is not reached; NaN in walls and around the map.
        following: the next tile of the list in which a tile waits; 0, which is no tile's position, at its end.
        heads: the first tile of each list, or 0.
        hops: from a tile to the positions that are looked at.
    """

    costs: NDArray[np.float64]
    labels: NDArray[np.float64]
    following: NDArray[np.int32]
    heads: NDArray[np.int32]
    hops: NDArray[np.int32]


class _Lists(NamedTuple):
    """Addresses of a space's arrays, which spare the counting of references, and how many lists have an interval."""

    costs: Any
    labels: Any
    following: Any
    heads: Any
    hops: Any
    intervals: int


def numbers_needed(grid: Grid, tuning: BucketsTuning) -> int:
    """Number of float64 that :func:`make_buckets_space` cuts up."""
    positions = (grid.height + 2) * (grid.width + 2)
    return 2 * positions + (positions + tuning.intervals + _BEYOND + _LOOKS + 1) // 2


@compiled
def make_buckets_space(memory, grid, tuning):
    """Cuts up float64 numbers in memory: one piece, which the system may well hand out again with its pages in place."""
    positions = (grid.height + 2) * (grid.width + 2)
    integers = memory[2 * positions :].view(np.int32)
    lists = min(max(positions // 8, 64), tuning.intervals) + _BEYOND
    hops = integers[positions + lists : positions + lists + _LOOKS]
    return BucketsSpace(
        memory[:positions],
        memory[positions : 2 * positions],
        integers[:positions],
        integers[positions : positions + lists],
        hops,
    )


@compiled_borrowing
def label(space, grid, last, tuning):
    """Writes the labels for the costs of a space: final ones up to that of the position ``last``, none below final ones.

    Args:
        space: the costs of a map, and where to work.
        grid: where to go.
        last: the position that matters; all do if that is 0.
        tuning: of buckets.

    Returns:
        How often a tile was taken from a list; once for each tile at best.
    """
    lists, stride, moves = _begin(space, grid), grid.width + 2, _EIGHT if len(grid.steps) == 8 else _FOUR
    coarsest = min(len(grid.steps) / (tuning.width * _typical_cost(space.costs)), _FINEST)
    base, density, current = 0.0, coarsest, np.int64(0)
    tiles, asked, pause, fewest = 0, 0, tuning.sparse, 0
    repeats, limit = 0, len(space.labels) // tuning.repeats
    end = lists.intervals + _BEYOND
    while True:
        while current < end and take(lists.heads, current) == 0:
            current += 1
        if current == end:
            return tiles
        if current >= lists.intervals:
            if tiles < fewest and density > coarsest:
                density /= tuning.finer
            fewest, base = tiles + tuning.sparse, _least(lists, np.int64(take(lists.heads, current)))
            # The last list that the intervals reach into.
            reached = lists.intervals + differing(base + lists.intervals / density, base)
            chain = _gather(lists, current, max(current, reached) + 1)
        elif tiles >= asked and base + (current - 1) / density > take(lists.labels, last):
            if _all_above(lists, current, take(lists.labels, last)):
                return tiles
            asked, pause = tiles + pause, 2 * pause
            chain = _gather(lists, current, end)  # sorted anew, so that no tile is late any more
        else:
            counts = _settle(lists, stride, moves, current, base, density)
            tiles, repeats = tiles + counts[0], repeats + counts[1]
            if repeats <= limit or density >= _FINEST:
                continue
            limit, density = repeats + len(space.labels) // tuning.repeats, density * tuning.finer
            chain = _gather(lists, current, end)
        current = np.int64(0)
        _distribute(lists, chain, base, density)


@compiled_borrowing
def _begin(space, grid):
    """Writes the state in which only the start waits, and returns the lists."""
    for position in range(len(space.labels)):
        space.labels[position] = np.inf if space.costs[position] < np.inf else np.nan
        space.following[position] = _NEVER
    for i in range(len(space.heads)):
        space.heads[i] = 0
    for i in range(_LOOKS):
        row, column = i // 4 - 1, i % 4 - 1
        space.hops[i] = row * (grid.width + 2) + (column - 1 if row == 1 else column)
    space.labels[grid.start], space.following[grid.start], space.heads[0] = 0.0, 0, grid.start
    costs, labels, following = address(space.costs), address(space.labels), address(space.following)
    return _Lists(costs, labels, following, address(space.heads), address(space.hops), len(space.heads) - _BEYOND)


@compiled_borrowing
def _typical_cost(costs):
    """Geometric mean of some costs: neither a few walls of high cost nor a few clamped tiles move it much."""
    stride = max(1, len(costs) // 128)
    total, count = 0.0, 0
    for position in range(stride // 2, len(costs), stride):
        if costs[position] < np.inf:
            total += math.log(costs[position])
            count += 1
    return max(math.exp(total / max(count, 1)), 1.0 / _FINEST)


@compiled_borrowing
def _settle(lists, stride, moves, current, base, density):
    """Lets the tiles of a list lower their neighbours' labels; returns how many did, and how many are to do it again."""
    tiles, repeats, tile = 0, 0, np.int64(take(lists.heads, current))
    put(lists.heads, current, 0)
    while tile != 0:
        after, present = np.int64(take(lists.following, tile)), take(lists.labels, tile)
        put(lists.following, tile, _DONE)
        # each row of the three is read within the array: a position beyond the three neighbours, in the last one before them
        among = lowered(lists.labels, lists.costs, tile - stride - 1, present)
        among |= lowered(lists.labels, lists.costs, tile - 1, present) << 4
        among |= lowered(lists.labels, lists.costs, tile + stride - 2, present) << 8
        among &= moves
        while among != 0:
            neighbour = tile + take(lists.hops, first_bit(among))
            among &= among - 1
            key = present + take(lists.costs, neighbour)
            put(lists.labels, neighbour, key)
            state = take(lists.following, neighbour)
            if state < 0:
                repeats += state == _DONE
                _wait(lists, neighbour, key, current, base, density)
        tile = after
        tiles += 1
    return tiles, repeats


@compiled_borrowing
def _wait(lists, tile, key, current, base, density):
    """Puts a tile into the list of its label, or the current one if it is late."""
    interval = (key - base) * density
    chosen = max(np.int64(interval), current) if interval < lists.intervals else lists.intervals + differing(key, base)
    put(lists.following, tile, take(lists.heads, chosen))
    put(lists.heads, chosen, tile)


@compiled_borrowing
def _distribute(lists, chain, base, density):
    """Puts the tiles of a chain into lists."""
    tile = chain
    while tile != 0:
        after = np.int64(take(lists.following, tile))
        _wait(lists, tile, take(lists.labels, tile), np.int64(0), base, density)
        tile = after


@compiled_borrowing
def _gather(lists, first, end):
    """Takes the tiles of the lists from ``first`` to before ``end``."""
    chain = np.int64(0)
    for i in range(first, end):
        tile = np.int64(take(lists.heads, i))
        put(lists.heads, i, 0)
        while tile != 0:
            after = np.int64(take(lists.following, tile))
            put(lists.following, tile, chain)
            chain, tile = tile, after
    return chain


@compiled_borrowing
def _least(lists, chain):
    """The smallest label in a chain."""
    lowest, tile = np.inf, chain
    while tile != 0:
        lowest, tile = min(lowest, take(lists.labels, tile)), np.int64(take(lists.following, tile))
    return lowest


@compiled_borrowing
def _all_above(lists, current, bound):
    """True where all tiles that wait have labels above ``bound``."""
    for i in range(current, lists.intervals + _BEYOND):
        tile = np.int64(take(lists.heads, i))
        if tile != 0 and not _least(lists, tile) > bound:
            return False
    return True
