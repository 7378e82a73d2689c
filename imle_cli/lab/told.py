"""Measured figures as a reader is told them: with their standard error, or as a bound where that is large."""

import math

from imle_core.lab import IntervalEstimate

_MOST_DECIMALS = 7


def told(estimate: IntervalEstimate, unit: float = 1.0, sign: str = "") -> str:
    """``0.153 ± 0.004``; ``> 900``, ``< 0.02`` or ``4 to 9`` for a figure whose standard error is above a third of it.

    Bounds are the ends of the interval of 95%, as far as they are above 0 and finite. The error has two significant digits,
    or one from 3 on, and the value as many decimals.

    Args:
        estimate: what was measured.
        unit: what 1 is called: 100 for shares in percent.
        sign: of the unit, put after each number.
    """
    if estimate.is_wide:
        low, high = (f"{_rounded(unit * end)}{sign}" for end in (estimate.low, estimate.high))
        if estimate.low <= 0:
            return f"< {high}" if math.isfinite(estimate.high) else "not known"
        return f"> {low}" if math.isinf(estimate.high) else f"{low} to {high}"
    value, error = unit * estimate, unit * estimate.standard_error
    if not math.isfinite(value) or error <= 1e-9 * abs(value):
        return f"{value:.3g}{sign}"
    value, error = (round(number, _decimals(error)) for number in (value, error))
    decimals = max(0, _decimals(error))
    if decimals > _MOST_DECIMALS:
        return f"{value:.1e} ± {error:.0e}{sign}"
    return f"{value:,.{decimals}f} ± {error:,.{decimals}f}{sign}"


def told_share(estimate: IntervalEstimate | None) -> str:
    """A share in percent, a small one that is in doubt by its upper bound; nothing for None."""
    if estimate is not None and estimate.is_wide and math.isfinite(estimate.high):
        return f"< {_rounded(100 * estimate.high)}%" if estimate < 0.5 else f"> {_rounded(100 * estimate.low)}%"
    return "" if estimate is None else told(estimate, 100.0, "%")


def told_near_zero(estimate: IntervalEstimate) -> str:
    """A figure that may be 0 or negative, and is told with its error however large that is."""
    if math.isinf(estimate.high):
        return told(estimate)
    if estimate.standard_error <= 1e-9:
        return f"{estimate:.3g}"
    decimals = max(0, _decimals(estimate.standard_error))
    return f"{float(estimate):.{decimals}f} ± {estimate.standard_error:.{decimals}f}"


def _decimals(error: float) -> int:
    """Decimals of a number that is known up to an error; below 0 for tens and hundreds."""
    exponent = math.floor(math.log10(error))
    return int(error < 3 * 10.0**exponent) - exponent


def _rounded(value: float) -> str:
    """Two significant digits, without an exponent up to a million."""
    if not math.isfinite(value) or value == 0 or not 1e-4 <= abs(value) < 1e6:
        return f"{value:.2g}"
    decimals = 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, decimals):,.{max(0, decimals)}f}"
