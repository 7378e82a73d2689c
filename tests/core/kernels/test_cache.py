"""The cache of machine code on disk: damaged, stale and unwritable files, and sources that were edited."""

import errno
import os
import pickle
import random
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.caching import FunctionCache
from numba.core.registry import cpu_target

import warm
from imle_core.kernels.compiled import compiled


def doubled(x):
    return 2 * x


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def run(*arguments):
    """What a process that begins anew gets, and whether it had to compile for each argument."""
    kernel = compiled(doubled)
    results = [kernel(argument) for argument in arguments]
    return results, sum(kernel.stats.cache_misses.values())


def files(folder, ending="nb?"):
    return sorted(folder.rglob(f"*.{ending}"))


def checked(content):
    return sha256(content).digest() + content


def gone(content):
    """A pickle of a class that is no longer there."""
    return checked(content[32:].replace(b"numba.core", b"numba.bore"))


DAMAGES = {
    "empty": lambda _: b"",
    "one byte": lambda content: content[:1],
    "checksum alone": lambda content: content[:32],
    "cut in its first lines": lambda content: content[:40],
    "cut in the middle": lambda content: content[: len(content) // 2],
    "last byte missing": lambda content: content[:-1],
    "a byte too many": lambda content: content + b"\0",
    "random bytes": lambda content: random.Random(0).randbytes(len(content)),
    "zeros": lambda content: bytes(len(content)),
    "one bit": lambda content: content[:-9] + bytes([content[-9] ^ 4]) + content[-8:],
    "a pickle without a checksum": lambda _: pickle.dumps({"one": 1}),
    "a pickle of another type": lambda _: checked(pickle.dumps(["another", "type"])),
    "no pickle": lambda _: checked(b"\x80\x04nothing"),
    "a class that is gone": gone,
    "a value of another type": lambda content: checked(pickle.dumps((*pickle.loads(content[32:])[:2], 7))),
}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A folder with what is compiled for two types, to copy."""
    folder = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "CACHE_DIR", str(folder))
        assert run(1, 2.5) == ([2, 5.0], 2)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_a_miss_and_is_replaced(folder, filled, ending, damage, capfd):
    shutil.copytree(filled, folder, dirs_exist_ok=True)
    assert run(1, 2.5) == ([2, 5.0], 0)
    for path in files(folder, ending):
        content = path.read_bytes()
        assert damage(content) != content
        path.write_bytes(damage(content))
    results, misses = run(1, 2.5)
    assert (results, misses > 0) == ([2, 5.0], True)
    assert run(1, 2.5) == ([2, 5.0], 0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["nbi", "nbc"])
def test_a_file_that_can_be_neither_read_nor_written_is_done_without(folder, ending):
    run(1)
    for path in files(folder, ending):
        path.unlink()
        path.mkdir()
    assert run(1) == ([2], 1)
    assert run(1) == ([2], 1)
    assert not list(folder.rglob("*.tmp.*"))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs permissions that bind")
def test_files_and_a_folder_without_permissions(folder):
    run(1)
    for path in files(folder):
        path.chmod(0)
    assert run(1) == ([2], 1)
    assert run(1) == ([2], 0)


@pytest.mark.slow
def test_code_for_other_types_is_never_taken(folder):
    """Two processes that compile at once may both take the first free name."""
    run(1, 2.5)
    first, second = files(folder, "nbc")
    second.write_bytes(first.read_bytes())
    assert run(1, 2.5) == ([2, 5.0], 1)
    assert run(1, 2.5) == ([2, 5.0], 0)


@pytest.mark.slow
@pytest.mark.parametrize("written", [0, 50])
def test_a_disk_that_is_full(folder, written, monkeypatch):
    whole = Path.write_bytes

    def cut_short(path, content):
        whole(path, content[:written])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", cut_short)
        assert run(1) == ([2], 1)
        assert files(folder) == list(folder.rglob("*.tmp.*")) == []
    assert run(1) == ([2], 1)
    assert run(1) == ([2], 0)


@pytest.mark.slow
def test_a_kernel_without_a_folder_for_its_cache(monkeypatch, folder):
    def nowhere(*_):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(FunctionCache, "__init__", nowhere)
    assert run(1) == ([2], 1)
    assert run(1) == ([2], 1)
    assert files(folder) == []
    kernel = compiled(doubled)
    assert kernel.stats.cache_path is None
    kernel.recompile()
    assert kernel(1) == 2


class TestFoldersThatCannotBeWrittenTo:
    @pytest.fixture
    def _closed(self, monkeypatch):
        def refuse(locator):
            raise PermissionError(errno.EACCES, "no", locator.get_cache_path())

        for locator in FunctionCache._impl_class._locator_classes:
            monkeypatch.setattr(locator, "ensure_cache_path", refuse)

    def test_code_that_is_in_one_is_taken(self, folder, request):
        assert run(3) == ([6], 1)
        request.getfixturevalue("_closed")
        before = files(folder)
        assert run(3) == ([6], 0)
        assert files(folder) == before

    @pytest.mark.usefixtures("_closed")
    def test_without_such_code_they_are_none(self, folder):
        assert run(3) == ([6], 1)
        assert files(folder) == []

    def test_code_of_other_sources_or_for_another_processor_is_none(self, request, monkeypatch):
        run(3)
        request.getfixturevalue("_closed")
        with monkeypatch.context() as edited:
            edited.setattr("imle_core.kernels.cache.source_version", lambda _: "edited")
            assert run(3) == ([6], 1)
        processor = type(cpu_target.target_context.codegen())
        monkeypatch.setattr(processor, "magic_tuple", lambda _: ("another",))
        assert run(3) == ([6], 1)


def test_a_kernel_without_its_source(monkeypatch, folder):
    monkeypatch.setattr(doubled, "__module__", "numba.core.types.abstract")
    monkeypatch.setattr(sys.modules["numba.core.types.abstract"], "__file__", str(folder / "none.py"))
    assert run(1) == ([2], 1)
    assert run(1) == ([2], 1)
    assert files(folder) == []


def test_a_kernel_looks_for_its_folder_once_it_is_called(folder):
    kernel = compiled(doubled)
    assert list(folder.iterdir()) == []
    assert kernel(1) == 2
    assert [len(files(folder, ending)) for ending in ("nbi", "nbc")] == [1, 1]
    assert kernel.stats.cache_path == str(files(folder)[0].parent)
    kernel.recompile()
    assert kernel(1) == 2


@pytest.mark.slow
def test_arrays_and_numbers_have_files_of_their_own(folder):
    (number, array), misses = run(1, np.ones(2))
    assert (number, array.tolist(), misses) == (2, [2.0, 2.0], 2)
    assert [len(files(folder, ending)) for ending in ("nbi", "nbc")] == [1, 2]


CALLEE = (
    "from imle_core.kernels.compiled import compiled\nfrom package.sizes import SIZE\n\n"
    "@compiled\ndef f(x):\n    return x + SIZE\n"
)
CALLER = """
from imle_core.kernels.compiled import compiled
from package.callee import (
    f,
)

@compiled
def g(x):
    return 10 * f(x)

print(g(1), sum(g.stats.cache_misses.values()))
"""
START = """
import sys, warnings
import numba
warnings.simplefilter("error")
sys.dont_write_bytecode = True
numba.config.reload_config()  # or it would be that of the process that this one is a fork of
import package.caller
"""


def printed_by(package):
    done = warm.run("-c", START, env={**os.environ, "NUMBA_CACHE_DIR": str(package.parent / "cache")}, cwd=package.parent)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.slow
@pytest.mark.process
def test_an_edit_takes_effect_in_callers_in_other_files_and_there_alone(folder):
    package = folder / "package"
    package.mkdir()
    sources = {"__init__": "", "sizes": "SIZE = 1\n", "callee": CALLEE, "caller": CALLER, "stranger": "SIZE = 1\n"}
    for name, source in sources.items():
        (package / f"{name}.py").write_text(source, encoding="utf-8")
    assert printed_by(package) == "20 1\n"
    for name, old, new, printed in [
        ("stranger", "1", "3", "20 0\n"),
        ("sizes", "1", "3", "40 1\n"),
        ("callee", "x + SIZE", "x + SIZE + 100", "1040 1\n"),
    ]:
        path = package / f"{name}.py"
        path.write_text(sources[name].replace(old, new), encoding="utf-8")
        assert printed_by(package) == printed


KERNELS = """
import sys
from imle_core.kernels.compiled import compiled

@compiled
def f(x):
    return x + 1

@compiled
def g(x):
    return f(x).sum()

def imported():
    return "scipy.linalg" in sys.modules or "numba.np.arraymath" in sys.modules
"""
CALLS = """
import sys
import numba
import numpy as np
numba.config.reload_config()  # or it would be that of the process that this one is a fork of
from kernels import f, g, imported
print(f(np.arange(3.0)).tolist(), sum(f.stats.cache_misses.values()), imported())
if "g" in sys.argv:
    print(imported())
    print(g(np.arange(3.0)), imported())
"""


@pytest.mark.slow
@pytest.mark.process
def test_code_is_loaded_without_what_compiles_and_is_compiled_into_other_code_after_that(tmp_path):
    (tmp_path / "kernels.py").write_text(KERNELS, encoding="utf-8")

    settings = {"cwd": tmp_path, "env": {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}}
    first = warm.run("-c", CALLS, **settings)
    assert (first.returncode, first.stdout) == (0, "[1.0, 2.0, 3.0] 1 True\n"), first.stderr
    anew = subprocess.run([sys.executable, "-c", CALLS, "g"], capture_output=True, text=True, check=False, **settings)
    assert (anew.returncode, anew.stdout) == (0, "[1.0, 2.0, 3.0] 0 False\nFalse\n6.0 True\n"), anew.stderr
