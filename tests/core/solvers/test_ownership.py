"""What solvers declare, and that it is true: solutions share memory with nothing, and inputs stay as they are."""

import pytest
import torch

from imle_core.contracts import Known, declared, is_pure
from imle_core.solvers import BlackBox, GridPath

TYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
ENGINES = ["compiled", "torch", "networkx"]


def costs(shape, seed=0, dtype=torch.float32):
    return -torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def storage(tensor):
    return tensor.untyped_storage().data_ptr()


def check_ownership(solve, theta, *others):
    """Two calls: the input stays as it is, and what they give is writable, and independent of it and of one another."""
    given = [tensor.clone() for tensor in (theta, *others)]
    first, second = solve(theta), solve(theta)
    assert torch.equal(first, second)
    assert len({storage(tensor) for tensor in (first, second, theta, *others)}) == 3 + len(others)
    kept = first.clone()
    second.fill_(7.0)
    solve(theta * 2 - 1)
    assert torch.equal(first, kept)
    first.fill_(9.0)
    assert torch.equal(solve(theta), kept)
    assert all(map(torch.equal, (theta, *others), given))


def test_each_says_that_it_is_pure_and_maximises(solver_and_shape):
    solver, _ = solver_and_shape
    assert is_pure(solver)
    assert declared(solver, "sense") == (None if isinstance(solver, BlackBox) else "max")


@pytest.mark.slow
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_solutions_belong_to_the_caller(solver_and_shape, dtype):
    solver, shape = solver_and_shape
    check_ownership(solver, costs(shape, dtype=dtype))


@pytest.mark.slow
def test_solutions_of_strided_input_belong_to_the_caller(solver_and_shape):
    solver, shape = solver_and_shape
    check_ownership(solver, costs((*shape[:-2], shape[-1], shape[-2])).transpose(-1, -2))
    check_ownership(solver, costs((1, *shape[1:])).expand(shape))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("with_noise", [True, False])
def test_perturbed_solutions_belong_to_the_caller(engine, dtype, with_noise):
    solver, shape = GridPath(engine=engine), (2, 3, 5, 5)
    theta = costs((2, 1, 5, 5) if with_noise else shape, dtype=dtype)
    eps = costs(shape, 1, dtype) if with_noise else None
    check_ownership(lambda theta: solver.perturb_and_map(theta, eps, 0.5), theta, *([eps] if with_noise else []))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_what_was_known_is_given_as_a_copy(engine, dtype):
    solver, theta, eps = GridPath(engine=engine), costs((2, 1, 5, 5), dtype=dtype), costs((2, 3, 5, 5), 1, dtype)
    z = solver.perturb_and_map(theta, eps, 0.5)
    known = Known(theta, 0.5, z)
    check_ownership(lambda theta: solver.perturb_and_map(theta, eps, 0.5, known), theta, eps, z)
    assert engine != "compiled" or dtype not in (torch.float32, torch.float64) or solver.kept
