"""Generator states of checkpointed calls, so that activation checkpointing recomputes with the same noise."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Generic, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

_AS_IT_IS = nullcontext()
T = TypeVar("T")


class Pass(NamedTuple):
    """A pass of a checkpointed call that is under way.

    Attributes:
        call: what its first pass and all its recomputations have in common.
        again: whether it is a recomputation.
        run: the recomputation.
    """

    call: Any
    again: bool
    run: tuple[int, int]


@dataclass
class _Record(Generic[T]):
    """What a checkpointed call had, in order, and how much of it the present recomputation has had again."""

    items: list[T] = field(default_factory=list)
    run: tuple[int, int] | None = None
    had: int = 0

    def next_item(self, run: tuple[int, int]) -> T | None:
        """The next of a recomputation, from the first on where ``run`` differs from the last one's."""
        self.had = self.had + 1 if run == self.run else 1
        self.run = run
        return self.items[self.had - 1] if self.had <= len(self.items) else None


class Recall(Generic[T]):
    """What calls had in their first passes, to be had again, in that order, in their recomputations.

    It is kept as long as a call can be recomputed; copies and pickles begin anew.
    """

    def __init__(self) -> None:
        self._records: WeakKeyDictionary[Any, _Record[T]] = WeakKeyDictionary()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()

    def keep(self, passes: list[Pass], item: T) -> None:
        """Keeps what a first pass had, for each of the calls that it is within."""
        for open_pass in passes:
            self._records.setdefault(open_pass.call, _Record()).items.append(item)

    def again(self, passes: list[Pass]) -> T | None:
        """What the first pass had of which this is a recomputation; None if it is none, or nothing is on record."""
        number = next((number for number, open_pass in enumerate(passes) if open_pass.again), None)
        if number is None:
            return None
        record = self._records.get(passes[number].call)
        item = None if record is None else record.next_item(passes[number].run)
        if item is not None:
            self.keep(passes[:number], item)
        return item


class _Draw(NamedTuple):
    """A draw of a first pass: the parameters' shape and type, and the generator's state."""

    shape: torch.Size
    dtype: torch.dtype
    state: Tensor


class Replay(Recall[_Draw]):
    """Puts a generator back where it stood when a forward pass is recomputed inside a backward pass.

    ``torch.utils.checkpoint`` restores torch's global generators before it recomputes, but knows nothing of others. Code
    that recomputes keeps an object for each of its calls, which it has in the first pass and again in the recomputation:
    this tells calls apart, however alike their parameters are, and in any order in which a backward pass comes to them.
    Within one call, draws are matched in order. Known are ``torch.utils.checkpoint`` in both of its forms, nested ones too,
    and every ``torch.autograd.Function`` that computes in ``forward(ctx, ...)`` and again in ``backward(ctx, ...)``. States
    are kept as long as such an object lives.

    Args:
        generator: the generator whose states are recorded and restored.
    """

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.generator = generator

    def __reduce__(self) -> tuple[Any, ...]:
        return Replay, (self.generator,)

    def drawing(self, theta: Tensor) -> AbstractContextManager[None]:
        """Wraps the draw of noise for ``theta``: records the state of a first pass, restores it in a recomputation.

        Raises:
            RuntimeError: inside a backward pass, a draw whose first pass is not on record.
        """
        passes = open_passes()
        if not passes and torch._C._current_graph_task_id() == -1:
            return _AS_IT_IS
        return self._drawing(theta, passes)

    @contextmanager
    def _drawing(self, theta: Tensor, passes: list[Pass]) -> Iterator[None]:
        if torch._C._current_graph_task_id() == -1 and not any(open_pass.again for open_pass in passes):
            self.keep(passes, _Draw(theta.shape, theta.dtype, self.generator.get_state()))
            yield
            return
        draw = self.again(passes)
        if draw is None or (draw.shape, draw.dtype) != (theta.shape, theta.dtype):
            raise RuntimeError(
                f"generator: no state is on record for a recomputation with parameters of shape {tuple(theta.shape)}; "
                "inside a backward pass only what was checkpointed can be computed, just as before; use "
                "torch.utils.checkpoint"
            )
        present = self.generator.get_state()
        self.generator.set_state(draw.state)
        try:
            yield
        finally:
            self.generator.set_state(present)


_COMPUTING = ("forward", "backward")
_NAMES = frozenset({"checkpoint", "unpack_hook", *_COMPUTING})


def _passes() -> list[Pass]:
    """Passes that are under way, from the innermost outwards, as the calling functions tell."""
    checkpointing = getattr(sys.modules.get("torch.utils.checkpoint"), "__file__", None)
    passes, task = [], torch._C._current_graph_task_id()
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_name not in _NAMES:  # first of all, since nearly all frames end here
            frame = frame.f_back
            continue
        run = (task, id(frame))
        if code.co_filename == checkpointing and code.co_name == "checkpoint":
            waiting = getattr(frame.f_locals.get("gen"), "gi_frame", None)  # without it, a Function below it has the call
            if waiting is not None:
                passes.append(Pass(waiting.f_locals["new_frame"], False, run))
        elif code.co_filename == checkpointing and code.co_name == "unpack_hook":
            passes.append(Pass(frame.f_locals["frame"], True, run))
        elif code.co_argcount and code.co_name in _COMPUTING:
            ctx = frame.f_locals.get(code.co_varnames[0])
            if isinstance(ctx, FunctionCtx):
                passes.append(Pass(ctx, code.co_name == "backward", run))
        frame = frame.f_back
    return passes


_uncompiled: list[Callable[[], list[Pass]]] = []


def open_passes() -> list[Pass]:
    """Passes under way, also where torch.compile may look into functions: a graph has no frames."""
    if "torch._dynamo" not in sys.modules:
        return _passes()
    if not _uncompiled:
        _uncompiled.append(torch.compiler.disable(_passes))
    return _uncompiled[0]()
