"""Pictures on demand: neither drawn, nor matplotlib imported, unless their files are wanted."""

from collections.abc import Callable
from typing import Any


def prepare(wanted: bool) -> None:
    """Imports what encodes pictures if they are wanted, at a time that no clock counts."""
    if wanted:
        import imle_cli.figures.canvas  # noqa: F401


def encoder(draw: Callable[[], Any]) -> Callable[[str], bytes]:
    """A function that gives the figure of ``draw`` in a format: "png", "pdf" or "svg"."""

    def encoded(kind: str) -> bytes:
        from imle_cli.figures import canvas

        return canvas.encode(draw(), kind)

    return encoded
