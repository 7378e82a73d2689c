"""Files that commands write: checked before the work starts, never half written, nothing of another kind overwritten."""

import csv
import os
import re
import secrets
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from imle_cli.options.standard_streams import STANDARD_OUTPUT

PICTURES = (".png", ".pdf", ".svg")
PICTURES_AND_PAGES = (*PICTURES, ".html")
# How files of a kind begin.
_MAGIC = {
    ".png": rb"\x89PNG",
    ".pdf": rb"%PDF",
    ".svg": rb"<\?xml",
    ".json": rb'\s*\{"solver":',
    ".html": rb"(?s)<!doctype html>.*<meta name=\"generator\" content=\"imle ",
    ".npy": rb"\x93NUMPY",
    ".npz": rb"PK",
    ".gif": rb"GIF8",
    ".webp": rb"RIFF",
    ".apng": rb"\x89PNG",
    ".mp4": rb"(?s:....)ftyp",
    ".csv": rb"estimator,lambda,|method,step,|protocol,method,seed,|"
    rb"(row,column,(cost|score)|source,target,weight|item,(weight,)?score),"
    rb"(chosen|marginal,standard_error|sample_1(,sample_\d+)*|solution_1(,solution_\d+)*)[\r\n,]",
}

_NAME_LETTERS = 100  # of a name, in that of its temporary file
_PART = re.compile(r"\.(.+)\.[0-9a-f]{8}\.part", re.DOTALL)
_FORMULA = re.compile(r"\s*[=+\-@]|[\t\r]")


class OutputError(ValueError):
    """An output path that cannot be used; the message is one line."""

    code = 2  # wrong usage


def check_output(option: str, path: Path, kinds: Sequence[str], inputs: Sequence[Path] = ()) -> None:
    """Refuses a path that a command may not write to.

    Args:
        option: the option's name, for the message.
        path: where the command is to write.
        kinds: file name endings that the command can write, such as ".png".
        inputs: files that the command reads.

    Raises:
        OutputError: another ending, a missing parent folder, a folder, an input, or a file whose content is of another
            kind, or a folder that cannot be written to.
    """
    ending = path.suffix.lower()
    if path == STANDARD_OUTPUT:
        raise OutputError(f"{option}: got -; this is not written to standard output; give the name of a file")
    if path.is_dir():
        raise OutputError(f"{option}: {path} is a folder; give the name of a file in it")
    if ending not in kinds:
        has = f"ends in {ending}" if ending else "has no extension"
        raise OutputError(f"{option}: {path} {has}; it must end in {' or '.join(kinds)}")
    _check_parent(option, followed(path))
    if followed(path).is_symlink():
        raise OutputError(f"{option}: {path} is a link that leads to itself; choose another name or remove it")
    if not path.exists():
        return
    if any(source.exists() and path.samefile(source) for source in inputs):
        raise OutputError(f"{option}: {path} is the input; choose another name")
    if not path.is_file():
        raise OutputError(f"{option}: {path} is no ordinary file; choose another name")
    with path.open("rb") as file:
        start = file.read(4096)
    if start and not re.match(_MAGIC[ending], start):
        kind = f"{ending[1:].upper()} file{' of imle' if ending in ('.csv', '.html', '.json') else ''}"
        raise OutputError(f"{option}: {path} exists and is no {kind}; choose another name or remove it")


def _check_parent(option: str, path: Path) -> None:
    if not path.parent.is_dir():
        raise OutputError(f"{option}: the folder {path.parent} does not exist; make it first")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"{option}: the folder {path.parent} cannot be written to; choose another")


def check_leads(option: str, path: Path) -> None:
    """Refuses a symbolic link to nothing, or standard output, in the place of a folder."""
    if path == STANDARD_OUTPUT:
        raise OutputError(f"{option}: got -; a folder cannot go to standard output; give a name")
    if path.is_symlink() and not path.exists():
        raise OutputError(f"{option}: {path} is a link to what is not there; make that, or choose another name")


def make_folder(option: str, path: Path, kind: str, names: Sequence[str], inputs: Sequence[Path] = ()) -> dict[str, Path]:
    """Makes a folder for files of one kind, in a folder that exists, or sees to it that an existing one can take them.

    Args:
        option: the option's name, for the message.
        path: the folder.
        kind: file name ending of the files, such as ".png".
        names: names of the files, without it.
        inputs: files that the command reads.

    Returns:
        Where each file goes.

    Raises:
        OutputError: a file in the folder's place, no folder to make it in, or as :func:`check_output`.
    """
    check_leads(option, path)
    paths = {name: path / f"{name}{kind}" for name in names}
    if path.is_dir():
        for file in paths.values():
            check_output(option, file, [kind], inputs)
    elif path.exists():
        raise OutputError(f"{option}: {path} is a file; give the name of a folder")
    else:
        _check_parent(option, path)
        path.mkdir()
    return paths


def followed(path: Path) -> Path:
    """End of a symbolic link, there or not yet; any other path as it is."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


@contextmanager
def replacing(path: Path, *, durable: bool = False, kept: Path | None = None) -> Iterator[BinaryIO]:
    """A file that takes the place of ``path`` when the block ends well, and vanishes when it does not.

    A process that is killed leaves it behind; :func:`leftovers` finds it.

    Args:
        path: what it replaces; of a symbolic link, the file to which it leads.
        durable: let its content reach the disk before its name does, so that no power cut leaves an empty file.
        kept: where what it replaces goes.
    """
    named, path = path, followed(path)
    temporary = path.with_name(f".{path.name[:_NAME_LETTERS]}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if kept is not None and path.exists():
            path.replace(kept)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):
            # The reader knows the file by its final name; a full disk gives none at all.
            raise OSError(error.errno, error.strerror, str(named)) from error
        raise


def sync_folder(folder: Path) -> None:
    """Lets the names in a folder reach the disk, where a folder can be opened."""
    if os.name == "posix":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def leftovers(folder: Path, names: Collection[str]) -> list[Path]:
    """Half-written files of these names that killed processes have left in a folder.

    Whoever removes them must be the only one who writes these names.
    """
    short = {name[:_NAME_LETTERS] for name in names}
    return [path for path in folder.iterdir() if (match := _PART.fullmatch(path.name)) and match[1] in short]


@dataclass(frozen=True)
class Outputs:
    """The files of one command: a picture and perhaps an array; both are checked when this is made.

    One of them may be ``-``: a picture goes to standard output as .png then, and numbers as .csv.

    Attributes:
        picture: where the picture goes (``--out``), if anywhere.
        array: where the numbers go (``--save``), if anywhere.
        inputs: files that the command reads.
        kinds: endings that the numbers may have.
        pictures: endings that the picture may have.
    """

    picture: Path | None
    array: Path | None
    inputs: Sequence[Path]
    kinds: Sequence[str] = (".npy", ".csv")
    pictures: Sequence[str] = PICTURES

    def __post_init__(self) -> None:
        if self.picture == self.array == STANDARD_OUTPUT:
            raise OutputError("--save: got - beside --out -; give one of them the name of a file")
        for option, path, kinds in (("--out", self.picture, self.pictures), ("--save", self.array, self.kinds)):
            if path == STANDARD_OUTPUT:
                _check_standard_output(option, kinds)
            elif path is not None:
                check_output(option, path, kinds, self.inputs)

    @property
    def files(self) -> list[str]:
        """Every file that is written."""
        return [str(path) for path in (self.picture, self.array) if path is not None]

    def write(
        self,
        picture: Callable[[str], bytes],
        array: NDArray[Any] | None = None,
        table: Callable[[], Mapping[str, Sequence[Any]]] = dict,
    ) -> None:
        """Writes the picture and numbers, where they are wanted.

        Args:
            picture: gives the content of the picture in a format, "png" or "html" for instance.
            array: what a ``.npy`` gets; not needed without one.
            table: gives the columns of a ``.csv``, by their names.
        """
        if self.picture is not None:
            content = picture(self.picture.suffix[1:].lower() or "png")
            with _opened(self.picture) as file:
                file.write(content)
        if self.array is None:
            return
        with _opened(self.array) as file:
            if self.array.suffix.lower() == ".npy" and array is not None:
                np.save(file, array)
                return
            _write_columns(file, table())


def _check_standard_output(option: str, kinds: Sequence[str]) -> None:
    """Refuses what is not for standard output, and a picture on a terminal."""
    if not {".png", ".csv"}.intersection(kinds):
        raise OutputError(f"{option}: got -; {' and '.join(kinds)} are not written to standard output; name a file")
    if ".png" in kinds and sys.stdout.isatty():
        raise OutputError(f"{option}: got -, and standard output is a terminal; lead it to a file or another program")


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A file to write into, or standard output, which gets all of it at the end."""
    if path != STANDARD_OUTPUT:
        with replacing(path) as file:
            yield file
        return
    content = BytesIO()
    yield content
    sys.stdout.flush()
    sys.stdout.buffer.write(content.getvalue())
    sys.stdout.buffer.flush()


def write_table(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Writes a ``.csv`` of columns by their names; None is an empty cell."""
    with replacing(path) as file:
        _write_columns(file, columns)


def _write_columns(file: BinaryIO, columns: Mapping[str, Sequence[Any]]) -> None:
    text = TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="")
    writer = csv.writer(text, lineterminator="\n")
    careful = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)  # Python before 3.13 lets a "\r" end a line
    writer.writerow(columns)
    for values in zip(*columns.values(), strict=True):
        row = [_quoted(value) for value in values]
        (careful if any(isinstance(cell, str) and "\r" in cell for cell in row) else writer).writerow(row)
    text.detach()


def _quoted(value: Any) -> Any:
    """The value, a name that spreadsheets would take for a formula behind an apostrophe; a name that is a number stays."""
    if not (isinstance(value, str) and _FORMULA.match(value)):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
