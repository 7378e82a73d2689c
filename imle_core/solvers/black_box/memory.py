"""Solutions of earlier calls of a black box."""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from operator import is_
from typing import Any, NamedTuple

import torch

from imle_core.concurrency import OwnLock
from imle_core.solvers.black_box.answer import Answer, Answers
from imle_core.solvers.black_box.padded_rows import PaddedRows


class Call(NamedTuple):
    """Everything that the rows of a call have in common.

    Attributes:
        event: shape of a row.
        sizes: sizes of the rows, where these differ.
        dtype: type of its entries.
        arguments: the further arguments, by position or name, one sequence each.
        backward: whether autograd made the call, on its way back.
    """

    event: tuple[int, ...]
    sizes: tuple[int, ...] | None
    dtype: str
    arguments: dict[int | str, Any]
    backward: bool

    @classmethod
    def of(cls, rows: PaddedRows, arguments: dict[int | str, Any]) -> "Call":
        """Call with such rows and arguments, here and now."""
        # There is no public way to ask this; where the private one should go, backward rows are solved as others are.
        task = getattr(torch._C, "_current_graph_task_id", lambda: -1)()
        return cls(rows.event, rows.sizes, rows.values.dtype.str, arguments, task != -1)

    def is_like(self, earlier: "Call") -> bool:
        """True where equal rows have equal solutions: the further arguments are the same objects."""
        if (self.event, self.sizes, self.dtype) != (earlier.event, earlier.sizes, earlier.dtype):
            return False
        if list(self.arguments) != list(earlier.arguments):
            return False
        return all(map(is_, self.arguments.values(), earlier.arguments.values()))


class Memory:
    """The last forward call, for the backward pass after it, and a number of solutions for any later call.

    Threads may share one.
    """

    def __init__(self, bound: int) -> None:
        self._bound, self._lock = bound, OwnLock()
        self._kept: OrderedDict[Hashable, Answer] = OrderedDict()
        self._forward: tuple[Call, Mapping[Hashable, int], Answers] | None = None

    def find(self, call: Call, keys: Iterable[Hashable]) -> dict[Hashable, Answer]:
        """The answers that are known, by key."""
        known: dict[Hashable, Answer] = {}
        with self._lock:
            rows: Mapping[Hashable, int] = {}
            if call.backward and self._forward and call.is_like(self._forward[0]):
                _, rows, answers = self._forward
            if not rows and not self._kept:
                return known
            for key in keys:
                if key in rows:
                    known[key] = answers.of(rows[key])
                elif not call.arguments and (name := (call.event, call.dtype, key)) in self._kept:
                    self._kept.move_to_end(name)
                    known[key] = self._kept[name]
        return known

    def previous(self, call: Call, row: int) -> Answer | None:
        """The answer for that row in the last forward call."""
        with self._lock:
            if self._forward is None or row >= len(self._forward[2].solutions):
                return None
            earlier = self._forward[0]
            if (earlier.event, earlier.sizes) != (call.event, call.sizes):
                return None
            return self._forward[2].of(row)

    def keep(self, call: Call, rows: Mapping[Hashable, int], answers: Answers) -> None:
        """Takes in the answers of a call; ``rows`` has the keys of true ones."""
        with self._lock:
            if not call.backward:
                self._forward = call, rows, answers
            if self._bound and not call.arguments:
                for key, row in rows.items():
                    name = call.event, call.dtype, key
                    if name not in self._kept:
                        solution, others = answers.of(row)
                        self._kept[name] = Answer(solution.copy(), others)  # since a view would keep them all
            while len(self._kept) > self._bound:
                self._kept.popitem(last=False)
