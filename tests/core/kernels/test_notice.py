"""Who is told of compiling: once, at the first kernel that no cache has."""

import numba
import pytest

from imle_core.kernels import notice
from imle_core.kernels.compiled import compiled


@pytest.fixture(autouse=True)
def _nobody_after():
    yield
    notice.tell(lambda: None)


def test_the_last_listener_is_told_once():
    calls = []
    notice.tell(lambda: calls.append("first"))
    notice.tell(lambda: calls.append("second"))
    notice.begins()
    notice.begins()
    assert calls == ["second"]


def test_a_kernel_that_is_compiled_already_tells_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))  # or the last run of this test may have left it compiled

    def double(x):
        return 2 * x

    kernel, calls = compiled(double), []
    notice.tell(lambda: calls.append("compiling"))
    assert (kernel(3), calls) == (6, ["compiling"])
    notice.tell(lambda: calls.append("again"))
    assert (kernel(4), calls) == (8, ["compiling"])
