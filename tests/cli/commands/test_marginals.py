"""``imle marginals``: the marginal probability of every tile."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from command_line import Command
from imle_cli.files.maps.terrain import built_in_map
from imle_core import GumbelNoiseDistribution
from imle_core import marginals as library_marginals
from imle_core.solvers import GridPath

KEYS = ["map", "shape", "solver", "engine", "noise", "input_temp", "samples", "seed", "max_standard_error"]
KEYS += ["expected_length", "expected_cost", "clamped_share", "seconds", "files"]


marginals = Command("marginals")


def table():
    with Path("p.csv").open(newline="") as file:
        return list(csv.DictReader(file))


class TestFigures:
    @pytest.mark.slow
    def test_json_has_these_keys_and_the_library_s_numbers(self):
        arguments = ["--input-temp", "3", "--samples", "200", "--noise", "gumbel", "--seed", "5", "--save", "p.npy"]
        values = marginals.values(*arguments)
        assert list(values) == KEYS
        solver, theta = GridPath(), torch.from_numpy(-built_in_map())[None]
        expected = library_marginals(solver, theta, GumbelNoiseDistribution(), nb_samples=200, temperature=3.0, seed=5)
        probability = np.load("p.npy")
        np.testing.assert_array_equal(probability, expected.mean[0].numpy())
        assert values["max_standard_error"] == expected.standard_error.max().item()
        assert values["expected_length"] == pytest.approx(probability.sum())
        assert values["expected_cost"] == pytest.approx((probability * built_in_map()).sum())
        assert values["clamped_share"] == solver.clamped / (200 * 256)
        assert 0.1 < values["clamped_share"] < 0.6
        assert (values["map"], values["shape"], values["files"]) == ("built-in", [16, 16], ["map-marginals.png", "p.npy"])

    @pytest.mark.slow
    def test_expected_cost_leaves_walls_out(self):
        np.save("map.npy", np.array([[2.0, np.inf], [3.0, 4.0]]))
        values = json.loads(marginals("map.npy", "--noise", "none", "--json"))
        assert values["expected_cost"] == 6.0

    @pytest.mark.slow
    def test_one_sample_has_no_standard_error(self):
        assert json.loads(marginals("--samples", "1", "--json"))["max_standard_error"] is None
        assert "samples          1, largest standard error unknown\n" in marginals("--samples", "1")

    @pytest.mark.slow
    @pytest.mark.parametrize("samples", [2, 30])
    def test_samples_that_agree_claim_no_standard_error_of_0(self, samples):
        np.save("map.npy", np.random.default_rng(0).uniform(1, 9, (16, 16)))  # no ties, which little noise would break
        arguments = ["map.npy", "--input-temp", "0.0001", "--samples", samples, "--save", "p.csv"]
        text, error = marginals(*arguments), 1.96 / (samples + 1.96**2)
        assert f"{error:.2g} on the 256 of 256 tiles on which all samples agree\n" in text
        assert json.loads(marginals(*arguments, "--json"))["max_standard_error"] == pytest.approx(error)
        rows = table()
        assert {row["marginal"] for row in rows} == {"0.0", "1.0"}
        assert [float(row["standard_error"]) for row in rows] == pytest.approx([error] * 256)

    @pytest.mark.slow
    def test_some_tiles_on_which_samples_agree(self):
        text = marginals("--samples", "200", "--save", "p.csv")
        rows = table()
        alike = sum(row["marginal"] in ("0.0", "1.0") for row in rows)
        largest = max(float(row["standard_error"]) for row in rows)
        ending = f"{1.96 / (200 + 1.96**2):.2g} on the {alike} of 256 tiles on which all samples agree"
        assert 0 < alike < 256
        assert f"samples          200, largest standard error {largest:.2g}; {ending}\n" in text

    @pytest.mark.slow
    def test_a_wall_is_known_to_be_free_of_paths(self):
        np.save("map.npy", np.array([[1.0, np.inf, 1.0], [1.0, 1.0, 1.0]]))
        text = marginals("map.npy", "--samples", "50", "--input-temp", "0.0001", "--save", "p.csv")
        assert [float(row["standard_error"]) for row in table()][1] == 0.0
        assert f"{1.96 / (50 + 1.96**2):.2g} on the 5 of 6 tiles on which all samples agree\n" in text

    @pytest.mark.slow
    def test_no_tile_on_which_samples_agree(self):
        np.save("map.npy", np.ones((2, 2)))
        text = marginals("map.npy", "--solver", "top-k", "--top-k", "2", "--noise", "gumbel")
        assert "samples          1000, largest standard error 0.016\n" in text

    @pytest.mark.slow
    def test_without_noise_nothing_is_uncertain(self):
        assert "samples          1000, all the same without noise\n" in marginals("--noise", "none", "--save", "p.csv")
        assert {row["standard_error"] for row in table()} == {"0.0"}

    @pytest.mark.slow
    def test_top_k_of_independent_tiles_is_a_softmax(self):
        costs = np.array([[1.0, 1.5, 2.0], [2.5, 3.0, 0.5]])
        np.save("map.npy", costs)
        solver = ["--solver", "top-k", "--top-k", "1", "--noise", "gumbel", "--input-temp", "0.7"]
        values = json.loads(marginals("map.npy", *solver, "--samples", "40000", "--save", "p.npy", "--json"))
        exact = np.exp(-costs / 0.7) / np.exp(-costs / 0.7).sum()
        assert np.abs(np.load("p.npy") - exact).max() < 4 * values["max_standard_error"] < 0.02

    @pytest.mark.slow
    def test_text(self):
        names = [line[:15].rstrip() for line in marginals("--samples", "9").splitlines()]
        assert names == [
            *("map", "solver", "noise", "samples", "expected length", "expected cost", "clamped costs", "time", "files")
        ]


class TestReproducibility:
    @pytest.mark.slow
    def test_the_same_seed_gives_the_same_bytes_whatever_the_threads(self, tmp_path):
        before = torch.get_num_threads()
        contents = []
        try:
            for threads in (1, 2):
                torch.set_num_threads(threads)
                marginals("--samples", "3000", "--save", "p.npy")
                contents.append([(tmp_path / name).read_bytes() for name in ("p.npy", "map-marginals.png")])
        finally:
            torch.set_num_threads(before)
        assert contents[0] == contents[1]

    @pytest.mark.slow
    def test_engines_agree(self):
        np.save("map.npy", np.random.default_rng(0).uniform(1, 3, (7, 9)))
        for engine in ("compiled", "torch", "networkx"):
            marginals("map.npy", "--engine", engine, "--samples", "50", "--save", f"{engine}.npy")
        np.testing.assert_array_equal(np.load("compiled.npy"), np.load("networkx.npy"))
        np.testing.assert_array_equal(np.load("torch.npy"), np.load("networkx.npy"))


@pytest.mark.slow
def test_default_k_follows_the_map_s_height():
    np.save("map.npy", np.ones((10, 4)))
    assert "Sum-of-Gamma noise, k 13, temperature" in marginals("map.npy")
    text = marginals("map.npy", "--noise-k", "2.5", "--noise-iterations", "inf")
    assert "Sum-of-Gamma noise, k 2.5, all terms, temperature" in text
