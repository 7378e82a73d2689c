"""``imle explain``: what it writes, and what it refuses; what the page does is tested in a browser."""

import json
import re

import numpy as np
import pytest

from command_line import Command

explain = Command("explain")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def data_of(path):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text("utf-8"))[1])


@pytest.mark.slow
def test_writes_one_page_and_says_where(here):
    told = explain.values()
    assert {key: told[key] for key in ("map", "shape", "files")} == {
        "map": "built-in",
        "shape": [16, 16],
        "files": ["map-explain.html"],
    }
    page = here / "map-explain.html"
    assert told["bytes"] == page.stat().st_size < 400_000
    assert "open map-explain.html in a browser" in explain()


@pytest.mark.slow
def test_the_controls_stand_where_the_options_put_them(here):
    options = {"--input-temp": 2.5, "--target-temp": 0, "--beta": 3, "--samples": 7, "--lr": 0.3, "--seed": 4}
    explain(*(word for pair in options.items() for word in pair), "--out", "x.html", "--moves", 4, "--start", "1,2")
    data = data_of(here / "x.html")
    wanted = {"tauIn": 2.5, "tauTarget": 0, "lambda": 3, "samples": 7, "eta": 0.3, "seed": 4}
    assert data["settings"] == wanted | {"beginning": "flat", "meanLoss": False}
    assert (data["moves"], data["start"], data["goal"]) == (4, 18, 255)


@pytest.mark.slow
def test_the_same_call_writes_the_same_page(here):
    explain("--out", "a.html")
    explain("--out", "b.html")
    assert (here / "a.html").read_bytes() == (here / "b.html").read_bytes()


@pytest.mark.slow
def test_a_page_of_its_own_is_overwritten_and_no_other(here):
    explain("--out", "x.html")
    explain("--out", "x.html")
    (here / "x.html").write_text("<!doctype html><title>mine</title>")
    refused = "--out: x.html exists and is no HTML file of imle; choose another name or remove it"
    explain.expect_refusal(["--out", "x.html"], 2, refused)


@pytest.mark.slow
def test_without_noise(here):
    explain("--noise", "none")
    assert "Noise: none" in (here / "map-explain.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--samples", "101"],
            "--samples: got 101; it must be a whole number from 1 to 100; 10 are enough to see what happens",
        ),
        (["--beta", "-1"], "--beta: got -1; it must be a number >= 0; 0.7 moves some paths and not others"),
        (["--lr", "nan"], "--lr: got nan; it must be a number >= 0; the usual value is 0.1"),
        (["--seed", 2**31], "--seed: got 2147483648; on a page it must be below 2^31; the usual one is 0"),
    ],
)
def test_settings_outside_their_range_are_refused(arguments, message):
    explain.expect_refusal(arguments, 2, message)


@pytest.mark.slow
def test_a_map_too_large_to_draw_on_is_refused_with_the_way_out(here):
    np.save(here / "m.npy", np.ones((65, 20)))
    message = "--grid: the map has 65 x 20 tiles; a page draws at most 64 a side; use --grid 32x32 for instance"
    explain.expect_refusal(["m.npy"], 2, message)
    explain("m.npy", "--grid", "13x4")
