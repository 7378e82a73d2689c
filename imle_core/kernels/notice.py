"""Notice that kernels are being compiled, which takes seconds where no cache has them yet."""

from collections.abc import Callable

_told: list[Callable[[], None]] = []


def tell(listener: Callable[[], None]) -> None:
    """Calls ``listener`` once, when the first kernel from now on is compiled; it takes the place of an earlier listener."""
    _told[:] = [listener]


def begins() -> None:
    """Calls whoever is to be told."""
    while _told:
        _told.pop()()
