"""Arrays as JSON: what is refused, and that less room is taken; tests in a browser unpack them."""

import json

import numpy as np
import pytest

from imle_cli.pages.packing import pack


def test_what_changes_little_takes_less_room_as_deltas():
    rows = np.arange(1000, dtype=np.uint16)[:, None] + np.arange(50, dtype=np.uint16) ** 2
    assert len(json.dumps(pack(rows, deltas=True))) < 0.2 * len(json.dumps(pack(rows)))


@pytest.mark.parametrize("value", [[1, 2], np.array(["a"]), np.zeros(2, complex), np.zeros(2, np.int64), object()])
def test_what_no_page_could_unpack_is_refused(value):
    with pytest.raises(TypeError, match="cannot be packed"):
        pack(value)


def test_deltas_of_floats_are_refused():
    with pytest.raises(TypeError, match="rounded"):
        pack(np.zeros(3, np.float32), deltas=True)
