"""Ways in which a network learns costs of tiles: through the solver by any estimator, or without it, as baselines do."""

from typing import Literal, get_args

import torch
from torch import Tensor

from imle_core import checks
from imle_core.contracts import Noise, Target
from imle_core.estimators import ESTIMATORS, AdaptiveTargetDistribution, TargetDistribution, differentiable
from imle_core.solvers import GridPath
from imle_core.training import Clock, LearningMethod, Regression, ThroughSolver, WatchedSolver, watched_noise

PathLoss = Literal["hamming", "squared"]

_PATHS, _COSTS = "gold paths", "true costs of all tiles"
_LEAST = 1e-6

BASELINES = {"regression": _COSTS, "tiles": _PATHS, "mean-colour": _COSTS}
"""Methods that learn without a solver, with their supervision."""

SUPERVISION = dict.fromkeys(ESTIMATORS, _PATHS) | BASELINES
"""Everything that can learn, by name, and by what supervision."""


class TileClassification(LearningMethod):
    """``sum y c - (1 - y) log(1 - exp(-c))`` over tiles: is a tile on the path, each tile by itself?

    A cost is read as ``c = -log p(tile is on the path)``, so that the cheapest path is the most probable one among
    independent tiles. The loss is their cross entropy.
    """

    def losses(self, predicted: Tensor, gold: Tensor, truth: Tensor) -> Tensor:  # noqa: ARG002
        """Cross entropies."""
        off = -torch.log(-torch.expm1(-predicted.clamp(min=_LEAST)))
        return (gold * predicted + (1 - gold) * off).flatten(1).sum(dim=1)


def make_method(
    name: str,
    *,
    noise_distribution: Noise | None = None,
    nb_samples: int = 1,
    input_noise_temperature: float = 1.0,
    target_noise_temperature: float = 1.0,
    alpha: float = 1.0,
    beta: float = 1.0,
    loss: PathLoss | None = None,
    generator: torch.Generator | None = None,
    clock: Clock | None = None,
) -> LearningMethod:
    """A method by name: an estimator of ``imle_core.estimators.ESTIMATORS``, "regression" or "tiles".

    Args:
        name: the name. "mean-colour" learns by no loss; it is :class:`imle_core.perception.colour_lookup.ColourLookup`.
        noise_distribution: gives eps; no noise if None.
        nb_samples: S, samples of each map.
        input_noise_temperature: tau_in, of the forward pass.
        target_noise_temperature: tau_tgt, of the backward pass.
        alpha: of the target ``alpha*theta - lambda*dy``.
        beta: its lambda.
        loss: "hamming" or "squared"; the estimator's usual one if None. An estimator that is a loss keeps its own.
        generator: source of the noise.
        clock: adds up the time of solver and noise.

    Raises:
        ArgumentError: an unknown name, noise that the estimator cannot use, or a setting outside its range.
        ArgumentTypeError: an estimator that cannot use the grid solver.
    """
    checks.check_name("estimator", name, [*ESTIMATORS, "regression", "tiles"])
    if loss is not None:
        checks.check_name("loss", loss, get_args(PathLoss))
    if name in BASELINES:
        return Regression() if name == "regression" else TileClassification()
    watch = Clock() if clock is None else clock
    entry = ESTIMATORS[name]
    target: Target = TargetDistribution(alpha, beta)
    if entry.adaptive:
        target = AdaptiveTargetDistribution(alpha, synchronised=True)
    layer = differentiable(
        name,
        WatchedSolver(GridPath(), watch),
        target,
        watched_noise(noise_distribution, watch),
        nb_samples,
        input_noise_temperature,
        target_noise_temperature,
        sense="min",
        generator=generator,
        **entry.cost_options,
    )
    return ThroughSolver(layer, None if entry.needs == "gold solutions" else loss or entry.usual_loss)
