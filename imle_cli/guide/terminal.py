"""A page for a terminal: links say which command shows their page, pictures say what they show."""

from imle_cli.guide.catalogue import FOLDER, Page, pages
from imle_cli.guide.links import Link, rewritten

_ROOT = FOLDER.parents[1]


def for_terminal(page: Page) -> str:
    """Markdown of a page, without links."""
    return rewritten(page.text, _words)


def contents() -> list[tuple[str, str]]:
    """Names and summaries of all pages."""
    return [(page.name, page.summary) for page in pages()]


def _words(link: Link) -> str:
    if link.picture:
        return f"*Picture: {link.text} (`{_path(link)}`)*"
    if link.page:
        return f"{link.text} (`imle guide {link.page}`)"
    if link.path.startswith("http"):
        return f"{link.text} ({link.path})"
    return f"{link.text} (`{_path(link)}`)" if link.path else link.text


def _path(link: Link) -> str:
    """A file as seen from the root of the repository."""
    return (FOLDER / link.path).resolve().relative_to(_ROOT).as_posix()
