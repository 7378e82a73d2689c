"""Markdown whose words stay whole on a terminal: a table that is too wide is a list of its rows, and code can be copied.

It imports rich, and is imported where a text is shown.
"""

from collections.abc import Sequence
from typing import ClassVar

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Markdown, MarkdownElement, TableElement
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

_GAP = 3  # columns between two cells, at most


class FittingTable(TableElement):
    """A table with columns as wide as their longest words at least; where that does not fit, rows one below the other."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yields one table, or a list for each row."""
        header = self.header.row if self.header else None
        heads = [cell.content.copy() for cell in (header.cells if header else ())]
        for head in heads:
            head.stylize("markdown.table.header")
        rows = [[cell.content for cell in row.cells] for row in (self.body.rows if self.body else ())]
        widths = shared_out([[head, *cells] for head, *cells in zip(heads, *rows, strict=True)], options.max_width)
        if widths:
            yield _table(heads, rows, widths)
        else:
            for row in rows:
                yield _list(heads, row)


def shared_out(columns: Sequence[Sequence[Text]], room: int) -> list[int]:
    """Widths of columns: room for their longest words, and of the rest a part for each; none where there is too little room.

    Args:
        columns: cells of each.
        room: columns of the terminal.
    """
    least = [max(max(map(len, cell.plain.split()), default=0) for cell in column) for column in columns]
    wanted = [max(cell.cell_len for cell in column) - word for column, word in zip(columns, least, strict=True)]
    left = room - sum(least) - _GAP * len(columns)
    if left < 0:
        return []
    return [word + min(more, left * more // max(sum(wanted), 1)) for word, more in zip(least, wanted, strict=True)]


def _table(heads: Sequence[Text], rows: Sequence[Sequence[Text]], widths: Sequence[int]) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False, style="markdown.table.border", show_edge=True, collapse_padding=True)
    for head, width in zip(heads, widths, strict=True):
        table.add_column(head, width=width, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _list(heads: Sequence[Text], row: Sequence[Text]) -> Table:
    """A row: a line for each cell that is not empty, after the name of its column; an empty line follows."""
    grid = Table.grid(padding=(0, 2), pad_edge=True)
    grid.add_column(max_width=24)
    grid.add_column(overflow="fold")
    for head, cell in zip(heads, row, strict=True):
        if cell.plain:
            grid.add_row(head, cell)
    grid.add_row()
    return grid


class WholeCode(CodeBlock):
    """Code with the line breaks and spaces that it has, and no others, so that it can be copied from the terminal."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yields its lines, however long."""
        code = str(self.text).rstrip()
        text = Syntax(code, self.lexer_name, theme=self.theme).highlight(code)
        text.rstrip()
        text.no_wrap, text.overflow = True, "ignore"
        yield text


class FittingMarkdown(Markdown):
    """Markdown with such tables and code."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "table_open": FittingTable,
        "fence": WholeCode,
        "code_block": WholeCode,
    }
