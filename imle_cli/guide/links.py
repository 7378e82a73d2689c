"""Links and pictures of Markdown, found outside code and turned into what a reader can follow."""

import re
from collections.abc import Callable
from dataclasses import dataclass

_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
# Code within the words of a link may hold brackets; code elsewhere is no link.
_LINK = re.compile(r"(!?)\[((?:[^\[\]`]|`[^`\n]*`)*)\]\(([^()\s]+)\)|``.+?``|`[^`]+`", re.DOTALL)


@dataclass(frozen=True)
class Link:
    """A link, or a picture.

    Attributes:
        picture: whether it is a picture.
        text: Markdown of the link, or what a picture shows.
        path: file that it leads to, as written; empty within a page.
        anchor: heading that it leads to; empty for none.
    """

    picture: bool
    text: str
    path: str
    anchor: str

    @property
    def page(self) -> str:
        """Name of the page of the guide that it leads to; empty for any other."""
        return self.path.removesuffix(".md") if self.path.endswith(".md") and "/" not in self.path else ""


def rewritten(markdown: str, rewrite: Callable[[Link], str]) -> str:
    """Markdown in which each link and picture, but for those in code, is what ``rewrite`` makes of it."""
    texts = _FENCE.split(markdown)
    texts[::2] = (_LINK.sub(lambda match: rewrite(_link(match)) if match[3] else match[0], text) for text in texts[::2])
    return "".join(texts)


def links(markdown: str) -> list[Link]:
    """All links and pictures, in order."""
    texts = _FENCE.split(markdown)[::2]
    return [_link(match) for text in texts for match in _LINK.finditer(text) if match[3]]


def headings(markdown: str, level: int | None = None) -> list[str]:
    """Words of the headings, of one level or of all."""
    marks = "#+" if level is None else "#" * level
    return re.findall(rf"^{marks} (.+)$", _FENCE.sub("", markdown), flags=re.MULTILINE)


def anchors(markdown: str) -> list[str]:
    """Anchors of all headings, by GitHub's rule: small letters, hyphens for spaces, no other signs, repeats numbered."""
    seen = dict[str, int]()
    made = list[str]()
    for heading in headings(markdown):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = seen.setdefault(name, 0)
        seen[name] += 1
        made.append(f"{name}-{number}" if number else name)
    return made


def _link(match: re.Match[str]) -> Link:
    path, _, anchor_of_it = match[3].partition("#")
    return Link(bool(match[1]), match[2], path, anchor_of_it)
