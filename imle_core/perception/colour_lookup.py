"""A look-up of costs by the mean colours of tiles: the baseline that sees no texture, no neighbours, and no solver."""

import numpy as np
import torch
from torch import Tensor, nn

from imle_core.perception.judgement import plan
from imle_core.perception.maps import TILE, ImageMaps
from imle_core.training import Fitting

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


class ColourTraining(Fitting):
    """Fills a look-up in a single step: a :class:`imle_core.contracts.Trainable`, as a ``PerceptionTraining`` is one.

    Args:
        network: the look-up.
        instances: maps, the training data.
    """

    network: ColourLookup
    instances: ImageMaps

    def fit(self) -> float:
        """Fills the table; the mean squared error of a map."""
        errors = plan(self.network.fit(self.instances), self.instances).costs - self.instances.costs
        return errors.square().flatten(1).sum(dim=1).mean().item()
