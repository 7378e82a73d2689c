"""``imle guide``: the pages that explain, in a terminal or as a website."""

from pathlib import Path
from typing import Annotated, Any

import typer

from imle_cli.console import Document, Report, Result
from imle_cli.guide import contents, find, for_terminal
from imle_cli.options.groups import Without
from imle_cli.options.report import ReportOptions

_Page = Annotated[str | None, typer.Argument(metavar="PAGE", help="Name of a page; without it, a list of all pages.")]
_Folder = Annotated[
    Path | None, typer.Option("--html", metavar="DIR", help="Write all pages here, as a website that opens from the disk.")
]


def guide(
    report: Annotated[ReportOptions, Without("seed", "device")],  # noqa: ARG001 - for the console
    console: Report,
    page: _Page = None,
    html: _Folder = None,
) -> Result:
    """Read the guide: first steps, your own solver, settings, all commands, every name; or write it as a website."""
    if html is not None:
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
