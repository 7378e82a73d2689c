"""Target distributions: where the parameters move, against the loss gradient, before the backward solve."""

import math

from torch import Tensor


class TargetDistribution:
    """``theta' = alpha * theta - lambda * dy`` with a fixed step ``lambda = beta``.

    Source: Niepert, Minervini, Franceschi 2021 (arXiv 2106.01798), equation 9; ``alpha = 0`` keeps the gradient alone.

    Args:
        alpha: weight of the present parameters, finite, >= 0.
        beta: step size lambda, finite, >= 0. As it goes to 0 the gradient becomes sparse, then zero.

    Raises:
        ValueError: alpha or beta outside its range.
    """

    def __init__(self, alpha: float = 1.0, beta: float = 1.0) -> None:
        for name, value in (("alpha", alpha), ("beta", beta)):
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name}: got {value!r}; it must be a finite number >= 0; the usual value is 1")
        self.alpha, self.beta = alpha, beta

    def __repr__(self) -> str:
        return f"TargetDistribution(alpha={self.alpha:g}, beta={self.beta:g})"

    def params(self, theta: Tensor, dy: Tensor) -> Tensor:
        """Target parameters ``(N, *event)`` for ``theta`` and upstream gradient ``dy``, both ``(N, *event)``."""
        return self.alpha * theta - self.beta * dy

    def step_size(self, theta: Tensor, dy: Tensor) -> float:  # noqa: ARG002
        """The step lambda, by which a scaled gradient is divided."""
        return self.beta
