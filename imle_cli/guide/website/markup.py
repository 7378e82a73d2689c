"""Markdown becomes HTML; headings get anchors, links lead to pages of the site, pictures to their copies."""

import html
import posixpath
import re

from markdown_it import MarkdownIt

from imle_cli.guide.links import Link, anchors, rewritten

PICTURES = "pictures"  # folder of the site


def html_of(markdown: str) -> str:
    """HTML of a page."""
    parser = MarkdownIt("commonmark", {"html": False, "highlight": _with_soft_comments}).enable("table")
    tokens = parser.parse(rewritten(markdown, _on_the_site))
    openings = [token for token in tokens if token.type == "heading_open"]
    for opening, anchor in zip(openings, anchors(markdown), strict=True):
        opening.attrSet("id", anchor)
    for table in (token for token in tokens if token.type == "table_open"):
        table.attrSet("tabindex", "0")  # wide ones scroll, by keyboard, too
    for picture in (child for token in tokens for child in token.children or [] if child.type == "image"):
        picture.attrSet("loading", "lazy")
    return str(parser.renderer.render(tokens, parser.options, {}))


def copy_of(picture: str) -> str:
    """The address on the site of a picture ``../../assets/...``."""
    return f"{PICTURES}/{picture.partition('assets/')[2].replace('/', '-')}"


def _on_the_site(link: Link) -> str:
    if link.picture:
        return f"![{link.text}]({copy_of(link.path)})"
    suffix = f"#{link.anchor}" if link.anchor else ""
    if link.page:
        return f"[{link.text}]({link.page}.html{suffix})"
    if link.path.endswith("README.md"):
        return f"[{link.text}](index.html)"
    if link.path and not link.path.startswith("http"):  # source code, which is not on the site
        return f"{link.text} (`{posixpath.normpath(link.path).replace('../', '')}`)"
    return f"[{link.text}]({link.path}{suffix})"


def _with_soft_comments(code: str, *_: str) -> str:
    """HTML of code, in which comments are set apart."""
    return re.sub(r"(?m)(^|  )(# .*)$", r"\1<i>\2</i>", html.escape(code, quote=False))
