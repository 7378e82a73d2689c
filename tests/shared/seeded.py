"""Cases of hypothesis that are one draw, of a seed: to draw entry by entry takes longer than what is done with most cases.

``from seeded import lists, seeded, tables``
"""

from random import Random

import numpy as np
from hypothesis import strategies as st


def seeded(make):
    """What a function makes of a generator of random numbers."""
    return st.integers(0, 2**32 - 1).map(lambda seed: make(Random(seed)))


def entries(rng, entry, count):
    """So many entries: of a sequence, or what a function makes of the generator."""
    return [entry(rng) for _ in range(count)] if callable(entry) else rng.choices(entry, k=count)


def lists(entry, least, most):
    """Lists of so many entries."""
    return seeded(lambda rng: entries(rng, entry, rng.randint(least, most)))


def tables(entry, longest):
    """Arrays of float64 with sides of 1 to so many entries."""
    return seeded(lambda rng: table(rng, entry, rng.randint(1, longest), rng.randint(1, longest)))


def table(rng, entry, *shape, dtype=np.float64):
    """An array of such entries."""
    return np.array(entries(rng, entry, int(np.prod(shape))), dtype).reshape(shape)
