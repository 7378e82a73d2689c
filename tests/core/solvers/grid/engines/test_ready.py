"""Who solves while kernels are not compiled, and that they are compiled beside it, once."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from imle_core.kernels import notice
from imle_core.solvers import GridPath
from imle_core.solvers.grid.engines import compiled, on_scipy, ready
from imle_core.solvers.grid.kernels.maps import make_maps


def maps(dtype=np.float32):
    return make_maps(np.zeros((1, 4), dtype), None, 0.0, 1e-4, 1e290)


class Compilation:
    """Stands in for a process that compiles."""

    def __init__(self, function, word, folder):
        self.asked, self.is_running, self.waits = (function.__name__, word, folder), True, 0

    def wait(self):
        self.waits += 1


@pytest.fixture
def choice(monkeypatch):
    """A choice in a process that has compiled nothing, with what it begins and what it asks to be ready."""
    monkeypatch.delenv(ready.SETTING, raising=False)
    begun = []
    chosen = ready.Choice()
    chosen.begun, chosen.ready = begun, set()
    monkeypatch.setattr(ready.beside, "Compilation", lambda *arguments: begun.append(Compilation(*arguments)) or begun[-1])
    monkeypatch.setattr(ready, "is_ready", lambda kernel, _: kernel in chosen.ready)
    return chosen


class TestChoice:
    def test_scipy_answers_until_all_kernels_are_ready(self, choice):
        assert choice.engine(maps(), 4) is on_scipy
        choice.ready.update(ready._KERNELS[1:])
        assert choice.engine(maps(), 4) is on_scipy
        choice.ready.add(ready._KERNELS[0])
        assert choice.engine(maps(), 4) is compiled

    def test_ready_kernels_are_not_asked_for_again(self, choice):
        choice.ready.update(ready._KERNELS)
        assert choice.engine(maps(), 4) is compiled
        choice.ready.clear()
        assert choice.engine(maps(), 4) is compiled
        assert choice.begun == []

    def test_kernels_are_compiled_beside_it_once_for_each_type(self, choice):
        for dtype in (np.float32, np.float32, np.float64, np.float32):
            choice.engine(maps(dtype), 4)
        folder = ready.cache_folder(ready.shared.scaled_paths)
        assert [work.asked for work in choice.begun] == [
            ("compile_kernels", "float32", folder),
            ("compile_kernels", "float64", folder),
        ]

    def test_large_maps_wait_alone(self, choice, monkeypatch):
        monkeypatch.setattr(ready, "_LARGEST", 3)
        assert choice.engine(maps(), 4) is compiled
        monkeypatch.setattr(ready, "_LARGEST", 4)
        assert choice.engine(maps(), 4) is on_scipy

    @pytest.mark.parametrize("is_running", [True, False])
    def test_much_work_waits_for_kernels(self, choice, is_running, monkeypatch):
        told = []
        monkeypatch.setattr(notice._state, "listener", notice.Silence())
        monkeypatch.setattr(notice._state.listener, "begins", told.append, raising=False)
        assert choice.engine(maps(), ready._MOST_TILES) is on_scipy
        choice.begun[0].is_running = is_running
        assert choice.engine(maps(), 1) is compiled
        assert (choice.begun[0].waits, told) == ((1, ["paths on maps"]) if is_running else (0, []))

    def test_what_goes_on_beside_the_work_is_told(self, choice, monkeypatch):
        told = []
        monkeypatch.setattr(notice._state, "listener", notice.Silence())
        monkeypatch.setattr(notice._state.listener, "goes_on", lambda *arguments: told.append(arguments), raising=False)
        choice.engine(maps(), 4)
        (subject, is_running), work = told[0], choice.begun[0]
        assert (subject, is_running()) == ("paths on maps", True)
        work.is_running = False
        assert not is_running()

    def test_where_kernels_are_to_be_first_nothing_is_begun(self, choice, monkeypatch):
        monkeypatch.setenv(ready.SETTING, "first")
        assert choice.engine(maps(), 4) is compiled
        assert choice.begun == []


class TestGridPath:
    @pytest.fixture
    def asked(self, monkeypatch):
        tiles = []
        engine = SimpleNamespace(engine=lambda _, count: tiles.append(count) or on_scipy)
        monkeypatch.setattr(ready, "CHOICE", engine)
        return tiles

    def test_it_says_how_much_work_there_is(self, asked):
        GridPath()(-torch.ones(3, 4, 5))
        assert asked == [60]

    @pytest.mark.parametrize("engine", ["compiled", "networkx", "torch"])
    def test_an_engine_that_was_named_is_the_one_that_answers(self, asked, engine):
        solver = GridPath(engine=engine)
        solver(-torch.ones(3, 4, 5))
        assert (asked, solver.engine) == ([], engine)


def test_all_kernels_are_called(monkeypatch):
    """Each of them, with arguments of the types that any maps of that type have."""
    called = []
    for module in (compiled, compiled.shared, compiled.lanes, compiled.one_map):
        for kernel in ready._KERNELS:
            name = kernel.py_func.__name__
            if vars(module).get(name) is kernel:
                monkeypatch.setattr(module, name, lambda *given, k=kernel: (called.append(k), k(*given))[1])
    ready.compile_kernels("float32")
    assert set(called) == set(ready._KERNELS)
