"""Compiled kernels, with and without a folder for their cache."""

import numba
import pytest

from imle_core.compiled import compiled


def double(x):
    return 2 * x


def test_a_kernel_gives_what_its_function_gives():
    assert compiled(double)(21) == 42


def test_a_kernel_compiles_where_nothing_can_be_cached(monkeypatch):
    njit, asked = numba.njit, []

    def without_a_folder(**settings):
        asked.append(settings)
        if settings.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return njit(**settings)

    monkeypatch.setattr(numba, "njit", without_a_folder)
    assert compiled(double)(21) == 42
    assert asked == [{"nogil": True, "cache": True}, {"nogil": True}]


@pytest.mark.parametrize("name", ["label", "_trace", "cheapest_paths"])
def test_kernels_of_the_grid_release_the_interpreter(name):
    from imle_core.solvers import grid_kernel

    assert getattr(grid_kernel, name).targetoptions["nogil"]
