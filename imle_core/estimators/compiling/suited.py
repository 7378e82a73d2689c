"""Layers suited to what operators get: a tensor, packed tensors of a structure, or instances one after the other."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from imle_core import ragged
from imle_core.checks import ArgumentError, ArgumentTypeError
from imle_core.contracts import Form, Outputs, named_values


class Suited(NamedTuple):
    """A layer, and its parameters, for what an operator was called with.

    Attributes:
        layer: the layer.
        theta: its parameters, ``(B, *event)``.
        instances: those of several sizes, which operators have one after the other; None for those of one size.
    """

    layer: Any
    theta: Tensor
    instances: ragged.Instances | None

    @classmethod
    def to(cls, layer: Any, theta: Tensor, form: Any, offsets: Tensor | None) -> "Suited":
        """The layer for packed parameters of a form, or for instances ``(T, *rest)`` with offsets."""
        if form is not None:
            containers, events = form
            names = tuple(name for name, _ in named_values(containers))
            layer = layer.for_form(Form(containers, names, tuple(map(torch.Size, events))))
        if offsets is None:
            return cls(layer, theta, None)
        instances = ragged.instances_of(theta, offsets)
        own, padded = layer.for_instances(theta, instances)
        return cls(own, padded, instances)

    def given_out(self, values: Tensor) -> Tensor:
        """Samples as operators have them: ``(B, S, *event)``, or ``(S, T, *rest)``."""
        return values if self.instances is None else self.instances.unpadded_samples(values)

    def taken_in(self, values: Tensor) -> Tensor:
        """The same the other way round; means over samples ``(T, *rest)`` become ``(B, *event)``."""
        if self.instances is None:
            return values
        of_samples = values.dim() > self.theta.dim() - 1
        return self.instances.padded_samples(values) if of_samples else self.instances.padded(values)

    def gradient_given_out(self, gradient: Tensor) -> Tensor:
        """A gradient ``(B, *event)`` as operators have it."""
        return gradient if self.instances is None else self.instances.unpadded(gradient)


def write_as_promised(outputs: Outputs | None, tensors: list[Tensor]) -> None:
    """Writes further outputs of a solver to tensors of compiled code, which are as the solver said that they would be.

    Raises:
        ArgumentTypeError: there are some, and the solver did not say what they look like.
        ArgumentError: they differ from what it said.
    """
    values = [] if outputs is None else list(outputs[1:])
    if values and not tensors:
        raise ArgumentTypeError(
            "solver",
            "further outputs",
            "compiled code has to know their shapes before",
            "declare these by outputs_like, give states alone, or call torch.compiler.disable(layer)",
            "gave",
        )
    given, promised = (list(map(_outline, entries)) for entries in (values, tensors))
    if given != promised:
        got = ", ".join(given) or "none"
        rule = f"its outputs_like promises {', '.join(promised)}"
        raise ArgumentError("solver", f"{got} as further outputs", rule, "mend one of the two", "gave")
    for tensor, value in zip(tensors, values, strict=True):
        tensor.copy_(value.detach())


def _outline(value: Any) -> str:
    if not isinstance(value, Tensor):
        return type(value).__name__
    return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}"
