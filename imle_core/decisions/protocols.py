"""Two published experiments of predict-then-optimise: data, split, training, and what their authors report.

Sources: Tang and Khalil 2024, "PyEPO" (arXiv 2206.14234), for the data and the methods; its notebooks "Training and Testing"
and "2D Knapsack" for the settings and the figures. The clock of the first counts each batch once for every batch that comes
after it in an epoch, 1 + 2 + ... + 32 of 32: its seconds are divided by 33/2 here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from imle_core.decisions.data import knapsack_data, shortest_path_data
from imle_core.decisions.data_set import Decisions
from imle_core.solvers import GridEdgePath, Knapsack

_TIMES_TOO_LONG = (32 + 1) / 2


@dataclass(frozen=True)
class PublishedRegret:
    """Figures that the authors of a protocol report for a method, of one run.

    Attributes:
        regret: normalised, after the last epoch.
        best: least after any epoch; None where it is not known.
        seconds: of training, corrected; None where they are not reported.
    """

    regret: float
    best: float | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Protocol:
    """A data set that is split, and how a linear network learns from it.

    Attributes:
        name: its name.
        title: what it is, for people.
        make: gives the instances to learn from, and those to be judged by.
        epochs: how often each instance is seen.
        lr: largest step size of Adam.
        samples: samples of an instance, of estimators that draw any.
        pool: share of calls that are solved, of methods that learn from a pool of solutions.
        published: figures by method.
    """

    name: str
    title: str
    make: Callable[[], tuple[Decisions, Decisions]]
    epochs: int
    lr: float
    samples: int
    pool: float
    published: Mapping[str, PublishedRegret]

    def __repr__(self) -> str:
        return f"Protocol({self.name}, {self.epochs} epochs)"


@lru_cache(maxsize=1)
def _paths() -> tuple[Decisions, Decisions]:
    features, costs = shortest_path_data(2000, features=5, grid=(5, 5), degree=4, noise_width=0.5, seed=42)
    return Decisions(features, costs, GridEdgePath((5, 5)), sense="min").split(1000, seed=42)


@lru_cache(maxsize=1)
def _knapsacks() -> tuple[Decisions, Decisions]:
    data = knapsack_data(1100, features=5, items=16, constraints=2, degree=6, noise_width=0.5, seed=135)
    return Decisions(data.features, data.costs, Knapsack(data.weights, [20, 20]), sense="max").split(1000, seed=246)


def _timed(regret: float, best: float, printed: float) -> PublishedRegret:
    return PublishedRegret(regret, best, printed / _TIMES_TOO_LONG)


PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "paths",
            "paths on a grid of 5 x 5, 1,000 to learn from",
            _paths,
            epochs=20,
            lr=0.01,
            samples=3,
            pool=0.05,
            published={
                "spo-plus": _timed(0.0759, 0.0707, 165),
                "perturbation-gradient": _timed(0.1416, 0.1396, 223),
                "imle": _timed(0.1207, 0.1207, 609),
                "adaptive-imle": _timed(0.0724, 0.0711, 614),
                "fenchel-young": _timed(0.0729, 0.0723, 297),
                "perturbed": _timed(0.0988, 0.0988, 306),
                "blackbox": _timed(0.1512, 0.0932, 298),
                "identity": _timed(0.0890, 0.0890, 156),
                "contrastive": _timed(0.1029, 0.1017, 19.0),
                "contrastive-map": _timed(0.1297, 0.0921, 20.8),
                "rank-list": _timed(0.0959, 0.0894, 16.2),
                "rank-pair": _timed(0.0973, 0.0753, 17.1),
                "rank-point": _timed(0.0847, 0.0831, 17.4),
                "frank-wolfe": _timed(0.0740, 0.0719, 3363),
                "frank-wolfe-fenchel-young": _timed(0.0779, 0.0759, 3347),
            },
        ),
        Protocol(
            "knapsack",
            "knapsacks of 16 items and 2 constraints, 100 to learn from",
            _knapsacks,
            epochs=40,
            lr=0.1,
            samples=10,
            pool=0.1,
            published={
                "regression": PublishedRegret(0.105, 0.0686),
                "spo-plus": PublishedRegret(0.0627, 0.0599),
                "perturbation-gradient": PublishedRegret(0.1897),
                "imle": PublishedRegret(0.1398),
                "fenchel-young": PublishedRegret(0.0803, 0.0706),
                "perturbed": PublishedRegret(0.122, 0.114),
                "blackbox": PublishedRegret(0.170),
                "identity": PublishedRegret(0.110),
                "contrastive": PublishedRegret(0.0689, 0.0686),
                "rank-list": PublishedRegret(0.124, 0.113),
                "frank-wolfe": PublishedRegret(0.100),
                "frank-wolfe-fenchel-young": PublishedRegret(0.0840, 0.0689),
            },
        ),
    )
}
"""Protocols by name."""
