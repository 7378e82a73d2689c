"""Standard output for results, standard error for everything else, and progress."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, cast

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from imle_cli.errors import StandardError
from imle_cli.notes import listen, printable


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
        self._err = Console(file=cast(IO[str], StandardError()), highlight=False, markup=False, soft_wrap=True)
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


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")
