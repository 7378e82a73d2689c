"""Trainings, sweeps and networks that are ended at any moment go on, or start anew, and end equal to the bit.

Run as a program, ``python test_kills.py KILLS SEED [COMMAND ...]``, this file ends each command that often, some times
while a second process has begun with the same folder, and prints its figures so far as JSON after every trial. Half of the
ends are SIGKILL, which leaves no time for anything; after the others what was done must have been saved. Most processes
are forks of one that has imported everything, so that most kills fall into the work; a share of them are new interpreters,
which are killed from their first millisecond on.
"""

import csv
import io
import json
import math
import os
import random
import re
import shutil
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

SWEEP = ["sweep", "--input-temps", "0,1", "--target-temps", "1", "--samples", "1,2", "--steps", "15"]
CALLS = {
    "train": ["train", "--steps", "60", "--samples", "2"],
    "sweep": [*SWEEP, "--jobs", "1"],
    "workers": [*SWEEP, "--jobs", "2"],
    "perceive": ["perceive", "../maps", "--epochs", "2", "--batch", "8"],
}
REFUSALS = re.compile(r"run(/\S+)? is being written by |--out: run is not empty; go on with --resume run")
STARTING = re.compile(r"Fatal Python error: init_import_site: .*\nKeyboardInterrupt\s*$", re.DOTALL)
STOPPED = re.compile(r"^stopped after (\d+) (?:steps|of \d+ cells); go on with", re.MULTILINE)
SECOND = 0.4  # share of kills before which a second process begins
AGAIN = 0.5  # how likely a run is killed once more
NEW = 0.25  # share of processes that are new interpreters
AT_WORK = 0.3  # share of these that are killed at work; the others, from their first millisecond on, mostly before it
WHOLE = 0.5  # share of signals that the workers get too, as from a terminal or a scheduler
TICK = 0.01  # seconds, in which the system counts the time of a process
GENTLE = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGINT") if hasattr(signal, name)]


class Begun(NamedTuple):
    """A process that runs a command, the leader of a group: its number, where it says something, whether it is new."""

    number: int
    said: Path
    new: bool


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
@pytest.mark.parametrize(("kills", "commands"), [(4, ["train", "perceive"]), (3, ["sweep", "workers"])], ids=str)
def test_killed_at_any_moment(kills, commands):
    import warm  # here, since as a program this file does not find it

    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = warm.run(__file__, kills, 0, *commands, env=environment, seconds=500)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for command in commands:
        figures = [line[command] for line in lines if command in line][-1]
        assert figures["kills"] >= of_workers(command, kills)
        assert figures["equal"] == figures["trials"] >= 1  # how many it takes for so many kills depends on the machine


def of_workers(command, kills):
    """Fewer kills where each of them costs several new interpreters."""
    return max(1, kills // 3) if command == "workers" else kills


def campaign(kills, seed, commands):
    """Kills each command that often, in the current folder."""
    # What is run once here, forks need not load: kernels, networks, pictures.
    run("train", "--steps", "3", "--quiet", "--out", "kernels")
    if "perceive" in commands:
        run("data", "terrain", "--size", "4", "--train", "24", "--test", "6", "--quiet", "--out", "maps")
        run("perceive", "maps", "--epochs", "1", "--quiet", "--out", "networks")
    if {"sweep", "workers"} & {*commands}:
        run(*CALLS["sweep"], "--quiet", "--out", "pictures")
    beginning = None
    for name in commands:
        beginning = trials(name, of_workers(name, kills), random.Random(f"{seed} {name}"), beginning)


def trials(command, kills, generator, beginning):
    """Kills one command; seconds that a new interpreter takes before its work, measured here unless they are known."""
    whole = Path(f"{command}-whole")
    whole.mkdir()
    call = [*CALLS[command], "--out", "run"]
    seconds = {}
    for new in (True, False) if beginning is None else (False,):
        shutil.rmtree(whole / "run", ignore_errors=True)
        process = begun(call, whole, new)
        seconds[new] = spent_after(process, math.inf)
        code, said = ended(process)
        assert code == 0, said
    beginning = seconds[True] - seconds[False] if beginning is None else beginning
    seconds[True] = seconds[False] + beginning
    expected = contents(whole / "run")
    figures = Counter({"seconds": round(seconds[False], 3), "seconds of new processes": round(seconds[True], 3)})
    while figures["kills"] < kills:
        folder = Path(f"{command}-{figures['trials']}")
        folder.mkdir()
        again = True
        while again:
            killed(call, folder, seconds, generator, figures)
            again = generator.random() < AGAIN
        code, said = ended(begun(next_call(call, folder), folder, new=False))
        assert code == 0, f"{folder}: {said}"
        figures["trials"] += 1
        found = contents(folder / "run")
        assert found == expected, f"{folder}: differs in {differences(found, expected)}"
        figures["equal"] += 1
        shutil.rmtree(folder)
        print(json.dumps({command: figures}), flush=True)
    return beginning


def killed(call, folder, seconds, generator, figures):
    """Begins the work, or goes on with it, and ends it, perhaps with a second process that has begun meanwhile."""
    number = signal.SIGKILL if generator.random() < 0.5 else generator.choice(GENTLE)
    send = os.killpg if generator.random() < WHOLE else os.kill
    processes = [begun(next_call(call, folder), folder, generator.random() < NEW)]
    if processes[0].new and generator.random() < AT_WORK:
        wait_for_work(processes[0], folder)
        spent_after(processes[0], generator.uniform(0, 1.1 * seconds[False]))
    else:
        spent_after(processes[0], moment(processes[0].new, seconds, generator))
    if generator.random() < SECOND:
        processes.append(begun(next_call(call, folder), folder, generator.random() < NEW))
        spent_after(processes[1], 0.5 * moment(processes[1].new, seconds, generator))
    for process in processes:
        send(process.number, number)
    ends = [(process, *ended(process)) for process in processes]
    hit = [(process, said) for process, code, said in ends if code in (-number, 128 + number)]
    figures["kills"] += bool(hit)
    figures[f"kills by {number.name}"] += bool(hit)
    figures["kills of a group"] += bool(hit) and send is os.killpg
    figures["kills of new processes"] += any(process.new for process, _ in hit)
    figures["kills with a second process"] += bool(hit) and len(processes) == 2
    for process, code, said in ends:
        # An interrupt before our first line is for Python, which calls it fatal.
        starting = process.new and code == 1 and number == signal.SIGINT and STARTING.search(said)
        refused = code in (1, 2) and REFUSALS.search(said)
        assert code in (0, -number, 128 + number) or starting or refused, f"{folder}: {code} {said}"
        assert "Traceback" not in said or (process.new and number == signal.SIGINT), f"{folder}: {said}"
    stops = [int(stopped[1]) for _, said in hit if (stopped := STOPPED.search(said))]
    figures["saved"] += len(stops)
    if stops:  # where one had ended before the other began, the other went on
        assert max(stops) == done_in(call[0], folder / "run"), f"{folder}: {hit}"


def moment(new, seconds, generator):
    """Seconds after which to kill a process: all as likely in a fork, all magnitudes from a millisecond on in a new one."""
    return seconds[new] * (
        math.exp(generator.uniform(math.log(1e-3 / seconds[new]), 0)) if new else generator.uniform(0, 1.1)
    )


def wait_for_work(process, folder):
    """Waits until a process has the folder's lock, or has ended."""
    from imle_cli.files.folder_lock import LOCK

    lock = folder / "run" / LOCK
    while not has_ended(process):
        with suppress(OSError):
            if lock.read_text().split()[:1] == [str(process.number)]:
                return
        time.sleep(0.005)


def spent_after(process, seconds):
    """Waits until a process with its workers has spent that many seconds more of the processor, or has ended; what it spent.

    On a machine that has more to do, a process gets no further in a second of the clock than it happens to.
    """
    if seconds < 2 * TICK:
        time.sleep(seconds)
        return seconds
    leader, spent = psutil.Process(process.number), 0.0
    before = times(leader)
    while spent < seconds and not has_ended(process):
        time.sleep(min(max(0.002, (seconds - spent) / 8), 0.05))  # looking takes time of the processor itself
        spent = max(spent, times(leader) - before)
    return spent


def times(process):
    seconds = 0.0
    for number in family(process.pid):
        with suppress(psutil.NoSuchProcess):
            seconds += sum(psutil.Process(number).cpu_times()[:2])
    return seconds


def family(number):
    """Numbers of a process and of all that it or these have started."""
    lists = [*Path(f"/proc/{number}/task").glob("*/children")]
    if not lists:  # elsewhere than on Linux; to look at all processes takes some milliseconds
        with suppress(psutil.NoSuchProcess):
            return [number, *(process.pid for process in psutil.Process(number).children(recursive=True))]
    numbers = [number]
    for path in lists:
        with suppress(OSError):  # a thread that has ended
            for child in path.read_text().split():
                numbers += family(int(child))
    return numbers


def has_ended(process):
    return psutil.Process(process.number).status() == psutil.STATUS_ZOMBIE


def done_in(command, run):
    """Steps or cells that a folder says are done."""
    import torch

    if command == "sweep":
        return len(list(run.glob("*/summary.json")))
    step = torch.load(run / "checkpoint.pt", weights_only=True)["step"]
    return min(step, 60) if command == "train" else step


def next_call(call, folder):
    """The same call, or ``--resume`` where a run is complete enough, as the refusal of the same call says."""
    begins_anew = call[0] == "sweep" or not (folder / "run" / "config.json").exists()
    return call if begins_anew else [call[0], "--resume", "run"]


def begun(call, folder, new):
    """Begins a command, in a fork of this process or in a new interpreter."""
    said = Path(folder, f".said-{time.monotonic_ns()}")
    signal.pthread_sigmask(signal.SIG_BLOCK, GENTLE)  # until the fork can no longer take itself for its parent
    number = os.fork()
    if number:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, GENTLE)
        with suppress(OSError):  # it did so itself, and is a new interpreter by now
            os.setpgid(number, number)
        return Begun(number, said, new)
    code = 70
    try:
        os.setpgid(0, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, GENTLE)
        os.chdir(folder)
        stream = os.open(said.name, os.O_WRONLY | os.O_CREAT)
        os.dup2(stream, 1)
        os.dup2(stream, 2)
        if new:
            os.execv(sys.executable, [sys.executable, "-m", "imle_cli", *call])
        run(*call)
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
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
    """How a process ended, and what it said."""
    _, status = os.waitpid(process.number, 0)
    return os.waitstatus_to_exitcode(status), process.said.read_text() if process.said.exists() else ""


def differences(found, expected):
    return [name for name in {*found, *expected} if found.get(name, ...) != expected.get(name, ...)]


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

    import torch

    from imle_cli.trainings.perception.recorder import PerceptionRecorder
    from imle_cli.trainings.weights import sweep  # noqa: F401
    from imle_cli.trainings.weights.recorder import TrainingRecorder

    torch.set_num_threads(1)  # whose threads no fork has
    for number in GENTLE:  # which a shell has the processes ignore that it begins in the background
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    TrainingRecorder.SAVE_SECONDS = PerceptionRecorder.SAVE_SECONDS = 0.02
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        campaign(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or list(CALLS))
