"""Completion in shells, by the protocol of the scripts that --install-completion installs."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from command_line import Command
from imle_cli.app import SUMMARIES, app
from imle_cli.commands import animate, reproduce
from imle_cli.options.estimators import BASELINES, ESTIMATORS, LEARNERS
from imle_cli.options.measuring import PROBLEMS


def completed(text, shell="bash", **environment):
    """Lines that a shell gets for the last word of a command line, which may be empty."""
    words = text.split(" ")
    variables = {"COMP_WORDS": text, "COMP_CWORD": str(len(words) - 1), "_TYPER_COMPLETE_ARGS": text}
    variables |= {"_IMLE_COMPLETE": f"complete_{shell}", "COLUMNS": "80", **environment}
    result = CliRunner(env=variables).invoke(app, [], prog_name="imle")
    assert (result.exit_code, result.stderr) == (0, "")
    return [line for line in result.stdout.splitlines() if line]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("imle so", ["solve"]),
        ("imle help mar", ["marginals"]),
        ("imle --vers", ["--version"]),
        ("imle solve --so", ["--solver"]),
        ("imle solve --solver sp", ["spanning-tree", "spanning-forest"]),
        ("imle train --solver ", ["dijkstra", "top-k"]),
        ("imle marginals --noise g", ["gumbel"]),
        ("imle marginals map.png -n 5 --noise g", ["gumbel"]),
        ("imle marginals --seed abc --noise g", ["gumbel"]),
        ("imle animate --format w", ["webp"]),
        ("imle train --sched", ["--schedule"]),
        ("imle compare --estimators imle,bl", ["imle,blackbox"]),
        ("imle compare --estimators imle,im", []),
        ("imle perceive maps --estimator ti", ["tiles"]),
        ("imle calibrate --problem k", ["knapsack"]),
        ("imle reproduce top", ["top-k"]),
        ("imle reproduce decisions --methods spo", ["spo-plus", "spo-plus-pool"]),
        ("imle reproduce top-k --methods imle-g", ["imle-gumbel", "imle-gumbel-tuned"]),
        ("imle data ", ["terrain", "shortest-path", "knapsack", "tour", "portfolio"]),
        ("imle check mat", ["matching"]),
        ("imle solve ", []),  # files, which the shell knows
        ("imle solve --out ", []),
    ],
)
def test_words(text, words):
    assert completed(text) == words


def test_all_commands():
    assert completed("imle ") == [*SUMMARIES, "help"]
    assert completed("imle help ") == [*SUMMARIES]


@pytest.mark.slow
@pytest.mark.parametrize("command", SUMMARIES)
def test_every_option_of_a_command_has_one_line_in_fish(command):
    lines = completed(f"imle {command} --", "fish", _TYPER_COMPLETE_FISH_ACTION="get-args")
    assert len(lines) > 3
    assert all(line.startswith("--") and line.count("\t") == 1 for line in lines)


def test_zsh_shows_summaries_whole():
    assert f'"solve":"{SUMMARIES["solve"]}"' in completed("imle so", "zsh")[0]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(shell):
    result = CliRunner(env={"_IMLE_COMPLETE": f"source_{shell}"}).invoke(app, [], prog_name="imle")
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"_IMLE_COMPLETE=complete_{shell}" in result.stdout


def test_names_are_those_of_the_library():
    from imle_core import decisions, estimators, perception
    from imle_core.lab import EXPERIMENTS
    from imle_core.lab import PROBLEMS as LAB_PROBLEMS

    assert [*ESTIMATORS] == [*estimators.ESTIMATORS]
    assert [*BASELINES] == [*perception.BASELINES]
    able = [name for name in perception.SUPERVISION if name not in ESTIMATORS or not estimators.ESTIMATORS[name].exact]
    assert sorted(LEARNERS) == sorted(able)
    assert [*PROBLEMS] == [*LAB_PROBLEMS]
    assert [*reproduce._METHODS] == [*EXPERIMENTS, "decisions"]
    assert [*reproduce._METHODS["top-k"]] == [*EXPERIMENTS["top-k"]().methods]
    assert [*reproduce._METHODS["decisions"]] == [*decisions.METHODS]


def test_films_of_a_map_are_those_that_there_are():
    from imle_cli.films.map import MapFilms

    films = MapFilms(np.ones((2, 2)), lambda: iter(()), 1, "samples", 64, 1).films
    assert [*animate._FILMS[-2:]] == [*films]
    assert all(name in Command("animate")("--help") for name in animate._FILMS)


@pytest.mark.process
def test_nothing_heavy_is_imported():
    code = (
        "import sys\n"
        "from imle_cli.app import app\n"
        "try:\n"
        "    app(prog_name='imle')\n"
        "finally:\n"
        "    print({'torch', 'numpy', 'numba', 'matplotlib', 'imle_core'} & set(sys.modules), file=sys.stderr)\n"
    )
    for words in ("imle solve --solver d", "imle compare --estimators i", "imle check t"):
        variables = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1), "_IMLE_COMPLETE": "complete_bash"}
        done = subprocess.run(
            [sys.executable, "-c", code], env=os.environ | variables, capture_output=True, text=True, check=False
        )
        assert done.stdout
        assert done.stderr == "set()\n"


@pytest.mark.process
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_itself(tmp_path):
    program = tmp_path / "imle"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "from imle_cli.app import main; main()" "$@"\n')
    program.chmod(0o755)
    script = (
        'eval "$(_IMLE_COMPLETE=source_bash imle)"; COMP_WORDS=(imle solve --solver perfect); COMP_CWORD=3; '
        '_imle_completion imle; echo "${COMPREPLY[@]}"'
    )
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("perfect-matching\n", "")
