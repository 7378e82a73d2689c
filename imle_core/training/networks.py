"""Training a network to predict a solver's costs, one record a step: batches, optimiser, and everything to go on from."""

import copy
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from imle_core import checks
from imle_core.concurrency import process_group
from imle_core.training.clock import Clock
from imle_core.training.methods import LearningMethod
from imle_core.training.optimizer import Adam
from imle_core.training.weights import LossReduction, Schedule

_WARM_UP = 50  # steps, or a tenth of all if that is less
_SUMS = ("losses", "zeros", "instances", "seconds", "solver_seconds", "noise_seconds", "solves")
_EARLIER = {"maps": "instances"}  # names of sums in states of version 0.1.0, which had no count of solves


@dataclass(frozen=True)
class NetworkStep:
    """Figures of a step, before it moved the network.

    Attributes:
        step: number of steps made with this one, from 1.
        epoch: epoch of the step, from 1.
        loss: mean loss of the instances of its batch, in all processes.
        zeros: share of these instances whose gradient of the costs is 0 in every entry.
        ends_epoch: whether the epoch ends with it.
    """

    step: int
    epoch: int
    loss: float
    zeros: float
    ends_epoch: bool


@dataclass(frozen=True)
class EpochRecord:
    """Means over the steps of an epoch, and where its time went, in seconds.

    Attributes:
        loss: mean loss of an instance.
        zeros: share of instances with a gradient of 0.
        seconds: time of all steps.
        solver_seconds: time in the solver.
        noise_seconds: time in drawing noise.
        solves: rows that were solved, in this process.
    """

    loss: float
    zeros: float
    seconds: float
    solver_seconds: float
    noise_seconds: float
    solves: int = 0

    @property
    def network_seconds(self) -> float:
        """The rest: network, optimiser, and what lies between."""
        return self.seconds - self.solver_seconds - self.noise_seconds


class NetworkTraining(ABC):
    """Trains a network to predict costs: a :class:`imle_core.contracts.Trainable`; subclasses say what a batch is.

    Gradients of the costs, once an estimator has made them, are averaged over the batch: so lambda is the step of a single
    instance, however large the batch.

    Where there are several processes, each has its share of every batch, ``batch`` instances, and the network is the same in
    all of them after every step; a gradient that depends on no noise is that of one process with a batch of all instances.
    All of them must call ``state_dict`` and ``load_state_dict``.

    Args:
        network: from inputs ``(B, *shape)`` to costs ``(B, *event)``; it is trained in place, where it is.
        method: how it learns.
        instances: what it learns from.
        epochs: how often it sees each instance.
        batch: instances of a step, in one process.
        lr: largest step size of Adam.
        schedule: "cosine": it rises over the first steps, at most 50, and then falls to 0; "constant": it stays.
        loss_reduction: "sum" over instances; "mean" divides each one's step lambda by their number, so that a small lambda
            moves nothing and most gradients are 0.
        seed: decides the order of instances.
        generator: of the method's noise, to be saved with the rest.
        clock: of the method.

    Raises:
        ArgumentError: a setting outside its range, fewer instances than processes; in a step, predicted costs that are no
            numbers, or of another shape.
    """

    words: ClassVar[str] = "instances"

    def __init__(
        self,
        network: nn.Module,
        method: LearningMethod,
        instances: Sized,
        *,
        epochs: int,
        batch: int,
        lr: float,
        schedule: Schedule,
        loss_reduction: LossReduction,
        seed: int,
        generator: torch.Generator | None,
        clock: Clock | None,
    ) -> None:
        checks.check_steps("epochs", epochs, 10)
        checks.check_steps("batch", batch, 16)
        checks.check_seed("seed", seed)
        checks.check_name("schedule", schedule, get_args(Schedule))
        checks.check_name("loss_reduction", loss_reduction, get_args(LossReduction))
        if not (math.isfinite(lr) and lr > 0):
            raise checks.ArgumentError("lr", repr(lr), "it must be finite and > 0", "the usual value is 0.003")
        if len(instances) < process_group.size():
            got = f"{len(instances)} for {process_group.size()} processes"
            remedy = "use fewer processes" if len(instances) else "give some"
            raise checks.ArgumentError(self.words, got, "each needs one", remedy)
        self.network, self.method, self.instances, self.epochs, self.lr = network, method, instances, epochs, lr
        self.schedule, self.loss_reduction, self.seed = schedule, loss_reduction, seed
        self.generator, self.clock = generator, Clock() if clock is None else clock
        self.device = next(network.parameters()).device
        self._parallel: nn.Module = network
        if process_group.size() > 1:
            self._parallel = DistributedDataParallel(network)
        self._whole = batch * process_group.size()
        full, rest = divmod(len(instances), self._whole)
        self.steps_an_epoch = full + (rest >= process_group.size())  # each process needs an instance
        self.steps = epochs * self.steps_an_epoch
        fused = self.device.type in ("cpu", "cuda")
        self.optimizer = Adam(network.parameters(), lr=lr, fused=fused)
        self.step = 0
        self.sums = dict.fromkeys(_SUMS, 0.0)
        self._drawn: tuple[int, tuple[Tensor, ...]] = (-1, ())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.instances!r}; step {self.step} of {self.steps})"

    @abstractmethod
    def batch(self, *drawn: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs, gold solutions and true costs of a batch, on the network's device, for its part of what was drawn."""

    def draw(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """The order of an epoch's instances, and whatever else is random for each, in this order, ``(N,)`` each."""
        return (torch.randperm(len(self.instances), generator=generator),)

    @property
    def done(self) -> bool:
        """True once the last step was made."""
        return self.step == self.steps

    def __iter__(self) -> Iterator[NetworkStep]:
        self.network.train()
        modules = list(self.network.modules())
        while self.step < self.steps:
            epoch, position = divmod(self.step, self.steps_an_epoch)
            if position == 0:
                self.sums = dict.fromkeys(_SUMS, 0.0)
            clock = self.clock
            began, solver, noise, solves = time.perf_counter(), clock.solver, clock.noise, clock.solves
            loss, zeros, count = self._move(*self._share(epoch, position)).tolist()
            spent = time.perf_counter() - began, clock.solver - solver, clock.noise - noise, clock.solves - solves
            for name, value in zip(_SUMS, (loss, zeros, count, *spent), strict=True):
                self.sums[name] += value
            self.step += 1
            yield NetworkStep(self.step, epoch + 1, loss / count, zeros / count, position + 1 == self.steps_an_epoch)
            if not all(module.training for module in modules):  # since somebody has judged it
                self.network.train()

    def _move(self, drawn: tuple[Tensor, ...], whole: int) -> Tensor:
        """Makes a step; the sum of losses, the number of gradients of 0, and that of instances, in all processes."""
        inputs, gold, truth = self.batch(*drawn)
        lr = self.lr * self._schedule()
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.zero_grad()
        predicted = self._parallel(inputs)
        self._check_predicted(predicted, truth)
        zeros: list[Tensor] = []
        predicted.register_hook(lambda gradient: self._averaged(gradient, whole, zeros))
        losses = self.method.losses(predicted, gold, truth)
        (losses.sum() if self.loss_reduction == "sum" else losses.mean()).backward()
        self.optimizer.step()
        numbers = [losses.detach().sum().double(), zeros[0].double(), torch.tensor(float(len(inputs))).double()]
        return process_group.summed(torch.stack([number.to(self.device) for number in numbers]))

    def _check_predicted(self, predicted: Tensor, truth: Tensor) -> None:
        if predicted.shape != truth.shape:
            beside = f" for true costs of shape {tuple(truth.shape)}"
            raise checks.wrong_shape("network", predicted, "it must predict each cost", "give it as many outputs", beside)
        values = predicted.detach()
        if not (checks.sum_is_finite(values) or bool(values.isfinite().all())):
            raise checks.ArgumentError(
                "costs",
                f"NaN or infinite ones from the network in step {self.step + 1}",
                "training has diverged",
                "use a smaller lr",
            )

    def _averaged(self, gradient: Tensor, whole: int, zeros: list[Tensor]) -> Tensor:
        """The gradient of a mean over the whole batch; parallel training averages over processes what is to be summed."""
        zeros.append((gradient == 0).flatten(1).all(dim=1).sum())
        return gradient * (process_group.size() / whole)

    def _schedule(self) -> float:
        if self.schedule == "constant":
            return 1.0
        warm = min(_WARM_UP, max(1, self.steps // 10))
        return min(1.0, (self.step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * self.step / self.steps))

    def _share(self, epoch: int, position: int) -> tuple[tuple[Tensor, ...], int]:
        """This process's share of what was drawn for a batch, and how many instances the whole batch has."""
        if self._drawn[0] != epoch:
            self._drawn = epoch, self._draw(epoch)
        batch = slice(position * self._whole, (position + 1) * self._whole)
        parts = tuple(values[batch] for values in self._drawn[1])
        size = process_group.size()
        return parts if size == 1 else tuple(part[process_group.rank() :: size] for part in parts), len(parts[0])

    def _draw(self, epoch: int) -> tuple[Tensor, ...]:
        """What is drawn for an epoch, the same in every process and whoever goes on."""
        (state,) = np.random.SeedSequence((*divmod(self.seed, 2**32), epoch)).generate_state(1, np.uint64)
        return self.draw(torch.Generator().manual_seed(int(state >> np.uint64(1))))

    @property
    def epoch_record(self) -> EpochRecord:
        """The steps of the present epoch so far."""
        count = max(1.0, self.sums["instances"])
        seconds, in_solver, in_noise = (self.sums[name] for name in ("seconds", "solver_seconds", "noise_seconds"))
        means = self.sums["losses"] / count, self.sums["zeros"] / count
        return EpochRecord(*means, seconds, in_solver, in_noise, int(self.sums["solves"]))

    def state_dict(self) -> dict[str, Any]:
        """Copies of the step, network, method and optimiser, of the noise of every process, and of the epoch's sums."""
        state = None if self.generator is None else self.generator.get_state()
        return {
            "step": self.step,
            "network": copy.deepcopy(self.network.state_dict()),
            "method": copy.deepcopy(self.method.state.state_dict()),
            "optimizer": copy.deepcopy(self.optimizer.state_dict()),
            "generators": process_group.gathered(state),
            "sums": dict(self.sums),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from where the training stood whose ``state_dict()`` this is.

        Raises:
            ArgumentError: the state of another network, or of another number of processes.
        """
        if len(state["generators"]) != process_group.size():
            raise checks.ArgumentError(
                "state",
                f"that of {len(state['generators'])} processes, here are {process_group.size()}",
                "their noise could not go on",
                "start as many",
            )
        load_network(self.network, state)
        self.method.state.load_state_dict(state["method"])
        self.optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))
        if self.generator is not None:
            self.generator.set_state(state["generators"][process_group.rank()])
        self.step = state["step"]
        self.sums = {"solves": 0.0} | {_EARLIER.get(name, name): value for name, value in state["sums"].items()}


def load_network(network: nn.Module, state: dict[str, Any]) -> None:
    """Gives a network the weights that it has in the state of a training.

    Raises:
        ArgumentError: the state of another network.
    """
    try:
        network.load_state_dict(state["network"])
    except RuntimeError as error:
        raise checks.ArgumentError(
            "state", "that of another network", "its weights do not fit", "take the state of the same training"
        ) from error


def with_first_weights(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """A network with its first weights, which the seed decides; torch's generators stay as they are.

    Raises:
        ArgumentError: a seed that is negative or too large.
    """
    checks.check_seed("seed", seed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reach the generators of GPUs
        return make()
