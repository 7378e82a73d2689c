"""Numbers of threads that torch may use: ``from threads import torch_threads``."""

from contextlib import contextmanager

import torch


@contextmanager
def torch_threads(count):
    """A block in which torch has this many threads, and solvers and noise of ours as many."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
