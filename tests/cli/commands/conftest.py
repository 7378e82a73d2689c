"""What the tests of commands share: pictures of few pixels, mostly made here and judged in the tests of figures."""

import matplotlib as mpl
import pytest

pytest.register_assert_rewrite("command")


@pytest.fixture(scope="module", autouse=True)
def _coarse_pictures():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(mpl.rcParamsDefault, "savefig.dpi", 40)
        yield


@pytest.fixture
def _fine_pictures(monkeypatch):
    """For a test that looks at them."""
    monkeypatch.setitem(mpl.rcParamsDefault, "savefig.dpi", "figure")
