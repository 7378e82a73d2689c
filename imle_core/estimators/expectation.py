"""Expected losses of a layer's samples, and losses of whatever supervises it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

import torch
from torch import Tensor

from imle_core import checks, contracts
from imle_core.contracts import Form, Parameters
from imle_core.estimators.arguments import Arguments, copied
from imle_core.estimators.compiling import operators
from imle_core.estimators.derivatives import transforms
from imle_core.estimators.supervision import LossName, Supervision, losses_of_samples

Loss: TypeAlias = Callable[[Any], Tensor]


class Expectation:
    """What every layer says of losses."""

    if TYPE_CHECKING:
        nb_samples: int
        reduction: Any
        __call__: Callable[..., Any]
        for_structure: Callable[[Any], tuple[Form, Any]]
        noise_free: Callable[[], Any]

    @overload
    def estimate(
        self, theta: Parameters, loss: Loss, /, *args: Any, return_states: Literal[False] = False, **kwargs: Any
    ) -> Tensor: ...
    @overload
    def estimate(
        self, theta: Parameters, loss: Loss, /, *args: Any, return_states: Literal[True], **kwargs: Any
    ) -> tuple[Tensor, Any]: ...
    @overload
    def estimate(
        self, theta: Parameters, loss: Loss, /, *args: Any, return_states: bool, **kwargs: Any
    ) -> Tensor | tuple[Tensor, Any]: ...
    def estimate(
        self, theta: Parameters, loss: Loss, /, *args: Any, return_states: bool = False, **kwargs: Any
    ) -> Tensor | tuple[Tensor, Any]:
        """``mean_s loss(z_s)`` for each instance, ``(B,)``, with this estimator's gradient of its expectation.

        Every estimator has this method, also one that is no backward pass of a layer. Add the result up over instances
        before ``backward()``: their mean would divide a target's step lambda.

        Args:
            theta: parameters (or costs), ``(B, *event)``.
            loss: from states ``(N, *event)`` to one number for each, ``(N,)``; under the reduction "mean" it gets their
                means.
            *args: reach the solver.
            return_states: gives ``(losses, states)``, the states in the layer's reduction and without a gradient, in
                memory of their own.
            **kwargs: reach the solver.

        Raises:
            ArgumentError: a loss of another shape, or NaN; or as in a call of the layer.
        """
        if not isinstance(theta, Tensor):
            given = theta, loss, args, kwargs, return_states
            result: Tensor | tuple[Tensor, Any] = operators.uncompiled(self.estimate_of_structure, *given)
            return result
        return self.expected(theta, loss, args, kwargs, return_states)

    def expected(
        self, theta: Tensor, loss: Loss, args: tuple[Any, ...], kwargs: dict[str, Any], return_states: bool
    ) -> Tensor | tuple[Tensor, Any]:
        """:meth:`estimate` for a tensor of parameters."""
        layer: Any = self  # a whole layer, which this file cannot name
        samples = 1 if self.reduction == "mean" else self.nb_samples
        # The layer averages gradients of single samples; a mean would divide them once more.
        if torch.compiler.is_compiling():
            z, _ = contracts.solutions_in(operators.states(layer, theta, args, kwargs, alone=True))
        elif torch._C._are_functorch_transforms_active():
            z, _ = transforms.states(layer, theta, copied(args, kwargs), False)
        else:
            z, _ = contracts.solutions_in(self(theta, *args, **kwargs))
        states = z.detach().clone() if return_states else None  # a loss may write in z
        if checks.are_hidden():
            z = transforms.with_gradient(z, samples)
        elif z.requires_grad:  # before a view is taken, whose hook would be lost where a loss writes in it
            z.register_hook(lambda dy: dy * samples)
        rows = z.flatten(0, 1) if self.reduction == "stacked" else z
        losses = contracts.losses_of(loss, rows).view(len(theta), samples).mean(dim=1)
        return losses if states is None else (losses, states)

    def estimate_of_structure(
        self, theta: Parameters, loss: Loss, args: tuple[Any, ...], kwargs: dict[str, Any], return_states: bool
    ) -> Tensor | tuple[Tensor, Any]:
        """:meth:`estimate` where theta is a structure, and so are the states that the loss gets and that are given."""
        form, layer = self.for_structure(theta)

        def of_packed(rows: Tensor) -> Tensor:
            return loss(form.unpacked(rows))

        result = layer.estimate(form.packed(theta), of_packed, *args, return_states=return_states, **kwargs)
        return (result[0], form.unpacked(result[1])) if isinstance(result, tuple) else result

    def loss(
        self,
        theta: Parameters,
        /,
        *args: Any,
        truth: Any = None,
        gold: Any = None,
        loss: LossName | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """The loss of each instance, ``(B,)``, by whatever supervises this estimator: one call for all of them.

        Estimators that have no loss of their own take the mean of a loss of samples by name. Add the result up before
        ``backward()``.

        Args:
            theta: parameters (or costs), ``(B, *event)``.
            *args: reach the solver.
            truth: true parameters (or costs), ``(*event)`` or ``(B, *event)``.
            gold: gold solutions y, likewise. The best ones for the truth, solved here, where only that is given and needed.
            loss: of a sample z: "hamming"; "squared", ``|z - y|^2``; or "regret", ``<truth, y - z>`` of gains, and
                ``<truth, z - y>`` of costs. By default "hamming", or "squared" where the loss gradient is handed on.
            **kwargs: reach the solver.

        Raises:
            ArgumentError: what this estimator, or the named loss, learns from is missing; a loss that is named where the
                estimator has its own; or as :meth:`estimate`.
        """
        supervision = Supervision(truth, gold, loss)
        if isinstance(theta, Tensor):
            return self.supervised(theta, supervision, (args, kwargs))
        losses: Tensor = operators.uncompiled(self.loss_of_structure, theta, supervision, (args, kwargs))
        return losses

    def loss_of_structure(self, theta: Parameters, supervision: Supervision, arguments: Arguments) -> Tensor:
        """:meth:`loss` where theta is a structure, and so are what it learns from."""
        form, layer = self.for_structure(theta)
        packed = form.packed(theta)
        known = {"truth": supervision.truth, "gold": supervision.gold}
        given = {name: None if value is None else form.packed_given(value, packed, name) for name, value in known.items()}
        losses: Tensor = layer.supervised(packed, Supervision(**given, loss=supervision.loss), arguments)
        return losses

    def supervised(self, theta: Tensor, supervision: Supervision, arguments: Arguments) -> Tensor:
        """:meth:`loss` for a tensor of parameters."""
        layer: Any = self  # a whole layer, which this file cannot name
        of_samples = losses_of_samples(layer, theta, supervision, arguments)
        args, kwargs = arguments
        return self.estimate(theta, of_samples, *args, **kwargs)

    def best(self, parameters: Tensor, arguments: Arguments) -> Tensor:
        """Solutions ``(B, *event)`` of parameters to be maximised, without noise and without a gradient."""
        with torch.no_grad():
            states: Tensor = self.noise_free().states(parameters.detach().unsqueeze(1), None, 0.0, copied(*arguments))
        return states[:, 0]
