"""Training a network to predict the costs of decisions from features."""

from typing import Literal

import torch
from torch import Tensor, nn

from imle_core.checks import check_name
from imle_core.decisions.data_set import Decisions
from imle_core.decisions.methods import FITTED
from imle_core.decisions.metrics import predict
from imle_core.decisions.networks import FittedCosts
from imle_core.training import Clock, Fitting, LearningMethod, LossReduction, NetworkTraining, Schedule


class DecisionTraining(NetworkTraining):
    """Trains a network from features to costs; see :class:`imle_core.training.NetworkTraining` for what trainings share.

    Args:
        network: from features ``(B, *shape)`` to costs ``(B, *event)``; it is trained in place, where it is.
        method: how it learns.
        decisions: the training data.
        epochs: how often it sees each instance.
        batch: instances of a step, in one process.
        lr: largest step size of Adam.
        schedule: "cosine": it rises over the first steps, at most 50, and then falls to 0; "constant": it stays.
        loss_reduction: "sum" over instances; "mean" divides each one's step lambda by their number.
        seed: decides the order of instances.
        generator: of the method's noise, to be saved with the rest.
        clock: of the method.

    Raises:
        ArgumentError: a setting outside its range, fewer instances than processes; in a step, predicted costs that are no
            numbers, or of another shape.

    >>> from imle_core.decisions import judge, make_cost_network, make_method, shortest_path_data
    >>> from imle_core.solvers import GridEdgePath
    >>> features, costs = shortest_path_data(300, grid=(3, 3), degree=4, seed=0)
    >>> learned_from, judged_by = Decisions(features, costs, GridEdgePath((3, 3)), sense="min").split(100)
    >>> network, method = make_cost_network("linear", learned_from, seed=0), make_method("spo-plus", learned_from)
    >>> for record in DecisionTraining(network, method, learned_from, epochs=10):
    ...     pass
    >>> judge(network, judged_by).regret < 0.1
    True
    """

    words = "decisions"

    def __init__(
        self,
        network: nn.Module,
        method: LearningMethod,
        decisions: Decisions,
        *,
        epochs: int = 20,
        batch: int = 32,
        lr: float = 0.01,
        schedule: Schedule = "cosine",
        loss_reduction: LossReduction = "sum",
        seed: int = 0,
        generator: torch.Generator | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            network,
            method,
            decisions,
            epochs=epochs,
            batch=batch,
            lr=lr,
            schedule=schedule,
            loss_reduction=loss_reduction,
            seed=seed,
            generator=generator,
            clock=clock,
        )
        whole = decisions.features, decisions.gold, decisions.costs
        self._features, self._gold, self._costs = (values.to(self.device) for values in whole)

    def batch(self, *drawn: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features, gold solutions and true costs of rows."""
        rows = drawn[0].to(self.device)
        return self._features.index_select(0, rows), self._gold.index_select(0, rows), self._costs.index_select(0, rows)


class DecisionFit(Fitting):
    """Computes a baseline in a single step: a :class:`imle_core.contracts.Trainable`, as a ``DecisionTraining`` is one.

    Args:
        name: "least-squares", or "mean-costs", the same for all instances.
        network: what is fitted.
        decisions: the training data.

    Raises:
        ArgumentError: an unknown name.
    """

    network: FittedCosts
    instances: Decisions

    def __init__(self, name: Literal["least-squares", "mean-costs"], network: FittedCosts, decisions: Decisions) -> None:
        check_name("name", name, FITTED)
        super().__init__(network, decisions)
        self.name = name

    def fit(self) -> float:
        """Fits the network; the mean squared error of an instance, added up over its entries."""
        network, decisions = self.network, self.instances
        fitted = network.fit_means(decisions) if self.name == "mean-costs" else network.fit_least_squares(decisions)
        errors = predict(fitted, decisions).cpu() - decisions.costs
        return errors.square().flatten(1).sum(dim=1).mean().item()
