"""Noise and device from options."""

import math

import pytest
import torch

from imle_cli.device import find_device
from imle_cli.messages import UsageError
from imle_cli.options.inputs import MapOptions, NoiseOptions, SolverOptions
from imle_cli.problems.map import read_map_problem
from imle_cli.problems.noise import in_words, make_noise
from imle_cli.problems.sampling import read_sampling
from imle_core import LogisticNoiseDistribution, NormalNoiseDistribution, SumOfGammaNoiseDistribution


class TestNoise:
    def test_k_is_the_default_unless_it_is_given(self):
        sampling = read_sampling(NoiseOptions(), 20.8, 2.0, 30, 4)
        assert (sampling.law.k, sampling.law.nb_iterations) == (20.8, 100)
        assert sampling.settings == {"nb_samples": 30, "temperature": 2.0, "seed": 4}
        assert read_sampling(NoiseOptions(noise_k=3.5), 20.8, 0.0, 1, 0).law.k == 3.5

    def test_how_it_is_called(self):
        some, none = (read_sampling(NoiseOptions(noise=name), 20.8, 0.5, 1, 7) for name in ("gumbel", "none"))
        assert (some.title, none.title) == ("Gumbel noise at temperature 0.5", "no noise")
        assert some.line == ("noise", "Gumbel noise, temperature 0.5, seed 7")
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

    @pytest.mark.parametrize(
        ("law", "words"),
        [
            (SumOfGammaNoiseDistribution(20.8, 100), "Sum-of-Gamma noise, k 20.8"),
            (SumOfGammaNoiseDistribution(2.0, 7), "Sum-of-Gamma noise, k 2, 7 terms"),
            (SumOfGammaNoiseDistribution(2.0, math.inf), "Sum-of-Gamma noise, k 2, all terms"),
            (NormalNoiseDistribution(), "normal noise"),
            (LogisticNoiseDistribution(1.0, 2.5), "logistic noise, location 1, scale 2.5"),
        ],
    )
    def test_in_words(self, law, words):
        assert in_words(law) == words


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
        assert read_map_problem(MapOptions(), SolverOptions(), "auto").theta.device == torch.device("cpu")
