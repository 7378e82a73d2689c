"""Grid paths: brute force, the tie rule, engines that agree to the tile, domain, batches, errors."""

import itertools
import re

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from grids import Shared
from imle_core.contracts import Known
from imle_core.solvers import GridPath
from seeded import seeded, table
from threads import torch_threads

ENGINES = ["compiled", "networkx", "torch"]
EIGHT = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0)]
FOUR = [(-1, 0), (0, -1), (0, 1), (1, 0)]
STEPS = {4: FOUR, 8: EIGHT}


def neighbours(tile, shape, moves):
    around = ((tile[0] + down, tile[1] + right) for down, right in STEPS[moves])
    return [(row, column) for row, column in around if 0 <= row < shape[0] and 0 <= column < shape[1]]


def solve(costs, **options):
    theta = torch.from_numpy(-np.asarray(costs, dtype=np.float64))[None]
    return GridPath(**options)(theta)[0].numpy()


def every_path(costs, moves, start, goal):
    """All simple paths that avoid walls, by depth-first search."""
    stack = [[start]]
    while stack:
        path = stack.pop()
        if path[-1] == goal:
            yield path
            continue
        around = neighbours(path[-1], costs.shape, moves)
        stack += [[*path, tile] for tile in around if tile not in path and costs[tile] < np.inf]


def plain_path(costs, moves, start, goal):
    """The rule itself: labels by relaxation until nothing changes, then back to the first smaller, exact predecessor."""
    labels = np.full(costs.shape, np.inf)
    labels[start] = 0.0
    changed = True
    while changed:
        changed = False
        for tile in np.ndindex(*costs.shape):
            if tile != start:
                best = min((labels[other] + costs[tile] for other in neighbours(tile, costs.shape, moves)), default=np.inf)
                if best < labels[tile]:
                    labels[tile], changed = best, True
    if labels[goal] == np.inf:
        return None
    path = [goal]
    while path[-1] != start:
        tile = path[-1]
        around = neighbours(tile, costs.shape, moves)
        lower = [other for other in around if labels[other] < labels[tile] and labels[other] + costs[tile] == labels[tile]]
        if not lower:
            return "plateau"
        path.append(min(lower))
    return path


def mask_of(path, shape):
    mask = np.zeros(shape)
    mask[tuple(np.transpose(path))] = 1
    return mask


def common(rng):
    return rng.choice([rng.choice([1.0, 2.0, 3.0]), rng.uniform(0.01, 9.0), np.inf])


def problems(longest=7, values=common):
    """Costs, moves, start and goal, neither of them a wall."""

    def make(rng):
        costs = table(rng, values, rng.randint(1, longest), rng.randint(1, longest))
        tiles = [tuple(tile) for tile in np.argwhere(costs < np.inf).tolist()]
        assume(tiles)
        return costs, rng.choice([4, 8]), rng.choice(tiles), rng.choice(tiles)

    return seeded(make)


class TestOptimality:
    @pytest.mark.slow
    @settings(max_examples=150, deadline=None)
    @given(problems(3), st.sampled_from(ENGINES))
    def test_no_path_is_cheaper(self, problem, engine):
        costs, moves, start, goal = problem
        paths = list(every_path(costs, moves, start, goal))
        assume(paths)
        mask = solve(costs, moves=moves, start=start, goal=goal, engine=engine)
        assert any(np.array_equal(mask, mask_of(path, costs.shape)) for path in paths)
        cheapest = min(sum(costs[tile] for tile in path) for path in paths)
        assert costs[mask == 1].sum() == pytest.approx(cheapest, rel=1e-12)

    @pytest.mark.slow
    @settings(max_examples=150, deadline=None)
    @given(problems(), st.sampled_from(ENGINES))
    def test_ties_go_to_the_smallest_predecessor_in_row_major_order(self, problem, engine):
        costs, moves, start, goal = problem
        path = plain_path(costs, moves, start, goal)
        assume(path not in (None, "plateau"))
        mask = solve(costs, moves=moves, start=start, goal=goal, engine=engine)
        np.testing.assert_array_equal(mask, mask_of(path, costs.shape))

    def test_a_map_of_one_cost(self):
        # Back from the corner along the diagonal: among equal labels the upper left neighbour comes first.
        np.testing.assert_array_equal(solve(np.ones((5, 5))), np.eye(5))
        expected = np.zeros((4, 4))
        expected[0, :] = expected[:, 3] = 1
        np.testing.assert_array_equal(solve(np.ones((4, 4)), moves=4), expected)

    @pytest.mark.slow
    @pytest.mark.parametrize("moves", [4, 8])
    def test_a_large_map_against_scipy(self, moves):
        costs = np.random.default_rng(0).uniform(0.1, 9, (60, 80))
        number = np.arange(60 * 80).reshape(60, 80)
        edges = [
            (number[tile], number[other], costs[other])
            for tile in np.ndindex(60, 80)
            for other in neighbours(tile, (60, 80), moves)
        ]
        rows, columns, weights = zip(*edges, strict=True)
        distance = dijkstra(csr_array((weights, (rows, columns)), shape=(4800, 4800)), indices=0)[-1]
        mask = solve(costs, moves=moves)
        assert (mask * costs).sum() - costs[0, 0] == pytest.approx(distance, rel=1e-12)


class TestEngines:
    def result(self, problem, engine):
        costs, moves, start, goal = problem
        try:
            return solve(costs, moves=moves, start=start, goal=goal, engine=engine).tolist()
        except ValueError as error:
            return str(error)

    def assert_agreement(self, problem):
        assert self.result(problem, "compiled") == self.result(problem, "networkx") == self.result(problem, "torch")

    @pytest.mark.slow
    @settings(max_examples=150, deadline=None)
    @given(problems())
    def test_they_agree_to_the_tile_and_to_the_word(self, problem):
        self.assert_agreement(problem)

    @pytest.mark.slow
    @settings(max_examples=150, deadline=None)
    @given(problems(values=[1e-4, 1.0, 2.0, 1e16, 1e18, 1e290, np.inf]))
    def test_also_where_rounding_loses_costs(self, problem):
        self.assert_agreement(problem)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_also_on_perturbed_maps_in_a_batch(self, dtype):
        theta = 1.5 * torch.randn(40, 9, 13, generator=torch.Generator().manual_seed(0), dtype=dtype) - 2
        solvers = [GridPath(engine=engine) for engine in ENGINES]
        one, *others = (solver(theta) for solver in solvers)
        assert all(torch.equal(one, other) for other in others)
        for solver in solvers:
            assert solver.clamped == (theta > -1e-4).sum() > 0
            assert solver.seen == theta.numel()


class TestBatches:
    theta = torch.randn(30, 8, 11, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 2

    @pytest.mark.parametrize("engine", ENGINES)
    def test_batched_equals_one_by_one_in_any_order(self, engine):
        solver = GridPath(engine=engine)
        together = solver(self.theta)
        assert torch.equal(torch.cat([solver(row[None]) for row in self.theta]), together)
        assert torch.equal(solver(self.theta.flip(0)), together.flip(0))

    def test_threads_do_not_matter(self):
        results = []
        for threads in (1, 2, 7):
            with torch_threads(threads):
                solver = Shared()
                results.append((solver(self.theta), solver.clamped))
        assert all(torch.equal(results[0][0], masks) and clamped == results[0][1] for masks, clamped in results[1:])

    def test_the_first_map_that_fails_is_named_whatever_the_threads(self):
        theta = self.theta.clone()
        theta[[11, 28], :, 5] = -torch.inf
        for threads in (1, 2, 7):
            with (
                torch_threads(threads),
                pytest.raises(ValueError, match=re.escape("walls cut it off from start (0, 0) (map 11 of 30); open a way")),
            ):
                Shared()(theta)

    def test_no_maps(self):
        assert GridPath()(torch.zeros(0, 3, 4)).shape == (0, 3, 4)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
    @pytest.mark.parametrize("engine", ENGINES)
    def test_types(self, dtype, engine):
        theta = (self.theta[:3] * 4).round().to(dtype)
        masks = GridPath(engine=engine)(theta)
        assert masks.dtype == dtype
        assert torch.equal(masks.double(), GridPath()(theta.double()))

    def test_layout_and_gradients_of_the_input_do_not_matter(self):
        turned = self.theta.transpose(1, 2)
        assert torch.equal(GridPath()(turned), GridPath()(turned.contiguous()))
        assert not GridPath()(self.theta.clone().requires_grad_()).requires_grad

    def test_the_input_is_left_as_it_was(self):
        theta = self.theta.clone()
        GridPath()(theta)
        assert torch.equal(theta, self.theta)


class TestDomain:
    def test_parameters_are_clamped_to_the_floor_and_counted(self):
        solver = GridPath(floor=0.5)
        theta = torch.tensor([[[3.0, -0.4, -2.0], [-0.5, -torch.inf, -1.0], [0.0, -0.6, -1.0]]])
        mask = solver(theta)[0]
        clamped = (-theta[0]).clamp(min=0.5)
        clamped[1, 1] = torch.inf
        np.testing.assert_array_equal(mask, solve(clamped, floor=0.5))
        assert (solver.clamped, solver.seen) == (3, 8)
        solver(theta)
        assert (solver.clamped, solver.seen) == (6, 16)

    @pytest.mark.parametrize("engine", ENGINES)
    def test_costs_above_the_ceiling_are_clamped_and_no_walls(self, engine):
        solver = GridPath(engine=engine)
        theta = torch.full((1, 1, 3), -1e300, dtype=torch.float64)
        assert solver(theta).sum() == 3
        assert solver.clamped == 3

    def test_infinite_gain_is_the_floor(self):
        assert solve(np.array([[1.0, -np.inf, 1.0]])).tolist() == [[1, 1, 1]]


class TestEnds:
    def test_negative_ones_count_from_the_end(self):
        solver = GridPath(start=(-1, 0), goal=(0, -2))
        assert solver.ends(5, 7) == ((4, 0), (0, 5))

    @pytest.mark.parametrize("engine", ENGINES)
    @pytest.mark.parametrize(("shape", "length"), [((1, 1), 1), ((1, 9), 9), ((9, 1), 9), ((3, 8), 8)])
    def test_extreme_shapes(self, shape, length, engine):
        assert solve(np.ones(shape), engine=engine).sum() == length

    @pytest.mark.slow
    @pytest.mark.parametrize("engine", ENGINES)
    @pytest.mark.parametrize("moves", [4, 8])
    @pytest.mark.parametrize("count", [1, 40])
    @pytest.mark.parametrize(("tile", "same"), [((1, 2), (1, -1)), ((0, 0), (0, 0)), ((2, 2), (-1, -1)), ((1, 1), (1, 1))])
    def test_start_and_goal_on_one_tile(self, engine, moves, count, tile, same):
        solver = GridPath(moves, start=tile, goal=same, engine=engine)
        costs = torch.from_numpy(np.random.default_rng(0).uniform(-1, 3, (count, 3, 3)))
        costs[:, 2, 0] = torch.inf
        z = solver(-costs)
        assert z.nonzero().tolist() == [[n, *tile] for n in range(count)]
        assert (solver.clamped, solver.seen) == ((costs < solver.floor).sum(), 8 * count)
        eps = torch.ones(1, count, 3, 3, dtype=torch.float64)
        theta = -costs[None, :1]
        known = Known(theta, 1.0, solver.perturb_and_map(theta, eps, 1.0))
        for state in (known.z, solver.perturb_and_map(theta, eps, 2.0, known)):
            assert torch.equal(state[0], z)
        solver.check_path(z[0].numpy())
        assert solver.path_tiles(z[0].numpy()).tolist() == [list(tile)]

    @pytest.mark.parametrize("engine", ENGINES)
    def test_one_tile_that_is_a_wall(self, engine):
        with pytest.raises(ValueError, match=r"^start: got tile \(1, 1\); it is a wall; choose a passable tile$"):
            solve(np.where(np.eye(3), np.inf, 1.0), start=(1, 1), goal=(1, 1), engine=engine)

    @pytest.mark.parametrize("kind", [list, np.array, torch.tensor, lambda tile: tuple(map(np.uint8, tile))])
    def test_whole_numbers_of_any_type(self, kind):
        solver = GridPath(start=kind([2, 1]), goal=kind([0, 2]))
        assert (solver.start, solver.goal) == ((2, 1), (0, 2))
        assert solver(-torch.ones(1, 3, 3))[0].tolist() == [[0, 0, 1], [0, 1, 0], [0, 1, 0]]

    def test_the_start_s_cost_does_not_matter_to_the_way(self):
        costs = np.random.default_rng(2).uniform(1, 2, (6, 6))
        first = solve(costs)
        costs[0, 0] = 77.0
        np.testing.assert_array_equal(solve(costs), first)


class TestPathTiles:
    @pytest.mark.slow
    @settings(max_examples=200, deadline=None)
    @given(problems(values=[1.0, 2.0, 1e17, 1e18, 1e290]))
    def test_they_lead_from_start_to_goal_over_every_tile_once(self, problem):
        costs, moves, start, goal = problem
        solver = GridPath(moves=moves, start=start, goal=goal)
        mask = solve(costs, moves=moves, start=start, goal=goal)
        tiles = [tuple(tile) for tile in solver.path_tiles(mask).tolist()]
        assert (tiles[0], tiles[-1]) == (start, goal)
        assert sorted(tiles) == sorted(map(tuple, np.argwhere(mask).tolist()))
        assert all(other in neighbours(tile, costs.shape, moves) for tile, other in itertools.pairwise(tiles))

    def test_a_path_that_touches_itself_where_rounding_loses_a_cost(self):
        # 1 + 1e18 equals 2 + 1e18: the detour through the tile of cost 1 is not seen to be dearer.
        solver, mask = GridPath(), np.array([[1, 1], [0, 1]])
        assert solver.path_tiles(mask).tolist() == [[0, 0], [0, 1], [1, 1]]

    @pytest.mark.parametrize(
        "mask",
        [np.zeros((3, 3)), np.ones((12, 12)), np.eye(3)[::-1], np.diag([1, 0, 1]), np.diag([0, 1, 1]), np.diag([1, 1, 0])],
        ids=["nothing", "everything", "other corners", "gap", "no start", "no goal"],
    )
    def test_what_is_no_path_is_refused(self, mask):
        message = r"mask: it is no cheapest path from \(0, 0\) to \(\d+, \d+\) with 8 moves; only tiles of such a path have"
        with pytest.raises(ValueError, match=f"^{message} an order; give what the solver gave$"):
            GridPath().path_tiles(mask)


def walled(row, column, count=1):
    theta = torch.full((count, 3, 3), -1.0)
    theta[-1, row, column] = -torch.inf
    return theta


CUT = torch.tensor([[[-1.0, -torch.inf, -1.0]]])
ERRORS = {
    "moves: got 6; it must be 4 or 8; use 8 for diagonal steps": lambda: GridPath(moves=6),
    "floor: got 0.0; it must be > 0 and finite; the usual value is 1e-4": lambda: GridPath(floor=0.0),
    "floor: got nan; it must be > 0 and finite; the usual value is 1e-4": lambda: GridPath(floor=float("nan")),
    "start: got (0.5, 1); it must be a row and a column, whole numbers; give (0, 0) for instance": lambda: GridPath(
        start=(0.5, 1)
    ),
    "goal: got (1, 2, 3); it must be a row and a column, whole numbers; give (0, 0) for instance": lambda: GridPath(
        goal=(1, 2, 3)
    ),
    "goal: got 7; it must be a row and a column, whole numbers; give (0, 0) for instance": lambda: GridPath(goal=7),
    "engine: got 'fast'; it must be one of 'compiled', 'networkx', 'torch'; use 'compiled' for instance": lambda: GridPath(
        engine="fast"
    ),
    "theta: got shape (3, 3); a grid path needs (N, H, W); use theta.unsqueeze(0) for one map": lambda: GridPath()(
        torch.zeros(3, 3)
    ),
    "theta: got shape (1, 0, 3); a grid path needs (N, H, W); use theta.unsqueeze(0) for one map": lambda: GridPath()(
        torch.zeros(1, 0, 3)
    ),
    "theta: got 2 NaN; a grid path needs numbers; use -inf for a wall": lambda: GridPath()(
        torch.tensor([[[torch.nan, torch.nan, 0.0]]])
    ),
    "start: got tile (3, 0); it is outside the map of 3 x 3; rows and columns count from 0": lambda: GridPath(start=(3, 0))(
        torch.zeros(1, 3, 3)
    ),
    "goal: got tile (0, -4); it is outside the map of 3 x 3; rows and columns count from 0": lambda: GridPath(goal=(0, -4))(
        torch.zeros(1, 3, 3)
    ),
    "start: got tile (0, 0); it is a wall; choose a passable tile": lambda: GridPath()(walled(0, 0)),
    "goal: got tile (2, 2); it is a wall (map 4 of 5); choose a passable tile": lambda: GridPath()(walled(2, 2, 5)),
    "goal: got tile (0, 2); walls cut it off from start (0, 0); open a way or move one of them": lambda: GridPath()(CUT),
    "goal: got tile (0, 2); walls cut it off from start (0, 0) (map 1 of 2); open a way or move one of them": lambda: (
        GridPath(engine="networkx")(torch.cat([torch.zeros(1, 1, 3), CUT]))
    ),
}


@pytest.mark.parametrize("message", ERRORS)
def test_errors(message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ERRORS[message]()


def test_repr():
    assert repr(GridPath(moves=4, goal=(1, 2))) == "GridPath(moves=4, start=None, goal=(1, 2), engine='compiled')"
