"""Calls of a layer with instances of several sizes."""

import math
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from imle_core import contracts, ragged
from imle_core.contracts import Sense, Target
from imle_core.estimators.compiling import exported, operators
from imle_core.estimators.structures.ragged_structures import RaggedForm, is_structure, ragged_packed_layer
from imle_core.ragged import Instances

if TYPE_CHECKING:
    from collections.abc import Callable

Sized = TypeVar("Sized", bound="RaggedCalls")


class RaggedCalls:
    """What every layer does with instances of several sizes: it is called for what is padded, in their name."""

    if TYPE_CHECKING:
        solver: Any
        target: Target
        nb_samples: int
        takes_costs: bool
        check_packed: Callable[[Any], None]
        sense: Sense
        reduction: Any
        __call__: Callable[..., Any]
        estimate: Any

    def ragged(self, values: Tensor, offsets: Any, /, *args: Any, **kwargs: Any) -> Any:
        """States of instances of several sizes, ``(S, T, *rest)``, or ``(T, *rest)`` under the reduction "mean".

        The entries of the B instances lie one after the other, as the nodes of a batch of graphs do. Noise, lambda, norms
        and steps are those of each instance. An instance has the same states and gradient, to the bit, in any batch: one
        after the other, with the same generator, instances draw what they draw together.

        The solver gets rows that are padded with -inf at the end (under ``sense="min"`` with inf), ``(B*S, n, *rest)`` for a
        largest size n; the padding of an instance without entries is -1 (1), for solvers that must choose something. One
        with ``takes_padding = False`` gets rows of one size at a time, one with ``solve_ragged`` their sizes; see
        :class:`imle_core.contracts.PaddedSolver`. What it gives for padding is left out. Further arguments reach the solver
        as they are, such as a k for each instance; where rows of one size are solved at a time, of tensors, arrays and lists
        it gets the entries of their instances.

        Args:
            values: parameters (or costs) of all instances, ``(T, *rest)``; or a tuple, list or dict of such, as of nodes and
                of edges, of one type. Then the solver gets such a structure, each tensor padded by itself, and so are the
                states.
            offsets: where in ``values`` instances begin, and where the last one ends, ``(B + 1,)``, of any integer type; or
                a list. Of a structure of values a structure of offsets, all for as many instances.
            *args: reach the solver.
            **kwargs: reach the solver.

        Raises:
            ArgumentError: offsets that do not begin at 0, fall, do not end at T, or are on another device; or as in a call.
            ArgumentTypeError: values or offsets of a wrong type.
        """
        if torch.compiler.is_compiling():
            return self._compiled(values, offsets, args, kwargs)
        if is_structure(values):
            return self._ragged_structure(values, offsets, args, kwargs)
        instances = ragged.instances_of(values, offsets)
        given = self._of(instances)(self._padded(values, instances), *args, **kwargs)
        states, outputs = contracts.solutions_in(given)
        states = self._unpadded(states, instances)
        return states if outputs is None else contracts.with_others(states, outputs)

    def _ragged_structure(self, values: Any, offsets: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        form = RaggedForm(values, offsets)
        answer = ragged_packed_layer(self, form).ragged(form.packed(values), form.instances.starts, *args, **kwargs)
        states, outputs = contracts.solutions_in(answer)
        structure = form.unpacked(states)
        return structure if outputs is None else contracts.with_first(structure, outputs)

    def _compiled(self, values: Any, offsets: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not (isinstance(values, Tensor) and self.has_usual_ragged) or exported.is_exporting():
            return operators.outside_of_compiled_code(self.ragged, values, offsets, *args, **kwargs)
        layer: Any = self  # a whole layer, which this file cannot name
        return operators.states(layer, values, args, kwargs, offsets=torch.as_tensor(offsets))

    @property
    def has_usual_ragged(self) -> bool:
        """True where :meth:`ragged` is that of every layer, and allowed."""
        return type(self).ragged is RaggedCalls.ragged and type(self)._of is RaggedCalls._of

    def for_instances(self, values: Tensor, instances: Instances) -> tuple[Any, Tensor]:
        """The same layer for padded parameters, and the parameters ``(B, n, *rest)`` of values ``(T, *rest)``."""
        return self._of(instances), self._padded(values, instances)

    def _nested(self, theta: Tensor, /, *args: Any, **kwargs: Any) -> Any:
        """States for a jagged nested tensor ``(B, j, *rest)``, in another."""
        values, offsets = ragged.nested.values_and_offsets(theta)
        instances = ragged.instances_of(values, offsets)
        states, outputs = contracts.solutions_in(self.ragged(values, offsets, *args, **kwargs))
        states = ragged.nested.as_nested(states, instances, offsets, self.reduction)
        return states if outputs is None else contracts.with_others(states, outputs)

    def estimate_ragged(
        self, values: Tensor, offsets: Any, loss: Any, /, *args: Any, return_states: bool = False, **kwargs: Any
    ) -> Any:
        """``mean_s loss(z_s)`` for each instance of several sizes, ``(B,)``; see :meth:`ragged` and :meth:`estimate`.

        Args:
            values: as for :meth:`ragged`; where they are a structure, so are the states that the loss gets.
            offsets: as there.
            loss: from states ``(S, T, *rest)`` to a number for each sample of each instance, ``(S, B)``; under the reduction
                "mean" S is 1 for estimators that have gradients of means.
            *args: reach the solver.
            return_states: give ``(losses, states)``, states as :meth:`ragged` does.
            **kwargs: reach the solver.

        Raises:
            ArgumentError: a loss of another shape, or NaN; or as for :meth:`ragged`.
        """
        if torch.compiler.is_compiling():
            kwargs["return_states"] = return_states
            return operators.outside_of_compiled_code(self.estimate_ragged, values, offsets, loss, *args, **kwargs)
        if is_structure(values):
            form = RaggedForm(values, offsets)
            packed, twin = form.packed(values), ragged_packed_layer(self, form)
            given = packed, form.instances.starts, lambda states: loss(form.unpacked(states))
            result = twin.estimate_ragged(*given, *args, return_states=return_states, **kwargs)
            return (result[0], form.unpacked(result[1])) if return_states else result
        instances = ragged.instances_of(values, offsets)

        def of_rows(rows: Tensor) -> Tensor:
            samples = len(rows) // len(instances) if len(instances) else self.nb_samples
            states = instances.unpadded_samples(rows.unflatten(0, (len(instances), samples)))
            return contracts.losses_of(loss, states, (samples, len(instances))).T.flatten()

        layer, padded = self._of(instances), self._padded(values, instances)
        if not return_states:
            return layer.estimate(padded, of_rows, *args, **kwargs)
        losses, states = layer.estimate(padded, of_rows, *args, return_states=True, **kwargs)
        return losses, self._unpadded(states, instances)

    def _of(self: Sized, instances: Instances) -> Sized:
        """The same layer for padded parameters; it shares the generator's record, and what watches over steps."""
        layer = object.__new__(type(self))  # not a copy, which would be a layer of its own to torch.compile
        layer.__dict__.update(self.__dict__)
        settings = {"instances": instances, "target": ragged.targets.for_padded_rows(self.target, instances)}
        reduction = "mean" if self.reduction == "mean" else "stacked"
        for name, value in {**settings, "reduction": reduction}.items():
            object.__setattr__(layer, name, value)
        return layer

    def _padded(self, values: Tensor, instances: Instances) -> Tensor:
        never = torch.inf if self.sense == "min" else -torch.inf
        return instances.padded(values, never, math.copysign(1.0, never))

    def _unpadded(self, padded: Tensor, instances: Instances) -> Tensor:
        """States without padding; a tensor that is no view where it has no gradient, as in a call."""
        states = (instances.unpadded if self.reduction == "mean" else instances.unpadded_samples)(padded)
        return states if states.requires_grad or torch._C._are_functorch_transforms_active() else states.detach()
