"""Distributions of noise, all of :mod:`imle_core.noise`, by the module's name in the paper's PyTorch library."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from imle_core.noise import *  # noqa: F403


class BaseNoiseDistribution(ABC):
    """Base of users' noise in the paper's PyTorch library; any object with ``sample`` will do."""

    @abstractmethod
    def sample(self, shape: torch.Size) -> Tensor:
        """Noise of the shape ``(B, S, *event)``."""
