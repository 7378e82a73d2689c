"""What the README shows is run: its example, its commands, its pictures."""

import contextlib
import io
import re
import shlex
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from typer.testing import CliRunner

from imle_cli.app import app
from imle_cli.benchmarks import catalogue, rounds, scaling
from imle_cli.files.endings import ARRAY_ENDINGS, TABLE_ENDINGS
from imle_cli.files.maps.terrain import built_in_map, load

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("imle ")]
DATA = {"assets/map.png", "assets/city.graphml", "assets/pack.csv", "assets/shifts.csv"}
PICTURES = re.findall(r"!\[.*?\]\((.*?)\)", README)


def test_the_example_prints_what_the_readme_says():
    (example,), (printed,) = blocks("python"), blocks("text")
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(example, "README.md", "exec"), {})
    assert output.getvalue() == printed


# Commands that go on from a training take long; they run at small size.
LEARNING = [line for line in COMMANDS if re.match(r"imle (train|sweep) ", line) or " runs/" in line]
MEASURING = [line for line in COMMANDS if line.startswith("imle bench")]
SMALLER = {
    "train": ["--steps", "30", "--samples", "3"],
    "animate": ["--frames", "3", "--size", "64"],
    "compare": ["--repetitions", "4", "--samples", "2", "--lambdas", "1", "--temps", "1", "--estimators", "imle"],
    "calibrate": ["--samples", "200", "--temps", "1"],
    "reproduce": ["--repetitions", "2", "--methods", "simple"],
    "data": ["--size", "5", "--train", "12", "--test", "5"],
    "perceive": ["--epochs", "1", "--batch", "4", "--beta", "0.1"],
    "sweep": ["--steps", "3", "--frames", "2", "--size", "64", "--input-temps", "0,1", "--samples", "1", "--jobs", "1"],
}


@pytest.fixture
def _folder(tmp_path, monkeypatch):
    """A current folder with the data alone."""
    (tmp_path / "assets").mkdir()
    for name in DATA:
        shutil.copy(ROOT / name, tmp_path / "assets")
    monkeypatch.chdir(tmp_path)


def run(command, *more):
    result = CliRunner().invoke(app, [*shlex.split(command)[1:], *more])
    assert (result.exit_code, result.stderr) == (0, ""), command
    assert result.stdout


def frames(path):
    """Frames ``(n, h, w, 3)``."""
    with Image.open(path) as image:
        return np.array([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]).astype(int)


@pytest.mark.slow
@pytest.mark.usefixtures("_folder")
@pytest.mark.parametrize("command", [line for line in COMMANDS if line not in LEARNING + MEASURING])
def test_every_command_works_and_makes_the_pictures_that_are_shown(command):
    before = set(Path().rglob("*.*"))
    run(command)
    for picture in set(map(Path, PICTURES)) & (set(Path().rglob("*.*")) - before):
        made, shown = frames(picture), frames(ROOT / picture)
        assert made.shape == shown.shape
        # Other versions of the font engine may set letters differently.
        assert np.mean(np.abs(made - shown) > 40) < 0.005


@pytest.mark.slow
@pytest.mark.usefixtures("_folder")
def test_one_line_makes_every_picture_anew(monkeypatch):
    monkeypatch.setattr(rounds, "_SECONDS", 0.0)
    monkeypatch.setattr(rounds, "_TURN", 0.0)
    for name in ("MEASUREMENTS", "MORE"):
        monkeypatch.setattr(catalogue, name, ())
    monkeypatch.setattr(catalogue, "CURVES", (partial(scaling.by_side, sides=(8,)),))
    (script,) = (line for block in blocks("sh") for line in block.splitlines() if "| sh -e" in line)
    pattern = re.fullmatch(r"rm -rf runs/gallery && grep '(.*)' README\.md \| sh -e", script)[1]
    # Of grep's basic patterns, groups and alternatives are written otherwise in Python.
    chosen = [line for line in README.splitlines() if re.search(pattern.replace("\\", ""), line)]
    assert chosen == [line for line in COMMANDS if "--out assets" in line or "--out runs/gallery" in line]
    for command in chosen:
        run(command, *SMALLER.get(command.split()[1], []))
    assert {path.as_posix() for path in Path("assets").rglob("*.*")} == {*PICTURES, *DATA}


@pytest.mark.slow
@pytest.mark.usefixtures("_folder")
def test_the_sweep_works():
    (command,) = (line for line in LEARNING if line.startswith("imle sweep ") and "--animate" in line)
    run(command, *SMALLER["sweep"])
    assert len(list(Path("sweeps/map").glob("*/learning_paths.gif"))) == 8


@pytest.mark.slow
@pytest.mark.usefixtures("_folder")
def test_learning_to_see_works():
    chosen = [line for line in COMMANDS if re.match(r"imle (data|perceive|evaluate) ", line) or "imle sweep runs" in line]
    assert [line.split()[1] for line in chosen] == ["data", "perceive", "data", "evaluate", "sweep"]
    Path("runs/gallery").mkdir(parents=True)
    for command in chosen:
        few = ["--epochs", "1", "--batch", "4", "--beta", "0.1", "--seeds", "0"]
        run(command, *(few if " sweep " in command else SMALLER.get(command.split()[1], [])))
    assert Path("sweeps/seeing/accuracy.png").exists()


@pytest.mark.slow
def test_the_loop_that_learns_to_see():
    (loop,) = (block for block in blocks("py") if "DataLoader" in block)
    output = io.StringIO()
    with contextlib.redirect_stdout(output), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        exec(compile(loop, "README.md", "exec"), {})
    assert 0.5 < float(output.getvalue()) <= 1  # paths on maps that it never saw; a straight line is optimal on fewer


def test_every_picture_is_shown_and_made_with_the_options_that_it_is_named_after():
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "assets").rglob("*.*")} == {*PICTURES, *DATA}
    trainings = [line for line in LEARNING if line.startswith("imle train ")]
    assert len(trainings) == 5
    for line in trainings:
        heat, target, folder = re.search(r"--input-temp (\d) --target-temp (\d) .* --out runs/gallery/(\S+)$", line).groups()
        assert folder == f"in{heat}-target{target}"


def test_the_map_is_the_built_in_one():
    np.testing.assert_array_equal(load(ROOT / "assets" / "map.png"), built_in_map())


def test_it_names_every_ending_of_arrays_and_tables():
    assert set(re.findall(r"`(\.[a-z]+)`", README)) >= {*ARRAY_ENDINGS, *TABLE_ENDINGS}


def test_two_commands_for_a_fresh_machine():
    look, check = (block.rstrip() for block in blocks("sh")[:2])
    assert re.fullmatch(
        r"python3 -m venv \.venv && \.venv/bin/pip install -c tests/constraints\.txt \. && \S+/imle .*", look
    )
    assert re.fullmatch(
        r"python3 -m venv \.venv-test && .* -c tests/constraints\.txt -e '\.\[test\]' && \S+/python -m pytest -n .*",
        check,
    )
    script = (ROOT / ".ci" / "run").read_text()
    pattern = re.search(r"grep -E '(.*)' README", script)[1]
    assert [line for line in README.splitlines() if re.search(pattern, line)] == [check]
    pattern = re.search(r"sed -n 's/(.*)/\\1/p' README", (ROOT / ".ci" / "check").read_text())[1]
    chosen = [line for line in README.splitlines() if re.search(pattern.replace("\\(", "(").replace("\\)", ")"), line)]
    assert chosen == [check]
