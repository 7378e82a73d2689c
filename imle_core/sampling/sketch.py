"""Upper bounds for how often each of any number of things was seen, in a fixed amount of memory."""

import numpy as np
from numpy.typing import NDArray

_COUNTERS = 64  # for each thing that is to be kept: few of these share one, even with a million others
_SEED = 20106  # of the numbers that rows are multiplied by


class Sketch:
    """Counters of rows of bytes by their digests: a row's counter is at least the number of times that it was added.

    It is larger where other rows have the same counter, one row of ``1 / (number of counters)`` by chance.

    Source: Cormode, Muthukrishnan 2005, "An improved data stream summary", with a single row of counters.

    Args:
        capacity: number of rows that are told apart, which sets the number of counters: 4 bytes each, a power of two.
    """

    def __init__(self, capacity: int) -> None:
        self._bits = int(_COUNTERS * capacity - 1).bit_length()
        self._counts = np.zeros(2**self._bits, np.uint32)

    def add(self, rows: NDArray[np.uint8], times: NDArray[np.int64] | int = 1) -> None:
        """Adds rows ``(n, bytes)``, each so many times."""
        np.add.at(self._counts, self._counters(rows), np.asarray(times, np.uint32))

    def bounds(self, rows: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Numbers of times, ``(n,)``, that rows have been added at most."""
        return self._counts[self._counters(rows)].astype(np.int64)

    def _counters(self, rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
        """Numbers of the counters of rows: the highest bits of a sum of products, mixed as splitmix64 does."""
        words = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 8))).view(np.uint64)
        factors = np.random.Generator(np.random.PCG64(_SEED)).integers(2**63, size=words.shape[1], dtype=np.uint64) * 2 + 1
        mixed = (words * factors).sum(axis=1, dtype=np.uint64) + np.uint64(rows.shape[1])
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        return np.asarray((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(64 - self._bits))
