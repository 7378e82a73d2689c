"""SIMPLE: exact samples, and the exact covariance times the upstream gradient."""

import math
import re
from itertools import pairwise, product

import pytest
import torch

from draws import generator, gradient, normal
from imle_core.estimators import Simple, differentiable
from imle_core.exact import Hypercube, KSubset, family_of
from imle_core.solvers import AcyclicGridPath, ArgMax, GridPath, Knapsack, SpanningTree, TopK

EDGES = [(u, v) for v in range(4) for u in range(v)]


def is_tree(z):
    parts = list(range(4))
    for (u, v), chosen in zip(EDGES, z, strict=True):
        if chosen:
            parts = [parts[u] if part == parts[v] else part for part in parts]
    return sum(z) == 3 and len(set(parts)) == 1


def is_path(z):
    """Right and down steps, or both at once, in 3 rows of 3."""
    tiles = [divmod(i, 3) for i, chosen in enumerate(z) if chosen]
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(tiles)]
    return (
        bool(tiles) and (tiles[0], tiles[-1]) == ((0, 0), (2, 2)) and all(step in ((0, 1), (1, 0), (1, 1)) for step in steps)
    )


PROBLEMS = {
    "top-k": (TopK(2), (5,), lambda z: sum(z) == 2),
    "argmax": (ArgMax(), (2, 3), lambda z: sum(z[:3]) == sum(z[3:]) == 1),
    "path": (AcyclicGridPath(), (3, 3), is_path),
    "tree": (SpanningTree(EDGES), (6,), is_tree),
    "knapsack": (
        Knapsack([1, 2, 3, 4], 5),
        (4,),
        lambda z: sum(w * chosen for w, chosen in zip((1, 2, 3, 4), z, strict=True)) <= 5,
    ),
}


def moments(name, theta):
    """Mean ``(n,)`` and covariance ``(n, n)`` of ``p(z) ~ exp <z, theta>``, by brute force."""
    size = theta.numel()
    states = torch.tensor([z for z in product((0, 1), repeat=size) if PROBLEMS[name][2](z)], dtype=torch.float64)
    p = (states @ theta.flatten()).softmax(dim=0)
    mean = p @ states
    return mean, (states - mean).T @ ((states - mean) * p[:, None])


@pytest.mark.parametrize("name", PROBLEMS)
class TestAgainstEnumeration:
    @pytest.mark.slow
    @pytest.mark.parametrize("sense", ["max", "min"])
    @pytest.mark.parametrize("temperature", [1.0, 2.0])
    def test_the_gradient_is_the_covariance_times_the_mean_upstream_gradient_over_the_temperature(
        self, name, sense, temperature
    ):
        solver, event, _ = PROBLEMS[name]
        theta, dy = normal(3, *event), normal(3, 4, *event, seed=1)
        sign = 1 if sense == "max" else -1
        function, family = (solver, None) if sense == "max" else (lambda costs: solver(-costs), family_of(solver, event))
        layer = Simple(
            function, nb_samples=4, input_temperature=temperature, sense=sense, generator=generator(), family=family
        )
        result = gradient(layer, theta, dy)
        for b in range(3):
            _, covariance = moments(name, sign * theta[b] / temperature)
            expected = sign * covariance @ dy[b].mean(dim=0).flatten() / temperature
            torch.testing.assert_close(result[b].flatten(), expected)

    def test_samples_are_those_of_the_exact_distribution(self, name):
        solver, event, _ = PROBLEMS[name]
        theta, count = normal(1, *event), 10_000
        z = Simple(solver, nb_samples=count, input_temperature=0.8, generator=generator(1))(theta).flatten(1)
        mean, covariance = moments(name, theta / 0.8)
        error = (covariance.diagonal() / count).sqrt()
        assert ((z.mean(dim=0) - mean).abs() < 4.5 * error + 1e-9).all()
        assert ((z.T.cov() - covariance).abs() < 4.5 * 0.5 / math.sqrt(count)).all()  # |z z'| has a deviation below 1/2

    def test_at_temperature_zero_it_is_the_solver(self, name):
        solver, event, _ = PROBLEMS[name]
        theta = normal(3, *event)
        layer = Simple(solver, input_temperature=0.0)
        assert torch.equal(layer(theta), solver(theta))
        message = "input_noise_temperature: got 0; exact marginals need a temperature > 0; use 1 for a start"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            gradient(layer, theta, normal(3, *event))


def test_a_linear_loss_has_no_variance_and_no_solve_is_made():
    calls = []

    def solver(rows):
        calls.append(rows)
        return rows

    theta, dy = normal(2, 5), normal(5, seed=1)
    results = [
        gradient(
            Simple(solver, nb_samples=samples, reduction="mean", family=KSubset(2, 5), generator=generator(samples)),
            theta,
            dy.expand(2, 5),
        )
        for samples in (1, 7)
    ]
    torch.testing.assert_close(*results)
    assert calls == []


def test_a_family_of_one_s_own():
    theta, dy = normal(2, 3), normal(2, 3, seed=1)
    p = theta.sigmoid()
    result = gradient(Simple(lambda rows: rows > 0, family=Hypercube(3), generator=generator()), theta, dy)
    torch.testing.assert_close(result, p * (1 - p) * dy)


def test_a_number_of_ones_for_each_instance():
    """Instances of a batch have their own k, and fewer where fewer entries are open; each is as alone."""
    theta, k = normal(3, 6), [4, 1, 3]
    theta[0, :3] = -torch.inf
    layer = differentiable("simple", TopK(at_most=True), nb_samples=5, reduction="stacked", generator=generator())
    weights = normal(3, 5, 6)
    leaf = theta.clone().requires_grad_()
    z = layer(leaf, k=k)
    assert z.sum(dim=2).tolist() == [[3.0] * 5, [1.0] * 5, [3.0] * 5]
    (z * weights).sum().backward()
    for row, number in enumerate([3, 1, 3]):
        family = KSubset(number, 6)
        expected = family.expectation_gradient(theta[row : row + 1], weights[row].mean(dim=0))
        torch.testing.assert_close(leaf.grad[row : row + 1], expected.to(leaf.grad), rtol=1e-5, atol=1e-6)


def test_walls_are_never_sampled_and_get_no_gradient():
    theta = torch.tensor([[1.0, -torch.inf, 0.5, 0.0]], dtype=torch.float64)
    layer = Simple(TopK(2), nb_samples=50, generator=generator())
    assert layer(theta)[:, 1].sum() == 0
    result = gradient(layer, theta, torch.tensor([[1.0, 9.0, 0.0, 0.0]], dtype=torch.float64).expand(50, 4))
    assert result[0, 1] == 0
    assert result.abs().sum() > 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_types(dtype):
    theta = normal(2, 5).to(dtype).requires_grad_()
    z = Simple(TopK(2), nb_samples=3, generator=generator())(theta)
    z.sum(dim=0)[0].backward()
    assert (z.dtype, theta.grad.dtype) == (dtype, dtype)


@pytest.mark.parametrize("solver", [GridPath(), lambda rows: rows], ids=["path", "function"])
def test_solvers_whose_distribution_is_not_known_are_refused(solver):
    message = (
        f"function: got {solver!r}; SIMPLE needs exact marginals, which are known for TopK, ArgMax, AcyclicGridPath, "
        "SpanningTree and Knapsack; give its exact distribution as family=..."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        differentiable("simple", solver)
