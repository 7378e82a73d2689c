"""Layers of several parameters: scores of nodes and of edges, in a tuple, list or dict.

Estimators know one tensor of parameters. So the tensors of a structure are laid side by side, ``(B, total)``, in which
autograd takes gradients apart again; the solver, the noise and a known target see the structure. Everything else, such as
norms, steps lambda and projections of an instance, is that of all its entries together.
"""

from copy import copy
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from imle_core import contracts
from imle_core.checks import in_short
from imle_core.contracts import Form, Noise, declared, is_pure
from imle_core.estimators.target import KnownTargetDistribution


class Estimator(Protocol):
    """What is needed of a layer, which documents it."""

    @property
    def solver(self) -> Any: ...  # noqa: D102
    @property
    def noise(self) -> Noise | None: ...  # noqa: D102
    @property
    def target(self) -> Any: ...  # noqa: D102

    def check_packed(self, solver: Any) -> None: ...  # noqa: D102


SomeEstimator = TypeVar("SomeEstimator", bound=Estimator)


def packed_layer(layer: SomeEstimator, form: Form) -> SomeEstimator:
    """The same layer, generator, state of its target and all, for packed parameters ``(B, total)`` of that form.

    Raises:
        ArgumentTypeError: an estimator that knows solvers of one tensor only.
    """
    twin = copy(layer)
    solver = PackedSolver(layer.solver, form)
    layer.check_packed(solver)
    noise = None if layer.noise is None else PackedNoise(layer.noise, form, layer.solver)
    target = layer.target
    if isinstance(target, KnownTargetDistribution):
        target = PackedKnownTarget(target, form)
    for name, value in (("solver", solver), ("noise", noise), ("target", target)):
        object.__setattr__(twin, name, value)
    return twin


class PackedSolver:
    """A solver of structures, for packed parameters: ``(N, total)`` to ``(N, total)``, further outputs after these."""

    def __init__(self, solver: Any, form: Form) -> None:
        self.solver, self.form = solver, form

    def __repr__(self) -> str:
        return f"{in_short(self.solver)} of several tensors"

    @property
    def pure(self) -> bool:
        """True where the solver is."""
        return is_pure(self.solver)

    @property
    def by_instance(self) -> Any:
        """Declaration of the solver that its further arguments have an entry for each instance."""
        return declared(self.solver, "by_instance")

    def __call__(self, rows: Tensor, *args: Any, **kwargs: Any) -> Any:
        """Packed solutions ``(N, total)``."""
        answer = self.solver(self.form.unpacked(rows), *args, **kwargs)
        values, outputs = self.form.answered(answer, len(rows))
        z = self.form.side_by_side([value.detach().to(rows) for value in values])
        return z if outputs is None else contracts.with_first(z, outputs)


class PackedNoise:
    """Noise that is drawn for each tensor of a structure, and given packed."""

    def __init__(self, noise: Noise, form: Form, solver: Any) -> None:
        self.noise, self.form, self.solver = noise, form, solver

    @property
    def pure(self) -> bool:
        """True: what it gives is new."""
        return True

    @property
    def mean(self) -> Any:
        """Mean of a draw."""
        noise: Any = self.noise
        return noise.mean

    @property
    def variance(self) -> Any:
        """Variance of a draw."""
        noise: Any = self.noise
        return noise.variance

    def sample(
        self, shape: torch.Size, *, dtype: torch.dtype, device: torch.device, generator: torch.Generator | None
    ) -> Tensor:
        """Noise ``(B, S, total)``."""
        batch, samples, _ = shape
        draws = []
        for event in self.form.events:
            like = torch.empty((), dtype=dtype, device=device).expand(batch, *event)
            draws.append(contracts.draw_noise(self.noise, like, samples, generator, self.solver).flatten(2))
        return torch.cat(draws, dim=2)

    def score(self, x: Tensor) -> Tensor:
        """Gradient of the log density of draws ``(B, S, total)``, each tensor's by itself."""
        noise: Any = self.noise
        return torch.cat([noise.score(part).flatten(2) for part in self.form.parts(x)], dim=2)


class PackedKnownTarget:
    """True parameters in a structure, packed; what they are is asked for in each backward pass, as without a structure."""

    follows_gradient = False
    pure = True

    def __init__(self, target: KnownTargetDistribution, form: Form) -> None:
        self.target, self.form = target, form

    def check_instances(self, theta: Tensor) -> None:
        """The known parameters must be those of the instances ``(B, total)``, or one for all of them."""
        self._packed(theta).check_instances(theta)

    def params(self, theta: Tensor, dy: Tensor) -> Tensor:
        """The known parameters for each row of ``theta``, ``(N, total)``."""
        return self._packed(theta).params(theta, dy)

    def _packed(self, theta: Tensor) -> KnownTargetDistribution:
        known = self.form.packed_given(self.target.theta, theta, "theta", "the known target has")
        return KnownTargetDistribution(known)
