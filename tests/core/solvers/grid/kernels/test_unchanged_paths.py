"""Solutions that are kept: equal to those of solving anew for every kind of change, and kept where that is clear."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grids import SideBySide as GridPath
from imle_core import GumbelNoiseDistribution, SumOfGammaNoiseDistribution, TargetDistribution, imle
from imle_core.contracts import Known

LAST_PLACE = 2.0**-52


def continuous(rng, shape):
    return rng.uniform(0.05, 9, shape)


def ties(rng, shape):
    return rng.integers(1, 4, shape).astype(float)


def clamped(rng, shape):
    return rng.normal(size=shape)


def lost(rng, shape):
    return rng.choice([1e-4, 1e16], shape)


def mixed(rng, shape):
    return rng.choice([1e-4, 1.0, 3.0, 1e5, 1e9, 1e16, 1e30], shape)


def walled(rng, shape):
    costs = np.where(rng.random(shape) < 0.15, np.inf, rng.integers(1, 4, shape))
    costs[:, 0, :], costs[:, :, -1] = 3, 3
    return costs


def falls_on_the_path(rng, costs, path):
    return costs - path * rng.choice([0.0, 1.0, LAST_PLACE, 100.0], costs.shape)


def rises_off_the_path(rng, costs, path):
    return costs + (1 - path) * rng.choice([0.0, 1.0, LAST_PLACE, 1e-9, 1e-14], costs.shape)


def both_by_anything(rng, costs, path):
    sizes = rng.choice([1e-16, 1e-12, 1e-6, 1.0, 100.0], (len(costs), 1, 1))
    return costs + np.where(path == 1, -rng.random(costs.shape), rng.random(costs.shape)) * sizes


def all_others_rise_by_nearly_nothing(rng, costs, path):
    steps = rng.choice([1, 2, 8, 64, 1024], (len(costs), 1, 1))
    return costs + (1 - path) * costs * LAST_PLACE * steps


def the_path_falls_to_the_floor_and_all_others_rise(rng, costs, path):
    return np.where(path == 1, rng.choice([-5.0, 1e-4, 1e-7], costs.shape), costs + 1)


def anything(rng, costs, path):  # noqa: ARG001
    return costs + rng.choice([-1.0, 0.0, 1.0, LAST_PLACE], costs.shape)


def nothing(rng, costs, path):  # noqa: ARG001
    return costs


def one_tile(rng, costs, path):  # noqa: ARG001
    changed = costs.copy()
    at = rng.integers(0, costs[0].size, len(costs))
    changed.reshape(len(costs), -1)[np.arange(len(costs)), at] += rng.choice([-2.0, -1.0, LAST_PLACE, 1.0], len(costs))
    return changed


def walls_close_off_the_path(rng, costs, path):
    return np.where((path == 0) & (rng.random(costs.shape) < 0.3), np.inf, costs + (1 - path))


def clear_but_for_one(rng, costs, path):
    changed = costs + np.where(path == 1, -1, 1)
    others = np.argwhere(path == 0)
    if len(others):
        place = tuple(others[rng.integers(len(others))])
        changed[place] = costs[place] - rng.choice([0.0, 1e-9, 1.0])
    return changed


KINDS = [continuous, ties, clamped, lost, mixed, walled]
CHANGES = [
    falls_on_the_path,
    rises_off_the_path,
    both_by_anything,
    all_others_rise_by_nearly_nothing,
    the_path_falls_to_the_floor_and_all_others_rise,
    anything,
    nothing,
    one_tile,
    walls_close_off_the_path,
    clear_but_for_one,
]


def as_theta(costs, dtype):
    return -torch.from_numpy(costs).to(dtype)


def solved_again(now, then, eps, temperature=1.0, before=1.0, solver=None):
    """Masks for the parameters now, given those of the parameters then; and the solver."""
    solver = solver or GridPath()
    known = Known(then, before, GridPath(moves=solver.moves)((then + before * eps).flatten(0, 1)).view(eps.shape))
    z = known.z.clone()
    masks = solver.perturb_and_map(now, eps, temperature, known)
    assert torch.equal(known.z, z)
    return masks, solver


class TestEquality:
    @pytest.mark.slow
    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    @pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
    @settings(max_examples=5, deadline=None)
    @given(
        st.integers(0, 2**32 - 1),
        st.tuples(st.integers(1, 12), st.integers(1, 5), st.integers(1, 6)),
        st.sampled_from([4, 8]),
        st.sampled_from([torch.float32, torch.float64]),
    )
    def test_to_the_tile(self, kind, change, seed, shape, moves, dtype):
        rng = np.random.default_rng(seed)
        costs = kind(rng, shape)
        costs[:, [0, -1], [0, -1]] = 1.0
        then = as_theta(costs, dtype)
        path = GridPath(moves=moves)(then).double().numpy()
        now = as_theta(change(rng, then.neg().double().numpy(), path), dtype).unsqueeze(1)
        masks, _ = solved_again(now, then.unsqueeze(1), torch.zeros_like(now), solver=GridPath(moves=moves))
        assert torch.equal(masks[:, 0], GridPath(moves=moves, engine="networkx")(now[:, 0]))

    @settings(max_examples=30, deadline=None)
    @given(
        st.integers(0, 2**32 - 1),
        st.sampled_from([0.0, 0.5, 1.0]),
        st.sampled_from([0.0, 0.5, 1.0]),
        st.booleans(),
        st.sampled_from([torch.float32, torch.float64]),
    )
    def test_with_noise_at_any_temperatures(self, seed, temperature, before, is_whole, dtype):
        generator = torch.Generator().manual_seed(seed)
        then, eps = (torch.randn(shape, generator=generator, dtype=dtype) for shape in ((4, 1, 5, 5), (4, 3, 5, 5)))
        dy = torch.randn(4, 3, 5, 5, generator=generator, dtype=dtype)
        if is_whole:
            then, eps, dy = then.round() - 2, eps.round(), dy.round()
        now = then - 2 * dy
        masks, solver = solved_again(now, then, eps, temperature, before)
        assert torch.equal(masks, GridPath()((now + temperature * eps).flatten(0, 1)).view(eps.shape))
        assert solver.offered == 12

    def test_a_path_of_two_routes_that_tie_in_rounded_labels(self):
        # Upper and lower route cost the same up to rounding; the rule takes the upper. After a rise of the upper one by
        # a last place, and a fall of nothing, it may still, or not: the old solution is no proof.
        rng = np.random.default_rng(0)
        costs = np.full((60, 3, 10), np.inf)
        route = rng.choice([0.1, 0.7, 1.3, 2.9], (60, 8))
        costs[:, 1, [0, 9]], costs[:, 0, 1:9], costs[:, 2, 1:9] = 1.0, route, rng.permuted(route, axis=1)
        options = {"start": (1, 0), "goal": (1, 9)}
        then = as_theta(costs, torch.float64)
        z = GridPath(**options)(then)
        for rise in (0.0, 1e-16, 2e-16, 1e-15, 1e-14):
            now = as_theta(costs + (1 - z.numpy()) * rise, torch.float64)
            known = Known(then.unsqueeze(1), 1.0, z.unsqueeze(1))
            masks = GridPath(**options).perturb_and_map(now.unsqueeze(1), torch.zeros_like(now.unsqueeze(1)), 1.0, known)
            assert torch.equal(masks[:, 0], GridPath(engine="networkx", **options)(now))


class TestCounts:
    def problem(self, count=20, dtype=torch.float32):
        then = -as_theta(continuous(np.random.default_rng(1), (count, 6, 6)), dtype).abs() - 2
        return then.unsqueeze(1), GridPath()(then).unsqueeze(1), torch.zeros(count, 1, 6, 6, dtype=dtype)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_the_clear_case_is_kept_without_solving(self, dtype):
        then, z, eps = self.problem(dtype=dtype)
        masks, solver = solved_again(then + torch.where(z == 1, 1.0, -1.0), then, eps)
        assert torch.equal(masks, z)
        assert (solver.kept, solver.offered, solver.seen) == (20, 20, 0)

    def test_it_is_kept_where_the_path_does_not_change(self):
        then, z, eps = self.problem()
        _, solver = solved_again(then - (1 - z), then, eps)
        assert solver.kept == 20

    def test_no_change_is_kept(self):
        then, _, eps = self.problem()
        _, solver = solved_again(then.clone(), then, eps)
        assert (solver.kept, solver.offered) == (20, 20)

    @pytest.mark.parametrize("fall", [0.0, 1e-3, 1.0])
    def test_one_cost_off_the_path_that_does_not_rise_is_enough_to_solve(self, fall):
        then, z, eps = self.problem()
        now = then + torch.where(z == 1, 1.0, -1.0)
        off = [tuple(torch.nonzero(z[n, 0] == 0)[5].tolist()) for n in range(20)]
        for n, (row, column) in enumerate(off):
            now[n, 0, row, column] = then[n, 0, row, column] + fall
        masks, solver = solved_again(now, then, eps)
        assert (solver.kept, solver.offered, solver.seen) == (0, 20, 20 * 36)
        assert torch.equal(masks[:, 0], GridPath(engine="networkx")(now[:, 0]))

    def test_one_unchanged_and_another_that_falls(self):
        then, z, eps = self.problem()
        now = then + torch.where(z == 1, 1.0, -1.0)
        for n in range(20):
            one, other = torch.nonzero(z[n, 0] == 0)[[3, 11]].tolist()
            now[n, 0, one[0], one[1]] = then[n, 0, one[0], one[1]]
            now[n, 0, other[0], other[1]] = then[n, 0, other[0], other[1]] + 1
        masks, solver = solved_again(now, then, eps)
        assert solver.kept == 0
        assert torch.equal(masks[:, 0], GridPath(engine="networkx")(now[:, 0]))

    def test_one_cost_on_the_path_that_rises_is_enough_to_solve(self):
        then, z, eps = self.problem()
        now = then + torch.where(z == 1, 1.0, -1.0)
        now[:, 0, -1, -1] = then[:, 0, -1, -1] - 1e-3
        _, solver = solved_again(now, then, eps)
        assert solver.kept == 0

    def test_a_rise_below_the_floor_is_none(self):
        # Both costs of the tile are clamped to the floor: it did not become dearer.
        then, z, eps = self.problem()
        off = [tuple(torch.nonzero(z[n, 0] == 0)[5].tolist()) for n in range(20)]
        now = then + torch.where(z == 1, 0.5, -1.0)
        for n, (row, column) in enumerate(off):
            then[n, 0, row, column], now[n, 0, row, column] = 3.0, 2.0
        z = GridPath()(then[:, 0])
        assert all(z[n][off[n]] in (0, 1) for n in range(20))
        masks, solver = solved_again(now, then, eps)
        assert solver.kept < 20
        assert torch.equal(masks[:, 0], GridPath(engine="networkx")(now[:, 0]))

    def test_only_some_of_a_batch_are_kept_and_counted(self):
        then, z, eps = self.problem()
        now = then + torch.where(z == 1, 1.0, -1.0)
        now[1::3] = then[1::3] - torch.where(z[1::3] == 1, 1.0, -1.0)
        masks, solver = solved_again(now, then, eps)
        assert (solver.kept, solver.offered, solver.seen) == (13, 20, 7 * 36)
        assert torch.equal(masks[:, 0], GridPath(engine="networkx")(now[:, 0]))

    def test_nothing_is_offered_without_known_solutions(self):
        then, _, eps = self.problem()
        solver = GridPath()
        solver.perturb_and_map(then, eps, 1.0)
        assert (solver.kept, solver.offered) == (0, 0)

    def test_walls_that_stay_are_no_obstacle_and_new_ones_are_a_rise(self):
        then, z, eps = self.problem()
        wall = torch.zeros(6, 6, dtype=torch.bool)
        wall[1:3, 4], wall[4, 1] = True, True
        then = then.masked_fill(wall, -torch.inf)
        z = GridPath()(then[:, 0]).unsqueeze(1)
        now = then + torch.where(z == 1, 1.0, -1.0)
        assert solved_again(now, then, eps)[1].kept == 20
        now[z == 0] = -torch.inf
        assert solved_again(now, then, eps)[1].kept == 20
        opened = torch.where(then == -torch.inf, -1.0, now)
        assert solved_again(opened, then, eps)[1].kept == 0

    def test_costs_that_are_lost_in_the_path_s_sum_are_no_proof(self):
        costs = np.array([[[1.0, 1e18], [2.0, 1e18]]])
        then = as_theta(costs, torch.float64).unsqueeze(1)
        z = GridPath()(then[:, 0]).numpy()
        now = as_theta(costs + np.where(z == 1, 0, 1e18), torch.float64).unsqueeze(1)
        masks, solver = solved_again(now, then, torch.zeros_like(now))
        assert solver.kept == 0
        assert torch.equal(masks[:, 0], GridPath(engine="networkx")(now[:, 0]))


class TestLayers:
    @pytest.mark.slow
    @pytest.mark.parametrize("temperatures", [(1.0, 1.0), (1.0, 0.5), (0.5, 1.0), (0.0, 1.0), (1.0, 0.0)])
    @pytest.mark.parametrize("noise", [GumbelNoiseDistribution, lambda: SumOfGammaNoiseDistribution(10.0, 100)])
    @pytest.mark.parametrize("difference", ["forward", "central"])
    def test_gradients_equal_those_of_a_plain_function_to_the_bit(self, temperatures, noise, difference):
        theta = -1 - 3 * torch.rand(3, 6, 7, generator=torch.Generator().manual_seed(2))
        weights = torch.randn(21, 6, 7, generator=torch.Generator().manual_seed(3))
        solver, found = GridPath(), []
        for function in (solver, lambda theta: GridPath()(theta)):
            parameters = theta.clone().requires_grad_()
            generator = torch.Generator().manual_seed(4)
            target = TargetDistribution(1.0, 10.0)
            settings = {"difference": difference, "generator": generator}
            states = imle(function, target, noise(), 7, *temperatures, **settings)(parameters)
            (states * weights).sum().backward()
            found.append((states.detach(), parameters.grad))
        assert torch.equal(found[0][0], found[1][0])
        assert torch.equal(found[0][1], found[1][1])
        assert found[0][1].any()
        assert solver.offered == (42 if difference == "central" else 21)

    def test_a_loss_that_pulls_to_the_states_themselves_is_kept(self):
        solver = GridPath()
        theta = (-1 - 3 * torch.rand(3, 6, 7, generator=torch.Generator().manual_seed(5))).requires_grad_()
        states = imle(solver, TargetDistribution(1.0, 10.0), GumbelNoiseDistribution(), 7)(theta)
        (states * (1 - 2 * states.detach())).sum().backward()
        assert (solver.kept, solver.offered) == (21, 21)
        assert not theta.grad.any()

    def test_walls_stay(self):
        theta = -1 - 3 * torch.rand(3, 6, 7, generator=torch.Generator().manual_seed(6))
        theta[:, 2, 1:6] = -torch.inf
        weights, found = torch.randn(21, 6, 7, generator=torch.Generator().manual_seed(7)), []
        for function in (GridPath(), lambda theta: GridPath()(theta)):
            parameters = theta.clone().requires_grad_()
            generator = torch.Generator().manual_seed(8)
            layer = imle(function, TargetDistribution(1.0, 10.0), GumbelNoiseDistribution(), 7, generator=generator)
            (layer(parameters) * weights).sum().backward()
            found.append(parameters.grad)
        assert torch.equal(*found)
        assert not found[0][:, 2, 1:6].any()
