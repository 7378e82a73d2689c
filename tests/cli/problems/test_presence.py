"""Inputs that are missing: refused in the words of their readers, before anything heavy is imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from imle_cli.files.sources import SourceError
from imle_cli.messages import UsageError
from imle_cli.problems.presence import check_present

CALLS = [["solve", "none.png"], ["sample", "none.csv"], ["marginals", "none.npy"], ["compare", "none.npy"]]
CALLS += [["calibrate", "none.csv"], ["train", "none.npy"], ["train", "--gold", "none.npy"], ["train", "--init", "none.npy"]]
CALLS += [["train", "--resume", "none"], ["perceive", "--resume", "none"], ["evaluate", "none", "maps"]]
CALLS += [["sweep", "none.npy"], ["sweep", "--gold", "none.npy"], ["animate", "none"]]


def test_what_is_there_or_not_given_is_left_to_its_reader():
    Path("empty.npy").touch()
    check_present(Path("empty.npy"))
    check_present(Path())
    check_present(None)


def test_the_message_names_the_option():
    with pytest.raises(SourceError, match=r"^none\.npy: no such file; check the path$"):
        check_present(Path("none.npy"))
    with pytest.raises(UsageError, match=r"^--gold: none\.npy: no such file; check the path$"):
        check_present(Path("none.npy"), "--gold")


@pytest.mark.process
def test_nothing_heavy_is_imported():
    code = (
        "import sys\n"
        "from imle_cli.app import app\n"
        f"for call in {CALLS}:\n"
        "    assert app(call, standalone_mode=False) == 1 + call[1].startswith('--'), call\n"
        "    heavy = {'torch', 'numpy', 'matplotlib', 'imle_core'} & set(sys.modules)\n"
        "    assert not heavy, (call, heavy)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = [f"{call[-1]}: no such file; check the path" for call in CALLS]
    for line, call, text in zip(done.stderr.splitlines(), CALLS, expected, strict=True):
        if "none" in call and call[0] != "animate":
            text = "none: no such run directory; check the path"
        if call[1].startswith("--"):
            text = f"{call[1]}: {text}"
        assert line == f"error: {text}"
