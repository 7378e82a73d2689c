"""Numbers at the ends of their types: signs of zero, the largest and smallest, floors, infinities; right in every solver."""

import itertools
import math

import networkx as nx
import numpy as np
import pytest
import torch

from imle_core.solvers import (
    AcyclicGridPath,
    ArgMax,
    Assignment,
    GridPath,
    IntegerProgram,
    Knapsack,
    Matching,
    MinCut,
    Ranking,
    ShortestPath,
    SpanningTree,
    TopK,
)

INF = math.inf
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
ENGINES = ["compiled", "torch", "networkx"]
DIAMOND = [("a", "b"), ("b", "d"), ("a", "c"), ("c", "d")]


@pytest.mark.slow
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_zeros_of_either_sign_tie(solver_and_shape, dtype):
    solver, shape = solver_and_shape
    draw = torch.Generator().manual_seed(0)
    for share in (0.0, 0.5):
        theta = -(torch.rand(shape, generator=draw) < share).to(dtype) + 0.0
        signed = torch.where(torch.rand(shape, generator=draw) < 0.5, -theta.abs(), theta)
        assert signed.signbit().logical_xor(theta.signbit()).any()
        assert torch.equal(signed, theta)
        assert torch.equal(solver(signed), solver(theta))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("count", [1, 40])
def test_zeros_of_either_sign_tie_with_noise(engine, count):
    solver, draw = GridPath(engine=engine), torch.Generator().manual_seed(0)
    eps = (torch.rand(1, count, 5, 5, generator=draw) < 0.5).float()
    signed = torch.where(torch.rand(eps.shape, generator=draw) < 0.5, -eps.abs(), eps) * (eps == 0) + eps
    theta = torch.full((1, 1, 5, 5), -0.0)
    assert torch.equal(solver.perturb_and_map(theta, signed, 1.0), solver.perturb_and_map(theta.abs(), eps, 1.0))


def best(sets, theta):
    """Largest sum of a set, in whole numbers, so that nothing overflows or is rounded."""
    return max(sum(int(theta[i]) for i in chosen) for chosen in sets)


def value(z, theta):
    return sum(int(number) for number in theta[z.bool()])


@pytest.mark.parametrize("scale", [1e307, 1.7e308, 1e291])
class TestSumsBeyondTheLargestNumber:
    """Of float64; sums of float32 are taken in float64, which holds them."""

    def test_knapsack(self, scale):
        theta = scale * torch.tensor([[0.5, 0.25, 0.75, 1.0, 0.5, 0.125]], dtype=torch.float64)
        sets = list(itertools.combinations(range(6), 3))
        z = Knapsack([1] * 6, 3)(theta)
        assert value(z[0], theta[0]) == best(sets, theta[0])

    def test_assignment(self, scale):
        draw = torch.Generator().manual_seed(0)
        theta = scale * (2 * torch.rand(5, 4, 4, generator=draw, dtype=torch.float64) - 1)
        for matrix, z in zip(theta, Assignment()(theta), strict=True):
            sets = ([4 * row + column for row, column in enumerate(order)] for order in itertools.permutations(range(4)))
            assert value(z.flatten(), matrix.flatten()) == pytest.approx(best(sets, matrix.flatten()), rel=1e-15)

    @pytest.mark.parametrize("sign", [1, -1])
    def test_acyclic_path(self, scale, sign):
        theta = sign * scale * torch.tensor([[[1, 0.5, 1], [0.25, 0.5, 0.25], [1, 1, 0.5]]], dtype=torch.float64)
        z = AcyclicGridPath(diagonal=False)(theta)[0]
        ways = set(itertools.permutations("ddrr"))
        paths = []
        for way in ways:
            tile, path = 0, [0]
            for step in way:
                tile += 3 if step == "d" else 1
                path.append(tile)
            paths.append(path)
        assert value(z.flatten(), theta.flatten()) == best(paths, theta.flatten())

    def test_other_rows_keep_their_solutions(self, scale):
        draw = torch.Generator().manual_seed(0)
        theta = torch.rand(9, 4, 4, generator=draw, dtype=torch.float64) * 1e-300
        for solver in (AcyclicGridPath(), Assignment(), Knapsack(np.ones((4, 4), int), 5)):
            mixed = torch.cat([theta, torch.full((1, 4, 4), scale, dtype=torch.float64)])
            assert torch.equal(solver(mixed)[:9], solver(theta))


def test_the_largest_numbers_of_float32_do_not_overflow():
    high = torch.finfo(torch.float32).max
    theta = torch.tensor([[high, high / 2, high / 4, high]])
    assert Knapsack([1, 1, 1, 1], 2)(theta).tolist() == [[1, 0, 0, 1]]
    assert TopK(2)(-theta).tolist() == [[0, 1, 1, 0]]
    assert Matching([(0, 1), (1, 2), (2, 3), (0, 3)])(theta).tolist() == [[0, 1, 0, 1]]
    assert MinCut(DIAMOND, "a", "d")(-theta).tolist() == [[0, 1, 1, 0]]
    assert ShortestPath(DIAMOND, "a", "d")(-theta).tolist() == [[0, 0, 1, 1]]
    assert SpanningTree(DIAMOND)(theta).tolist() == [[1, 1, 0, 1]]
    assert IntegerProgram(A=[[1, 1, 1, 1]], b=[2])(theta).tolist() == [[1, 0, 0, 1]]
    costs = torch.tensor([[[1.0, high, high], [high, 1.0, high / 2], [high / 4, high / 4, 1.0]]])
    for engine in ENGINES:
        assert GridPath(moves=4, engine=engine)(-costs)[0].tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 1]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_smallest_numbers_are_not_zero(dtype):
    tiny = torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps
    theta = torch.tensor([[1, 3, 2, 0]], dtype=dtype) * tiny
    assert TopK(2)(theta).tolist() == Knapsack([1] * 4, 2)(theta).tolist() == [[0, 1, 1, 0]]
    assert ArgMax()(theta).tolist() == [[0, 1, 0, 0]]
    assert Ranking()(theta).tolist() == [[2, 4, 3, 1]]
    assert SpanningTree(DIAMOND)(theta).tolist() == [[1, 1, 1, 0]]
    assert Matching([(0, 1), (1, 2), (2, 3)])(theta[:, :3]).tolist() == [[0, 1, 0]]
    assert MinCut(DIAMOND, "a", "d")(-theta).tolist() == [[1, 0, 0, 1]]
    assert ShortestPath(DIAMOND, "a", "d")(-theta).tolist() == [[0, 0, 1, 1]]
    assert IntegerProgram(A=[[1] * 4], b=[2])(theta).tolist() == [[0, 1, 1, 0]]
    assert Assignment()(theta.view(1, 2, 2)).tolist() == [[[0, 1], [1, 0]]]
    assert AcyclicGridPath(diagonal=False)(theta.view(1, 2, 2)).tolist() == [[[1, 1], [0, 1]]]
    for engine in ENGINES:
        path = GridPath(moves=4, floor=float(tiny), engine=engine)
        assert path(-theta.view(1, 2, 2)).tolist() == [[[1, 0], [1, 1]]]
        assert path.clamped == 1


def test_infinities_of_both_signs():
    theta = torch.tensor([[-INF, INF, 0.0, INF, -INF]])
    assert TopK(2)(theta).tolist() == [[0, 1, 0, 1, 0]]
    assert TopK(3)(theta).tolist() == [[0, 1, 1, 1, 0]]
    assert ArgMax()(theta).tolist() == [[0, 1, 0, 0, 0]]
    assert Ranking()(theta).tolist() == [[2, 5, 3, 4, 1]]
    assert SpanningTree(DIAMOND)(theta[:, 1:]).tolist() == [[1, 1, 1, 0]]
    floored = ShortestPath(DIAMOND, "a", "d", floor=1.0)
    assert floored(torch.tensor([[INF, -INF, 0.0, -9.0]])).tolist() == [[0, 0, 1, 1]]
    assert (floored.clamped, floored.seen) == (2, 3)
    cut = MinCut(DIAMOND, "a", "d", floor=1.0)
    assert cut(torch.tensor([[-INF, INF, 0.0, -9.0]])).tolist() == [[0, 1, 1, 0]]
    assert (cut.clamped, cut.seen) == (2, 3)


FLOOR = 0.375
DELTA = 2.0**-20  # every sum below is exact


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", [1, 40])
class TestFloorsOfGridPaths:
    @pytest.mark.slow
    @pytest.mark.parametrize("is_upper", [True, False])
    def test_costs_below_are_exactly_the_floor(self, engine, dtype, count, is_upper):
        # Two ways of three tiles around a wall; the upper one costs four times the floor, the lower a little less or more.
        upper, lower = [-2 * FLOOR, 5.0, -FLOOR / 2], [-FLOOR, -FLOOR, -2 * FLOOR * (1 + DELTA * (1 if is_upper else -1))]
        rows = [[-INF, *upper, -INF], [INF, -INF, -INF, -INF, 0.0], [-INF, *lower, -INF]]
        theta = torch.tensor(rows, dtype=dtype).expand(count, 3, 5)
        solver = GridPath(floor=FLOOR, start=(1, 0), goal=(1, 4), engine=engine)
        z = solver(theta)
        assert z[:, ::2, 1].tolist() == [[is_upper, not is_upper]] * count
        assert (solver.clamped, solver.seen) == (4 * count, 8 * count)
        eps = torch.zeros(1, count, 3, 5, dtype=dtype)
        assert torch.equal(solver.perturb_and_map(theta[None, :1], eps, 1.0)[0], z)
        assert (solver.clamped, solver.seen) == (8 * count, 16 * count)

    def test_the_neighbours_of_a_floor_that_the_type_does_not_hold(self, engine, dtype, count):
        near = torch.tensor(0.1, dtype=dtype)
        costs = torch.stack([near.nextafter(near - 1), near, near.nextafter(near + 1)]).expand(count, 1, 3)
        solver = GridPath(floor=0.1, engine=engine)
        solver(-costs)
        assert solver.clamped == (costs.double() < 0.1).sum() == count

    def test_the_domain_is_clamped_nowhere(self, engine, dtype, count):
        solver = GridPath(floor=FLOOR, engine=engine)
        assert solver.domain == (-INF, -FLOOR)
        end = torch.full((count, 3, 3), solver.domain[1], dtype=dtype)
        solver(end)
        assert (solver.clamped, solver.seen) == (0, 9 * count)
        solver(end.nextafter(torch.zeros_like(end)))
        assert (solver.clamped, solver.seen) == (9 * count, 18 * count)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph])
@pytest.mark.parametrize("is_first", [True, False])
class TestFloorsOfGraphs:
    def test_paths(self, dtype, kind, is_first):
        path = ShortestPath(kind(DIAMOND), "a", "d", floor=FLOOR)
        theta = {("a", "b"): -2 * FLOOR, ("b", "d"): 5.0, ("c", "d"): -FLOOR}
        theta["a", "c"] = -2 * FLOOR * (1 + DELTA * (1 if is_first else -1))
        z = path(torch.tensor([[theta[min(edge), max(edge)] for edge in path.edges]], dtype=dtype))
        assert path.path_nodes(z[0]) == ["a", "b" if is_first else "c", "d"]
        assert (path.clamped, path.seen) == (1, 4)
        assert path.domain == (-INF, -FLOOR)

    def test_cuts(self, dtype, kind, is_first):
        cut = MinCut(kind([("s", "a"), ("s", "b"), ("a", "c"), ("b", "c"), ("c", "t")]), "s", "t", floor=FLOOR)
        theta = {("s", "a"): 5.0, ("s", "b"): -FLOOR / 2, ("a", "c"): -9.0, ("b", "c"): -9.0}
        theta["c", "t"] = -2 * FLOOR * (1 + DELTA * (1 if is_first else -1))
        z = cut(torch.tensor([[theta[edge] for edge in cut.edges]], dtype=dtype))
        chosen = {edge for edge, is_cut in zip(cut.edges, z[0].tolist(), strict=True) if is_cut}
        assert chosen == ({("s", "a"), ("s", "b")} if is_first else {("c", "t")})
        assert (cut.clamped, cut.seen) == (2, 5)
        assert cut.domain == (-INF, -FLOOR)
