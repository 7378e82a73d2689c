"""Processes that ``torchrun`` has started to work together."""

import atexit
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed

from imle_cli.options.inputs import DeviceName
from imle_core.concurrency import process_group


@contextmanager
def joined(device: DeviceName) -> Iterator[bool]:
    """Joins the group that the environment describes, if it does; yields whether this process is the one that reports.

    With a GPU each process takes one of its machine's.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield True
        return
    on_gpu = torch.cuda.is_available() and device != "cpu"
    if on_gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    distributed.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo")
    try:
        yield distributed.get_rank() == 0
    finally:
        distributed.destroy_process_group()
        atexit.register(gc.collect)  # a group that a network in a cycle of references holds would end with the interpreter


def process_generator(seed: int, device: torch.device) -> torch.Generator:
    """A source of noise for this process; each has its own."""
    return torch.Generator(device).manual_seed((seed + (process_group.rank() << 32)) % 2**63)
