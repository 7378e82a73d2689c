"""Files of the website: pages, the style and the script that they share, and copies of pictures."""

import html
import json
import shutil
from collections.abc import Iterator, Sequence
from importlib.metadata import files
from importlib.resources import files as own_files
from pathlib import Path

from imle_cli.errors import UsageError
from imle_cli.guide.catalogue import FOLDER, INDEX, Page, pages
from imle_cli.guide.links import anchors, headings, links
from imle_cli.guide.website.markup import PICTURES, copy_of, html_of
from imle_cli.guide.website.search_index import sections
from imle_cli.pages.bundle import bundle, read_style

_SHELL = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self' file:; script-src 'self' file:; img-src 'self' file: data:">
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


def write_site(folder: Path) -> list[Path]:
    """Writes the guide into a folder, which is made if its parent exists, over an older guide.

    Returns:
        The files, first the page to open.

    Raises:
        UsageError: no folder to write to.
    """
    _make(folder)
    book = pages()
    texts = {f"{page.name}.html": _page(page, book) for page in (INDEX, *book)}
    own = own_files("imle_cli.guide.website")
    texts["guide.css"] = f"{read_style('page.css')}\n{(own / 'guide.css').read_text('utf-8')}"
    index = json.dumps(sections(book), ensure_ascii=False)
    texts["guide.js"] = f"{bundle('theme.js')}\nconst SECTIONS = {index};\n{(own / 'guide.js').read_text('utf-8')}"
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    shown = sorted({link.path for page in (INDEX, *book) for link in links(page.text) if link.picture})
    for path in shown:
        shutil.copyfile(_picture(path), folder / copy_of(path))
    return [folder / name for name in (*texts, *map(copy_of, shown))]


def _make(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--html: {folder} is a file; give the name of a folder")
    if not folder.resolve().parent.is_dir():
        raise UsageError(f"--html: the folder {folder.parent} does not exist; make it first")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "guide.js").is_file():
        raise UsageError(f"--html: {folder} has files that are not the guide's; give an empty or a new folder")
    (folder / PICTURES).mkdir(parents=True, exist_ok=True)


def _picture(path: str) -> Path:
    """A picture ``../../assets/...`` in the repository, or where an installation has it."""
    picture = (FOLDER / path).resolve()
    if picture.is_file():
        return picture
    name = path.partition("assets/")[2]
    return next(Path(str(file.locate())) for file in files("imle") or [] if file.as_posix().endswith(f"share/imle/assets/{name}"))


def _page(page: Page, book: Sequence[Page]) -> str:
    title = "imle: the guide" if page is INDEX else f"{page.title} · imle"
    contents = "\n".join(_contents(page, book))
    return _SHELL.format(title=html.escape(title), contents=contents, body=html_of(page.text) + _turn(page, book))


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
    before = f'<a href="{book[number - 1].name}.html">← {html.escape(book[number - 1].title)}</a>' if number > 0 else "<span></span>"
    after = f'<a href="{book[number + 1].name}.html">{html.escape(book[number + 1].title)} →</a>' if number + 1 < len(book) else ""
    return f'<p class="turn">{before}{after}</p>'


def _plain(heading: str) -> str:
    return html.escape(heading.replace("`", ""))
