"""Further outputs of solvers under ``torch.func.vmap``, which maps tensors and nothing else."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten

from imle_core.checks import ArgumentTypeError
from imle_core.contracts import Outputs, kind_of, with_first, with_others
from imle_core.estimators.derivatives.axes import Sizes, stacked, unfolded

_NUMBERS = (bool, int, float, np.generic)


class Beside:
    """What a solver gives beside solutions, on its way out of transforms.

    Outside of vmap further outputs are as they were given. Within it they are tensors, of each call as in a loop over the
    axis: arrays and lists of numbers become such, and what cannot is refused.

    Attributes:
        answer: the solver's answer, where it has further outputs.
        leaves: their tensors, ``(*axes, ...)``, as the transforms give them out; empty outside of vmap.

    Args:
        is_wanted: whether anybody asks for them.
    """

    def __init__(self, is_wanted: bool) -> None:
        self.is_wanted = is_wanted
        self.answer: Outputs | None = None
        self.leaves: Sequence[Tensor] = ()
        self._outline: TreeSpec | None = None
        self._refusal: ArgumentTypeError | None = None

    def of_call(
        self, answer: Outputs | None, axes: Sizes, rows: int, one_by_one: Callable[[], list[Outputs]]
    ) -> list[Tensor]:
        """Tensors ``(*axes, ...)`` of the answer of one call for all entries of the axes, with so many rows.

        Those of an entry are its rows. Where something else than an entry for each row is among them, ``one_by_one`` gives
        the answers of a call for each.
        """
        self.answer = answer
        if answer is None or not axes or not self.is_wanted:
            return []
        values = self._tensors(answer)
        if all(value.dim() and len(value) == rows for value in values):
            return [unfolded(value, axes) for value in values]
        return self.of_calls(one_by_one(), axes)

    def of_calls(self, answers: list[Outputs], axes: Sizes) -> list[Tensor]:
        """Tensors ``(*axes, ...)`` of the answers of a call for each entry of the axes."""
        self.answer = answers[0] if answers else None
        if not answers or not axes or not self.is_wanted:
            return []
        columns = zip(*map(self._tensors, answers), strict=True)
        return [] if self._refusal else [stacked(column, axes) for column in columns]

    def _tensors(self, answer: Outputs) -> list[Tensor]:
        try:
            values, self._outline = tree_flatten([_as_tensors(value) for value in answer[1:]])
        except ArgumentTypeError as error:
            self._refusal, values = error, []
        return values

    def after(self, states: Tensor) -> Any:
        """States, with the further outputs after them.

        Raises:
            ArgumentTypeError: there are some that vmap cannot map.
        """
        if self.answer is None:
            return states
        if self._refusal is not None:
            raise self._refusal
        if self._outline is None:
            return with_others(states, self.answer)
        return with_first(states, self.answer, tree_unflatten(self.leaves, self._outline))


def _as_tensors(value: Any) -> Any:
    """A further output with tensors of its own in place of tensors, arrays and lists of numbers."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, _NUMBERS):
        return torch.as_tensor(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return torch.from_numpy(value.copy())
    if isinstance(value, (list, tuple)) and value and all(isinstance(entry, _NUMBERS) for entry in value):
        return torch.tensor(value)
    if isinstance(value, dict):
        return {key: _as_tensors(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        entries = [_as_tensors(entry) for entry in value]
        named: Any = type(value)
        return named._make(entries) if hasattr(value, "_fields") else named(entries)
    raise ArgumentTypeError(
        "solver",
        f"{kind_of(value)} as a further output",
        "vmap maps tensors, which arrays and lists of numbers become",
        "give such alone, or loop over the axis",
        "gave",
    )
