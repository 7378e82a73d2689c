"""Attributes by which solvers, noise and targets declare what they do."""

from collections.abc import Mapping
from functools import partial
from types import MethodType
from typing import Any

SOLVES = ("__call__", "forward", "perturb_and_map")
"""Methods in which a solver solves, as an object, a module, or together with the noise."""

_STANDING_FOR_ANOTHER = (partial, MethodType)


def declared(giver: Any, name: str, methods: tuple[str, ...] = SOLVES) -> Any:
    """Value that an object declares by the attribute ``name``; None where one of ``methods`` was written anew since.

    A class that declares nothing and writes such a method ends what its bases declare, and what ``functools.wraps`` copies
    from a function is no declaration of its wrapper. Of a partial function and a bound method, their function's and object's
    declaration.
    """
    if isinstance(giver, _STANDING_FOR_ANOTHER):
        if isinstance(giver, partial):
            return declared(giver.func, name, methods)
        if giver.__name__ in methods:
            giver = giver.__self__
    own = _attributes(giver)
    wrapped = own.get("__wrapped__")
    for attributes in (own, *map(vars, type(giver).__mro__)):
        if name in attributes and not (wrapped is not None and attributes[name] is _attributes(wrapped).get(name)):
            return getattr(giver, name)
        for method in methods:  # a loop, since layers ask several times a step and a generator would take twice as long
            if method in attributes:
                return None
    return None


def is_pure(giver: Any, *methods: str) -> bool:
    """True where a solver, noise or target declares that it changes nothing it gets and keeps nothing it gives."""
    return declared(giver, "pure", methods or SOLVES) is True


def _attributes(giver: Any) -> Mapping[str, Any]:
    """Attributes of the object itself."""
    attributes: Mapping[str, Any] = getattr(giver, "__dict__", {})
    return attributes
