"""Grid paths by scipy's labels: equal to the compiled engine to the tile, to the count and to the word."""

from types import SimpleNamespace
from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imle_core.contracts import Known
from imle_core.solvers import GridPath
from imle_core.solvers.grid.engines import compiled, on_scipy, ready
from seeded import seeded, table

COSTS = {
    "continuous": lambda rng: rng.uniform(-2, 9),
    "ties": [1.0, 2.0, torch.inf],
    "lost in sums": [1e-4, 1.0, 1e16, 1e18, 1e30],
    "not to be solved": [1.0, 2.0, torch.nan, torch.inf, -torch.inf],
}


def outcome(engine, work, **options):
    """What a solver whose answers an engine gives makes of some work: masks and counts, or the error and counts."""
    solver = GridPath(**options)
    with mock.patch.object(ready, "CHOICE", SimpleNamespace(engine=lambda *_: engine)):
        try:
            result = work(solver).tolist()
        except ValueError as error:
            result = str(error)
    return result, solver.clamped, solver.seen, solver.kept, solver.offered


def agreed(work, **options):
    """The outcome of both engines."""
    expected = outcome(compiled, work, **options)
    assert outcome(on_scipy, work, **options) == expected
    return expected


def batches(kind):
    """Parameters ``(B, 1, H, W)`` and noise ``(B, S, H, W)``."""

    def make(rng):
        count, samples, height, width = (rng.randint(1, most) for most in (3, 12, 5, 5))
        dtype = rng.choice([torch.float32, torch.float64])
        generator = torch.Generator().manual_seed(rng.getrandbits(32))
        eps = torch.randn(count, samples, height, width, generator=generator, dtype=dtype)
        return -torch.from_numpy(table(rng, COSTS[kind], count, 1, height, width)).to(dtype), eps

    return seeded(make)


class TestAgreement:
    @pytest.mark.slow
    @pytest.mark.parametrize("kind", COSTS)
    @settings(max_examples=40, deadline=None)
    @given(st.data())
    def test_of_maps_under_noise(self, kind, data):
        theta, eps = data.draw(batches(kind))
        temperature = data.draw(st.sampled_from([0.0, 0.5, 1e6]))
        options = {"moves": data.draw(st.sampled_from([4, 8])), "floor": data.draw(st.sampled_from([1e-4, 0.5]))}
        agreed(lambda solver: solver.perturb_and_map(theta, eps, temperature), **options)
        agreed(lambda solver: solver(theta.flatten(0, 1)), **options)

    @pytest.mark.slow
    @pytest.mark.parametrize("kind", ["continuous", "ties", "lost in sums"])
    @settings(max_examples=40, deadline=None)
    @given(st.data())
    def test_of_maps_whose_solutions_are_known(self, kind, data):
        then, eps = data.draw(batches(kind))
        z = torch.zeros_like(eps)
        for row, column in ((i, i) for i in range(min(eps.shape[2:]))):  # some path, whether a cheapest one or not
            z[..., row, column] = 1
        rises = data.draw(st.sampled_from([0.0, 1e-13, 0.5]))
        now = then - rises * (1 - 2 * z) + data.draw(st.sampled_from([0.0, 1.0])) * (eps > 2)
        agreed(lambda solver: solver.perturb_and_map(now, eps, 0.5, Known(then, 0.5, z)))

    def test_of_solutions_that_are_kept(self):
        generator = torch.Generator().manual_seed(0)
        then, eps = -torch.full((4, 1, 9, 7), 2.0), torch.randn(4, 30, 9, 7, generator=generator)
        z = GridPath().perturb_and_map(then, eps, 0.5)
        now = then.expand(eps.shape) - 10.0 * (1 - z)
        now[1] -= 4.0 * z[1]
        _, _, _, kept, offered = agreed(lambda solver: solver.perturb_and_map(now, eps, 0.5, Known(then, 0.5, z)))
        assert (0 < kept < 120, offered) == (True, 120)

    def test_of_more_tiles_than_are_solved_at_once(self, monkeypatch):
        monkeypatch.setattr(on_scipy, "_TILES_AT_ONCE", 300)
        monkeypatch.setattr(on_scipy, "_TILES_A_GRAPH", 150)
        theta = torch.randn(41, 6, 7, generator=torch.Generator().manual_seed(0)) - 2
        agreed(lambda solver: solver(theta), start=(5, 0), goal=(0, 3))
        theta[[23, 40], :, 3] = -torch.inf
        assert "(map 23 of 41)" in agreed(lambda solver: solver(theta), goal=(2, 6))[0]
        theta[[3, 30], 0, 1] = torch.nan
        assert "2 NaN" in agreed(lambda solver: solver(theta))[0]
        assert agreed(lambda solver: solver(theta[:0]))[0] == []
