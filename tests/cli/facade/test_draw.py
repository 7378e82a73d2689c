"""``imle.draw``: pictures of any solver, films of any loop, and nothing that the user has set is touched."""

import io
import re
from functools import partial

import matplotlib as mpl
import networkx as nx
import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from imle import GumbelNoiseDistribution, distinct_solutions, draw, lab, marginals, perturb_and_map, train
from imle.solvers import Assignment, BlackBox, GridPath, Knapsack, Ranking, ShortestPath, SpanningTree, TopK
from imle_cli.films.frames import PALE, PATH
from imle_core import ArgumentError

NOISE = GumbelNoiseDistribution()
COSTS = torch.tensor([[[1.0, 5.0, 5.0], [2.0, 1.0, 5.0], [5.0, 5.0, 1.0]]])


def result(solver, theta):
    return marginals(solver, theta, NOISE, nb_samples=20)


def titles(picture):
    return [axes.get_title() for axes in picture.figure.axes if axes.get_title()]


def loop(count, shape=(1, 6), samples=5):
    """Records of a loop that changes its weights in place."""
    weights = torch.zeros(shape)
    for step in range(count):
        weights += 1
        yield weights, torch.ones(samples, *shape[1:]), torch.tensor(float(count - step), requires_grad=True)


class TestFirstPage:
    @pytest.mark.slow
    def test_marginals_of_a_solver_of_ones_own(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (example,) = blocks("own solver")
        exec(compile(example, "page", "exec"), {})
        with Image.open("marginals.png") as picture:
            assert picture.size[0] > 1000

    @pytest.mark.slow
    def test_a_film_of_a_loop_of_ones_own(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (example,) = blocks("own loop")
        exec(compile(example, "page", "exec"), {})
        with Image.open("learning.gif") as film:
            assert film.n_frames > 10


PAGE = """
# own solver
import torch
from imle import GumbelNoiseDistribution, draw, marginals
from imle.solvers import BlackBox

def best_run(scores):  # the three neighbours with the largest sum
    start = int(scores.unfold(0, 3, 1).sum(1).argmax())
    return torch.zeros_like(scores).index_fill(0, torch.arange(start, start + 3), 1.0)

theta = torch.tensor([[1.0, 3.0, 2.0, 2.0, 4.0, 1.0, 0.0, 3.0]])
result = marginals(BlackBox(best_run), theta, GumbelNoiseDistribution())
draw.marginals(result, theta).save("marginals.png")

# own loop
import torch
from imle import draw, imle
from imle.solvers import TopK
def loop(theta=torch.zeros(1, 10, requires_grad=True), layer=imle(TopK(3))):
    optimizer = torch.optim.Adam([theta], lr=0.1)
    for _ in range(30):
        loss = (layer(theta) * torch.linspace(-1, 1, 10)).sum()
        yield -theta, TopK(3)(theta), loss
        optimizer.zero_grad(), loss.backward(), optimizer.step()
draw.film(loop()).save("learning.gif")
"""


def blocks(name):
    found = re.findall(rf"^# {name}\n(.*?)(?=^# |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert all(len(block.strip().splitlines()) <= 12 for block in found)
    return found


class TestGrounds:
    @pytest.mark.slow
    def test_a_map(self):
        made = result(GridPath(), -COSTS)
        for picture in (draw.marginals(made, COSTS), draw.marginals(made, GridPath(), numbers=COSTS)):
            assert titles(picture) == ["map", "one sample", "marginals of 20 samples"]
            assert [text.get_text() for text in picture.figure.legends[0].texts] == ["path", "start", "goal"]

    def test_a_map_without_costs(self):
        picture = draw.marginals(result(GridPath(), -COSTS))
        assert titles(picture) == ["one sample", "marginals of 20 samples"]

    def test_a_map_without_a_sample(self):
        picture = draw.marginals(np.full((3, 3), 0.5), COSTS)
        assert titles(picture) == ["map", "marginals"]

    def test_a_path_between_other_tiles_than_the_corners_is_a_line_where_the_solver_is_known(self):
        solver = GridPath(start=(2, 0), goal=(0, 2))
        mask = solver(-COSTS)
        (alone,), (known,) = (
            [text.get_text() for text in draw.solution(mask, *ground).figure.legends[0].texts][:1]
            for ground in ((COSTS,), (solver,))
        )
        assert (alone, known) == ("chosen tiles", "path")

    @pytest.mark.parametrize("has_solver", [False, True])
    def test_a_graph(self, has_solver):
        graph = nx.cycle_graph(5)
        nx.set_edge_attributes(graph, 2.0, "weight")
        solver = SpanningTree(graph)
        picture = draw.marginals(result(solver, torch.randn(1, 5)), solver if has_solver else graph)
        left, right, *_ = picture.figure.axes
        numbers = [text.get_text() for text in left.texts if text.get_text() == "2"]
        assert len(numbers) == (1 if has_solver else 6)  # a node is called 2, too
        assert titles(picture) == ["one sample", "marginals of 20 samples"]
        assert right.get_facecolor() == mpl.colormaps["viridis"](0.0)

    def test_a_graph_where_its_nodes_lie(self):
        graph = nx.Graph([("a", "b"), ("b", "c")])
        nx.set_node_attributes(graph, {"a": (0, 0), "b": (1, 5), "c": (2, 0)}, "pos")
        figure = draw.solution(torch.ones(2), graph).figure
        offsets = figure.axes[0].collections[-1].get_offsets()
        assert offsets.tolist() == [[0, 0], [1, 5], [2, 0]]

    def test_ends_of_a_path_in_a_graph(self):
        solver = ShortestPath(nx.path_graph(3), 0, 2)
        words = [text.get_text() for text in draw.solution(torch.ones(2), solver).figure.legends[0].texts]
        assert words == ["chosen edges", "start", "goal"]

    def test_items_with_names(self):
        picture = draw.marginals(result(TopK(1), torch.zeros(1, 3)), [1, 2, 3], names=["ham", "jam", "spam"])
        labels = [label.get_text() for label in picture.figure.axes[1].get_xticklabels()]
        assert labels == ["ham", "jam", "spam"]

    def test_a_knapsack_tells_weights_and_capacity(self):
        picture = draw.solution(torch.tensor([1, 0, 1]), Knapsack([3, 4, 5], 9), numbers=[1.0, 2.0, 3.0])
        (axes,) = picture.figure.axes
        assert axes.get_title(loc="left") == "chosen: weight 8 of 9"

    @pytest.mark.slow
    @pytest.mark.parametrize("ground", [Assignment(), torch.randn(1, 3, 3) - 5])
    def test_a_matrix(self, ground):
        made = result(Assignment(), torch.randn(1, 3, 3))
        right = draw.marginals(made, ground, names=("abc", "xyz")).figure.axes[1]
        assert [label.get_text() for label in right.get_xticklabels()] == ["x", "y", "z"]
        assert [label.get_text() for label in right.get_yticklabels()] == ["a", "b", "c"]

    def test_any_other_shape_is_a_row_of_entries(self):
        solver = BlackBox(lambda theta: (theta > 0).float())
        picture = draw.marginals(result(solver, torch.randn(1, 2, 2, 2)))
        assert [label.get_text() for label in picture.figure.axes[1].get_xticklabels()][:3] == ["0,0,0", "0,0,1", "0,1,0"]

    def test_ranks_have_a_scale_of_their_own(self):
        picture = draw.marginals(result(Ranking(), torch.randn(1, 4)))
        assert picture.figure.axes[1].get_ylabel() == "mean of the samples"

    def test_an_instance_of_a_batch(self):
        theta = torch.tensor([[0.0, 9.0], [9.0, 0.0]])
        heights = [
            draw.marginals(marginals(TopK(1), theta), instance=instance).figure.axes[1].collections[0].get_paths()
            for instance in (0, 1)
        ]
        assert [[path.vertices[1, 1] for path in paths] for paths in heights] == [[0, 1], [1, 0]]


class TestSamples:
    def test_of_a_map(self):
        states = perturb_and_map(GridPath(), -COSTS, NOISE, nb_samples=4)
        for drawn in (states, states[0]):
            assert draw.samples(drawn, COSTS).figure.texts[0].get_text() == "4 samples"

    @pytest.mark.parametrize(("shape", "rows"), [((1, 7, 3), 7), ((7, 3), 7)])
    def test_of_items_without_a_ground(self, shape, rows):
        image = draw.samples(np.ones(shape)).figure.axes[0].images[0]
        assert image.get_array().shape == (rows, 3)

    @pytest.mark.slow
    def test_of_a_batch(self):
        states = torch.zeros(2, 5, 3)
        states[1] = 1
        shown = [draw.samples(states, [1, 2, 3], instance=number).figure.axes[0].images[0].get_array() for number in (0, 1)]
        assert [array.sum() for array in shown] == [0, 15]


@pytest.fixture(scope="module")
def cells():
    problem = lab.make_problem("top-k", "4,2")
    instance = lab.Instance(problem, lab.reference_gradient(problem, None, 0))
    grid = [0.5, 1.0, 4.0], [0.5, 2.0]
    settings = lab.EstimatorSettings(NOISE, ["imle", "blackbox", "fenchel-young"], *grid, repetitions=4)
    return list(lab.compare([instance], settings))


class TestDistinct:
    def test_paths_over_each_other_with_their_shares(self):
        records = distinct_solutions(GridPath(), -COSTS, NOISE, nb_samples=50, temperature=2.0)
        picture = draw.distinct(records, COSTS)
        texts = [text.get_text() for text in picture.figure.legends[0].get_texts()]
        assert texts[0].startswith(f"1: {100 * records[0].shares[0]:.0f}% ± ")
        assert texts[len(records[0].shares) :] == ["start", "goal"]
        assert picture.figure.get_suptitle() == "The most frequent of 50 samples"

    @pytest.mark.slow
    @pytest.mark.parametrize("ground", [None, nx.cycle_graph(5), [0.1, 0.2, 0.3, 0.4, 0.5]])
    def test_sets_side_by_side(self, ground):
        records = distinct_solutions(TopK(2), torch.zeros(2, 5), NOISE, nb_samples=30, most=3)
        picture = draw.distinct(records, ground, instance=1)
        said = titles(picture) or [text.get_text() for axes in picture.figure.axes for text in axes.texts]
        assert len(said) == 3
        assert said[0].startswith(f"{100 * records[1].shares[0]:.0f}% ± ")

    @pytest.mark.slow
    def test_sets_of_tiles_and_pairs(self):
        (record,) = distinct_solutions(TopK(2), torch.zeros(1, 3, 3), NOISE, nb_samples=30, most=3)
        assert len(titles(draw.distinct(record, COSTS))) == 3
        assert len(titles(draw.distinct(record, COSTS, kind="matrix"))) == 3


class TestComparison:
    @pytest.mark.slow
    def test_one_temperature_and_equal_estimators_under_one_name(self, cells):
        figure = draw.comparison(cells, temperature=2.0).figure
        above, below = figure.axes
        assert above.get_title().startswith("bias and variance of 10 samples, all at temperature 2\n")
        assert [container.lines[0].get_xdata().tolist() for container in above.containers] == [[0.5, 1, 4]] * 2
        assert [text.get_text() for text in above.get_legend().texts] == ["imle, blackbox"]
        assert below.get_xlabel() == "samples"

    @pytest.mark.slow
    def test_the_temperature_nearest_to_1_if_none_is_named(self, cells):
        assert "temperature 0.5" in draw.comparison(iter(cells)).figure.get_suptitle()

    def test_refusals(self, cells):
        with pytest.raises(
            ArgumentError, match=r"^results: got none; a comparison needs at least one estimator; give what "
        ):
            draw.comparison([])
        with pytest.raises(ArgumentError, match=r"^temperature: got 3; it was measured at 0.5, 2; use one of these$"):
            draw.comparison(cells, temperature=3)


class TestShowing:
    @pytest.mark.slow
    def test_a_picture_shows_itself_and_is_saved(self, tmp_path):
        picture = draw.solution([1, 0, 1])
        shown = Image.open(io.BytesIO(picture._repr_png_()))
        assert shown.format == "PNG"
        for ending, start in ((".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")):
            assert picture.save(tmp_path / f"a{ending}").read_bytes().startswith(start)
        assert picture.figure.axes
        assert repr(picture) == "Picture(6.4 x 3.4 inches)"

    @pytest.mark.slow
    def test_matplotlib_is_left_as_it_is(self, monkeypatch):
        from matplotlib import pyplot

        monkeypatch.setitem(mpl.rcParams, "font.size", 31.0)
        before, backend = dict(mpl.rcParams), mpl.get_backend()
        monkeypatch.setattr(pyplot, "figure", None)
        pictures = [draw.solution([1, 0, 1]), draw.marginals(result(GridPath(), -COSTS), COSTS)]
        shown = [picture._repr_png_() for picture in pictures]
        assert dict(mpl.rcParams) == before
        assert mpl.get_backend() == backend
        assert not pyplot.get_fignums()
        monkeypatch.setitem(mpl.rcParams, "font.size", 10.0)
        assert shown == [picture._repr_png_() for picture in pictures]


class TestFilms:
    def test_what_train_yields(self, tmp_path):
        gold = GridPath()(-COSTS)[0]
        records = train(GridPath(), gold, steps=9, nb_samples=2, noise_distribution=NOISE)
        path = draw.film(records, COSTS, gold=gold, title="a title").save(tmp_path / "x.gif")
        with Image.open(path) as film:
            assert film.n_frames == 10
            assert sum(frame.info["duration"] for frame in ImageSequence.Iterator(film)) == 10 * 125 + 2000

    def test_records_are_read_when_the_film_is_wanted_and_then_kept(self, tmp_path):
        read = []
        film = draw.film(read.append(number) or {"loss": number} for number in range(5))
        assert read == []
        film.save(tmp_path / "x.gif")
        assert read == [0, 1, 2, 3, 4]
        assert film.save(tmp_path / "x.webp").read_bytes()[:4] == b"RIFF"
        assert film.save(tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"

    def test_a_notebook_shows_it(self):
        html = draw.film(loop(3))._repr_html_()
        assert html.startswith('<img alt="film" src="data:image/gif;base64,R0lGOD')

    @pytest.mark.parametrize(
        "records",
        [
            lambda: ({"theta": np.zeros(5), "loss": 1.0} for _ in range(3)),
            lambda: [(np.zeros((4, 4)), np.ones((3, 4, 4)))] * 3,
            lambda: [(np.zeros((4, 4)),)] * 3,
            lambda: ({"loss": torch.ones(())} for _ in range(3)),
            lambda: loop(3, (1, 4, 5)),
            lambda: loop(3, (2, 4, 5), samples=6),
        ],
    )
    def test_parts_that_are_missing_are_left_out(self, records, tmp_path):
        assert draw.film(records(), size=128).save(tmp_path / "x.gif").stat().st_size > 500

    @pytest.mark.slow
    def test_the_first_steps_are_dense_and_memory_does_not_grow_with_the_loop(self):
        film = draw.film(loop(5000), frames=60)
        moments = film._films().moments
        assert moments.steps[:24] == list(range(24))
        assert moments.steps[-1] == 4999
        assert len(moments.steps) < 140
        assert [float(array[0]) for array in moments.weights] == [step + 1 for step in moments.steps]
        assert film._films().count == 60

    def test_every_so_many(self):
        moments = draw.film(loop(95), every=10, frames=5)._films().moments
        assert moments.steps == [*range(0, 95, 10), 94]

    def test_of_few_records_all_are_shown(self):
        assert draw.film(loop(100))._films().count == 100

    def test_of_a_graph(self):
        graph = nx.Graph([("a", "b"), ("b", "c"), ("c", "a")])
        nx.set_node_attributes(graph, {"a": (0, 0), "b": (1, 2), "c": (2, 0)}, "pos")
        solver = SpanningTree(graph)
        records = [(torch.tensor([1.0, 2, 3]), solver(-torch.tensor([[1.0, 2, 3]])))] * 2
        film = draw.film(records, graph, gold=[1, 1, 0], size=200)
        (first, _) = film._films().films["learning"]()
        assert {PATH, PALE} <= set(first.flat)
        assert film._films().words.things == "edges"

    def test_a_loop_that_fails_leaves_what_it_gave(self, tmp_path):
        def failing():
            yield from loop(4)
            raise RuntimeError("at once")

        film = draw.film(failing())
        with pytest.raises(RuntimeError, match="at once"):
            film.save(tmp_path / "x.gif")
        assert not list(tmp_path.iterdir())
        with Image.open(film.save(tmp_path / "x.gif")) as shown:
            assert shown.n_frames == 4


class TestRefusals:
    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: draw.solution([1, 0], [1, 2, 3]), r"^ground: got shape \(3,\) for solutions of shape \(2,\); "),
            (lambda: draw.marginals(result(TopK(1), torch.zeros(1, 3)), COSTS), r"^ground: got shape \(1, 3, 3\) for "),
            (lambda: draw.solution(["a"]), "^state: got list; it must be a tensor or an array of real numbers; "),
            (lambda: draw.solution([]), r"^state: got shape \(0,\); there is nothing to draw; "),
            (lambda: draw.solution([np.nan]), "^state: got 1 NaN; "),
            (lambda: draw.solution([1, 0], "map.png"), "^ground: got str; it must be an array of costs or scores, "),
            (lambda: draw.solution(np.eye(3), np.zeros((3, 3)), kind="map"), "^ground: got 9 that are <= 0; costs of "),
            (
                lambda: draw.solution(np.eye(3), kind="grid"),
                "^kind: got 'grid'; it must be 'map' or 'matrix'; leave it out$",
            ),
            (lambda: draw.solution([1, 0], names="abc"), "^names: got 3; there are 2 to be named; give one name for each$"),
            (lambda: draw.solution(np.eye(2), names="abc"), "^names: got 3; a matrix has names of rows and of columns; "),
            (lambda: draw.solution(np.eye(2)[None], instance=1), "^instance: got 1; there are 1; use a number from 0 to 0$"),
            (lambda: draw.samples([1, 0]), r"^states: got shape \(2,\); samples are \(S, \*event\) or "),
            (lambda: draw.samples(np.ones((4, 3)), [1, 2]), r"^ground: got shape \(2,\) for samples of shape \(4, 3\); "),
            (lambda: draw.film(3), "^records: got int; it must give records one by one; give what train\\(\\) yields$"),
            (lambda: draw.film([], fps=0), "^fps: got 0; it must be a number from 0.1 to 50; use 8$"),
            (lambda: draw.film([], frames=2.5), "^frames: got 2.5; it must be a whole number from 1 to 10000; use 100$"),
            (lambda: draw.film([], frames=True), "^frames: got True; it must be a whole number from 1 to 10000; use 100$"),
            *(
                (
                    partial(draw.film, [], scale=scale),
                    f"^scale: got {re.escape(repr(scale))}; it must be two finite numbers, ",
                )
                for scale in [(np.nan, 1), (1,), "ab", (5, 1), (0, np.inf), 3]
            ),
            (lambda: draw.comparison(None), "^results: got NoneType; it must give results one by one; "),
            (lambda: draw.solution([1, 0], names=5), "^names: got 5; names are listed; give one name for each$"),
            (lambda: draw.solution(np.eye(2)[None], instance=0.5), "^instance: got 0.5; there are 1; "),
        ],
    )
    def test_arguments_that_do_not_fit(self, call, message):
        with pytest.raises(ArgumentError, match=message):
            call()

    @pytest.mark.parametrize(
        ("records", "message"),
        [
            ([], "^records: got none; a film needs at least one; see to it that the loop yields$"),
            ([torch.ones(3)], "^records: got record 0 of type Tensor; a record is "),
            ([(1, 2, 3, 4)], "^records: got record 0 of 4 parts; a record is .*; name them in a dict$"),
            ([{"loss": 1}, {"theta": [1.0]}], "^records: got record 1 without loss; all have the same parts; "),
            ([{"loss": torch.ones(3)}], r"^loss: got record 0 with torch.Size\(\[3\]\); it must be one number; "),
            ([([1.0], [np.nan])], "^state: got 1 NaN; "),
            (
                [(np.ones((4, 4)), np.eye(4)), (np.ones((3, 3)), np.eye(3))],
                r"^records: got record 1 with weights of shape \(3, 3\) and state of shape \(3, 3\); weights and ",
            ),
            ([([1.0, 2.0], [1.0])], r"^records: got record 0 with weights of shape \(2,\) and state of shape \(1,\); "),
        ],
    )
    def test_records_that_cannot_be_read(self, records, message, tmp_path):
        with pytest.raises(ArgumentError, match=message):
            draw.film(records).save(tmp_path / "x.gif")
        assert not list(tmp_path.iterdir())

    def test_an_instance_that_a_batch_lacks(self, tmp_path):
        with pytest.raises(ArgumentError, match=r"^instance: got 9; there are 2; use a number from 0 to 1$"):
            draw.film([(np.ones((2, 3, 3)), np.ones((2, 3, 3)))], instance=9).save(tmp_path / "x.gif")

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("x.jpg", r"x.jpg; it must end in .png, .pdf or .svg; use .png$"),
            ("missing/x.png", "the folder .*missing does not exist; make it first$"),
            ("folder.png", "folder.png; it is a folder; give the name of a file in it$"),
            ("locked/x.png", "the folder .*locked cannot be written to; choose another$"),
        ],
    )
    def test_paths_that_cannot_be_written(self, name, message, tmp_path, monkeypatch):
        (tmp_path / "folder.png").mkdir()
        (tmp_path / "locked").mkdir()
        monkeypatch.setattr("os.access", lambda path, _: "locked" not in str(path))
        with pytest.raises(ArgumentError, match=f"^path: got .*{message}"):
            draw.solution([1, 0]).save(tmp_path / name)

    def test_a_film_under_the_name_of_a_picture(self, tmp_path):
        with pytest.raises(ArgumentError, match=r"it must end in \.gif, .webp, .png, .apng or .mp4; use .gif$"):
            draw.film(loop(2)).save(tmp_path / "x.pdf")
        with pytest.raises(ArgumentError, match=r"^path: got int; it must be a file's name; give a text or a Path$"):
            draw.film(loop(2)).save(3)

    def test_a_ground_of_another_shape_than_the_film(self):
        with pytest.raises(ArgumentError, match=r"^ground: got shape \(2, 2\); it must be \(4, 5\) or "):
            draw.film(loop(3, (1, 4, 5)), np.ones((2, 2)))._repr_html_()
