"""Whole solutions in the order of their shares of the samples, and these shares as text."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from imle_cli.figures.canvas import LEGEND, Floats, Mask
from imle_cli.figures.colours import CURVE, PALE, PATH
from imle_cli.figures.percentages import percentages, with_error

LEVELS = (PALE, PATH, CURVE)
"""Colours of what is not chosen, of what the most frequent solution chooses, too, and of what it does not choose."""


@dataclass(frozen=True)
class Ranked:
    """Different solutions, the most frequent first.

    Attributes:
        masks: ``(K, *event)``.
        shares: of the samples that each is, ``(K,)``.
        errors: their standard errors, ``(K,)``; NaN where they are not known.
    """

    masks: Mask
    shares: Floats
    errors: Floats

    def __len__(self) -> int:
        return len(self.masks)

    def first(self, count: int) -> "Ranked":
        """The most frequent of them, at most so many."""
        return Ranked(self.masks[:count], self.shares[:count], self.errors[:count])

    @property
    def texts(self) -> list[str]:
        """Shares in per cent with their standard errors."""
        return list(map(with_error, *percentages(self.shares.tolist(), self.errors.tolist(), 1)))

    @property
    def levels(self) -> NDArray[np.uint8]:
        """What is chosen, ``(K, *event)``: 1 where the most frequent solution chooses it, too, else 2; 0 for the rest."""
        chosen = np.asarray(self.masks) != 0
        return np.where(chosen, np.where(chosen[0], 1, 2), 0).astype(np.uint8)


def add_levels_legend(figure: Figure, ranked: Ranked, things: str) -> None:
    """The meaning of the two colours of what is chosen, below everything."""
    handles = [Patch(color=PATH, label=f"chosen {things}")]
    if (ranked.levels == 2).any():
        handles.append(Patch(color=CURVE, label="chosen, but not in the most frequent"))
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=LEGEND, handlelength=1.2)
