"""Operators of torch that layers are under ``torch.compile``, which can look neither into solvers nor into noise.

    imle::sample    noise and samples, drawn by the layer that a giver has for the pass
    imle::states    these samples in the layer's reduction, differentiable
    imle::made      what a layer makes of them in a backward pass

Operators take tensors, numbers and text. So a giver, which is a layer or a module around one, is known by a number in a
tensor, which is no part of what is compiled, and further arguments of a solver by a text in which tensors are numbered, with
the form of a structure and the offsets of instances.
Samples come with the number of the layer that drew them, which the backward pass needs again. ``sample`` says that it
changes a tensor, that of its generator: so the compiler merges no draws, leaves none out, and keeps their order. Further
outputs it writes to tensors that it is given, since what changes tensors cannot give a list of them.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

import torch
from torch import Tensor

from imle_core import ragged
from imle_core.checks import ArgumentError
from imle_core.estimators.compiling import compiled_structures as structures
from imle_core.estimators.compiling.suited import Suited, write_as_promised
from imle_core.estimators.compiling.written_calls import Call, as_text, can_be_written, is_ragged, read

Result = TypeVar("Result")


class Giver(Protocol):
    """A layer, or a module around one.

    Attributes:
        number: a tensor with a number that nothing else has.
        order: what draws of its generator change.
        solver: its solver.
    """

    @property
    def number(self) -> Tensor: ...  # noqa: D102
    @property
    def order(self) -> Tensor: ...  # noqa: D102
    @property
    def solver(self) -> Any: ...  # noqa: D102
    @property
    def form(self) -> tuple[int, str, bool]:
        """Samples of the next pass, the reduction, and whether there is noise at any temperature."""

    def in_pass(self, call: Callable[[Any], Result]) -> Result:
        """``call(layer)`` with the layer of the next pass."""


_EXCLUDED = torch._C._dispatch_tls_local_exclude_set()
"""Keys that torch does not dispatch by, outside of operators."""

_numbers = itertools.count()
_givers: WeakValueDictionary[int, Any] = WeakValueDictionary()
_orders: WeakKeyDictionary[torch.Generator, Tensor] = WeakKeyDictionary()
_order = torch.zeros((), dtype=torch.int64)


def numbered(giver: Any) -> Tensor:
    """A tensor with a number by which operators know the giver as long as it lives."""
    number = next(_numbers)
    _givers[number] = giver
    return torch.tensor(number)


def order_of(generator: torch.Generator | None) -> Tensor:
    """The tensor that draws of a generator change."""
    return _order if generator is None else _orders.setdefault(generator, torch.zeros((), dtype=torch.int64))


def states(
    giver: Giver,
    theta: Tensor,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    alone: bool = False,
    offsets: Tensor | None = None,
) -> Any:
    """States for theta ``(B, *event)``, in the layer's reduction, with its gradient, and further outputs.

    Args:
        giver: gives them.
        theta: parameters; those of instances of several sizes, ``(T, *rest)``, with ``offsets``.
        args: further arguments of the solver.
        kwargs: likewise.
        alone: whether further outputs of the solver do not count.
        offsets: see above.
    """
    if torch._C._are_functorch_transforms_active() or not can_be_written((args, kwargs)):
        called: Any = giver
        if offsets is None:
            return outside_of_compiled_code(called, theta, *args, **kwargs)
        return outside_of_compiled_code(called.ragged, theta, offsets, *args, **kwargs)
    return _states_of(giver, theta, Call(args, kwargs, None, offsets), None if alone else theta)


def states_of_structure(giver: Giver, theta: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """States for a structure of tensors ``(B, *event)``, as :func:`states` gives them for one."""
    values: list[Any] = []
    containers = structures.numbered(theta, values)
    if (
        containers is None
        or not structures.are_alike(values)
        or torch._C._are_functorch_transforms_active()
        or not can_be_written((args, kwargs))
    ):
        called: Any = giver
        return outside_of_compiled_code(called, theta, *args, **kwargs)
    events = tuple([tuple([int(size) for size in value.shape[1:]]) for value in values])
    packed = torch.cat([value.reshape(value.shape[0], -1) for value in values], dim=1)
    answer = _states_of(giver, packed, Call(args, kwargs, (containers, events), None), theta)
    z, others = (answer[0], answer[1:]) if isinstance(answer, tuple) else (answer, ())
    structure = structures.filled(containers, structures.parts(z, events))
    return (structure, *others) if others else structure


def _states_of(giver: Giver, theta: Tensor, call: Call, rows_like: Any) -> Any:
    """States, and further outputs of a solver that says what they look like for rows like those of ``rows_like``."""
    others = [] if rows_like is None else _outputs_like(giver, rows_like, call)
    draw = _drawn(giver, theta, call, others, alone=rows_like is None)
    output: Tensor = torch.ops.imle.states(
        theta, draw.noise, draw.z, draw.ticket, draw.tensors, draw.text, draw.cast, giver.form[1]
    )
    return (output, *draw.others) if draw.others else output


def _outputs_like(giver: Giver, theta: Any, call: Call) -> list[Tensor]:
    """Tensors for further outputs to be written to, if the solver says what these look like."""
    outputs_like = getattr(giver.solver, "outputs_like", None)
    if outputs_like is None or call.offsets is not None:
        return []
    samples = giver.form[0]
    rows = structures.mapped(theta, lambda value: value.new_empty((value.shape[0] * samples, *value.shape[1:])))
    likes = outputs_like(rows, *call.args, **call.kwargs)
    return [torch.empty_like(like, memory_format=torch.contiguous_format) for like in likes]


class Draw(NamedTuple):
    """A draw of a layer for compiled code.

    Attributes:
        ticket: number of the layer.
        noise: of size 0 without any.
        z: samples.
        tensors: among further arguments of the solver.
        text: what the layer was called with.
        cast: type of autocast; "" where it is off.
        others: further outputs of the solver.
    """

    ticket: Tensor
    noise: Tensor
    z: Tensor
    tensors: list[Tensor]
    text: str
    cast: str
    others: list[Tensor]

    @property
    def eps(self) -> Tensor | None:
        """Noise."""
        return self.noise if self.noise.dim() > 1 else None

    def score(self, theta: Tensor) -> Tensor:
        """The layer's score for these samples."""
        given = self.noise, self.z, self.z, self.ticket, self.tensors, self.text, self.cast
        result: Tensor = torch.ops.imle.made(theta, *given, "score")
        return result


def drawn(giver: Giver, theta: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any], *, alone: bool = False) -> Draw:
    """Noise and samples, without gradients; ``alone`` where further outputs of the solver do not count, else refused."""
    return _drawn(giver, theta, Call(args, kwargs, None, None), [], alone)


def _drawn(giver: Giver, theta: Tensor, call: Call, others: list[Tensor], alone: bool) -> Draw:
    tensors: list[Tensor] = []
    text = as_text((call.args, call.kwargs, call.form, call.offsets), tensors)
    samples, _, noisy = giver.form
    kind = theta.device.type
    cast = str(torch.get_autocast_dtype(kind)).rpartition(".")[2] if torch.is_autocast_enabled(kind) else ""
    given = theta.detach(), giver.order, giver.number, tensors, text, cast, samples, noisy, alone
    # No context without gradients, which an error in it would leave on: nothing here wants any.
    ticket, eps, z = torch.ops.imle.sample(*given, torch.is_grad_enabled(), others)
    return Draw(ticket, eps, z, tensors, text, cast, others)


@torch._disable_dynamo  # type: ignore[attr-defined]
def outside_of_compiled_code(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """``function(*args, **kwargs)``, at which the graph breaks: for arguments, and transforms, that no operator takes."""
    return function(*args, **kwargs)


def uncompiled(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """``function(*args, **kwargs)``; where code is compiled, the graph breaks at it."""
    compiling = torch.compiler.is_compiling()  # asked first, since what breaks a graph imports the compiler
    return outside_of_compiled_code(function, *args, **kwargs) if compiling else function(*args, **kwargs)


@contextmanager
def _as_outside(theta: Tensor, cast: str) -> Iterator[None]:
    """Context in which torch works as outside of operators: solvers may differentiate, and autocast is as it was."""
    with (
        torch._C._ForceDispatchKeyGuard(torch._C._dispatch_tls_local_include_set(), _EXCLUDED),
        torch.autocast(theta.device.type, getattr(torch, cast) if cast else None, bool(cast)),
    ):
        yield


def _known(number: Tensor) -> Any:
    giver = _givers.get(int(number))
    if giver is None:
        raise ArgumentError(
            "layer", "none", "compiled code calls one that is gone", "keep the layer as long as the compiled function"
        )
    return giver


@torch.library.custom_op("imle::sample", mutates_args=("order", "others"))
def _sample(
    theta: Tensor,
    order: Tensor,
    giver: Tensor,
    tensors: list[Tensor],
    call: str,
    cast: str,
    samples: int,
    noisy: bool,
    alone: bool,
    graded: bool,
    others: list[Tensor],
) -> tuple[Tensor, Tensor, Tensor]:
    order.add_(1)
    given = Call(*read(call, [tensor.clone() for tensor in tensors]))

    def draw(layer: Any) -> tuple[Any, Tensor | None, Tensor, Any]:
        with torch.no_grad():
            suited = Suited.to(layer, theta, given.form, given.offsets)
            eps, z, outputs = suited.layer.sampled(suited.theta, (given.args, given.kwargs))
            return layer, None if eps is None else suited.given_out(eps), suited.given_out(z), outputs

    with _as_outside(theta, cast), torch.set_grad_enabled(graded):
        layer, eps, z, outputs = _known(giver).in_pass(draw)
    count = z.shape[1] if given.offsets is None else len(z)
    if count != samples:
        raise ArgumentError(
            "nb_samples", str(count), f"compiled code counts on {samples}", "compile without a schedule of nb_samples"
        )
    if eps is None:
        eps = torch.zeros_like(z) if noisy else z.new_empty(0)
    if not alone:
        write_as_promised(outputs, others)
    return layer.number.clone(), eps.contiguous(), z.contiguous()


@_sample.register_fake
def _(
    theta: Tensor,
    order: Tensor,  # noqa: ARG001
    giver: Tensor,  # noqa: ARG001
    tensors: list[Tensor],  # noqa: ARG001
    call: str,
    cast: str,  # noqa: ARG001
    samples: int,
    noisy: bool,
    alone: bool,  # noqa: ARG001
    graded: bool,  # noqa: ARG001
    others: list[Tensor],  # noqa: ARG001
) -> tuple[Tensor, Tensor, Tensor]:
    shape = (samples, *theta.shape) if is_ragged(call) else (theta.shape[0], samples, *theta.shape[1:])
    z = theta.new_empty(shape)
    eps = torch.empty_like(z) if noisy else theta.new_empty(0)
    return torch.empty((), dtype=torch.int64), eps, z


@torch.library.custom_op("imle::states", mutates_args=())
def _states(
    theta: Tensor,  # noqa: ARG001
    eps: Tensor,  # noqa: ARG001
    z: Tensor,
    ticket: Tensor,  # noqa: ARG001
    tensors: list[Tensor],  # noqa: ARG001
    call: str,
    cast: str,  # noqa: ARG001
    reduction: str,
) -> Tensor:
    if is_ragged(call):
        return ragged.sample_means(z.unsqueeze(0))[0] if reduction == "mean" else z.clone()
    return z.mean(dim=1) if reduction == "mean" else (z if reduction == "stacked" else z.flatten(0, 1)).clone()


@_states.register_fake
def _(
    theta: Tensor,
    eps: Tensor,  # noqa: ARG001
    z: Tensor,
    ticket: Tensor,  # noqa: ARG001
    tensors: list[Tensor],  # noqa: ARG001
    call: str,
    cast: str,  # noqa: ARG001
    reduction: str,
) -> Tensor:
    if reduction == "mean":
        return torch.empty_like(theta, memory_format=torch.contiguous_format)
    return torch.empty_like(z if reduction == "stacked" or is_ragged(call) else z.flatten(0, 1))


def _save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001
    theta, eps, z, ticket, tensors, ctx.call, ctx.cast, _ = inputs
    ctx.save_for_backward(theta, eps, z, ticket, *tensors)


def _backward(ctx: Any, dy: Tensor) -> tuple[Any, ...]:
    theta, eps, z, ticket, *tensors = ctx.saved_tensors
    gradient = torch.ops.imle.made(theta, eps, z, dy, ticket, tensors, ctx.call, ctx.cast, "gradient")
    return gradient, None, None, None, [None] * len(tensors), None, None, None


_states.register_autograd(_backward, setup_context=_save)


@torch.library.custom_op("imle::made", mutates_args=())
def _made(
    theta: Tensor,
    eps: Tensor,
    z: Tensor,
    dy: Tensor,
    ticket: Tensor,
    tensors: list[Tensor],
    call: str,
    cast: str,
    work: str,
) -> Tensor:
    given = Call(*read(call, tensors))
    with _as_outside(theta, cast), torch.no_grad():
        suited = Suited.to(_known(ticket), theta, given.form, given.offsets)
        noise = suited.taken_in(eps) if eps.dim() > 1 else None
        seen = suited.theta, noise, suited.taken_in(z), suited.taken_in(dy), (given.args, given.kwargs)
        if work == "score":
            result: Tensor = suited.layer.score(*seen)
        else:
            result = suited.gradient_given_out(suited.layer.gradient(*seen, finite=False))
    return result.clone()


@_made.register_fake
def _(
    theta: Tensor,
    eps: Tensor,  # noqa: ARG001
    z: Tensor,
    dy: Tensor,  # noqa: ARG001
    ticket: Tensor,  # noqa: ARG001
    tensors: list[Tensor],  # noqa: ARG001
    call: str,  # noqa: ARG001
    cast: str,  # noqa: ARG001
    work: str,
) -> Tensor:
    return torch.empty_like(theta if work == "gradient" else z, memory_format=torch.contiguous_format)
