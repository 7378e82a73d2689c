"""The load of the machine: what others want of it while something is measured."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

_TICKS = Path("/proc/stat")
_OF_OTHERS = 0, 1, 2, 5, 6, 7  # user, nice, system, interrupts of two kinds, and what the host gave to other machines


class LoadWatch:
    """Watches from now on.

    Where the system does not say something, it is None.
    """

    def __init__(self) -> None:
        self._before = _average()
        self._began, self._all, self._own = time.perf_counter(), _all_seconds(), _own_seconds()

    def record(self) -> dict[str, Any]:
        """Mean numbers of processes in a minute, before and now, and the share of the processors that others took since.

        Others are all processes but this one and those that it started and saw end; if the machine is a virtual one, those
        of other such machines on the same processors, too.
        """
        used, others = _all_seconds(), None
        seconds = (time.perf_counter() - self._began) * (os.cpu_count() or 1)
        if used is not None and self._all is not None and seconds > 0:
            others = min(1.0, max(0.0, (used - self._all - (_own_seconds() - self._own)) / seconds))
        return {"before": self._before, "after": _average(), "others": others}


def in_words(load: dict[str, Any]) -> str:
    """The load in a line; empty where nothing is known."""
    phrases = []
    if load["before"] is not None and load["after"] is not None:
        phrases.append(f"{load['before']:.1f} processes before, {load['after']:.1f} after")
    if load["others"] is not None:
        phrases.append(f"others took {load['others']:.0%} of the processors meanwhile")
    return "; ".join(phrases)


def _average() -> float | None:
    """Mean number of processes in the last minute that ran or wanted to."""
    if hasattr(os, "getloadavg"):
        with suppress(OSError):
            return os.getloadavg()[0]
    return None


def _all_seconds() -> float | None:
    """Seconds that all processors have worked since the system began."""
    if not _TICKS.exists():
        return None
    _, *ticks = _TICKS.read_text(encoding="ascii").splitlines()[0].split()
    return sum(int(ticks[column]) for column in _OF_OTHERS) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    """Seconds that this process and those that it saw end have worked."""
    return sum(os.times()[:4])
