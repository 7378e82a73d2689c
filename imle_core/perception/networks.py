"""Networks that look at images of maps and predict what each tile costs.

Each takes images ``(N, 8H, 8W, 3)`` uint8, as a data set has them, of any size, and gives costs ``(N, H, W)`` float32.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from imle_core import checks
from imle_core.concurrency import process_group
from imle_core.perception.maps import TILE
from imle_core.training import with_first_weights


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation whose batch is that of all processes together, on any device.

    So a network does not depend on how a batch is shared among them. In one process it is :class:`torch.nn.BatchNorm2d`.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images, ``(N, C, H, W)``."""
        if not self.training or process_group.size() == 1:
            return super().forward(images)
        axes, shape = (0, 2, 3), (1, -1, 1, 1)
        count = process_group.summed(images.new_tensor(images.numel() / images.shape[1]))
        mean = process_group.summed(images.sum(axes)) / count
        centred = images - mean.view(shape)
        variance = process_group.summed(centred.square().sum(axes)) / count
        with torch.no_grad():
            for kept, value in ((self.running_mean, mean), (self.running_var, variance * count / (count - 1))):
                kept.lerp_(value, self.momentum)  # type: ignore[union-attr, arg-type]
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return centred * scale.view(shape) + self.bias.view(shape)


class SmallNetwork(nn.Module):
    """Three strided convolutions (16, 32, 32 channels), a 1x1 convolution, and a linear 1x1 head with softplus.

    A cost depends on the pixels of its tile and on one row and column of pixels beside them. The head begins at the cost
    ``start``: softplus is flat far below 0, and a head that began there would learn nothing.
    """

    start = 1.0

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after, side in ((3, 16, 3), (16, 32, 2), (32, 32, 2)):
            layers += [nn.Conv2d(before, after, side, 2, side // 3, bias=False), BatchNorm(after), nn.ReLU(inplace=True)]
        self.features = nn.Sequential(*layers, nn.Conv2d(32, 32, 1), nn.ReLU(inplace=True))
        self.head = nn.Conv2d(32, 1, 1)
        nn.init.constant_(self.head.bias, float(np.log(np.expm1(self.start))))  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Tensor:
        """Costs ``(N, H, W)``, > 0."""
        return functional.softplus(self.head(self.features(_normalised(images)))).squeeze(1)


class TruncatedResNet18(nn.Module):
    """The first layers of ResNet18, up to its first two residual blocks, then the largest value over each tile.

    The cost of a tile is the mean over the 64 channels, each of which is >= 0.

    Source: Vlastelica et al. 2020 (arXiv 1912.02175), appendix; He et al. 2016 (arXiv 1512.03385) for the layers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False), BatchNorm(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        )
        self.blocks = nn.Sequential(_Residual(64), _Residual(64))

    def forward(self, images: Tensor) -> Tensor:
        """Costs ``(N, H, W)``, >= 0."""
        tiles = images.shape[1] // TILE, images.shape[2] // TILE
        features = self.blocks(self.stem(_normalised(images)))
        return functional.adaptive_max_pool2d(features, tiles).mean(dim=1)


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([BatchNorm(channels), BatchNorm(channels)])

    def forward(self, images: Tensor) -> Tensor:
        inner = functional.relu(self.norms[0](self.first(images)))
        return functional.relu(images + self.norms[1](self.second(inner)))


NETWORKS: dict[str, Callable[[], nn.Module]] = {"small": SmallNetwork, "resnet18": TruncatedResNet18}
"""Networks that learn, by name."""


def make_network(name: str, seed: int) -> nn.Module:
    """A network of :data:`NETWORKS` with its first weights, which the seed decides; torch's generators stay as they are.

    Raises:
        ArgumentError: an unknown name, or a seed that is negative or too large.
    """
    checks.check_name("network", name, NETWORKS)
    # Images are stored channels last, so that nothing is copied, and convolutions are faster by a third.
    memory = {"memory_format": torch.channels_last}
    return with_first_weights(lambda: NETWORKS[name]().to(**memory), seed)  # type: ignore[call-overload]


def _normalised(images: Tensor) -> Tensor:
    return (images.permute(0, 3, 1, 2).float() - 128) / 64
