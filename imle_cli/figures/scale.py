"""Scales of marginals: from 0 to 1 where they are probabilities, else from the smallest mean to the largest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from imle_cli.figures.canvas import MARGINALS, Floats
from imle_cli.figures.tile_colours import Colours


@dataclass(frozen=True)
class Scale:
    """Meaning of the colours of marginals.

    Attributes:
        low: value of the first colour.
        high: value of the last colour.
        label: the quantity, in words.
    """

    low: float
    high: float
    label: str

    @classmethod
    def of(cls, means: Floats, error: Floats | None = None) -> "Scale":
        """Scale of means of samples, with the largest standard error in its label where errors are known."""
        finite = means[np.isfinite(means)]
        low, high = min(0.0, float(finite.min(initial=0.0))), max(1.0, float(finite.max(initial=1.0)))
        word = "probability" if (low, high) == (0.0, 1.0) else "mean of the samples"
        if error is None or not np.isfinite(error).any():
            return cls(low, high, word)
        return cls(low, high, f"{word}, ± at most {np.nanmax(error):.1g}")

    @property
    def mapping(self) -> ScalarMappable:
        """Values to colours."""
        return ScalarMappable(Normalize(self.low, self.high), MARGINALS)

    @property
    def ticks(self) -> Sequence[float]:
        """Both ends."""
        return [self.low, self.high]

    def level(self, values: Any) -> Any:
        """Values as shares of the way from the first colour to the last."""
        return (values - self.low) / (self.high - self.low)

    def colours(self, values: Floats) -> Colours:
        """Red, green and blue in a new last axis, 0 to 255."""
        return np.asarray(MARGINALS(self.level(values), bytes=True)[..., :3])
