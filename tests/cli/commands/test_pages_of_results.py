"""``--out x.html`` and ``--format html``: pages in place of pictures and films, and where they may go."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from command_line import Command

solve, sample, marginals, animate = Command("solve"), Command("sample"), Command("marginals"), Command("animate")


@pytest.fixture(autouse=True)
def _a_small_map():
    np.save("map.npy", np.random.default_rng(0).uniform(1, 9, (5, 6)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "arguments"),
    [(solve, ()), (sample, ("--samples", 4, "--input-temp", 3)), (marginals, ("--samples", 20, "--input-temp", 3))],
)
def test_a_page_tells_what_a_picture_tells(command, arguments):
    pages, pictures = (command.values("map.npy", *arguments, "--out", f"x.{kind}") for kind in ("html", "png"))
    assert pages.pop("files") == ["x.html"]
    assert pictures.pop("files") == ["x.png"]
    assert pages | {"seconds": 0} == pictures | {"seconds": 0}
    assert Path("x.html").read_text().startswith("<!doctype html>")


@pytest.mark.slow
def test_the_same_command_writes_the_same_bytes_over_the_old_ones():
    marginals("map.npy", "--samples", 20, "--out", "x.html")
    before = Path("x.html").read_bytes()
    marginals("map.npy", "--samples", 20, "--out", "x.html")
    assert Path("x.html").read_bytes() == before


def test_no_page_of_somebody_else_is_overwritten():
    Path("x.html").write_text("<!doctype html>\n<title>notes about imle</title>")
    message = "--out: x.html exists and is no HTML file of imle; choose another name or remove it"
    solve.expect_refusal(["map.npy", "--out", "x.html"], 2, message)


def test_the_input_is_not_overwritten_under_the_name_of_a_link():
    Path("x.html").symlink_to("map.npy")
    solve.expect_refusal(["map.npy", "--out", "x.html"], 2, "--out: x.html is the input; choose another name")


def test_a_command_without_a_page_says_what_it_writes():
    code, message = Command("noise").refusal("--samples", 10, "--out", "x.html")
    assert code == 2
    assert "x.html ends in .html; it must end in .png or .pdf or .svg" in message


@pytest.mark.slow
def test_a_page_of_a_map_in_motion():
    values = json.loads(animate("map.npy", "--samples", 12, "--format", "html", "--json"))
    assert (values["records"], values["files"]) == (12, ["samples.html"])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A short run."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    Command("train")("--steps", 20, "--out", folder, "--record-every", 2, "--quiet")
    return folder


class TestOfARun:
    @pytest.fixture(autouse=True)
    def _run(self, trained):
        shutil.copytree(trained, "run")

    @pytest.mark.slow
    def test_all_records(self):
        values = json.loads(animate("run", "--format", "html", "--json"))
        assert (values["run"], values["records"], values["files"]) == ("run", 11, ["learning.html"])

    def test_or_as_many_as_are_wanted(self):
        assert animate("run", "--format", "html", "--frames", 4).startswith("records  4\n")

    @pytest.mark.parametrize(("option", "value"), [("--fps", 9), ("--size", 96), ("--only", "learning")])
    def test_options_of_films_are_refused(self, option, value):
        message = f"{option}: it belongs to films; --format html makes one page of all; leave it out"
        animate.expect_refusal(["run", "--format", "html", option, value], 2, message)
