"""A logarithm, sines and cosines that the compiler vectorises, unlike the functions of the mathematical library.

They have no branches and no tables, and add, multiply and divide alone, in one order. So their results are equal to the bit
on every machine, however wide its vectors are.
"""

import math

import numpy as np

from imle_core.kernels.compiled import compiled

_FRACTION = np.uint64(0x000FFFFFFFFFFFFF)
_ONE = 0x3FF0000000000000  # the bits of 1.0
_ROOT = 0x3FE6A09E667F3BCD  # the bits of sqrt(1/2)
_RAISED = np.uint64(_ONE - _ROOT)
_WHOLE = np.uint64(0x4330000000000000)  # the bits of 2**52, in whose fraction a whole number is read as it is
_LOG_2 = math.log(2)
_SINE = tuple((-1) ** j / math.factorial(2 * j + 1) for j in range(8))
_COSINE = tuple((-1) ** j / math.factorial(2 * j) for j in range(9))


@compiled
def logarithm(x):
    """Natural logarithm of a positive, normal float64, to 2 units in the last place.

    ``log x = n log 2 + log m`` with ``sqrt(1/2) <= m < sqrt 2`` and, for ``s = (m - 1)/(m + 1)``,
    ``log m = 2 s (1 + s^2/3 + s^4/5 + ...)``. As ``s^2 < 0.0295``, the terms left out, from ``s^22/23`` on, are below 1e-18.
    """
    bits = np.float64(x).view(np.uint64)
    raised = bits + _RAISED  # its exponent is that of x / sqrt(1/2), rounded down
    n = np.uint64((raised >> np.uint64(52)) | _WHOLE).view(np.float64) - (2.0**52 + 1023.0)
    m = np.uint64((raised & _FRACTION) + np.uint64(_ROOT)).view(np.float64)
    s = np.divide(m - 1.0, m + 1.0)
    z = s * s
    z2 = z * z
    low = 1 / 3 + z * (1 / 5) + z2 * (1 / 7 + z * (1 / 9))
    high = 1 / 11 + z * (1 / 13) + z2 * (1 / 15 + z * (1 / 17)) + z2 * z2 * (1 / 19 + z * (1 / 21))
    return n * _LOG_2 + (2.0 * s + 2.0 * s * z * (low + z2 * z2 * high))


@compiled
def sine_and_cosine(x):
    """Sine and cosine of an angle of at most pi/4, to 2 units in the last place, by their power series.

    The terms left out, from ``x^17/17!`` and ``x^18/18!`` on, are below 5e-17 of the results.
    """
    z = x * x
    sine = _SINE[7]
    cosine = _COSINE[7] + z * _COSINE[8]
    for j in (6, 5, 4, 3, 2, 1):
        sine = _SINE[j] + z * sine
        cosine = _COSINE[j] + z * cosine
    return x + x * (z * sine), 1.0 + z * cosine
