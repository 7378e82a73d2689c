"""Small pictures for a terminal."""

import matplotlib as mpl
import numpy as np
import pytest

from imle_cli.figures.preview import Preview


def colours(values, rows, columns):
    return Preview(values).picture(rows, columns)[0]


def test_the_colours_are_viridis():
    values = np.linspace(0, 1, 101)[None]
    expected = 255 * mpl.colormaps["viridis"](values)[..., :3]
    assert np.abs(colours(values, 1, 101).astype(float) - expected).max() < 6
    assert colours(np.array([[0.0, 1.0]]), 1, 2).tolist() == [[[68, 1, 84], [253, 231, 37]]]


@pytest.mark.parametrize(
    ("shape", "rows", "columns", "size"),
    [
        ((16, 16), 48, 64, (32, 32)),
        ((16, 16), 24, 100, (16, 16)),
        ((40, 40), 100, 100, (40, 40)),
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


@pytest.mark.parametrize(
    ("rows", "columns", "letters"),
    [
        (16, 16, {(0, 1): "S", (9, 15): "G"}),
        (32, 32, {(0, 2): "S", (18, 30): "G"}),
        (8, 16, {(0, 0): "S", (4, 7): "G"}),
    ],
)
def test_marks_are_letters_on_the_pixels_of_their_tiles(rows, columns, letters):
    preview = Preview(np.zeros((16, 16)), {"start": (0, 1), "goal": (9, 15)})
    pixels, shown = preview.picture(rows, columns)
    assert shown == letters
    assert len(pixels) == rows


def test_the_scale_leads_from_0_to_1():
    scale = Preview(np.zeros((1, 1))).scale(5)
    assert (scale.shape, scale[0].tolist(), scale[-1].tolist()) == ((5, 3), [68, 1, 84], [253, 231, 37])
