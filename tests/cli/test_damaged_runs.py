"""Files of runs, sweeps and data sets, damaged in 200 ways each: they are read, or refused in one line that names them.

Run as a program, ``python test_damaged_runs.py FOLDER FILE``, this file damages one in a copy of a folder, and prints what
was wrong about that and how much memory it took.
"""

import contextlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path

import pytest

COUNT, SECONDS, MEGABYTES, LETTERS = 200, 5.0, 500, 300
RUNS = ["config.json", "metrics.csv", "history.npz", "checkpoint.pt", "previous.pt", "summary.json"]
FILES = [f"{kind}/{name}" for kind in ("run", "network") for name in RUNS] + ["network/best.pt"]
FILES += [f"sweep/in0-target1-samples1-seed0/{name}" for name in ("config.json", "summary.json")]
FILES += [f"maps/train_{name}.npy" for name in ("maps", "vertex_weights", "shortest_paths")]
VALUES = [
    None,
    True,
    False,
    0,
    1,
    -1,
    7,
    2**31,
    2**63,
    10**400,
    0.5,
    -0.5,
    1e-300,
    1e300,
    float("nan"),
    float("inf"),
    "",
    "x",
]
VALUES += ["x", "x" * 5000, "\x1b[31m\n", "\ud800", "/", "../..", [], [1], [0, 0], [[[]]], {}, {"step": 1}, "nan", "1e999"]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="memory is measured as POSIX does")
@pytest.mark.parametrize("file", FILES)
def test_every_reader_of_a_damaged_file(made, file):
    done = subprocess.run([sys.executable, __file__, str(made), file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["complaints"] == []
    assert found["refused"] > COUNT // 10
    assert found["megabytes"] < MEGABYTES


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of each kind, a sweep and a data set."""
    folder = tmp_path_factory.mktemp("made")
    make(folder)
    return folder


def make(folder):
    begin = [["data", "terrain", "--size", "4", "--train", "12", "--test", "4", "--out", "maps"]]
    begin += [["train", "--steps", "12", "--samples", "1", "--record-every", "3", "--out", "run"]]
    begin += [["perceive", "maps", "--epochs", "2", "--batch", "6", "--out", "network"]]
    begin += [["sweep", "--input-temps", "0", "--target-temps", "1", "--samples", "1", "--steps", "3", "--out", "sweep"]]
    begin[-1] += ["--jobs", "1"]
    for arguments in begin:
        subprocess.run([sys.executable, "-m", "imle_cli", *arguments, "--quiet"], cwd=folder, check=True)


def readers(file):
    """What reads the file: functions that give something, or raise one of our errors."""
    from imle_cli.datasets import read_maps
    from imle_cli.experiment import Experiment, Recorder
    from imle_cli.perception_experiment import PerceptionExperiment
    from imle_cli.perception_recorder import PerceptionRecorder
    from imle_cli.perception_runs import PerceptionRun
    from imle_cli.run_folder import command_of
    from imle_cli.runs import Run

    if file.startswith("maps"):
        return [lambda: read_maps(Path("maps"), "train")]
    if file.startswith("sweep"):
        return [swept]
    kind, options, recorder = {
        "run": (Run, Experiment, Recorder),
        "network": (PerceptionRun, PerceptionExperiment, PerceptionRecorder),
    }[file.split("/")[0]]
    folder = Path(file).parent

    def resume():
        with recorder.resume(folder) as resumed:
            return resumed.training.step

    def shown():
        run = kind.open(folder)
        run.made_of_options(options.from_options)
        return command_of(folder), run.history() if kind is Run else run.views(), run.metrics()

    found = [resume, shown, lambda: kind.open(folder).summary()]
    return [*found, lambda: kind.open(folder).network_state("best")] if file.endswith("best.pt") else found


def swept():
    from imle_cli.experiment import Experiment
    from imle_cli.options import LearningOptions, MapOptions, MapSolverOptions, NoiseOptions
    from imle_cli.sweep import Sweep

    experiment = Experiment(MapOptions(), MapSolverOptions(), NoiseOptions(), LearningOptions(steps=3), 0, "auto", 10)
    axes = {"input_temp": [0.0], "target_temp": [1.0], "samples": [1], "seed": [0]}
    with Sweep(Path("sweep"), experiment, axes, None) as sweep:
        sweep.write_table()


def damage(file, generator):
    """The content of a file, changed somewhere."""
    path, suffix = Path(file), Path(file).suffix
    content = path.read_bytes()
    action = generator.random()
    if action < 0.1:
        return content[: generator.randrange(len(content))]
    if action < 0.25:
        return flipped(content, generator)
    if action < 0.3:
        return content + generator.randbytes(9)
    return {".json": json_damage, ".csv": csv_damage, ".npz": npz_damage, ".pt": state_damage, ".npy": npy_damage}[suffix](
        content, generator
    )


def flipped(content, generator):
    bits = bytearray(content)
    for _ in range(generator.randint(1, 4)):
        bits[generator.randrange(len(bits))] ^= 1 << generator.randrange(8)
    return bytes(bits)


def json_damage(content, generator):
    if generator.random() < 0.05:
        return b"[" * 200_000
    return json.dumps(changed(json.loads(content), generator, VALUES)).encode(errors="surrogatepass")


def changed(value, generator, values):
    """A tree with a value replaced, left out or entered."""
    if isinstance(value, (dict, list)) and value and generator.random() < 0.9:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = generator.choice(keys)
        copy = dict(value) if isinstance(value, dict) else list(value)
        if generator.random() < 0.15:
            del copy[key]
        else:
            copy[key] = changed(value[key], generator, values)
        return copy
    return generator.choice(values)


def csv_damage(content, generator):
    rows = [line.split(",") for line in content.decode().split("\n")]
    for _ in range(generator.randint(1, 3)):
        row = generator.choice(rows)
        match generator.randrange(5):
            case 0 | 1:
                text = str(generator.choice([*VALUES, "9" * 5000, '"', "\r", "\0", "1_0", "٣"]))
                row[generator.randrange(len(row))] = text
            case 2:
                rows.insert(generator.randrange(len(rows)), row)
            case 3:
                row.append("1")
            case 4 if len(rows) > 1:
                rows.remove(row)
    return "\n".join(",".join(row) for row in rows).encode(errors="surrogatepass")


def npz_damage(content, generator):
    """Archives whose check sums are right: an array is changed, or another one, or compressed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    name = generator.choice(list(entries))
    match generator.randrange(5):
        case 0:
            del entries[name]
        case 1:
            entries[name] = entries[generator.choice(list(entries))]
        case _:
            entries[name] = npy_damage(entries[name], generator)
    return packed(entries, zipfile.ZIP_DEFLATED if generator.random() < 0.1 else zipfile.ZIP_STORED)


def packed(entries, compression=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, entry in entries.items():
            archive.writestr(name, entry)
    return file.getvalue()


def npy_damage(content, generator):
    import numpy as np

    if generator.random() < 0.3:  # a header that lies
        shape = generator.choice([(10**12,), (2**40, 2**40), (-1, 4), (0,), (), (2**63, 2), (1,) * 40, (3, "x"), 10**5000])
        kind = generator.choice(["<f8", "|u1", "|O", "<U9", "[('a', '<f4')]", "<c16", "<f2", "nonsense", "<m8[s]"])
        text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape if shape != 10**5000 else '9' * 5000}, }}"
        header = text.encode().ljust(117) + b"\n"
        return content[:8] + len(header).to_bytes(2, "little") + header + content[128:]
    array = np.load(io.BytesIO(content))
    match generator.randrange(5):
        case 0:
            array = array.astype(generator.choice(["f2", "f4", "f8", "i1", "u8", "c8", "U3", "?", ">f4"]))
        case 1:
            array = array[..., None] if generator.random() < 0.5 else array.reshape(-1)
        case 2:
            array = array[: generator.randrange(3)]
        case _ if array.size:
            array = array.copy()
            numbers = [-1, 0, 2, 255, 10**6] if array.dtype.kind in "iu" else [-1.0, 0.0, np.nan, np.inf, 1e300, 1e-300]
            with np.errstate(over="ignore"):
                array.reshape(-1)[generator.randrange(array.size)] = np.array(generator.choice(numbers)).astype(array.dtype)
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def state_damage(content, generator):
    import torch

    if generator.random() < 0.3:  # a pickle that is nonsense, in an archive whose check sums are right
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        name = generator.choice(list(entries))
        entries[name] = flipped(entries[name], generator) if entries[name] else b"x"
        return packed(entries)
    tensors = [torch.zeros(()), torch.zeros(0), torch.ones(2, 2), torch.ones(16, 16, dtype=torch.float64)]
    tensors += [torch.full((16, 16), torch.nan), torch.zeros(5056, dtype=torch.uint8), torch.ones(16, 16).to_sparse()]
    tensors += [torch.ones(1).expand(10**6, 10**6)]
    state = torch.load(io.BytesIO(content), weights_only=True)
    file = io.BytesIO()
    torch.save(changed(state, generator, [*VALUES, *tensors]), file)
    return file.getvalue()


def wrong(read, file):
    """Whether it was refused, and what was wrong about that."""
    began = time.monotonic()
    refused, complaint = False, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read()
    except ValueError as error:
        refused, message = True, str(error)
        ours = type(error).__module__.startswith("imle_")
        if not (ours and Path(file).parts[0] in message and len(message) <= LETTERS):
            complaint = f"{type(error).__name__}: {message[:400]}"
    except Exception as error:
        complaint = f"{type(error).__name__}: {str(error)[:400]}"
    spent = time.monotonic() - began
    return refused, complaint or (f"took {spent:.1f} s" if spent > SECONDS else None)


def peak():
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 2**20)


def report(file):
    """What was wrong with all damages of a file, and how much memory they took."""
    kept = Path(file).parts[0]
    shutil.copytree(kept, "whole")
    for read in readers(file):  # whole it can be read
        read()
    before = peak()
    if file.endswith("previous.pt"):
        shutil.copy(Path("whole", "checkpoint.pt"), Path("whole", "previous.pt"))
        Path("whole", "checkpoint.pt").unlink()
    refused, complaints = 0, []
    for number in range(COUNT):
        generator = random.Random(f"{file} {number}")
        shutil.rmtree(kept)
        shutil.copytree("whole", kept)
        Path(file).write_bytes(damage(file, generator))
        found = [wrong(read, file) for read in readers(file)]
        refused += any(was for was, _ in found)
        complaints += [f"{number}: {complaint}" for _, complaint in found if complaint]
    return {"refused": refused, "complaints": complaints, "megabytes": round(peak() - before)}


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        shutil.copytree(sys.argv[1], place, dirs_exist_ok=True)
        os.chdir(place)
        with contextlib.redirect_stderr(io.StringIO()):
            found = report(sys.argv[2])
        os.chdir("/")
        print(json.dumps(found))
