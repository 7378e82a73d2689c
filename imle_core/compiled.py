"""Compiled kernels: numba with a cache on disk, also where the package itself cannot be written to."""

from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles ``function`` at its first call for each combination of types, without the interpreter's lock.

    The machine code is kept beside the source or in the user's cache folder, for the next start of Python. Where
    neither can be written, each process compiles anew.
    """
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # numba finds no folder for its cache
        return numba.njit(nogil=True)(function)
