"""Weights of edges: which attribute holds them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imle_cli.files.graphs.content import Edge, counted, listed, same_names, shown, value_of
from imle_cli.files.sources import SourceError
from imle_cli.files.tables.number_formats import as_number, doubt
from imle_cli.files.tables.reading import NUMBER

EQUAL = "none"
"""Name of the weights that stands for 1 on each edge."""

_DEFAULT = "weight"
_USUAL = {
    "length", "distance", "dist", "cost", "costs", "weights", "capacity", "value", "time", "duration", "minutes", "seconds",
    "hours", "travel_time", "traveltime", "km", "miles", "metres", "meters", "label",
}  # fmt: skip
"""Names that are taken for weights where one of them only has numbers; a label is what yEd draws beside an edge."""

_NEVER = {
    "id", "key", "osmid", "source", "target", "from", "to", "u", "v", "uid", "suid", "index", "networkx_key", "line",
}  # fmt: skip
"""Names whose numbers tell edges or nodes apart and measure nothing."""


def weights_of(path: Path, edges: Sequence[Edge], name: str) -> tuple[NDArray[np.float64], list[str]]:
    """Weights of edges, and a note on where they are from unless that was said.

    Args:
        path: the file, for messages.
        edges: the edges.
        name: the attribute, in whatever letter case if only one has that name; none for 1 each. Where there is no weight,
            the default, the only usual name with a number in every edge is taken.

    Raises:
        SourceError: an attribute that edges lack, that is no number, or that tells edges apart only.
    """
    if name.casefold() == EQUAL:
        return np.ones(len(edges)), []
    if name.casefold() in _NEVER:
        raise SourceError(
            path, f"{name!r} tells edges apart and is no weight; name another with --weight, or give {_equal()}"
        )
    names = list(dict.fromkeys(key for edge in edges for key in edge.data))
    same = [name] if name in names else same_names(names, name)
    if len(same) > 1:
        raise SourceError(path, f"edges have {' and '.join(map(repr, same[:3]))}; name one of them with --weight")
    if same:
        return _numbers(path, edges, same[0]), []
    usual = [key for key in names if key.casefold() in _USUAL and _all_numbers(edges, key)]
    usual = [key for key in usual if key.casefold() != "label"] or usual
    if name == _DEFAULT and len(usual) == 1:
        return _numbers(path, edges, usual[0]), [
            f"no edge has a {name}; {usual[0]!r} is taken for it (--weight names another)"
        ]
    numeric = [key for key in names if key.casefold() not in _NEVER and _all_numbers(edges, key)]
    remedy = f"numbers are in {listed(numeric)}: name one with --weight, or give" if numeric else "write one, or give"
    raise SourceError(path, f"edges have no {shown(name)}; {remedy} {_equal()}")


def _equal() -> str:
    return f"--weight {EQUAL} to count each edge as 1"


def _all_numbers(edges: Sequence[Edge], name: str) -> bool:
    return all(_number(edge.data.get(name)) is not None for edge in edges)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    return as_number(str(value)) if isinstance(value, (str, int, float)) else None


def _numbers(path: Path, edges: Sequence[Edge], name: str) -> NDArray[np.float64]:
    without = [edge for edge in edges if value_of(edge.data, name) is None]
    if without:
        raise SourceError(
            path,
            f"{len(without)} of {counted(len(edges), 'edge')} {'has' if len(without) == 1 else 'have'} no {shown(name)} "
            f"(first: {without[0]}); write it, or give {_equal()}",
        )
    numbers = [_number(value_of(edge.data, name)) for edge in edges]
    for edge, number in zip(edges, numbers, strict=True):
        if number is None:
            got = value_of(edge.data, name)
            raise SourceError(path, f"{edge} has {name} {shown(got)}{doubt(str(got))}; {NUMBER}; correct it")
    return np.array(numbers, dtype=np.float64)
