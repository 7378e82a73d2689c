"""A training loop of the user's own as moments of a film: records arrive one by one, and few of them are kept."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imle_cli.films.learning import Moments
from imle_cli.problems.arrays import as_array, check_instance
from imle_cli.runs.cadence import is_kept
from imle_core.checks import ArgumentError, ArgumentTypeError

_NAMES = {
    "weights": ("weights", "theta", "costs", "scores"),
    "state": ("solution", "state", "z", "sample"),
    "loss": ("loss",),
    "step": ("step",),
    "distance": ("distance",),
}
_POSITIONS = ("weights", "state", "loss")
_RULE = "a record is (weights, state, loss), or has some of these by name"


class Loop:
    """Records of a loop, read when they are wanted.

    Of up to ``most`` records all are kept, of more those of :func:`imle_cli.runs.cadence.is_kept`, and the last one; of
    losses all. So memory grows with the logarithm of their number, and with the losses.

    Args:
        records: the loop.
        most: records that are kept in any case.
        every: distance between records that are kept; if None, it grows.
        instance: the instance of a batch that is kept.
    """

    def __init__(self, records: Any, most: int, every: int | None, instance: int) -> None:
        try:
            self._records: Iterator[Any] = iter(records)
        except TypeError as error:
            got = type(records).__name__
            raise ArgumentTypeError("records", got, "it must give records one by one", "give what train() yields") from error
        self.most, self.every, self.instance = most, every, instance
        self._count, self._kept, self._names = 0, dict[int, dict[str, Any]](), frozenset[str]()
        self._steps: list[int] = []
        self._losses: list[float] = []
        self._shapes: dict[str, tuple[int, ...]] = {}

    def moments(self) -> Moments:
        """Everything that the loop gives, read to its end.

        Raises:
            ArgumentError: no records, or records that cannot be read.
        """
        for record in self._records:
            self._add(_fields(record, self._count))
        if not self._count:
            raise ArgumentError("records", "none", "a film needs at least one", "see to it that the loop yields")
        if self._count > self.most:
            self._kept = {number: kept for number, kept in self._kept.items() if self._stays(number)}
        kept = list(self._kept.values())
        return Moments(
            [self._steps[number] for number in self._kept],
            [fields["weights"] for fields in kept if "weights" in fields],
            [fields["state"] for fields in kept if "state" in fields],
            [fields.get("distance") for fields in kept],
            self._losses,
            self._steps if self._losses else [],
        )

    def _stays(self, number: int) -> bool:
        return is_kept(number, self.every) or number == self._count - 1

    def _add(self, fields: dict[str, Any]) -> None:
        number, names = self._count, frozenset(fields) & set(_POSITIONS)
        if number == 0:
            self._names = names
        if names != self._names or not names:
            lacking = ", ".join(sorted(self._names - names)) or "nothing"
            got = f"record {number} without {lacking}" if names else f"record {number} of type {fields['type']}"
            raise ArgumentError(
                "records", got, _RULE if not names else "all have the same parts", "yield the same each time"
            )
        step = int(fields.get("step", number))
        self._steps.append(step if not self._steps else max(step, self._steps[-1] + 1))
        if "loss" in names:
            self._losses.append(_number(fields["loss"], number))
        if number >= self.most and not is_kept(number - 1, self.every):
            self._kept.pop(number - 1, None)  # the last one so far, which now is not the last
        self._kept[number] = self._arrays(fields)
        self._count += 1

    def _arrays(self, fields: dict[str, Any]) -> dict[str, Any]:
        arrays: dict[str, Any] = {"distance": fields.get("distance")}
        axes, batch = None, 1
        if "weights" in fields:
            weights = _lean(as_array("weights", fields["weights"]))
            if weights.ndim > 2:
                batch = len(weights)
                check_instance(self.instance, batch)
                weights = weights[self.instance]
            axes, arrays["weights"] = weights.ndim, weights.astype(np.float32)
        if "state" in fields:
            arrays["state"] = state_of(as_array("state", fields["state"]), axes, batch, self.instance)
        self._check_shapes(arrays)
        return arrays

    def _check_shapes(self, arrays: dict[str, Any]) -> None:
        """Weights and solutions must have one shape, that of the first record."""
        shapes: dict[str, tuple[int, ...]] = {name: arrays[name].shape for name in ("weights", "state") if name in arrays}
        self._shapes = self._shapes or shapes
        if self._shapes != shapes or len(set(shapes.values())) > 1:
            told = " and ".join(f"{name} of shape {shape}" for name, shape in shapes.items())
            rule = "weights and solutions of all records have one shape"
            raise ArgumentError("records", f"record {self._count} with {told}", rule, "yield the same each time")


def state_of(state: NDArray[Any], axes: int | None = None, batch: int = 1, instance: int = 0) -> NDArray[Any]:
    """A solution ``(*event)``; of samples ``(S, *event)``, ``(B * S, *event)``, ``(B, S, *event)`` the mean of an instance.

    Args:
        state: solution or samples.
        axes: number of axes of a solution; two at most if None.
        batch: number of instances B.
        instance: the one to show.
    """
    state = _lean(state, axes)
    axes = min(state.ndim, 2) if axes is None else axes
    if state.ndim == axes + 2:
        state = state[instance]
    elif state.ndim == axes + 1 and batch > 1:
        count = len(state) // batch
        state = state[instance * count : (instance + 1) * count]
    while state.ndim > axes:
        state = state.mean(axis=0)
    return state.astype(np.uint8) if np.isin(state, (0, 1)).all() else state.astype(np.float32)


def _lean(array: NDArray[Any], axes: int | None = None) -> NDArray[Any]:
    """Without axes of length one in front, as long as there are more than ``axes``."""
    while array.ndim > (1 if axes is None else axes) and array.shape[0] == 1:
        array = array[0]
    return array


def _fields(record: Any, number: int) -> dict[str, Any]:
    """Parts of a record by their names."""
    if isinstance(record, (tuple, list)) and not hasattr(record, "_fields"):
        if len(record) > len(_POSITIONS):
            raise ArgumentError("records", f"record {number} of {len(record)} parts", _RULE, "name them in a dict")
        return dict(zip(_POSITIONS, record, strict=False))
    found: dict[str, Any] = {"type": type(record).__name__}
    for name, spellings in _NAMES.items():
        for spelling in spellings:
            known = spelling in record if isinstance(record, Mapping) else hasattr(record, spelling)
            if known:
                found[name] = record[spelling] if isinstance(record, Mapping) else getattr(record, spelling)
                break
    return found


def _number(loss: Any, number: int) -> float:
    value = loss.detach().cpu() if hasattr(loss, "detach") else loss
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError) as error:
        got = f"record {number} with {getattr(value, 'shape', type(value).__name__)}"
        raise ArgumentError("loss", got, "it must be one number", "yield loss.sum() or loss.mean()") from error
