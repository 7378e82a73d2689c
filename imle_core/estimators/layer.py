"""The layer that every estimator is: one call, samples by perturb-and-MAP forward, a gradient of its own backward.

    forward    z_s = MAP(theta + tau_in * eps_s)
    backward   g = mean_s g_s,   where an estimator says what g_s is for the upstream gradient dy_s of z_s

Gradients are averaged over samples, not added up: where the loss is summed over samples, g estimates the gradient of its
mean, and the upstream gradients are those of single samples, whatever S is.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar, get_args

import torch
from torch import Tensor

from imle_core import checks, contracts, ragged
from imle_core.checks import in_short
from imle_core.contracts import (
    Form,
    Known,
    Noise,
    Outputs,
    Parameters,
    Sense,
    Solved,
    Solver,
    Target,
    declared,
    is_pure,
    takes_costs,
)
from imle_core.estimators.arguments import Arguments, copied, own_copy
from imle_core.estimators.compiling import exported, operators
from imle_core.estimators.derivatives import transforms
from imle_core.estimators.derivatives.autograd import differentiable_states
from imle_core.estimators.derivatives.tangents import check_tangent
from imle_core.estimators.expectation import Expectation
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.replay import Replay
from imle_core.estimators.step_watch import StepWatch
from imle_core.estimators.structures.ragged_calls import RaggedCalls
from imle_core.estimators.structures.structure import packed_layer
from imle_core.estimators.supervision import LossName
from imle_core.estimators.target import TargetDistribution
from imle_core.ragged import Instances
from imle_core.sampling import add_noise

Reduction = Literal["none", "stacked", "mean"]
Result = TypeVar("Result")
SomeLayer = TypeVar("SomeLayer", bound="Layer")


class Backward(NamedTuple):
    """Everything that a backward pass has to go on.

    Attributes:
        theta: parameters to be maximised, repeated for each sample, ``(B, S, *event)``.
        eps: noise of the forward pass, likewise; None without noise.
        z: samples, likewise.
        dy: upstream gradients of the samples, likewise.
        arguments: further arguments of the solver.
    """

    theta: Tensor
    eps: Tensor | None
    z: Tensor
    dy: Tensor
    arguments: Arguments


class Draw(NamedTuple):
    """Everything that a forward pass draws.

    Attributes:
        eps: noise, ``(B, S, *event)``; None without noise.
        z: samples, likewise.
        outputs: the solver's answer ``(z, *others)``; None where it gave solutions alone.
    """

    eps: Tensor | None
    z: Tensor
    outputs: Outputs | None = None

    def alone(self, who: str) -> "Draw":
        """The same draw.

        Raises:
            ArgumentTypeError: the solver has further outputs, which an estimator that samples without it could not give.
        """
        if self.outputs is None:
            return self
        raise checks.ArgumentTypeError(
            "function",
            "a solver with further outputs",
            f"{who} draws exact samples, for which there are none",
            "give solutions alone, or take another estimator",
        )


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class Layer(Expectation, RaggedCalls, ABC):
    """A solver that samples, as a differentiable layer; subclasses say how gradients are estimated.

    The fields are the arguments of :func:`imle_core.imle`, which documents them. An estimator that needs no target, or no
    noise of the backward pass, makes no use of what it is given.

    Attributes:
        usual_loss: the loss of samples that :meth:`loss` takes where none is named.
    """

    usual_loss: ClassVar[LossName] = "hamming"

    solver: Solver
    target: Target = field(default_factory=TargetDistribution)
    noise: Noise | None = None
    nb_samples: int = 1
    input_temperature: float = 1.0
    target_temperature: float = 1.0
    sense: Sense = "max"
    reduction: Reduction = "none"
    generator: torch.Generator | None = field(default=None, repr=False)
    replay: Replay | None = field(init=False, repr=False)
    takes_costs: bool = field(init=False, repr=False)
    number: Tensor = field(init=False, repr=False, compare=False)
    order: Tensor = field(init=False, repr=False, compare=False)
    watch: StepWatch = field(default_factory=StepWatch, kw_only=True, repr=False)
    instances: Instances | None = field(default=None, kw_only=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        checks.check_method("target_distribution", self.target, "params", "use TargetDistribution(alpha, beta)")
        if self.noise is not None:
            checks.check_method("noise_distribution", self.noise, "sample", "use GumbelNoiseDistribution() or None")
        checks.check_samples("nb_samples", self.nb_samples)
        checks.check_temperature("input_noise_temperature", self.input_temperature)
        checks.check_temperature("target_noise_temperature", self.target_temperature)
        checks.check_name("sense", self.sense, get_args(Sense))
        contracts.check_solver(self.solver, self.sense)
        object.__setattr__(self, "takes_costs", takes_costs(self.solver, self.sense))
        checks.check_name("reduction", self.reduction, get_args(Reduction))
        checks.check_generator(self.generator)
        object.__setattr__(self, "replay", None if self.generator is None else Replay(self.generator))
        object.__setattr__(self, "number", operators.numbered(self))
        object.__setattr__(self, "order", operators.order_of(self.generator))

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        object.__setattr__(self, "number", operators.numbered(self))
        object.__setattr__(self, "order", operators.order_of(self.generator))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.settings})"

    @property
    def settings(self) -> str:
        """The solver, the target, the noise, and the settings that differ from the usual ones, in words of the call."""
        changed = [
            f"{_AS_ARGUMENT.get(entry.name, entry.name)}={in_short(value)}"
            for entry in fields(self)[3:]
            if entry.repr and (value := getattr(self, entry.name)) != entry.default
        ]
        noise = [] if self.noise is None else [in_short(self.noise)]
        return ", ".join([in_short(self.solver), in_short(self.target), *noise, *changed])

    @abstractmethod
    def sample_gradients(self, call: Backward) -> Tensor:
        """Gradients ``g_s`` for the upstream gradients of the samples, ``(B, S, *event)``."""

    def __call__(self, theta: Parameters, /, *args: Any, **kwargs: Any) -> Any:
        """States for the parameters (or costs) ``theta``, shape ``(B, *event)``; more arguments reach the solver.

        Where the solver gives ``(z, *others)``, so does the layer: states, and the others of the forward pass, copied.
        Where theta is a structure of several tensors, so are the states.
        """
        if not isinstance(theta, Tensor):
            if torch.compiler.is_compiling() and not exported.is_exporting():
                return operators.states_of_structure(self, theta, args, kwargs)
            return operators.uncompiled(self._called_with_structure, theta, args, kwargs)
        if theta.is_nested:
            return operators.uncompiled(self._nested, theta, *args, **kwargs)
        if torch.compiler.is_compiling():
            if exported.is_exporting():
                return exported.states(self, theta, args, kwargs)
            return operators.states(self, theta, args, kwargs)
        arguments = copied(args, kwargs)
        if torch._C._are_functorch_transforms_active():
            states, beside = transforms.states(self, theta, arguments, True)
            return beside.after(states)
        finite = checks.check_theta(theta)
        with torch.no_grad():
            eps, z, outputs = self.draw(self.signed(theta.detach()), arguments)
        if torch.is_grad_enabled() and theta.requires_grad:
            normal = theta.clone() if theta.is_inference() else theta  # autograd saves none of inference mode
            states = differentiable_states(normal, eps, z, self, arguments, finite)
        else:
            check_tangent(theta)
            states = self.reduce(z).detach()  # no view, which cannot be changed in place later where gradients are wanted
        return states if outputs is None else contracts.with_others(states, outputs)

    def _called_with_structure(self, theta: Parameters, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        form, layer = self.for_structure(theta)
        return form.unpacked_answer(layer(form.packed(theta), *args, **kwargs))

    def for_structure(self: SomeLayer, theta: Any) -> tuple[Form, SomeLayer]:
        """The form of a structure of several tensors, and this layer for what it packs.

        Raises:
            ArgumentError: a structure that cannot be packed.
            ArgumentTypeError: likewise; or an estimator that needs a solver of a single tensor.
        """
        form = Form.of(theta)
        return form, self.for_form(form)

    def for_form(self: SomeLayer, form: Form) -> SomeLayer:
        """This layer for packed parameters ``(B, total)`` of that form."""
        return packed_layer(self, form)

    def check_packed(self, solver: Any) -> None:
        """Refuses a solver of several tensors, packed, where an estimator cannot do with one, as most can."""

    def sampled(self, theta: Tensor, arguments: Arguments) -> Draw:
        """Noise and samples, both ``(B, S, *event)`` and without gradients, for parameters (or costs) ``(B, *event)``."""
        if torch.compiler.is_compiling():
            if torch._C._are_functorch_transforms_active():
                drawn: Draw = operators.outside_of_compiled_code(self.sampled, theta, arguments)
                return drawn
            draw = operators.drawn(self, theta, *arguments, alone=True)
            return Draw(draw.eps, draw.z)
        if torch._C._are_functorch_transforms_active():
            return Draw(*transforms.samples(self, theta, arguments))
        checks.check_theta(theta)
        check_tangent(theta)
        with torch.no_grad():
            return self.draw(self.signed(theta.detach()), arguments)

    def draw(self, theta: Tensor, arguments: Arguments) -> Draw:
        """Noise and samples, both ``(B, S, *event)``, for parameters to be maximised ``(B, *event)``."""
        eps = self.draw_noise(theta)
        return Draw(eps, *self.drawn(theta, eps, arguments))

    def drawn(self, theta: Tensor, eps: Tensor | None, arguments: Arguments) -> Solved:
        """Samples ``(B, S, *event)`` for parameters to be maximised ``(B, *event)`` and their noise; further outputs."""
        return self.answers(theta.unsqueeze(1), eps, self.input_temperature, arguments)

    @property
    def form(self) -> tuple[int, str, bool]:
        """Samples, the reduction, and whether there is noise at any temperature."""
        return self.nb_samples, self.reduction, self.noise is not None

    def in_pass(self, call: Callable[["Layer"], Result]) -> Result:
        """``call(layer)`` with the layer of the present pass, which is this one."""
        return call(self)

    def parameters(self, theta: Tensor) -> Tensor:
        """Parameters (or costs) ``(B, *event)`` as those to be maximised, as they are solved without noise."""
        return self.signed(theta)

    @property
    def draws_noise(self) -> bool:
        """True where a forward pass draws random numbers."""
        return self.noise is not None and not self.input_temperature == self.target_temperature == 0

    @property
    def samples_exactly(self) -> bool:
        """True where :meth:`draw` does something else than to draw noise and then to solve."""
        return False

    def draw_noise(self, theta: Tensor) -> Tensor | None:
        """Noise ``(B, S, *event)``, or None where no temperature asks for any."""
        if self.noise is None or self.input_temperature == self.target_temperature == 0:
            return None
        wanted = self.noise, theta, self.nb_samples, self.generator, self.solver
        with self.drawing(theta):
            if self.instances is None:
                return contracts.draw_noise(*wanted)
            return ragged.draw_noise(self.instances, *wanted)

    def drawing(self, theta: Tensor) -> Any:
        """Context in which a recomputation of this forward pass draws what the first pass drew."""
        return nullcontext() if self.replay is None else self.replay.drawing(theta)

    def states(
        self, theta: Tensor, eps: Tensor | None, temperature: float, arguments: Arguments, known: Known | None = None
    ) -> Tensor:
        """``MAP(theta + tau * eps)`` for theta ``(B, 1 or S, *event)``: states ``(B, S, *event)``."""
        return self.answers(theta, eps, temperature, arguments, known)[0]

    def answers(
        self, theta: Tensor, eps: Tensor | None, temperature: float, arguments: Arguments, known: Known | None = None
    ) -> Solved:
        """The same states, with further outputs of the solver."""
        if self.instances is None:
            contracts.check_instances(self.solver, len(theta))
        pure = is_pure(self.solver)
        solve = self.solver if self.instances is None else ragged.solvers.for_padded_rows(self.solver, self.instances)
        at_once = None if isinstance(solve, partial) else declared(solve, "perturb_and_map")
        narrow = theta.dtype == torch.float16  # sums in float16 may overflow and are checked
        if at_once is not None and not self.takes_costs and not any(arguments) and not narrow:
            rows = theta if eps is not None else self.perturbed(theta, None, 0.0)
            given = (rows, eps, temperature, known)
            answer = at_once(*given) if pure else at_once(*map(own_copy, given))
            return contracts.solutions(answer, rows.shape if eps is None else eps.shape, theta, pure)

        def solver(rows: Tensor) -> Any:
            args, kwargs = arguments if pure else copied(*arguments)
            return solve(-rows if self.takes_costs else rows, *args, **kwargs)

        added = eps is not None and temperature != 0  # then the sum is a new tensor
        return contracts.solved_rows(solver, self.perturbed(theta, eps, temperature), pure=pure, fresh=added)

    def perturbed(self, theta: Tensor, eps: Tensor | None, temperature: float) -> Tensor:
        """``theta + tau * eps``, shape ``(B, S, *event)``."""
        return add_noise(theta, eps, temperature, self.nb_samples)

    def signed(self, theta: Tensor) -> Tensor:
        """Costs as parameters to be maximised, and the other way round."""
        return -theta if self.sense == "min" else theta

    def reduce(self, z: Tensor) -> Tensor:
        """Samples ``(B, S, *event)`` in the wanted reduction, perhaps in the same memory."""
        if self.reduction == "mean":
            return self.over_samples(z)
        return z if self.reduction == "stacked" else z.flatten(0, 1)

    def gradient(
        self, theta: Tensor, eps: Tensor | None, z: Tensor, dy: Tensor, arguments: Arguments, finite: bool
    ) -> Tensor:
        """The gradient ``(B, *event)`` for the upstream gradient ``dy`` of the reduced samples; 0 for infinite entries.

        There are none of these in theta if it is ``finite``.
        """
        checks.check_upstream(dy)
        parameters = self.signed(theta.detach()).unsqueeze(1).expand_as(z)
        dy = dy.unsqueeze(1).expand_as(z) if self.reduction == "mean" else dy.reshape_as(z)
        gradients = self.sample_gradients(Backward(parameters, eps, z, dy, arguments))
        mean = self.over_samples(gradients)
        return self.signed(mean if finite else mean.masked_fill_(theta.isinf(), 0.0))

    def over_samples(self, values: Tensor) -> Tensor:
        """Means over samples, ``(B, *event)``, for values ``(B, S, *event)``."""
        return values.mean(dim=1) if self.instances is None else ragged.sample_means(values)

    def over_entries(self, values: Tensor) -> Tensor:
        """Sums over the entries of each sample, ``(B, S)``, for values ``(B, S, *event)``."""
        if self.instances is None:
            return values.flatten(2).sum(dim=2)
        return ragged.entry_sums(values.flatten(0, 1)).view(values.shape[:2])

    def inner_products(self, values: Tensor, others: Tensor) -> Tensor:
        """``<values_s, others_s>`` of each sample, ``(B, S)``, for two of ``(B, S, *event)``."""
        if self.instances is None:
            return (values * others).flatten(2).sum(dim=2)
        products = ragged.entry_products(values.flatten(0, 1), others.flatten(0, 1))
        return products.to(values.dtype).view(values.shape[:2])

    def noise_free(self: SomeLayer) -> SomeLayer:
        """The same layer with one sample, and no noise added."""
        return replace(self, nb_samples=1, input_temperature=0.0, target_temperature=0.0)


_AS_ARGUMENT = {"input_temperature": "input_noise_temperature", "target_temperature": "target_noise_temperature"}
