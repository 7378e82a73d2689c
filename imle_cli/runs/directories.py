"""Names in run directories, and what can be said of a directory without reading arrays and tensors in it."""

import json
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

from imle_cli.files.sources import SourceError
from imle_cli.messages import UsageError

DAMAGED = "it is damaged or no run of imle; choose another folder"
COMMANDS = {"imle run 1": "train", "imle perception 1": "perceive", "imle decision 1": "decide"}
"""The command that makes runs of a format."""

CONFIG, HISTORY, METRICS, SUMMARY = "config.json", "history.npz", "metrics.csv", "summary.json"
CHECKPOINT, PREVIOUS = "checkpoint.pt", "previous.pt"
_LONGEST = 2**26  # bytes of a JSON file


class RunError(SourceError):
    """A run directory that cannot be used; the message is one line of at most 300 letters and names the file in it."""


def check_run(path: Path | None, option: str | None = None) -> None:
    """Refuses a run directory that is missing.

    Args:
        path: the directory.
        option: the option that names it; None for an argument.

    Raises:
        RunError: an argument names none.
        UsageError: the option names none.
    """
    if path is None or path.is_dir():
        return
    error = RunError(path, "no such run directory; check the path")
    raise error if option is None else UsageError(f"{option}: {error}")


def new_folder(name: str, parent: str = "runs") -> Path:
    """Makes ``runs/<map>-<date and time>``, with a number behind it where another process took that name."""
    stem = Path(parent) / f"{Path(name).stem}-{datetime.now():%Y%m%d-%H%M%S}"
    numbered = (stem.with_name(f"{stem.name}-{number}") for number in count(2))
    return next(path for path in chain([stem], numbered) if _made(path))


def _made(path: Path) -> bool:
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return False
    return True


def newest_run_path() -> Path | None:
    """The run in ``runs/`` or a folder of it that was begun last; None if there is none."""
    configs = sorted(Path("runs").rglob(CONFIG), key=lambda path: (path.stat().st_mtime_ns, path.parent.name))
    return configs[-1].parent if configs else None


def command_of(path: Path) -> str | None:
    """The command that made a run; None if it cannot be told."""
    try:
        return COMMANDS.get(read_json(path / CONFIG)["format"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_json(path: Path) -> Any:
    """Contents of a JSON file; a ValueError, if nothing that can be used."""
    if path.exists() and not (path.is_file() and path.stat().st_size <= _LONGEST):
        raise ValueError(f"{path} is no ordinary file, or too long")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError(f"{path} is nested too deeply") from error
