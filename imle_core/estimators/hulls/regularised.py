"""The best mean of solutions under a quadratic price, and the face of the hull that it lies on."""

import torch
from torch import Tensor

from imle_core import checks
from imle_core.contracts import declared
from imle_core.estimators.arguments import Arguments
from imle_core.estimators.decisions.decision_loss import NoiseFree, check_without_walls
from imle_core.estimators.projections import Face, nearest_in_hull


def regularised(layer: NoiseFree, theta: Tensor, arguments: Arguments, who: str) -> Face:
    """``argmax <theta, m> - a/2 |m|^2`` over the hull of solutions, with the layer's input temperature as a.

    It is the point of the hull that is nearest to theta / a; at a = 0 the solution itself.

    Args:
        layer: the solver and its temperature.
        theta: parameters to be maximised, ``(B, *event)``.
        arguments: further ones of the solver, of which none may be those of instances.
        who: name of the estimator, for errors.

    Raises:
        ArgumentError: infinite parameters; or arguments by instance.
    """
    theta = theta.detach()
    check_without_walls(theta, who)
    if any(arguments) and declared(layer.solver, "by_instance"):
        rule = f"{who} solves instances of a batch again and again, and others of them each time"
        raise checks.ArgumentError("arguments", "some of the solver's", rule, "give one to the solver beforehand")

    def solve(rows: Tensor) -> Tensor:
        z = layer.best(rows.view(-1, *theta.shape[1:]).to(theta.device), arguments)
        return z.flatten(1).double().cpu()

    points = theta.double().flatten(1)
    if layer.input_temperature > 0:
        return nearest_in_hull(solve, points / layer.input_temperature)
    z, ones = solve(points), torch.ones(len(points), 1, dtype=torch.float64)
    return Face(z, z.unsqueeze(1), ones, torch.zeros(len(points), dtype=torch.float64), 1)
