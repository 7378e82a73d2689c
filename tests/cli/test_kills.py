"""Trainings, sweeps and networks that are killed at any moment go on, or start anew, and end equal to the bit.

Run as a program, ``python test_kills.py KILLS SEED``, this file kills that often, some times while a second process has
begun with the same folder, and prints its figures so far as JSON after every trial. Processes are forks of one that has
imported everything: so most kills fall into the work.
"""

import csv
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMANDS = {
    "train": ["--steps", "60", "--samples", "2"],
    "sweep": ["--input-temps", "0,1", "--target-temps", "1", "--samples", "1,2", "--steps", "15", "--jobs", "1"],
    "perceive": ["../maps", "--epochs", "2", "--batch", "8"],
}
REFUSALS = re.compile(r"run(/\S+)? is being written by |--out: run is not empty; go on with --resume run")
SECOND = 0.4  # share of kills before which a second process begins
AGAIN = 0.5  # how likely a run is killed once more


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_any_moment(command):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    call = [sys.executable, __file__, "6", "0", command]
    done = subprocess.run(call, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    figures = json.loads(done.stdout.splitlines()[-1])[command]
    assert figures["kills"] >= 6
    assert figures["equal"] == figures["trials"] >= 1  # how many it takes for so many kills depends on the machine


def campaign(kills, seed, commands):
    """Kills each command that often, in the current folder."""
    run("data", "terrain", "--size", "4", "--train", "24", "--test", "6", "--quiet", "--out", "maps")
    run("train", "--steps", "3", "--quiet", "--out", "kernels")  # loads them, and all else that takes long
    run("perceive", "maps", "--epochs", "1", "--quiet", "--out", "networks")
    run("sweep", *COMMANDS["sweep"], "--quiet", "--out", "pictures")
    for name in commands:
        trials(name, kills, random.Random(f"{seed} {name}"))


def trials(command, kills, generator):
    whole = Path(f"{command}-whole")
    whole.mkdir()
    call = [command, *COMMANDS[command], "--quiet", "--out", "run"]
    code, said, _ = ended(begun(call, whole))
    assert code == 0, said
    shutil.rmtree(whole / "run")
    code, said, seconds = ended(begun(call, whole))
    assert code == 0, said
    expected = contents(whole / "run")
    figures = {"kills": 0, "with a second process": 0, "trials": 0, "equal": 0, "seconds unbroken": round(seconds, 3)}
    while figures["kills"] < kills:
        folder = Path(f"{command}-{figures['trials']}")
        folder.mkdir()
        again = True
        while again:
            killed(call, folder, seconds, generator, figures)
            again = generator.random() < AGAIN
        code, said, _ = ended(begun(next_call(call, folder), folder))
        assert code == 0, f"{folder}: {said}"
        figures["trials"] += 1
        found = contents(folder / "run")
        assert found == expected, f"{folder}: differs in {[name for name in expected if found.get(name) != expected[name]]}"
        figures["equal"] += 1
        shutil.rmtree(folder)
        print(json.dumps({command: figures}), flush=True)


def killed(call, folder, seconds, generator, figures):
    """Begins the work, or goes on with it, and kills it, perhaps with a second process that has begun meanwhile."""
    processes = [begun(next_call(call, folder), folder)]
    time.sleep(generator.uniform(0, 1.1 * seconds))
    if generator.random() < SECOND:
        processes.append(begun(next_call(call, folder), folder))
        time.sleep(generator.uniform(0, 0.5 * seconds))
    for process in processes:
        os.kill(process[0], signal.SIGKILL)
    ends = [ended(process)[:2] for process in processes]
    figures["kills"] += any(code == -signal.SIGKILL for code, _ in ends)
    figures["with a second process"] += len(processes) == 2
    for code, said in ends:
        assert code in (0, -signal.SIGKILL) or (code in (1, 2) and REFUSALS.search(said)), f"{folder}: {code} {said}"


def next_call(call, folder):
    """The same call, or ``--resume`` where a run is complete enough, as the refusal of the same call says."""
    begins_anew = call[0] == "sweep" or not (folder / "run" / "config.json").exists()
    return call if begins_anew else [call[0], "--quiet", "--resume", "run"]


def begun(call, folder):
    """A process that runs a command: its number, what it says, and when it began."""
    said, began = Path(folder, f".said-{time.monotonic_ns()}"), time.monotonic()
    number = os.fork()
    if number:
        return number, said, began
    code = 70
    try:
        os.chdir(folder)
        stream = os.open(said.name, os.O_WRONLY | os.O_CREAT)
        os.dup2(stream, 1)
        os.dup2(stream, 2)
        run(*call)
        code = 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        os._exit(code)


def run(*arguments):
    """The command, in this process."""
    from imle_cli.app import main

    sys.argv = ["imle", *arguments]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise


def ended(process):
    """How a process ended, what it said, and its seconds."""
    number, said, began = process
    _, status = os.waitpid(number, 0)
    seconds = time.monotonic() - began
    return os.waitstatus_to_exitcode(status), said.read_text() if said.exists() else "", seconds


def contents(folder):
    """Files of a folder by name, times left out; a half-written file would be one more."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "previous.pt"]
    return {str(path.relative_to(folder)): content(path) for path in paths} | {
        str(path.relative_to(folder)): None for path in folder.rglob("*") if path.is_dir()
    }


def content(path):
    import numpy as np
    import torch

    match path.suffix:
        case ".csv":
            return without_times(path.read_text())
        case ".json":
            return without_times(json.loads(path.read_text()))
        case ".npz":
            return {name: without_times(torch.from_numpy(array)) for name, array in np.load(path).items()}
        case ".pt":
            return without_times(torch.load(path, weights_only=True))
    return path.read_bytes()


def without_times(value):
    """The value with bytes for tensors, and without entries that are named after seconds."""
    import torch

    if isinstance(value, dict):
        return {
            name: table(value[name]) if name == "metrics" else without_times(value[name])
            for name in value
            if "seconds" not in str(name)
        }
    if isinstance(value, (list, tuple)):
        return [without_times(entry) for entry in value]
    if isinstance(value, torch.Tensor):
        return str(value.dtype), tuple(value.shape), value.contiguous().view(-1).view(torch.uint8).numpy().tobytes()
    return table_of(value) if isinstance(value, str) and "\n" in value else value


def table(text):
    return table_of(bytes(text.numpy()).decode())


def table_of(text):
    return [{name: cell for name, cell in row.items() if "seconds" not in name} for row in csv.DictReader(io.StringIO(text))]


if __name__ == "__main__":
    import tempfile

    from imle_cli import experiment, perception_recorder, sweep  # noqa: F401

    experiment._SAVE_SECONDS = perception_recorder._SAVE_SECONDS = 0.02
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        campaign(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or list(COMMANDS))
