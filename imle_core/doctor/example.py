"""Small examples of what is wrong: the search for them, and how they are told."""

import time
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

Example: TypeAlias = dict[str, Tensor]
Show: TypeAlias = Callable[[Tensor], Example | None]
"""Asks for the solutions of a batch, and gives an example if they are wrong."""

_SECONDS, _STEPS = 2.0, 150
_SHOWN = 12  # entries of an example that fit into a sentence


class RefusedError(Exception):
    """A solver that gives no solutions: it raises, or gives something else.

    Attributes:
        theta: what it was asked for.
        kind: name of the exception, or what is wrong with the solutions.
        reason: what happened.
        remedy: what it must do, if more is known than that it raised.
    """

    def __init__(self, theta: Tensor, kind: str, reason: str, remedy: str = "") -> None:
        super().__init__(f"{reason}; {remedy}" if remedy else reason)
        self.theta, self.kind, self.reason, self.remedy = theta, kind, reason, remedy


class Search:
    """A search, bounded in steps and time, for a smaller batch of which ``show`` still gives an example.

    Attributes:
        example: the smallest so far; empty as long as there is none.
    """

    def __init__(self, theta: Tensor, show: Show) -> None:
        self.theta, self.show = theta, show
        self.example: Example = {}
        self.steps, self.end = 0, time.perf_counter() + _SECONDS

    def accepts(self, theta: Tensor) -> bool:
        """Takes this batch if it has an example."""
        if self.steps >= _STEPS or (self.example and time.perf_counter() > self.end):
            return False
        self.steps += 1
        try:
            example = self.show(theta)
        except RefusedError:  # a refusal is another fault than the one searched for
            return False
        if example is None:
            return False
        self.theta, self.example = theta, example
        return True

    def drop_rows(self) -> None:
        """Leaves out as many rows as it can, many at a time first."""
        size = len(self.theta) // 2
        while size:
            first = 0
            while first < len(self.theta):
                fewer = torch.cat([self.theta[:first], self.theta[first + size :]])
                if not (len(fewer) and self.accepts(fewer)):
                    first += size
            size //= 2

    def round(self, low: float, high: float, distinct: bool) -> None:
        """Rounds all entries to as few digits as it can; ``distinct`` ones to numbers that still differ."""
        for digits in range(4):
            rounded = self.theta.round(decimals=digits).clamp(low, high) + 0.0  # adding 0 makes -0 a 0
            same = not distinct or len(rounded.unique()) == len(self.theta.unique())
            if same and self.accepts(rounded):
                return

    def fill(self, value: float) -> None:
        """Sets as many entries as it can to this value."""
        size = self.theta.numel() // 2
        while size:
            for first in range(0, self.theta.numel(), size):
                plainer = self.theta.clone(memory_format=torch.contiguous_format)
                block = plainer.view(-1)[first : first + size]
                if (block != value).any():
                    block.fill_(value)
                    self.accepts(plainer)
            size //= 2


def said(example: Example) -> str:
    """The example in words, if it is small."""
    if not example or example["theta"].numel() > _SHOWN:
        shape = tuple(example["theta"].shape) if example else ()
        return f"; the example has theta of shape {shape}" if example else ""
    return "; example: " + ", ".join(f"{name} {_numbers(tensor)}" for name, tensor in example.items())


def _numbers(tensor: Tensor) -> str:
    if tensor.dim() == 0:
        return f"{tensor.item():.4g}"
    return f"[{', '.join(map(_numbers, tensor))}]"
