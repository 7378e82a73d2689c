"""Map, solver and noise from options."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from imle_cli.console import UsageError
from imle_cli.options import MapOptions, NoiseOptions, SolverOptions
from imle_cli.problem import find_device, make_noise, read_problem, read_sampling
from imle_cli.terrain import built_in_map
from imle_core.solvers import GridPath, TopK


def problem(device="auto", **choice):
    return read_problem(MapOptions(), SolverOptions(**choice), device)


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

    def test_a_file(self, tmp_path):
        path = tmp_path / "hills.npy"
        np.save(path, np.full((3, 5), 2.0))
        hills = read_problem(MapOptions(map=path, grid="1X2"), SolverOptions(), "cpu")
        assert (hills.costs.tolist(), hills.inputs, hills.title) == ([[2.0, 2.0]], (path,), "hills.npy")
        assert hills.picture(None, "solve") == Path("hills-solve.png")
        assert hills.picture(Path("other.svg"), "solve") == Path("other.svg")

    def test_clamped_share_counts_tiles_that_are_no_walls(self):
        grid = problem(floor=50)
        assert grid.clamped_share == 0.0
        grid.solve()
        assert grid.clamped_share == np.mean(built_in_map() < 50)

    def test_cost_is_linear_in_the_mask(self):
        grid = problem()
        assert grid.cost(np.full((16, 16), 0.5)) == built_in_map().sum() / 2


class TestNoise:
    def test_k_follows_the_map_s_height_unless_it_is_given(self):
        sampling = read_sampling(NoiseOptions(), problem(), 2.0, 30, 4)
        assert (sampling.law.k, sampling.law.nb_iterations) == (1.3 * 16, 100)
        assert sampling.settings == {"nb_samples": 30, "temperature": 2.0, "seed": 4}
        assert read_sampling(NoiseOptions(noise_k=3.5), problem(), 0.0, 1, 0).law.k == 3.5

    def test_how_it_is_called(self):
        some, none = (read_sampling(NoiseOptions(noise=name), problem(), 0.5, 1, 7) for name in ("gumbel", "none"))
        assert (some.title, none.title) == ("Gumbel noise at temperature 0.5", "no noise")
        assert some.line == ("noise", "GumbelNoiseDistribution(location=0, scale=1) at temperature 0.5, seed 7")
        assert none.line == ("noise", "none")

    def test_an_infinite_series(self):
        assert make_noise(NoiseOptions(noise_iterations=" INF "), 2.0).nb_iterations == math.inf

    @pytest.mark.parametrize("name", ["gumbel", "normal", "logistic"])
    def test_other_laws_are_standard(self, name):
        law = make_noise(NoiseOptions(noise=name), 2.0)
        assert type(law).__name__.lower().startswith(name)
        assert (law.location, law.scale) == (0.0, 1.0)

    def test_none(self):
        assert make_noise(NoiseOptions(noise="none"), 2.0) is None


class TestDevice:
    def test_auto_and_cpu_without_a_gpu(self, monkeypatch):
        monkeypatch.setattr("torch.cuda.is_available", lambda: False)
        assert find_device("auto") == find_device("cpu") == torch.device("cpu")
        with pytest.raises(UsageError, match="torch finds no CUDA device"):
            find_device("cuda")

    def test_auto_takes_a_gpu_for_what_runs_there(self, monkeypatch):
        monkeypatch.setattr("torch.cuda.is_available", lambda: True)
        assert find_device("auto") == find_device("cuda") == torch.device("cuda")
        assert find_device("cpu") == torch.device("cpu")
        assert problem().theta.device == torch.device("cpu")
