"""Perturbed grid paths without the sum in memory: equal to the bit to the solver called with the sum."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grids import SideBySide as GridPath
from imle_core.contracts import Known

TYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def plain(solver, theta, eps, temperature):
    return solver((theta + temperature * eps).flatten(0, 1)).view(eps.shape)


def drawn(seed, *shape, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def both_ways(theta, eps, temperature, **options):
    """What the method and the plain call give: masks and counts, or the error."""
    found = []
    for solve in (GridPath.perturb_and_map, plain):
        solver = GridPath(**options)
        try:
            masks = solve(solver, theta, eps, temperature)
        except ValueError as error:
            found.append(str(error))
        else:
            assert masks.dtype == theta.dtype
            found.append((masks.tolist(), solver.clamped, solver.seen, solver.kept, solver.offered))
    return found


class TestEquality:
    @pytest.mark.slow
    @settings(max_examples=60, deadline=None)
    @given(
        st.integers(0, 2**32 - 1),
        st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 6), st.integers(1, 6)),
        st.booleans(),
        st.sampled_from(TYPES),
        st.sampled_from([0.0, 0.5, 1.0, 1 / 3, 1e-8, 1e6]),
        st.sampled_from([4, 8]),
    )
    def test_to_the_bit(self, seed, shape, is_shared, dtype, temperature, moves):
        theta = drawn(seed, *((shape[0], 1, *shape[2:]) if is_shared else shape), dtype=dtype) - 1.5
        one, other = both_ways(theta, drawn(seed + 1, *shape, dtype=dtype), temperature, moves=moves)
        assert one == other

    @pytest.mark.slow
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_sums_round_in_two_steps(self, dtype):
        # A fused product and sum rounds once; on routes that tie but for that, it would take another one.
        generator = torch.Generator().manual_seed(0)
        theta, eps = torch.full((8, 1, 3, 6), -torch.inf, dtype=dtype), torch.zeros(8, 30, 3, 6, dtype=dtype)
        theta[..., 1, [0, 5]] = -1.0
        route = torch.rand(8, 1, 4, generator=generator, dtype=dtype) + 1
        noise = torch.rand(8, 30, 4, generator=generator, dtype=dtype)
        temperature = 1 / 3
        theta[..., 0, 1:5], eps[..., 0, 1:5] = -route, noise
        theta[..., 2, 1:5], eps[..., 2, 1:5] = -route, noise
        # The lower route has the rounded products as its noise, at the temperature of 1 that is then left.
        plain_sum = theta + temperature * eps
        one, other = both_ways(theta, eps, temperature, start=(1, 0), goal=(1, 5))
        assert one == other
        reference = GridPath(start=(1, 0), goal=(1, 5), engine="networkx")(plain_sum.flatten(0, 1))
        assert one[0] == reference.view(eps.shape).tolist()

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_clamped_costs_to_the_bit(self, dtype):
        # All costs near the floor: what lies on which side of it depends on the last place of a sum.
        theta = drawn(1, 6, 1, 5, 5, dtype=dtype) * 1e-4
        one, other = both_ways(theta, drawn(2, 6, 9, 5, 5, dtype=dtype), 1e-4 / 3)
        assert one == other
        assert 0 < one[1] < one[2]

    @pytest.mark.parametrize("dtype", TYPES)
    def test_layouts_do_not_matter(self, dtype):
        theta, eps = drawn(3, 4, 6, 5, 2, dtype=dtype) - 1, drawn(4, 3, 4, 6, 5, dtype=dtype)
        layouts = [
            (theta.permute(0, 3, 1, 2)[:, :1], eps.permute(1, 0, 3, 2).transpose(2, 3)),
            (theta.permute(0, 3, 2, 1)[:, 1:], eps.permute(1, 0, 3, 2)),
            (theta[..., :1].permute(0, 3, 1, 2).expand(4, 3, 6, 5), eps.transpose(0, 1)),
            (theta.permute(0, 3, 1, 2)[:, :1, ::2], eps.transpose(0, 1)[:, :, ::2]),
        ]
        for theta_now, eps_now in layouts:
            assert not eps_now.is_contiguous()
            one, other = both_ways(theta_now, eps_now, 0.7)
            assert one == other
            assert one == both_ways(theta_now.contiguous(), eps_now.contiguous(), 0.7)[0]

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_walls_stay_walls(self, dtype):
        theta = drawn(5, 5, 1, 5, 6, dtype=dtype) - 2
        theta[:, :, 2, 1:5] = theta[1:3, :, 1:4, 0] = -torch.inf
        one, other = both_ways(theta, drawn(6, 5, 7, 5, 6, dtype=dtype), 1.0)
        assert one == other
        assert one[2] < 5 * 7 * 30

    @pytest.mark.parametrize("engine", ["networkx", "torch"])
    def test_other_engines_have_it_too(self, engine):
        theta, eps = drawn(7, 2, 1, 4, 4), drawn(8, 2, 3, 4, 4)
        assert torch.equal(GridPath(engine=engine).perturb_and_map(theta, eps, 0.5), plain(GridPath(), theta, eps, 0.5))

    @pytest.mark.parametrize("shapes", [((3, 1), (3, 0)), ((0, 1), (0, 4)), ((0, 4), (0, 4)), ((3, 0), (3, 0))])
    def test_nothing_to_solve(self, shapes):
        theta, eps = (torch.zeros(*shape, 3, 4) for shape in shapes)
        solver = GridPath()
        assert solver.perturb_and_map(theta, eps, 1.0).shape == eps.shape
        assert (solver.clamped, solver.seen) == (0, 0)

    def test_no_gradient_and_no_change_of_the_input(self):
        theta, eps = drawn(9, 2, 1, 4, 4).requires_grad_(), drawn(10, 2, 8, 4, 4)
        before = theta.detach().clone(), eps.clone()
        assert not GridPath().perturb_and_map(theta, eps, 1.0).requires_grad
        assert torch.equal(theta, before[0])
        assert torch.equal(eps, before[1])


class TestSubclasses:
    @pytest.mark.parametrize("dtype", TYPES)
    def test_an_own_call_is_honoured(self, dtype):
        class Reversed(GridPath):
            def __call__(self, theta):
                return super().__call__(theta.flip(-1)).flip(-1)

        theta, eps = drawn(11, 3, 1, 4, 5, dtype=dtype) - 1, drawn(12, 3, 4, 4, 5, dtype=dtype)
        masks = Reversed().perturb_and_map(theta, eps, 0.5)
        assert torch.equal(masks, plain(Reversed(), theta, eps, 0.5))
        assert (masks[..., 0, -1] == 1).all()
        assert (masks[..., -1, 0] == 1).all()

    def test_one_that_keeps_the_call_is_as_fast_and_equal(self):
        class Named(GridPath):
            name = "mine"

        theta, eps = drawn(13, 3, 1, 4, 5), drawn(14, 3, 4, 4, 5)
        assert torch.equal(Named().perturb_and_map(theta, eps, 0.5), plain(GridPath(), theta, eps, 0.5))


class TestErrors:
    def spoilt(self, number, *places):
        theta = torch.full((4, 1, 3, 3), -1.0)
        for place in places:
            theta[place] = number
        return theta

    def assert_refused(self, theta, eps, message):
        one, other = both_ways(theta, eps, 1.0)
        assert one == other == message

    def test_a_wall_on_an_end(self):
        theta = self.spoilt(-torch.inf, (2, 0, 2, 2), (3, 0, 0, 0))
        found = "start: got tile (0, 0); it is a wall (map 15 of 20); choose a passable tile"
        self.assert_refused(theta, drawn(15, 4, 5, 3, 3), found)
        theta = self.spoilt(-torch.inf, (2, 0, 2, 2), (3, 0, 2, 2))
        found = "goal: got tile (2, 2); it is a wall (map 10 of 20); choose a passable tile"
        self.assert_refused(theta, drawn(16, 4, 5, 3, 3), found)

    def test_a_wall_on_an_end_of_one_sample(self):
        theta = torch.full((4, 5, 3, 3), -1.0)
        theta[2, 3, 2, 2] = -torch.inf
        found = "goal: got tile (2, 2); it is a wall (map 13 of 20); choose a passable tile"
        self.assert_refused(theta, drawn(17, 4, 5, 3, 3), found)

    def test_walls_that_cut_off(self):
        theta = self.spoilt(-torch.inf, (slice(1, 3), 0, 1))
        found = "goal: got tile (2, 2); walls cut it off from start (0, 0) (map 5 of 20); open a way or move one of them"
        self.assert_refused(theta, drawn(18, 4, 5, 3, 3), found)

    def test_nan_in_theta_count_once_a_sample(self):
        theta = self.spoilt(torch.nan, (1, 0, 1, 1), (3, 0, 0))
        found = "theta: got 20 NaN; a grid path needs numbers; use -inf for a wall"
        self.assert_refused(theta, drawn(19, 4, 5, 3, 3), found)

    def test_nan_in_the_noise(self):
        eps = drawn(20, 4, 5, 3, 3)
        eps[1, 2, 0, :2] = torch.nan
        self.assert_refused(self.spoilt(0), eps, "theta: got 2 NaN; a grid path needs numbers; use -inf for a wall")

    def test_infinite_noise_at_temperature_zero_is_nan(self):
        eps = torch.zeros(4, 5, 3, 3)
        eps[0, 0, 1, 1] = torch.inf
        assert both_ways(self.spoilt(0), eps, 0.0)[0].startswith("theta: got 1 NaN")

    @pytest.mark.parametrize(("tile", "name"), [((0, 0), "start"), ((2, 2), "goal")])
    def test_noise_that_makes_a_wall_of_an_end(self, tile, name):
        eps = torch.zeros(4, 5, 3, 3)
        eps[1, 3][tile] = -torch.inf
        found = f"{name}: got tile {tile}; it is a wall (map 8 of 20); choose a passable tile"
        self.assert_refused(self.spoilt(0), eps, found)

    def test_shapes(self):
        with pytest.raises(ValueError, match=re.escape("goal: got tile (5, 5); it is outside the map of 3 x 3")):
            GridPath(goal=(5, 5)).perturb_and_map(self.spoilt(0), drawn(21, 4, 5, 3, 3), 1.0)


def test_parameters_that_are_no_maps_get_the_message_of_the_plain_call():
    message = r"^theta: got shape \(6, 5\); a grid path needs \(N, H, W\); use theta.unsqueeze\(0\) for one map$"
    for theta, eps in ((torch.zeros(2, 1, 5), torch.zeros(2, 3, 5)), (torch.zeros(2, 3, 5), None)):
        with pytest.raises(ValueError, match=message):
            GridPath().perturb_and_map(theta, eps, 1.0)


class TestUnlikeTensors:
    """Those that a kernel cannot add are added by torch, under its rules, or refused."""

    @pytest.mark.parametrize("types", [(torch.float64, torch.float32), (torch.float32, torch.float64)], ids=str)
    def test_types_that_differ(self, types):
        theta, eps = drawn(0, 2, 1, 5, 5, dtype=types[0]) - 3, drawn(1, 2, 3, 5, 5, dtype=types[1])
        z = GridPath().perturb_and_map(theta, eps, 0.7)
        assert z.dtype == theta.dtype
        assert torch.equal(z, plain(GridPath(), theta, eps, 0.7).to(theta))

    @pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
    def test_integers_are_added_exactly(self, dtype):
        high = 2**24
        costs = torch.tensor([[[[0, high + 1, 0], [high, 0, 0], [0, 0, 0]]]]).to(dtype)
        z = GridPath(moves=4, goal=(1, 1)).perturb_and_map(-costs, torch.zeros(1, 2, 3, 3), 1.0)
        assert z.dtype == dtype
        assert z[0].tolist() == [[[1, 0, 0], [1, 1, 0], [0, 0, 0]]] * 2

    def test_one_instance_with_a_theta_for_each_sample(self):
        theta, eps = drawn(0, 1, 3, 5, 5) - 3, drawn(1, 2, 3, 5, 5)
        assert torch.equal(GridPath().perturb_and_map(theta, eps, 0.7), plain(GridPath(), theta, eps, 0.7))

    def test_numbers_of_instances_that_do_not_fit(self):
        with pytest.raises(RuntimeError, match="must match"):
            GridPath().perturb_and_map(drawn(0, 3, 1, 5, 5), drawn(1, 2, 3, 5, 5), 0.7)

    @pytest.mark.parametrize("change", ["types", "theta's type", "z's type", "theta's shape", "z's shape", "one instance"])
    def test_what_is_known_of_unlike_ones_is_solved_anew(self, change):
        theta, eps = drawn(0, 2, 1, 5, 5) - 3, drawn(1, 2, 3, 5, 5)
        solver = GridPath()
        z = solver.perturb_and_map(theta, eps, 0.7)
        known = {
            "types": Known(theta.double(), 0.7, z.double()),
            "theta's type": Known(theta.double(), 0.7, z),
            "z's type": Known(theta, 0.7, z.double()),
            "theta's shape": Known(theta[:, 0], 0.7, z),
            "z's shape": Known(theta, 0.7, z[:, :2]),
            "one instance": Known(theta[:1], 0.7, z),
        }
        assert torch.equal(solver.perturb_and_map(theta, eps, 0.7, known[change]), z)
        assert (solver.kept, solver.offered) == (0, 0)

    def test_one_theta_for_all_samples_beside_one_for_each(self):
        theta, eps = drawn(0, 2, 1, 5, 5) - 3, drawn(1, 2, 3, 5, 5)
        solver, each = GridPath(), theta.expand(eps.shape)
        z = solver.perturb_and_map(theta, eps, 0.7)
        for now, then in ((theta, each), (each, theta)):
            assert torch.equal(solver.perturb_and_map(now, eps, 0.7, Known(then, 0.7, z)), z)
        assert solver.kept == solver.offered == 12
