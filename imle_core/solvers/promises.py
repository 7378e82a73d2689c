"""What solvers declare about themselves, for layers that call them."""

from typing import Any, ClassVar, Literal

Sense = Literal["max", "min"]


class PureSolver:
    """A solver that neither changes its input nor shares memory: its solutions are new tensors, which belong to the caller.

    A subclass that writes ``__call__`` or ``perturb_and_map`` anew declares ``pure`` and ``sense`` of its own: what its base
    promises is not taken for granted.

    Attributes:
        pure: whether that is so.
        sense: "max" where ``<z, theta>`` is maximised, "min" where it is minimised, None where nobody says.
    """

    pure: ClassVar[bool] = True
    sense: ClassVar[Sense | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        written, inherited = vars(cls), {name for base in cls.__mro__[1:] for name in vars(base)}
        if written.keys() & inherited & {"__call__", "perturb_and_map"}:
            cls.pure, cls.sense = written.get("pure", False), written.get("sense")


class Maximiser(PureSolver):
    """A pure solver that gives ``argmax_z <z, theta>``."""

    sense: ClassVar[Sense | None] = "max"
