"""Pictures of pairs, by what is in them."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from imle_cli.figures import pairs as figures
from imle_cli.figures.colours import PATH
from imle_cli.figures.pairs import Pairs


class TestPairs:
    def test_chosen_pairs_are_marked_and_numbers_are_shown(self):
        scores = np.array([[1.0, 2.0], [-np.inf, 4.0]])
        figure = figures.pair_figure(Pairs(["a", "b"], ["x", "y"], scores), np.array([[1, 0], [0, 1]]), title="t")
        axes, scale = figure.axes
        frames = [(patch.get_xy(), patch.get_edgecolor()) for patch in axes.patches]
        assert frames == [((-0.45, -0.45), to_rgba(PATH)), ((0.55, 0.55), to_rgba(PATH))]
        assert axes.images[0].get_array()[1, 0].tolist() == [1, 1, 1, 1]
        assert [text.get_text() for text in axes.texts] == ["1", "2", "–", "4"]
        assert scale.get_xlabel() == "score; framed: chosen"

    def test_marginals(self):
        probability = np.array([[0.25, 0.75, 0.0]])
        figure = figures.pair_marginals_figure(
            Pairs(["a"], ["x", "y", "z"], np.ones((1, 3))), np.array([[0, 1, 0]]), probability, title="t", samples=4
        )
        left, right, *_ = figure.axes
        expected = mpl.colormaps["viridis"](probability, bytes=True)[..., :3]
        assert right.images[0].get_array().tolist() == expected.tolist()
        assert [text.get_text() for text in right.texts] == ["0.25", "0.75", "0.00"]
        assert (left.get_title(), right.get_title()) == ("one sample", "marginals of 4 samples")

    @pytest.mark.slow
    def test_a_single_pair_of_millions_is_seen(self):
        mask = np.zeros((1500, 2500))
        mask[1234, 2345] = 1
        names = [""] * 2500
        figure = figures.pair_figure(Pairs(names[:1500], names, np.zeros((1500, 2500))), mask, title="t")
        image = figure.axes[0].images[0].get_array()
        assert image.shape[:2] == (167, 278)
        assert (image == to_rgba(PATH)).all(axis=-1).sum() == 1

    @pytest.mark.slow
    def test_samples_side_by_side(self):
        masks = np.random.default_rng(0).integers(0, 2, (5, 3, 4))
        figure = figures.pair_samples_figure(masks, title="t")
        assert [axes.images[0].get_array().tolist() for axes in figure.axes] == masks.tolist()
        assert len(figures.pair_samples_figure(np.ones((99, 2, 2)), title="t").axes) == 36

    def test_without_scores_chosen_pairs_have_a_colour(self):
        figure = figures.pair_figure(Pairs("ab", "xy"), np.eye(2), title="t")
        colours = figure.axes[0].images[0].get_array()
        assert colours[0, 0].tolist() == colours[1, 1].tolist() == list(to_rgba(PATH))
        assert colours[0, 1].tolist() == [1, 1, 1, 1]
        assert not figure.axes[0].texts
