"""The compiled engine as a whole: which kernel solves what, and that neither batch, order nor threads matter."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grids import Shared, kernel_calls
from imle_core.contracts import Known
from imle_core.solvers import GridPath


@pytest.fixture
def threads():
    """Sets how many threads torch may use."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def batch(kind, count=45, dtype=torch.float32):
    """Maps of which none, some, or most cannot be decided by scaled labels."""
    rng = np.random.default_rng(3)
    shape = (count, 6, 7)
    costs = {
        "continuous": rng.uniform(0.05, 9, shape),
        "ties": rng.integers(1, 4, shape),
        "clamped": rng.normal(size=shape),
        "lost": rng.choice([1e-4, 1.0, 1e16], shape),
        "terrain": rng.choice([0.8, 1.2, 5.3, 7.7, 9.2], shape),
        "half of them ties": np.where(
            rng.random((count, 1, 1)) < 0.5, rng.choice([1e-4, 1e16], shape), rng.integers(1, 4, shape)
        ),
    }[kind]
    return -torch.from_numpy(np.asarray(costs, float)).to(dtype)


KINDS = ["continuous", "ties", "clamped", "lost", "terrain", "half of them ties"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
class TestNothingElseMatters:
    @pytest.mark.slow
    def test_threads(self, kind, dtype, threads):
        theta, results = batch(kind, dtype=dtype), []
        for number in (1, 2, 7):
            threads(number)
            solver = Shared()
            results.append((solver(theta).tolist(), solver.clamped, solver.seen))
        assert results[0] == results[1] == results[2]
        assert results[0][0] == GridPath(engine="networkx")(theta).tolist()

    def test_threads_that_share_many_maps(self, kind, dtype, threads):
        theta, results = batch(kind, 700, dtype), []
        for number in (1, 2, 7):
            threads(number)
            solver = Shared()
            results.append((solver(theta), solver.clamped, solver.seen))
        for masks, *counts in results[1:]:
            assert torch.equal(masks, results[0][0])
            assert counts == [*results[0][1:]]

    @pytest.mark.slow
    def test_order_and_company(self, kind, dtype, threads):
        theta = batch(kind, dtype=dtype)
        together = Shared()(theta)
        for number in (1, 3):
            threads(number)
            order = torch.randperm(45, generator=torch.Generator().manual_seed(number))
            assert torch.equal(Shared()(theta[order]), together[order])
            for size in (1, 5, 6, 16, 17, 31):
                parts = [Shared()(part) for part in theta.split(size)]
                assert torch.equal(torch.cat(parts), together)
            repeated = Shared()(theta.repeat_interleave(3, 0))
            assert torch.equal(repeated, together.repeat_interleave(3, 0))

    def test_strangers_in_the_batch(self, kind, dtype):
        theta = batch(kind, 12, dtype)
        alone = GridPath()(theta)
        for other in KINDS:
            mixed = GridPath()(torch.cat([batch(other, 30, dtype), theta, 1e9 * batch(other, 3, dtype)]))
            assert torch.equal(mixed[30:42], alone)


class TestKept:
    @pytest.mark.parametrize("kind", KINDS)
    def test_threads_and_order(self, kind, threads):
        then = batch(kind, dtype=torch.float64).unsqueeze(1)
        eps = torch.randn(45, 4, 6, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        z = Shared()((then + eps).flatten(0, 1)).view(eps.shape)
        now = then + torch.where((torch.arange(45) % 3 == 0).view(-1, 1, 1, 1), 2 * z - 1, eps.flip(0))
        expected, results = Shared()((now + eps).flatten(0, 1)).view(eps.shape), []
        for number in (1, 2, 7):
            threads(number)
            solver = Shared()
            assert torch.equal(solver.perturb_and_map(now, eps, 1.0, Known(then, 1.0, z)), expected)
            results.append((solver.kept, solver.offered, solver.clamped, solver.seen))
        assert results[0] == results[1] == results[2]
        order = torch.randperm(45, generator=torch.Generator().manual_seed(1))
        solver = Shared()
        masks = solver.perturb_and_map(now[order], eps[order], 1.0, Known(then[order], 1.0, z[order]))
        assert torch.equal(masks, expected[order])
        assert (solver.kept, solver.offered, solver.clamped, solver.seen) == results[0]


class TestErrors:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("number", [1, 2, 7])
    def test_the_first_map_without_a_path(self, kind, number, threads):
        threads(number)
        theta = batch(kind, dtype=torch.float64)
        theta[[23, 40, 44], :, 3] = -torch.inf
        with pytest.raises(ValueError, match=r"walls cut it off from start \(\d+, \d+\) \(map 23 of 45\)"):
            Shared()(theta)

    @pytest.mark.parametrize("number", [1, 2, 7])
    def test_a_map_without_a_path_behind_maps_that_are_kept(self, number, threads):
        threads(number)
        then, eps = batch("continuous").unsqueeze(1), torch.zeros(45, 1, 6, 7)
        now = then.clone()
        now[[31, 38], :, :, 3] = -torch.inf
        with pytest.raises(ValueError, match=r"walls cut it off from start \(\d+, \d+\) \(map 31 of 45\)"):
            Shared().perturb_and_map(now, eps, 1.0, Known(then, 1.0, Shared()(then[:, 0]).unsqueeze(1)))

    @pytest.mark.parametrize("number", [1, 7])
    def test_nan_are_counted_over_threads(self, number, threads):
        threads(number)
        theta = batch("continuous")
        theta[[0, 20, 44], 2, 2] = torch.nan
        with pytest.raises(ValueError, match="theta: got 3 NaN"):
            Shared()(theta)


class TestKernels:
    """Which of the kernels is asked, by size."""

    @pytest.fixture
    def asked(self, monkeypatch):
        return kernel_calls(monkeypatch)

    def test_few_maps_are_solved_one_by_one(self, asked):
        GridPath()(batch("continuous", 7))
        assert asked == [("cheapest_paths", 7)]

    def test_eight_are_solved_side_by_side(self, asked):
        GridPath()(batch("ties", 8))
        assert asked == [("scaled_paths", 8)]

    @pytest.mark.parametrize(
        ("shape", "kernel"),
        [
            ((8, 32, 32), "scaled_paths"),
            ((7, 32, 32), "cheapest_paths"),
            ((8, 64, 64), "scaled_paths"),
            ((7, 64, 64), "cheapest_paths"),
            ((12, 96, 96), "scaled_paths"),
            ((11, 96, 96), "cheapest_paths"),
            ((32, 1, 96**2 + 1), "cheapest_paths"),
        ],
    )
    def test_large_maps_are_solved_side_by_side_if_there_are_many_and_larger_ones_never(self, asked, threads, shape, kernel):
        threads(1)
        Shared()(-torch.ones(shape))
        assert asked == [(kernel, shape[0])]

    @pytest.mark.parametrize(("count", "number", "kernel"), [(24, 2, "scaled_paths"), (24, 4, "cheapest_paths")])
    def test_maps_are_solved_one_by_one_where_threads_make_that_sooner(self, asked, threads, count, number, kernel):
        threads(number)
        Shared()(-torch.ones((count, 64, 64)))
        assert {name for name, _ in asked} == {kernel}
        assert sum(size for _, size in asked) == count

    def test_what_one_form_leaves_goes_to_the_next(self, asked):
        costs = np.full((16, 3, 4), 50.0)
        costs[:, 1, [0, 3]] = costs[:, 0, 1:3] = costs[:, 2, 1:3] = 1.1
        costs[:, 2, 1] -= 2.0**-52
        costs[8:, 1, 0], costs[8:, 0, 1:3], costs[8:, 2, 1:3] = 1e-4, 1e17, 1e17
        costs[8:, 1, 1:] = 1e17, 1e17, 1e-4
        theta = -torch.from_numpy(costs)
        masks = GridPath(start=(1, 0), goal=(1, 3))(theta)
        assert [name for name, _ in asked] == ["scaled_paths", "exact_paths", "cheapest_paths"]
        assert [count for _, count in asked] == [16, 16, 8]
        assert torch.equal(masks, GridPath(start=(1, 0), goal=(1, 3), engine="networkx")(theta))

    @pytest.mark.parametrize("count", [32, 160])
    def test_what_takes_too_many_visits_is_not_tried_again(self, asked, threads, count):
        threads(1)
        rng = np.random.default_rng(4)
        theta = -torch.from_numpy(np.exp(rng.normal(0, 4, (count, 64, 64))))
        masks = Shared()(theta)
        assert asked == [("scaled_paths", count), ("cheapest_paths", count)]
        assert torch.equal(masks, torch.cat([Shared()(row[None]) for row in theta]))


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.sampled_from([4, 8]))
def test_any_split_gives_the_same(seed, size, moves):
    rng = np.random.default_rng(seed)
    scale = rng.choice([1e-4, 1.0, 1e9, 1e16], (20, 1, 1))
    theta = -torch.from_numpy(rng.choice([1.0, 1.1, 2.0, 1e-4, 3e7], (20, 4, 5)) * scale)
    solver = GridPath(moves=moves)
    together = solver(theta)
    assert torch.equal(torch.cat([GridPath(moves=moves)(part) for part in theta.split(size)]), together)
    assert torch.equal(together, GridPath(moves=moves, engine="networkx")(theta))
