"""Pages of the guide, in the order in which to read them."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from imle_cli.messages import UsageError
from imle_cli.options.values import one_of

FOLDER = Path(__file__).parent
ORDER = (
    "first-steps",
    "own-solver",
    "layer",
    "frameworks",
    "settings",
    "command-line",
    "training",
    "perception",
    "decisions",
    "pictures",
    "speed",
    "checks",
    "coming-from",
    "adding",
    "names",
)


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        name: its file without the ending.
    """

    name: str

    @cached_property
    def text(self) -> str:
        """Its Markdown; that of ``names`` goes on with what the code says of itself, which imports it."""
        written = (FOLDER / f"{self.name}.md").read_text(encoding="utf-8")
        if self.name != "names":
            return written
        from imle_cli.guide.names import public_names

        return f"{written}\n{public_names()}"

    @cached_property
    def _opening(self) -> list[str]:
        return (FOLDER / f"{self.name}.md").read_text(encoding="utf-8").split("\n\n")[:2]

    @property
    def title(self) -> str:
        """Its heading."""
        return self._opening[0].removeprefix("# ")

    @property
    def summary(self) -> str:
        """The first sentence of its first paragraph, without marks of Markdown."""
        words = " ".join(re.sub(r"[`*]|\]\(.*?\)|\[", "", self._opening[1]).split())
        return re.split(r"(?<=[.:?]) (?=[A-Z])", words)[0]


INDEX = Page("index")  # leads to all pages; no page of its own


def pages() -> list[Page]:
    """All pages."""
    return [Page(name) for name in ORDER]


def find(name: str) -> Page:
    """The page of a name.

    Raises:
        UsageError: there is none of that name; the message has the nearest.
    """
    wanted = name.lower().removesuffix(".md").replace("_", "-").replace(" ", "-")
    if wanted in ORDER:
        return Page(wanted)
    raise UsageError(f"PAGE: got {name!r}; {one_of(wanted, ORDER)}")
