"""``imle noise``: draws against their exact law."""

import json
import math

import numpy as np
import pytest

from command_line import Command

KEYS = ["noise", "k", "iterations", "fold", "samples", "seed", "mean", "exact_mean", "variance", "exact_variance", "ks"]
KEYS += ["seconds", "files"]


noise = Command("noise")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "fold"),
    [
        (["--noise-k", "20", "--noise-iterations", "100"], 20),
        (["--noise-k", "1", "--noise-iterations", "10"], 1),
        (["--noise-k", "2.5"], 1),
        (["--noise-k", "0.3", "--noise-iterations", "inf"], 1),
        (["--noise", "gumbel"], 1),
        (["--noise", "normal"], 1),
        (["--noise", "logistic"], 1),
    ],
    ids=str,
)
def test_draws_follow_the_exact_law(arguments, fold):
    values = json.loads(noise(*arguments, "--samples", "50000", "--json"))
    assert list(values) == KEYS
    assert values["fold"] == fold
    spread = math.sqrt(values["exact_variance"])
    assert abs(values["mean"] - values["exact_mean"]) < 4.5 * spread / math.sqrt(50000)
    assert values["variance"] == pytest.approx(values["exact_variance"], rel=0.06)
    assert values["ks"] < 1.95 / math.sqrt(50000)  # passed by all but a thousandth of exact draws


@pytest.mark.slow
def test_the_k_fold_sum_has_the_moments_of_its_truncation():
    values = json.loads(noise("--noise-k", "20", "--noise-iterations", "4", "--samples", "10", "--json"))
    assert values["exact_mean"] == pytest.approx(1 + 1 / 2 + 1 / 3 + 1 / 4 - math.log(4))
    assert values["exact_variance"] == pytest.approx(1 + 1 / 4 + 1 / 9 + 1 / 16)


@pytest.mark.slow
def test_an_infinite_series_in_json():
    assert json.loads(noise("--noise-iterations", "inf", "--samples", "10", "--json"))["iterations"] == "inf"


@pytest.mark.slow
def test_a_law_without_a_known_distribution_function_has_no_statistic():
    arguments = ["--noise-k", "50000.5", "--noise-iterations", "400000", "--samples", "100"]
    values = json.loads(noise(*arguments, "--json"))
    assert values["ks"] is None
    assert "KS statistic  unknown" in noise(*arguments)


def test_text_and_file():
    lines = noise("--samples", "1000").splitlines()
    assert lines[0] == "noise         Sum of 20 draws of Sum-of-Gamma noise, 100 terms each"
    assert [line.split("  ")[0] for line in lines] == ["noise", "mean", "variance", "KS statistic", "files"]
    assert lines[-1] == "files         noise-sum-of-gamma.png"


@pytest.mark.slow
def test_the_seed_decides(tmp_path):
    first = noise("--samples", "1000", "--json")
    picture = (tmp_path / "noise-sum-of-gamma.png").read_bytes()
    again = json.loads(noise("--samples", "1000", "--json"))
    assert again["mean"] == json.loads(first)["mean"]
    assert (tmp_path / "noise-sum-of-gamma.png").read_bytes() == picture
    assert json.loads(noise("--samples", "1000", "--seed", "1", "--json"))["mean"] != again["mean"]


@pytest.mark.slow
def test_one_draw_and_one_bar():
    values = json.loads(noise("--samples", "1", "--bins", "1", "--json"))
    assert values["variance"] == 0.0
    assert np.isfinite(values["ks"])
