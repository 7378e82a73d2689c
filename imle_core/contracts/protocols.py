"""Protocols of solvers, noise and targets: three required ones, and one for each thing that they may offer beyond.

Nobody derives from a protocol: an object that has the members fulfils it. Whatever an optional member is asked for, an
object without it works, too, by what stands in the last column. :mod:`.solver_protocols` has those of solvers.

    member                       protocol          who asks, and when                          without it
    ---------------------------  ----------------  ------------------------------------------  -----------------------------
    pure                         Pure              whoever calls, around each call             what goes in and out is copied

    perturb_and_map              FusedSolver       a layer that maximises, for each pass       noise is added, then solved
    sense                        DirectedSolver    a layer when it is made; the doctor         the user's sense is believed
    domain                       BoundedSolver     the doctor before it draws theta            theta from -1 to 1
    floor, clamped, seen         ClampingSolver    commands after solving; run folders         no clamping is reported
    kept, offered                ReusingSolver     commands after training; run folders        no reuse is reported
    typical_ones                 CountingSolver    a noise that wants a size; commands         such a noise needs its k
    typical_ones_of_each         CountingEach      noise that wants a size, for ragged batches  as typical_ones of a size
    takes_padding                PaddedSolver      a layer for ragged batches; the doctor      rows are padded with -inf
    solve_ragged                 RaggedSolver      a layer for ragged batches                  as takes_padding says
    by_instance                  ServingSolver     torch.func.vmap, with further arguments     entries are solved in turn
    outputs_like                 PromisingSolver   torch.compile, for further outputs          it refuses these
    offsets                      ListSolver        a layer, torch.func.vmap; the doctor        it takes any instances
    members                      PoolingSolver     losses that learn from a pool               they need pool=...
    grow                         GrowingPool       losses that learn from a pool, at each step the pool stays as it is
    normals                      BindingSolver     cone alignment                              it needs normals=...

    score, lacks_score           ScoredNoise       estimators by the density, when made        they refuse the noise
    dependent_samples            DependentNoise    marginals, for their standard errors        samples are independent
    wants_size, sized            SizedNoise        whoever draws it for a solver               it is drawn as it is
    sample_ragged                RaggedNoise       a layer for ragged batches                  drawn instance by instance

    step_size                    SteppingTarget    a layer that divides, in a backward pass    it cannot divide
    divides                      DividingTarget    a layer without scale_gradient              gradients are not divided
    alpha                        WeightedTarget    the watch of steps, now and then            theta counts as kept
    observe                      ObservingTarget   a layer after each backward pass            nothing is told
    check_instances              CheckingTarget    a layer before each backward solve          all instances are taken
    follows_gradient             GivenTarget       a layer when made, and in backward passes   theta' follows the gradient
    of_instances                 RaggedTarget      a layer for ragged batches                  asked for a size at a time
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Solver(Protocol):
    """Row by row ``argmax_z <z, theta>``: a callable from ``(N, *event)`` to ``(N, *event)``.

    A solver gets rows of its own, in which it may write, and what it gives is copied, so that it may be a buffer of its own,
    or what it got; :class:`Pure` saves both copies. It may run under ``torch.inference_mode()``.

    Where a layer gets a structure of tensors, a tuple, list or dict (or one of such structures), so does the solver, each
    tensor ``(N, *event)``, and it gives a structure of the same outline and shapes; tuples and lists count as the same.

    It may give further outputs, ``(z, *others)`` in a tuple or list, and a layer then gives ``(z, *others)``, too, with the
    others of the forward pass: tensors and arrays as copies without a gradient, also in lists, tuples and dicts, anything
    else as it is. So a solver of ``argmax_y <theta, g(y)>``, whose objective sees features g(y) of a structure y, gives
    ``(g(y), y)``. z is what theta is multiplied with, so that gradients are those of features: with ``p(y) ~ exp <theta,
    g(y)>``, ``d log sum_y exp <theta, g(y)> / dtheta = E g(y)``; the I-MLE gradient is the difference of features
    ``g(y) - g(y')``, and that of a Fenchel-Young loss ``E g(y) - g(gold)``.

    With a tuple as theta, z is a tuple, too: an answer of the outline of theta is z alone, and any other has z as its first
    entry, ``((z_nodes, z_edges), *others)``.
    """

    def __call__(self, theta: Tensor, /, *args: Any, **kwargs: Any) -> Any:
        """Solutions for the parameters ``theta``, alone or as the first of ``(z, *others)``."""


class Noise(Protocol):
    """A source of noise: ``sample(shape)`` and, as far as it knows them, ``dtype``, ``device`` and ``generator``.

    Its draws are copied, unless it is :class:`Pure`.
    """

    @property
    def sample(self) -> Callable[..., Tensor]:
        """Draws a tensor of the shape it is given."""


class Target(Protocol):
    """Target parameters ``theta'``, towards which a backward pass moves.

    A target gets tensors of its own, in which it may write, unless it is :class:`Pure`. Its parameters must be finite where
    theta is, unless it is a :class:`GivenTarget`.
    """

    def params(self, theta: Tensor, dy: Tensor, /) -> Tensor:
        """Target parameters for the parameters ``theta`` and the upstream gradient ``dy``, all ``(N, *event)``."""


@runtime_checkable
class Pure(Protocol):
    """A solver, noise or target that changes nothing that it gets and keeps nothing that it gives; nothing is copied for it.

    ``pure = True`` says that what it gives are new tensors. It holds for the class that has it, and for subclasses that
    leave the methods as they are for which it is asked: ``__call__``, ``forward`` and ``perturb_and_map`` of a solver,
    ``sample`` of a noise, and ``params``, ``step_size`` or ``observe`` of a target. See :func:`.declared`.
    """

    pure: bool


@runtime_checkable
class SizedNoise(Protocol):
    """Noise for solutions of a certain size, which it may be told later.

    Attributes:
        wants_size: whether it has still to be told.
    """

    wants_size: bool

    def sized(self, ones: float, /) -> Noise:
        """The same noise for solutions with so many ones."""


@runtime_checkable
class RaggedNoise(Protocol):
    """Noise that draws for instances of several sizes in one call, each with a seed of its own.

    It holds for subclasses that leave ``sample`` as it is.
    """

    def sample_ragged(
        self,
        shape: Sequence[int],
        sizes: NDArray[np.int64],
        keys: NDArray[np.int64],
        /,
        *,
        dtype: torch.dtype,
        device: torch.device | str | None,
    ) -> Tensor:
        """Noise ``(B, S, n, *rest)``, 0 beyond the first ``sizes[b]`` entries of an instance.

        Args:
            shape: shape of the result.
            sizes: numbers of entries of the instances, ``(B,)``.
            keys: seeds, ``(B,)``, whole numbers from 0 to 2^63 - 1: draws of an instance depend on its own seed, on S and
                on its own size.
            dtype: floating type of the result.
            device: device of the result.
        """


@runtime_checkable
class ScoredNoise(Protocol):
    """Noise whose density p has a gradient, for estimators that differentiate it."""

    @property
    def lacks_score(self) -> str | None:
        """A reason why ``score`` cannot be used with these settings; None if it can, as where this attribute is missing."""

    def score(self, x: Tensor) -> Tensor:
        """``d/dx log p(x)`` of a single draw, in x's shape and type."""


@runtime_checkable
class DependentNoise(Protocol):
    """Noise whose samples of one draw depend on one another, within groups along S; standard errors are taken over groups.

    Attributes:
        dependent_samples: size of a group, a whole number >= 1: 2 for pairs; ``math.inf`` for the whole draw.
    """

    dependent_samples: float


@runtime_checkable
class SteppingTarget(Protocol):
    """A target that has a step lambda, by which gradients can be divided."""

    def step_size(self, theta: Tensor, dy: Tensor, /) -> Tensor | float:
        """Lambda for parameters and upstream gradient ``(N, *event)``: a number, or ``(N,)``, one for each row."""


@runtime_checkable
class DividingTarget(SteppingTarget, Protocol):
    """A target that says whether gradients are divided by its step where the layer's ``scale_gradient`` is None."""

    divides: bool


@runtime_checkable
class WeightedTarget(Protocol):
    """A target ``alpha * theta - lambda * dy``; at alpha 0 there is no theta with which lambda could be compared."""

    alpha: float


@runtime_checkable
class ObservingTarget(Protocol):
    """A target that is told what became of its parameters, to choose its next step."""

    def observe(self, difference: Tensor, /) -> None:
        """Called once after each backward pass, with differences of states ``(B, S, *event)``, not averaged, not scaled."""


@runtime_checkable
class CheckingTarget(Protocol):
    """A target that is made for certain instances, and refuses others."""

    def check_instances(self, theta: Tensor, /) -> None:
        """Called before each backward solve with the instances ``(B, *event)``; a ValueError says what is wrong."""


@runtime_checkable
class GivenTarget(Protocol):
    """A target whose parameters are given, not moved: they may be infinite, and have no central difference.

    Attributes:
        follows_gradient: False; True is what a target without the attribute does.
    """

    follows_gradient: bool


@runtime_checkable
class RaggedTarget(Protocol):
    """A target that knows how to take rows of several sizes, padded with infinite parameters that stay as they are.

    It holds for subclasses that leave ``params`` and ``step_size`` as they are.
    """

    def of_instances(self, instances: Any, /) -> Target:
        """The target for :class:`imle_core.ragged.Instances`: of each row what it would be for the row alone."""
