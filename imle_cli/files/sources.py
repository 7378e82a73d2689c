"""Files to read: whether they can be, and tables of text in them."""

import gzip
import re
import stat
import zlib
from pathlib import Path
from typing import IO, cast

from imle_cli.files.decoding import decode
from imle_cli.files.endings import foreign
from imle_cli.files.standard_input import StandardInputError, actual
from imle_cli.messages import note

MAX_LETTERS = 300  # of a message
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):[/\\]+(.*)", re.DOTALL)
_END = 90  # letters of it that are kept where it is cut, since the remedy comes last


def one_line(name: Path | str, text: str) -> str:
    """Message about a file, in one line of at most ``MAX_LETTERS``; what does not fit is left out in the middle."""
    message = " ".join(f"{name}: {text}".splitlines())
    if len(message) <= MAX_LETTERS:
        return message
    name = " ".join(str(name).splitlines())
    message = f"{name if len(name) <= 120 else f'...{name[-117:]}'}: {' '.join(text.splitlines())}"
    return message if len(message) <= MAX_LETTERS else f"{message[: MAX_LETTERS - _END - 5]} ... {message[-_END:]}"


class SourceError(ValueError):
    """A file that cannot be used; the message is one line, names the file and has at most 300 letters."""

    def __init__(self, path: Path | str, text: str) -> None:
        super().__init__(path, text)  # of which pickles and copies make the error again

    def __str__(self) -> str:
        return one_line(*self.args)


def check_file(path: Path, kinds: str, thing: str) -> None:
    """Refuses what is no file, cannot be read or is empty.

    Args:
        path: the file.
        kinds: what to give in place of a folder, "a picture or a .npy file" for instance.
        thing: what the file holds, "map" for instance.

    Raises:
        SourceError: it says which of these.
    """
    try:
        status = actual(path).stat()
        ordinary = stat.S_ISREG(status.st_mode)
        if ordinary:
            actual(path).open("rb").close()
    except FileNotFoundError as reason:
        if path == Path("-"):
            raise SourceError(path, "standard input is read as INPUT alone; give the name of a file") from reason
        if address := _ADDRESS.fullmatch(str(path)):  # of whose slashes a path has lost one
            raise SourceError("://".join(address.groups()), "URLs are not read; download it first") from reason
        raise SourceError(path, "no such file; check the path") from reason
    except PermissionError as reason:
        raise SourceError(path, "no permission to read this file; change its permissions or copy it") from reason
    except StandardInputError as reason:
        raise SourceError("-", str(reason)) from reason
    except (OSError, ValueError) as reason:
        got = f"cannot be opened ({getattr(reason, 'strerror', None) or reason})"
        raise SourceError(path, f"{got}; check the path") from reason
    if stat.S_ISDIR(status.st_mode):
        raise SourceError(path, f"is a folder; give {kinds} in it")
    if not ordinary:
        raise SourceError(path, f"is not a regular file; save the {thing} to a file first")
    if not status.st_size:
        raise SourceError(path, f"the file is empty (0 bytes); save the {thing} again")


MAX_BYTES = 2**30  # of a file that is read whole, after decompression


def ending(path: Path) -> str:
    """Ending of the file's name in lower case, ``.csv`` for instance; of what is inside where the name ends in ``.gz``."""
    path = actual(path)
    return (path.with_suffix("") if is_packed(path) else path).suffix.lower()


def is_packed(path: Path) -> bool:
    """True of a file whose name says that it is compressed."""
    return path.suffix.lower() == ".gz"


def open_unpacked(path: Path) -> IO[bytes]:
    """The content of a file as a stream, decompressed where its name ends in ``.gz``."""
    path = actual(path)
    return cast("IO[bytes]", gzip.open(path) if is_packed(path) else path.open("rb"))


def read_bytes(path: Path, kinds: str, thing: str) -> bytes:
    """Content of a file, decompressed where its name ends in ``.gz``; arguments as in :func:`check_file`.

    Raises:
        SourceError: a file that cannot be read, is empty, is damaged, or holds more than ``MAX_BYTES``.
    """
    check_file(path, kinds, thing)
    try:
        with open_unpacked(path) as file:
            content = file.read(MAX_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as reason:
        raise SourceError(path, f"cannot be decompressed ({reason}); save the {thing} again") from reason
    except OSError as reason:
        raise SourceError(path, f"cannot be read ({reason.strerror or reason}); copy it to another disk") from reason
    if len(content) > MAX_BYTES:
        raise SourceError(path, f"holds more than {MAX_BYTES} bytes; give a smaller {thing}")
    if not content:
        raise SourceError(path, f"holds nothing once decompressed; save the {thing} again")
    return content


def read_beginning(path: Path, count: int) -> bytes:
    """The first bytes of a file that may be read, decompressed where its name ends in ``.gz``; none of a damaged one."""
    try:
        with open_unpacked(path) as file:
            return file.read(count)
    except (OSError, EOFError, zlib.error):
        return b""


def read_text(path: Path, kinds: str, thing: str) -> str:
    """Text of a file, decompressed where its name ends in ``.gz``; arguments and errors as in :func:`read_bytes`."""
    content = read_bytes(path, kinds, thing)
    if wrong := foreign(content):
        raise SourceError(path, wrong)
    try:
        text, guessed = decode(content)
    except ValueError as reason:
        raise SourceError(path, str(reason)) from reason
    if guessed:
        note(f"{path}: is not UTF-8; read as Western European text (Windows-1252)")
    return text
