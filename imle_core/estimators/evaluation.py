"""Noise of passes in evaluation, which leaves that of the training alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


class EvaluationNoise:
    """Draws of a generator as from a copy of it: they go on from pass to pass, and leave it where the training left it.

    They begin where the generator stands at the first of these passes, and again after :meth:`begin`, or once it has moved.
    """

    def __init__(self) -> None:
        self._begun: Tensor | None = None
        self._stands: Tensor | None = None

    def begin(self) -> None:
        """Lets the next pass begin where the generator then stands."""
        self._begun = self._stands = None

    @contextmanager
    def drawing(self, generator: torch.Generator | None) -> Iterator[None]:
        """Context of such a pass; without a generator, that of all torch is drawn from as anywhere else."""
        if generator is None:
            yield
            return
        present = generator.get_state()
        if self._begun is not None and self._stands is not None and torch.equal(present, self._begun):
            generator.set_state(self._stands)
        try:
            yield
        finally:
            self._begun, self._stands = present, generator.get_state()
            generator.set_state(present)
