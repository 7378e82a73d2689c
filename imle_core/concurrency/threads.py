"""Work shared among threads that are kept for the next call, since starting one takes as long as a small solve."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache, partial
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")


def in_threads(work: Callable[[int, int], T], count: int, threads: int) -> list[T]:
    """Results of ``work(first, last)`` over 0..count-1, in order, in as many equal parts as there are threads.

    ``work`` must not itself use threads of this module.
    """
    bounds = [count * number // max(1, threads) for number in range(max(1, threads) + 1)]
    return at_once([partial(work, *ends) for ends in pairwise(bounds)])


def at_once(works: Sequence[Callable[[], T]]) -> list[T]:
    """Results of functions that run at the same time, the first in the calling thread.

    That has mostly done some of its work before others are awake. None may itself use threads of this module.
    """
    futures = [_pool(len(works) - 1).submit(work) for work in works[1:]]
    try:
        first = works[0]()
    except BaseException:
        wait(futures)  # the other threads may write to arrays of the caller
        raise
    return [first, *(future.result() for future in futures)]


@lru_cache(maxsize=1)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="imle")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child process has none of its parent's threads
