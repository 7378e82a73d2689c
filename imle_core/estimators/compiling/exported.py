"""Layers in programs of ``torch.export``: noise-free states, by an operator that has the solver's text in it.

``imle::solve`` stands in the program with the text, so that a process that loads it needs nothing but this package.
"""

from typing import Any, Protocol

import torch
from torch import Tensor

from imle_core import checks, contracts
from imle_core.contracts import is_pure
from imle_core.estimators.compiling import written_calls
from imle_core.solvers import written


class Exported(Protocol):
    """What an exported program needs of a layer, which documents it."""

    @property
    def solver(self) -> Any: ...  # noqa: D102
    @property
    def reduction(self) -> str: ...  # noqa: D102
    @property
    def takes_costs(self) -> bool: ...  # noqa: D102
    @property
    def draws_noise(self) -> bool: ...  # noqa: D102

    def parameters(self, theta: Tensor) -> Tensor: ...  # noqa: D102


def is_exporting() -> bool:
    """True while ``torch.export`` runs the code of a module."""
    exporting = vars(torch.compiler).get("is_exporting")  # younger than the oldest torch that is supported
    if exporting is not None and exporting():
        return True
    return torch.compiler.is_compiling() and not torch.compiler.is_dynamo_compiling()


def states(layer: Exported, theta: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Noise-free states of the instances ``(B, *event)``, in the layer's reduction.

    Raises:
        ArgumentError: a layer that draws.
        ArgumentTypeError: a solver of a user; further arguments that are no tensors, numbers or text.
    """
    if layer.draws_noise:
        raise checks.ArgumentError(
            "module",
            "one that samples",
            "torch.export takes layers without noise, with one state for each instance",
            "give it a module, imle.IMLE(...), in eval() and with eval_samples=0",
        )
    if torch.compiler.is_dynamo_compiling():
        raise checks.ArgumentError("strict", "True", "the compiler cannot look into solvers", "use strict=False")
    solver = written.written(layer.solver)
    tensors, text = written_calls.written(args, kwargs)
    rows = layer.parameters(theta)
    z: Tensor = torch.ops.imle.solve(-rows if layer.takes_costs else rows, tensors, text, solver)
    return z.unsqueeze(1) if layer.reduction == "stacked" else z


@torch.library.custom_op("imle::solve", mutates_args=())
def _solve(theta: Tensor, tensors: list[Tensor], arguments: str, solver: str) -> Tensor:
    checks.check_theta(theta)
    chosen = written.read(solver)
    args, kwargs = written_calls.read(arguments, tensors)
    z = contracts.map_states(lambda rows: chosen(rows, *args, **kwargs), theta.unsqueeze(1), pure=is_pure(chosen))
    return z.squeeze(1).clone(memory_format=torch.contiguous_format)


@_solve.register_fake
def _(theta: Tensor, tensors: list[Tensor], arguments: str, solver: str) -> Tensor:  # noqa: ARG001
    return torch.empty_like(theta, memory_format=torch.contiguous_format)
