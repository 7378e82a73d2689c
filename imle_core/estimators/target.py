"""Target distributions: where the parameters move, against the loss gradient, before the backward solve.

What supervises them differs:

* ``TargetDistribution(alpha=1, beta)`` and ``AdaptiveTargetDistribution``: the gradient of a loss on the solution.
* ``TargetDistribution(alpha=0, beta)``: that gradient alone, whatever theta is; with a Hamming loss the target's solution is
  the gold one, and the estimator becomes the perturbed Fenchel-Young (perceptron) gradient.
* ``KnownTargetDistribution``: the true parameters of the problem, such as true costs; no loss is needed.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from imle_core import checks, ragged
from imle_core.contracts import Parameters, is_pure, mapped, named_values


class TargetDistribution:
    """``theta' = alpha * theta - lambda * dy`` with a fixed step ``lambda = beta``: beta is the paper's lambda.

    Source: Niepert, Minervini, Franceschi 2021 (arXiv 2106.01798), equation 9; ``alpha = 0`` keeps the gradient alone.

    Args:
        alpha: weight of the present parameters, finite, >= 0.
        beta: step size lambda, finite, >= 0; 1 if None. As it goes to 0 the gradient becomes sparse, then zero.
        lambda_: the same by its name in the papers; give one of the two.
        relative: ``lambda = beta ||theta|| / ||dy||`` of each row, over its finite entries, 0 where dy is 0: the same step
            whatever the scale of the loss, so that a mean over rows changes nothing. With beta = 1 the target moves as far
            as theta is long.

    Raises:
        ArgumentError: alpha or beta outside its range, or both beta and lambda_.
        ArgumentTypeError: alpha or beta is a tensor that wants a gradient, which it would not get.
    """

    pure = True

    def __init__(
        self, alpha: float = 1.0, beta: float | None = None, *, lambda_: float | None = None, relative: bool = False
    ) -> None:
        named, step = _named("beta", beta, lambda_, 1.0)
        for name, value in (("alpha", alpha), (named, step)):
            _check_weight(name, value)
        self.alpha, self.beta, self.relative = alpha, step, bool(relative)

    @property
    def lambda_(self) -> float:
        """The step lambda, the same as ``beta``."""
        return self.beta

    @lambda_.setter
    def lambda_(self, value: float) -> None:
        _check_weight("lambda_", value)
        self.beta = value

    def __repr__(self) -> str:
        relative = ", relative=True" if self.relative else ""
        return f"TargetDistribution(alpha={self.alpha:g}, lambda_={self.beta:g}{relative})"

    def params(self, theta: Tensor, dy: Tensor) -> Tensor:
        """Target parameters ``(N, *event)`` for ``theta`` and upstream gradient ``dy``, both ``(N, *event)``."""
        wide = torch.promote_types(theta.dtype, torch.float32)
        if wide != theta.dtype:  # float16 holds no product above 65504
            return self.params(theta.to(wide), dy.to(wide)).to(theta)
        if self.relative:
            return _moved(self.alpha, theta, self._step(theta, dy, _norms), dy)
        return (theta if self.alpha == 1 else self.alpha * theta) - self.beta * dy

    def step_size(self, theta: Tensor, dy: Tensor) -> float | Tensor:
        """The step lambda, by which a scaled gradient is divided; of each row, ``(N,)``, where it is relative."""
        return self._step(theta, dy, _norms) if self.relative else self.beta

    def of_instances(self, instances: ragged.Instances) -> "TargetDistribution | _RelativeOfInstances":  # noqa: ARG002
        """The target for padded rows; itself where entries move one by one, and infinite ones stay."""
        return _RelativeOfInstances(self) if self.relative else self

    def _step(self, theta: Tensor, dy: Tensor, norms: Callable[[Tensor], Tensor]) -> Tensor:
        return _relative(self.beta, theta, dy, norms)


def _relative(beta: float | Tensor, theta: Tensor, dy: Tensor, norms: Callable[[Tensor], Tensor]) -> Tensor:
    """``beta ||theta|| / ||dy||`` of each row over its finite entries, ``(N,)``; 0 where dy is 0."""
    walls = theta.isinf()
    size, slope = (norms(values.masked_fill(walls, 0.0)) for values in (theta, dy))
    return torch.where(slope > 0, beta * size / slope, 0.0)


def _moved(alpha: float, theta: Tensor, step: Tensor, dy: Tensor) -> Tensor:
    """``alpha * theta - lambda * dy`` with a lambda for each row."""
    return (alpha * theta - step.view(-1, *[1] * (theta.dim() - 1)) * dy).to(theta)


def _check_weight(name: str, value: float) -> None:
    checks.check_not_learned(name, value, "take AdaptiveTargetDistribution")
    checks.check_finite(name, value, "the usual value is 1")


def _named(name: str, value: float | None, lambda_: float | None, usual: float) -> tuple[str, float]:
    """A setting that is also called lambda_: the name by which it was given, and its value."""
    if value is not None and lambda_ is not None:
        raise checks.ArgumentError(
            "lambda_", f"{lambda_!r} and {name}={value!r}", "they are two names of one setting", f"leave out {name}"
        )
    if lambda_ is not None:
        return "lambda_", lambda_
    return name, usual if value is None else value


class KnownTargetDistribution:
    """``theta'`` is given: the parameters whose solution is wanted, such as minus the true costs.

    The gradient is then ``mean_s [MAP(theta + tau_in eps_s) - MAP(theta' + tau_tgt eps_s)]``, whatever the loss: that of a
    perturbed Fenchel-Young loss whose gold solutions are those of theta'. It needs the true parameters as supervision.
    There is no step lambda to divide by, and no central difference.

    Source: Niepert, Minervini, Franceschi 2021 (arXiv 2106.01798), section 3.2.

    Args:
        theta: true parameters, finite or infinite but not NaN: ``(*event)`` for all instances, or ``(B, *event)``. Under
            ``sense="min"`` they are minus the true costs. Of a layer of several parameters, a structure like theirs. For
            other instances in each step assign to the attribute ``theta``.

    Raises:
        ArgumentTypeError: parameters that are no floating tensor.
        ArgumentError: NaN; when called, rows that are no multiple of the instances, or another event shape.
    """

    follows_gradient = False
    pure = True

    def __init__(self, theta: Parameters) -> None:
        entries = list(named_values(theta))
        for name, value in entries if any(isinstance(value, Tensor) for _, value in entries) else [("", theta)]:
            if not isinstance(value, Tensor) or not value.is_floating_point():
                got = str(value.dtype) if isinstance(value, Tensor) else type(value).__name__
                raise checks.ArgumentTypeError(
                    f"theta{name}", got, "it must be a tensor of a floating type", "use torch.as_tensor(theta).float()"
                )
            if value.isnan().any():
                raise checks.ArgumentError(
                    f"theta{name}",
                    f"{int(value.isnan().sum())} NaN",
                    "true parameters must be numbers",
                    "-inf is never chosen",
                )
        self.theta: Any = mapped(theta, Tensor.detach)

    def __repr__(self) -> str:
        shape = f"shape {tuple(self.theta.shape)}" if isinstance(self.theta, Tensor) else f"{len(self.theta)} tensors"
        return f"KnownTargetDistribution(theta of {shape})"

    def check_instances(self, theta: Tensor) -> None:
        """The known parameters must be those of the instances ``(B, *event)``, or one for all of them.

        Raises:
            ArgumentError: another shape.
        """
        if not isinstance(self.theta, Tensor):
            got, rule = f"a {type(self.theta).__name__}", "it must be a tensor, as the layer's parameters are"
            raise checks.ArgumentTypeError(
                "theta", got, rule, "give the true parameters as one tensor", "the known target has"
            )
        if self.theta.shape not in (theta.shape, theta.shape[1:]):
            raise _misfit(self.theta, "instances", theta)

    def params(self, theta: Tensor, dy: Tensor) -> Tensor:  # noqa: ARG002
        """The known parameters for each row of ``theta``, ``(N, *event)``; row ``b*S + s`` gets those of instance b."""
        known: Tensor = self.theta.to(theta)
        if known.shape == theta.shape[1:]:
            return known.expand_as(theta)
        if known.shape[1:] != theta.shape[1:] or not len(known) or len(theta) % len(known):
            raise _misfit(known, "rows", theta)
        return known.repeat_interleave(len(theta) // len(known), dim=0)

    def of_instances(self, instances: ragged.Instances) -> "KnownTargetDistribution":
        """The target for padded rows, where the known parameters are those of all instances, ``(T, *rest)``.

        Raises:
            ArgumentError: their number is another.
        """
        total = int(instances.starts[-1])
        if self.theta.dim() == 0 or len(self.theta) != total:
            raise checks.wrong_shape(
                "theta",
                self.theta,
                "it must be (T, *rest), as the values of a ragged batch",
                "give the true parameters of all its instances, one after the other",
                f" for {total} entries",
                "the known target has",
            )
        return KnownTargetDistribution(instances.padded(self.theta, -torch.inf, -1.0))


def _misfit(known: Tensor, rows: str, theta: Tensor) -> checks.ArgumentError:
    return checks.wrong_shape(
        "theta",
        known,
        "it must be (*event), or (B, *event) with the layer's B instances",
        "give the true parameters of this batch",
        f" for {rows} of shape {tuple(theta.shape)}",
        "the known target has",
    )


class AdaptiveTargetDistribution(nn.Module):
    """``theta' = alpha * theta - lambda * dy`` with ``lambda = beta ||theta|| / ||dy||`` and a beta that finds its own size.

    Norms and lambda are those of each row, over its finite entries, so that a row's gradient does not depend on its batch
    mates; it is 0 where lambda or dy is 0. Gradients are divided by lambda. beta is one number for the layer. After each
    backward pass it moves by a fixed step: up where the moving average of the number of non-zero entries in a sample's
    gradient (a mean over rows) is below its target, down where it is above, but not below ``least``:

        rate <- decay * rate + (1 - decay) * mean_rows |{i: g_i != 0}|
        move <- momentum * move + (1 - momentum) * step * sign(target_rate - rate);   beta <- max(least, beta + move)

    By default beta falls no lower than its start: it grows where hardly anything changes. The source's authors begin at 0
    with the least 0: beta settles where a gradient has about ``target_rate`` non-zero entries, after hundreds of passes. Two
    paths on a grid differ in four or more, so that it falls until most samples tell nothing. Regret in percent after 1/4 of
    the usual training, all of it and 4 times as much, by a summed Hamming loss; means of 3 seeds, deviations .02 to .7:

    ==============================  ==================  ==================  ==================
    solutions                       from 1, least 0     default             best fixed beta
    ==============================  ==================  ==================  ==================
    paths on 5x5                    7.26   7.51   7.89  7.18   7.48   7.51  7.26   7.41   7.43
    5 of 20                         4.22   4.01   4.29  4.18   4.04   4.02  4.17   4.06   4.02
    knapsacks of 2 constraints      8.48   8.54   8.97  8.43   8.59   8.56  8.36   8.54   8.56
    spanning trees of 8 nodes       15.84  14.40  14.58 15.59  14.33  14.48 15.67  14.27  14.43
    assignments of 6                15.47  13.56  15.14 14.82  13.53  13.52 14.86  13.53  13.57
    ==============================  ==================  ==================  ==================

    A larger beta is better for few passes, small theta and strong noise, since its gradients vary less; a smaller one for
    long trainings with a loss of the true costs, and for a single instance.

    State: ``beta``, ``rate``, ``move`` and what has been counted since are buffers, part of ``state_dict`` of this
    module and of :class:`imle_core.IMLE`.
    Gradient accumulation: with ``accumulate = m`` beta moves once in m backward passes, by the mean over all their rows, so
    that m small batches do what one large batch does. Activation checkpointing recomputes forward passes only, which do not
    move beta. Data-parallel replicas: with ``synchronised=True`` the counts of rows and non-zero entries are added up over
    all processes of ``torch.distributed`` in each move, so that every replica makes the same one; all must then make equally
    many backward passes. Without it each replica moves by its own rows, and what ``DistributedDataParallel`` does with
    buffers holds: those of the first replica are sent to the others in each forward pass.

    Source: Minervini, Franceschi, Niepert 2023 (arXiv 2209.04862), section 4; theirs takes norms and lambda over the batch.

    Args:
        alpha: weight of the present parameters, finite, >= 0.
        beta: where beta starts, finite, >= 0; 2 if None, at which the target moves twice as far as theta is long.
        lambda_: another name of it, as for :class:`TargetDistribution`; give one of the two.
        step: by how much beta moves, finite, >= 0; 0 keeps it.
        least: beta falls no lower, 0 <= least <= beta; its start if None. A loaded beta below it only grows.
        momentum: weight of the last move, 0 <= momentum < 1.
        target_rate: wanted number of non-zero entries in a sample's gradient, > 0.
        decay: weight of the past in the average number, 0 <= decay < 1.
        accumulate: backward passes for each move of beta, >= 1.
        synchronised: add counts up over the processes of ``torch.distributed``.

    Raises:
        ArgumentError: a setting outside its range, or both beta and lambda_.
    """

    divides = True
    pure = True
    beta: Tensor
    rate: Tensor
    move: Tensor
    nonzeros: Tensor
    rows: Tensor
    passes: Tensor

    def __init__(
        self,
        alpha: float = 1.0,
        beta: float | None = None,
        *,
        lambda_: float | None = None,
        step: float = 1e-3,
        least: float | None = None,
        momentum: float = 0.0,
        target_rate: float = 1.0,
        decay: float = 0.9,
        accumulate: int = 1,
        synchronised: bool = False,
    ) -> None:
        super().__init__()
        named, start = _named("beta", beta, lambda_, 2.0)
        for name, value, usual in (("alpha", alpha, "1"), (named, start, "2"), ("step", step, "0.001")):
            checks.check_not_learned(name, value, "let it adapt, from where it starts")
            checks.check_finite(name, value, f"the usual value is {usual}")
        least = start if least is None else least
        checks.check_finite("least", least, "leave it out")
        if least > start:
            raise checks.ArgumentError("least", repr(least), f"it must be <= {named}, {start!r}", "leave it out")
        for name, value, usual in (("momentum", momentum, "0"), ("decay", decay, "0.9")):
            if not 0 <= value < 1:
                raise checks.ArgumentError(name, repr(value), "it must be >= 0 and < 1", f"the usual value is {usual}")
        checks.check_finite("target_rate", target_rate, "the usual value is 1", positive=True)
        checks.check_whole("accumulate", accumulate, 1, "use 1 for a move in each pass")
        self.alpha, self.step, self.momentum, self.target_rate, self.decay = alpha, step, momentum, target_rate, decay
        self.accumulate, self.synchronised, self.least = accumulate, synchronised, float(least)
        for name, value in (("beta", start), ("rate", target_rate), ("move", 0.0), ("nonzeros", 0.0), ("rows", 0.0)):
            self.register_buffer(name, torch.tensor(value, dtype=torch.float32))
        self.register_buffer("passes", torch.tensor(0))

    @property
    def lambda_(self) -> Tensor:
        """The present ``beta``, by the other name of it."""
        return self.beta

    def extra_repr(self) -> str:
        """Settings and the present beta."""
        return f"alpha={self.alpha:g}, beta={float(self.beta):g}, step={self.step:g}, target_rate={self.target_rate:g}"

    def params(self, theta: Tensor, dy: Tensor) -> Tensor:
        """Target parameters ``(N, *event)`` for ``theta`` and upstream gradient ``dy``, both ``(N, *event)``."""
        return _moved(self.alpha, theta, self.step_size(theta, dy), dy)

    def step_size(self, theta: Tensor, dy: Tensor) -> Tensor:
        """``lambda = beta ||theta|| / ||dy||`` of each row, ``(N,)``, in float32 at least; 0 where dy is 0."""
        return self._step(theta, dy, _norms)

    def of_instances(self, instances: ragged.Instances) -> "_AdaptiveOfInstances":  # noqa: ARG002
        """The target for padded rows, with the same beta, which it moves."""
        return _AdaptiveOfInstances(self)

    def _step(self, theta: Tensor, dy: Tensor, norms: Callable[[Tensor], Tensor]) -> Tensor:
        return _relative(self.beta.to(theta.device), theta, dy, norms)

    @torch.no_grad()
    def observe(self, difference: Tensor) -> None:
        """Counts the non-zero entries of a backward pass's differences ``(B, S, *event)``, and moves beta if it is time."""
        samples = difference.shape[0] * difference.shape[1]
        self.nonzeros += torch.count_nonzero(difference).to(self.nonzeros)
        self.rows += samples
        self.passes += 1
        if self.passes < self.accumulate:
            return
        counts = torch.stack([self.nonzeros, self.rows])
        if self.synchronised and torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(counts)
        if counts[1] > 0:
            self._move(counts[0] / counts[1])
        for counter in (self.nonzeros, self.rows, self.passes):
            counter.zero_()

    def _move(self, rate: Tensor) -> None:
        self.rate.mul_(self.decay).add_(rate, alpha=1 - self.decay)
        wanted = self.step * torch.sign(self.target_rate - self.rate)
        self.move.mul_(self.momentum).add_(wanted, alpha=1 - self.momentum)
        torch.maximum(self.beta + self.move, self.beta.clamp(max=self.least), out=self.beta)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "AdaptiveTargetDistribution":
        """Moves to another device, but stays in float32: small steps of beta vanish in narrower types."""

        def moved(tensor: Tensor) -> Tensor:
            result = fn(tensor)
            return result if result.dtype == tensor.dtype else tensor.to(result.device)

        super()._apply(moved, recurse)  # type: ignore[no-untyped-call]
        return self


class _RelativeOfInstances:
    """A target with steps relative to theta for padded rows, with norms of which padding changes no bit."""

    pure = True

    def __init__(self, target: "TargetDistribution | AdaptiveTargetDistribution") -> None:
        self._target, self.alpha = target, target.alpha

    def params(self, theta: Tensor, dy: Tensor) -> Tensor:
        """As those of the target."""
        return _moved(self.alpha, theta, self.step_size(theta, dy), dy)

    def step_size(self, theta: Tensor, dy: Tensor) -> Tensor:
        """As that of the target."""
        return self._target._step(theta, dy, ragged.entry_norms)


class _AdaptiveOfInstances(_RelativeOfInstances):
    """The same of an adaptive target, which it moves."""

    divides = True

    def __init__(self, target: AdaptiveTargetDistribution) -> None:
        super().__init__(target)
        self.observe = target.observe
        self.pure = is_pure(target, "params", "step_size", "observe")


def _norms(values: Tensor) -> Tensor:
    """Euclidean norms ``(N,)`` of rows, in float32 at least."""
    wide = torch.promote_types(values.dtype, torch.float32)
    norms: Tensor = torch.linalg.vector_norm(values.flatten(1), dim=1, dtype=wide)
    return norms
