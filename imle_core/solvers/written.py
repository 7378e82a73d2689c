"""Solvers of this package as text, and the other way round, without code: for programs that outlive the process.

The text is JSON: the class of a solver, and its attributes. Reading makes objects of this package, of scipy's constraints
and its sparse matrices, and plain values; nothing that a text says is imported from elsewhere or called.
"""

import base64
import importlib
import json
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from imle_core.checks import ArgumentError, ArgumentTypeError, in_short
from imle_core.concurrency import OwnLock
from imle_core.contracts import kind_of

_PLAIN = (bool, int, float, str, type(None))
_OURS = "imle_core.solvers."
_SCIPY = {"scipy.optimize._constraints": ("Bounds", "LinearConstraint")}
_SPARSE = ("csr_matrix", "csc_matrix", "csr_array", "csc_array")
_REMEDY = "export a module whose solver is one of imle.solvers, or run the solver outside of the exported part"


def written(solver: Any) -> str:
    """The text of a solver of this package.

    Raises:
        ArgumentTypeError: a solver of a user, or one of ours that has a part of a user.
    """
    if not type(solver).__module__.startswith(_OURS) or type(solver).__name__ == "BlackBox":
        rule = "only solvers of imle.solvers, BlackBox aside, can be written into a program"
        raise ArgumentTypeError("solver", in_short(solver), rule, _REMEDY)
    return json.dumps(_encoded(solver))


@lru_cache(maxsize=64)
def read(text: str) -> Any:
    """The solver of a text.

    Raises:
        ArgumentError: the text of something else.
    """
    try:
        solver = _decoded(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, ImportError):
        solver = None
    if not callable(solver):
        rule = "it must be what this version of imle writes"
        raise ArgumentError("solver", in_short(text), rule, "export the module again")
    return solver


def _encoded(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list:
        return [_encoded(entry) for entry in value]
    if kind in (tuple, set, frozenset, range):
        entries = (value.start, value.stop, value.step) if kind is range else value
        return {kind.__name__: [_encoded(entry) for entry in entries]}
    if kind is dict:
        return {"dict": [[_encoded(key), _encoded(entry)] for key, entry in value.items()]}
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biuf":
        array = np.ascontiguousarray(value)
        data = base64.b64encode(array.tobytes()).decode()
        return {"array": [array.dtype.str, list(np.shape(value)), data]}
    if kind is Tensor:
        return {"tensor": _encoded(value.numpy(force=True))}
    name = f"{kind.__module__}:{kind.__qualname__}"
    if kind is OwnLock:
        return {"lock": None}
    if kind.__name__ in _SPARSE and kind.__module__.startswith("scipy.sparse"):
        parts = [value.data, value.indices, value.indptr, tuple(value.shape)]
        return {"sparse": [kind.__name__, *map(_encoded, parts)]}
    if _is_known(kind.__module__, kind.__name__):
        if isinstance(value, tuple):
            return {"named": [name, [_encoded(entry) for entry in value]]}
        if hasattr(value, "__dict__"):
            return {"object": [name, {key: _encoded(entry) for key, entry in vars(value).items()}]}
    raise ArgumentTypeError("solver", f"{kind_of(value)} in a solver", "it cannot be written into a program", _REMEDY)


def _is_known(module: str, name: str) -> bool:
    return module.startswith(_OURS) or name in _SCIPY.get(module, ())


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    return _MAKERS[kind](content)


def _class(name: str) -> type:
    module, _, path = name.partition(":")
    if not _is_known(module, path):
        raise ValueError(name)
    found = getattr(importlib.import_module(module), path)
    if not isinstance(found, type) or found.__module__ != module:
        raise ValueError(name)
    return found


def _array(content: Any) -> Any:
    dtype, shape, data = content
    if np.dtype(dtype).kind not in "biuf":
        raise ValueError(dtype)
    array = np.frombuffer(base64.b64decode(data), dtype).reshape(shape).copy()
    return array if shape else array[()]


def _object(content: Any) -> Any:
    kind = _class(content[0])
    made: Any = object.__new__(kind)
    made.__dict__.update({name: _decoded(entry) for name, entry in content[1].items()})
    return made


def _sparse(content: Any) -> Any:
    import scipy.sparse

    name, data, indices, indptr, shape = content
    if name not in _SPARSE:
        raise ValueError(name)
    return getattr(scipy.sparse, name)((_decoded(data), _decoded(indices), _decoded(indptr)), shape=_decoded(shape))


_MAKERS: dict[str, Any] = {
    "tuple": lambda content: tuple(map(_decoded, content)),
    "set": lambda content: set(map(_decoded, content)),
    "frozenset": lambda content: frozenset(map(_decoded, content)),
    "range": lambda content: range(*content),
    "dict": lambda content: {_decoded(key): _decoded(entry) for key, entry in content},
    "array": _array,
    "tensor": lambda content: torch.from_numpy(np.asarray(_decoded(content))),
    "lock": lambda _: OwnLock(),
    "sparse": _sparse,
    "named": lambda content: tuple.__new__(_class(content[0]), map(_decoded, content[1])),
    "object": _object,
}
