"""Pictures of a comparison."""

import math

import numpy as np
import pytest
from PIL import Image

from imle_cli.figures.canvas import encode
from imle_cli.figures.comparison import ComparisonCurve, comparison_figure
from imle_core.lab import IntervalEstimate


def figures(*values):
    return [IntervalEstimate(value, 0.05, value - 0.1, value + 0.1) for value in values]


CURVE = ComparisonCurve([0.1, 1.0, 10.0], figures(-0.02, 0.1, 0.9), figures(5.0, 0.5, 0.2))
COSINES = {"a": dict(zip([1, 3], figures(-0.2, 0.4), strict=True)), "b": {}}


@pytest.mark.slow
def test_two_panels_or_one():
    cosines = {
        f"estimator-{number}": dict(zip([1, 10], figures(0.1, 0.5 + number / 100), strict=True)) for number in range(16)
    }
    both = comparison_figure({"estimator-0": CURVE}, cosines, title="t", samples=10)
    alone = comparison_figure({}, cosines, title="t", samples=1)
    assert len(both.axes) == 2
    assert len(alone.axes) == 1
    lines = [container.lines[0] for container in alone.axes[0].containers]
    assert len({(line.get_color(), line.get_linestyle(), line.get_marker()) for line in lines}) == 16


def test_bars_are_the_intervals():
    figure = comparison_figure({"a": CURVE}, COSINES, title="t", samples=10)
    bias, variance = (container.lines[2][0].get_segments() for container in figure.axes[0].containers)
    assert bias[1][:, 1] == pytest.approx([1e-4, 0.2])
    assert bias[0][:, 1] == pytest.approx([1e-4, 0.08])
    assert variance[0][:, 1] == pytest.approx([4.9, 5.1])
    cosine = figure.axes[1].containers[0].lines[2][0].get_segments()
    assert cosine[0][:, 1] == pytest.approx([-0.3, -0.1])


def test_an_open_end_has_an_arrow_up():
    curve = ComparisonCurve(
        [1.0, 3.0],
        [IntervalEstimate(0.1, 0.2, 0.05, math.inf), IntervalEstimate(1.0, math.inf, 0.0, math.inf)],
        [IntervalEstimate(math.inf, math.inf, 9.0, math.inf)] * 2,
    )
    figure = comparison_figure({"a": curve}, COSINES, title="t", samples=10)
    bias = figure.axes[0].containers[0].lines[2][0].get_segments()
    assert [bar[:, 1].tolist() for bar in bias] == [pytest.approx([0.05, 0.1])]  # of the second nothing is known
    arrows = [text for text in figure.axes[0].texts if text.arrow_patch is not None]
    assert [arrow.xy for arrow in arrows] == [(1.0, 0.1), (1.0, 9.0), (3.0, 9.0)]
    assert all(arrow.xyann[1] > 0 and arrow.arrow_patch.get_arrowstyle().arrow == "<-" for arrow in arrows)
    assert figure.axes[0].get_title().endswith("bars: intervals of 95%; arrows: open above")


@pytest.mark.slow
def test_what_lies_below_the_scale_is_told():
    note = "bars: intervals of 95%; below 0.0001: drawn there"
    assert comparison_figure({"a": CURVE}, COSINES, title="t", samples=10).axes[0].get_title().endswith(note)
    inside = ComparisonCurve([1.0, 3.0], figures(0.3, 0.2), figures(0.3, 0.2))
    assert comparison_figure({"a": inside}, COSINES, title="t", samples=10).axes[0].get_title().endswith("of 95%")


@pytest.mark.slow
def test_it_is_drawn_in_full_and_the_same_each_time(tmp_path):
    figure = comparison_figure({"a": CURVE}, COSINES, title="$x_", samples=1)
    data = encode(figure, "png")
    (tmp_path / "a.png").write_bytes(data)
    with Image.open(tmp_path / "a.png") as image:
        assert np.asarray(image.convert("L")).min() < 50
    assert figure.axes[1].get_ylim()[0] < -0.2
    assert data == encode(comparison_figure({"a": CURVE}, COSINES, title="$x_", samples=1), "png")


def test_estimators_with_the_same_figures_share_a_curve():
    cosines = {
        name: dict(zip([1, 3], figures(0.2, value), strict=True)) for name, value in (("a", 0.4), ("b", 0.4), ("c", 0.5))
    }
    figure = comparison_figure({"a": CURVE, "b": CURVE, "c": CURVE}, cosines, title="t", samples=10, temperature=2.0)
    above, below = figure.axes
    assert [[text.get_text() for text in axes.get_legend().texts] for axes in (above, below)] == [["a, b", "c"]] * 2
    assert (len(above.containers), len(below.containers)) == (4, 2)
    assert above.get_title().startswith("bias and variance of 10 samples, all at temperature 2\n")
