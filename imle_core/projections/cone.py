"""Projections on cones that normals of binding constraints span."""

import torch
from torch import Tensor

from imle_core.checks import wrong_shape
from imle_core.projections.weighing import weigh


def nearest_in_cone(points: Tensor, normals: Tensor) -> Tensor:
    """``argmin |p - x|`` over ``p = sum_k w_k a_k`` with ``w >= 0``: projections on cones, exact to rounding.

    By active sets on the Gram matrix of the normals, in float64, compiled. Rows of normals that are 0 change nothing.

    Args:
        points: x, ``(N, *event)``.
        normals: generators a of each cone, ``(N, K, *event)``.

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
        grams = generators @ generators.mT
        weights = torch.zeros(grams.shape[:2], dtype=torch.float64)
        weigh(grams, (generators @ x.unsqueeze(2)).squeeze(2), weights, whole=False)
        return (weights.unsqueeze(1) @ generators).reshape(points.shape).to(points)
