"""Small images of maps, and a network that needs no images: ``from image_maps import CostTable, painted``."""

import torch
from torch import nn

from imle_core.perception import ImageMaps
from imle_core.solvers import GridPath


def painted(count, height, width, seed=0):
    """Maps with costs from 1 to 9, which the colours of their tiles tell, grain aside."""
    generator = torch.Generator().manual_seed(seed)
    levels = torch.randint(10, 91, (count, height, width), generator=generator)
    grain = torch.randint(-8, 9, (count, 8 * height, 8 * width, 3), generator=generator)
    pixels = (2 * levels).repeat_interleave(8, dim=1).repeat_interleave(8, dim=2)
    costs = levels / 10
    return ImageMaps((pixels[..., None] + grain).to(torch.uint8), costs, GridPath()(-costs))


class CostTable(nn.Module):
    """Costs that are parameters, of the map that the first pixel numbers."""

    def __init__(self, costs):
        super().__init__()
        self.costs = nn.Parameter(costs.clone())

    def forward(self, images):
        return self.costs[images[:, 0, 0, 0].long()]
