"""Pictures of images of maps, compared as arrays of pixels."""

import io

import numpy as np
import pytest
from PIL import Image

from imle_cli.figures.canvas import encode
from imle_cli.figures.contact_sheet import contact_sheet

ORANGE = (213, 94, 0)
GAP, HEAD = 16, 84


def pixels(figure):
    return np.asarray(Image.open(io.BytesIO(encode(figure, "png"))).convert("RGB"))


def images_of(count, height, width):
    return np.random.default_rng(0).integers(0, 256, (count, 8 * height, 8 * width, 3), dtype=np.uint8)


def nothing(count, height, width):
    return np.zeros((count, height, width), dtype=np.uint8)


def near(colours, colour):
    return (np.abs(colours.astype(int) - colour) < 8).all(axis=-1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "height", "width", "across"),
    [
        (1, 12, 12, 1),
        (2, 12, 12, 2),
        (3, 12, 12, 2),
        (12, 12, 12, 4),
        (40, 12, 12, 4),
        (12, 4, 16, 2),
        (6, 16, 4, 6),
        (5, 2, 2, 3),
    ],
)
def test_every_pixel_of_the_first_maps_is_a_square_of_pixels(count, height, width, across):
    images = images_of(count, height, width)
    shown = pixels(contact_sheet(images, nothing(count, height, width), title="maps"))[HEAD:]
    down = -(-min(count, 12) // across)
    times = 1600 // max(across * 8 * width, down * 8 * height)
    high, wide = 8 * height * times, 8 * width * times
    assert shown.shape == (GAP + down * (high + GAP), GAP + across * (wide + GAP), 3)
    for number, image in enumerate(images[:12]):
        top, left = GAP + (high + GAP) * (number // across), GAP + (wide + GAP) * (number % across)
        expected = image.repeat(times, axis=0).repeat(times, axis=1)
        np.testing.assert_array_equal(shown[top : top + high, left : left + wide], expected)


@pytest.mark.slow
def test_large_images_are_averaged_over_squares():
    images = images_of(2, 101, 101)
    shown = pixels(contact_sheet(images, nothing(2, 101, 101), title="large"))[HEAD:]
    expected = images[0].reshape(404, 2, 404, 2, 3).mean(axis=(1, 3))
    assert np.abs(shown[GAP : GAP + 404, GAP : GAP + 404].astype(int) - expected).max() <= 1
    assert shown.shape == (404 + 2 * GAP, 2 * (404 + GAP) + GAP, 3)


@pytest.mark.slow
def test_a_path_is_a_line_over_the_centres_of_its_tiles_with_a_white_edge():
    paths = nothing(1, 4, 4)
    paths[0, [0, 1, 2, 3], [0, 0, 1, 3]] = 1  # the last two are no neighbours
    figure = contact_sheet(np.zeros((1, 32, 32, 3), dtype=np.uint8), paths, title="path")
    shown = pixels(figure)[HEAD + GAP : -GAP, GAP:-GAP]
    tile = shown.shape[0] // 4
    middle = lambda row, column: shown[round((row + 0.5) * tile), round((column + 0.5) * tile)]  # noqa: E731
    for row, column in ((0, 0), (0.5, 0), (1, 0), (1.5, 0.5), (2, 1)):
        assert tuple(middle(row, column)) == ORANGE, (row, column)
    for row, column in ((2.5, 2), (3, 2), (0, 1), (2, 0)):
        assert tuple(middle(row, column)) == (0, 0, 0), (row, column)
    assert near(shown, (255, 255, 255)).any()


@pytest.mark.slow
def test_the_title_is_above_the_maps_and_taken_literally():
    figure = contact_sheet(images_of(2, 3, 3), nothing(2, 3, 3), title="maps of $x$")
    assert figure.get_suptitle() == "maps of $x$"
    shown = pixels(figure)
    assert (shown[:HEAD] < 100).any()
    assert (shown[HEAD : HEAD + GAP] == 255).all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pdf", "svg"])
def test_other_kinds(kind):
    assert len(encode(contact_sheet(images_of(2, 3, 3), nothing(2, 3, 3), title="maps"), kind)) > 1000
