"""A page in place of a picture, where its format is asked for."""

from collections.abc import Callable


def encoder_or_page(picture: Callable[[str], bytes], make: Callable[[bytes], bytes]) -> Callable[[str], bytes]:
    """A function that gives a picture in a format, and as "html" the page that is made around its PNG."""
    return lambda kind: make(picture("png")) if kind == "html" else picture(kind)
