"""Files of the website: pages, the style and the script that they share, and copies of pictures."""

import json
import shutil
from importlib.metadata import files
from importlib.resources import files as own_files
from pathlib import Path

from imle_cli.guide.catalogue import FOLDER, INDEX, pages
from imle_cli.guide.links import links
from imle_cli.guide.website.markup import PICTURES, copy_of
from imle_cli.guide.website.search_index import sections
from imle_cli.guide.website.shell import html_page
from imle_cli.messages import UsageError
from imle_cli.pages.bundle import bundle, read_style


def write_site(folder: Path) -> list[Path]:
    """Writes the guide into a folder, which is made if its parent exists, over an older guide.

    Returns:
        The files, first the page to open.

    Raises:
        UsageError: no folder to write to.
    """
    _make(folder)
    book = pages()
    texts = {f"{page.name}.html": html_page(page, book) for page in (INDEX, *book)}
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
    installed = f"share/imle/{path.partition('../../')[2]}"
    return next(Path(str(file.locate())) for file in files("imle") or [] if file.as_posix().endswith(installed))
