"""Quality of predicted costs: the regret of the decisions that they lead to."""

from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from imle_core.checks import ArgumentError, check_name, in_short, wrong_shape
from imle_core.concurrency import process_group
from imle_core.contracts import Sense, Solver, asked, declared
from imle_core.decisions.data_set import TOLERANCE, Decisions, Values, check_some, objectives, room

Form = Literal["normalised", "sum", "mean", "none"]

_FLOOR = 1e-8  # added to a sum of optima, which may be 0
_DIGITS = 5  # decimals of the largest predicted cost, if it is from 1 to 10, by which ties are told


def regret(predicted: Tensor, decisions: Decisions, form: Form = "normalised") -> Tensor:
    """Excess of the true cost of decisions by predicted costs over the smallest one: ``s (<c, z(c_hat)> - <c, z(c)>)``.

    s is 1 under the sense "min" and -1 under "max". Not negative, and no scale above 0 of the predictions changes it.

    Args:
        predicted: predicted costs c_hat, ``(N, *event)``.
        decisions: instances with their true costs and optima.
        form: "normalised" for the sum of regrets over ``sum |<c, z(c)>| + 1e-8``, a ratio of sums and no mean of ratios;
            "sum" or "mean" over instances, or "none" for ``(N,)``, one each.

    Returns:
        float64, ``()`` or ``(N,)``.

    Raises:
        ArgumentError: predictions of another shape, or another form; or as the solver raises.

    Source: Elmachtoub and Grigas 2022, "Smart 'Predict, then Optimize'", section 2.
    """
    _check(predicted, decisions)
    return _formed(_regrets(decisions.solve(predicted), decisions), decisions, form)


def worst_regret(predicted: Tensor, decisions: Decisions, form: Form = "normalised") -> Tensor:
    """``max over z in argmin <c_hat, z> of s (<c, z> - <c, z(c)>)``: regret if ties fall out as badly as they can.

    A predictor of equal costs for all has regret 0 where its solver is lucky with ties. For solutions of zeros and ones it
    is exact, with predictions rounded to 5 decimals of the power of ten below the largest of an instance, so that sums tie
    that differ by rounding alone: costs as whole numbers, minus true costs scaled below 1, are solved.

    Args:
        predicted: predicted costs c_hat, ``(N, *event)``.
        decisions: instances with their true costs and optima; their solver must take costs of either sign.
        form: as for :func:`regret`.

    Raises:
        ArgumentError: predictions of another shape, or another form; a solver that is not exact for such costs, since it
            clamps them, or whose solutions are not of zeros and ones.
    """
    _check(predicted, decisions)
    whole = _whole(predicted)
    z = decisions.solve(whole)
    if not ((z == 0) | (z == 1)).all():
        raise ArgumentError("decisions", "solutions other than of 0 and 1", "ties are told for those", "use regret")
    costs = decisions.costs.double()
    share = costs / (2 * costs.abs().flatten(1).sum(dim=1).clamp_min(_FLOOR)).view(-1, *[1] * (costs.dim() - 1))
    worst = decisions.solve(whole - share)
    if not _takes(decisions, whole - share) or not torch.equal(objectives(worst, whole), objectives(z, whole)):
        raise ArgumentError(
            "decisions",
            f"{in_short(decisions.solver)}, which is not exact for predicted costs minus true ones",
            "it must be, so that true costs break ties",
            "use regret, or a solver for costs of either sign",
        )
    return _formed(_regrets(worst, decisions), decisions, form)


def spo_error(predicted: Values, costs: Values, solver: Solver, *, sense: Sense) -> float:
    """Normalised :func:`regret` of predicted costs ``(N, *event)``, from arrays alone: optima are solved for the purpose.

    Raises:
        ArgumentError: as for :class:`Decisions` and :func:`regret`.
    """
    decisions = Decisions(torch.zeros(len(costs), 1), costs, solver, sense=sense)
    return float(regret(torch.as_tensor(predicted), decisions))


def squared_error(predicted: Tensor, decisions: Decisions) -> float:
    """Mean over instances of the mean squared error of predicted costs ``(N, *event)`` over entries.

    Raises:
        ArgumentError: predictions of another shape.
    """
    _check(predicted, decisions)
    return float((predicted.detach().double().cpu() - decisions.costs.double()).square().mean())


@dataclass(frozen=True)
class DecisionQuality:
    """Quality of a network's decisions.

    Attributes:
        regret: sum of the regrets over the sum of the absolute optima.
        worst: the same if ties of predicted costs fall out as badly as they can; None where a solver cannot tell, or nobody
            asks.
        optimal: share of instances without regret.
        mse: mean squared error of predicted costs.
    """

    regret: float
    worst: float | None
    optimal: float
    mse: float


def predict(network: nn.Module, decisions: Decisions) -> Tensor:
    """Costs ``(N, *event)`` that a network, in evaluation mode, predicts from features, without gradients."""
    device = next((tensor.device for tensor in chain(network.parameters(), network.buffers())), torch.device("cpu"))
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            predicted: Tensor = network(decisions.features.to(device)).cpu()
    finally:
        network.train(training)
    return predicted


def judge(network: nn.Module, decisions: Decisions, *, ties: bool = True) -> DecisionQuality:
    """Judges a network from features to costs; where there are several processes, the instances of all of them together.

    Args:
        network: from features ``(N, *shape)`` to costs ``(N, *event)``.
        decisions: instances with their true costs and optima.
        ties: look for the worst regret under ties, too, which takes two more solves of each instance.

    Raises:
        ArgumentError: no instances; a network that predicts another shape, NaN or infinite costs; or as the solver raises.
    """
    predicted = predict(network, decisions)
    each = regret(predicted, decisions, "none")
    optimal = each <= TOLERANCE * room(decisions.costs, decisions.gold)
    worst = torch.tensor(torch.nan)
    if ties:
        with suppress(ArgumentError):
            worst = worst_regret(predicted, decisions, "none").sum()
    errors = torch.tensor(squared_error(predicted, decisions), dtype=torch.float64) * len(decisions)
    numbers = [decisions.optimum.abs().sum(), each.sum(), worst, optimal.sum(), errors, torch.tensor(len(decisions))]
    sums = process_group.summed(torch.stack([number.double() for number in numbers])).tolist()
    optima, total, worst_total, without, error, count = sums
    check_some(count)
    optima += _FLOOR
    return DecisionQuality(
        total / optima, None if worst_total != worst_total else worst_total / optima, without / count, error / count
    )


def _check(predicted: Tensor, decisions: Decisions) -> None:
    if predicted.shape != decisions.costs.shape:
        raise wrong_shape(
            "predicted",
            predicted,
            "there is one for each true cost",
            "give the network as many outputs",
            f" for costs of shape {tuple(decisions.costs.shape)}",
        )
    wrong = int((~predicted.isfinite()).sum())
    if wrong:
        raise ArgumentError("predicted", f"{wrong} that are NaN or infinite", "they must be finite", "use a smaller step")


def _takes(decisions: Decisions, costs: Tensor) -> bool:
    """True where the solver declares no domain, or one that holds the costs."""
    low, high = declared(decisions.solver, "domain") or (-torch.inf, torch.inf)
    theta = asked(decisions.solver, costs, decisions.sense)
    return bool(((low <= theta) & (theta <= high)).all())


def _regrets(z: Tensor, decisions: Decisions) -> Tensor:
    """Regrets ``(N,)`` of decisions."""
    return decisions.sign * (objectives(z.cpu(), decisions.costs) - decisions.optimum)


def _formed(regrets: Tensor, decisions: Decisions, form: Form) -> Tensor:
    check_name("form", form, get_args(Form))
    if form == "none":
        return regrets
    if form == "mean":
        return regrets.mean()
    return regrets.sum() if form == "sum" else regrets.sum() / (decisions.optimum.abs().sum() + _FLOOR)


def _whole(predicted: Tensor) -> Tensor:
    """Predicted costs as whole numbers of up to six digits, ``(N, *event)`` float64."""
    costs = predicted.detach().double().cpu()
    largest = costs.abs().flatten(1).amax(dim=1).clamp_min(torch.finfo(torch.float64).tiny)
    unit = 10.0 ** (largest.log10().floor() - _DIGITS)
    return (costs / unit.view(-1, *[1] * (costs.dim() - 1))).round()
