"""Notes of whatever reads a file: a guess or a loss that the owner of the file should know of."""

from collections.abc import Callable

_listener: list[Callable[[str], None]] = []
_told: set[str] = set()


def listen(listener: Callable[[str], None]) -> None:
    """Has ``listener`` called with every note from now on, each once; it takes the place of an earlier one."""
    _listener[:] = [listener]
    _told.clear()


def note(text: str) -> None:
    """Tells whoever listens; nobody does in processes of workers."""
    if text not in _told:
        _told.add(text)
        for listener in _listener:
            listener(text)
