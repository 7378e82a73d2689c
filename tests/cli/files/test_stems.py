"""Names of inputs: different ones, as short as that lets them be."""

from pathlib import Path

import pytest

from imle_cli.files.stems import stems

CASES = {
    ("map.png",): ["map"],
    ("a.png", "b.png"): ["a", "b"],
    ("a/map.png", "b/map.png"): ["a-map", "b-map"],
    ("x/a/map.png", "y/a/map.png"): ["x-a-map", "y-a-map"],
    ("map.png", "map.npy"): ["map-png", "map-npy"],
    ("a/map.png", "a/map.npy", "b/map.png"): ["a-map-png", "map-npy", "b-map"],
    ("a/map.png", "b/map.png", "a-map.png"): ["a-map-png", "b-map", "a-map"],
    ("map.png", "map.png"): ["map", "map"],
}


@pytest.mark.parametrize("paths", CASES)
def test_names(paths):
    found = stems([Path(path) for path in paths])
    assert found == CASES[paths]
    assert len(set(found)) == len(set(paths))
