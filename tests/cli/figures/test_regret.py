"""Regret against seconds: where marks are, and what the legend says."""

import numpy as np

from imle_cli.figures.regret import RegretPoint, regret_figure

POINTS = {
    "least-squares": RegretPoint(0.0, 0.0858, 0.0, None),
    "spo-plus": RegretPoint(0.4, 0.068, 0.001, (10.0, 0.0759)),
    "imle": RegretPoint(0.9, 0.073, 0.5, (36.9, 0.1207)),
}


def marks(axes):
    return [line.get_xydata()[0].tolist() for line in axes.get_lines() if len(line.get_xydata()) == 1]


def labels(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_mark_for_each_method_and_a_grey_one_for_what_is_published():
    figure = regret_figure({"paths": POINTS, "knapsacks": {"imle": POINTS["imle"]}}, title="Regret")
    assert [axes.get_title() for axes in figure.axes] == ["paths", "knapsacks"]
    expected = [[10, 7.59], [0.4, 6.8], [36.9, 12.07], [0.9, 7.3]]
    np.testing.assert_allclose(sorted(marks(figure.axes[0])), sorted(expected))
    assert labels(figure) == ["spo-plus", "imle", "grey: published"]


def test_a_method_that_takes_no_time_is_a_level_with_its_name():
    (axes,) = regret_figure({"paths": POINTS}, title="Regret").axes
    assert [text.get_text() for text in axes.texts] == ["least-squares"]
    (level,) = [line for line in axes.get_lines() if line.get_linestyle() == "--"]
    np.testing.assert_allclose(level.get_ydata(), 8.58)


def test_without_published_figures_the_legend_does_not_name_them():
    ours = RegretPoint(0.4, 0.068, 0.001, None)
    assert labels(regret_figure({"paths": {"spo-plus": ours}}, title="Regret")) == ["spo-plus"]


def test_a_deviation_larger_than_the_mean_stays_on_the_scale():
    figure = regret_figure({"paths": POINTS}, title="Regret")
    assert figure.axes[0].get_ylim()[0] > 0


def test_times_within_a_decade_are_plain_numbers():
    points = {"spo-plus": RegretPoint(0.11, 0.068, 0.001, None), "imle": RegretPoint(0.45, 0.073, 0.001, None)}
    figure = regret_figure({"paths": points}, title="Regret")
    figure.canvas.draw()
    (axes,) = figure.axes
    assert {"0.2"} <= {label.get_text() for label in axes.get_xticklabels(minor=True)} <= {"", "0.2", "0.5", "0.05"}
