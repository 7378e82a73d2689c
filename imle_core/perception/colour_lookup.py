"""A look-up of costs by the mean colours of tiles: the baseline that sees no texture, no neighbours, and no solver."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from imle_core.perception.judgement import plan
from imle_core.perception.maps import TILE, ImageMaps
from imle_core.perception.training import EpochRecord, PerceptionStep, load_network

_BINS = 64  # levels of each colour channel


class ColourLookup(nn.Module):
    """Mean cost, in the training maps, of tiles of the same mean colour: what can be known without looking closer.

    Colours are cut into 64 levels a channel; one that never occurred has the cost of the nearest that did. The table is
    empty, all costs 1, until :meth:`fit` or ``load_state_dict`` fills it.
    """

    table: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("table", torch.ones(_BINS**3))

    def forward(self, images: Tensor) -> Tensor:
        """Costs ``(N, H, W)`` of images ``(N, 8H, 8W, 3)`` uint8."""
        return self.table[_colours(images)]

    def fit(self, maps: ImageMaps) -> "ColourLookup":
        """Fills the table from images and true costs."""
        from scipy.ndimage import distance_transform_edt

        colours = torch.cat([_colours(images).flatten() for images in maps.images.split(256)]).numpy()
        counts = np.bincount(colours, minlength=_BINS**3)
        sums = np.bincount(colours, maps.costs.flatten().double().numpy(), minlength=_BINS**3)
        unseen = (counts == 0).reshape([_BINS] * 3)
        nearest = distance_transform_edt(unseen, return_distances=False, return_indices=True)
        indices = np.ravel_multi_index(tuple(nearest), unseen.shape).ravel()
        self.table.copy_(torch.from_numpy(sums[indices] / counts[indices]))
        return self


def _colours(images: Tensor) -> Tensor:
    """Number of the mean colour of each tile, ``(N, H, W)``."""
    count, height, width, _ = images.shape
    tiles = images.view(count, height // TILE, TILE, width // TILE, TILE, 3)
    levels = tiles.sum(dim=(2, 4), dtype=torch.int64) * _BINS // (256 * TILE * TILE)
    return (levels[..., 0] * _BINS + levels[..., 1]) * _BINS + levels[..., 2]


class ColourTraining:
    """Fills a look-up in a single step: a :class:`imle_core.contracts.Trainable`, as a ``PerceptionTraining`` is one.

    Args:
        network: the look-up.
        maps: the training data.
    """

    steps = steps_an_epoch = 1

    def __init__(self, network: ColourLookup, maps: ImageMaps) -> None:
        self.network, self.maps, self.step = network, maps, 0
        self.epoch_record = EpochRecord(0.0, 0.0, 0.0, 0.0, 0.0)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.maps!r}; step {self.step} of {self.steps})"

    @property
    def done(self) -> bool:
        """True once the table is filled."""
        return self.step == self.steps

    def __iter__(self) -> Iterator[PerceptionStep]:
        if not self.done:
            began = time.perf_counter()
            errors = plan(self.network.fit(self.maps), self.maps).costs - self.maps.costs
            loss = errors.square().flatten(1).sum(dim=1).mean().item()
            self.epoch_record = EpochRecord(loss, 0.0, time.perf_counter() - began, 0.0, 0.0)
            self.step = 1
            yield PerceptionStep(1, 1, loss, 0.0, True)

    def state_dict(self) -> dict[str, Any]:
        """The step and the table; there is no optimiser, and no noise."""
        table = {name: value.clone() for name, value in self.network.state_dict().items()}
        return {"step": self.step, "network": table, "method": {}, "optimizer": {}, "generators": [], "sums": {}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from where the training stood whose ``state_dict()`` this is.

        Raises:
            ArgumentError: the state of another network.
        """
        load_network(self.network, state)
        self.step = state["step"]
