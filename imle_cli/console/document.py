"""Texts in Markdown: set in type on a terminal, page by page if they are long; as they are elsewhere."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_COLUMNS = 100  # of prose, at most


@dataclass(frozen=True)
class Document:
    """A text in Markdown, as the text of a result."""

    markdown: str


def read(document: Document, out: "Console") -> None:
    """Shows a document on standard output.

    Args:
        document: the text.
        out: the console that stands for standard output.
    """
    if not out.is_terminal:
        print(document.markdown.rstrip("\n"))
        return
    from rich.console import Console
    from rich.markdown import Markdown

    os.environ.setdefault("LESS", "FRX")  # as git does: colours, and no pages for what fits on the screen
    column = Console(highlight=False, width=min(out.width, _COLUMNS))
    with column.pager(styles=not column.no_color):
        column.print(Markdown(document.markdown, code_theme="ansi_dark"))
