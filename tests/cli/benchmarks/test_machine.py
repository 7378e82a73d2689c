"""The machine and its packages, as they are and where something is not told."""

import os
import platform

import pytest
import torch

from imle_cli.benchmarks import machine


def test_the_machine():
    found = machine.describe(torch.device("cpu"))
    assert list(found) == ["processor", "processors", "vectors", "system", "threads", "gpu"]
    assert (found["processors"], found["threads"], found["gpu"]) == (os.cpu_count(), torch.get_num_threads(), None)
    assert found["system"] == f"{platform.machine()} {platform.system()}"
    assert isinstance(found["processor"], str)


def test_a_gpu_that_computes_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"fast {device}")
    found = machine.describe(torch.device("cuda"))
    assert found["gpu"] == "fast cuda"
    several = {"processor": "chip", "processors": 3, "vectors": "AVX2"}
    assert machine.in_words(found | several) == "chip, 3 processors, AVX2, fast cuda"
    single = {"processor": "chip", "processors": 1, "vectors": None, "gpu": None}
    assert machine.in_words(found | single) == "chip, 1 processor"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor\t: 0\nmodel name\t: Chip: 2 GHz\nmodel name\t: other\n", "Chip: 2 GHz"),
        ("processor\t: 0\nmodel name\t:\n", "python's"),
        ("BogoMIPS\t: 243.75\n", "python's"),
        (None, "python's"),
    ],
)
def test_the_processor(text, name, tmp_path, monkeypatch):
    monkeypatch.setattr(platform, "processor", lambda: "python's")
    place = tmp_path / "cpuinfo"
    if text is not None:
        place.write_text(text)
    assert machine._processor(place) == name


def test_a_processor_that_nothing_names(tmp_path, monkeypatch):
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert machine._processor(tmp_path / "none") == platform.machine()


def test_versions_of_packages_that_are_there():
    found = machine.versions("pytest", "no-such-package")
    assert set(found) == {"python", "imle", "torch", "numpy", "numba", "scipy", "networkx", "pytest"}
    assert found["python"] == platform.python_version()
    assert found["pytest"] == pytest.__version__
