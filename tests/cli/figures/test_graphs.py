"""Pictures of graphs, by what is in them and by their pixels."""

import io

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.quiver import Quiver
from PIL import Image

from imle_cli.figures import canvas, graphs
from imle_cli.figures.colours import PALE, PATH
from imle_cli.figures.graphs import Drawing

ENDS = np.array([[0, 1], [1, 2], [2, 0], [2, 3]])
PLACES = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def drawing(directed=False, marked=(), ends=ENDS, names=("a", "b", "c", "d")):
    return Drawing(list(names), PLACES, ends, np.arange(1.0, len(ends) + 1), directed, list(marked))


def pixels(figure):
    return np.asarray(Image.open(io.BytesIO(canvas.encode(figure, "png"))).convert("RGB"))


def lines(axes):
    """Segments of an axes by their colour."""
    found = {}
    for collection in axes.collections:
        if isinstance(collection, LineCollection):
            colours = np.broadcast_to(collection.get_colors(), (len(collection.get_segments()), 4))
            for segment, colour in zip(collection.get_segments(), colours, strict=True):
                found[tuple(map(tuple, segment.tolist()))] = tuple(colour)
    return found


def texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("directed", [False, True])
def test_parallel_edges_lie_side_by_side(directed):
    ends = np.array([[0, 1], [1, 0], [0, 1], [1, 0], [1, 2]])
    segments = drawing(directed, ends=ends).segments
    heights = segments[:4, :, 1]
    assert (heights[:, 0] == heights[:, 1]).all()
    assert (np.diff(np.sort(heights[:, 0])) > 0.007).all()
    assert np.abs(heights).max() < 0.06
    np.testing.assert_array_equal(segments[4], PLACES[[1, 2]])


class TestSolution:
    @pytest.mark.slow
    def test_chosen_edges_have_another_colour(self):
        figure = graphs.solution_figure(drawing(), np.array([1, 0, 0, 1]), title="some")
        shown = lines(figure.axes[0])
        for (u, v), one in zip(ENDS, [1, 0, 0, 1], strict=True):
            assert shown[tuple(PLACES[u]), tuple(PLACES[v])] == to_rgba(PATH if one else PALE)
        colours = {tuple(colour) for colour in pixels(figure).reshape(-1, 3)}
        assert {(213, 94, 0), (201, 206, 214), (255, 255, 255)} <= colours

    def test_small_graphs_have_names_and_weights(self):
        axes = graphs.solution_figure(drawing(names=["a", "$b", "Zürich-Hauptbahnhof", "d"]), ENDS[:, 0], title="t").axes[0]
        assert texts(axes) == ["a", "$b", "Zürich-H…bahnhof", "d", "1", "2", "3", "4"]

    def test_large_ones_do_not(self):
        count = 200
        places = np.random.default_rng(0).normal(size=(count, 2))
        ends = np.stack([np.arange(count - 1), np.arange(1, count)], axis=1)
        large = Drawing([str(i) for i in range(count)], places, ends, np.ones(count - 1), False, [0, 5])
        assert texts(graphs.solution_figure(large, np.ones(count - 1), title="t").axes[0]) == []

    def test_first_and_last_node_are_marked(self):
        figure = graphs.solution_figure(drawing(marked=[0, 3]), np.ones(4), title="t")
        marks = {line.get_marker(): line.get_xydata().tolist() for line in figure.axes[0].lines}
        assert marks == {"o": [[0, 0]], "s": [[0, 1]]}
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["chosen edges", "start", "goal"]
        figure = graphs.solution_figure(drawing(), np.ones(4), title="t")
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["chosen edges"]

    @pytest.mark.slow
    def test_directed_edges_have_heads_and_do_not_lie_on_those_that_lead_back(self):
        ends = np.array([[0, 1], [1, 0], [1, 2]])
        figure = graphs.solution_figure(drawing(True, ends=ends), np.array([1, 0, 0]), title="t")
        arrows = [collection for collection in figure.axes[0].collections if isinstance(collection, Quiver)]
        assert sum(arrow.N for arrow in arrows) == 3
        segments = [segment for segment in lines(figure.axes[0]) if segment[0][0] != segment[1][0]]
        heights = sorted({y for segment in segments for _, y in segment})
        assert heights == [-0.008, 0.008]
        assert pixels(figure).shape[2] == 3

    @pytest.mark.slow
    @pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
    def test_the_same_figure_gives_the_same_bytes(self, kind):
        first, second = (
            canvas.encode(graphs.solution_figure(drawing(True, [0, 2]), np.ones(4), title="t"), kind) for _ in range(2)
        )
        assert first == second


class TestMarginals:
    def test_colours_are_those_of_tiles_on_the_colour_of_0(self):
        figure = graphs.marginals_figure(
            drawing(), np.array([1, 0, 0, 0]), np.array([0.0, 1e-9, 0.5, 1.0]), title="t", samples=1000
        )
        left, right, scale = figure.axes
        assert [axes.get_title() for axes in (left, right)] == ["one sample", "marginals of 1,000 samples"]
        shown = lines(right)
        brightness = [sum(shown[tuple(PLACES[u]), tuple(PLACES[v])][:3]) for u, v in ENDS]
        assert shown[tuple(PLACES[0]), tuple(PLACES[1])] == to_rgba(graphs.NEVER)
        assert brightness[1] < brightness[2] < brightness[3]
        assert right.get_facecolor() == mpl.colormaps["viridis"](0.0)
        assert scale.get_xlabel() == "probability (pale: never)"
        assert list(lines(left).values()).count(to_rgba(PATH)) == 1


class TestSamples:
    def test_each_sample_has_a_small_graph(self):
        masks = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [1, 1, 1, 1]])
        figure = graphs.samples_figure(drawing(), masks, title="t")
        assert len(figure.axes) == 3
        for axes, mask in zip(figure.axes, masks, strict=True):
            assert list(lines(axes).values()).count(to_rgba(PATH)) == mask.sum()

    @pytest.mark.slow
    def test_not_more_than_fit(self):
        assert len(graphs.samples_figure(drawing(), np.ones((50, 4)), title="t").axes) == 36
