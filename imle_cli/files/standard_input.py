"""Standard input as a file, whose ending is told from its content."""

import atexit
import gzip
import io
import re
import sys
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from imle_cli.files.decoding import decode
from imle_cli.options.standard_streams import STANDARD_INPUT

_MOST = 2**30  # bytes, as many as of a file that is read whole
_BEGINNING = 2**16  # bytes from which the kind is told

# Beginnings of bytes; the reader of pictures tells their formats apart itself.
_BYTES = {b"\x93NUMPY": ".npy", b"PK\x03\x04": ".npz"}
_TEXTS = {
    r"<.*<graphml\b": ".graphml",
    r"<.*<gexf\b": ".gexf",
    r"<graphml\b": ".graphml",
    r"<gexf\b": ".gexf",
    r"[{\[]": ".json",
    r"(creator\b[^\n]*\n\s*)?(version\b[^\n]*\n\s*)?graph\s*\[": ".gml",
    r"\*(network|vertices)\b": ".net",
    r"%%matrixmarket\b": ".mtx",
    r"p\s+(sp|edge|col|max|min)\s+\d": ".gr",
    r"p[1-6]\s": ".ppm",
    r"(ncols|nrows)\b": ".asc",
    r"type\s+\w+\s+height\b": ".map",
}
_COMMENTS = re.compile(r"\s*(?:#[^\n]*|c(?:[ \t][^\n]*)?)\n|\s+")  # before what tells the kind


class StandardInputError(OSError):
    """Standard input that cannot be read; the message is what is wrong with it."""


class _Kept:
    """Content of a stream, in a folder that vanishes with the process, or with what is read of the next one."""

    stream: Any = None
    folder: "TemporaryDirectory[str] | None" = None
    path = Path()


def actual(path: Path) -> Path:
    """The file to open in the place of ``path``: what was on standard input for :data:`STANDARD_INPUT`, else itself.

    Raises:
        StandardInputError: there is nothing on it to read.
    """
    if path is not STANDARD_INPUT:
        return path
    if _Kept.stream is not sys.stdin or _Kept.folder is None:
        content = _read()
        _remove()
        _Kept.folder, _Kept.stream = TemporaryDirectory(prefix="imle-"), sys.stdin
        _Kept.path = Path(_Kept.folder.name) / f"stdin{kind_of(content)}"
        _Kept.path.write_bytes(content)
    return _Kept.path


@atexit.register
def _remove() -> None:
    if _Kept.folder is not None:
        _Kept.folder.cleanup()
        _Kept.folder = None


def _read() -> bytes:
    if sys.stdin is None or sys.stdin.closed:
        raise StandardInputError("standard input is closed; pipe a file into it")
    if sys.stdin.isatty():
        raise StandardInputError("standard input is the keyboard; pipe a file into it, such as < map.png")
    content = sys.stdin.buffer.read(_MOST + 1)
    if content.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(io.BytesIO(content)) as packed:
                content = packed.read(_MOST + 1)
        except (OSError, EOFError, zlib.error) as reason:
            raise StandardInputError(f"standard input cannot be decompressed ({reason}); save it again") from reason
    if len(content) > _MOST:
        raise StandardInputError(f"standard input holds more than {_MOST} bytes; give less, or a file")
    return content


def kind_of(content: bytes) -> str:
    """Ending that a file of this content should have: that of a table for any text, that of a picture for other bytes."""
    known = next((kind for beginning, kind in _BYTES.items() if content.startswith(beginning)), None)
    if known is not None:
        return known
    try:
        # A letter may be cut in two where the beginning ends: what was a letter of UTF-8 is taken for Western ones then.
        text = decode(content[:_BEGINNING])[0].lower()
    except ValueError:
        return ".png"
    if any(ord(letter) < 32 and letter not in "\t\n\f\v\x1a" for letter in text[:1000]):
        return ".png"
    while match := _COMMENTS.match(text):
        text = text[match.end() :]
    return next((kind for pattern, kind in _TEXTS.items() if re.match(pattern, text, re.DOTALL)), ".txt")
