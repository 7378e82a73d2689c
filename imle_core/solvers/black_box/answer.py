"""Answers of a function of one instance: solutions and further outputs, or reasons why they are none and what to do."""

import math
from collections.abc import Sequence
from numbers import Number
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imle_core.contracts import kept, kind_of

_FORM = "; it must give numbers, (*event) for (*event)"
_REMEDIES = {"toarray": "use .toarray()", "__next__": "give a list of what it yields"}
"""Remedy for objects that have such a method."""

_SHARED = frozenset({torch.float32, torch.float64, torch.bool, torch.uint8, torch.int32, torch.int64})
"""Types of which NumPy takes tensors as they are."""


class AnswerError(Exception):
    """A function that gave no solution.

    Attributes:
        what: what it gave.
        rest: the rule and the remedy, to follow the name of the row.
    """

    def __init__(self, what: str, rest: str) -> None:
        super().__init__(f"{what}{rest}")
        self.what, self.rest = what, rest


class Answer(NamedTuple):
    """An answer for one instance.

    Attributes:
        solution: ``(*event)``.
        others: further outputs; None where it gave the solution alone.
    """

    solution: NDArray[Any]
    others: tuple[Any, ...] | None = None


class Answers(NamedTuple):
    """Answers for all rows of a call.

    Attributes:
        solutions: ``(N, *event)``.
        others: further outputs of each row; None where the function gives solutions alone.
    """

    solutions: NDArray[Any]
    others: list[tuple[Any, ...]] | None = None

    def of(self, row: int) -> Answer:
        """Answer for a row."""
        return Answer(self.solutions[row], None if self.others is None else self.others[row])

    def repeated(self, rows: list[int]) -> "Answers":
        """Answers of these rows, in their order."""
        return Answers(self.solutions[rows], None if self.others is None else [self.others[row] for row in rows])


def answer_of(given: Any, theta: NDArray[Any]) -> Answer:
    """Answer that a function gave for ``theta`` ``(*event)``: a solution, or a tuple of one and further outputs.

    A tuple of the solution's entries has no first entry of the solution's shape, so that the two can be told apart.

    Raises:
        AnswerError: as :func:`solution_of`.
    """
    if isinstance(given, tuple) and len(given) > 1 and _shape_of(given[0]) == theta.shape:
        return Answer(solution_of(given[0], theta), tuple(map(kept, given[1:])))
    return Answer(solution_of(given, theta))


def solution_of(given: Any, theta: NDArray[Any]) -> NDArray[Any]:
    """Solution that a function gave for ``theta`` ``(*event)``, an array, a tensor or a list, in theta's type.

    Raises:
        AnswerError: something else, numbers of another shape, or NaN.
    """
    array = _array_of(given, theta.shape)
    if array.shape != theta.shape:
        rule = f" of shape {theta.shape}; it must give (*event) for (*event); {_shape_remedy(array, theta.shape)}"
        raise AnswerError(f"gave shape {array.shape}", rule)
    if array.dtype.kind == "f" and np.count_nonzero(np.isnan(array)):
        raise AnswerError("gave NaN", "; a solution has numbers; look at .theta of this error")
    return array.astype(theta.dtype)


def _array_of(given: Any, event: tuple[int, ...]) -> NDArray[Any]:
    if type(given) is np.ndarray and given.dtype.kind in "biuf":
        return given
    if isinstance(given, Tensor):
        return _array_of_tensor(given)
    if isinstance(given, tuple) and any(getattr(entry, "ndim", 0) for entry in given):
        # NumPy would stack (rows, columns) of indices, which for two instances by two looks like a solution.
        raise AnswerError(f"gave {kind_of(given)}", f"; it must give the solution first; {_entry_remedy(given, event)}")
    if np.ma.is_masked(given):
        raise AnswerError("gave a masked array", f"{_FORM}; fill it, with .filled(0) for instance")
    listed = isinstance(given, Sequence | Number) or hasattr(given, "__array__")  # a graph is a list of nodes to NumPy
    try:
        array = np.asarray(given)
        numbers = listed and array.dtype.kind in "biuf"
    except Exception:  # ragged lists, and objects of other libraries that are no arrays after all
        numbers = False
    if not numbers:
        what = f"gave {kind_of(given)}, which is no array of real numbers,"
        raise AnswerError(what, f"{_FORM}; {_object_remedy(given, event)}")
    return array


def _array_of_tensor(given: Tensor) -> NDArray[Any]:
    usual = given.dtype in _SHARED and given.is_cpu and given.layout is torch.strided and not given.requires_grad
    if usual and not given.is_neg():
        return given.numpy()
    if given.layout != torch.strided:
        raise AnswerError(f"gave a {kind_of(given)}", f"{_FORM}; use .to_dense()")
    if given.is_complex() or given.is_quantized or given.is_meta:
        kind = "a tensor without numbers" if given.is_meta else f"a tensor of {given.dtype}"
        raise AnswerError(f"gave {kind}", f"{_FORM}; use a dense tensor of real ones")
    narrow = given.is_floating_point() and given.element_size() < 4  # NumPy lacks some of these types
    array: NDArray[Any] = (given.detach().float() if narrow else given).numpy(force=True)
    return array


def _object_remedy(given: Any, event: tuple[int, ...]) -> str:
    if given is None:
        return "end it with a return"
    if isinstance(given, tuple | list):
        return _entry_remedy(given, event)
    return next(
        (remedy for method, remedy in _REMEDIES.items() if hasattr(given, method)), "return an array, tensor or list"
    )


def _entry_remedy(given: tuple[Any, ...] | list[Any], event: tuple[int, ...]) -> str:
    fit = next((number for number, entry in enumerate(given, 1) if _shape_of(entry) == event), 0)
    if fit == 1:
        return "return it alone" if len(given) == 1 else "return (z, *others), a tuple, whose first entry is the solution"
    if fit:
        return f"return entry {fit} first, which has the shape {event}"
    if any(isinstance(entry, Tensor) for entry in given):
        return "use torch.stack"
    indices = [np.asarray(entry) for entry in given if _shape_of(entry)]
    if len(indices) == len(event) == len(given) and all(entry.dtype.kind in "iu" for entry in indices):
        return f"if these are indices, give zeros of shape {event} with ones at them"
    return f"return one array of shape {event}"


def _shape_of(entry: Any) -> tuple[int, ...] | None:
    try:
        return tuple(np.shape(entry))
    except Exception:  # ragged lists, and objects of other libraries that are no arrays
        return None


def _shape_remedy(array: NDArray[Any], event: tuple[int, ...]) -> str:
    if array.shape[1:] == event and array.ndim == len(event) + 1:
        return "leave out a batch axis"
    if array.ndim == 0:
        return "give the solution, not its value"
    if array.size == math.prod(event):
        return "use .reshape(theta.shape)"
    if array.dtype.kind in "iu" and array.ndim <= len(event):
        return "if these are indices, give zeros with ones there, as at the edges of a tour"
    return "look at its axes"
