"""Grid paths by a Triton kernel: equal to the reference to the tile, on a GPU where there is one, and in the interpreter.

Triton decides at import whether it compiles or interprets, so the tests of the kernel run as they are on a GPU, and once
more in a process of their own with ``TRITON_INTERPRET=1``.
"""

import math
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from grids import EIGHT, FOUR, reference
from imle_core.solvers.grid.engines import on_torch, on_triton

STEPS = pytest.mark.parametrize("moves", [FOUR, EIGHT], ids=["4 moves", "8 moves"])
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = torch.device("cpu" if INTERPRETED or not torch.cuda.is_available() else "cuda")
ROOT = Path(__file__).parents[5]


def random_costs(shape, values=None, seed=0):
    generator = np.random.default_rng(seed)
    costs = generator.choice(values, shape) if values else np.maximum(generator.normal(2, 1.5, shape), 1e-4)
    return torch.from_numpy(costs)


def opened(costs, *ends):
    """The costs, without walls at the ends."""
    for row, column in ends:
        costs[:, row, column] = costs[:, row, column].where(costs[:, row, column] < math.inf, 1.0)
    return costs


def assert_equal_to_the_reference(costs, start, goal, moves):
    masks, reached = on_triton.cheapest_paths(costs.to(DEVICE), start, goal, moves)
    expected_masks, expected_reached = reference(costs, start, goal, moves)
    assert (masks.dtype, reached.dtype) == (torch.uint8, torch.bool)
    assert torch.equal(reached.cpu(), expected_reached)
    assert torch.equal(masks.cpu(), expected_masks)
    return expected_masks, expected_reached


@pytest.fixture
def handed_on(monkeypatch):
    """How many maps each call handed to plain torch."""
    counts, solve = [], on_torch.cheapest_paths

    def counting(costs, *arguments):
        counts.append(len(costs))
        return solve(costs, *arguments)

    monkeypatch.setattr(on_torch, "cheapest_paths", counting)
    return counts


@pytest.mark.skipif(not on_triton.available(DEVICE), reason="needs Triton, and a GPU or TRITON_INTERPRET=1")
class TestKernel:
    @STEPS
    def test_equal_where_many_paths_tie(self, moves, handed_on):
        costs = opened(random_costs((3, 7, 5), [1.0, 1.0, 2.0, math.inf]), (6, 0), (1, 4))
        costs[1, :, 2] = torch.inf
        _, reached = assert_equal_to_the_reference(costs, (6, 0), (1, 4), moves)
        assert reached.tolist() == [True, False, True]
        assert not handed_on

    @STEPS
    def test_equal_on_perturbed_maps(self, moves, handed_on):
        assert_equal_to_the_reference(random_costs((1, 9, 12)), (0, 0), (8, 11), moves)
        assert not handed_on

    @STEPS
    def test_equal_where_the_map_fills_its_block(self, moves, handed_on):
        # Nothing lies between a row's last tile and the next row's first, nor beyond the last row.
        assert_equal_to_the_reference(random_costs((1, 16, 16), [1.0, 2.0, 3.0]), (15, 15), (0, 0), moves)
        assert not handed_on

    def test_equal_in_blocks_of_several_warps(self):
        assert_equal_to_the_reference(random_costs((1, 3, 100)), (0, 99), (1, 70), EIGHT)
        assert_equal_to_the_reference(random_costs((1, 64, 64)), (30, 30), (34, 31), EIGHT)

    def test_a_way_longer_than_any_straight_one(self, handed_on):
        costs = torch.ones(1, 9, 7, dtype=torch.float64)
        costs[0, 1::4, :-1] = costs[0, 3::4, 1:] = torch.inf
        masks, _ = assert_equal_to_the_reference(costs, (0, 0), (8, 6), FOUR)
        assert masks.sum() == 5 * 7 + 4
        assert not handed_on

    @STEPS
    def test_maps_with_a_plateau_on_the_way_are_handed_on_alone(self, moves, handed_on):
        costs = torch.ones(3, 3, 6, dtype=torch.float64)
        costs[:2, :, 2] = 1e17
        costs[2, 2, :2] = 1e17
        assert_equal_to_the_reference(costs, (0, 0), (2, 5), moves)
        assert handed_on == [2]

    def test_equal_where_rounding_loses_costs(self):
        costs = random_costs((2, 5, 5), [1e-4, 1.0, 2.0, 1e16, 1e18, 1e290])
        assert_equal_to_the_reference(costs, (0, 0), (4, 4), EIGHT)
        assert_equal_to_the_reference(costs, (2, 2), (4, 0), FOUR)

    def test_larger_maps_are_handed_on(self, handed_on):
        assert_equal_to_the_reference(random_costs((2, 65, 33)), (0, 0), (64, 32), EIGHT)
        assert handed_on == [2]

    @pytest.mark.parametrize("shape", [(0, 3, 4), (1, 1, 1), (1, 1, 7), (1, 7, 1)])
    def test_extreme_shapes(self, shape):
        costs = torch.ones(shape, dtype=torch.float64, device=DEVICE)
        masks, reached = on_triton.cheapest_paths(costs, (0, 0), (shape[1] - 1, shape[2] - 1), FOUR)
        assert (masks.shape, reached.shape) == (shape, shape[:1])
        assert masks.bool().all()
        assert reached.all()

    def test_layout_and_gradients_do_not_matter(self):
        turned = random_costs((2, 9, 6)).transpose(1, 2)
        masks, _ = on_triton.cheapest_paths(turned.to(DEVICE).detach().requires_grad_(), (0, 0), (5, 8), EIGHT)
        assert torch.equal(masks.cpu(), reference(turned, (0, 0), (5, 8), EIGHT)[0])

    @pytest.mark.skipif(DEVICE.type != "cuda", reason="needs a GPU; the interpreter is slow")
    @STEPS
    @pytest.mark.parametrize("shape", [(200, 16, 16), (100, 12, 30), (50, 64, 64), (50, 16, 256), (50, 200, 10)])
    def test_equal_to_plain_torch_on_many_maps(self, shape, moves):
        goal = (shape[1] - 1, shape[2] - 1)
        for costs in (
            random_costs(shape),
            random_costs(shape, [1.0, 2.0]),
            opened(random_costs(shape, [1.0, 2.0, math.inf]), goal),
        ):
            costs[:, 0, 0] = 1.0
            masks, reached = on_triton.cheapest_paths(costs.to(DEVICE), (0, 0), goal, moves)
            expected_masks, expected_reached = on_torch.cheapest_paths(costs, (0, 0), goal, moves)
            assert torch.equal(reached.cpu(), expected_reached)
            assert torch.equal(masks.cpu(), expected_masks)


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.skipif(INTERPRETED or find_spec("triton") is None, reason="needs Triton, and not yet its interpreter")
def test_the_kernel_in_the_interpreter():
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        "-k",
        "TestKernel",
        str(Path(__file__)),
    ]
    environment = {**os.environ, "TRITON_INTERPRET": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


class TestAvailability:
    def test_never_without_triton(self, monkeypatch):
        monkeypatch.setattr(on_triton, "triton", None)
        assert not on_triton.available(torch.device("cuda"))
        assert not on_triton.available(torch.device("cpu"))

    @pytest.mark.skipif(find_spec("triton") is None, reason="needs Triton")
    def test_on_cuda_or_in_the_interpreter(self):
        assert on_triton.available(torch.device("cuda", 0))
        assert on_triton.available(torch.device("cpu")) == INTERPRETED
        assert on_triton.available(torch.device("meta")) == INTERPRETED
