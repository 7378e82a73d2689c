"""Pictures, compared as arrays of pixels."""

import io
import warnings

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from imle_cli.figures import canvas, maps
from imle_cli.figures.heat_maps import heat_maps
from imle_cli.figures.noise import noise_figure

ORANGE, BLUE, PALE = (213, 94, 0), (86, 180, 233), (201, 206, 214)
SHAPES = [(16, 16), (7, 9), (1, 1), (3, 40), (40, 3), (1, 3000), (3000, 1), (301, 300)]


def pixels(figure):
    return np.asarray(Image.open(io.BytesIO(canvas.encode(figure, "png"))).convert("RGB"))


def box(figure, axes):
    """Rows and columns of the pixels inside an axes."""
    width, height = figure.bbox.width, figure.bbox.height
    place = axes.get_position()
    edges = place.x0 * width, place.x1 * width, (1 - place.y1) * height, (1 - place.y0) * height
    assert all(abs(edge - round(edge)) < 1e-4 for edge in edges)
    left, right, top, bottom = map(round, edges)
    return slice(top, bottom), slice(left, right)


def tile_colours(figure, axes, shape):
    """The colour in the middle of every tile of a map, after a check that every tile is of one size."""
    inside = pixels(figure)[box(figure, axes)]
    times, rest = divmod(inside.shape[0], shape[0])
    assert (rest, inside.shape[1]) == (0, times * shape[1])
    return inside[times // 2 :: times, times // 2 :: times].astype(int)


def path_of(shape):
    """Ones along the first row and the last column, and these tiles in order."""
    tiles = [(0, column) for column in range(shape[1])] + [(row, shape[1] - 1) for row in range(1, shape[0])]
    mask = np.zeros(shape, np.uint8)
    mask[tuple(np.transpose(tiles))] = 1
    return mask, np.array(tiles)


class TestMap:
    @pytest.mark.slow
    @pytest.mark.parametrize("shape", [(16, 16), (7, 9), (1, 1), (3, 40), (40, 3), (1, 2000), (301, 300), (900, 1000)])
    def test_grey_is_linear_in_the_cost_and_every_tile_is_shown(self, shape):
        costs = np.random.default_rng(0).uniform(2, 5, shape)
        figure = maps.map_figure(costs, np.zeros(shape, np.uint8), title="grey")
        shown = tile_colours(figure, figure.axes[0], shape)
        level = (costs - costs.min()) / (costs.max() - costs.min() or 1)
        assert np.abs(shown - (255 - 217 * level)[..., None]).max() <= 1.5

    @pytest.mark.slow
    def test_tiles_are_not_blurred(self):
        costs = np.array([[1.0, 9.0], [9.0, 1.0]])
        figure = maps.map_figure(costs, np.zeros((2, 2)), title="crisp")
        inside = pixels(figure)[box(figure, figure.axes[0])][4:-4, 4:-4]
        assert {tuple(colour) for colour in inside.reshape(-1, 3)} == {(255, 255, 255), (38, 38, 38)}

    def test_a_map_of_one_cost_is_white_with_one_number_on_its_scale(self):
        figure = maps.map_figure(np.full((4, 5), 7.0), np.zeros((4, 5)), title="flat")
        assert (tile_colours(figure, figure.axes[0], (4, 5)) == 255).all()
        assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["7"]

    def test_scale_names_the_lowest_and_the_highest_cost_that_is_no_wall(self):
        costs = np.array([[1.5, np.inf], [3.0, 123456.0]])
        figure = maps.map_figure(costs, np.zeros((2, 2)), title="scale")
        assert [label.get_text() for label in figure.axes[1].get_xticklabels()] == ["1.5", "1.235e+05"]

    def test_walls_have_a_colour_and_a_legend_of_their_own(self):
        costs = np.array([[1.0, np.inf], [2.0, 3.0]])
        figure = maps.map_figure(costs, np.zeros((2, 2)), title="walls")
        assert tuple(tile_colours(figure, figure.axes[0], (2, 2))[0, 1]) == BLUE
        assert [text.get_text() for text in figure.legends[0].texts] == ["chosen tiles", "wall"]

    def test_only_walls(self):
        figure = maps.map_figure(np.full((2, 2), np.inf), np.zeros((2, 2)), title="nothing but walls")
        assert (tile_colours(figure, figure.axes[0], (2, 2)) == BLUE).all()

    def test_tiles_of_a_set_are_coloured(self):
        mask = np.random.default_rng(1).integers(0, 2, (6, 8))
        figure = maps.map_figure(np.ones((6, 8)), mask, title="set")
        shown = tile_colours(figure, figure.axes[0], (6, 8))
        np.testing.assert_array_equal((shown == ORANGE).all(axis=-1), mask == 1)

    def test_a_path_is_a_line_through_its_tiles_with_start_and_goal(self):
        mask, tiles = path_of((9, 12))
        figure = maps.map_figure(np.full((9, 12), 4.0), mask, tiles, title="path")
        shown = tile_colours(figure, figure.axes[0], (9, 12))
        on_path = (shown == ORANGE).all(axis=-1)
        assert not on_path[0, 0]  # the middle of the start is white
        on_path[0, 0] = True
        np.testing.assert_array_equal(on_path, mask == 1)
        assert [text.get_text() for text in figure.legends[0].texts] == ["path", "start", "goal"]

    @pytest.mark.slow
    def test_a_huge_map_is_averaged_but_keeps_its_thin_path(self):
        costs = np.ones((1100, 5000))
        costs[:, ::2] = 3.0
        mask = np.zeros((1100, 5000), np.uint8)
        mask[1000, :] = 1
        figure = maps.map_figure(costs, mask, title="huge")
        shown = pixels(figure)[box(figure, figure.axes[0])].astype(int)
        assert max(shown.shape) <= 2048
        row = 1000 // 3
        assert (shown[row, 5:-5] == ORANGE).all()
        assert np.abs(shown[row + 3 : -5, 5:-5] - 146).max() <= 217 / 6 + 2

    def test_extreme_costs_overflow_nowhere(self):
        figure = maps.map_figure(np.array([[1e-300, 1e300, 5e299]]), np.zeros((1, 3)), title="wide")
        assert tile_colours(figure, figure.axes[0], (1, 3))[0, :, 0].tolist() == [255, 38, 146]


class TestMarginals:
    @pytest.mark.slow
    def test_three_panels_with_map_sample_and_probabilities(self):
        shape = 9, 12
        mask, tiles = path_of(shape)
        probability = np.linspace(0, 1, 108).reshape(shape)
        figure = maps.marginals_figure(np.ones(shape), mask, probability, tiles, title="three", samples=1500)
        terrain, scale, sample, marginals, probabilities = figure.axes
        assert [axes.get_title() for axes in (terrain, sample, marginals)] == [
            "map",
            "one sample",
            "marginals of 1,500 samples",
        ]
        assert (tile_colours(figure, terrain, shape) == 255).all()
        assert (tile_colours(figure, sample, shape)[0, 1:11] == ORANGE).all()
        expected = np.round(255 * mpl.colormaps["viridis"](probability)[..., :3])
        assert np.abs(tile_colours(figure, marginals, shape) - expected).max() <= 1
        assert [label.get_text() for label in probabilities.get_xticklabels()] == ["0", "1"]
        assert [text.get_text() for axes in (scale, probabilities) for text in axes.texts] == ["cost", "probability"]

    @pytest.mark.slow
    @pytest.mark.parametrize("shape", SHAPES)
    def test_any_shape(self, shape):
        mask, tiles = path_of(shape)
        figure = maps.marginals_figure(np.ones(shape), mask, mask * 0.5, tiles, title="any", samples=1)
        picture = pixels(figure)
        assert max(picture.shape) < 3 * 3000 + 1500
        assert figure.axes[3].get_title() == "marginals of 1 sample"

    @pytest.mark.slow
    def test_panels_and_words_do_not_overlap(self):
        for shape in SHAPES:
            mask, tiles = path_of(shape)
            costs = np.ones(shape)
            costs[-1, 0] = np.inf if min(shape) > 1 else 2.0
            figure = maps.marginals_figure(costs, mask, mask * 0.5, tiles, title="t" * 40, samples=1000)
            figure.draw_without_rendering()
            boxes = [axes.get_tightbbox() for axes in figure.axes] + [figure.legends[0].get_window_extent()]
            boxes += [text.get_window_extent() for text in figure.texts]
            whole = figure.bbox
            for number, one in enumerate(boxes):
                assert one.x0 >= -1
                assert one.y0 >= -1
                assert one.x1 <= whole.width + 1
                assert one.y1 <= whole.height + 1
                for other in boxes[number + 1 :]:
                    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
                    high = min(one.y1, other.y1) - max(one.y0, other.y0)
                    # Markers at the corners of a panel reach a little over its edge.
                    assert wide <= 1 or high <= 0.09 * figure.dpi, (shape, one, other)


class TestSheet:
    def test_every_sample_in_reading_order_on_its_own_copy_of_the_map(self):
        masks = np.random.default_rng(0).integers(0, 2, (5, 6, 6))
        costs = np.full((6, 6), 2.0)
        figure = maps.sample_sheet(costs, masks, title="sheet")
        sheet = np.asarray(figure.axes[0].images[0].get_array())
        assert sheet.shape == (2 * 7 + 1, 3 * 7 + 1, 3)
        for number, mask in enumerate(masks):
            top, left = 1 + 7 * (number // 3), 1 + 7 * (number % 3)
            part = sheet[top : top + 6, left : left + 6]
            np.testing.assert_array_equal((part == ORANGE).all(axis=-1), mask == 1)
            assert (part[mask == 0] == 255).all()
        assert (sheet[0] == PALE).all()

    @pytest.mark.slow
    @pytest.mark.parametrize(("count", "shown"), [(1, 1), (64, 64), (100, 64)])
    def test_at_most_64(self, count, shown):
        masks = np.ones((count, 3, 3), np.uint8)
        figure = maps.sample_sheet(np.ones((3, 3)), masks, title="many")
        sheet = np.asarray(figure.axes[0].images[0].get_array())
        assert (sheet == ORANGE).all(axis=-1).sum() == 9 * shown

    @pytest.mark.slow
    def test_large_maps_are_reduced(self):
        masks = np.zeros((16, 1000, 900), np.uint8)
        masks[:, 500] = 1
        sheet = np.asarray(maps.sample_sheet(np.ones((1000, 900)), masks, title="large").axes[0].images[0].get_array())
        assert max(sheet.shape) < 2200
        assert (sheet == ORANGE).all(axis=-1).sum() == 16 * 300

    @pytest.mark.slow
    @pytest.mark.parametrize("shape", SHAPES)
    def test_any_shape(self, shape):
        assert pixels(maps.sample_sheet(np.ones(shape), np.ones((9, *shape)), title="any")).size


class TestNoise:
    def test_bars_have_the_histogram_s_heights_over_all_draws(self):
        samples = np.array([0.1, 0.2, 0.6, 9.0])
        figure = noise_figure(samples, np.array([0, 0.5, 1]), np.ones(2), title="n", curve="law", facts=["mean 1"])
        assert figure.axes[0].patches[0].get_data().values.tolist() == [1.0, 0.5]
        assert [text.get_text() for text in figure.axes[0].get_legend().texts] == ["4 draws", "law"]
        assert figure.axes[0].texts[0].get_text() == "mean 1"

    @pytest.mark.slow
    def test_without_a_known_density_there_is_no_curve(self):
        figure = noise_figure(np.zeros(3), np.array([-1.0, 1.0]), None, title="n", curve="law", facts=[])
        assert not figure.axes[0].lines
        assert pixels(figure).size


class TestHeatMaps:
    def made(self, grids, rows=(0, 5), columns=(0, 1, 2)):
        return heat_maps(grids, rows, columns, title="t", label="loss")

    @pytest.mark.slow
    def test_a_panel_for_each_number_of_samples_on_one_scale(self):
        figure = self.made({1: [[0, 1, 2], [3, 4, 5]], 10: [[5, 5, 5], [0, 0, 8]]})
        panels = [axes for axes in figure.axes if axes.images]
        assert [axes.get_title() for axes in panels] == ["1 sample", "10 samples"]
        for axes, values in zip(panels, ([[0, 1, 2], [3, 4, 5]], [[5, 5, 5], [0, 0, 8]]), strict=True):
            np.testing.assert_array_equal(axes.images[0].get_array(), values)
            assert axes.images[0].get_clim() == (0, 8)
            assert [text.get_text() for text in axes.texts] == [str(value) for row in values for value in row]
        assert [text.get_text() for text in panels[0].get_yticklabels()] == ["0", "5"]

    @pytest.mark.slow
    def test_a_missing_value_is_a_dash_on_grey(self):
        figure = self.made({1: [[np.nan, 1.5, 2]]}, rows=(0,))
        (panel,) = (axes for axes in figure.axes if axes.images)
        assert [text.get_text() for text in panel.texts] == ["–", "1.5", "2"]
        assert (pixels(figure) == PALE).all(axis=-1).sum() > 1000

    @pytest.mark.slow
    @pytest.mark.parametrize("value", [np.nan, 0.0, 1e300])
    def test_a_single_value(self, value):
        assert pixels(self.made({1000: [[value]]}, (1,), (1,))).size


class TestTitle:
    def titled(self, title, shape=(3, 3)):
        figure = maps.map_figure(np.ones(shape), np.zeros(shape), title=title)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            width = figure.texts[0].get_window_extent().width
        assert width <= figure.bbox.width
        return figure, figure.texts[0].get_text()

    @pytest.mark.parametrize("title", ["a_b^c $x$ and $", "100% \\frac{", "{}", "Ä ø ß"])
    def test_letters_that_mean_something_to_tex_are_literal(self, title):
        figure, text = self.titled(title)
        assert text == title
        assert not figure.texts[0].get_parse_math()

    def test_a_long_one_loses_its_middle(self):
        _, text = self.titled("the beginning " + "x" * 300 + " the end")
        assert text.startswith("the be")
        assert text.endswith("the end")
        assert "…" in text

    def test_line_breaks_and_undecoded_bytes(self):
        assert self.titled("two\nlines \udcff")[1] == "two lines ?"

    @pytest.mark.slow
    def test_letters_without_a_glyph_raise_no_warning(self):
        figure, _ = self.titled("地図 " * 40)
        assert pixels(figure).size


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_the_same_figure_gives_the_same_bytes(kind):
    mask, tiles = path_of((4, 4))

    def draw():
        return canvas.encode(maps.map_figure(np.ones((4, 4)), mask, tiles, title="same"), kind)

    assert draw() == draw()
    assert b"imle" not in draw() or kind == "svg"
