"""Work shared among threads that are kept for the next call, since starting one takes as long as a small solve."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")


def in_threads(work: Callable[[int, int], T], count: int, threads: int, head_start: int = 0) -> list[T]:
    """Results of ``work(first, last)`` over 0..count-1, in order, in as many equal parts as there are threads.

    The first part runs in the calling thread and may be larger by a head start, since the others have to wake up first.
    ``work`` must not itself call this function.
    """
    if threads <= 1:
        return [work(0, count)]
    more = max(0, min(head_start, count - threads))
    bounds = [0, *(more + (count - more) * part // threads for part in range(1, threads + 1))]
    others = [_pool(threads - 1).submit(work, *ends) for ends in pairwise(bounds[1:])]
    return [work(0, bounds[1]), *(other.result() for other in others)]


@lru_cache(maxsize=1)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="imle")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child process has none of its parent's threads
