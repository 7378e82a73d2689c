"""What the README shows is run: its example, its commands, its pictures."""

import contextlib
import io
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from imle_cli.app import app
from imle_cli.terrain import built_in_map, load

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("imle ")]
PICTURES = re.findall(r"!\[.*?\]\((.*?)\)", README)


def test_the_example_prints_what_the_readme_says():
    (example,), (printed,) = blocks("python"), blocks("text")
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(example, "README.md", "exec"), {})
    assert output.getvalue() == printed


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "imle bench"])
def test_every_command_works_and_makes_the_picture_that_is_shown(command, tmp_path, monkeypatch):
    (tmp_path / "assets").mkdir()
    shutil.copy(ROOT / "assets" / "map.png", tmp_path / "assets")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, shlex.split(command)[1:])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout
    for picture in sorted(set(PICTURES) & set(command.split())):
        made, shown = (np.asarray(Image.open(root / picture).convert("RGB")).astype(int) for root in (tmp_path, ROOT))
        assert made.shape == shown.shape
        # Other versions of the font engine may set letters differently.
        assert np.mean(np.abs(made - shown) > 40) < 0.005


def test_every_picture_is_made_by_a_command_that_the_readme_names():
    named = re.findall(r"--out (assets/\S+\.png)", README)
    assert PICTURES
    assert set(PICTURES) <= set(named)
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "assets").iterdir()} == {*PICTURES, "assets/map.png"}


def test_the_map_is_the_built_in_one():
    np.testing.assert_array_equal(load(ROOT / "assets" / "map.png"), built_in_map())


def test_two_commands_for_a_fresh_machine():
    look, check = (block.rstrip() for block in blocks("sh")[:2])
    assert re.fullmatch(
        r"python3 -m venv \.venv && \.venv/bin/pip install -c tests/constraints\.txt \. && \S+/imle .*", look
    )
    assert re.fullmatch(
        r"python3 -m venv \.venv-test && .* -c tests/constraints\.txt -e '\.\[test\]' && .* -m pytest", check
    )
    script = (ROOT / ".ci" / "run").read_text()
    pattern = re.search(r"grep -E '(.*)' README", script)[1]
    assert [line for line in README.splitlines() if re.search(pattern, line)] == [check]
