"""Functions and objects of the user's modules, by ``MODULE:NAME``."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from imle_cli.console import DataError, UsageError


def imported(option: str, name: str, instead: str = "") -> Any:
    """What ``name``, ``MODULE:NAME``, stands for in a module that is installed or in the current folder.

    Args:
        option: what the message calls it.
        name: a module, a colon, and perhaps dotted names in it.
        instead: what else it may be, for the message.

    Raises:
        UsageError: a name of another form.
        DataError: it cannot be imported.
    """
    module, colon, path = name.partition(":")
    if not (colon and module and path):
        raise UsageError(f"{option}: got {name!r}; it must be module:name{instead}")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # whatever the module of a user may raise
        raise DataError(f"{name}: cannot be imported ({reason(error)}); --debug shows where") from error
    finally:
        sys.path.remove(str(Path.cwd()))
    return found


def reason(error: BaseException) -> str:
    """Kind and text of an error of the user's code, in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
