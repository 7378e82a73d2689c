"""Pictures of how times grow, by what is in them."""

import pytest

from imle_cli.figures.canvas import encode
from imle_cli.figures.scaling import scaling_figure
from imle_cli.figures.scaling_curve import ScalingCurve

SIDES = [
    ScalingCurve("one thread", "side", "GridPath", (8, 16), (1e-6, 4e-6), ((0.9e-6, 1.1e-6), (3e-6, 5e-6))),
    ScalingCurve("one thread", "side", "networkx", (8,), (1e-3,), (None,)),
]
THREADS = [
    ScalingCurve("64 maps", "threads", "GridPath", (1, 2), (2e-6, 1e-6), (None, (0.5e-6, 2e-6))),
    ScalingCurve("64 maps", "threads", "scipy", (1, 2), (3e-6, 3e-6), (None, None)),
]


def test_a_panel_for_each_thing_that_varies():
    figure = scaling_figure([*SIDES, *THREADS], title="a $title")
    sides, threads = figure.axes
    assert figure._suptitle.get_text() == "a $title"
    assert [axes.get_title() for axes in figure.axes] == ["one thread", "64 maps"]
    assert [axes.get_xlabel() for axes in figure.axes] == ["side", "threads"]
    assert sides.get_ylabel() == "microseconds a map"
    assert sides.get_ylim() == threads.get_ylim()
    for axes, curves in ((sides, SIDES), (threads, THREADS)):
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        for line, curve in zip(axes.get_lines(), curves, strict=True):
            assert line.get_xdata().tolist() == list(curve.values)
            assert line.get_ydata() == pytest.approx([1e6 * seconds for seconds in curve.seconds])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["GridPath", "networkx", "scipy"]


def test_two_numbers_beside_a_curve_are_left_out():
    curve = ScalingCurve("16x16 tiles", "maps", "scipy", (1, 4, 16), (1e-6,) * 3, (None,) * 3)
    assert [axes.get_xlabel() for axes in scaling_figure([*THREADS, curve], title="t").axes] == ["maps"]


def test_intervals_are_bars_where_they_are_known():
    figure = scaling_figure([*SIDES, *THREADS], title="t")
    drawn = [
        [(*segment[0], segment[1][1]) for bar in axes.collections for segment in bar.get_segments()] for axes in figure.axes
    ]
    assert drawn[0] == [pytest.approx((8, 0.9, 1.1)), pytest.approx((16, 3, 5))]
    assert drawn[1] == [pytest.approx((2, 0.5, 2))]


@pytest.mark.slow
def test_every_means_has_a_colour_and_a_marker_of_its_own():
    figure = scaling_figure([SIDES[0], SIDES[1], THREADS[1]], title="t")
    lines = [line for axes in figure.axes for line in axes.get_lines()]
    assert len({line.get_color() for line in lines}) == len({line.get_marker() for line in lines}) == 3


def test_numbers_below_a_panel_are_not_more_than_fit():
    places = tuple(2**power for power in range(13))
    (axes,) = scaling_figure([ScalingCurve("", "maps", "scipy", places, (1e-6,) * 13, (None,) * 13)], title="t").axes
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert labels == ["1", "4", "16", "64", "256", "1,024", "4,096"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_one_place_alone_can_be_drawn_and_always_gives_the_same_bytes(kind):
    curve = ScalingCurve("64 maps", "threads", "GridPath", (1,), (1e-6,), ((0.9e-6, 1.1e-6),))
    assert encode(scaling_figure([curve], title="t"), kind) == encode(scaling_figure([curve], title="t"), kind)
