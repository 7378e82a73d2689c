"""Arrays of a training: what it began with, and what was recorded of it, step by step."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from imle_cli.files.archives import Shape

Arrays: TypeAlias = dict[str, NDArray[Any]]
Kinds: TypeAlias = Mapping[str, str]
SomeHistory = TypeVar("SomeHistory", bound="History")


@dataclass
class History(ABC):
    """Record of a training.

    Attributes:
        gold: gold solutions, of the shape that the arrays of each record have.
        steps: recorded steps.
        KINDS: types of all arrays, by name: those that stay as they are, ``steps``, and those of which each record has one.
        COSTS: name of the true costs among them.
    """

    gold: NDArray[Any]
    steps: list[int] = field(default_factory=list, kw_only=True)

    KINDS: ClassVar[Kinds]
    COSTS: ClassVar[str]

    @classmethod
    @abstractmethod
    def fit(cls, shapes: Sequence[Shape]) -> bool:
        """True where arrays of these shapes, in the order of ``KINDS``, fit each other."""

    @classmethod
    def is_possible(cls, arrays: Arrays) -> bool:
        """True where true costs and gold solutions are numbers that a problem has: costs above 0, ones and zeros."""
        return bool((arrays[cls.COSTS] > 0).all() and (arrays["gold"] <= 1).all())

    @classmethod
    def of(cls: type[SomeHistory], arrays: Arrays) -> SomeHistory:
        """The history that has these :meth:`arrays`.

        Raises:
            ValueError: numbers that no training records.
        """
        steps = arrays["steps"]
        if not (cls.is_possible(arrays) and (steps >= 0).all() and (np.diff(steps) > 0).all()):
            raise ValueError("holds what no training records")
        return cls(**arrays | {"steps": steps.tolist()} | {name: list(arrays[name]) for name in cls._recorded()})

    @classmethod
    def _recorded(cls) -> list[str]:
        names = list(cls.KINDS)
        return names[names.index("steps") + 1 :]

    def add(self, step: int, *arrays: NDArray[Any]) -> None:
        """Records a step, with arrays in the order of ``KINDS``."""
        self.steps.append(step)
        for name, array in zip(self._recorded(), arrays, strict=True):
            getattr(self, name).append(array.astype(self.KINDS[name]))

    def until(self: SomeHistory, last: int) -> SomeHistory:
        """The records up to the step ``last``."""
        return self.at([record for record, step in enumerate(self.steps) if step <= last])

    def at(self: SomeHistory, records: Sequence[int]) -> SomeHistory:
        """The records of these numbers."""
        names = ("steps", *self._recorded())
        kept: dict[str, Any] = {name: [getattr(self, name)[record] for record in records] for name in names}
        return replace(self, **kept)

    def arrays(self) -> Arrays:
        """Arrays by name; those of R records are stacked, ``(R, ...)``."""
        arrays = {name: np.asarray(getattr(self, name), dtype=kind) for name, kind in self.KINDS.items()}
        shape = (len(self.steps), *self.gold.shape)
        return arrays | {name: arrays[name].reshape(shape) for name in self._recorded()}
