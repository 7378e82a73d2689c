"""``imle sample``: perturb-and-MAP samples."""

import json

import numpy as np
import pytest
import torch

from command_line import Command
from imle_cli.files.maps.terrain import built_in_map
from imle_core import SumOfGammaNoiseDistribution, stream_samples
from imle_core.solvers import GridPath

KEYS = ["map", "shape", "solver", "engine", "noise", "input_temp", "samples", "seed", "distinct", "lengths", "costs"]
KEYS += ["clamped_share", "seconds", "files"]


sample = Command("sample")


class TestSamples:
    @pytest.mark.slow
    def test_they_are_the_library_s(self):
        values = json.loads(sample("--input-temp", "2", "--samples", "5", "--seed", "3", "--save", "z.npy", "--json"))
        assert list(values) == KEYS
        z = np.load("z.npy")
        assert (z.shape, z.dtype) == ((5, 16, 16), np.uint8)
        theta = torch.from_numpy(-built_in_map())[None]
        noise = SumOfGammaNoiseDistribution(1.3 * 16, 100)
        (expected,) = stream_samples(GridPath(), theta, noise, nb_samples=5, temperature=2.0, seed=3)
        np.testing.assert_array_equal(z, expected[0].numpy())
        assert values["lengths"] == z.sum(axis=(1, 2)).tolist()
        assert values["costs"] == (z * built_in_map()).sum(axis=(1, 2)).tolist()
        assert values["distinct"] == len(np.unique(z, axis=0)) > 1

    def test_temperature_0_repeats_the_cheapest_path(self):
        values = json.loads(sample("--input-temp", "0", "--samples", "3", "--json"))
        assert (values["distinct"], values["costs"], values["clamped_share"]) == (1, [47.0] * 3, 0.0)

    @pytest.mark.slow
    def test_a_longer_run_begins_with_a_shorter_one(self):
        sample("--samples", "300", "--save", "long.npy")
        sample("--samples", "7", "--save", "short.npy")
        np.testing.assert_array_equal(np.load("long.npy")[:7], np.load("short.npy"))

    @pytest.mark.slow
    @pytest.mark.parametrize("noise", ["gumbel", "normal", "logistic", "none"])
    def test_other_noise(self, noise):
        values = json.loads(sample("--noise", noise, "--json"))
        assert values["noise"] == noise
        assert (values["distinct"] == 1) == (noise == "none")

    @pytest.mark.slow
    def test_seeds_differ(self):
        sample("--save", "a.npy")
        sample("--save", "b.npy", "--seed", "1")
        assert (np.load("a.npy") != np.load("b.npy")).any()

    def test_text(self):
        lines = sample("--samples", "4").splitlines()
        assert lines[2] == "noise          Sum-of-Gamma noise, k 20.8, temperature 1, seed 0"
        assert lines[-1] == "files          map-sample.png"

    def test_top_k(self):
        sample("--solver", "top-k", "--top-k", "9", "--save", "z.npy")
        assert np.load("z.npy").sum(axis=(1, 2)).tolist() == [9] * 16
