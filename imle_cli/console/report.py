"""Standard output for results, standard error for everything else, and progress; rich is imported once it is used."""

import gc
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from imle_cli.console.compiling import Compiling
from imle_cli.console.document import Document, read
from imle_cli.console.loading import Loading
from imle_cli.console.preview import Preview, lines_of
from imle_cli.console.table import Lines, Table, drawing, rows_of, without_styles
from imle_cli.messages import DataError, StandardError, listen, printable

if TYPE_CHECKING:
    from rich import progress
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.text import Text

_Screen = TypeVar("_Screen", "Live", "progress.Progress")

_PROMPT = 24  # columns that a prompt may take


@dataclass(frozen=True)
class Result:
    """Findings of a command: the same values for JSON and for a reader.

    Attributes:
        values: for JSON; ``seconds`` that are None, or missing, are those since :meth:`Report.begin`.
        text: lines of a name and a text, a table, or a document, made of the values.
        files: files that were written; None if the values have them already.
        preview: a picture for a terminal.
        notes: lines below that are no part of the result.
        failure: what went wrong in spite of a result; empty if nothing did.
    """

    values: dict[str, Any]
    text: Callable[[dict[str, Any]], Lines | Table | Document]
    files: Sequence[str] | None = None
    preview: Preview | None = None
    notes: Sequence[str] = ()
    failure: str = ""


def time_and_files(values: dict[str, Any]) -> Lines:
    """The last lines of many a result."""
    return [("time", f"{values['seconds']:.2f} s"), *line_of_files(values)]


def line_of_files(values: dict[str, Any]) -> Lines:
    """The line that names files, where some were written."""
    return [("files", ", ".join(values["files"]))] if values["files"] else []


class Report:
    """The voice of a command: a text or one JSON object on standard output, notes on standard error.

    Args:
        as_json: print one JSON object instead of text.
        quiet: print no text, note or progress; JSON and errors remain.
        compiles: whether kernels may be compiled in this process, which then says so.
        loading: a sign that the command has begun, which vanishes when it says anything.

    Attributes:
        compiling: what is told of kernels that are compiled.
    """

    def __init__(self, *, as_json: bool, quiet: bool, compiles: bool = True, loading: Loading | None = None) -> None:
        from rich.console import Console

        self.as_json, self.quiet = as_json, quiet
        self._began, self._noted = time.perf_counter(), 0  # rows of notes on a terminal
        self._out = Console(highlight=False, markup=False, soft_wrap=True)
        self._err = Console(file=cast(IO[str], StandardError()), highlight=False, markup=False, soft_wrap=True)
        listen(lambda text: self.note(f"note: {text}"))
        self._loading, self._compiles = loading, compiles
        # Colours that are forced make no terminal of a file; and on one that cannot move its cursor, lines are best.
        moves = StandardError().isatty() and not self._err.is_dumb_terminal
        self._screen = self._err if moves and not quiet else None
        self.compiling = Compiling(self._screen, self.note)

    def begin(self) -> None:
        """Starts the clock anew: what a command imports is no part of its time."""
        if self._compiles:
            from imle_core.kernels import notice  # here, since it imports torch, which refusals come before

            self.compiling.count = notice.compiled_so_far
            notice.tell(self.compiling)
        self._end_loading()
        if not gc.isenabled():  # until all was imported
            gc.freeze()
            gc.enable()
        self._began, self.compiling.seconds = time.perf_counter(), 0.0

    def _end_loading(self) -> None:
        if self._loading is not None:
            self._loading.end()

    def show(self, result: Result) -> None:
        """Completes the values with the time and the files, and prints them as JSON or as text.

        Raises:
            DataError: the result has a failure.
        """
        values = self.completed(result)
        self.compiling.conclude()
        text = result.text(values)
        aside = "-" in values.get("files", ())
        if result.preview is not None and not aside and not isinstance(text, Document):
            self.preview(result.preview, self._rows_of(text) + sum(map(self._rows_of_line, result.notes)))
        self.result(values, text, aside=aside)
        for line in result.notes:
            self.note(line)
        if result.failure:
            raise DataError(result.failure)

    def completed(self, result: Result) -> dict[str, Any]:
        """The values of a result, with the time and the files."""
        values = dict(result.values)
        if values.get("seconds") is None:
            values["seconds"] = time.perf_counter() - self._began - self.compiling.seconds
        if result.files is not None:
            values["files"] = list(result.files)
        return values

    def note(self, text: str) -> None:
        """A line for the reader, not part of the result."""
        if not self.quiet:
            self._end_loading()
            self._err.print(printable(text))
            self._noted += self._rows_of_line(text) if self._err.is_terminal else 0

    def result(self, values: dict[str, Any], text: Lines | Table | Document, *, aside: bool = False) -> None:
        """The result: ``values`` as JSON, or ``text``; on standard error if it is ``aside``, since a file has the other."""
        stream, shown = (cast(IO[str], StandardError()), self._err) if aside else (sys.stdout, self._out)
        if self.as_json:
            print(json.dumps(values, allow_nan=False), file=stream)
        if self.as_json or self.quiet:
            return
        if isinstance(text, Document):
            read(text, shown)
            return
        for line in rows_of(text, _width(shown)):
            print(line, file=stream)

    @contextmanager
    def live(self) -> Iterator[Callable[..., None]]:
        """A table on a terminal while the work goes on; yields a function of a title and a table."""
        from rich.console import Group
        from rich.live import Live
        from rich.text import Text

        if self._screen is None:
            yield lambda *_: None
            return
        parts: list[Any] = []

        def shown() -> Group:
            waiting = self.compiling.line
            return Group(*parts, *([] if waiting is None else [waiting]))

        with self._bar(), _shown(Live(console=self._screen, transient=True, get_renderable=shown)) as screen:

            def show(title: str, rows: Table) -> None:
                parts[:] = Text(printable(title)), drawing(rows)
                screen.refresh()

            yield show

    def preview(self, preview: Preview, below: int = 0) -> None:
        """A picture in half blocks, two pixels each, with a legend; on a terminal of 256 colours, where there is room.

        Args:
            preview: the picture.
            below: rows that are to come below it.
        """
        # The call behind its prompt, the prompt after it, and what is between them.
        room = self._out.height - self._rows_of_line(" " * _PROMPT + " ".join(sys.argv)) - 1 - self._noted - below
        if not (self.as_json or self.quiet):
            for line in lines_of(preview, self._out, room):
                self._out.print(line)

    def _rows_of(self, text: Lines | Table) -> int:
        """Rows of a terminal that a text takes."""
        return sum(self._rows_of_line(without_styles(line)) for line in rows_of(text, _width(self._out)))

    def _rows_of_line(self, line: str) -> int:
        return max(1, -(-len(printable(line)) // max(1, self._out.width)))

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Callable[..., None]]:
        """A bar with rate and time left on a terminal; yields a function of how much is done and, perhaps, a new text."""
        if self._screen is None:
            yield lambda *_, **__: None
            return
        with self._bar(), _shown(_progress(self._screen, lambda: self.compiling.line)) as bar:
            task = bar.add_task(printable(what), total=total)
            yield lambda done, text=what: bar.update(task, completed=done, description=printable(text))

    @contextmanager
    def _bar(self) -> Iterator[None]:
        self.compiling.bar(entered=True)
        try:
            yield
        finally:
            self.compiling.bar(entered=False)


@contextmanager
def _shown(screen: _Screen) -> Iterator[_Screen]:
    """The screen during a block; it vanishes, too, when Ctrl-C comes while it begins, and then what waits for it to end."""
    try:
        screen.start()
        yield screen
    finally:
        screen.stop()


def _progress(console: "Console", waiting: "Callable[[], Text | None]") -> "progress.Progress":
    """A bar, below which a line is shown while the work waits."""
    from rich import progress

    class Bar(progress.Progress):
        def get_renderables(self) -> "Iterable[RenderableType]":
            yield from super().get_renderables()
            if (line := waiting()) is not None:
                yield line

    return Bar(*_columns(), console=console, transient=True)


def _columns() -> "list[progress.ProgressColumn]":
    """Columns of a bar: text, bar, numbers, rate, and time left."""
    from rich import progress
    from rich.text import Text

    class Rate(progress.ProgressColumn):
        def render(self, task: progress.Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.0f}/s")

    text = progress.TextColumn("{task.description}", markup=False)
    return [text, progress.BarColumn(), progress.MofNCompleteColumn(), Rate(), progress.TimeRemainingColumn()]


def _width(console: "Console") -> int | None:
    """Columns of the terminal that a console writes to; None where there is none."""
    return console.width if console.is_terminal else None
