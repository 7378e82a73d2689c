"""Labels that are averaged over instances with similar features."""

import torch
from torch import Tensor

from imle_core.checks import ArgumentError, check_not_learned, check_whole, shown
from imle_core.decisions.data_set import Decisions, Labels, objectives

_AT_A_TIME = 512  # instances, whose distances to all others are held at once


def nearest_neighbour_labels(decisions: Decisions, k: int = 10, weight: float = 0.5) -> Decisions:
    """The same instances, with costs, gold solutions and optima that are means over each one's k nearest neighbours.

    For the k other instances j whose features are nearest to those of i, the mix ``weight c_i + (1 - weight) c_j`` is
    solved; costs, solutions and objectives are averaged over j. Of equally near instances the first ones are taken.

    Args:
        decisions: instances.
        k: number of neighbours, from 1 to one less than there are instances.
        weight: of an instance's own costs, from 0 to 1.

    Raises:
        ArgumentError: an argument outside its range.

    Source: Schutte, Postek, Yorke-Smith 2023 (arXiv 2310.04328), "Robust losses for decision-focused learning".
    """
    check_whole("k", k, 1, "the usual number is 10")
    if k >= len(decisions):
        raise ArgumentError("k", str(k), f"{len(decisions)} instances have {len(decisions) - 1} others", "take fewer")
    check_not_learned("weight", weight, "choose it")
    if not 0 <= weight <= 1:
        raise ArgumentError("weight", shown(weight), "it must be from 0 to 1", "use 0.5 for a start")
    blocks = [_averages(decisions, rows, k, weight) for rows in torch.arange(len(decisions)).split(_AT_A_TIME)]
    costs, gold, optimum = (torch.cat(values) for values in zip(*blocks, strict=True))
    labels = Labels(gold, optimum)
    return Decisions(decisions.features, costs, decisions.solver, sense=decisions.sense, gold=labels)


def _averages(decisions: Decisions, rows: Tensor, k: int, weight: float) -> tuple[Tensor, Tensor, Tensor]:
    """Mean costs, solutions and objectives of some of the instances."""
    features, costs = decisions.features.double().flatten(1), decisions.costs
    distances = torch.cdist(features[rows], features, compute_mode="donot_use_mm_for_euclid_dist")
    distances[torch.arange(len(rows)), rows] = torch.inf
    nearest = distances.sort(dim=1, stable=True).indices[:, :k]
    mixed = weight * costs[rows].unsqueeze(1) + (1 - weight) * costs[nearest]
    solutions = decisions.solve(mixed.flatten(0, 1))
    optima = objectives(solutions, mixed.flatten(0, 1)).view(nearest.shape)
    return mixed.mean(dim=1), solutions.view_as(mixed).mean(dim=1), optima.mean(dim=1)
