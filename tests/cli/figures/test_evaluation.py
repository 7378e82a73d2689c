"""Pictures of what networks make of images: scaled costs, marks of epochs."""

import numpy as np
import pytest

from imle_cli.figures import canvas
from imle_cli.figures.evaluation import JudgedMap, accuracy_curves, judged_maps


def judged(predicted, true):
    mask = np.eye(2)
    return JudgedMap("a [b] $c", np.zeros((16, 16, 3), np.uint8), mask, mask, np.array(predicted), np.array(true))


class TestJudgedMaps:
    def test_predicted_costs_are_scaled_to_the_true_ones(self):
        true = [[1.0, 2.0], [3.0, 4.0]]
        np.testing.assert_allclose(judged(10 * np.array(true), true).scaled, true)

    @pytest.mark.parametrize("factor", [0.5, 2.0])
    def test_no_other_scale_is_closer(self, factor):
        shown = judged([[1.0, 5.0], [2.0, 1.0]], [[1.0, 2.0], [3.0, 4.0]])
        distance = np.square(shown.scaled - shown.true).sum()
        assert np.square(factor * shown.scaled - shown.true).sum() > distance

    def test_costs_of_zero_stay(self):
        assert (judged(np.zeros((2, 2)), np.ones((2, 2))).scaled == 0).all()

    @pytest.mark.slow
    def test_a_row_for_each_map_and_all_costs_on_one_scale(self):
        figure = judged_maps([judged(np.ones((2, 2)), np.full((2, 2), cost)) for cost in (3.0, 7.0)], title="t [x] $")
        assert canvas.encode(figure, "png").startswith(b"\x89PNG")
        panels = [axes for axes in figure.axes if axes.images]
        assert len(panels) == 6
        assert {axes.images[0].norm.vmax for number, axes in enumerate(panels) if number % 3} == {7.0}


class TestCurves:
    def test_a_line_for_each_estimator_with_a_mark_for_each_epoch(self):
        curves = {name: ([1.0, 2.0], [0.5, share]) for name, share in (("imle", 0.9), ("tiles", 0.3))}
        figure = accuracy_curves(curves, title="title", split="test")
        assert canvas.encode(figure, "svg").startswith(b"<?xml")
        lines = figure.axes[0].get_lines()
        assert [line.get_label() for line in lines] == ["imle", "tiles"]
        np.testing.assert_allclose([line.get_xydata() for line in lines], [[[1, 50], [2, 90]], [[1, 50], [2, 30]]])
        assert len({line.get_marker() for line in lines}) == 2

    def test_more_lines_than_marks(self):
        names = [f"estimator {number}" for number in range(20)]
        figure = accuracy_curves({name: ([1.0], [0.5]) for name in names}, title="title", split="val")
        lines = figure.axes[0].get_lines()
        looks = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in lines}
        assert len(lines) == 20
        assert len(looks) == 20
