"""Pictures in the cells of a terminal: two pixels a cell, one above the other, and a legend."""

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_COLOURFUL = ("256", "truecolor")  # systems of colours that can show a scale
_WIDEST, _LEAST_ROWS, _SCALE = 96, 5, 12  # columns, and rows with the legend, of a preview; columns of its scale
_BRIGHT = 110  # mean of red, green and blue, above which letters are black


class Preview(Protocol):
    """A picture for a terminal: probabilities as colours, some of them marked."""

    @property
    def marks(self) -> Mapping[str, Any]:
        """Whatever is marked, by its name."""

    def picture(self, rows: int, columns: int) -> tuple[Any, Mapping[tuple[int, int], str]]:
        """An ``(H, W, 3)`` uint8 picture of at most so many pixels, and letters by the pixels that they mark."""

    def scale(self, columns: int) -> Any:
        """Colours ``(columns, 3)`` from 0 to 1."""


def lines_of(preview: Preview, console: "Console", room: int) -> "Iterator[Text]":
    """Lines of a picture and its legend for a terminal; none of another file, below 256 colours, or without room.

    Args:
        preview: the picture.
        console: where it is to be shown.
        room: rows that it may take.
    """
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    plain = not console.is_terminal or console.no_color or console.color_system not in _COLOURFUL
    if plain or "utf" not in encoding or room < _LEAST_ROWS:
        return
    pixels, letters = preview.picture(2 * (room - 1), max(1, min(_WIDEST, console.width - 2)))
    yield from _half_blocks(pixels, letters)
    yield _legend(preview)


def _half_blocks(pixels: Any, letters: Mapping[tuple[int, int], str]) -> "Iterator[Text]":
    """Lines of a picture, with two pixels a character, one above the other; a letter is on the colour of its own pixel."""
    from rich.text import Text

    for top in range(0, len(pixels), 2):
        line = Text()
        for column, upper in enumerate(pixels[top]):
            row = next((row for row in (top, top + 1) if (row, column) in letters), None)
            if row is not None:
                ground = pixels[row, column]
                ink = "black" if ground.mean() > _BRIGHT else "white"
                line.append(letters[row, column], f"bold {ink} on {_colour(ground)}")
            elif top + 1 < len(pixels):
                line.append("▀", f"{_colour(upper)} on {_colour(pixels[top + 1, column])}")
            else:
                line.append("▀", _colour(upper))
        yield line


def _legend(preview: Preview) -> "Text":
    """Colours between 0 and 1, and what the letters mean."""
    from rich.text import Text

    line = Text("0 ")
    for colour in preview.scale(_SCALE):
        line.append("▇", _colour(colour))
    line.append(" 1")
    for name in preview.marks:
        line.append(f"   {name[0].upper()} {name}")
    return line


def _colour(channels: Any) -> str:
    return "rgb({},{},{})".format(*channels)
