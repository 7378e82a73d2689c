"""Compiled solvers' algorithms in plain Python, for one instance: what they are measured against, and tested."""

import math
from collections.abc import Sequence


def knapsack(values: Sequence[float], weights: Sequence[int], capacity: int) -> list[int]:
    """Dynamic programming over items and room left, as in ``imle_core.solvers.Knapsack``."""
    best, taken = [0.0] * (capacity + 1), []
    for value, weight in zip(reversed(values), reversed(weights), strict=True):
        before, best = best, best.copy()
        take = [False] * (capacity + 1)
        if value > 0:
            for room in range(weight, capacity + 1):
                gained = value + before[room - weight]
                if gained >= before[room]:
                    best[room], take[room] = gained, True
        taken.append(take)
    room, chosen = capacity, []
    for take, weight in zip(reversed(taken), weights, strict=True):
        chosen.append(int(take[room]))
        room -= weight * take[room]
    return chosen


def acyclic_path(gains: Sequence[Sequence[float]]) -> list[list[int]]:
    """Dynamic programming over tiles, then back from the goal, as in ``imle_core.solvers.AcyclicGridPath``."""
    height, width = len(gains), len(gains[0])
    best = [[-math.inf] * (width + 1) for _ in range(height + 1)]
    for row in range(height):
        for column in range(width):
            before = max(best[row][column], best[row][column + 1], best[row + 1][column]) if row or column else 0.0
            best[row + 1][column + 1] = before + gains[row][column]
    mask = [[0] * width for _ in range(height)]
    row, column = height - 1, width - 1
    mask[row][column] = 1
    while row or column:
        slant, above, left = best[row][column], best[row][column + 1], best[row + 1][column]
        if slant > -math.inf and slant >= max(above, left):
            row, column = row - 1, column - 1
        elif above >= left:
            row -= 1
        else:
            column -= 1
        mask[row][column] = 1
    return mask


def top_k(values: Sequence[float], k: int) -> list[int]:
    """The k largest so far in order, then a walk through the entries, as in ``imle_core.solvers.TopK``."""
    best = [-math.inf] * k
    for value in values:
        if value > best[-1]:
            rank = k - 1
            while rank and best[rank - 1] < value:
                best[rank] = best[rank - 1]
                rank -= 1
            best[rank] = value
    equal = k - sum(value > best[-1] for value in values)
    chosen = []
    for value in values:
        chosen.append(int(value > best[-1] or (value == best[-1] and equal > 0)))
        equal -= value == best[-1]
    return chosen
