"""Other libraries' paths cost what ours do; libraries that are not there are left out and named."""

import sys
from functools import partial
from types import ModuleType

import numpy as np
import pytest
import torch

from imle_cli.benchmarks import rounds
from imle_cli.benchmarks.paths import noisy_maps, random_maps
from imle_cli.benchmarks.rivals import OPTIONAL, installed, missing, one_by_one, prepare_sample
from imle_core.solvers import GridPath


def _of_tiles(numbers, costs):
    """The cost of a path through tiles of these row-major numbers, the start's included."""
    assert (numbers[0], numbers[-1]) == (0, costs.size - 1)
    return float(costs.ravel()[np.asarray(numbers)].sum(dtype=np.float64))


COST = {
    "scipy": lambda found, costs: found[0][-1] + costs[0, 0],
    "networkx": _of_tiles,
    "networkx engine": lambda found, costs: float((found[0].numpy() * costs).sum(dtype=np.float64)),
    "dijkstra3d": lambda found, costs: float(sum(costs[tuple(tile)] for tile in found.astype(int))),
    "scikit-image": lambda found, costs: float(sum(costs[tile] for tile in found[0])),
    "rustworkx": lambda found, costs: _of_tiles(list(found[costs.size - 1]), costs),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COST)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("theta", [partial(noisy_maps, 12, 3, 0), partial(random_maps, 16, 3, 0)], ids=["noisy", "random"])
def test_every_library_finds_paths_of_the_same_cost(name, dtype, theta):
    if name not in installed():
        pytest.skip(f"{name} is not installed")
    maps = theta(dtype)
    for one in maps:
        costs = -one.numpy()
        ours = -float((GridPath()(one[None])[0].double() * one.double()).sum())
        assert COST[name](installed()[name](costs)(), costs) == pytest.approx(ours, rel=1e-5)


def test_an_absent_library_is_named_and_left_out(monkeypatch):
    for path, _ in OPTIONAL.values():
        monkeypatch.setitem(sys.modules, path, None)
    assert missing() == ["dijkstra3d", "scikit-image", "rustworkx"]
    assert list(installed()) == ["scipy", "networkx", "networkx engine"]


def test_an_error_other_than_of_an_import_is_not_hidden(monkeypatch, tmp_path):
    (tmp_path / "dijkstra3d.py").write_text("raise RuntimeError('broken')")
    monkeypatch.delitem(sys.modules, "dijkstra3d", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError, match="broken"):
        missing()


class _Graph:
    def __init__(self):
        self.nodes, self.edges = [], []
        self.add_nodes_from, self.add_edges_from = self.nodes.extend, self.edges.extend


@pytest.fixture
def called(monkeypatch):
    """Modules that say how they were called."""
    calls = {}

    def module(path, **names):
        found = ModuleType(path)
        found.__dict__.update(names)
        monkeypatch.setitem(sys.modules, path, found)

    def record(name):
        return lambda *arguments, **options: calls.setdefault(name, (arguments, options))

    module("dijkstra3d", dijkstra=record("dijkstra3d"))
    module("skimage")
    module("skimage.graph", route_through_array=record("scikit-image"))
    module("rustworkx", PyDiGraph=_Graph, dijkstra_shortest_paths=record("rustworkx"))
    return calls


def test_present_libraries_get_the_map_and_its_corners(called):
    costs = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert missing() == []
    found = installed()
    for name in OPTIONAL:
        found[name](costs)()
    (field, start, goal), options = called["dijkstra3d"]
    assert (field.tolist(), start, goal, options) == (costs.tolist(), (0, 0), (1, 2), {"connectivity": 8})
    assert field.flags.f_contiguous
    (field, start, goal), options = called["scikit-image"]
    assert (field.tolist(), start, goal) == (costs.tolist(), (0, 0), (1, 2))
    assert options == {"fully_connected": True, "geometric": False}
    (graph, start, goal), options = called["rustworkx"]
    assert (start, goal, options) == (0, 5, {"weight_fn": float})
    assert graph.nodes == list(range(6))
    assert len(graph.edges) == 22
    assert {edge[:2] for edge in graph.edges if edge[0] == 0} == {(0, 1), (0, 3), (0, 4)}
    assert all(weight == costs.ravel()[target] for _, target, weight in graph.edges)


def test_a_sample_solves_as_many_maps_as_it_says(monkeypatch):
    monkeypatch.setattr(rounds, "_TURN", 1e9)
    solved = []
    solves = prepare_sample(lambda one: partial(solved.append, one[0, 0]), np.arange(3.0).reshape(3, 1, 1))
    solved.clear()
    one_by_one(solves)
    assert (solved, len(solves)) == ([0.0, 1.0, 2.0], 3)
