"""A page in the place of films, for a command that writes either."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO


@dataclass(frozen=True)
class OnePage:
    """A page that has the members of :class:`.Films`.

    Attributes:
        name: its only name.
        count: number of its records.
        make: gives its content; is told how many records are done.
    """

    name: str
    count: int
    make: Callable[[Callable[[int], None]], bytes]

    @property
    def films(self) -> dict[str, Any]:
        """Its name, of which a file is made."""
        return {self.name: self.make}

    def write(self, file: BinaryIO, name: str, kind: str, fps: float, advance: Callable[[int], None]) -> None:  # noqa: ARG002
        """Writes the page, of which there is one kind."""
        file.write(self.make(advance))
