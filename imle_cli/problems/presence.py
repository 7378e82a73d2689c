"""Files that a command is to read, looked for before anything heavy is imported: who mistyped a name hears of it at once."""

import os
from pathlib import Path

from imle_cli.files.sources import SourceError, check_file
from imle_cli.messages import UsageError
from imle_cli.options.learning import LearningOptions


def check_present(path: Path | None, option: str | None = None) -> None:
    """Refuses a file that is missing, by the name of the option that it was given by, if by any.

    Raises:
        SourceError: an input is.
        UsageError: what an option names is.
    """
    if path is None or os.path.exists(path):  # noqa: PTH110 - of what cannot be looked at, False in place of an error
        return
    try:
        check_file(path, "a file", "input")
    except SourceError as error:
        if option is None:
            raise
        raise UsageError(f"{option}: {error}") from error


def check_files(learning: LearningOptions) -> None:
    """Refuses options of learning that name a file which is missing; errors as in :func:`check_present`."""
    for option, path in learning.files.items():
        check_present(path, option)
