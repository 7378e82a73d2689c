"""The textbook's algorithm finds paths that cost what ours do."""

import pytest
import torch

from imle_cli.benchmarks.kernels.plain_dijkstra import plain_paths
from imle_cli.benchmarks.paths import noisy_maps, random_maps
from imle_core.solvers import GridPath

FLOOR = GridPath().floor
MAPS = {
    "noisy": lambda: noisy_maps(16, 50, 0),
    "narrow": lambda: noisy_maps(12, 50, 1, torch.float64),
    "random": lambda: random_maps(16, 50, 2, torch.float64),
    "row": lambda: random_maps(16, 1, 3, torch.float64)[:, :1],
    "column": lambda: random_maps(16, 1, 3, torch.float64)[:, :, :1],
    "tile": lambda: random_maps(1, 3, 3),
    "floor": lambda: torch.zeros(2, 5, 7),
    "ties": lambda: torch.randint(-3, 1, (50, 6, 9), generator=torch.Generator().manual_seed(4)).double(),
}


def _masks(theta):
    masks = torch.zeros_like(theta)
    plain_paths(theta.numpy(), masks.numpy(), FLOOR)
    return masks


@pytest.mark.slow
@pytest.mark.parametrize("kind", MAPS)
def test_costs_equal_ours(kind):
    theta = MAPS[kind]().contiguous()
    costs = (-theta.double()).clamp(min=FLOOR)
    found, ours = ((masks.double() * costs).sum((1, 2)) for masks in (_masks(theta), GridPath()(theta)))
    torch.testing.assert_close(found, ours, rtol=1e-12, atol=0)


def test_where_no_paths_are_equal_the_tiles_are_ours():
    theta = random_maps(20, 100, 5, torch.float64)
    assert torch.equal(_masks(theta), GridPath()(theta))
