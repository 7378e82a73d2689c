"""Noise of ragged batches: that of an instance alone, whatever its batch mates."""

import numpy as np
import pytest
import torch

from draws import generator
from imle_core import (
    AntitheticNoiseDistribution,
    GumbelNoiseDistribution,
    LogisticNoiseDistribution,
    NormalNoiseDistribution,
    SumOfGammaNoiseDistribution,
    kolmogorov_smirnov,
)
from imle_core.ragged import Instances, draw_noise
from imle_core.solvers import TopK


class ShapeOnly:
    """A user's noise, which knows the shape alone."""

    def sample(self, shape):
        return torch.randn(shape)


class Louder(GumbelNoiseDistribution):
    """A distribution of ours, changed by a user."""

    def sample(self, shape, **kwargs):
        return 2 * super().sample(shape, **kwargs)


OURS = [
    GumbelNoiseDistribution(),
    NormalNoiseDistribution(1.0, 2.0),
    LogisticNoiseDistribution(),
    SumOfGammaNoiseDistribution(k=2.0),
    SumOfGammaNoiseDistribution(k=3.0, nb_iterations=1),
    AntitheticNoiseDistribution(GumbelNoiseDistribution(1000.0, 0.001)),
    Louder(),
]
SIZES = [3, 0, 5, 1, 700]


def drawn(noise, sizes, source, samples=3, rest=(2,), dtype=torch.float32, solver=None):
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    like = torch.zeros(len(sizes), max(sizes, default=0), *rest, dtype=dtype)
    return draw_noise(Instances(starts), noise, like, samples, source, solver)


@pytest.mark.parametrize("noise", OURS, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_instances_draw_one_after_the_other_what_they_draw_together(noise, dtype):
    together = drawn(noise, SIZES, generator(1), dtype=dtype)
    source = generator(1)
    for eps, size in zip(together, SIZES, strict=True):
        alone = drawn(noise, [size], source, dtype=dtype)[0]
        assert torch.equal(eps[:, :size], alone)
        assert (eps[:, size:] == 0).all()
    after = generator(1)
    drawn(noise, SIZES, after, dtype=dtype)
    assert torch.equal(after.get_state(), source.get_state())


def test_a_noise_that_knows_the_shape_alone_is_asked_for_one_instance_after_the_other():
    torch.manual_seed(0)
    together = drawn(ShapeOnly(), SIZES[:3], None)
    torch.manual_seed(0)
    assert torch.equal(together[0, :, :3], ShapeOnly().sample((3, 3, 2)))
    assert torch.equal(together[2], ShapeOnly().sample((3, 5, 2)))


def test_threads_change_nothing():
    sizes = [300] * 40
    together = drawn(OURS[0], sizes, generator(2)), drawn(OURS[3], sizes, generator(2))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert all(map(torch.equal, together, (drawn(OURS[0], sizes, generator(2)), drawn(OURS[3], sizes, generator(2)))))
    finally:
        torch.set_num_threads(threads)


@pytest.mark.slow
@pytest.mark.parametrize("noise", OURS[:4], ids=repr)
def test_draws_follow_the_distribution(noise):
    eps = drawn(noise, [40] * 100, generator(3), samples=1, rest=(), dtype=torch.float64)
    assert kolmogorov_smirnov(eps, noise.cdf) < 1.6 / 4000**0.5  # exceeded with probability .01


def test_pairs_are_those_of_each_instance():
    eps = drawn(AntitheticNoiseDistribution(NormalNoiseDistribution()), [2, 4], generator(0), samples=3)
    assert torch.equal(eps[:, 0], -eps[:, 1])
    assert eps[:, 2].count_nonzero() == 2 * (2 + 4)


def test_a_size_is_that_of_the_instance():
    solver, noise = TopK(4, at_most=True), SumOfGammaNoiseDistribution()
    together = drawn(noise, [2, 0, 6, 4], generator(5), rest=(), solver=solver)
    source = generator(5)
    for eps, size in zip(together, [2, 0, 6, 4], strict=True):
        sized = SumOfGammaNoiseDistribution(k=float(max(1, min(4, size))))
        assert torch.equal(eps[:, :size], drawn(sized, [size], source, rest=())[0])


def test_nothing_is_drawn_for_no_instances():
    assert drawn(OURS[0], [], generator(0)).shape == (0, 3, 0, 2)
    assert drawn(OURS[0], [0, 0], generator(0)).shape == (2, 3, 0, 2)
