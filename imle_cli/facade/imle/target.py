"""Target distributions, by the module's name in the paper's PyTorch library."""

from abc import ABC, abstractmethod

from torch import Tensor

from imle_core import AdaptiveTargetDistribution as AdaptiveTargetDistribution
from imle_core import KnownTargetDistribution as KnownTargetDistribution
from imle_core import TargetDistribution as TargetDistribution


class BaseTargetDistribution(ABC):
    """Base of users' target distributions in the paper's PyTorch library; any object with ``params`` will do."""

    @abstractmethod
    def params(self, theta: Tensor, dy: Tensor) -> Tensor:
        """Target parameters for the parameters ``theta`` and the upstream gradient ``dy``, all ``(N, *event)``."""
