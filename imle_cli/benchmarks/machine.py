"""The machine that measures, and what is installed on it."""

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

_PACKAGES = "imle", "torch", "numpy", "numba", "scipy", "networkx"


def describe(device: torch.device) -> dict[str, Any]:
    """Processor, its number of logical ones, what kernels have for vectors, system, torch's threads, a GPU that computes."""
    from imle_core.kernels.instruction_set import vector_instructions  # here, since numba takes half a second to import

    return {
        "processor": _processor(Path("/proc/cpuinfo")),
        "processors": os.cpu_count(),
        "vectors": vector_instructions(),
        "system": f"{platform.machine()} {platform.system()}",
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
    }


def in_words(machine: dict[str, Any]) -> str:
    """The machine in a line."""
    vectors, gpu = (f", {machine[name]}" if machine[name] else "" for name in ("vectors", "gpu"))
    several = "s" if machine["processors"] > 1 else ""
    return f"{machine['processor']}, {machine['processors']} processor{several}{vectors}{gpu}"


def versions(*optional: str) -> dict[str, str]:
    """Of Python, of every package that is measured, and of these others where they are installed."""
    installed = {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}
    for name in optional:
        with suppress(PackageNotFoundError):
            installed[name] = version(name)
    return installed


def _processor(description: Path) -> str:
    """The processor's name as Linux gives it in a file, else as Python does."""
    if description.exists():
        for line in description.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()
