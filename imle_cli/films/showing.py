"""Pictures and films as objects: shown by notebooks by themselves, and saved under a name that says the format."""

import base64
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from imle_cli.figures import canvas
from imle_cli.files.outputs import replacing
from imle_cli.films import encoders
from imle_cli.films.timing import Films
from imle_core.checks import ArgumentError, ArgumentTypeError

_PICTURES = (".png", ".pdf", ".svg")
_FILMS = {".gif": "gif", ".webp": "webp", ".png": "apng", ".apng": "apng", ".mp4": "mp4"}


class Picture:
    """A picture: notebooks show it, :meth:`save` writes it.

    Attributes:
        figure: matplotlib's figure, which may be changed further.
    """

    def __init__(self, figure: Any) -> None:
        self.figure = figure

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes a .png, .pdf or .svg, whole or not at all; gives its path.

        Raises:
            ArgumentError: another ending, or a folder that is missing or cannot be written to.
        """
        target = checked_path(path, _PICTURES)
        content = canvas.encode(self.figure, target.suffix[1:].lower())
        with replacing(target) as file:
            file.write(content)
        return target

    def _repr_png_(self) -> bytes:
        return canvas.encode(self.figure, "png")

    def __repr__(self) -> str:
        width, height = self.figure.get_size_inches()
        return f"Picture({width:.3g} x {height:.3g} inches)"


class Film:
    """An animation: notebooks show it, :meth:`save` writes it. What it shows is made when it is first wanted.

    Args:
        films: gives the films of which it is one.
        name: its name among them.
        fps: frames a second.
    """

    def __init__(self, films: Callable[[], Films], name: str, fps: float) -> None:
        self._films, self._name, self._fps = films, name, fps
        self._gif = b""

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes a .gif, .webp, .png (APNG) or .mp4, frame by frame; gives its path.

        Raises:
            ArgumentError: another ending, a folder that is missing or cannot be written to, or no records.
        """
        target = checked_path(path, tuple(_FILMS))
        kind = _FILMS[target.suffix.lower()]
        try:
            encoders.check_encoder(kind)
        except encoders.AnimationError as error:
            remedy = "pip install 'imle[mp4]', or save a .gif"
            raise ArgumentError("path", f"{target}", "mp4 needs an encoder that is not installed", remedy) from error
        films = self._films()
        with replacing(target) as file:
            films.write(file, self._name, kind, self._fps)
        return target

    def _repr_html_(self) -> str:
        if not self._gif:
            file = io.BytesIO()
            self._films().write(file, self._name, "gif", self._fps)
            self._gif = file.getvalue()
        return f'<img alt="film" src="data:image/gif;base64,{base64.b64encode(self._gif).decode()}">'

    def __repr__(self) -> str:
        return f"Film({self._name!r}, {self._fps:g} frames a second)"


def checked_path(path: Any, endings: Sequence[str]) -> Path:
    """The path of a file to write.

    Raises:
        ArgumentError: another ending, a folder, or a folder that is missing or cannot be written to.
    """
    try:
        target = Path(path)
    except TypeError as error:
        raise ArgumentTypeError("path", type(path).__name__, "it must be a file's name", "give a text or a Path") from error
    if target.suffix.lower() not in endings:
        got = f"{target}"
        raise ArgumentError("path", got, f"it must end in {', '.join(endings[:-1])} or {endings[-1]}", f"use {endings[0]}")
    if target.is_dir():
        raise ArgumentError("path", f"{target}", "it is a folder", "give the name of a file in it")
    if not target.parent.is_dir():
        raise ArgumentError("path", f"{target}", f"the folder {target.parent} does not exist", "make it first")
    if not os.access(target.parent, os.W_OK):
        raise ArgumentError("path", f"{target}", f"the folder {target.parent} cannot be written to", "choose another")
    return target
