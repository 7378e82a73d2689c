"""Training a network to predict costs, one record a step: batches, augmentation, optimiser, and everything to go on from."""

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from imle_core import checks
from imle_core.concurrency import process_group
from imle_core.perception.maps import ImageMaps
from imle_core.perception.methods import Clock, LearningMethod, PathReduction
from imle_core.training import Adam

_WARM_UP = 50  # steps, or a tenth of all if that is less
_SUMS = ("losses", "zeros", "maps", "seconds", "solver_seconds", "noise_seconds")


@dataclass(frozen=True)
class PerceptionStep:
    """Figures of a step, before it moved the network.

    Attributes:
        step: number of steps made with this one, from 1.
        epoch: epoch of the step, from 1.
        loss: mean loss of the maps of its batch, in all processes.
        zeros: share of these maps whose gradient of the costs is 0 in every tile.
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
        loss: mean loss of a map.
        zeros: share of maps with a gradient of 0.
        seconds: time of all steps.
        solver_seconds: time in the solver.
        noise_seconds: time in drawing noise.
    """

    loss: float
    zeros: float
    seconds: float
    solver_seconds: float
    noise_seconds: float

    @property
    def network_seconds(self) -> float:
        """The rest: network, optimiser, and what lies between."""
        return self.seconds - self.solver_seconds - self.noise_seconds


class PerceptionTraining:
    """Trains a network on images of maps: a :class:`imle_core.contracts.Trainable`.

    The learning rate of Adam rises over the first steps and then falls to 0 along a cosine. Gradients of the costs, once an
    estimator has made them, are averaged over the batch: so lambda is the step of a single map, however large the batch.

    Where there are several processes, each has its share of every batch, ``batch`` maps, and the network is the same in
    all of them after every step; a gradient that depends on no noise is that of one process with a batch of all maps.

    In several processes all of them must call ``state_dict`` and ``load_state_dict``.

    Args:
        network: from images ``(B, 8H, 8W, 3)`` uint8 to costs ``(B, H, W)``; it is trained in place, where it is.
        method: how it learns.
        maps: the training data.
        epochs: how often it sees each map.
        batch: maps of a step, in one process.
        lr: largest learning rate.
        augment: turn each map by 180 degrees and flip it along its diagonal, each with probability 1/2: the cheapest path
            is turned along with it. Only square maps are flipped.
        loss_reduction: "sum" over maps; "mean" divides each map's step lambda by their number, so that a small lambda
            moves nothing and most gradients are 0.
        seed: decides order and augmentation.
        generator: of the method's noise, to be saved with the rest.
        clock: of the method.

    Raises:
        ArgumentError: a setting outside its range, fewer maps than processes; in a step, predicted costs that are no
            numbers.
    """

    def __init__(
        self,
        network: nn.Module,
        method: LearningMethod,
        maps: ImageMaps,
        *,
        epochs: int = 10,
        batch: int = 16,
        lr: float = 3e-3,
        augment: bool = False,
        loss_reduction: PathReduction = "sum",
        seed: int = 0,
        generator: torch.Generator | None = None,
        clock: Clock | None = None,
    ) -> None:
        checks.check_steps("epochs", epochs, 10)
        checks.check_steps("batch", batch, 16)
        checks.check_seed("seed", seed)
        checks.check_name("loss_reduction", loss_reduction, get_args(PathReduction))
        if not (math.isfinite(lr) and lr > 0):
            raise checks.ArgumentError("lr", repr(lr), "it must be finite and > 0", "the usual value is 0.003")
        if len(maps) < process_group.size():
            raise checks.ArgumentError(
                "maps", f"{len(maps)} for {process_group.size()} processes", "each needs one", "use fewer processes"
            )
        self.network, self.method, self.maps, self.epochs, self.lr = network, method, maps, epochs, lr
        self.augment, self.loss_reduction, self.seed = augment, loss_reduction, seed
        self.generator, self.clock = generator, Clock() if clock is None else clock
        self.device = next(network.parameters()).device
        self._parallel: nn.Module = network
        if process_group.size() > 1:
            self._parallel = DistributedDataParallel(network)
        self._whole = batch * process_group.size()
        full, rest = divmod(len(maps), self._whole)
        self.steps_an_epoch = full + (rest >= process_group.size())  # each process needs a map
        self.steps = epochs * self.steps_an_epoch
        fused = self.device.type in ("cpu", "cuda")
        self.optimizer = Adam(network.parameters(), lr=lr, fused=fused)
        self.step = 0
        self.sums = dict.fromkeys(_SUMS, 0.0)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.maps!r}; step {self.step} of {self.steps})"

    @property
    def done(self) -> bool:
        """True once the last step was made."""
        return self.step == self.steps

    def __iter__(self) -> Iterator[PerceptionStep]:
        self.network.train()
        while self.step < self.steps:
            epoch, position = divmod(self.step, self.steps_an_epoch)
            if position == 0:
                self.sums = dict.fromkeys(_SUMS, 0.0)
            began, solver, noise = time.perf_counter(), self.clock.solver, self.clock.noise
            loss, zeros, count = self._move(*self._shared(epoch, position)).tolist()
            spent = time.perf_counter() - began, self.clock.solver - solver, self.clock.noise - noise
            for name, value in zip(_SUMS, (loss, zeros, count, *spent), strict=True):
                self.sums[name] += value
            self.step += 1
            yield PerceptionStep(self.step, epoch + 1, loss / count, zeros / count, position + 1 == self.steps_an_epoch)
            self.network.train()

    def _move(self, images: Tensor, paths: Tensor, costs: Tensor, whole: int) -> Tensor:
        """Makes a step; the sum of losses, the number of maps with gradient 0, and that of maps, in all processes."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr * self._schedule()
        self.optimizer.zero_grad()
        predicted = self._parallel(images)
        if not bool(predicted.detach().isfinite().all()):
            raise checks.ArgumentError(
                "costs",
                f"NaN or infinite ones from the network in step {self.step + 1}",
                "training has diverged",
                "use a smaller lr",
            )
        zeros: list[Tensor] = []
        predicted.register_hook(lambda gradient: self._averaged(gradient, whole, zeros))
        losses = self.method.losses(predicted, paths, costs)
        (losses.sum() if self.loss_reduction == "sum" else losses.mean()).backward()
        self.optimizer.step()
        numbers = [losses.detach().sum().double(), zeros[0].double(), torch.tensor(float(len(images))).double()]
        return process_group.summed(torch.stack([number.to(self.device) for number in numbers]))

    def _averaged(self, gradient: Tensor, whole: int, zeros: list[Tensor]) -> Tensor:
        """The gradient of a mean over the whole batch; parallel training averages over processes what is to be summed."""
        zeros.append((gradient == 0).flatten(1).all(dim=1).sum())
        return gradient * (process_group.size() / whole)

    def _schedule(self) -> float:
        warm = min(_WARM_UP, max(1, self.steps // 10))
        return min(1.0, (self.step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * self.step / self.steps))

    def _shared(self, epoch: int, position: int) -> tuple[Tensor, Tensor, Tensor, int]:
        """This process's share of a batch, and how many maps the whole batch has."""
        order, turns = self._order(epoch)
        batch = slice(position * self._whole, (position + 1) * self._whole)
        whole = len(order[batch])
        rows, turns = (values[batch][process_group.rank() :: process_group.size()] for values in (order, turns))
        groups = [(rows[turns == turn], turn) for turn in turns.unique().tolist()] if self.augment else [(rows, 0)]
        images, paths, costs = (
            torch.cat([_turned(values[group], turn) for group, turn in groups]).to(self.device)
            for values in (self.maps.images, self.maps.paths, self.maps.costs)
        )
        return images, paths, costs, whole

    def _order(self, epoch: int) -> tuple[Tensor, Tensor]:
        """The order of an epoch's maps, and how each is turned, the same in every process."""
        (state,) = np.random.SeedSequence((*divmod(self.seed, 2**32), epoch)).generate_state(1, np.uint64)
        generator = torch.Generator().manual_seed(int(state >> np.uint64(1)))
        count = len(self.maps)
        order, turns = torch.randperm(count, generator=generator), torch.randint(4, (count,), generator=generator)
        square = self.maps.size[0] == self.maps.size[1]
        return order, turns if square else turns & 2

    @property
    def epoch_record(self) -> EpochRecord:
        """The steps of the present epoch so far."""
        count = max(1.0, self.sums["maps"])
        spent = (self.sums[name] for name in ("seconds", "solver_seconds", "noise_seconds"))
        return EpochRecord(self.sums["losses"] / count, self.sums["zeros"] / count, *spent)

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
        self.step, self.sums = state["step"], dict(state["sums"])


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


def _turned(rows: Tensor, turn: int) -> Tensor:
    """Rows ``(B, H, W, ...)``: an odd turn flips them along their diagonal, 2 and 3 turn them by 180 degrees."""
    flipped = rows.transpose(1, 2) if turn & 1 else rows
    return flipped.flip(1, 2) if turn & 2 else flipped
