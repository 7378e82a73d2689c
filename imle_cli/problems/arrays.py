"""Arrays of what users give in Python: tensors, arrays or lists, with the shape of a solution or axes before it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imle_core.checks import ArgumentError, ArgumentTypeError, is_whole

Array = NDArray[np.float64]
Event = tuple[int, ...]


def as_array(name: str, value: Any) -> Array:
    """A copy of the numbers in a tensor, an array or nested lists, as float64.

    Raises:
        ArgumentTypeError: they are no real numbers.
        ArgumentError: there are none, or NaN.
    """
    try:
        plain = value.detach().cpu().double().numpy() if isinstance(value, Tensor) else np.asarray(value)
        if plain.dtype.kind not in "biuf":
            raise TypeError(plain.dtype)
        array = np.array(plain, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        what = type(value).__name__
        raise ArgumentTypeError(
            name, what, "it must be a tensor or an array of real numbers", "use numpy.asarray"
        ) from error
    if array.size == 0:
        raise ArgumentError(name, f"shape {array.shape}", "there is nothing to draw", "give at least one number")
    if np.isnan(array).any():
        raise ArgumentError(name, f"{int(np.isnan(array).sum())} NaN", "numbers are drawn", "take them out")
    return array


def event_of(shape: Event, ground: Event | None, *, is_batch: bool = False) -> Event:
    """Shape of one solution.

    Args:
        shape: of what is to be drawn, ``(*event)`` or ``(B, *event)``.
        ground: shape of what it lies on, where that is known, with or without the batch axis.
        is_batch: the first axis of ``shape`` surely is that of the batch.

    Raises:
        ArgumentError: the two do not fit.
    """
    if ground is None:
        has_batch = is_batch or len(shape) > 2 or (len(shape) == 2 and shape[0] == 1)
        return shape[1:] if has_batch else shape
    has_batch = len(ground) > 2 or (len(ground) == 2 and ground[0] == 1)
    for event in (ground[1:], ground) if has_batch else (ground, ground[1:]):
        if event and (shape[1:] == event or (shape == event and not is_batch)):
            return event
    got = f"shape {ground} for solutions of shape {shape[1:] if is_batch else shape}"
    raise ArgumentError("ground", got, "it needs one number for each entry of a solution", "give an array of that shape")


def instance_of(name: str, array: Array, event: Event, instance: int) -> Array:
    """The array of one instance, ``(*event)``; what has no batch axis is of every instance.

    Raises:
        ArgumentError: another shape, or no such instance.
    """
    if array.shape == event:
        return array
    if array.shape[1:] != event:
        rule = f"it must be {event} or (B, *{event})"
        raise ArgumentError(name, f"shape {array.shape}", rule, "give the numbers of one solution")
    check_instance(instance, len(array))
    return np.asarray(array[instance])


def samples_of(states: Array, ground: Event | None, instance: int) -> Array:
    """Samples of one instance, ``(S, *event)``, of states ``(S, *event)`` or ``(B, S, *event)``.

    Without a ground three axes are ``(B, S, n)`` if the first is of length one, else ``(S, H, W)``.

    Raises:
        ArgumentError: another shape, or no such instance.
    """
    axes = states.ndim
    if ground is not None:
        events = [event for event in (ground, ground[1:]) if event and states.shape[axes - len(event) :] == event]
        before = [axes - len(event) for event in events]
        if not any(count in (1, 2) for count in before):
            got = f"shape {ground} for samples of shape {states.shape}"
            raise ArgumentError("ground", got, "samples are (S, *event) or (B, S, *event)", "give a ground of shape *event")
        has_batch = 1 not in before
    else:
        has_batch = axes == 4 or (axes == 3 and states.shape[0] == 1)
        if axes < 2:
            got = f"shape {states.shape}"
            raise ArgumentError("states", got, "samples are (S, *event) or (B, S, *event)", "draw one with solution()")
    if not has_batch:
        return states
    check_instance(instance, len(states))
    return np.asarray(states[instance])


def check_instance(instance: Any, count: int) -> None:
    """``instance`` must be the number of one of so many instances, or a negative one, counted from the end."""
    if not is_whole(instance, -count) or instance >= count:
        got, rule = f"{instance}", f"there are {count}"
        raise ArgumentError("instance", got, rule, f"use a number from 0 to {count - 1}")
