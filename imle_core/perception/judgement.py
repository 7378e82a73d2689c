"""Quality of predicted costs: the paths that they plan, and how good these are."""

from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn

from imle_core.checks import Record
from imle_core.concurrency import process_group
from imle_core.perception.maps import TILES_AT_A_TIME, TOLERANCE, ImageMaps, cheapest_paths, path_costs


@dataclass(frozen=True, eq=False, repr=False)
class Plans(Record):
    """Paths that a network's costs lead to on maps.

    Attributes:
        costs: predicted costs, ``(N, H, W)``; known up to scale only, since no scale changes a path.
        paths: cheapest paths by these, ``(N, H, W)``.
        regret: excess of their true cost over the smallest one, relative to it, ``(N,)`` float64.
        optimal: whether it is none, ``(N,)`` bool.
        exact: whether the path is the one that the solver finds by the true costs, ``(N,)`` bool.
    """

    costs: Tensor
    paths: Tensor
    regret: Tensor
    optimal: Tensor
    exact: Tensor


@dataclass(frozen=True)
class Judgement:
    """Quality of a network's plans, without noise.

    Attributes:
        optimal: share of maps whose path costs as little as possible, in truth.
        regret: mean excess of the true cost over the smallest one, relative to it.
        exact_on_unique: share of paths that are equal to the optimum, among maps that have a single one; None if no map
            has. On other maps equality would depend on which of the cheapest paths a solver prefers.
        unique: share of maps with a single optimum.
    """

    optimal: float
    regret: float
    exact_on_unique: float | None
    unique: float


def plan(network: nn.Module, maps: ImageMaps) -> Plans:
    """Plans by the costs that the network, in evaluation mode, predicts for the maps' images."""
    device = next((tensor.device for tensor in chain(network.parameters(), network.buffers())), torch.device("cpu"))
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            # So many tiles at a time that activations stay small.
            batches = maps.images.split(max(1, TILES_AT_A_TIME // maps.costs[0].numel()))
            costs = torch.cat([network(batch.to(device)).cpu() for batch in batches])
    finally:
        network.train(training)
    paths = cheapest_paths(costs)
    regret = path_costs(paths, maps.costs) / maps.optimum - 1
    exact = (paths == maps.solutions).flatten(1).all(dim=1)
    return Plans(costs, paths, regret, regret <= TOLERANCE, exact)


def judge(plans: Plans, maps: ImageMaps) -> Judgement:
    """Judges plans for maps; where there are several processes, those of all of them together."""
    exact = plans.exact & maps.unique
    numbers = [torch.tensor(len(maps)), plans.optimal.sum(), plans.regret.sum(), maps.unique.sum(), exact.sum()]
    count, optimal, regret, unique, same = process_group.summed(
        torch.stack([number.double() for number in numbers])
    ).tolist()
    return Judgement(optimal / count, regret / count, same / unique if unique else None, unique / count)
