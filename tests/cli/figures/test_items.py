"""Pictures of items, by what is in them and by their pixels."""

import io

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from PIL import Image

from imle_cli.figures import canvas
from imle_cli.figures import items as figures
from imle_cli.figures.colours import PALE, PATH
from imle_cli.figures.items import Items


def pixels(figure):
    return np.asarray(Image.open(io.BytesIO(canvas.encode(figure, "png"))).convert("RGB"))


def bars(axes):
    """Heights and colours of the bars, from left to right."""
    (collection,) = (found for found in axes.collections if isinstance(found, PolyCollection))
    heights = [path.vertices[1, 1] for path in collection.get_paths()]
    return heights, [tuple(colour) for colour in collection.get_facecolors()]


class TestItems:
    @pytest.mark.slow
    def test_bars_of_the_solution_have_another_colour(self):
        figure = figures.item_figure(Items(["a", "$b", "c"], np.array([1.0, -2.0, 3.0])), np.array([0, 1, 1]), title="t")
        (axes,) = figure.axes
        assert bars(axes) == ([1, -2, 3], [to_rgba(PALE), to_rgba(PATH), to_rgba(PATH)])
        assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "$b", "c"]
        low, high = axes.get_ylim()
        assert low < -2
        assert high > 3
        shown = pixels(figure).reshape(-1, 3)
        assert 1.5 < (shown == (213, 94, 0)).all(axis=1).sum() / (shown == (201, 206, 214)).all(axis=1).sum() < 8

    def test_marginals_with_errors(self):
        figure = figures.item_marginals_figure(
            Items(["a", "b"], np.ones(2)),
            np.array([1, 0]),
            np.array([0.25, 1.0]),
            np.array([0.1, 0.0]),
            title="t",
            samples=1,
        )
        upper, lower = figure.axes
        assert bars(lower)[0] == [0.25, 1.0]
        assert lower.get_title() == "marginals of 1 sample ± standard error"
        (bar,) = lower.containers
        assert bar[2][0].get_segments()[0].tolist() == [[0, 0.15], [0, 0.35]]
        assert bars(upper)[1] == [to_rgba(PATH), to_rgba(PALE)]

    @pytest.mark.slow
    def test_a_single_sample_has_no_errors(self):
        nan = np.full(2, np.nan)
        figure = figures.item_marginals_figure(
            Items(["a", "b"], np.ones(2)), np.ones(2), np.ones(2), nan, title="t", samples=1
        )
        assert pixels(figure).std() > 0

    @pytest.mark.slow
    @pytest.mark.parametrize("count", [1, 41, 500])
    def test_some_items_have_a_bar_each(self, count):
        names = [str(number) for number in range(count)]
        scores = np.random.default_rng(0).normal(size=count)
        figure = figures.item_figure(Items(names, scores), scores > 0, title="t")
        assert bars(figure.axes[0])[0] == scores.tolist()
        assert pixels(figure).std() > 0

    @pytest.mark.slow
    def test_a_single_item_of_thousands_is_seen(self):
        scores, mask = np.zeros(100_000), np.zeros(100_000)
        scores[[5, 77_777]], mask[77_777] = (2, -3), 1
        figure = figures.item_figure(Items([""] * 100_000, scores), mask, title="t")
        heights, colours = bars(figure.axes[0])
        assert (len(heights), heights[0], heights[388], sum(map(abs, heights))) == (500, 2, -3, 5)
        assert [place for place, colour in enumerate(colours) if colour == to_rgba(PATH)] == [388]
        assert ((pixels(figure).astype(int) - (213, 94, 0)) ** 2).sum(axis=-1).min() < 100

    @pytest.mark.slow
    def test_samples_are_rows(self):
        masks = np.array([[1, 0, 0], [0, 1, 1]])
        figure = figures.item_samples_figure(Items(["a", "b", "c"]), masks, title="t")
        image = figure.axes[0].images[0]
        assert image.get_array().tolist() == masks.tolist()
        assert image.get_extent() == [-0.5, 2.5, 2.5, 0.5]
        assert (
            len(figures.item_samples_figure(Items(["a"]), np.ones((99, 1)), title="t").axes[0].images[0].get_array()) == 64
        )

    def test_a_single_chosen_item_of_thousands_is_seen(self):
        masks = np.zeros((2, 5000))
        masks[1, 4321] = 1
        image = figures.item_samples_figure(Items([""] * 5000), masks, title="t").axes[0].images[0].get_array()
        assert (image.shape, image[1].sum(), image[0].sum()) == ((2, 500), 1, 0)

    def test_weights_and_the_capacity_are_told(self):
        items = Items(["tent", "map"], np.array([3.0, 1.0]), np.array([15.0, 1.5]), 16)
        figure = figures.item_figure(items, np.array([1, 0]), title="t")
        (axes,) = figure.axes
        assert axes.get_title(loc="left") == "chosen: weight 15 of 16"
        assert [label.get_text() for label in axes.get_xticklabels()] == ["tent (15)", "map (1.5)"]
        assert axes.get_xlabel() == "item (weight)"

    def test_means_above_one_have_their_own_scale(self):
        figure = figures.item_marginals_figure(Items(["a", "b"]), None, np.array([1.5, 3.0]), None, title="t", samples=None)
        (axes,) = figure.axes
        assert axes.get_ylabel() == "mean of the samples"
        assert axes.get_ylim() == pytest.approx((0, 3.12))
        assert axes.get_title() == "marginals"

    def test_infinite_scores_are_as_far_as_the_farthest_others(self):
        figure = figures.item_figure(Items(["a", "b", "c"], np.array([-np.inf, 2.0, np.inf])), np.zeros(3), title="t")
        assert bars(figure.axes[0])[0] == [-1, 2, 2]
