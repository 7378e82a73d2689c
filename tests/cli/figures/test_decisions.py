"""Pictures of decisions: edges of a grid in the greys of their costs, entries as bars, chosen ones marked."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba

from imle_cli.figures import canvas
from imle_cli.figures.colours import GOLD, PATH
from imle_cli.figures.decisions import JudgedDecision, decisions_by_entry, decisions_on_grid
from imle_cli.figures.evaluation import regret_curves
from imle_core.solvers import GridEdgePath


def judged(gold, decision, predicted, true):
    return JudgedDecision("a [b] $c", *(np.array(values, dtype=float) for values in (gold, decision, predicted, true)))


@pytest.mark.slow
def test_edges_of_both_paths_have_their_colours_and_costs_one_scale():
    edges = np.array(GridEdgePath((2, 2)).edges)
    shown = judged([1, 0, 1, 0], [0, 1, 0, 1], [2.0, 2.0, 4.0, -1.0], [1.0, 1.0, 2.0, 3.0])
    figure = decisions_on_grid([shown], edges, title="t [x] $")
    assert canvas.encode(figure, "png").startswith(b"\x89PNG")
    true, predicted = figure.axes[:2]
    for axes in (true, predicted):
        lines = [kind for kind in axes.collections if isinstance(kind, LineCollection)]
        counts = {tuple(line.get_colors()[0]): len(line.get_segments()) for line in lines}
        assert counts[to_rgba(GOLD)] == counts[to_rgba(PATH)] == 2
        assert axes.yaxis_inverted()
    greys = [axes.collections[0].get_colors()[:, 0] for axes in (true, predicted)]
    assert greys[0][0] == greys[0][1] > greys[0][2] > greys[0][3]
    assert greys[1][3] == max(greys[1])  # a negative prediction is the palest


@pytest.mark.slow
def test_entries_are_in_the_order_of_true_values_and_both_decisions_are_marked():
    shown = judged([1, 0, 0], [0, 0, 1], [3.0, 1.0, 4.0], [6.0, 2.0, 4.0])
    figure = decisions_by_entry([shown, shown], title="t [x] $", word="items")
    assert canvas.encode(figure, "svg").startswith(b"<?xml")
    axes = figure.axes[0]
    assert [bar.get_height() for bar in axes.patches] == [2, 4, 6]
    (dots,) = axes.get_lines()
    np.testing.assert_allclose(dots.get_ydata(), shown.scaled[[1, 2, 0]])
    gold, decision = (marks.get_offsets() for marks in axes.collections)
    assert (gold[:, 0].tolist(), decision[:, 0].tolist()) == ([2], [1])
    assert max(*gold[:, 1], *decision[:, 1]) < 0


def test_marks_are_as_large_as_shares():
    shown = judged([0.25, 0.75, 0.0], [1.0, 0.0, 0.001], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    gold, decision = decisions_by_entry([shown], title="t", word="assets").axes[0].collections
    np.testing.assert_allclose(gold.get_sizes()[1], 3 * gold.get_sizes()[0])
    assert len(decision.get_offsets()) == 1


def test_of_many_entries_the_chosen_ones_are_kept():
    values = np.zeros(200)
    gold = np.zeros(200)
    gold[150:160] = 1
    figure = decisions_by_entry([judged(gold, gold, values, values)], title="t", word="items")
    assert len(figure.axes[0].patches) == 48
    assert len(figure.axes[0].collections[0].get_offsets()) == 10


@pytest.mark.slow
def test_regret_has_levels_of_baselines_and_no_zero_on_a_scale_of_ratios():
    curves = {"spo-plus": ([0.1, 0.2], [0.5, 0.0]), "least-squares": ([0.01], [0.1])}
    figure = regret_curves(curves, {"least squares": 0.1, "mean costs": 0.5}, title="t", split="test")
    assert canvas.encode(figure, "png").startswith(b"\x89PNG")
    axes = figure.axes[0]
    assert (axes.get_xscale(), axes.get_yscale(), axes.get_ylabel()) == ("log", "log", "regret on test (%)")
    assert min(axes.get_lines()[0].get_ydata()) > 0
    assert {text.get_text() for text in axes.texts} == {"least squares", "mean costs"}
