"""Further arguments of a black box: one entry for each instance, whose samples are neighbouring rows."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from imle_core.checks import ArgumentError, ArgumentTypeError
from imle_core.solvers.black_box.padded_rows import PaddedRows
from imle_core.solvers.black_box.task import Task

_NOTHING: tuple[tuple[Any, ...], dict[str, Any]] = (), {}


class Arguments:
    """Further arguments of one call with so many rows.

    Attributes:
        named: the arguments by name, those by position under 1, 2, ...
        samples: rows for each instance; 0 without arguments.

    Raises:
        ArgumentError: numbers of entries that do not fit.
        ArgumentTypeError: an argument without entries.
    """

    def __init__(self, rows: int, args: tuple[Sequence[Any], ...], kwargs: Mapping[str, Sequence[Any]]) -> None:
        self._args, self._kwargs = args, kwargs
        self.named: dict[int | str, Sequence[Any]] = {}
        self.named.update(enumerate(args, 1))
        self.named.update(kwargs.items())
        instances = self._instances(rows)
        self.samples = rows // instances if instances else 0

    def _instances(self, rows: int) -> int:
        instances = None
        for key, entries in self.named.items():
            name = f"argument {key}" if isinstance(key, int) else key
            count = _count(name, entries)
            instances = count if instances is None else instances
            if count != instances:
                raise ArgumentError(
                    name,
                    f"{count} entries, where others have {instances}",
                    "each argument must have one for each instance",
                    "give as many",
                )
            if rows % count if count else rows:
                raise ArgumentError(
                    name,
                    f"{count} entries for {rows} rows",
                    "it must have one for each instance, whose samples are one or more rows",
                    "give as many entries as instances",
                )
        return instances or 0

    def instance(self, row: int) -> int | None:
        """Instance whose sample the row is; None if nothing tells."""
        return row // self.samples if self.samples else None

    def entries(self, row: int) -> dict[int | str, Any]:
        """Further arguments of the row's instance."""
        instance = self.instance(row)
        return {} if instance is None else {key: entries[instance] for key, entries in self.named.items()}

    def keys(self, rows: PaddedRows) -> Iterable[Hashable]:
        """Keys of rows, which are equal for those with equal bits and the same instance's arguments."""
        equal = rows.contents()
        return zip(map(self.instance, range(len(rows))), equal, strict=True) if self.samples else equal

    def task(self, theta: NDArray[Any], row: int) -> Task:
        """The row with its arguments."""
        if not self.samples:
            return Task(theta, *_NOTHING)  # shared: objects by the thousand would call the garbage collector
        instance = row // self.samples
        by_name = {name: entries[instance] for name, entries in self._kwargs.items()}
        return Task(theta, tuple(entries[instance] for entries in self._args), by_name)


def _count(name: str, entries: Any) -> int:
    listed = isinstance(entries, Sequence) and not isinstance(entries, str | bytes)
    dimensions: int = getattr(entries, "ndim", 0)
    if not (listed or dimensions):
        raise ArgumentTypeError(
            name,
            type(entries).__name__,
            "it must be a list, array or tensor with one entry for each instance",
            "use functools.partial for what all have in common",
        )
    return len(entries)
