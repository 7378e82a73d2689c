"""Pictures of calibrations, by what is in them and by their pixels."""

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from imle_cli.figures import canvas
from imle_cli.figures.calibration import CalibrationCurve, calibration_figure
from imle_cli.figures.colours import CURVE, PALE, PATH

TEMPERATURES = [0.5, 1.0, 2.0]
SEVERAL = CalibrationCurve("total variation", np.array([[0.2, 0.4], [0.1, 0.1], [0.3, 0.6]]), np.full((3, 2), 0.02))
ONE = CalibrationCurve("marginal error", np.array([[0.2], [-0.01], [0.3]]), np.full((3, 1), 0.03))


def pixels(figure):
    return np.asarray(Image.open(io.BytesIO(canvas.encode(figure, "png"))).convert("RGB"))


def has(picture, colour):
    wanted = np.rint(255 * np.array(to_rgb(colour)))
    return bool((np.abs(picture.astype(int) - wanted).max(axis=-1) < 6).any())


def test_means_errors_and_the_range_of_instances():
    figure = calibration_figure(TEMPERATURES, [SEVERAL], 1.0, title="a title")
    (axes,) = figure.axes
    (bars,) = axes.containers
    line, _, (segments,) = bars
    np.testing.assert_allclose(line.get_xydata(), [[0.5, 0.3], [1.0, 0.1], [2.0, 0.45]])
    error = 0.02 / np.sqrt(2)
    np.testing.assert_allclose(segments.get_segments()[0], [[0.5, 0.3 - error], [0.5, 0.3 + error]])
    (band,) = (some for some in axes.collections if some.get_label() == "range of 2 instances")
    assert band.get_datalim(axes.transData).extents.tolist() == pytest.approx([0.5, 0.1, 2.0, 0.6])
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {
        "mean ± standard error",
        "range of 2 instances",
        "closest: 1",
    }
    assert axes.get_ylabel() == "total variation"
    assert axes.get_xlabel() == "temperature of the noise"
    assert axes.get_ylim()[0] == 0
    assert figure.get_suptitle() == "a title"


def test_a_single_instance_has_no_range_and_may_be_below_zero():
    figure = calibration_figure(TEMPERATURES, [SEVERAL, ONE], 1.0, title="t")
    upper, lower = figure.axes
    assert (upper.get_xlabel(), lower.get_xlabel()) == ("", "temperature of the noise")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "range of 2 instances",
        "closest: 1",
        "mean ± standard error",
        "estimate ± standard error",
    ]  # of both panels, each once
    assert lower.get_ylim()[0] < -0.04
    assert upper.get_xlim() == lower.get_xlim()


@pytest.mark.slow
def test_colours_and_size():
    picture = pixels(calibration_figure(TEMPERATURES, [SEVERAL, ONE], 1.0, title="t"))
    assert picture.shape == (1140, 1280, 3)
    assert has(picture, CURVE)
    assert has(picture, PATH)
    assert has(picture, PALE)


@pytest.mark.slow
def test_a_single_temperature():
    figure = calibration_figure([1.0], [CalibrationCurve("x", np.array([[0.2]]), np.array([[0.01]]))], 1.0, title="t")
    assert pixels(figure).std() > 0
