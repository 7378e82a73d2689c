"""Protocols of what a solver may offer beyond a call; the table in :mod:`.protocols` says who asks for it."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from imle_core.contracts.known import Known


@runtime_checkable
class FusedSolver(Protocol):
    """A solver that adds the noise itself: ``MAP(theta + temperature * eps)`` in one call.

    Layers that maximise call the method in place of the solver, where the solver gets no further arguments and theta is not
    float16. It holds for subclasses as :class:`Pure` does.
    """

    def perturb_and_map(self, theta: Tensor, eps: Tensor | None, temperature: float, known: Known | None = None) -> Tensor:
        """Solutions ``(B, S, *event)``, of which those need not be solved again that follow from ``known``.

        Args:
            theta: parameters, ``(B, 1 or S, *event)``; ``(B, S, *event)`` without noise.
            eps: noise, ``(B, S, *event)``, or None.
            temperature: that of the noise.
            known: in a backward pass, solutions of the forward pass for the same noise.
        """


@runtime_checkable
class DirectedSolver(Protocol):
    """A solver that says whether it maximises or minimises ``<z, theta>``.

    Under ``sense="min"`` a layer gives one that maximises minus the costs that it gets; under "max" it refuses one that
    minimises.

    It holds for subclasses as :class:`Pure` does. The doctor examines a solver in the sense that it declares.
    """

    sense: Literal["max", "min"]


@runtime_checkable
class BoundedSolver(Protocol):
    """A solver that says which theta it takes: the smallest and the largest entry, infinite for no end.

    The doctor asks for nothing outside, and for the 2 units next to the end of a domain without another end.
    """

    @property
    def domain(self) -> tuple[float, float]:
        """Smallest and largest theta."""


@runtime_checkable
class ClampingSolver(Protocol):
    """A solver that clamps costs ``-theta`` below a floor to it, and counts how often; commands tell the share.

    Attributes:
        floor: smallest cost; None where nothing is clamped.
        clamped: costs clamped so far.
        seen: finite costs so far, clamped or not.
    """

    floor: float | None
    clamped: int
    seen: int


@runtime_checkable
class ReusingSolver(Protocol):
    """A solver that keeps :class:`Known` solutions where they surely hold, and counts how often; commands tell the share.

    Attributes:
        kept: solutions of backward passes so far that were not solved again.
        offered: solutions of backward passes so far.
    """

    kept: int
    offered: int


@runtime_checkable
class CountingSolver(Protocol):
    """A solver that says how many ones its solutions have, for noise of structures of that size.

    It holds for subclasses as :class:`Pure` does.
    """

    def typical_ones(self, event: Sequence[int], /) -> float | None:
        """Number of ones of a typical solution of shape ``event``, exact where all have as many; None if it cannot know."""


@runtime_checkable
class CountingEach(Protocol):
    """A :class:`CountingSolver` for certain instances, which may have other numbers of ones than their sizes tell.

    It holds for subclasses as :class:`Pure` does.
    """

    @property
    def typical_ones_of_each(self) -> Sequence[float] | NDArray[np.float64]:
        """Number of ones of a typical solution of each instance, ``(B,)``."""


@runtime_checkable
class PaddedSolver(Protocol):
    """A solver that says whether rows of a ragged batch may be padded with -inf, at the end of their first axis.

    It is so where the padded row has the row's solution, and no padded entry chosen. A solver that says False gets rows of
    one size at a time, without padding. It holds for subclasses as :class:`Pure` does.
    """

    takes_padding: bool


@runtime_checkable
class RaggedSolver(Protocol):
    """A solver that solves rows of several sizes in one call.

    It holds for subclasses as :class:`Pure` does.
    """

    def solve_ragged(self, theta: Tensor, sizes: Sequence[int], /, *args: Any, **kwargs: Any) -> Tensor:
        """Solutions ``(N, n, *rest)``, of which the first ``sizes[i]`` entries of row i count.

        Args:
            theta: parameters, ``(N, n, *rest)``, of which the first ``sizes[i]`` of row i are the row's; -inf beyond them.
            sizes: numbers of entries of the rows, ``(N,)``.
            *args: as in a call of the solver.
            **kwargs: likewise.
        """


@runtime_checkable
class ServingSolver(Protocol):
    """A solver all of whose further arguments have an entry for each instance, whose samples are neighbouring rows.

    ``by_instance = True`` lets ``torch.func.vmap`` solve a whole axis in one call: instances and arguments of its entries
    follow each other. It holds for subclasses as :class:`Pure` does.
    """

    by_instance: bool


@runtime_checkable
class PromisingSolver(Protocol):
    """A solver that says what its further outputs look like, for compiled code, which has to know before it runs.

    Compiled code gives them in a tuple, ``(z, *others)``.
    """

    def outputs_like(self, theta: Any, /, *args: Any, **kwargs: Any) -> Sequence[Tensor]:
        """Tensors of the shapes and types of the others, such as ``(theta.new_empty(len(theta)),)``.

        Args:
            theta: parameters ``(N, *event)``, or a structure of such, of which only shape, type and device count.
            *args: as in a call of the solver.
            **kwargs: likewise.
        """


@runtime_checkable
class ListSolver(Protocol):
    """A solver that may be one of certain instances, as of a list of graphs: row r of N is of instance ``r // (N / B)``.

    A layer refuses another number of instances, ``torch.func.vmap`` solves the entries of an axis in turn, and the doctor
    asks for the one with the most entries, in the company of the others. It holds for subclasses as :class:`Pure` does.
    """

    @property
    def offsets(self) -> Tensor | None:
        """Where the entries of each instance begin, and where the last one's end, ``(B + 1,)``; None if it takes any."""


@runtime_checkable
class PoolingSolver(Protocol):
    """A solver that has a pool of solutions, from which contrastive and ranking losses learn where they are given none."""

    members: Tensor
    """``(K, *event)``."""


@runtime_checkable
class GrowingPool(Protocol):
    """A pool of solutions that may solve, now and then, for parameters that a loss learns from; solver or not.

    Its ``sense`` is asked for as a solver's.
    """

    def grow(self, theta: Tensor, /) -> None:
        """Called with parameters ``(N, *event)`` of each loss that wants a gradient, before it asks for the members."""


@runtime_checkable
class BindingSolver(Protocol):
    """A solver that names the constraints ``<a, z> <= b`` that hold with equality at a solution, for cone alignment.

    An equation is two, with both signs; a bound of an entry has its unit vector, times -1 for the lower one.
    """

    def normals(self, gold: Tensor) -> Tensor:
        """Normals a, ``(B, K, *event)``, for solutions ``(B, *event)``; rows of 0 fill up."""
