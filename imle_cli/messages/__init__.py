"""Messages to the user: exit codes and errors of one line, and notes of whatever is noticed on the way."""

from imle_cli.messages.errors import (
    WORDS,
    DataError,
    Exit,
    StandardError,
    Told,
    UsageError,
    one_line,
    reported_errors,
    worded,
)
from imle_cli.messages.notes import listen, note, printable

__all__ = [
    "WORDS",
    "DataError",
    "Exit",
    "StandardError",
    "Told",
    "UsageError",
    "listen",
    "note",
    "one_line",
    "printable",
    "reported_errors",
    "worded",
]
