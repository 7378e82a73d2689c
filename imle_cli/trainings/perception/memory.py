"""Freed memory, kept for the next step of a training."""

import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # of mallopt(3)


def keep_freed_memory() -> None:
    """Tells the allocator of glibc to keep large blocks that are freed; elsewhere it does nothing.

    Each step of a training frees and takes the same megabytes. By default they go back to the system, which has to clear
    them page by page when they are taken again: that is a third of a step's time on a CPU.
    """
    if not sys.platform.startswith("linux"):
        return
    allocator = getattr(ctypes.CDLL(None), "mallopt", None)
    if allocator is not None:
        for option, size in ((_MMAP_THRESHOLD, 2**30), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**26)):
            allocator(option, size)
