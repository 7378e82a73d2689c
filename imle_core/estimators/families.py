"""Exact distributions of instances of several sizes: a family for each."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from imle_core.estimators.arguments import Arguments
from imle_core.exact import ExponentialFamily
from imle_core.ragged import Instances
from imle_core.ragged.solvers import selected


@dataclass(frozen=True)
class FamilyOfInstances:
    """Answers of exact families for padded parameters ``(B, n, *rest)``, which are 0 in padding.

    Instances are asked about one after the other, so that neither batch mates nor what these draw change a bit.

    Attributes:
        family: makes the family of parameters ``(1, size, *rest)``, further arguments of the solver, and the instance's
            number.
        instances: sizes of the instances.
        arguments: further arguments of the solver for all instances.
    """

    family: Callable[[Tensor, Arguments, int], ExponentialFamily]
    instances: Instances
    arguments: Arguments

    def sample(self, theta: Tensor, nb_samples: int, generator: torch.Generator | None = None) -> Tensor:
        """Independent exact samples ``(B, nb_samples, n, *rest)``."""
        z = theta.new_zeros(len(theta), nb_samples, *theta.shape[1:])
        for b, size in self._filled():
            alone = theta[b : b + 1, :size]
            z[b : b + 1, :, :size] = self._alone(alone, b).sample(alone, nb_samples, generator)
        return z

    def marginals(self, theta: Tensor) -> Tensor:
        """``E[z]``, ``(B, n, *rest)``, float64."""
        means = torch.zeros_like(theta, dtype=torch.float64)
        for b, size in self._filled():
            alone = theta[b : b + 1, :size]
            means[b : b + 1, :size] = self._alone(alone, b).marginals(alone)
        return means

    def expectation_gradient(self, theta: Tensor, weights: Tensor) -> Tensor:
        """Gradient ``Cov[z] w`` of ``E<w, z>``, ``(B, n, *rest)``, float64."""
        gradient = torch.zeros_like(theta, dtype=torch.float64)
        for b, size in self._filled():
            alone = theta[b : b + 1, :size]
            gradient[b : b + 1, :size] = self._alone(alone, b).expectation_gradient(alone, weights[b : b + 1, :size])
        return gradient

    def _filled(self) -> list[tuple[int, int]]:
        """Numbers and sizes of the instances with entries."""
        return [(b, size) for b, size in enumerate(self.instances.sizes.tolist()) if size]

    def _alone(self, theta: Tensor, b: int) -> ExponentialFamily:
        return self.family(theta, selected(*self.arguments, np.array([b]), len(self.instances)), b)
