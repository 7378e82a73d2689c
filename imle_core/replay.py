"""Generator states of past forward calls, so that activation checkpointing recomputes with the same noise."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

Key = tuple[torch.Size, torch.dtype, float]


class Replay:
    """Puts a generator back where it stood when a forward pass is recomputed inside a backward pass.

    ``torch.utils.checkpoint`` restores torch's global generators before it recomputes, but knows nothing of others. A
    recomputation is recognised because it happens inside the autograd engine, and is matched with its original by the
    parameters' shape, type and sum. Calls with equal parameters are replayed last first, the order of a backward pass.
    The states of the last 256 calls are kept.

    Args:
        generator: the generator whose states are recorded and restored.
    """

    _capacity = 256

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator
        self._calls: list[tuple[Key, Tensor]] = []

    @contextmanager
    def drawing(self, theta: Tensor) -> Iterator[None]:
        """Wraps the draw of noise for ``theta``: records the state of a first pass, restores it in a recomputation.

        Raises:
            RuntimeError: a recomputation whose first pass is not on record.
        """
        finite_sum = float(theta.detach().double().nan_to_num(posinf=0.0, neginf=0.0).sum())
        key = (theta.shape, theta.dtype, finite_sum)
        present = self.generator.get_state()
        if torch._C._current_graph_task_id() == -1:
            self._calls = [*self._calls[1 - self._capacity :], (key, present)]
            yield
            return
        index = max((i for i, (known, _) in enumerate(self._calls) if known == key), default=None)
        if index is None:
            raise RuntimeError(
                f"generator: no state is on record for a recomputation with parameters of shape {tuple(theta.shape)}; the "
                f"parameters must be recomputed exactly, at most {self._capacity} calls after the first pass"
            )
        self._calls.insert(0, self._calls.pop(index))
        self.generator.set_state(self._calls[0][1])
        try:
            yield
        finally:
            self.generator.set_state(present)
