"""A page of the website: the bar with the search, the list of all pages, and the page itself."""

import html
from collections.abc import Iterator, Sequence

from imle_cli.guide.catalogue import INDEX, Page
from imle_cli.guide.links import anchors, headings
from imle_cli.guide.website.markup import html_of

# What lies beside the page, and nothing from the net.
_POLICY = "default-src 'none'; style-src 'self' file:; script-src 'self' file:; img-src 'self' file: data:"
_SHELL = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="guide.css">
<script src="guide.js" defer></script>
<title>{title}</title>
</head>
<body>
<header class="bar">
<a class="home" href="index.html">imle</a>
<search class="needs-script">
<input type="search" id="search" placeholder="Search ( / )" aria-label="Search the guide" autocomplete="off">
<ol id="results" hidden></ol>
</search>
<button type="button" id="theme" class="needs-script" aria-label="Dark colours" aria-pressed="false"></button>
</header>
<div class="columns">
<nav aria-label="Pages">
{contents}
</nav>
<main>
{body}
</main>
</div>
</body>
</html>
"""


def html_page(page: Page, book: Sequence[Page]) -> str:
    """A page as HTML, with a list of all pages beside it."""
    title = "imle: the guide" if page is INDEX else f"{page.title} · imle"
    contents = "\n".join(_contents(page, book))
    body = html_of(page.text) + _turn(page, book)
    return _SHELL.format(title=html.escape(title), policy=_POLICY, contents=contents, body=body)


def _contents(current: Page, book: Sequence[Page]) -> Iterator[str]:
    """A list of all pages, and below the current one its headings."""
    yield "<ul>"
    for page in book:
        here = ' aria-current="page"' if page == current else ""
        yield f'<li><a href="{page.name}.html"{here}>{html.escape(page.title)}</a>'
        if page == current:
            second = set(headings(page.text, 2))
            named = zip(headings(page.text), anchors(page.text), strict=True)
            below = (f'<li><a href="#{anchor}">{_plain(words)}</a></li>' for words, anchor in named if words in second)
            yield f"<ul>{''.join(below)}</ul>"
        yield "</li>"
    yield "</ul>"


def _turn(page: Page, book: Sequence[Page]) -> str:
    """Links to the pages before and after."""
    number = book.index(page) if page in book else -1
    before = f"← {_link(book[number - 1])}" if number > 0 else ""
    after = f"{_link(book[number + 1])} →" if number + 1 < len(book) else ""
    return f'<p class="turn"><span>{before}</span><span>{after}</span></p>'


def _link(page: Page) -> str:
    return f'<a href="{page.name}.html">{html.escape(page.title)}</a>'


def _plain(heading: str) -> str:
    return html.escape(heading.replace("`", ""))
