"""Settings of the whole process that a solver may change: how they are watched, and put back."""

import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import numpy as np
import torch


class _Setting(NamedTuple):
    read: Callable[[], Any]
    write: Callable[[Any], Any]


INFERENCE = "inference mode"
"""The setting under which nothing has a gradient."""

_inference: list[Any] = []  # contexts entered to put the mode back; kept, since their end would undo that


def _set_inference(enabled: bool) -> None:
    _inference.append(torch.inference_mode(enabled))
    _inference[-1].__enter__()


def _set_device(device: torch.device) -> None:
    torch.set_default_device(None if device.type == "cpu" else device)


def _folder() -> str | None:
    with suppress(FileNotFoundError):  # the folder may have been removed
        return os.getcwd()  # noqa: PTH109 - a path takes ten times as long, and this is asked for at each call
    return None


def _set_folder(folder: str | None) -> None:
    if folder is not None:
        os.chdir(folder)


_SETTINGS = {
    INFERENCE: _Setting(torch.is_inference_mode_enabled, _set_inference),
    "grad mode": _Setting(torch.is_grad_enabled, torch.set_grad_enabled),
    "torch's default type": _Setting(torch.get_default_dtype, torch.set_default_dtype),
    "torch's default device": _Setting(lambda: torch.empty(0).device, _set_device),
    "torch's number of threads": _Setting(torch.get_num_threads, torch.set_num_threads),
    "torch's choice of deterministic algorithms": _Setting(
        torch.are_deterministic_algorithms_enabled, torch.use_deterministic_algorithms
    ),
    "the current folder": _Setting(_folder, _set_folder),
}


class Watch:
    """The settings as they are now, to which they are put back.

    Attributes:
        changed: what was changed, and to what first.
    """

    def __init__(self) -> None:
        self._before = {name: setting.read() for name, setting in _SETTINGS.items()}
        self._thread = threading.current_thread()
        self.changed: dict[str, Any] = {}

    def put_back(self) -> None:
        """Notes and undoes changes; not in other threads, where the changes of all threads are mixed up."""
        if threading.current_thread() is not self._thread:
            return
        for name, setting in _SETTINGS.items():
            now = setting.read()
            if now != self._before[name]:
                self.changed.setdefault(name, now)
                setting.write(self._before[name])


def _state_of_numpy() -> Any:
    _, key, position, *_ = np.random.get_state()
    return np.asarray(key).tobytes(), position


_GENERATORS: dict[str, tuple[Callable[[int], Any], Callable[[], Any]]] = {
    "torch": (torch.rand, lambda: torch.get_rng_state().numpy().tobytes()),
    "NumPy": (np.random.random, _state_of_numpy),
    "Python": (random.randbytes, random.getstate),
}


def seeded(work: Callable[[], Any]) -> list[str]:
    """Owners of global generators that some work leaves in the same state, whatever was drawn from them before."""
    states = []
    for drawn in (1, 2):
        for draw, _ in _GENERATORS.values():
            draw(drawn)
        work()
        states.append({name: read() for name, (_, read) in _GENERATORS.items()})
    return [name for name in _GENERATORS if states[0][name] == states[1][name]]


@contextmanager
def generators_put_back() -> Iterator[None]:
    """Gives the global generators of torch, NumPy and Python their states back at the end."""
    numpys, pythons = np.random.get_state(), random.getstate()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        np.random.set_state(numpys)
        random.setstate(pythons)
