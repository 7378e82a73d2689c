"""Bytes of a text file become text, whatever wrote them."""

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before the mark of UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode(content: bytes) -> tuple[str, bool]:
    r"""Text with ``\n`` at the ends of its lines, and whether its encoding was a guess.

    UTF-8, UTF-16 and UTF-32 with or without a mark; else Windows-1252, of which Latin-1 is the part that text uses.

    Raises:
        ValueError: no text.
    """
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None) or _without_mark(content)
    try:
        text, guessed = content.decode(encoding), False
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise ValueError(f"is no text ({error.reason} in {encoding} at byte {error.start}); save it as UTF-8") from error
        text, guessed = _western(content), True
    text = text.removeprefix("\ufeff").removesuffix("\x1a")  # a mark, and the end of a file of DOS
    if "\0" in text:
        raise ValueError("is no text (it holds zero bytes); save it as UTF-8 text")
    return text.replace("\r\n", "\n").replace("\r", "\n"), guessed


def _without_mark(content: bytes) -> str:
    """UTF-16 shows by zeros in every other byte of what is mostly digits and Latin letters."""
    start = content[:4096]
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, letters = start[first::2], start[1 - first :: 2]
        if len(start) > 1 and 2 * zeros.count(0) > len(zeros) and 0 not in letters:
            return name
    return "utf-8"


def _western(content: bytes) -> str:
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("latin-1")
