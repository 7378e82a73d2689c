"""Small pictures for a terminal."""

import matplotlib as mpl
import numpy as np
import pytest

from imle_cli.figures.preview import colours


def test_the_colours_are_viridis():
    values = np.linspace(0, 1, 101)[None]
    expected = 255 * mpl.colormaps["viridis"](values)[..., :3]
    assert np.abs(colours(values, 1, 101).astype(float) - expected).max() < 6
    assert colours(np.array([[0.0, 1.0]]), 1, 2).tolist() == [[[68, 1, 84], [253, 231, 37]]]


@pytest.mark.parametrize(
    ("shape", "rows", "columns", "size"),
    [
        ((16, 16), 48, 64, (48, 48)),
        ((16, 16), 40, 100, (32, 32)),
        ((1, 1), 48, 64, (4, 4)),
        ((1, 1000), 48, 64, (1, 63)),
        ((2048, 3), 48, 64, (48, 1)),
        ((48, 64), 48, 64, (48, 64)),
        ((49, 64), 48, 64, (25, 32)),
    ],
)
def test_sizes(shape, rows, columns, size):
    picture = colours(np.zeros(shape), rows, columns)
    assert (picture.shape, picture.dtype) == ((*size, 3), np.uint8)


def test_small_maps_are_enlarged_by_whole_tiles():
    values = np.array([[0.0, 0.5], [1.0, 0.25]])
    picture = colours(values, 48, 64)
    assert picture.shape == (8, 8, 3)
    np.testing.assert_array_equal(picture, colours(values, 2, 2).repeat(4, axis=0).repeat(4, axis=1))


def test_of_tiles_that_share_a_pixel_the_most_probable_shows():
    values = np.zeros((100, 100))
    values[99, 37] = 1.0
    picture = colours(values, 20, 20)
    assert picture.shape == (20, 20, 3)
    assert picture[19, 7].tolist() == [253, 231, 37]
    assert (picture == [68, 1, 84]).all(axis=-1).sum() == 399
