"""Compiled kernels: what they give and borrow, on processors with and without wide vectors."""

import os
import platform
import subprocess
import sys
from typing import NamedTuple

import numba
import numpy as np
import pytest

from imle_core.kernels.compiled import compiled, compiled_borrowing


def double(x):
    return 2 * x


class Pair(NamedTuple):
    numbers: np.ndarray
    factor: float


def multiplied(pair):
    return pair.numbers[0] * pair.factor


def made(size):
    return np.empty(size)[0]


def test_a_kernel_gives_what_its_function_gives():
    assert compiled(double)(21) == 42


doubled = compiled(double)


@compiled
def doubled_twice(x):
    return doubled(doubled(x))


def test_kernels_call_one_another_without_what_python_calls_them_by():
    before = len(doubled.signatures)
    assert doubled_twice(np.float32(3.0)) == 12.0
    assert len(doubled.signatures) == before
    assert [doubled(np.float32(3.0)), doubled_twice(np.float32(2.0))] == [6.0, 8.0]
    assert len(doubled.signatures) == before + 1


@compiled
def times(x, factor):
    return x * factor


@compiled
def times_constants(x, factor):
    return times(x, 2) + times(x, 3) + times(x=x, factor=factor) + times(x, True)


@pytest.mark.parametrize("named", [False, True])
def test_constants_are_of_the_type_of_any_number_and_have_no_version_of_their_own(named):
    two = numba.types.literal(2)
    given = ((numba.float64,), {"factor": two}) if named else ((numba.float64, two), {})
    _, _, kinds, names = times.get_call_template(*given)
    assert (tuple(kinds), names) == ((numba.float64, numba.int64), {})
    assert times_constants(5.0, np.int64(4)) == 50.0


class TestBorrowing:
    def test_a_kernel_gives_what_its_function_gives_and_arrays_stay_their_owners(self):
        kernel, numbers = compiled_borrowing(multiplied), np.array([1.5, 2.0])
        references = sys.getrefcount(numbers)
        assert [kernel(Pair(numbers, 3.0)) for _ in range(50)] == [4.5] * 50
        assert sys.getrefcount(numbers) == references
        assert numbers.tolist() == [1.5, 2.0]

    def test_a_function_that_makes_an_array_is_refused(self):
        with pytest.raises(numba.core.errors.TypingError, match="Only accept returning of array passed into the function"):
            compiled_borrowing(made)(3)


@pytest.mark.parametrize("name", ["label", "_trace", "cheapest_paths"])
def test_kernels_of_the_grid_release_the_interpreter(name):
    from imle_core.solvers.grid.kernels import one_map

    assert getattr(one_map, name).targetoptions["nogil"]


RESULTS = """
import hashlib, torch
from imle_core import *
from imle_core.solvers import GridPath
generator, seen = torch.Generator().manual_seed(0), hashlib.sha256()
laws = GumbelNoiseDistribution(), NormalNoiseDistribution(), LogisticNoiseDistribution()
for law in (*laws, SumOfGammaNoiseDistribution(20.8, 100)):
    seen.update(law.sample((40, 9, 17), generator=generator).numpy().tobytes())
for shape in ((70, 9, 17), (70, 8, 16)):
    costs = 1 + torch.rand(shape, generator=generator).round(decimals=1)
    costs[3:] = 1 + torch.rand(costs[3:].shape, generator=generator)
    seen.update(GridPath()(-costs).numpy().tobytes())
print(seen.hexdigest())
"""


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names a processor of another kind")
def test_results_do_not_depend_on_the_width_of_vectors(capsys):
    oldest = {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": ""}  # numba's cache tells processors apart
    call = [sys.executable, "-c", RESULTS]
    done = subprocess.run(call, env={**os.environ, **oldest}, capture_output=True, text=True, check=True)
    assert len(done.stdout) == 65
    exec(RESULTS, {})
    assert capsys.readouterr().out == done.stdout
