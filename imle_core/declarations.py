"""What solvers, noise and targets declare of themselves by attributes."""

import inspect
from functools import partial
from typing import Any


def declared(giver: Any, name: str, method: str = "__call__") -> Any:
    """What an object declares by the attribute ``name``; None where a subclass has a ``method`` of its own since.

    Of a partial function and a bound method, their function's and object's declaration.
    """
    if isinstance(giver, partial):
        return declared(giver.func, name, method)
    if inspect.ismethod(giver) and giver.__name__ == method:
        giver = giver.__self__
    if name in getattr(giver, "__dict__", ()):
        return giver.__dict__[name]
    for kind in type(giver).__mro__:
        if name in vars(kind):
            return getattr(giver, name)
        if method in vars(kind):
            return None
    return None


def is_pure(giver: Any, method: str = "__call__") -> bool:
    """Whether a solver, noise or target declares that it changes nothing that it gets and keeps nothing that it gives."""
    return declared(giver, "pure", method) is True
