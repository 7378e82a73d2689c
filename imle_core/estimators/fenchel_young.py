"""The perturbed Fenchel-Young loss: from parameters and gold solutions to a convex loss."""

from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

import torch
from torch import Tensor

from imle_core import checks, ragged
from imle_core.contracts import Parameters
from imle_core.estimators.arguments import Arguments, copied
from imle_core.estimators.compiling import operators
from imle_core.estimators.expectation import Loss
from imle_core.estimators.frozen import telling_how_to_change
from imle_core.estimators.layer import Backward, Layer
from imle_core.estimators.structures.ragged_structures import RaggedForm, is_structure, ragged_packed_layer
from imle_core.estimators.supervision import Supervision, fitting, walls_of
from imle_core.losses import fenchel_young
from imle_core.losses.solutions import finite
from imle_core.ragged import Instances


@telling_how_to_change
@dataclass(frozen=True, repr=False)
class FenchelYoung(Layer):
    """``layer(theta, gold)`` is ``mean_s max_z <theta + tau_in eps_s, z> - <theta, gold>``; gradient ``mean_s z_s - gold``.

    A loss rather than a layer: it learns from gold solutions alone, and needs no second solve. With Hamming loss, I-MLE has
    the same gradient at alpha = 0 and without target noise. Under ``sense="min"`` theta is a cost, and the loss
    ``<c, gold> - mean_s min_z <c - tau_in eps_s, z>``. Further outputs of the solver are left aside.

    Source: Berthet et al. 2020 (arXiv 2002.08676), section 4.
    """

    word: ClassVar[str] = "fenchel-young"

    def __call__(self, theta: Parameters, /, gold: Parameters, *args: Any, **kwargs: Any) -> Tensor:
        """Losses ``(B,)`` of parameters (or costs) ``(B, *event)`` for gold solutions ``(*event)`` or ``(B, *event)``.

        Where theta is a structure of several tensors, so is gold.

        Raises:
            ArgumentError: gold solutions of another shape; or as in a call of any layer.
            ArgumentTypeError: gold solutions that are no tensor.
        """
        if torch.compiler.is_compiling() and (not isinstance(theta, Tensor) or theta.is_nested):
            losses: Tensor = operators.outside_of_compiled_code(self, theta, gold, *args, **kwargs)
            return losses
        if not isinstance(theta, Tensor):
            form, layer = self.for_structure(theta)
            packed = form.packed(theta)
            return layer(packed, form.packed_given(gold, packed, "gold"), *args, **kwargs)
        if theta.is_nested:
            values, offsets = ragged.nested.values_and_offsets(theta)
            golds: Any = gold.values() if isinstance(gold, Tensor) and gold.is_nested else gold
            return self.ragged(values, offsets, golds, *args, **kwargs)
        checks.check_form(theta)
        y = fitting("gold", gold, theta)
        parameters = self.signed(theta)
        eps, z, _ = self.sampled(theta, copied(args, kwargs))
        if self.instances is not None:
            return self._of_padded(self.instances, parameters, eps, z, y)
        if eps is None:  # all samples are the same, and <theta, z> - <theta, y> is one product
            walls = walls_of(parameters)
            inner = parameters if walls is None else parameters.masked_fill(walls, 0.0)
            return (inner * (z[:, 0] - y)).flatten(1).sum(dim=1)
        perturbed = self.perturbed(parameters.unsqueeze(1), eps, self.input_temperature)
        return fenchel_young(perturbed, z, parameters, y)

    def ragged(self, values: Any, offsets: Any, /, gold: Any, *args: Any, **kwargs: Any) -> Tensor:
        """Losses ``(B,)`` of instances of several sizes, for parameters and gold solutions ``(T, *rest)``.

        Where the values are a structure of such, so is gold. See :meth:`.Layer.ragged`.

        Raises:
            ArgumentError: gold solutions of another shape; or as there.
            ArgumentTypeError: gold solutions that are no tensor; or as there.
        """
        if torch.compiler.is_compiling():
            losses: Tensor = operators.outside_of_compiled_code(self.ragged, values, offsets, gold, *args, **kwargs)
            return losses
        if is_structure(values):
            form = RaggedForm(values, offsets)
            given = form.packed(values), form.instances.starts, form.packed_given(gold, "gold")
            return ragged_packed_layer(self, form).ragged(*given, *args, **kwargs)
        instances = ragged.instances_of(values, offsets)
        if not isinstance(gold, Tensor):
            raise checks.ArgumentTypeError("gold", type(gold).__name__, "it must be a tensor", "use torch.as_tensor")
        if gold.shape != values.shape:
            raise checks.wrong_shape(
                "gold",
                gold,
                "it must be (T, *rest)",
                "give a gold solution for each instance, one after the other",
                f" for values of shape {tuple(values.shape)}",
            )
        padded = self._padded(values, instances)
        return self._of(instances)(padded, instances.padded(gold.detach().to(values)), *args, **kwargs)

    def _of_padded(self, instances: Instances, theta: Tensor, eps: Tensor | None, z: Tensor, gold: Tensor) -> Tensor:
        """The same loss with sums of which padding changes no bit, in its gradient too."""
        with torch.no_grad():
            perturbed = self.perturbed(theta.unsqueeze(1), eps, self.input_temperature)
            gained = self.inner_products(finite(perturbed), z)
            wanted = self.inner_products(finite(theta).unsqueeze(1), gold.unsqueeze(1))
            filled = torch.from_numpy(instances.sizes > 0).to(theta.device)
            value = torch.where(filled, self.over_samples(gained) - wanted[:, 0], 0.0)
            gradient = self.over_samples(z) - gold
        moved, walls = theta - theta.detach(), walls_of(theta)  # 0, but with a gradient
        if walls is not None:
            moved = moved.masked_fill(walls, 0.0)
        losses: Tensor = value + (moved * gradient).flatten(1).sum(dim=1)
        return losses

    def supervised(self, theta: Tensor, supervision: Supervision, arguments: Arguments) -> Tensor:
        """Its own loss for gold solutions."""
        supervision.refuse_loss(self.word)
        args, kwargs = arguments
        return self(theta, supervision.needed("gold", self.word), *args, **kwargs)

    def estimate(self, theta: Parameters, loss: Loss, /, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002
        """Refused: it is a loss of its own."""
        raise checks.ArgumentTypeError(
            self.word, "a loss", "it has a loss of its own and cannot take another", "call layer(theta, gold)"
        )

    def sample_gradients(self, call: Backward) -> Tensor:
        """Never asked for: autograd differentiates the loss."""
        raise NotImplementedError
