"""Projections on cones that normals of binding constraints span."""

import numpy as np
import torch
from torch import Tensor, nn

from imle_core.checks import wrong_shape
from imle_core.concurrency import in_threads
from imle_core.estimators.projections.weighing import ENTRIES_A_THREAD, rounds_of, weigh

_DEPENDENT = 1e-10
"""A length, relative to that of what it is a rest of, that counts as none."""


def nearest_in_cone(points: Tensor, normals: Tensor, margin: float = 0.0) -> Tensor:
    """``argmin |p - x|`` over ``p = margin |x| m + sum_k w_k a_k`` with ``w >= 0``: projections on cones, exact to rounding.

    m is the direction of the sum of all ``a_k / |a_k|``, which leads from the tip of the cone into it.

    Normals whose opposites are there, too, as those of equations are, span a space of which every point is in the cone: what
    lies in it stays, and the rest is projected on the rests of the other normals, by active sets on their Gram matrix, in
    float64, compiled. Rows of normals that are 0 change nothing. It takes ``K^2`` numbers of memory a point for K normals
    without an opposite.

    Args:
        points: x, ``(N, *event)``.
        normals: generators a of each cone, ``(N, K, *event)``.
        margin: by how much, relative to the size of x, the cone is moved inside itself, >= 0.

    Returns:
        The nearest points, ``(N, *event)``, in the type of x.

    Raises:
        ArgumentError: normals of another shape.

    Source: Lawson and Hanson 1974, "Solving Least Squares Problems", chapter 23.
    """
    if normals.dim() != points.dim() + 1 or (normals.shape[0], *normals.shape[2:]) != tuple(points.shape):
        raise wrong_shape("normals", normals, "it must be (N, K, *event)", "give one list of normals a point")
    with torch.no_grad():
        x, generators = points.detach().flatten(1).double().cpu(), normals.detach().flatten(2).double().cpu()
        if margin:
            inwards = nn.functional.normalize(nn.functional.normalize(generators, dim=2).sum(dim=1))
            moved: Tensor = margin * torch.linalg.vector_norm(x, dim=1, keepdim=True) * inwards
            nearest = moved + _nearest(x - moved, generators.contiguous())
        else:
            nearest = _nearest(x, generators.contiguous())
    return nearest.reshape(points.shape).to(points)


def _nearest(x: Tensor, generators: Tensor) -> Tensor:
    """Nearest points ``(N, n)`` of cones of generators ``(N, K, n)``."""
    opposites = _opposites(generators)
    if not (opposites >= 0).any():
        return _nearest_without_lines(x, generators)
    lines = opposites[0] > torch.arange(len(opposites[0]))  # one of each two
    if len(x) > 1 and not (torch.equal(opposites, opposites[:1].expand_as(opposites)) and _are_alike(generators[:, lines])):
        each = zip(x.split(1), generators.split(1), strict=True)
        return torch.cat([_nearest(*one) for one in each])
    _, sizes, directions = torch.linalg.svd(nn.functional.normalize(generators[0, lines], eps=0.0), full_matrices=False)
    basis: Tensor = directions[sizes > _DEPENDENT * sizes[:1]]
    projector = torch.eye(x.shape[1], dtype=torch.float64) - basis.T @ basis
    beside = x @ projector
    return x - beside + _nearest_beside_lines(beside, generators, opposites[0] < 0, projector)


def _nearest_beside_lines(x: Tensor, generators: Tensor, kept: Tensor, projector: Tensor) -> Tensor:
    """Nearest points of cones of those generators that are kept, projected first as the points have been."""
    from imle_core.estimators.projections.kernels.beside_lines import project_beside_lines  # here, likewise

    nearest, numbers = torch.empty_like(x), kept.nonzero().squeeze(1).numpy()
    arrays = [tensor.contiguous().numpy() for tensor in (x, generators, nearest)]

    def project(first: int, last: int) -> None:
        points, vectors, found = (array[first:last] for array in arrays)
        project_beside_lines(points, vectors, numbers, projector.numpy(), found, _DEPENDENT, rounds_of(len(numbers)))

    in_threads(project, len(x), min(torch.get_num_threads(), len(x), len(x) * len(numbers) ** 2 // ENTRIES_A_THREAD))
    return nearest


def _nearest_without_lines(x: Tensor, generators: Tensor) -> Tensor:
    grams = generators @ generators.mT
    weights = torch.zeros(grams.shape[:2], dtype=torch.float64)
    weigh(grams, (generators @ x.unsqueeze(2)).squeeze(2), weights, whole=False)
    return (weights.unsqueeze(1) @ generators).squeeze(1)


def _opposites(generators: Tensor) -> Tensor:
    """Numbers of the opposites of generators, or -1, ``(N, K)``."""
    from imle_core.estimators.projections.kernels.lines import find_opposites  # here: numba takes half a second to import

    opposites = np.empty(generators.shape[:2], np.int64)
    find_opposites(generators.numpy(), opposites)
    return torch.from_numpy(opposites)


def _are_alike(vectors: Tensor) -> bool:
    return torch.equal(vectors, vectors[:1].expand_as(vectors))
