"""Figures as a reader is told them."""

import math

import pytest

from imle_cli.lab.told import told, told_near_zero, told_share
from imle_core.lab import IntervalEstimate


def figure(value, error):
    return IntervalEstimate(value, error, value - 2 * error, value + 2 * error)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (figure(0.15312, 0.0042), "0.153 ± 0.004"),
        (figure(0.15312, 0.0021), "0.1531 ± 0.0021"),
        (figure(3870.4, 521.0), "3,900 ± 500"),
        (figure(29.4, 6.1), "29 ± 6"),
        (figure(0.4, 0.0297), "0.40 ± 0.03"),
        (figure(29.4, 1.2), "29.4 ± 1.2"),
        (figure(2.64e-9, 1.1e-10), "2.6e-09 ± 1e-10"),
        (IntervalEstimate(0.5), "0.5"),
        (IntervalEstimate(0.0), "0"),
        (IntervalEstimate(math.inf, 0.0, math.inf, math.inf), "inf"),
        (IntervalEstimate(3870.0, 2000.0, 912.0, math.inf), "> 910"),
        (IntervalEstimate(math.inf, math.inf, 0.0213, math.inf), "> 0.021"),
        (IntervalEstimate(1e7, 1e7, 2.34e6, math.inf), "> 2.3e+06"),
        (IntervalEstimate(0.01, 0.01, 0.0, 0.0345), "< 0.035"),
        (IntervalEstimate(0.38, 0.16, 0.0457, 1.12), "0.046 to 1.1"),
        (IntervalEstimate(0.0, 0.0, 0.0, 0.0123), "< 0.012"),
        (IntervalEstimate(2.0, 2.0, 0.0, math.inf), "not known"),
    ],
)
def test_a_value_with_its_error_or_a_bound(number, text):
    assert told(number) == text


def test_shares():
    assert told_share(None) == ""
    assert told_share(figure(0.264, 0.012)) == "26.4 ± 1.2%"
    assert told_share(IntervalEstimate(0.0, 0.0, 0.0, 0.0126)) == "< 1.3%"
    assert told_share(IntervalEstimate(0.002, 0.002, 0.0003, 0.009)) == "< 0.90%"
    assert told_share(IntervalEstimate(1.0, 0.0, 0.9874, 1.0)) == "> 99%"


def test_what_may_be_negative_is_told_with_any_error():
    assert told_near_zero(figure(-0.0061, 0.02)) == "-0.006 ± 0.020"
    assert told_near_zero(figure(0.5, 0.04)) == "0.50 ± 0.04"
    assert told_near_zero(IntervalEstimate(1.0)) == "1"
    assert told_near_zero(IntervalEstimate(1.0, math.inf, 0.0, math.inf)) == "not known"
