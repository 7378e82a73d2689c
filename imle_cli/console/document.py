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
    from imle_cli.console.markdown import FittingMarkdown

    os.environ.setdefault("LESS", "FRX")  # as git does: colours, and no pages for what fits on the screen
    text, width = FittingMarkdown(document.markdown, code_theme="ansi_dark"), min(out.width, _COLUMNS)
    with out.pager(styles=not out.no_color):
        out.print(text, width=width, soft_wrap=False, crop=False)
