"""Parameters as arrays that kernels read."""

from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Rows: TypeAlias = NDArray[np.float32] | NDArray[np.float64]


def as_rows(theta: Tensor) -> Rows:
    """``theta`` as a contiguous array of its own shape and type; of float32 for narrower types, which hold no more."""
    wide = torch.float64 if theta.dtype == torch.float64 else torch.float32
    rows: Rows = theta.detach().to("cpu", wide).contiguous().numpy()
    return rows


def check_below_infinity(rows: Rows, what: str) -> None:
    """Refuses NaN and +inf; ``what`` names the parameters.

    Raises:
        ValueError: there are such.
    """
    if not (rows < np.inf).all():
        nan, infinite = int(np.isnan(rows).sum()), int((rows == np.inf).sum())
        raise ValueError(f"theta: got {nan} NaN and {infinite} inf; {what} must be finite, or -inf for never")
