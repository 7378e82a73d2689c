"""One table of types for all solvers: numbers are read exactly or refused, with the same words everywhere."""

import numpy as np
import pytest
import torch
from torch._subclasses import FakeTensorMode

from imle_core.solvers import BlackBox, GridPath, IntegerProgram, Knapsack, Ranking, ShortestPath, SpanningTree, TopK
from imle_core.solvers.rows import as_rows, numbers, shrunk

IN_FLOAT32 = ["float16", "bfloat16", "int8", "uint8", "int16", "bool", "float32"]
IN_FLOAT32 += ["float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"]
IN_FLOAT64 = ["int32", "uint16", "uint32", "int64", "uint64", "float64"]
UNSIGNED = ("bool", "uint8", "uint16", "uint32", "uint64")
REFUSED = {
    "an array": (lambda theta: theta.numpy(), "ndarray", "use torch.as_tensor"),
    "a list": (lambda theta: theta.tolist(), "list", "use torch.as_tensor"),
    "nothing": (lambda _: None, "NoneType", "use torch.as_tensor"),
    "complex": (lambda theta: theta.to(torch.complex64), "torch.complex64", "use .real or .abs()"),
    "complex double": (lambda theta: theta.to(torch.complex128), "torch.complex128", "use .real or .abs()"),
    "sparse": (lambda theta: theta.to_sparse(), "a tensor of layout torch.sparse_coo", "use .to_dense()"),
    "sparse rows": (
        lambda theta: theta.flatten(1).to_sparse_csr(),
        "a tensor of layout torch.sparse_csr",
        "use .to_dense()",
    ),
    "mkldnn": (lambda theta: theta.to_mkldnn(), "a tensor of layout torch._mkldnn", "use .to_dense()"),
    "nested": (lambda theta: torch.nested.nested_tensor([*theta]), "a nested tensor", "use torch.nested.to_padded_tensor"),
    "jagged": (
        lambda theta: torch.nested.nested_tensor([*theta], layout=torch.jagged),
        "a nested tensor",
        "use torch.nested.to_padded_tensor",
    ),
    "quantised": (
        lambda theta: torch.quantize_per_tensor(theta, 1.0, 0, torch.qint8),
        "a quantised tensor (torch.qint8)",
        "use .dequantize()",
    ),
    "meta": (lambda theta: theta.to("meta"), "a tensor without numbers of its own", "call solvers outside of tracing, "),
    "fake": (
        lambda theta: FakeTensorMode().from_tensor(theta),
        "a tensor without numbers of its own",
        "call solvers outside",
    ),
}
if hasattr(torch, "float8_e8m0fnu"):  # which has no 0
    REFUSED["scales"] = (lambda theta: theta.to(torch.float8_e8m0fnu), "torch.float8_e8m0fnu", "use .float()")


def entries(shape, dtype):
    """Numbers that every type holds; none is positive where the type has a sign."""
    values = torch.arange(int(np.prod(shape))).reshape(shape) * 5 % 8
    return values.ne(0) if dtype == "bool" else values.mul(1 if dtype in UNSIGNED else -1).to(getattr(torch, dtype))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", IN_FLOAT32 + IN_FLOAT64)
def test_every_solver_reads_every_type_as_it_reads_float64(solver_and_shape, dtype):
    solver, shape = solver_and_shape
    if isinstance(solver, Ranking) and dtype == "bool":
        pytest.skip("True and False are no four ranks")
    theta = entries(shape, dtype)
    if getattr(solver, "floor", 0) is None and dtype in UNSIGNED:
        theta = torch.zeros_like(theta)  # since without a floor no cost may be negative
    z = solver(theta)
    assert (z.dtype, z.shape) == (theta.dtype, theta.shape)
    assert torch.equal(z.to(torch.float64), solver(theta.to(torch.float64)))
    assert solver(theta[:0]).shape == (0, *theta.shape[1:])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")  # torch's own, about its older kinds of tensors
@pytest.mark.parametrize("kind", REFUSED)
def test_every_solver_refuses_the_rest_in_the_same_words(solver_and_shape, kind):
    solver, shape = solver_and_shape
    make, got, remedy = REFUSED[kind]
    with pytest.raises(TypeError) as error:
        solver(make(-torch.rand(shape)))
    assert str(error.value).startswith(f"theta: got {got}; it must be a dense tensor of real numbers; {remedy}")
    assert len(str(error.value)) < 300
    assert "\n" not in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 2**62 + 1, 2**63 - 1, -(2**63) + 1])
def test_every_solver_refuses_integers_that_float64_rounds(solver_and_shape, number):
    solver, shape = solver_and_shape
    theta = torch.zeros(shape, dtype=torch.int64)
    theta[-1, -1] = number
    with pytest.raises(ValueError, match=f"^theta: got {number} in int64; float64, in which solvers reckon, must hold each"):
        solver(theta)


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**53 + 2, 2**62, -(2**63), 2**63 - 2**10])
def test_integers_that_float64_holds_are_read(number):
    assert as_rows(torch.tensor([[number]])).tolist() == [[number]]


def test_unsigned_integers_have_their_own_end():
    for number in (2**63, 2**64 - 2**11):
        assert as_rows(torch.from_numpy(np.array([[number]], np.uint64))).tolist() == [[number]]
    for number in (2**63 + 1, 2**64 - 1, 2**53 + 1):
        with pytest.raises(ValueError, match=f"got {number} in uint64"):
            numbers(torch.from_numpy(np.array([[number]], np.uint64)))


@pytest.mark.parametrize("kind", ["int32", "uint32", "int64", "uint64"])
def test_neighbours_above_2_to_the_24_are_told_apart(kind):
    high, dtype = 2**24, getattr(torch, kind)
    theta = torch.tensor([[high, high + 1, high]]).to(dtype)
    assert Knapsack([1, 1, 1], 1)(theta).tolist() == TopK(1)(theta).tolist() == [[0, 1, 0]]
    assert Ranking()(theta).tolist() == [[2, 3, 1]]
    assert SpanningTree([(0, 1), (1, 2), (0, 2)])(theta[:, [0, 2, 1]]).tolist() == [[1, 0, 1]]
    assert IntegerProgram(A=[[1, 1, 1]], b=[1])(theta).tolist() == [[0, 1, 0]]
    if dtype.is_signed:
        costs = torch.tensor([[[0, -high, 0], [-high - 1, 0, 0], [0, 0, 0]]]).to(dtype)
        for engine in ("compiled", "torch", "networkx"):
            path = GridPath(moves=4, goal=(1, 1), engine=engine)
            assert path(costs)[0].tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
            assert path.perturb_and_map(costs[:, None], None, 0.0)[0, 0].tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
        path = ShortestPath([("a", "b"), ("b", "d"), ("a", "c"), ("c", "d")], "a", "d", floor=0.0)
        assert path(torch.tensor([[-high - 1, 0, -high, 0]]).to(dtype)).tolist() == [[0, 0, 1, 1]]


def test_a_function_of_an_instance_sees_the_exact_numbers():
    theta, seen = torch.tensor([[2**24 + 1, 2**24], [-(2**53), 2**53 - 1]]), []
    BlackBox(lambda row: (seen.append(row.tolist()), row > 0)[1])(theta)
    assert seen == theta.tolist()


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool])
def test_solutions_that_an_integer_type_does_not_hold_are_refused(dtype):
    theta = torch.ones(2, 3).to(dtype)
    with pytest.raises(
        RuntimeError, match=r"^function: gave 0\.5 for row 0, which theta's torch\.\w+ does not hold; use th"
    ):
        BlackBox(lambda row: row / 2)(theta)
    assert BlackBox(lambda row: row)(theta).tolist() == theta.tolist()


def test_solutions_that_overflow_theta_s_type_are_refused_and_infinite_ones_are_not():
    with pytest.raises(RuntimeError, match=r"^function: gave 70000 for row 1, which theta's torch\.float16 does not hold"):
        BlackBox(lambda row: 7e4 * (row > 1))(torch.tensor([[0.0], [2.0]], dtype=torch.float16))
    assert BlackBox(lambda row: row * torch.inf)(torch.ones(1, 1, dtype=torch.float16)).tolist() == [[torch.inf]]


@pytest.mark.parametrize(("dtype", "most"), [(torch.bool, 1), (torch.int8, 127), (torch.uint8, 255)])
def test_ranks_stay_within_an_integer_type(dtype, most):
    assert Ranking()(torch.ones(1, most).to(dtype)).tolist() == [list(range(most, 0, -1))]
    with pytest.raises(ValueError, match=rf"got {most + 1} scores in {dtype}; it counts exactly to {most}; use theta"):
        Ranking()(torch.ones(1, most + 1).to(dtype))


@pytest.mark.parametrize("transform", [torch.func.functionalize, lambda solve: torch.func.grad(lambda x: solve(x).sum())])
@pytest.mark.parametrize("solver", [TopK(1), GridPath(), Knapsack([[1, 1], [1, 1]], 1)], ids=repr)
def test_wrapped_tensors_have_no_memory_to_read(solver, transform):
    with pytest.raises(TypeError, match=r"^theta: got a tensor without numbers of its own; it must be a dense tensor"):
        transform(solver)(torch.ones(1, 2, 2))


def test_noise_is_named_where_it_is_refused():
    theta = -torch.ones(1, 1, 2, 2)
    with pytest.raises(TypeError, match=r"^eps: got torch\.complex64; it must be a dense tensor of real numbers; use"):
        GridPath().perturb_and_map(theta, torch.ones(1, 2, 2, 2, dtype=torch.complex64), 1.0)
    with pytest.raises(TypeError, match=r"^theta: got list; it must be a dense tensor"):
        GridPath().perturb_and_map(theta.tolist(), None, 1.0)


def test_floats_are_not_copied_and_lazy_signs_are_resolved():
    theta = torch.rand(2, 3)
    assert numbers(theta.requires_grad_()).data_ptr() == theta.data_ptr()
    assert not numbers(theta).requires_grad
    imaginary = torch.tensor([[1 + 2j]]).conj().imag
    assert imaginary.is_neg()
    assert as_rows(imaginary).tolist() == [[-2.0]]


def test_rows_with_huge_entries_are_shrunk_exactly():
    rows = np.array([[1e308, -np.inf, 3.0], [2e-300, -1.0, 5.0]])
    assert np.array_equal(shrunk(rows), rows * [[2.0**-100], [1.0]])
    assert np.shares_memory(shrunk(rows[1:]), rows)
    narrow = np.array([[3e38, 1.0]], np.float32)
    assert shrunk(narrow) is narrow
