"""The contract of a training, as whoever watches, records and resumes it needs it."""

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

Record = TypeVar("Record", covariant=True)


class Trainable(Protocol[Record]):
    """A training of any kind: ``for record in training`` makes the steps that are left, and gives a record of each.

    ``state_dict()`` between two records has everything that the rest depends on. A training with the same arguments that
    loads it goes on, to the bit, as the first one would have.
    """

    @property
    def step(self) -> int:
        """Number of records given so far."""

    @property
    def steps(self) -> int:
        """Number of steps that move what is trained."""

    @property
    def done(self) -> bool:
        """True once the last record was given."""

    def __iter__(self) -> Iterator[Record]:
        """Makes the steps that are left; an iterator that is left early can be followed by another."""

    def state_dict(self) -> dict[str, Any]:
        """Copies of everything that changes from step to step, of types that ``torch.load`` reads with ``weights_only``."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from where the training stood whose ``state_dict()`` this is.

        Raises:
            ValueError: the state of another training.
        """
