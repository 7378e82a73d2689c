"""Layers under the transforms of ``torch.func``: vmap, grad, vjp, jacrev and those made of them.

Functions of torch that transforms look into, but not below: an axis of vmap is moved to the front of all tensors, and where
none is left to come, all axes together are a larger batch of one call of the solver. What vmap gives is, to the bit, what a
loop over its axis gives. So the batch is larger only where nothing else than rows can matter, and else it is a loop here:

* a solver with further arguments, unless they are plain values, or it declares that each has an entry for each instance;
* a target of a user, which may look at a batch as a whole, and one that knows its instances;
* samplers of exact distributions, in the forward pass;
* instances of several sizes.

Noise follows vmap's ``randomness``: under "different" it is what the loop would draw, one draw after the other; under "same"
all entries of the axis share a draw; under "error" torch refuses whatever draws.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import Any, NamedTuple, Protocol, TypeAlias

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_unflatten

from imle_core import checks
from imle_core.contracts import Outputs, Solved, Target, declared, is_pure
from imle_core.estimators.arguments import Arguments
from imle_core.estimators.derivatives import autocast
from imle_core.estimators.derivatives.axes import Sizes, folded, in_front, stacked, unfolded
from imle_core.estimators.derivatives.mapped_outputs import Beside
from imle_core.estimators.derivatives.tangents import check_tangent_below, no_tangents


class Estimator(Protocol):
    """What transforms need of a layer, which documents it."""

    @property
    def solver(self) -> Any: ...  # noqa: D102
    @property
    def target(self) -> Target: ...  # noqa: D102
    @property
    def generator(self) -> torch.Generator | None: ...  # noqa: D102
    @property
    def draws_noise(self) -> bool: ...  # noqa: D102
    @property
    def samples_exactly(self) -> bool: ...  # noqa: D102
    @property
    def instances(self) -> Any: ...  # noqa: D102
    @property
    def reduction(self) -> Any: ...  # noqa: D102

    def signed(self, theta: Tensor) -> Tensor: ...  # noqa: D102
    def draw(self, theta: Tensor, arguments: Arguments) -> tuple[Tensor | None, Tensor, Outputs | None]: ...  # noqa: D102
    def draw_noise(self, theta: Tensor) -> Tensor | None: ...  # noqa: D102
    def drawn(self, theta: Tensor, eps: Tensor | None, arguments: Arguments) -> Solved: ...  # noqa: D102
    def reduce(self, z: Tensor) -> Tensor: ...  # noqa: D102
    def gradient(  # noqa: D102
        self, theta: Tensor, eps: Tensor | None, z: Tensor, dy: Tensor, arguments: Arguments, finite: bool
    ) -> Tensor: ...


Work: TypeAlias = Callable[[Tensor, Tensor | None, Tensor, Any, Arguments], Tensor]
"""A function of parameters (or costs), noise, samples, upstream gradients and further arguments."""


class Rest(NamedTuple):
    """Further arguments of a solver without their tensors.

    Attributes:
        values: what they consist of, with None for each tensor.
        structure: how ``tree_unflatten`` makes them of it.
        positions: of the tensors among the values.
    """

    values: tuple[Any, ...]
    structure: Any
    positions: tuple[int, ...]

    def arguments(self, tensors: Sequence[Tensor]) -> Arguments:
        """The arguments with these tensors."""
        values = list(self.values)
        for position, tensor in zip(self.positions, tensors, strict=True):
            values[position] = tensor
        args, kwargs = tree_unflatten(values, self.structure)
        return args, kwargs


def taken_apart(arguments: Arguments) -> tuple[list[Tensor], Rest]:
    """Tensors among further arguments, and the rest of these."""
    values, structure = tree_flatten(arguments)
    positions = tuple(position for position, value in enumerate(values) if isinstance(value, Tensor))
    rest = tuple(None if isinstance(value, Tensor) else value for value in values)
    return [values[position] for position in positions], Rest(rest, structure, positions)


def states(layer: Estimator, theta: Tensor, arguments: Arguments, with_outputs: bool) -> tuple[Tensor, Beside]:
    """States for theta ``(B, *event)``, in the layer's reduction, with its gradient; further outputs if they are wanted."""
    beside = Beside(with_outputs)
    eps, z = samples(layer, theta, arguments, beside)
    tensors, rest = taken_apart(arguments)
    output: Tensor = _States.apply(theta, eps, z, layer, rest, (), *tensors)  # type: ignore[no-untyped-call]
    return output, beside


def samples(
    layer: Estimator, theta: Tensor, arguments: Arguments, beside: Beside | None = None
) -> tuple[Tensor | None, Tensor]:
    """Noise and samples ``(B, S, *event)``, without gradients; further outputs of the solver are put into ``beside``."""
    checks.check_form(theta)
    check_tangent_below(theta)
    # A draw of a generator that nobody else has: it tells vmap what is random here, and is mapped where draws differ.
    ticket = torch.rand((), generator=torch.Generator()) if layer.draws_noise else torch.zeros(())
    tensors, rest = taken_apart(arguments)
    beside = Beside(False) if beside is None else beside
    drawn = _Samples.apply(theta.detach(), ticket, layer, rest, (), (), beside, *tensors)  # type: ignore[no-untyped-call]
    z, eps, *beside.leaves = drawn
    return (eps if eps.dim() else None), z


def work_on(
    theta: Tensor, eps: Tensor | None, z: Tensor, dy: Tensor | None, layer: Estimator, work: Work, arguments: Arguments
) -> Tensor:
    """``work(theta, eps, z, dy, arguments)`` for samples and what came of them, which refuses to be differentiated."""
    tensors, rest = taken_apart(arguments)
    result: Tensor = _Work.apply(theta, eps, z, dy, layer, work, rest, (), *tensors)  # type: ignore[no-untyped-call]
    return result


def with_gradient(rows: Tensor, factor: int) -> Tensor:
    """The same rows, whose gradient is multiplied by a factor."""
    kept = rows.detach()
    return kept + (rows - kept) * factor


class _Samples(torch.autograd.Function):
    """Samples and noise, both ``(*axes, B, S, *event)``, or a number where there is none, and tensors of further outputs.

    Along each axis noise is ``different`` or the same. What the solver gives beside solutions is noted in ``beside``.
    """

    @staticmethod
    def forward(
        theta: Tensor,
        ticket: Tensor,  # noqa: ARG004
        layer: Estimator,
        rest: Rest,
        axes: Sizes,
        different: tuple[bool, ...],
        beside: Beside,
        *tensors: Tensor,
    ) -> tuple[Tensor, ...]:
        checks.check_values(theta)
        parameters = layer.signed(theta)
        alone = layer.samples_exactly or layer.instances is not None
        together = None if alone else _together(layer.solver, parameters, rest, axes, tensors)
        if together is None:
            eps, z, answers = _one_by_one(layer, parameters, rest, axes, different, tensors)
            others = beside.of_calls(answers, axes)
        else:
            rows = folded(parameters, axes)
            eps = _noise(layer, rows[: parameters.shape[len(axes)]], axes, different)
            z, answer = layer.drawn(rows, None if eps is None else folded(eps, axes), together)
            again = partial(_answers, layer, parameters, eps, rest, axes, tensors)
            others = beside.of_call(answer, axes, len(z) * z.shape[1], again)
            z = unfolded(z, axes)
        return z, z.new_empty(axes) if eps is None else eps, *others

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: tuple[Tensor, ...]) -> None:  # noqa: ARG004
        ctx.mark_non_differentiable(*output)

    @staticmethod
    def vmap(
        info: Any,
        in_dims: Any,
        theta: Tensor,
        ticket: Tensor,
        layer: Estimator,
        rest: Rest,
        axes: Sizes,
        different: tuple[bool, ...],
        beside: Beside,
        *tensors: Tensor,
    ) -> tuple[tuple[Tensor, ...], int]:
        differ = in_dims[1] is not None
        theta, *moved = in_front((theta, *tensors), (in_dims[0], *in_dims[7:]), info.batch_size)
        ticket = ticket.select(in_dims[1], 0) if differ else ticket
        given = layer, rest, (info.batch_size, *axes), (differ, *different), beside, *moved
        return _Samples.apply(theta, ticket, *given), 0  # type: ignore[no-untyped-call]


class _States(torch.autograd.Function):
    """States in the layer's reduction, ``(*axes, ...)``, for what was sampled, with the layer's gradient."""

    @staticmethod
    def forward(
        theta: Tensor,  # noqa: ARG004
        eps: Tensor | None,  # noqa: ARG004
        z: Tensor,
        layer: Estimator,
        rest: Rest,  # noqa: ARG004
        axes: Sizes,
        *tensors: Tensor,  # noqa: ARG004
    ) -> Tensor:
        return unfolded(layer.reduce(folded(z, axes)), axes).clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:  # noqa: ARG004
        theta, eps, z, ctx.layer, ctx.rest, ctx.axes, *tensors = inputs
        ctx.precision = autocast.precision(theta)
        ctx.save_for_backward(theta, eps, z, *tensors)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        theta, eps, z, *tensors = ctx.saved_tensors
        given = ctx.layer, partial(ctx.layer.gradient, finite=False), ctx.rest, ctx.axes, *tensors
        with autocast.at(ctx.precision):
            gradient = _Work.apply(theta, eps, z, dy, *given)  # type: ignore[no-untyped-call]
        return gradient, *[None] * (5 + len(tensors))

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> Any:  # noqa: ARG004
        raise no_tangents()

    @staticmethod
    def vmap(
        info: Any,
        in_dims: Any,
        theta: Tensor,
        eps: Tensor | None,
        z: Tensor,
        layer: Estimator,
        rest: Rest,
        axes: Sizes,
        *tensors: Tensor,
    ) -> tuple[Tensor, int]:
        moved = in_front((theta, eps, z, *tensors), (*in_dims[:3], *in_dims[6:]), info.batch_size)
        given = layer, rest, (info.batch_size, *axes), *moved[3:]
        return _States.apply(*moved[:3], *given), 0  # type: ignore[no-untyped-call]


class _Work(torch.autograd.Function):
    """What a function makes of samples, ``(*axes, B, ...)``, such as a gradient; it has none itself."""

    @staticmethod
    def forward(
        theta: Tensor,
        eps: Tensor | None,
        z: Tensor,
        dy: Tensor | None,
        layer: Estimator,
        work: Work,
        rest: Rest,
        axes: Sizes,
        *tensors: Tensor,
    ) -> Tensor:
        by_rows = is_pure(layer.target, "params", "step_size", "observe") and layer.instances is None
        by_rows = by_rows and not hasattr(layer.target, "check_instances")
        together = _together(layer.solver, theta, rest, axes, tensors) if by_rows or not axes else None
        if together is not None:
            noise, upstream = (None if tensor is None else folded(tensor, axes) for tensor in (eps, dy))
            return unfolded(work(folded(theta, axes), noise, folded(z, axes), upstream, together), axes)

        def alone(at: tuple[int, ...]) -> Tensor:
            noise, upstream = (None if tensor is None else tensor[at] for tensor in (eps, dy))
            return work(theta[at], noise, z[at], upstream, rest.arguments([tensor[at] for tensor in tensors]))

        return stacked([alone(at) for at in product(*map(range, axes))], axes)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        """Keeps nothing."""

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:  # noqa: ARG004
        raise RuntimeError(
            "gradient: it was asked for its own derivative, and a difference of solutions has none; a layer can be "
            "differentiated once; leave out create_graph=True, or detach the gradient"
        )

    @staticmethod
    def jvp(ctx: Any, *_: Any) -> Any:  # noqa: ARG004
        raise no_tangents()

    @staticmethod
    def vmap(
        info: Any,
        in_dims: Any,
        theta: Tensor,
        eps: Tensor | None,
        z: Tensor,
        dy: Tensor | None,
        layer: Estimator,
        work: Work,
        rest: Rest,
        axes: Sizes,
        *tensors: Tensor,
    ) -> tuple[Tensor, int]:
        moved = in_front((theta, eps, z, dy, *tensors), (*in_dims[:4], *in_dims[8:]), info.batch_size)
        given = layer, work, rest, (info.batch_size, *axes), *moved[4:]
        return _Work.apply(*moved[:4], *given), 0  # type: ignore[no-untyped-call]


def _together(solver: Any, theta: Tensor, rest: Rest, axes: Sizes, tensors: Sequence[Tensor]) -> Arguments | None:
    """Further arguments of one call for all entries of the axes; None where each has to have its own call."""
    front = len(axes)
    if not axes:
        return rest.arguments(tensors)
    if declared(solver, "offsets") is not None:  # its instances are counted
        return None
    if not all(value is None or isinstance(value, (bool, int, float, str)) for value in rest.values):
        return None
    if tensors and not declared(solver, "by_instance"):
        return None
    if any(tensor.dim() <= front or tensor.shape[front] != theta.shape[front] for tensor in tensors):
        return None
    return rest.arguments([folded(tensor, axes) for tensor in tensors])


def _noise(layer: Estimator, like: Tensor, axes: Sizes, different: Sequence[bool]) -> Tensor | None:
    """Noise ``(*axes, B, S, *event)`` for ``(B, *event)`` parameters such as ``like``, as a loop over the axes draws it."""
    if not axes:
        return layer.draw_noise(like)
    draws = [_noise(layer, like, axes[1:], different[1:]) for _ in range(axes[0] if different[0] else 1)]
    made = [draw for draw in draws if draw is not None]
    return torch.stack(made).expand(axes[0], *made[0].shape) if made else None


def _answers(
    layer: Estimator, theta: Tensor, eps: Tensor | None, rest: Rest, axes: Sizes, tensors: Sequence[Tensor]
) -> list[Outputs]:
    """Answers of a call of the solver for each entry of the axes, with noise that was drawn."""
    answers = []
    for at in product(*map(range, axes)):
        arguments = rest.arguments([tensor[at] for tensor in tensors])
        answers.append(layer.drawn(theta[at], None if eps is None else eps[at], arguments)[1])
    return [answer for answer in answers if answer is not None]


def _one_by_one(
    layer: Estimator, theta: Tensor, rest: Rest, axes: Sizes, different: Sequence[bool], tensors: Sequence[Tensor]
) -> tuple[Tensor | None, Tensor, list[Outputs]]:
    """Noise and samples, ``(*axes, B, S, *event)``, of a call for each entry of the axes; further outputs of these."""
    source, drawn = _source(layer, theta), []

    def visit(at: tuple[int, ...]) -> None:
        if len(at) == len(axes):
            drawn.append(layer.draw(theta[at], rest.arguments([tensor[at] for tensor in tensors])))
            return
        state = None if different[len(at)] else source.get_state()
        for number in range(axes[len(at)]):
            if state is not None:
                source.set_state(state)
            visit((*at, number))

    visit(())
    noise, states, answers = zip(*drawn, strict=True)
    made = [eps for eps in noise if eps is not None]
    outputs = [answer for answer in answers if answer is not None]
    return stacked(made, axes) if made else None, stacked(states, axes), outputs


def _source(layer: Estimator, theta: Tensor) -> torch.Generator:
    """The generator of which draws for ``theta`` are made."""
    if layer.generator is not None:
        return layer.generator
    source: torch.Generator = torch.cuda.default_generators[theta.get_device()] if theta.is_cuda else torch.default_generator
    return source
