"""Elementary functions of kernels: against those of numpy with more digits."""

import numpy as np
import pytest

from imle_core.kernels.compiled import compiled
from imle_core.kernels.elementary import logarithm, sine_and_cosine

WIDE = np.longdouble
random = np.random.default_rng(0)
ARGUMENTS = {
    "uniform": random.random(200_000),
    "between the roots": random.uniform(0.7, 1.42, 200_000),
    "next to 1": 1 + random.normal(0, 1, 200_000) * 10.0 ** random.uniform(-16, -1, 200_000),
    "of any size": 10.0 ** random.uniform(-307, 308, 200_000),
    "powers of 2": 2.0 ** np.arange(-1022, 1024),
    "ends": np.array([2.0**-53, 1 - 2.0**-53, 1 + 2.0**-52, 2.0**53 - 1, np.finfo(float).tiny, np.finfo(float).max]),
    "where the exponent changes": np.nextafter(np.sqrt(0.5) * 2.0 ** np.arange(-20, 20)[:, None], [0.0, np.inf]).ravel(),
}


@compiled
def logarithms(x, out):
    for i in range(len(x)):
        out[i] = logarithm(x[i])


@compiled
def sines_and_cosines(x, sines, cosines):
    for i in range(len(x)):
        sines[i], cosines[i] = sine_and_cosine(x[i])


def off(values, exact):
    """Largest distance in units in the last place."""
    return float((np.abs(values - exact) / np.spacing(np.abs(exact).astype(float))).max())


@pytest.mark.parametrize("name", ARGUMENTS)
def test_logarithm(name):
    x = ARGUMENTS[name]
    values = np.empty(len(x))
    logarithms(x, values)
    assert off(values, np.log(x.astype(WIDE))) <= 2


def test_the_logarithm_of_1_is_0():
    assert logarithm(1.0) == 0.0


@pytest.mark.parametrize("largest", [np.pi / 4, 1e-3, 1e-12])
def test_sine_and_cosine(largest):
    x = np.append(random.uniform(-largest, largest, 200_000), [-largest, 0.0, largest])
    sines, cosines = np.empty((2, len(x)))
    sines_and_cosines(x, sines, cosines)
    assert off(sines, np.sin(x.astype(WIDE))) <= 2
    assert off(cosines, np.cos(x.astype(WIDE))) <= 2
    assert np.abs(sines**2 + cosines**2 - 1).max() < 1e-15
