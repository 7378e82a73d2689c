"""Networks that are fitted in a single step, as trainings whose records are those of any other."""

import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

from torch import nn

from imle_core.training.networks import EpochRecord, NetworkStep, load_network


class Fitting(ABC):
    """Fits a network in a single step: a :class:`imle_core.contracts.Trainable`, as a ``NetworkTraining`` is one.

    Args:
        network: what is fitted.
        instances: what it is fitted to.
    """

    steps: ClassVar[int] = 1
    steps_an_epoch: ClassVar[int] = 1

    def __init__(self, network: nn.Module, instances: Any) -> None:
        self.network, self.instances, self.step = network, instances, 0
        self.epoch_record = EpochRecord(0.0, 0.0, 0.0, 0.0, 0.0)

    @abstractmethod
    def fit(self) -> float:
        """Fits the network; the mean loss of an instance afterwards."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.instances!r}; step {self.step} of {self.steps})"

    @property
    def done(self) -> bool:
        """True once the network is fitted."""
        return self.step == self.steps

    def __iter__(self) -> Iterator[NetworkStep]:
        if not self.done:
            began = time.perf_counter()
            loss = self.fit()
            self.epoch_record = EpochRecord(loss, 0.0, time.perf_counter() - began, 0.0, 0.0)
            self.step = 1
            yield NetworkStep(1, 1, loss, 0.0, True)

    def state_dict(self) -> dict[str, Any]:
        """The step and the network; there is no optimiser, and no noise."""
        network = copy.deepcopy(self.network.state_dict())
        return {"step": self.step, "network": network, "method": {}, "optimizer": {}, "generators": [], "sums": {}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from where the training stood whose ``state_dict()`` this is.

        Raises:
            ArgumentError: the state of another network.
        """
        load_network(self.network, state)
        self.step = state["step"]
