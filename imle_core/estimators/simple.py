"""SIMPLE: exact samples forward, the derivative of exact marginals backward."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from imle_core.checks import ArgumentError
from imle_core.estimators.arguments import Arguments
from imle_core.estimators.families import FamilyOfInstances
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.layer import Backward, Draw, Layer
from imle_core.exact import ExponentialFamily, check_family, exact_family


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class Simple(Layer):
    """``g_s = Cov(z) dy_s / tau_in``: samples of ``p(z) ~ exp(<z, theta> / tau_in)``, and the Jacobian of their mean.

    No noise is used but that of the exact sampler. The solver says what is sampled: subsets of k for
    :class:`imle_core.solvers.TopK`, as in the paper, or whatever else has exact marginals; another set of structures needs
    its ``family``. Samples have no further outputs of a solver. Without variance for a loss that is linear in z. Other
    losses are linearised at the sample.

    Source: Ahmed et al. 2023, "SIMPLE: A gradient estimator for k-subset sampling" (arXiv 2210.01941).

    Args:
        family: exact distribution of the states; that of the solver if None.

    Raises:
        ArgumentTypeError: a solver whose exact distribution is not known, and no family.
    """

    family: ExponentialFamily | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.family is None:
            check_family(self.solver, "SIMPLE")

    def check_packed(self, solver: Any) -> None:
        """Only a family that was given, of packed solutions ``(total,)``, is exact for several tensors."""
        if self.family is None:
            check_family(solver, "SIMPLE")

    @property
    def draws_noise(self) -> bool:
        """True where states are sampled, and with noise for the backward pass."""
        return self.samples_exactly or super().draws_noise

    @property
    def samples_exactly(self) -> bool:
        """True above temperature 0."""
        return self.input_temperature != 0

    def draw(self, theta: Tensor, arguments: Arguments) -> Draw:
        """Exact samples; at temperature 0 the solver's state."""
        if self.input_temperature == 0:
            return super().draw(theta, arguments).alone("SIMPLE")
        with self.drawing(theta):
            family = self._family(theta, arguments)
            return Draw(None, family.sample(theta / self.input_temperature, self.nb_samples, self.generator))

    def sample_gradients(self, call: Backward) -> Tensor:
        """Covariance times the samples' mean upstream gradient, which all samples share."""
        if self.input_temperature == 0:
            raise ArgumentError(
                "input_noise_temperature", "0", "exact marginals need a temperature > 0", "use 1 for a start"
            )
        scaled = call.theta[:, 0] / self.input_temperature
        family = self._family(scaled, call.arguments)
        gradient = family.expectation_gradient(scaled, self.over_samples(call.dy)) / self.input_temperature
        return gradient.to(call.z).unsqueeze(1).expand_as(call.z)

    def _family(self, theta: Tensor, arguments: Arguments) -> ExponentialFamily | FamilyOfInstances:
        if self.instances is not None:
            return FamilyOfInstances(self._family_of, self.instances, arguments)
        return self._family_of(theta, arguments)

    def _family_of(self, theta: Tensor, arguments: Arguments, instance: int | None = None) -> ExponentialFamily:
        return self.family or exact_family(self.solver, theta, arguments, instance)
