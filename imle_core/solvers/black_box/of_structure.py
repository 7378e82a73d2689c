"""A function of one instance with several parameters, as one of their packed row."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imle_core.contracts import Form, in_words, mapped, with_first
from imle_core.solvers.black_box.answer import AnswerError, solution_of


class OfStructure:
    """``(total,)`` to ``(total,)`` by a function from a structure of parameters ``(*event)`` to one of solutions.

    Args:
        function: gets a structure of tensors, or arrays where the row is one, and gives one of the same outline, whose
            entries are arrays or tensors; further outputs may follow, ``(structure, *others)``.
        form: form of the structure.
    """

    def __init__(self, function: Callable[..., Any], form: Form) -> None:
        self.function, self.form = function, form
        self.__name__ = getattr(function, "__name__", type(function).__name__)

    def __call__(self, row: Any, *args: Any, **kwargs: Any) -> Any:
        """Packed solution, or that and further outputs."""
        given = torch.as_tensor(row)
        parameters = self.form.unpacked(given)
        if given is not row:
            parameters = mapped(parameters, torch.Tensor.numpy)
        answer = self.function(parameters, *args, **kwargs)
        if self.form.has_outline(answer):
            return self._packed(answer, given)
        if isinstance(answer, tuple) and answer and self.form.has_outline(answer[0]):
            return with_first(self._packed(answer[0], given), answer) if len(answer) > 1 else self._packed(answer[0], given)
        rule = f"; it must have the structure of theta, {in_words(self.form.containers)}; give a solution for each tensor"
        raise AnswerError(f"gave {in_words(answer)}", rule)

    def _packed(self, structure: Any, row: torch.Tensor) -> NDArray[Any]:
        entries = zip(self.form.names, self.form.tensors(structure), self.form.events, strict=True)
        return np.concatenate([_solution(name, value, np.empty(event, row.numpy().dtype)) for name, value, event in entries])


def _solution(name: str, value: Any, theta: NDArray[Any]) -> NDArray[Any]:
    try:
        return solution_of(value, theta).ravel()
    except AnswerError as error:
        raise AnswerError(f"{error.what} at {name}", error.rest) from None
