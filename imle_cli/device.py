"""The device that work is done on."""

import torch

from imle_cli.messages import UsageError
from imle_cli.options.inputs import DeviceName


def find_device(name: DeviceName) -> torch.device:
    """The device of that name; "auto" takes a GPU where there is one.

    Raises:
        UsageError: a GPU where there is none.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UsageError("--device: got cuda; torch finds no CUDA device here; use cpu or auto")
    return torch.device("cuda" if available and name != "cpu" else "cpu")
