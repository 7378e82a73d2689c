"""The search index: the words below each heading, with the address of the heading."""

import re
from collections.abc import Iterator, Sequence

from imle_cli.guide.catalogue import Page
from imle_cli.guide.links import anchors, rewritten

_HEADING = re.compile(r"^(#+ .+)$", re.MULTILINE)
_FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sections(pages: Sequence[Page]) -> list[dict[str, str]]:
    """Sections of all pages: page, heading, address, and words without marks of Markdown."""
    return [section for page in pages for section in _of(page)]


def _of(page: Page) -> Iterator[dict[str, str]]:
    codes = list[str]()

    def put_aside(fence: "re.Match[str]") -> str:
        codes.append(fence[1])
        return f"\0{len(codes) - 1}\0"

    # Comments in code begin as headings do.
    text = _FENCE.sub(put_aside, rewritten(page.text, lambda link: link.text))
    parts = _HEADING.split(text)[1:]
    for heading, body, anchor in zip(parts[::2], parts[1::2], anchors(page.text), strict=True):
        title = heading.lstrip("#").strip()
        words = re.sub(r"\0(\d+)\0", lambda number: codes[int(number[1])], re.sub(r"[*`|]|^-+$", " ", body))
        address = f"{page.name}.html#{anchor}"
        yield {"page": page.title, "heading": title.replace("`", ""), "address": address, "text": " ".join(words.split())}
