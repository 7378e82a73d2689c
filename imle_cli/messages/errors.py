"""Errors of commands: exit codes, and one line on standard error in place of a traceback."""

import errno
import os
import sys
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from imle_cli.messages.notes import printable

if TYPE_CHECKING:
    from typing import TypeGuard

    from imle_core.checks import ArgumentError

# Arguments of the library that are options of the command.
_OPTIONS = {
    "start": "--start",
    "s": "--start",
    "goal": "--goal",
    "t": "--goal",
    "capacity": "--capacity",
    "noise_level": "--noise-level",
    "pool": "--pool",
    "problem": "--problem",
    "risk": "--risk",
    "seed": "--seed",
    "size": "--size",
    "noise_distribution": "--noise",
    "nb_samples": "--samples",
    "input_noise_temperature": "--input-temp",
    "target_noise_temperature": "--target-temp",
}
# Rules and remedies of the library that speak of its arguments, in the words of the command.
WORDS = {
    "add edges, or use forest=True": "add edges, or use --solver spanning-forest",
    "raise one of them, or use forest=True": "raise one of them, or use --solver spanning-forest",
    "perfect=True needs one": "--solver perfect-matching needs one",
    "add edges, or use perfect=False": "add edges, or use --solver matching",
    "raise one of them, or use perfect=False": "raise one of them, or use --solver matching",
    "lower theta on its edges, or give floor=0 to clamp costs": "lower theta on its edges, or give --floor 0 to clamp costs",
    "use NormalNoiseDistribution()": "use --noise normal",
    "use NormalNoiseDistribution() or GumbelNoiseDistribution()": "use --noise normal or --noise gumbel",
    "use GumbelNoiseDistribution() for instance": "use --noise gumbel for instance",
    "give normals=..., or a solver that has them": "choose another --estimator",
    "use a smaller lr": "use a smaller --lr",
    "allow more, or take Assignment(partial=True)": "allow more, or take --solver partial-assignment",
    "give graph.edges(), pairs without direction": "give --undirected",
}
_ENDS = {"--start", "--goal"}  # either may be what keeps them apart
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
_LONGEST, _END = 300, 120  # letters of a message, and of its end, which has the remedy
_WORD = 40  # letters of a word that is left out rather than cut


class Exit(IntEnum):
    """Exit codes."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 130


class DataError(Exception):
    """Bad data or failed work; the message is one line."""

    code = Exit.FAILED


class UsageError(DataError):
    """A wrong option; the message names it, what was got, the rule and the remedy."""

    code = Exit.USAGE


class Told(typer.Exit):
    """The end of a command whose error has been told.

    Attributes:
        message: what was told.
    """

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(code)
        self.message = message


@contextmanager
def reported_errors(debug: bool, given: Collection[str] = (), named: Callable[[str], str] = str) -> Iterator[None]:
    """Turns every exception into one line on standard error and an exit code.

    Args:
        debug: a traceback precedes it.
        given: options that the user gave: what the library refuses of these is wrong usage, of others it is bad data.
        named: makes a message name an option as the user wrote it.
    """
    try:
        yield
    except KeyboardInterrupt:
        # One that left a text that was executing, as those in imports of data classes, would have ``python -m`` end by the
        # signal instead of with the code, unless another text is executed.
        exec("")
        _fail("interrupted", Exit.INTERRUPTED, debug)
    except BrokenPipeError:
        # Whoever read the output has gone; what Python flushes at its end must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(Exit.FAILED) from None
    except DataError as error:
        _fail(f"error: {named(str(error))}", error.code, debug)
    except MemoryError:
        _fail("error: out of memory; take a smaller map, --grid, or fewer samples", Exit.FAILED, debug)
    except OSError as error:
        remedy = "; change permissions, or choose another folder" if error.errno in _DENIED else ""
        prefix = f"{error.filename}: " if error.filename else ""
        _fail(f"error: {prefix}{error.strerror or error}{remedy}", Exit.FAILED, debug)
    except ValueError as error:
        text, code = str(error), Exit(getattr(error, "code", Exit.FAILED))
        if _is_refusal(error):
            text = worded(error)
            option = text.partition(":")[0]
            code = Exit.USAGE if (not _ENDS.isdisjoint(given) and option in _ENDS) or option in given else code
        _fail(f"error: {named(text)}", code, debug)
    except Exception as error:
        if isinstance(error, typer.Exit):
            raise
        _fail(f"internal error: {type(error).__name__}: {error}; --debug shows where", Exit.FAILED, debug)


def worded(error: "ArgumentError", name: str | None = None) -> str:
    """A refusal of the library in the words of the command: options in place of arguments.

    Args:
        error: the refusal.
        name: what to call the argument, if not by its option.
    """
    rule, remedy = (WORDS.get(text, text) for text in (error.rule, error.remedy))
    return str(type(error)(name or _OPTIONS.get(error.name, error.name), error.got, rule, remedy, error.verb))


def _is_refusal(error: Exception) -> "TypeGuard[ArgumentError]":
    checks = sys.modules.get("imle_core.checks")  # not imported here, since torch takes a second to import
    return checks is not None and isinstance(error, checks.ArgumentError)


def _fail(message: str, code: Exit, debug: bool) -> NoReturn:
    if debug:
        for line in traceback.format_exc().splitlines():
            print(printable(line), file=StandardError())
    line = one_line(message)
    print(line, file=StandardError())
    raise Told(line, code)


def one_line(message: str) -> str:
    """A message as a printable line of at most 300 letters, words in its middle left out where it is longer."""
    line = printable(" ".join(message.split("\n")))
    if len(line) <= _LONGEST:
        return line
    first, last = line[: _LONGEST - _END - 3], line[-_END:]
    begin, _, cut = first.rpartition(" ")
    lost, _, end = last.partition(" ")
    return f"{begin if len(cut) < _WORD else first} … {end if len(lost) < _WORD else last}"


class StandardError:
    """Standard error as a file that may be closed, or of a terminal that has gone: nothing depends on what it is told."""

    def __init__(self) -> None:
        self._stream: Any = sys.stderr
        self.encoding = getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Writes what can be written; the number of letters, written or not."""
        with suppress(OSError, ValueError, AttributeError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes what can be flushed."""
        with suppress(OSError, ValueError, AttributeError):
            self._stream.flush()

    def isatty(self) -> bool:
        """True of a terminal."""
        return bool(self._stream and self._stream.isatty())

    def fileno(self) -> int:
        """The number of the open file."""
        return int(self._stream.fileno())
