"""Every solver of ours, with a shape that it solves: ``from all_solvers import BATCHES, INSTANCES``."""

from types import FunctionType

import torch

from imle_core import solvers

EDGES = [(0, 1), (1, 2), (2, 3), (0, 2)]
FIVE_EDGES = [*EDGES, (1, 3)]
MAPS = (3, 4, 4)
ROW = torch.ones(1, 16).numpy()


class Made(dict):
    """Solvers with shapes; functions make those that solve at once, when a test asks and not when it is collected."""

    def __getitem__(self, name):
        solver, shape = super().__getitem__(name)
        return solver() if isinstance(solver, FunctionType) else solver, shape


# With the shape of a batch.
BATCHES = Made(
    {
        "acyclic path": (solvers.AcyclicGridPath(), MAPS),
        "arg max": (solvers.ArgMax(), MAPS),
        "assignment": (solvers.Assignment(), MAPS),
        "partial assignment": (solvers.Assignment(partial=True), MAPS),
        "wide assignment": (solvers.Assignment(), (3, 2, 4)),
        "identity": (solvers.BlackBox(lambda theta: theta), MAPS),
        "identity, repeated": (solvers.BlackBox(lambda theta: theta, cache=9), MAPS),
        "identity of arrays": (solvers.BlackBox(lambda theta: theta, arrays=True, repeats=False), MAPS),
        "in place, in threads": (solvers.BlackBox(lambda theta: theta.zero_(), executor="threads"), MAPS),
        "path": (solvers.GridPath(), MAPS),
        "path by torch": (solvers.GridPath(engine="torch"), MAPS),
        "path by networkx": (solvers.GridPath(engine="networkx"), MAPS),
        "large path": (solvers.GridPath(), (2, 100, 100)),
        "path over edges": (solvers.GridEdgePath((3, 3)), (3, 12)),
        "program": (solvers.IntegerProgram(A=ROW, b=[3]), MAPS),
        "continuous program": (solvers.IntegerProgram(A=ROW, b=[3], integrality=False), MAPS),
        "knapsack": (solvers.Knapsack(torch.arange(16).view(4, 4), 9), MAPS),
        "knapsack of two constraints": (solvers.Knapsack([[1, 2.5, 3], [2, 2, 1]], [4, 3.5]), (3, 3)),
        "pool that solves": (lambda: solvers.SolutionPool(solvers.TopK(3), share=1), MAPS),
        "pool that answers": (lambda: solvers.SolutionPool(solvers.TopK(1), torch.eye(16).view(-1, 4, 4), share=1e-9), MAPS),
        "ranking": (solvers.Ranking(), MAPS),
        "top 3": (solvers.TopK(3), MAPS),
        "top 40": (solvers.TopK(40), (3, 50)),
        "matching": (solvers.Matching(EDGES), (3, 4)),
        "perfect matching": (lambda: solvers.Matching(EDGES, perfect=True), (3, 4)),
        "cut": (solvers.MinCut(EDGES, 0, 3), (3, 4)),
        "cut with a floor": (solvers.MinCut(EDGES, 0, 3, floor=0.5), (3, 4)),
        "shortest path": (solvers.ShortestPath(EDGES, 0, 3), (3, 4)),
        "shortest path with a floor": (solvers.ShortestPath(EDGES, 0, 3, floor=0.5), (3, 4)),
        "tour": (solvers.Tour(5), (3, 10)),
        "tree": (solvers.SpanningTree(EDGES), (3, 4)),
    }
)
# With the shape of an instance that has few solutions.
INSTANCES = {
    "grid": (solvers.GridPath(), (4, 5)),
    "grid, networkx": (solvers.GridPath(engine="networkx"), (3, 3)),
    "acyclic": (solvers.AcyclicGridPath(), (4, 5)),
    "grid, edges": (solvers.GridEdgePath((3, 4)), (17,)),
    "top-k": (solvers.TopK(3), (3, 4)),
    "choice": (solvers.ArgMax(), (3, 4)),
    "ranking": (solvers.Ranking(), (6,)),
    "knapsack": (solvers.Knapsack([1, 2, 3, 4], 6), (4,)),
    "knapsack, two constraints": (solvers.Knapsack([[1, 2, 3, 4.5], [4, 3, 2, 1]], [6, 5.5]), (4,)),
    "assignment": (solvers.Assignment(), (3, 4)),
    "partial": (solvers.Assignment(partial=True), (3, 3)),
    "program": (solvers.IntegerProgram(A=[[1, 1, 1, 1]], b=[2]), (4,)),
    "path": (solvers.ShortestPath(FIVE_EDGES, 0, 3, floor=0.0), (5,)),
    "path, refusing": (solvers.ShortestPath(FIVE_EDGES, 0, 3, None), (5,)),
    "tour": (solvers.Tour(5), (10,)),
    "tree": (solvers.SpanningTree(FIVE_EDGES), (5,)),
    "matching": (solvers.Matching(FIVE_EDGES), (5,)),
    "cut": (solvers.MinCut(FIVE_EDGES, 0, 3, floor=0.0), (5,)),
    "cut, refusing": (solvers.MinCut(FIVE_EDGES, 0, 3, None), (5,)),
}
