"""Published problems whose costs depend on features: paths, knapsacks, tours, portfolios; and how they are split.

Features x are normal, costs a polynomial of random sums of them, ``s = x B^T / sqrt(p)``, times noise. All draws come from
``numpy.random.RandomState(seed)`` in a stated order, so that the arrays are those of PyEPO's generators, to the bit.

Source: Elmachtoub and Grigas 2022, "Smart 'Predict, then Optimize'"; Tang and Khalil 2024, "PyEPO".
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import NDArray
from torch import Tensor

from imle_core.checks import ArgumentError, check_finite, check_whole, tuple_in_short
from imle_core.solvers import GridEdgePath

Array = NDArray[np.float64]

_LARGEST_DEGREE = 32
_LARGEST_NOISE = 1e6


class PathData(NamedTuple):
    """Features and costs of :func:`shortest_path_data`.

    Attributes:
        features: ``(N, p)`` float64.
        costs: of the edges of :class:`imle_core.solvers.GridEdgePath`, ``(N, E)`` float32.
    """

    features: Tensor
    costs: Tensor

    def __repr__(self) -> str:
        return tuple_in_short(self)


class KnapsackData(NamedTuple):
    """Features, values and weights of :func:`knapsack_data`.

    Attributes:
        features: ``(N, p)`` float64.
        costs: values of the items, whole numbers, ``(N, items)`` float32; to be maximised.
        weights: 3 to 7.99 in hundredths, ``(constraints, items)`` float64, the same for all instances.
    """

    features: Tensor
    costs: Tensor
    weights: Tensor

    def __repr__(self) -> str:
        return tuple_in_short(self)


class TourData(NamedTuple):
    """Features and costs of :func:`tour_data`.

    Attributes:
        features: ``(N, p)`` float64.
        costs: of the edges (0, 1), (0, 2), ..., (1, 2), ... between nodes, ``(N, E)`` float32.
        coordinates: of the nodes, ``(nodes, 2)`` float64.
    """

    features: Tensor
    costs: Tensor
    coordinates: Tensor

    def __repr__(self) -> str:
        return tuple_in_short(self)


class PortfolioData(NamedTuple):
    """Features, returns and covariance of :func:`portfolio_data`.

    Attributes:
        features: ``(N, p)`` float64.
        costs: returns of the assets, ``(N, assets)`` float32; to be maximised.
        covariance: ``(assets, assets)`` float64.
    """

    features: Tensor
    costs: Tensor
    covariance: Tensor

    def __repr__(self) -> str:
        return tuple_in_short(self)


def shortest_path_data(
    count: int,
    features: int = 5,
    grid: tuple[int, int] = (5, 5),
    *,
    degree: int = 1,
    noise_width: float = 0.0,
    seed: int = 135,
) -> PathData:
    """``c = ((s + 3)^degree + 1) / 3.5^degree * eps``: costs of the edges right and down on a grid of nodes.

    Draws, in this order: B, Bernoulli 1/2, ``(E, p)``; x, normal; eps, uniform from 1 - noise_width to 1 + noise_width.
    Edges come row by row, first those to the right, then those down, as :class:`imle_core.solvers.GridEdgePath` has them.

    Args:
        count: N, number of instances, >= 1.
        features: p >= 1.
        grid: rows and columns of nodes, at least 2 nodes together.
        degree: of the polynomial, a whole number >= 1; 1 is a linear one.
        noise_width: half the width of the noise, >= 0.
        seed: of all draws, from 0 to 2^32 - 1.

    Raises:
        ArgumentError: an argument outside its range.

    >>> features, costs = shortest_path_data(100, grid=(5, 5), degree=4, noise_width=0.5, seed=42)
    >>> costs.shape
    torch.Size([100, 40])
    """
    edges = len(GridEdgePath(grid).edges)
    random = _random(count, features, degree, noise_width, seed)
    loadings = random.binomial(1, 0.5, (edges, features))
    x = random.normal(0, 1, (count, features))
    noise = random.uniform(1 - noise_width, 1 + noise_width, (count, edges))
    costs = (_raised(x, loadings, degree) + 1) / 3.5**degree * noise
    return PathData(torch.from_numpy(x), _narrow(costs))


def knapsack_data(
    count: int,
    features: int = 5,
    items: int = 16,
    *,
    constraints: int = 1,
    degree: int = 1,
    noise_width: float = 0.0,
    seed: int = 135,
) -> KnapsackData:
    """``c = ceil(5 ((s + 3)^degree + 1) / 3.5^degree * eps)``: values of items, with their weights under each constraint.

    Draws, in this order: the weights, whole hundredths from 3 to 7.99; B, Bernoulli 1/2, ``(items, p)``; x, normal; eps, as
    for :func:`shortest_path_data`. Values are whole numbers, so optima tie. Capacities are the user's; 20 under each
    constraint is usual.

    Args:
        count: N, number of instances, >= 1.
        features: p >= 1.
        items: number of items, >= 1.
        constraints: number of weights of an item, >= 1.
        degree: of the polynomial, a whole number >= 1.
        noise_width: half the width of the noise, >= 0.
        seed: of all draws, from 0 to 2^32 - 1.

    Raises:
        ArgumentError: an argument outside its range.
    """
    check_whole("items", items, 1, "the usual number is 16")
    check_whole("constraints", constraints, 1, "the usual numbers are 1 to 3")
    random = _random(count, features, degree, noise_width, seed)
    weights = random.randint(300, 800, (constraints, items)) / 100
    loadings = random.binomial(1, 0.5, (items, features))
    x = random.normal(0, 1, (count, features))
    noise = random.uniform(1 - noise_width, 1 + noise_width, (count, items))
    values = np.ceil(5 * (_raised(x, loadings, degree) + 1) / 3.5**degree * noise)
    return KnapsackData(torch.from_numpy(x), _narrow(values), torch.from_numpy(weights))


def tour_data(
    count: int, features: int = 5, nodes: int = 10, *, degree: int = 1, noise_width: float = 0.0, seed: int = 135
) -> TourData:
    """``c = distance + (s + 3)^degree / 3^(degree - 1) * eps``, to 4 decimals: costs of the edges between nodes of a plane.

    Draws, in this order: coordinates of half the nodes, uniform from -2 to 2, then of the rest, normal; B, Bernoulli 1/2
    times uniform from -2 to 2, ``(E, p)``; x, normal; eps, as for :func:`shortest_path_data`.

    Args:
        count: N, number of instances, >= 1.
        features: p >= 1.
        nodes: number of nodes, >= 3.
        degree: of the polynomial, a whole number >= 1.
        noise_width: half the width of the noise, >= 0.
        seed: of all draws, from 0 to 2^32 - 1.

    Raises:
        ArgumentError: an argument outside its range.
    """
    check_whole("nodes", nodes, 3, "a tour needs 3 nodes")
    random = _random(count, features, degree, noise_width, seed)
    spread = random.uniform(-2, 2, (nodes // 2, 2))
    coordinates = np.concatenate([spread, random.normal(0, 1, (nodes - nodes // 2, 2))])
    tails, heads = np.triu_indices(nodes, 1)
    distances = np.sqrt(((coordinates[tails] - coordinates[heads]) ** 2).sum(axis=1))
    shape = (len(tails), features)
    loadings = random.binomial(1, 0.5, shape) * random.uniform(-2, 2, shape)
    x = random.normal(0, 1, (count, features))
    noise = random.uniform(1 - noise_width, 1 + noise_width, (count, len(tails)))
    costs = np.round(distances + _raised(x, loadings, degree) / 3 ** (degree - 1) * noise, 4)
    return TourData(torch.from_numpy(x), _narrow(costs), torch.from_numpy(coordinates))


def portfolio_data(
    count: int, features: int = 5, assets: int = 50, *, degree: int = 1, noise_level: float = 1.0, seed: int = 135
) -> PortfolioData:
    """``r = (.05 s + .1^(1/degree))^degree + L f + .01 noise_level e``: returns of assets, with factors f and noise e.

    Draws, in this order: B, Bernoulli 1/2, ``(assets, p)``; the loadings L, uniform within .0025 noise_level, ``(assets,
    p)``; x, normal; f and e of each instance, normal. The covariance is ``L L^T + (.01 noise_level)^2 I``.

    Args:
        count: N, number of instances, >= 1.
        features: p >= 1, as many as factors.
        assets: number of assets, >= 1.
        degree: of the polynomial, a whole number >= 1.
        noise_level: scale of factors and noise, > 0.
        seed: of all draws, from 0 to 2^32 - 1.

    Raises:
        ArgumentError: an argument outside its range.
    """
    check_whole("assets", assets, 1, "the usual number is 50")
    check_finite("noise_level", noise_level, "the usual level is 1", positive=True)
    _check_noise("noise_level", noise_level)
    random = _random(count, features, degree, 0.0, seed)
    mixing = random.binomial(1, 0.5, (assets, features))
    loadings = random.uniform(-0.0025 * noise_level, 0.0025 * noise_level, (assets, features))
    x = random.normal(0, 1, (count, features))
    drawn = random.randn(count, features + assets)
    factors, noise = drawn[:, :features], drawn[:, features:]
    mean = (0.05 * x @ mixing.T / np.sqrt(features) + 0.1 ** (1 / degree)) ** degree
    covariance = loadings @ loadings.T + (0.01 * noise_level) ** 2 * np.eye(assets)
    returns = mean + factors @ loadings.T + 0.01 * noise_level * noise
    return PortfolioData(torch.from_numpy(x), _narrow(returns), torch.from_numpy(covariance))


def split(count: int, test: int, *, train: int | None = None, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Indices to learn from, ``(train,)``, and to be judged by, ``(test,)``, in random order.

    Of ``q = RandomState(seed).permutation(count)`` the first ``test`` are to be judged by, the next ``train`` to learn from,
    as scikit-learn's ``train_test_split(range(count), test_size=test, random_state=seed)`` has them.

    Args:
        count: number of instances, >= 1.
        test: of them, to be judged by, from 0 to ``count``.
        train: of the rest, to learn from; all if None.
        seed: of the order, from 0 to 2^32 - 1.

    Raises:
        ArgumentError: an argument outside its range.

    >>> train, test = split(2000, 1000, seed=42)
    """
    check_whole("count", count, 1, "give the number of instances")
    check_whole("test", test, 0, "use 0 for none")
    left = count - test
    if left < 0:
        raise ArgumentError("test", str(test), f"there are {count} instances", "leave some to learn from")
    train = left if train is None else train
    check_whole("train", train, 0, "use 0 for none")
    if train > left:
        raise ArgumentError("train", str(train), f"{left} of {count} instances are left", "leave it out for all of them")
    _check_seed(seed)
    order = torch.from_numpy(RandomState(seed).permutation(count))
    return order[test : test + train], order[:test]


def _random(count: int, features: int, degree: int, noise_width: float, seed: int) -> RandomState:
    check_whole("count", count, 1, "give the number of instances")
    check_whole("features", features, 1, "the usual number is 5")
    check_whole("degree", degree, 1, "use 1 for costs that are linear in the features")
    if degree > _LARGEST_DEGREE:
        rule = f"it must be at most {_LARGEST_DEGREE}, so that costs stay finite in float32"
        raise ArgumentError("degree", str(degree), rule, "the usual degrees are 1 to 8")
    check_finite("noise_width", noise_width, "use 0 for none")
    _check_noise("noise_width", noise_width)
    _check_seed(seed)
    return RandomState(seed)


def _check_noise(name: str, size: float) -> None:
    if size > _LARGEST_NOISE:
        rule = f"it must be at most {_LARGEST_NOISE:g}, so that costs stay finite in float32"
        raise ArgumentError(name, repr(size), rule, "the usual sizes are below 1")


def _check_seed(seed: int) -> None:
    check_whole("seed", seed, 0, "the usual one is 0")
    if seed >= 2**32:
        raise ArgumentError("seed", str(seed), "it must be below 2^32", "use 0 for instance")


def _raised(x: Array, loadings: NDArray[np.generic], degree: int) -> Array:
    """``(s + 3)^degree``, ``(N, entries)``."""
    sums: Array = x @ loadings.T / np.sqrt(x.shape[1])
    raised: Array = (sums + 3) ** degree
    return raised


def _narrow(costs: Array) -> Tensor:
    return torch.from_numpy(costs.astype(np.float32))
