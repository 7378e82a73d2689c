"""Shares and their standard errors as text, in per cent."""

import math
from collections.abc import Sequence


def percentages(shares: Sequence[float], errors: Sequence[float], digits: int) -> tuple[list[str], list[str]]:
    """Shares and their errors in per cent, with as many decimals as let the smallest error have so many digits.

    An error of 0 is "0%", one that is not known an empty text.
    """
    known = [error for error in errors if error > 0]
    decimals = max(0, digits - 1 - math.floor(math.log10(100 * min(known)))) if known else 1
    texts = [f"{100 * share:.{decimals if share < 1 else 0}f}%" for share in shares]
    return texts, ["" if math.isnan(error) else f"{100 * error:.{decimals if error else 0}f}%" for error in errors]


def with_error(share: str, error: str) -> str:
    """A share with its error, where that is known and not 0."""
    return share if error in ("", "0%") else f"{share} ± {error}"
