"""Blackbox interpolation: the slope of the solution between the parameters and a step against the loss gradient."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from imle_core import checks, contracts
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.layer import Backward, Layer
from imle_core.estimators.row_steps import divided, for_rows


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class BlackboxInterpolation(Layer):
    """``g_s = [MAP(theta_s) - MAP(theta_s - lambda dy_s)] / lambda`` with ``theta_s = theta + tau_in eps_s``.

    It is the exact gradient of a piecewise affine interpolation of the loss. The noise is part of its parameters, so that
    there is no noise temperature of its own in the backward pass; lambda is the target's ``step_size``, whose other
    properties play no part. Without noise and with alpha = 1, I-MLE is lambda times this.

    Source: Vlastelica et al. 2020 (arXiv 1912.02175), algorithm 1, for a solver that maximises.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.check_method("target_distribution", self.target, "step_size", "use TargetDistribution(), or give it one")

    def sample_gradients(self, call: Backward) -> Tensor:
        """Differences of solutions over lambda; 0 where lambda is 0."""
        theta, dy = call.theta, call.dy
        step = contracts.step_size(self.target, theta.flatten(0, 1), dy.flatten(0, 1))
        walls = theta[:, :1].isinf()  # of all samples; such an entry keeps its place: it has no slope
        moved = (theta - torch.where(walls, 0.0, for_rows(step, dy) * dy)).to(theta)
        contracts.check_finite_step(torch.where(walls, 0.0, moved))
        difference = call.z - self.states(moved, call.eps, self.input_temperature, call.arguments)
        perturbed = partial(self.perturbed, theta, call.eps, self.input_temperature)
        self.watch.look(self.target, perturbed, dy, call.z, difference, True)
        return divided(difference, step)
