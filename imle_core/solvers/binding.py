"""Normals of constraints that hold with equality at solutions, which span the cone of theta for which these are best."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from imle_core.checks import check_numbers, wrong_shape

Matrix = NDArray[np.float64]

_ROUNDING = 1e-9  # of sums, relative to what they are compared with where that is above 1


def normals_at(
    gold: Tensor,
    entries: int,
    equations: ArrayLike | None = None,
    *,
    rows: ArrayLike | None = None,
    limits: ArrayLike = 0.0,
    others: Matrix | None = None,
    low: ArrayLike = 0.0,
    high: ArrayLike = 1.0,
    tolerance: float = _ROUNDING,
) -> Tensor:
    """Normals a of ``<a, z> <= b`` that hold with equality, ``(B, C, *event)`` float64 on the device of ``gold``.

    First each equation with both signs; then rows that bind, as they are; then, for each entry, its unit vector times -1 at
    its lower bound, 1 at its upper one, and 0 between. Rows of 0 fill up.

    Args:
        gold: solutions, ``(B, *event)``.
        entries: entries that they must have.
        equations: left sides of what always holds with equality, ``(p, n)``.
        rows: left sides of ``rows z <= limits``, ``(m, n)``.
        limits: right sides, ``(m,)`` or one for all.
        others: left sides of what holds with equality at each solution, ``(B, r, n)``.
        low: lower bounds, ``(n,)`` or one for all.
        high: upper bounds, likewise; where it is the lower one, the entry is an equation.
        tolerance: by how much sides may differ, relative to the right one where that is above 1.

    Raises:
        ArgumentTypeError: gold is no dense tensor of real numbers.
        ArgumentError: gold has another shape.
    """
    z = solutions_of(gold, entries)
    low, high = (np.broadcast_to(np.asarray(bound, np.float64), entries) for bound in (low, high))
    always = [
        np.zeros((0, entries)) if equations is None else np.asarray(equations, np.float64),
        np.eye(entries)[low == high],
    ]
    equal = np.concatenate(always)
    blocks = [np.broadcast_to(np.stack([equal, -equal], axis=1).reshape(-1, entries), (len(z), 2 * len(equal), entries))]
    if rows is not None:
        blocks.append(_binding(z, np.asarray(rows, np.float64), limits, tolerance))
    if others is not None:
        blocks.append(others)
    count = sum(block.shape[1] for block in blocks)
    normals = np.zeros((len(z), count + entries, entries))
    np.concatenate(blocks, axis=1, out=normals[:, :count])
    normals[:, count + np.arange(entries), np.arange(entries)] = _sides(z, low, high, tolerance)
    return torch.from_numpy(normals).view(len(z), count + entries, *gold.shape[1:]).to(gold.device)


def sums_along(event: Sequence[int], axis: int) -> Matrix:
    """Left sides of sums along an axis of instances of that shape, one for each line, ``(lines, n)``."""
    numbers = np.moveaxis(np.arange(int(np.prod(event))).reshape(event), axis, -1)
    lines = numbers.reshape(-1, event[axis])
    sums = np.zeros((len(lines), numbers.size))
    np.put_along_axis(sums, lines, 1.0, axis=1)
    return sums


def flow(tails: ArrayLike, heads: ArrayLike, nodes: int) -> Matrix:
    """Left sides of what flows out of each node less what flows in, ``(nodes, E)``, for edges between such numbers."""
    tails, heads = np.asarray(tails), np.asarray(heads)
    balance, edges = np.zeros((nodes, len(tails))), np.arange(len(tails))
    balance[tails, edges] += 1.0
    balance[heads, edges] -= 1.0
    return balance


def solutions_of(gold: Any, entries: int) -> Matrix:
    """Solutions ``(B, n)``."""
    check_numbers(gold, "gold")
    if gold.dim() < 2 or gold[0:1].numel() not in (0, entries):
        raise wrong_shape(
            "gold", gold, f"an instance has {entries} entries", f"it must be (B, *event) with {entries} entries an instance"
        )
    flat: Matrix = gold.detach().double().numpy(force=True).reshape(len(gold), entries)
    return flat


def _meet(values: Matrix, sides: ArrayLike, tolerance: float) -> NDArray[np.bool_]:
    """Values that are equal to such sides, none of which is an infinite one."""
    sides = np.asarray(sides, np.float64)
    with np.errstate(invalid="ignore"):
        met: NDArray[np.bool_] = np.isfinite(sides) & (np.abs(values - sides) <= tolerance * np.abs(sides).clip(1.0))
    return met


def _sides(z: Matrix, low: Matrix, high: Matrix, tolerance: float) -> Matrix:
    """For each entry -1 at its lower bound, 1 at its upper one, and 0 between or where both are one, ``(B, n)``."""
    sides: Matrix = _meet(z, high, tolerance).astype(np.float64) - _meet(z, low, tolerance)
    return sides * (low < high)


def _binding(z: Matrix, rows: Matrix, limits: ArrayLike, tolerance: float) -> Matrix:
    """Rows that bind at each solution, before rows of 0, ``(B, r, n)``, with r the most that do."""
    binds = _meet(z @ rows.T, limits, tolerance)
    order = np.argsort(~binds, axis=1, kind="stable")[:, : int(binds.sum(axis=1).max(initial=0))]
    binding: Matrix = rows[order] * np.take_along_axis(binds, order, axis=1)[..., None]
    return binding
