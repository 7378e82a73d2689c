"""Gibbs distributions over finite sets of structures, and the questions that have exact answers."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from imle_core.checks import ArgumentError, check_samples, wrong_shape
from imle_core.exact.parameters import NEVER, Shape, event_shape, wide_parameters


class ExponentialFamily(ABC):
    """``p(z) = exp(<z, theta> - A(theta))`` over a finite set of structures z, row by row, exactly.

    All answers are float64 on theta's device, whatever theta's type, and differentiable by autograd in theta, twice and
    more. theta ``(N, *event)`` may hold any finite numbers up to 1e250 in size, and -inf for an entry that is never
    chosen, which gets gradient 0.

    A family of one's own implements ``count``, ``_states`` and ``_log_partition``, and has the rest.

    Attributes:
        event: shape of a structure.

    Args:
        event: shape of a structure; a number n stands for ``(n,)``.

    Raises:
        ArgumentError: an event without axes or with a size < 1; when called, theta of another shape, NaN, +inf, finite
            entries beyond 1e250, or -inf on so many entries that no structure is left.
    """

    def __init__(self, event: Shape) -> None:
        self.event = event_shape(event)

    @abstractmethod
    def count(self) -> int:
        """Number of structures, exactly, without enumeration."""

    @abstractmethod
    def _states(self) -> Tensor:
        """All structures ``(M, *event)``, float64, each once."""

    @abstractmethod
    def _log_partition(self, theta: Tensor) -> Tensor:
        """``A(theta)``, ``(N,)``, for float64 parameters that hold ``NEVER`` in place of -inf; below NEVER / 2 for none."""

    def _log_base(self, z: Tensor) -> Tensor:
        """``log h(z)``, ``(M,)``, for structures ``(M, *event)``: what is added to ``<z, theta>``."""
        return z.new_zeros(len(z))

    def _mean_log_base(self, theta: Tensor) -> Tensor:
        """``E log h(z)``, ``(N,)``, for float64 parameters that hold ``NEVER`` in place of -inf."""
        return theta.new_zeros(len(theta))

    def log_partition(self, theta: Tensor) -> Tensor:
        """``A(theta) = log sum_z exp <z, theta>``, ``(N,)``, for parameters ``(N, *event)``."""
        return self._log_partition(self._read(theta))

    def marginals(self, theta: Tensor) -> Tensor:
        """``E[z]``, the gradient of A, ``(N, *event)``, for parameters ``(N, *event)``."""
        wide = self._read(theta)
        if torch.is_grad_enabled() and wide.requires_grad:
            return self._means(wide, create_graph=True)
        with torch.inference_mode(False), torch.enable_grad():
            return self._means(wide.detach().clone().requires_grad_(), create_graph=False)

    def covariance(self, theta: Tensor) -> Tensor:
        """``Cov[z]``, the Hessian of A, ``(N, n, n)`` over the n entries of an event, for parameters ``(N, *event)``."""
        self._read(theta)
        size = math.prod(self.event)
        units = torch.eye(size, dtype=torch.float64, device=theta.device).repeat(len(theta), 1)
        rows = self.expectation_gradient(theta.repeat_interleave(size, dim=0), units.view(-1, *self.event))
        return rows.reshape(-1, size, size)

    def expectation_gradient(self, theta: Tensor, weights: Tensor) -> Tensor:
        """Gradient ``Cov[z] w`` of ``E<w, z>`` in theta, ``(N, *event)``, without forming the covariance.

        Args:
            theta: parameters, ``(N, *event)``.
            weights: w, ``(*event)``, or ``(N, *event)`` with one for each row.

        Raises:
            ArgumentError: weights of another shape.
        """
        wide = self._read(theta)
        if weights.shape not in (self.event, wide.shape):
            raise wrong_shape(
                "weights", weights, f"it must be {self.event} or {tuple(wide.shape)}", "give one weight an entry"
            )
        weights = weights.to(wide)
        if torch.is_grad_enabled() and (wide.requires_grad or weights.requires_grad):
            own = wide if wide.requires_grad else wide.clone().requires_grad_()
            return _gradient((self._means(own, create_graph=True) * weights).sum(), own, create_graph=True)
        with torch.inference_mode(False), torch.enable_grad():
            own = wide.detach().clone().requires_grad_()
            return _gradient((self._means(own, create_graph=True) * weights.clone()).sum(), own, create_graph=False)

    def log_probability(self, z: Tensor, theta: Tensor) -> Tensor:
        """``log p(z) = <z, theta> - A(theta)``, ``(N,)``; -inf where z has an entry that is never chosen.

        Args:
            z: structures, ``(N, *event)``, taken to be valid: one outside the set gets a number that means nothing.
            theta: parameters, ``(N, *event)``.

        Raises:
            ArgumentError: structures of another shape than theta's.
        """
        wide = self._read(theta)
        if z.shape != wide.shape:
            raise wrong_shape(
                "z", z, "both must have one", "give a structure a row", f" for theta of shape {tuple(wide.shape)}"
            )
        z = z.to(wide)
        closed = wide <= NEVER
        inside = (wide.masked_fill(closed, 0) * z).flatten(1).sum(dim=1) + self._log_base(z)
        outside = (closed & (z != 0)).flatten(1).any(dim=1)
        return inside.masked_fill(outside, -torch.inf) - self._log_partition(wide)

    def entropy(self, theta: Tensor) -> Tensor:
        """``H(p) = -E log p(z) = A(theta) - <E[z], theta>``, ``(N,)``, in nats, for parameters ``(N, *event)``.

        The Kullback-Leibler divergence from the uniform distribution is ``log(count()) - H(p)``. Where the logarithm of h
        is not 0, its mean is subtracted, too. The result is as exact as a difference of numbers of the size of
        ``<E[z], theta>`` in float64.

        Source: Wainwright, Jordan 2008, "Graphical Models, Exponential Families, and Variational Inference", section 3.6.
        """
        return self._code_length(theta, theta)

    def cross_entropy(self, theta: Tensor, other: Tensor) -> Tensor:
        """``-E_theta log p_other(z) = A(other) - <E_theta[z], other>``, ``(N,)``, in nats; inf where p_other lacks support.

        Args:
            theta: parameters of the distribution that the mean is taken of, ``(N, *event)``; one row stands for all.
            other: parameters of the distribution whose logarithm is averaged, ``(N, *event)``, or ``(*event)`` for all rows.

        Raises:
            ArgumentError: parameters of two shapes.
        """
        return self._code_length(theta, other)

    def kl(self, theta: Tensor, other: Tensor) -> Tensor:
        """``KL(p_theta || p_other) = E_theta[log p_theta(z) - log p_other(z)]``, ``(N,)``, in nats; inf without support.

        It is ``A(other) - A(theta) - <E_theta[z], other - theta>``, the Bregman divergence of A, which needs no sum over
        structures. Where both hold -inf, an entry adds nothing.

        Args:
            theta: parameters ``(N, *event)`` of p_theta, which the mean is taken of; one row stands for all.
            other: parameters ``(N, *event)`` of p_other, or ``(*event)`` for all rows.

        Raises:
            ArgumentError: parameters of two shapes.

        Source: Wainwright, Jordan 2008, "Graphical Models, Exponential Families, and Variational Inference", section 5.2.2.
        """
        wide, wide_other, means = self._means_under(theta, other)
        gap = (wide_other - wide).masked_fill((wide <= NEVER) | (wide_other <= NEVER), 0)
        divergence = self._log_partition(wide_other) - self._log_partition(wide) - (means * gap).flatten(1).sum(dim=1)
        return divergence.masked_fill(self._lacks_support(means, wide_other), torch.inf)

    def states(self, most: int = 2**20) -> Tensor:
        """All structures, ``(M, *event)``, float64.

        Args:
            most: largest number to enumerate.

        Raises:
            ArgumentError: there are more.
        """
        count = self.count()
        if count > most:
            number = count if count < 10**30 else f"about 1e{math.floor(math.log10(count))}"
            raise ArgumentError(
                "states",
                str(number),
                f"enumeration takes at most {most}",
                "use the family's own marginals, or sample",
                "there are",
            )
        return self._states()

    def expectation(self, theta: Tensor, loss: Callable[[Tensor], Tensor]) -> Tensor:
        """``E f(z) = sum_z p(z) f(z)``, ``(N,)``, by enumeration; autograd gives its gradient.

        Args:
            theta: parameters, ``(N, *event)``.
            loss: f, gives M numbers for all M structures ``(M, *event)``, which are float64.

        Raises:
            ArgumentError: more than 2^20 structures; a loss that gives anything but M finite numbers.
        """
        wide = self._read(theta)
        states = self.states().to(wide.device)
        values = loss(states)
        if not isinstance(values, Tensor) or values.shape != (len(states),):
            got = f"shape {tuple(values.shape)}" if isinstance(values, Tensor) else repr(type(values).__name__)
            raise ArgumentError(
                "loss", f"{got} for {len(states)} states", "it must give a number a state", "return a tensor (M,)"
            )
        if not (finite := values.detach().isfinite()).all():
            raise ArgumentError(
                "loss",
                f"{int((~finite).sum())} NaN or inf for {len(states)} states",
                "it must give finite numbers",
                "look for 0/0 or log(0)",
            )
        return self._scores(wide, states).softmax(dim=1) @ values.to(wide)

    def sample(self, theta: Tensor, nb_samples: int, generator: torch.Generator | None = None) -> Tensor:
        """Independent exact samples ``(N, nb_samples, *event)``, in theta's type.

        Args:
            theta: parameters, ``(N, *event)``.
            nb_samples: number of samples of each row, >= 1.
            generator: source of randomness; torch's own if None. Draws are made where it lives.

        Raises:
            ArgumentError: fewer than one sample.
        """
        check_samples("nb_samples", nb_samples)
        with torch.no_grad():
            wide = self._read(theta)
            kind = theta.dtype if theta.is_floating_point() else wide.dtype
            device = wide.device if generator is None else generator.device
            drawn = self._sample(wide.to(device), int(nb_samples), generator)
            return drawn.to(wide.device, kind).view(len(wide), int(nb_samples), *self.event)

    def _sample(self, theta: Tensor, nb_samples: int, generator: torch.Generator | None) -> Tensor:
        """Samples ``(N, nb_samples, ...)``, by enumeration and the inverse of the distribution function."""
        states = self.states().to(theta.device)
        ends = self._scores(theta, states).softmax(dim=1).cumsum(dim=1)
        uniforms = torch.empty(len(theta), nb_samples, dtype=theta.dtype, device=theta.device).uniform_(generator=generator)
        # Divided by its last entry the function ends at 1, above every uniform number, whatever was rounded.
        return states[torch.searchsorted(ends / ends[:, -1:], uniforms, right=True)]

    def _scores(self, theta: Tensor, states: Tensor) -> Tensor:
        """``<z, theta> + log h(z)``, ``(N, M)``; NEVER where z has an entry that is never chosen."""
        rows, columns = theta.flatten(1), states.flatten(1).T
        closed = rows <= NEVER
        scores = rows.masked_fill(closed, 0) @ columns + self._log_base(states)
        if not closed.any():
            return scores
        return scores.masked_fill(closed.to(rows) @ (columns != 0).to(rows) > 0, NEVER)

    def _means(self, theta: Tensor, create_graph: bool) -> Tensor:
        return _gradient(self._log_partition(theta).sum(), theta, create_graph)

    def _code_length(self, theta: Tensor, other: Tensor) -> Tensor:
        wide, wide_other, means = self._means_under(theta, other)
        inside = (means * wide_other.masked_fill(wide_other <= NEVER, 0)).flatten(1).sum(dim=1)
        length = self._log_partition(wide_other) - inside - self._mean_log_base(wide)
        return length.masked_fill(self._lacks_support(means, wide_other), torch.inf)

    def _means_under(self, theta: Tensor, other: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Two parameters as recursions need them, and the means under the first."""
        theta, other = self._alike(theta, other)
        wide, wide_other = self._read(theta), self._read(other)
        return wide, wide_other, self.marginals(theta)

    def _alike(self, theta: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """The same parameters with as many rows; one row stands for all, and so does ``other`` without an axis of rows."""
        rows = other.unsqueeze(0) if other.shape == self.event else other
        sizes = {theta.shape[:1], rows.shape[:1]} - {torch.Size([1])}
        if theta.shape[1:] != rows.shape[1:] or len(sizes) > 1:
            raise wrong_shape(
                "other",
                other,
                "it must be (N, *event) as theta is, or (*event) for all rows",
                "give a row a row, or one for all",
                f" for theta of shape {tuple(theta.shape)}",
            )
        count = (sizes or {torch.Size([1])}).pop()
        return theta.expand(*count, *theta.shape[1:]), rows.expand(*count, *rows.shape[1:])

    @staticmethod
    def _lacks_support(means: Tensor, other: Tensor) -> Tensor:
        """Rows ``(N,)`` whose structures hold entries that are closed in ``other``."""
        return ((means.detach() != 0) & (other <= NEVER)).flatten(1).any(dim=1)

    def _read(self, theta: Tensor) -> Tensor:
        wide = wide_parameters(theta, self.event, repr(self))
        closed = wide.detach() <= NEVER
        if closed.any():
            with torch.no_grad():
                none = self._log_partition(torch.zeros_like(wide).masked_fill(closed, NEVER)) < NEVER / 2
            if none.any():
                row = f"row {int(none.nonzero()[0])} of {len(none)}"
                raise ArgumentError(
                    "theta", f"no structure in {row}", "a structure needs finite entries", "open some", "-inf leaves"
                )
        return wide


def _gradient(value: Tensor, theta: Tensor, create_graph: bool) -> Tensor:
    """Gradient of a number in theta, with a graph of its own even where it is constant."""
    (gradient,) = torch.autograd.grad(value, theta, create_graph=create_graph)
    return gradient + 0 * theta if create_graph and not gradient.requires_grad else gradient
