"""``--no-picture``: results alone, and nothing in the current folder."""

import sys
from pathlib import Path

import pytest

from command_line import Command

CALLS = {
    "sample": ["--samples", "3"],
    "marginals": ["--samples", "3"],
    "noise": ["--samples", "10"],
    "compare": ["--estimators", "imle", "--lambdas", "1", "--temps", "1", "--repetitions", "2", "--samples", "2"],
    "calibrate": ["--temps", "1", "--samples", "100"],
    "reproduce": ["top-k", "--repetitions", "2", "--methods", "simple"],
}


@pytest.mark.slow
@pytest.mark.parametrize("command", CALLS)
def test_neither_a_file_nor_a_line_that_names_one(command):
    text = Command(command)(*CALLS[command], "--no-picture")
    assert text
    assert "files" not in text
    assert ".png" not in text
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("command", ["sample", "marginals", "noise"])
def test_nothing_that_draws_is_imported(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "imle_cli.figures.canvas", None)
    assert Command(command)(*CALLS[command], "--no-picture", "--quiet") == ""
