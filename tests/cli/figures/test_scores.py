"""Pictures of scores, by what is in them and by their pixels."""

import io

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from PIL import Image

from imle_cli.figures import canvas
from imle_cli.figures import scores as score_figures
from imle_cli.figures.canvas import PALE, PATH


def pixels(figure):
    return np.asarray(Image.open(io.BytesIO(canvas.encode(figure, "png"))).convert("RGB"))


def bars(axes):
    """Heights and colours of the bars, from left to right."""
    (collection,) = (found for found in axes.collections if isinstance(found, PolyCollection))
    heights = [path.vertices[1, 1] for path in collection.get_paths()]
    return heights, [tuple(colour) for colour in collection.get_facecolors()]


class TestItems:
    def test_bars_of_the_solution_have_another_colour(self):
        figure = score_figures.item_figure(["a", "$b", "c"], np.array([1.0, -2.0, 3.0]), np.array([0, 1, 1]), title="t")
        (axes,) = figure.axes
        assert bars(axes) == ([1, -2, 3], [to_rgba(PALE), to_rgba(PATH), to_rgba(PATH)])
        assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "$b", "c"]
        low, high = axes.get_ylim()
        assert low < -2
        assert high > 3
        shown = pixels(figure).reshape(-1, 3)
        assert 1.5 < (shown == (213, 94, 0)).all(axis=1).sum() / (shown == (201, 206, 214)).all(axis=1).sum() < 8

    def test_marginals_with_errors(self):
        figure = score_figures.item_marginals_figure(
            ["a", "b"], np.ones(2), np.array([1, 0]), np.array([0.25, 1.0]), np.array([0.1, 0.0]), title="t", samples=1
        )
        upper, lower = figure.axes
        assert bars(lower)[0] == [0.25, 1.0]
        assert lower.get_title() == "marginals of 1 sample ± standard error"
        (bar,) = lower.containers
        assert bar[2][0].get_segments()[0].tolist() == [[0, 0.15], [0, 0.35]]
        assert bars(upper)[1] == [to_rgba(PATH), to_rgba(PALE)]

    def test_a_single_sample_has_no_errors(self):
        nan = np.full(2, np.nan)
        figure = score_figures.item_marginals_figure(
            ["a", "b"], np.ones(2), np.ones(2), np.ones(2), nan, title="t", samples=1
        )
        assert pixels(figure).std() > 0

    @pytest.mark.slow
    @pytest.mark.parametrize("count", [1, 41, 500])
    def test_some_items_have_a_bar_each(self, count):
        names = [str(number) for number in range(count)]
        scores = np.random.default_rng(0).normal(size=count)
        figure = score_figures.item_figure(names, scores, scores > 0, title="t")
        assert bars(figure.axes[0])[0] == scores.tolist()
        assert pixels(figure).std() > 0

    def test_a_single_item_of_thousands_is_seen(self):
        scores, mask = np.zeros(100_000), np.zeros(100_000)
        scores[[5, 77_777]], mask[77_777] = (2, -3), 1
        figure = score_figures.item_figure([""] * 100_000, scores, mask, title="t")
        heights, colours = bars(figure.axes[0])
        assert (len(heights), heights[0], heights[388], sum(map(abs, heights))) == (500, 2, -3, 5)
        assert [place for place, colour in enumerate(colours) if colour == to_rgba(PATH)] == [388]
        assert ((pixels(figure).astype(int) - (213, 94, 0)) ** 2).sum(axis=-1).min() < 100

    @pytest.mark.slow
    def test_samples_are_rows(self):
        masks = np.array([[1, 0, 0], [0, 1, 1]])
        figure = score_figures.item_samples_figure(["a", "b", "c"], masks, title="t")
        image = figure.axes[0].images[0]
        assert image.get_array().tolist() == masks.tolist()
        assert image.get_extent() == [-0.5, 2.5, 2.5, 0.5]
        assert len(score_figures.item_samples_figure(["a"], np.ones((99, 1)), title="t").axes[0].images[0].get_array()) == 64

    def test_a_single_chosen_item_of_thousands_is_seen(self):
        masks = np.zeros((2, 5000))
        masks[1, 4321] = 1
        image = score_figures.item_samples_figure([""] * 5000, masks, title="t").axes[0].images[0].get_array()
        assert (image.shape, image[1].sum(), image[0].sum()) == ((2, 500), 1, 0)


class TestPairs:
    def test_chosen_pairs_are_marked_and_numbers_are_shown(self):
        scores = np.array([[1.0, 2.0], [-np.inf, 4.0]])
        figure = score_figures.pair_figure(["a", "b"], ["x", "y"], scores, np.array([[1, 0], [0, 1]]), title="t")
        axes, scale = figure.axes
        colours = axes.images[0].get_array()
        assert colours[0, 0].tolist() == colours[1, 1].tolist() == list(to_rgba(PATH))
        assert colours[1, 0].tolist() == [1, 1, 1, 1]
        assert [text.get_text() for text in axes.texts] == ["1", "2", "–", "4"]
        assert scale.get_xlabel() == "score"

    def test_marginals(self):
        probability = np.array([[0.25, 0.75, 0.0]])
        figure = score_figures.pair_marginals_figure(
            ["a"], ["x", "y", "z"], np.ones((1, 3)), np.array([[0, 1, 0]]), probability, title="t", samples=4
        )
        left, right, *_ = figure.axes
        assert right.images[0].get_array().tolist() == probability.tolist()
        assert [text.get_text() for text in right.texts] == ["0.25", "0.75", "0"]
        assert (left.get_title(), right.get_title()) == ("one sample", "marginals of 4 samples")

    def test_a_single_pair_of_millions_is_seen(self):
        mask = np.zeros((1500, 2500))
        mask[1234, 2345] = 1
        names = [""] * 2500
        figure = score_figures.pair_figure(names[:1500], names, np.zeros((1500, 2500)), mask, title="t")
        image = figure.axes[0].images[0].get_array()
        assert image.shape[:2] == (167, 278)
        assert (image == to_rgba(PATH)).all(axis=-1).sum() == 1

    def test_samples_side_by_side(self):
        masks = np.random.default_rng(0).integers(0, 2, (5, 3, 4))
        figure = score_figures.pair_samples_figure(masks, title="t")
        assert [axes.images[0].get_array().tolist() for axes in figure.axes] == masks.tolist()
        assert len(score_figures.pair_samples_figure(np.ones((99, 2, 2)), title="t").axes) == 36
