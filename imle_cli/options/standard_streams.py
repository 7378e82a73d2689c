"""Standard input and output in place of a file: ``-`` where a path may be given."""

from pathlib import Path

STANDARD_INPUT = Path("stdin")
"""What a path of ``-`` becomes where it is read: this very object, not a file of that name."""

STANDARD_OUTPUT = Path("-")


def read_from(path: Path | None) -> Path | None:
    """The path, or :data:`STANDARD_INPUT` for ``-``."""
    return STANDARD_INPUT if path == Path("-") else path
