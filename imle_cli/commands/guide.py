"""``imle guide``: the pages that explain, in a terminal or as a website."""

from pathlib import Path
from typing import Annotated, Any

import typer

from imle_cli.console import Document, Report, Result
from imle_cli.guide import ORDER, contents, find, for_terminal
from imle_cli.messages import UsageError
from imle_cli.options.groups import Without
from imle_cli.options.panels import OUTPUT
from imle_cli.options.report import ReportOptions
from imle_cli.options.values import completer

EXAMPLES = ("imle guide", "imle guide own-solver", "imle guide --html site")

_Page = Annotated[
    str | None,
    typer.Argument(metavar="PAGE", help="A page; without it, a list of all.", autocompletion=completer(ORDER)),
]
_Folder = Annotated[
    Path | None,
    typer.Option("--html", metavar="DIR", rich_help_panel=OUTPUT, help="Write the guide here, as a website with search."),
]


def guide(
    report: Annotated[ReportOptions, Without("seed", "device")],  # noqa: ARG001 - for the console
    console: Report,
    page: _Page = None,
    html: _Folder = None,
) -> Result:
    """Read the guide in the terminal, or write it as a website.

    First steps, your own solver, settings, all commands, pictures, speed, and every public name.
    """
    if html is not None:
        if page is not None:
            raise UsageError(f"PAGE: got {page} beside --html; the website has all pages; leave one of them out")
        from imle_cli.guide.website import write_site

        console.begin()
        files = [str(path) for path in write_site(html)]
        return Result({"files": files}, lambda values: [("open", values["files"][0]), ("files", str(len(files)))])
    if page is None:
        pages = dict(contents())
        return Result({"pages": pages}, lambda _: [*pages.items(), ("", ""), ("read", "imle guide PAGE")])
    chosen = find(page)
    values: dict[str, Any] = {"page": chosen.name, "title": chosen.title, "text": chosen.text}
    return Result(values, lambda _: Document(for_terminal(chosen)))
