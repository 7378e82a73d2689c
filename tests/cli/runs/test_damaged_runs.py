"""Files of runs, sweeps and data sets, damaged in 100 ways each: they are read, or refused in one line that names them."""

import functools
import io
import json
import random
import shutil
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from imle_cli.app import app
from imle_cli.files.datasets import read_maps
from imle_cli.files.outputs import OutputError
from imle_cli.files.sources import SourceError
from imle_cli.options.inputs import MapOptions, MapSolverOptions, NoiseOptions
from imle_cli.options.learning import LearningOptions, PerceptionOptions
from imle_cli.runs.directories import command_of
from imle_cli.runs.perception import PerceptionRun
from imle_cli.runs.training import Run
from imle_cli.trainings.perception.experiment import PerceptionExperiment, Trained
from imle_cli.trainings.perception.recorder import PerceptionRecorder
from imle_cli.trainings.perception.sweep import PerceptionSweep
from imle_cli.trainings.weights.experiment import TrainingExperiment
from imle_cli.trainings.weights.recorder import TrainingRecorder
from imle_cli.trainings.weights.sweep import Sweep
from overwriting import write_over

COUNT, LETTERS = 100, 300
CELL, IMAGE_CELL = "sweep/in0-target1-samples1-seed0", "images/mean-colour-seed0"
RUNS = ["config.json", "metrics.csv", "history.npz", "checkpoint.pt", "previous.pt", "summary.json"]
FILES = [f"{kind}/{name}" for kind in ("run", "network") for name in RUNS] + ["network/best.pt"]
FILES += [f"{CELL}/config.json", f"{CELL}/summary.json"]
FILES += [f"{IMAGE_CELL}/{name}" for name in ("config.json", "summary.json", "metrics.csv")]
FILES += [f"maps/train_{name}.npy" for name in ("maps", "vertex_weights", "shortest_paths")]
COMMANDS = [
    "data terrain --size 2 --train 4 --test 2 --out maps",
    "train --steps 12 --samples 1 --record-every 3 --out run",
    "perceive maps --epochs 2 --batch 4 --out network",
    "sweep --input-temps 0 --target-temps 1 --samples 1 --steps 3 --jobs 1 --out sweep",
    "sweep maps --estimators mean-colour --epochs 1 --batch 4 --out images",
]
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


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of each kind, a sweep of each kind and a data set."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in COMMANDS:
            result = CliRunner().invoke(app, [*command.split(), "--quiet"])
            assert result.exit_code == 0, result.output
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_every_reader_of_a_damaged_file(made, file, bounded):
    shutil.copytree(made, ".", dirs_exist_ok=True)
    for read in readers(file):  # whole it can be read
        read()
    path, refused = Path(file), 0
    whole = path.read_bytes()
    for number in range(COUNT):
        write_over(path, damage(path.suffix, whole, random.Random(f"{file} {number}")))
        if path.name == "previous.pt":
            path.with_name("checkpoint.pt").unlink(missing_ok=True)
        for read in readers(file):
            with bounded():
                message = refusal(read)
            refused += message is not None
            assert message is None or names(message, path), f"{number}: {message}"
    assert refused > COUNT // 10


def refusal(read):
    """The message of an error of ours; None where it is read."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            read()
        except (SourceError, OutputError) as error:
            return str(error)
    return None


def names(message, path):
    """Whether a message names the file, in a line that is short enough."""
    return path.parts[0] in message and path.name in message and len(message) <= LETTERS and len(message.splitlines()) == 1


def readers(file):
    """What reads the file: functions that give something, or raise an error of ours."""
    folder, name = Path(file).parent, Path(file).name
    if file.startswith("maps"):
        return [lambda: read_maps(folder, "train")]
    if file.startswith("sweep"):
        return [swept]
    if file.startswith("images"):
        return [images_swept]
    kind, options, recorder = {
        "run": (Run, TrainingExperiment, TrainingRecorder),
        "network": (PerceptionRun, PerceptionExperiment, PerceptionRecorder),
    }[folder.name]

    def resumed():
        with recorder.resume(folder) as found:
            return found.training.step

    def shown():
        run = kind.open(folder)
        run.experiment(options)
        return command_of(folder), run.history(), run.metrics()

    def summarised():
        return kind.open(folder).summary()

    def trained():
        return Trained.read(folder, "best" if name == "best.pt" else "last", "cpu")

    of_networks = [trained] if kind is PerceptionRun else []
    return {
        "config.json": [resumed, shown, summarised, *of_networks],
        "metrics.csv": [shown, *of_networks],
        "history.npz": [resumed, shown],
        "checkpoint.pt": [resumed, *of_networks],
        "previous.pt": [resumed],
        "summary.json": [summarised],
        "best.pt": of_networks,
    }[name]


def swept():
    learning = LearningOptions(steps=3)
    experiment = TrainingExperiment(MapOptions(), MapSolverOptions(), NoiseOptions(), learning, 0, "auto", 10)
    axes = {"input_temp": [0.0], "target_temp": [1.0], "samples": [1], "seed": [0]}
    with Sweep(Path("sweep"), experiment, axes, None) as sweep:
        sweep.write_table()
        for row in sweep.rows:
            assert isinstance(row["final_hamming"] + row["final_loss"] + row["seconds"], float | int)
            assert row["final_hamming"] or row["first_gold_step"] is not None


def images_swept():
    experiment = PerceptionExperiment(Path("maps"), PerceptionOptions(epochs=1, batch=4), NoiseOptions(), 0, "auto")
    with PerceptionSweep(Path("images"), experiment, ["mean-colour"], [0]) as sweep:
        sweep.write_table()
        assert [len(numbers) for curve in sweep.curves.values() for numbers in curve] == [1, 1]
        for row in sweep.rows:
            assert isinstance(row["optimal"] + row["regret"] + row["zero_gradients"] + row["seconds"], float | int)


def damage(suffix, content, generator):
    """The content of a file, changed somewhere."""
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
    if generator.random() < 0.3:  # a pickle that is nonsense, in an archive whose check sums are right
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        name = generator.choice(list(entries))
        entries[name] = flipped(entries[name], generator) if entries[name] else b"x"
        return packed(entries)
    tensors = [torch.zeros(()), torch.zeros(0), torch.ones(2, 2), torch.ones(16, 16, dtype=torch.float64)]
    tensors += [torch.full((16, 16), torch.nan), torch.zeros(5056, dtype=torch.uint8), torch.ones(16, 16).to_sparse()]
    tensors += [torch.ones(1).expand(10**6, 10**6)]
    file = io.BytesIO()
    torch.save(changed(state_of(content), generator, [*VALUES, *tensors]), file)
    return file.getvalue()


@functools.lru_cache(maxsize=1)
def state_of(content):
    return torch.load(io.BytesIO(content), weights_only=True)
