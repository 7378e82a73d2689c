"""Standard output for results, standard error for everything else; progress; errors and exit codes."""

import errno
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import IntEnum
from types import FrameType
from typing import IO, Any, NoReturn, cast

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from imle_cli.notes import listen, printable

# What the library's remedies are called on the command line.
_REMEDIES = {
    "forest=True": "--solver spanning-forest",
    "; perfect=True needs one": "",
    "perfect=False": "--solver matching",
    "floor=0": "--floor 0",
    "use NormalNoiseDistribution()": "use --noise normal",
    "use a smaller lr": "use a smaller --lr",
    "Assignment(partial=True)": "--solver partial-assignment",
    "give graph.edges(), pairs without direction": "give --undirected",
}

_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
_LONGEST, _END = 300, 120  # letters of a message, and of its end, which has the remedy


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


@contextmanager
def reported_errors(debug: bool) -> Iterator[None]:
    """Turns every exception into one line on standard error and an exit code; with ``debug`` a traceback precedes it."""
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
        _fail(f"error: {error}", error.code, debug)
    except MemoryError:
        _fail("error: out of memory; take a smaller map, --grid, or fewer samples", Exit.FAILED, debug)
    except OSError as error:
        remedy = "; change permissions, or choose another folder" if error.errno in _DENIED else ""
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"error: {place}{error.strerror or error}{remedy}", Exit.FAILED, debug)
    except ValueError as error:
        text = str(error)
        for library, option in _REMEDIES.items():
            text = text.replace(library, option)
        _fail(f"error: {text}", Exit(getattr(error, "code", Exit.FAILED)), debug)
    except Exception as error:
        if isinstance(error, typer.Exit):
            raise
        _fail(f"internal error: {type(error).__name__}: {error}; --debug shows where", Exit.FAILED, debug)


def _fail(message: str, code: Exit, debug: bool) -> NoReturn:
    if debug:
        for line in traceback.format_exc().splitlines():
            print(printable(line), file=_StandardError())
    print(one_line(message), file=_StandardError())
    raise typer.Exit(code)


def one_line(message: str) -> str:
    """A message as a printable line of at most 300 letters, its middle left out where it is longer."""
    line = printable(" ".join(message.split("\n")))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - _END - 3]} … {line[-_END:]}"


class _StandardError:
    """Standard error as a file that may be closed, or of a terminal that has gone: nothing depends on what it is told."""

    def __init__(self) -> None:
        self._stream: Any = sys.stderr
        self.encoding = getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError, AttributeError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError, AttributeError):
            self._stream.flush()

    def isatty(self) -> bool:
        return bool(self._stream and self._stream.isatty())

    def fileno(self) -> int:
        return int(self._stream.fileno())


class Report:
    """Where a command says what it found: a text or one JSON object on standard output, notes on standard error.

    Args:
        as_json: print one JSON object instead of text.
        quiet: print no text, note or progress; JSON and errors remain.
        compiles: whether kernels may be compiled in this process, which is then told.
    """

    def __init__(self, *, as_json: bool, quiet: bool, compiles: bool = True) -> None:
        self.as_json, self.quiet = as_json, quiet
        self._out = Console(highlight=False, markup=False, soft_wrap=True)
        self._err = Console(file=cast(IO[str], _StandardError()), highlight=False, markup=False, soft_wrap=True)
        listen(lambda text: self.note(f"note: {text}"))
        if compiles and self._err.is_terminal:
            from imle_core.kernels.notice import tell

            tell(self.note_compiling)

    def note(self, text: str) -> None:
        """A line for the reader, not part of the result."""
        if not self.quiet:
            self._err.print(printable(text))

    def note_compiling(self) -> None:
        """A note on a terminal, where nobody should think that nothing happens."""
        if self._err.is_terminal:
            self.note("compiling for this machine, once; that takes some seconds")

    def result(self, values: dict[str, Any], lines: Sequence[tuple[str, str]]) -> None:
        """The result: ``values`` as JSON, or ``lines`` of a name and a text."""
        if self.as_json:
            print(json.dumps(values, allow_nan=False))
        elif not self.quiet:
            width = max(len(name) for name, _ in lines)
            for name, text in lines:
                self._out.print(printable(f"{name:<{width}}  {text}"))

    def table(
        self,
        values: dict[str, Any],
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        figures: Sequence[str],
        below: Sequence[str] = (),
    ) -> None:
        """The result: ``values`` as JSON, or a table, never cropped, with the columns in ``figures`` flush right.

        Args:
            values: for JSON.
            header: names of the columns.
            rows: texts of the cells.
            figures: names of the columns that are flush right.
            below: lines below the table; a line break within one is escaped, as whatever else is not printable.
        """
        if self.as_json or self.quiet:
            self.result(values, [("", "")])
            return
        Console(highlight=False, markup=False, width=10_000).print(_table(header, rows, figures))
        for line in below:
            self._out.print(printable(line))

    @contextmanager
    def live(self) -> Iterator[Callable[..., None]]:
        """A table on a terminal while the work goes on; yields a function of title, header, rows and figures, as above."""
        if self.quiet or not self._err.is_terminal:
            yield lambda *_: None
            return
        with Live(console=self._err, transient=True) as screen:
            yield lambda title, *parts: screen.update(Group(Text(printable(title)), _table(*parts)))

    def preview(self, colours: Callable[[int, int], Any]) -> None:
        """A picture in character cells, two pixels each, on a terminal.

        Args:
            colours: gives an ``(H, W, 3)`` uint8 picture of at most the rows and columns that it is asked for.
        """
        encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
        plain = not self._out.is_terminal or self._out.no_color or self._out.color_system is None or "utf" not in encoding
        if self.as_json or self.quiet or plain:
            return
        picture = colours(2 * max(1, min(24, self._out.height - 8)), max(1, min(64, self._out.width - 2)))
        for top in range(0, len(picture), 2):
            line = Text()
            for column in range(picture.shape[1]):
                upper = "rgb({},{},{})".format(*picture[top, column])
                below = picture[top + 1, column] if top + 1 < len(picture) else None
                line.append("▀", upper if below is None else f"{upper} on rgb({below[0]},{below[1]},{below[2]})")
            self._out.print(line)

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Callable[..., None]]:
        """A bar with rate and time left on a terminal; yields a function of how much is done and, perhaps, a new text."""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
        )
        hidden = self.quiet or not self._err.is_terminal
        with Progress(*columns, console=self._err, transient=True, disable=hidden) as bar:
            task = bar.add_task(printable(what), total=total)
            yield lambda done, text=what: bar.update(task, completed=done, description=printable(text))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], figures: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in header:
        table.add_column(printable(name), justify="right" if name in figures else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(printable, row))
    return table


class HeldSignals:
    """Signals that were held back; called, it says whether there was one."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def __call__(self) -> bool:
        """Whether there was one."""
        return bool(self.numbers)

    @property
    def end(self) -> BaseException:
        """What ends the command as the first of them would have; as Ctrl-C if there was none in this process."""
        if not self.numbers or self.numbers[0] == signal.SIGINT:
            return KeyboardInterrupt()
        return SystemExit(128 + self.numbers[0])

    def hold(self, number: int, frame: FrameType | None) -> None:
        """Handles a signal."""
        self.numbers.append(number)
        if self.numbers.count(signal.SIGINT) > 1:
            signal.default_int_handler(number, frame)


def handled_signals() -> list[signal.Signals]:
    """Signals that ask a command to end; that of a terminal that goes is not among them where ``nohup`` has it ignored."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return numbers


@contextmanager
def deferred_interruption() -> Iterator[HeldSignals]:
    """Holds back Ctrl-C and other signals to end, so that a piece of work ends whole.

    A second Ctrl-C interrupts at once; the others come twice, from the kernel and a shell.
    """
    held = HeldSignals()
    before = {number: signal.signal(number, held.hold) for number in handled_signals()}
    try:
        yield held
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")
