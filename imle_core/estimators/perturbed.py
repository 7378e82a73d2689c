"""The perturbed optimiser: the Jacobian of the mean solution under noise, by the noise's density."""

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from imle_core import checks
from imle_core.estimators.density import check_density, check_leave_one_out, relative_gradient
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.layer import Backward, Layer
from imle_core.noise import AntitheticNoiseDistribution, NormalNoiseDistribution

Baseline = Literal["none", "noise-free", "leave-one-out"]
Perturbation = Literal["additive", "multiplicative"]


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class PerturbedOptimizer(Layer):
    """``g_s = (<z_s, dy_s> - b_s) nu'(eps_s) / tau_in`` for noise with density ``exp(-nu)``: no step, no second solve.

    Its mean is ``J^T dy`` with the Jacobian J of ``E[MAP(theta + tau eps)]`` where dy does not depend on the noise, as for a
    loss that is linear in z; then a baseline b changes nothing but the variance, since ``E nu' = 0``. "noise-free" takes
    ``b = <MAP(theta), dy_s>``, one more row to solve for each instance; "leave-one-out" the mean of ``<z_t, dy_s>`` over the
    other samples t, at no cost, but for two samples or more. For other losses dy_s is that of its sample: without a baseline
    the mean is then the gradient of ``E <z, dy>``, with one it is biased further. :class:`ScoreFunction` has the gradient
    of any expected loss.

    "multiplicative" perturbs ``theta_i exp(tau eps_i - c)`` with normal noise and the c that keeps the mean at theta. Signs
    stay, so that costs stay positive. The gradient is then divided by ``theta_i``, which must not be 0.

    Source: Berthet et al. 2020 (arXiv 2002.08676), proposition 3.1; multiplicative: Dalle et al. 2022 (arXiv 2207.13513).

    Args:
        baseline: b.
        perturbation: how noise changes the parameters.
    """

    baseline: Baseline = "none"
    perturbation: Perturbation = "additive"

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.check_name("baseline", self.baseline, get_args(Baseline))
        checks.check_name("perturbation", self.perturbation, get_args(Perturbation))
        check_density(self.noise, "the perturbed optimiser")
        if self.baseline == "leave-one-out":
            check_leave_one_out(self.noise, self.nb_samples)
        law = self.noise.law if isinstance(self.noise, AntitheticNoiseDistribution) else self.noise
        if self.perturbation == "multiplicative" and not isinstance(law, NormalNoiseDistribution):
            raise checks.ArgumentError(
                "noise_distribution",
                type(self.noise).__name__,
                "multiplicative perturbation needs normal noise",
                "use NormalNoiseDistribution()",
            )

    def perturbed(self, theta: Tensor, eps: Tensor | None, temperature: float) -> Tensor:
        """Perturbed parameters ``(B, S, *event)``."""
        if self.perturbation == "additive" or eps is None or temperature == 0:
            return super().perturbed(theta, eps, temperature)
        if (theta == 0).any():
            raise checks.ArgumentError(
                "theta",
                f"{int((theta == 0).sum())} zeros",
                "multiplicative noise cannot move them",
                "use perturbation='additive', or parameters other than 0",
            )
        noise: Any = self.noise
        shift = temperature * noise.mean + temperature**2 * noise.variance / 2
        return theta * torch.exp(temperature * eps - shift)

    def noise_free(self) -> "PerturbedOptimizer":
        """The same layer with one sample, and no noise or baseline."""
        return replace(self, nb_samples=1, input_temperature=0.0, target_temperature=0.0, baseline="none")

    def sample_gradients(self, call: Backward) -> Tensor:
        """``<z_s, dy_s>`` above the baseline, times the density's relative gradient."""
        slope = relative_gradient(self.noise, call.eps, self.input_temperature)
        if self.perturbation == "multiplicative":
            slope = slope / call.theta
        height = self.inner_products(call.z, call.dy) - self._baseline(call)
        product = height.view(*height.shape, *[1] * (slope.dim() - 2)) * slope
        return torch.where(call.theta[:, :1].isinf(), 0.0, product)

    def _baseline(self, call: Backward) -> Tensor:
        """b, ``(B, S)``."""
        if self.baseline == "none":
            return call.z.new_zeros(call.z.shape[:2])
        if self.baseline == "noise-free":
            free = self.noise_free().states(call.theta[:, :1], None, 0.0, call.arguments)
            return self.inner_products(free.expand_as(call.dy), call.dy)
        rest = call.z.sum(dim=1, keepdim=True) - call.z
        return self.inner_products(rest, call.dy) / (self.nb_samples - 1)
