"""Learning weights with which a solver reproduces a gold solution, one record a step."""

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from imle_core import checks, contracts
from imle_core.checks import Record
from imle_core.contracts import Noise, Target
from imle_core.estimators import Difference, imle
from imle_core.losses import hamming
from imle_core.training.optimizer import Adam

Schedule = Literal["cosine", "constant"]
LossReduction = Literal["sum", "mean"]

_LARGEST_STEP = 1e30  # weights of 32 bits stay finite


@dataclass(frozen=True, repr=False)
class Step(Record):
    """Figures of a training step, before it moved the weights.

    Attributes:
        step: number of steps made before, 0 to ``steps``.
        loss: sampled Hamming loss, averaged over the samples.
        weights: the weights, ``(*event)``.
        sample: the first sample, ``(*event)``.
        solution: the noise-free solution, ``(*event)``.
        distance: Hamming distance of the noise-free solution to the gold one.
    """

    step: int
    loss: float
    weights: Tensor
    sample: Tensor
    solution: Tensor
    distance: int


class Training:
    """Weights w for which ``MAP(-w)`` is to become the gold solution: a :class:`imle_core.contracts.Trainable`.

    Iterating makes the steps, as :func:`train` does. ``state_dict()`` lacks what a solver or target of the user's own keeps.
    """

    def __init__(
        self,
        solver: Callable[[Tensor], Tensor],
        gold: Tensor,
        *,
        target_distribution: Target | None = None,
        noise_distribution: Noise | None = None,
        nb_samples: int = 10,
        input_noise_temperature: float = 1.0,
        target_noise_temperature: float = 1.0,
        difference: Difference = "forward",
        steps: int = 1100,
        lr: float = 0.005,
        schedule: Schedule = "cosine",
        loss_reduction: LossReduction = "sum",
        weights: Tensor | None = None,
        walls: Tensor | None = None,
        seed: int = 0,
    ) -> None:
        checks.check_steps("steps", steps)
        checks.check_seed("seed", seed)
        checks.check_name("schedule", schedule, get_args(Schedule))
        checks.check_name("loss_reduction", loss_reduction, get_args(LossReduction))
        _check_lr(lr)
        _check_gold(gold)
        _check_fits("weights", weights, gold)
        _check_fits("walls", walls, gold)
        self.solver, self.gold, self.steps, self.lr = solver, gold.detach().clone(), steps, lr
        self.schedule, self.loss_reduction, self.step = schedule, loss_reduction, 0
        self.generator = torch.Generator(gold.device).manual_seed(seed)
        self.weights = torch.empty_like(gold).uniform_(-0.1, 0.1, generator=self.generator)
        if weights is not None:
            self.weights.copy_(weights.detach())
        if walls is not None:
            self.weights.masked_fill_(walls.bool(), torch.inf)
        self.optimizer = Adam([self.weights.requires_grad_()], lr=lr, foreach=False)
        self.layer = imle(
            solver,
            target_distribution,
            noise_distribution,
            nb_samples,
            input_noise_temperature,
            target_noise_temperature,
            difference=difference,
            generator=self.generator if noise_distribution is not None else None,
        )

    def __repr__(self) -> str:
        sizes = " x ".join(map(str, self.gold.shape))
        return f"Training({self.layer.estimator.settings}; step {self.step} of {self.steps}, {sizes} weights)"

    @property
    def done(self) -> bool:
        """True once the record after the last step was given."""
        return self.step > self.steps

    def __iter__(self) -> Iterator[Step]:
        while not self.done:
            weights = self.weights.detach().clone()
            with torch.set_grad_enabled(self.step < self.steps):
                z, _ = contracts.solutions_in(self.layer(-self.weights.unsqueeze(0)))
                if self.step < self.steps:
                    self._move(z)
                losses = hamming(z.detach(), self.gold)
            solution = contracts.map_states(self.solver, -weights[None, None], fresh=True)[0, 0]
            distance = int(torch.count_nonzero(solution != self.gold))
            sample = z[0].detach().clone()  # a view would keep all samples alive
            record = Step(self.step, losses.mean().item(), weights, sample, solution, distance)
            self.step += 1
            yield record

    def _move(self, z: Tensor) -> None:
        """Makes a step by the gradients ``1 - 2y`` of the samples' losses."""
        if self.schedule == "cosine":
            for group in self.optimizer.param_groups:
                group["lr"] = self.lr * 0.5 * (1 + math.cos(math.pi * self.step / self.steps))
        self.optimizer.zero_grad()
        slope = 1 - 2 * self.gold
        if self.loss_reduction == "mean":
            slope *= torch.ones_like(slope) / len(z)
        torch.autograd.backward(z, slope.expand_as(z).contiguous())
        self.optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """Copies of the step, the weights, and the states of optimiser and generator."""
        return {
            "step": self.step,
            "weights": self.weights.detach().clone(),
            "optimizer": copy.deepcopy(self.optimizer.state_dict()),
            "generator": self.generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from where the training stood whose ``state_dict()`` this is.

        Raises:
            ArgumentError: weights of another shape.
        """
        if state["weights"].shape != self.weights.shape:
            raise checks.ArgumentError(
                "state",
                f"weights of shape {tuple(state['weights'].shape)}",
                f"the training has {tuple(self.weights.shape)}",
                "take the state of the same training",
            )
        self.step = state["step"]
        with torch.no_grad():
            self.weights.copy_(state["weights"])
        self.optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))
        self.generator.set_state(state["generator"].cpu())


def train(
    solver: Callable[[Tensor], Tensor],
    gold: Tensor,
    *,
    target_distribution: Target | None = None,
    noise_distribution: Noise | None = None,
    nb_samples: int = 10,
    input_noise_temperature: float = 1.0,
    target_noise_temperature: float = 1.0,
    difference: Difference = "forward",
    steps: int = 1100,
    lr: float = 0.005,
    schedule: Schedule = "cosine",
    loss_reduction: LossReduction = "sum",
    weights: Tensor | None = None,
    walls: Tensor | None = None,
    seed: int = 0,
) -> Iterator[Step]:
    """``w <- Adam(w, d/dw sum_s Hamming(z_s, y))`` with ``z_s = MAP(-w + tau_in*eps_s)`` and I-MLE gradients.

    Gives one record before each step and one after the last, ``steps + 1`` in all, and keeps none of them.

    Args:
        solver: ``(N, *event) -> (N, *event)``, maximises.
        gold: the gold solution y, ``(*event)``, of ones and zeros.
        target_distribution: as for :func:`imle_core.imle`.
        noise_distribution: as there.
        nb_samples: as there.
        input_noise_temperature: as there.
        target_noise_temperature: as there.
        difference: as there.
        steps: number of steps, >= 1.
        lr: size of a step of Adam, > 0.
        schedule: "cosine" takes ``lr`` to 0, which lets training settle under target noise without input noise; "constant"
            leaves it.
        loss_reduction: "sum" over samples, or "mean", which divides every sample's step lambda by their number.
        weights: weights to begin with, ``(*event)``; uniform in [-0.1, 0.1] if None.
        walls: entries that are never chosen, ``(*event)`` bool.
        seed: seed of the first weights and of the noise.

    Returns:
        An iterator of :class:`Step`.

    Raises:
        ArgumentError: a setting outside its range, or shapes that do not fit.
        ArgumentTypeError: a setting of a wrong type, or a gold solution that is no floating tensor.

    >>> from imle_core.solvers import TopK
    >>> [record.distance for record in train(TopK(1), torch.tensor([0.0, 1.0]), steps=2, nb_samples=1)][-1] in (0, 2)
    True
    """
    settings = {name: value for name, value in locals().items() if name not in ("solver", "gold")}
    return iter(Training(solver, gold, **settings))


def _check_lr(lr: float) -> None:
    checks.check_not_learned("lr", lr, "leave it out")
    if not 0 < lr <= _LARGEST_STEP:
        raise checks.ArgumentError(
            "lr", repr(lr), f"it must be a number > 0 and at most {_LARGEST_STEP:g}", "the usual value is 0.005"
        )


def _check_gold(gold: Any) -> None:
    if not isinstance(gold, Tensor) or not gold.is_floating_point():
        got = str(gold.dtype) if isinstance(gold, Tensor) else type(gold).__name__
        raise checks.ArgumentTypeError(
            "gold", got, "it must be a tensor of a floating type", "use torch.as_tensor(gold).float()"
        )
    checks.check_numbers(gold, "gold")
    if not gold.isfinite().all():
        count = int((~gold.isfinite()).sum())
        raise checks.ArgumentError(
            "gold",
            f"{count} entries of {gold.numel()} that are NaN or infinite",
            "it must be of ones and zeros",
            "take them out",
        )


def _check_fits(name: str, value: Any, gold: Tensor) -> None:
    """A tensor beside a gold solution must have its shape, an entry for each entry."""
    if value is None:
        return
    checks.check_numbers(value, name)
    if value.shape != gold.shape:
        raise checks.wrong_shape(
            name,
            value,
            "the two must be equal",
            f"give one of shape {tuple(gold.shape)}",
            f" for a gold solution of shape {tuple(gold.shape)}",
        )
