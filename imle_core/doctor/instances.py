"""Instances to ask a solver for, as many as it answers in time."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from imle_core.doctor.example import RefusedError
from imle_core.doctor.subject import Subject

_SECONDS = 8.0  # an examination takes about so many at most
_SOLVES = 40  # an examination asks for each instance about so many times
_LONG = 1.0  # seconds that one instance may take where several are asked for to learn what they take
_FEWEST = 4  # instances, however slow the solver
_ENTRIES = 2**20  # all instances together have so many at most


def with_instances(subject: Subject, wanted: int) -> Subject:
    """The subject with instances: as many as are wanted, or as few as a slow solver or large instances demand.

    Half of them are uniform in ``[low, high]``, the others close to one of these, whose solutions are hard competitors. The
    solver is asked for a few, to learn what an instance takes.
    """
    low, high, generator = subject.low, subject.high, subject.generator
    count, pace = _affordable(subject, min(wanted, max(_FEWEST, _ENTRIES // math.prod(subject.shape))))
    far = subject.draw(count - count // 2)
    near = far[:1] + (high - low) / 20 * torch.randn(count // 2, *subject.shape, generator=generator)
    theta = torch.cat([far, near.clamp(low, high)])
    middle, step = (low + high) / 2, (high - low) / 4
    levels = torch.randint(-1, 2, theta.shape, generator=generator) * step + middle
    ties = torch.cat([torch.full_like(theta[:1], middle), levels])
    return replace(subject, theta=theta, ties=ties, wanted=wanted, pace=pace)


def _affordable(subject: Subject, count: int) -> tuple[int, float]:
    """Number of instances, ``count`` or fewer, and the seconds that each takes if this is why there are fewer, else 0."""
    few = subject.draw(8)
    try:
        subject.ask(few[:1])  # the first call may compile
        seconds = _seconds(lambda: subject.ask(few[:1]))
        if seconds < 1e-3:
            return count, 0.0
        size = len(few) if seconds < _LONG else 2
        pace = _seconds(lambda: subject.ask(few[:size])) / size
    except RefusedError:  # the checks will say so
        return count, 0.0
    fewer = max(_FEWEST, int(_SECONDS / (seconds + _SOLVES * pace)))
    return (count, 0.0) if fewer >= count else (fewer, pace)


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
