"""Compiling beside the work: a process that calls a function once, one at a time for a folder."""

import gc
import os
import sys
import time
from importlib import import_module

import pytest

from imle_core.kernels import beside
from imle_core.kernels.beside import Compilation


def refused(word):
    raise AssertionError(word)


class TestCompilation:
    def test_nothing_without_a_folder(self):
        compilation = Compilation(refused, "float32", None)
        compilation.wait()
        assert not compilation.is_running

    def test_nothing_where_no_lock_can_be_written(self, tmp_path):
        assert not Compilation(refused, "float32", tmp_path / "gone").is_running

    @pytest.mark.parametrize("executable", ["", "/usr/bin/editor", None])
    def test_nothing_where_python_is_part_of_another_program(self, tmp_path, monkeypatch, executable):
        monkeypatch.setattr(sys, "executable", executable)
        assert not Compilation(refused, "float32", tmp_path).is_running
        assert list(tmp_path.iterdir()) == []

    def test_no_lock_where_no_process_begins(self, tmp_path, monkeypatch):
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
        assert not Compilation(refused, "float32", tmp_path).is_running
        assert list(tmp_path.iterdir()) == []

    @pytest.fixture
    def functions(self, tmp_path, monkeypatch):
        """A module of functions that another process can import."""
        source = "from pathlib import Path\ndef write(path):\n    Path(path).write_text('called')\n"
        (tmp_path / "functions_beside.py").write_text(source + "def await_word(path):\n    Path(path).read_text()\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        return import_module("functions_beside")

    @pytest.mark.process
    def test_a_process_calls_the_function_with_the_word(self, functions, tmp_path):
        compilation = Compilation(functions.write, str(tmp_path / "word"), tmp_path)
        compilation.wait()
        assert not compilation.is_running
        assert (tmp_path / "word").read_text() == "called"
        assert not (tmp_path / beside._LOCK).exists()

    @pytest.mark.process
    def test_a_failure_lets_the_next_process_in(self, functions, tmp_path):
        for _ in range(2):
            compilation = Compilation(functions.await_word, str(tmp_path / "gone"), tmp_path)
            assert compilation._process is not None
            compilation.wait()

    @pytest.mark.process
    def test_the_lock_of_a_process_that_was_killed_is_taken_over(self, functions, tmp_path):
        lock, word = tmp_path / beside._LOCK, tmp_path / "word"
        lock.touch()
        Compilation(functions.write, str(word), tmp_path).wait()
        assert not word.exists()
        os.utime(lock, (time.time() - 2 * beside._LONGEST,) * 2)
        Compilation(functions.write, str(word), tmp_path).wait()
        assert word.exists()

    @pytest.mark.slow
    @pytest.mark.process
    @pytest.mark.skipif(os.name != "posix", reason="needs a pipe with a name")
    def test_a_process_that_still_runs_is_left_to_itself_without_a_warning(self, functions, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        compilation = Compilation(functions.await_word, str(tmp_path / "pipe"), tmp_path)
        assert compilation.is_running
        process = compilation._process.pid
        compilation._leave()
        del compilation
        gc.collect()
        (tmp_path / "pipe").write_text("go on")
        assert os.waitpid(process, 0)[1] == 0
