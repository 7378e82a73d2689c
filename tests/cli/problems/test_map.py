"""A map as a problem: costs, parameters, solver."""

from pathlib import Path

import numpy as np

from imle_cli.files.maps.terrain import built_in_map
from imle_cli.options.inputs import MapOptions, SolverOptions
from imle_cli.problems.map import read_map_problem
from imle_core.solvers import GridPath, TopK


def problem(device="auto", **choice):
    return read_map_problem(MapOptions(), SolverOptions(**choice), device)


class TestProblem:
    def test_parameters_are_minus_the_costs(self):
        built_in = problem()
        np.testing.assert_array_equal(built_in.theta[0].numpy(), -built_in_map())
        assert (built_in.name, built_in.title, built_in.inputs) == ("built-in", "built-in map", ())

    def test_the_solver_has_every_option(self):
        solver = problem(moves=4, start="1,2", goal="3,4", floor=0.5, engine="networkx").solver
        assert isinstance(solver, GridPath)
        assert (solver.moves, solver.start, solver.goal, solver.floor, solver.engine) == (4, (1, 2), (3, 4), 0.5, "networkx")

    def test_top_k(self):
        tiles = problem(solver="top-k", top_k=5)
        assert isinstance(tiles.solver, TopK)
        assert (tiles.engine, tiles.clamped_share, tiles.tiles(tiles.solve())) == ("torch", 0.0, None)
        assert tiles.solve().sum() == 5
        assert tiles.marks == {}

    def test_pictures_mark_both_ends_of_a_path(self):
        assert problem(goal="3,4").marks == {"start": (0, 0), "goal": (3, 4)}

    def test_a_file(self, tmp_path):
        path = tmp_path / "hills.npy"
        np.save(path, np.full((3, 5), 2.0))
        hills = read_map_problem(MapOptions(map=path, grid="1X2"), SolverOptions(), "cpu")
        assert (hills.costs.tolist(), hills.inputs, hills.title) == ([[2.0, 2.0]], (path,), "hills.npy")
        assert hills.picture("solve") == Path("hills-solve.png")

    def test_clamped_share_counts_tiles_that_are_no_walls(self):
        grid = problem(floor=50)
        assert grid.clamped_share == 0.0
        grid.solve()
        assert grid.clamped_share == np.mean(built_in_map() < 50)

    def test_cost_is_linear_in_the_mask(self):
        grid = problem()
        assert grid.total(np.full((16, 16), 0.5)) == built_in_map().sum() / 2
