"""Perturb-and-MAP: solutions for parameters with noise."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from imle_core import checks, contracts
from imle_core.contracts import Noise


def perturb_and_map(
    solver: Callable[[Tensor], Any],
    theta: Tensor,
    noise_distribution: Noise | None = None,
    *,
    nb_samples: int = 1,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """``z_s = MAP(theta + tau * eps_s)``: S samples for each instance, by one call of the solver with B*S rows.

    Args:
        solver: ``(N, *event) -> (N, *event)``, maximises.
        theta: parameters, ``(B, *event)``.
        noise_distribution: gives eps; no noise if None.
        nb_samples: S >= 1.
        temperature: tau >= 0.
        generator: source of the noise; torch's global generator if None.

    Returns:
        States ``(B, S, *event)`` in theta's type.

    Raises:
        ArgumentError: an argument outside its range, or a wrong shape of noise or solution.
        ArgumentTypeError: parameters or solutions of a wrong type.

    Source: Papandreou and Yuille 2011, "Perturb-and-MAP random fields".
    """
    check_sampling(solver, theta, nb_samples, temperature)
    with torch.no_grad():
        theta = theta.detach()
        eps = None
        if noise_distribution is not None and temperature > 0:
            eps = contracts.draw_noise(noise_distribution, theta, nb_samples, generator, solver)
        rows = add_noise(theta.unsqueeze(1), eps, temperature, nb_samples)
        return contracts.map_states(solver, rows, fresh=eps is not None)


def check_sampling(solver: Any, theta: Any, nb_samples: Any, temperature: Any) -> None:
    """Refuses what nothing can be sampled of, or with."""
    contracts.check_solver(solver, "max")
    checks.check_theta(theta)
    checks.check_samples("nb_samples", nb_samples)
    checks.check_temperature("temperature", temperature)
    contracts.check_instances(solver, len(theta))


def add_noise(theta: Tensor, eps: Tensor | None, temperature: float, nb_samples: int) -> Tensor:
    """``theta + tau * eps`` for theta ``(B, 1 or S, *event)``, shape ``(B, S, *event)``."""
    if eps is None or temperature == 0:
        return theta.expand(-1, nb_samples, *theta.shape[2:])
    perturbed = theta + temperature * eps
    contracts.check_noise_fits(perturbed, theta)
    return perturbed
