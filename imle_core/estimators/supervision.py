"""What supervises a layer: true parameters, gold solutions, and losses of samples by name."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, get_args

import torch
from torch import Tensor

from imle_core import checks
from imle_core.losses import hamming

LossName = Literal["hamming", "squared", "regret"]

_WORDS = {"truth": "true parameters", "gold": "gold solutions"}


class Supervision(NamedTuple):
    """What a user gave.

    Attributes:
        truth: true parameters (or costs), or None.
        gold: gold solutions, or None.
        loss: name of a loss of samples, or None.
    """

    truth: Any
    gold: Any
    loss: Any

    def needed(self, name: str, who: str) -> Any:
        """The supervision of that name.

        Raises:
            ArgumentError: it is missing.
        """
        value = getattr(self, name)
        if value is None:
            raise checks.ArgumentError(name, "missing", f"{who} learns from {_WORDS[name]}", f"give {name}=...", verb="")
        return value

    def refuse_loss(self, who: str) -> None:
        """Refuses a named loss of samples for an estimator that is a loss itself."""
        if self.loss is not None:
            raise checks.ArgumentError("loss", checks.shown(self.loss), f"{who} has a loss of its own", "leave it out")


class Supervised(Protocol):
    """What is needed of a layer, which documents it."""

    usual_loss: ClassVar[Any]

    def signed(self, theta: Tensor) -> Tensor: ...  # noqa: D102
    def best(self, parameters: Tensor, arguments: Any) -> Tensor: ...  # noqa: D102


def fitting(name: str, value: Any, theta: Tensor) -> Tensor:
    """Supervision in theta's type, which must be a tensor, one for all instances or one for each; without a gradient.

    Theta is known to be ``(B, *event)`` of a floating type.

    Raises:
        ArgumentError: another shape; gold solutions that are NaN or infinite.
        ArgumentTypeError: no tensor.
    """
    if not isinstance(value, Tensor):
        raise checks.ArgumentTypeError(name, type(value).__name__, "it must be a tensor", "use torch.as_tensor")
    if value.shape not in (theta.shape, theta.shape[1:]):
        raise checks.wrong_shape(
            name,
            value,
            "it must be (*event) or (B, *event)",
            f"give one {'gold solution' if name == 'gold' else 'truth'} for all instances, or one for each",
            f" for theta of shape {tuple(theta.shape)}",
        )
    values: Tensor = value.detach().to(theta)
    if name == "gold" and not checks.are_hidden() and not checks.check_values(values, name) and values.isinf().any():
        raise checks.ArgumentError(name, f"{int(values.isinf().sum())} infinite", "solutions are finite", "solve it again")
    return values


def walls_of(theta: Tensor) -> Tensor | None:
    """A mask of infinite entries; None where there are none, which is quick to find out."""
    if not checks.are_hidden() and checks.sum_is_finite(theta.detach()):
        return None
    return theta.isinf()


def true_parameters(truth: Any, theta: Tensor, walls: Tensor | None) -> Tensor:
    """True parameters of each instance ``(B, *event)``, which must be finite where theta is; 0 where it has walls.

    Raises:
        ArgumentError: NaN, infinite ones, or another shape.
        ArgumentTypeError: no tensor.
    """
    values = fitting("truth", truth, theta).expand(theta.shape)
    if walls is not None:
        values = values.masked_fill(walls, 0.0)
    if not checks.are_hidden() and not checks.check_values(values, "truth") and values.isinf().any():
        rule = "it must be finite where theta is"
        raise checks.ArgumentError("truth", f"{int(values.isinf().sum())} infinite entries", rule, "use large numbers")
    return values


def with_walls(theta: Tensor, parameters: Tensor, walls: Tensor | None) -> Tensor:
    """Parameters ``(B, *event)``, but the entries of theta where there are walls."""
    return parameters if walls is None else torch.where(walls, theta, parameters)


def losses_of_samples(
    layer: Supervised, theta: Tensor, supervision: Supervision, arguments: Any
) -> Callable[[Tensor], Tensor]:
    """The loss of samples by name: from states ``(N, *event)``, of which each instance has as many, to ``(N,)``.

    Raises:
        ArgumentError: an unknown name; supervision that is missing, or of another shape.
        ArgumentTypeError: supervision that is no tensor.
    """
    name = layer.usual_loss if supervision.loss is None else supervision.loss
    checks.check_name("loss", name, get_args(LossName))
    checks.check_form(theta)
    who = f"the loss {name!r}"
    if name != "regret":
        gold = fitting("gold", supervision.needed("gold", who), theta).expand(theta.shape)
        return lambda z: (hamming if name == "hamming" else _squared)(z, _repeated(gold, z))
    walls = walls_of(theta)
    truth = layer.signed(true_parameters(supervision.needed("truth", who), theta, walls))
    if supervision.gold is None:
        gold = layer.best(with_walls(layer.signed(theta), truth, walls), arguments)
    else:
        gold = fitting("gold", supervision.gold, theta).expand(theta.shape)
    return lambda z: (_repeated(truth, z) * (_repeated(gold, z) - z)).flatten(1).sum(dim=1)


def _squared(z: Tensor, gold: Tensor) -> Tensor:
    """``|z - y|^2``, ``(N,)``."""
    return (z - gold).square().flatten(1).sum(dim=1)


def _repeated(values: Tensor, rows: Tensor) -> Tensor:
    """Values of instances ``(B, *event)`` for each of their samples ``(N, *event)``."""
    return values.repeat_interleave(len(rows) // max(len(values), 1), dim=0)
