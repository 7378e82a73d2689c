"""What functions of one instance give: solutions, and what is none, with the way out."""

import re
from collections import namedtuple

import networkx as nx
import numpy as np
import pytest
import scipy.sparse
import torch

from imle_core import KnownTargetDistribution, imle
from imle_core.solvers import BlackBox, SolveError

MASK = [1.0, 0.0, 1.0]
Result = namedtuple("Result", "mask value")


def gives(value, shape=(3,), **settings):
    return BlackBox(lambda _: value, **settings)(torch.zeros(1, *shape))


class WithArray:
    """An array of another library."""

    def __array__(self, dtype=None, copy=None):
        return np.array(MASK, dtype)


SOLUTIONS = {
    "tensor": torch.tensor(MASK),
    "a tensor with gradients": torch.tensor(MASK, requires_grad=True),
    "bfloat16": torch.tensor(MASK, dtype=torch.bfloat16),
    "float8": torch.tensor(MASK).to(torch.float8_e5m2),
    "bool": torch.tensor(MASK) > 0,
    "whole numbers": torch.tensor(MASK).long(),
    "a lazy sign": torch.tensor([-1j, 0j, -1j]).conj().imag,
    "array": np.array(MASK),
    "tuple": tuple(MASK),
    "list of tensors": list(torch.tensor(MASK)),
    "list of NumPy's numbers": list(np.array(MASK)),
    "long double": np.array(MASK, np.longdouble),
    "something like an array": WithArray(),
    "unmasked": np.ma.masked_array(MASK),
}


@pytest.mark.parametrize("value", SOLUTIONS.values(), ids=SOLUTIONS)
def test_solutions(value):
    assert gives(value).tolist() == [MASK]


def test_solutions_of_other_shapes():
    assert gives(True, ()).tolist() == [1]
    assert gives(((1, 0), (0, 1)), (2, 2)).tolist() == [[[1, 0], [0, 1]]]
    assert gives(range(3)).tolist() == [[0, 1, 2]]


def test_inference_mode_inside():
    @torch.inference_mode()
    def best(theta):
        return (theta > 0).float()

    theta = torch.tensor([[1.0, -1.0]], requires_grad=True)
    for executor in ("serial", "threads"):
        z = BlackBox(best, executor=executor, jobs=2)(theta)
        assert (z.tolist(), z.is_inference()) == ([[1, 0]], False)


FORM = "it must give numbers, (*event) for (*event)"
FIRST = "it must give the solution first; return entry {} first, which has the shape (3,)"
OBJECT = "gave {}, which is no array of real numbers, for row 0; " + FORM
SHAPE = "for row 0 of shape (3,); it must give (*event) for (*event)"
REFUSED = {
    "value and mask": ((1.0, np.array(MASK)), f"gave (float, ndarray) for row 0; {FIRST.format(2)}"),
    "a list of mask and value": (
        [np.array(MASK), 1.0],
        f"{OBJECT.format('list')}; return (z, *others), a tuple, whose first entry is the solution",
    ),
    "a tuple of a mask": ((np.array(MASK),), "gave (ndarray) for row 0; it must give the solution first; return it alone"),
    "rows and columns": (
        (np.array([0, 1]), np.array([1, 0])),
        "gave (ndarray, ndarray) for row 0; it must give the solution first; return one array of shape (3,)",
    ),
    "a value and a list": (
        (1.0, MASK),
        f"{OBJECT.format('(float, list)')}; return entry 2 first, which has the shape (3,)",
    ),
    "ragged": ([[1], [1, 0]], f"{OBJECT.format('list')}; return one array of shape (3,)"),
    "tensors with gradients": (
        list(torch.tensor(MASK, requires_grad=True)),
        f"{OBJECT.format('list')}; use torch.stack",
    ),
    "dictionary": ({0: 1}, f"{OBJECT.format('dict')}; return an array, tensor or list"),
    "set": ({1, 2, 3}, f"{OBJECT.format('set')}; return an array, tensor or list"),
    "string": ("101", f"{OBJECT.format('str')}; return an array, tensor or list"),
    "None": (None, f"{OBJECT.format('NoneType')}; end it with a return"),
    "generator": ((x for x in MASK), f"{OBJECT.format('generator')}; give a list of what it yields"),
    "graph": (nx.path_graph(3), f"{OBJECT.format('Graph')}; return an array, tensor or list"),
    "objects": (np.array(MASK, object), f"{OBJECT.format('ndarray of object')}; return an array, tensor or list"),
    "sparse array": (scipy.sparse.csr_array([MASK]), f"{OBJECT.format('csr_array')}; use .toarray()"),
    "sparse tensor": (torch.tensor(MASK).to_sparse(), f"gave a sparse Tensor for row 0; {FORM}; use .to_dense()"),
    "complex tensor": (
        torch.tensor(MASK) * 1j,
        f"gave a tensor of torch.complex64 for row 0; {FORM}; use a dense tensor of real ones",
    ),
    "complex array": (
        np.array(MASK) * 1j,
        f"{OBJECT.format('ndarray of complex128')}; return an array, tensor or list",
    ),
    "meta": (
        torch.zeros(3, device="meta"),
        f"gave a tensor without numbers for row 0; {FORM}; use a dense tensor of real ones",
    ),
    "masked": (
        np.ma.masked_array(MASK, [1, 0, 0]),
        f"gave a masked array for row 0; {FORM}; fill it, with .filled(0) for instance",
    ),
    "number": (1.0, f"gave shape () {SHAPE}; give the solution, not its value"),
    "number as a tensor": (torch.tensor(1.0), f"gave shape () {SHAPE}; give the solution, not its value"),
    "batch": ([MASK], f"gave shape (1, 3) {SHAPE}; leave out a batch axis"),
    "column": (torch.tensor(MASK)[:, None], f"gave shape (3, 1) {SHAPE}; use .reshape(theta.shape)"),
    "indices": (
        [0, 2],
        f"gave shape (2,) {SHAPE}; if these are indices, give zeros with ones there, as at the edges of a tour",
    ),
    "too long": ([0.0] * 7, f"gave shape (7,) {SHAPE}; look at its axes"),
    "NaN": ([np.nan, 0, 0], "gave NaN for row 0; a solution has numbers; look at .theta of this error"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_none(case):
    value, message = REFUSED[case]
    with pytest.raises(SolveError, match=f"^{re.escape(f'function: {message}')}$") as caught:
        gives(value)
    assert len(str(caught.value)) <= 300


def test_indices_of_a_square_are_no_solution():
    """NumPy would make a matrix of rows and columns, which for two by two has the right shape."""
    with pytest.raises(
        SolveError, match=r"^function: gave \(ndarray, ndarray\) for row 0; it must give the solution first;"
    ):
        gives((np.array([0, 1]), np.array([1, 0])), (2, 2))


def test_data_frames():
    pandas = pytest.importorskip("pandas")
    assert gives(pandas.Series(MASK)).tolist() == [MASK]
    with pytest.raises(SolveError, match=r"^function: gave shape \(3, 1\) for row 0 of shape \(3,\);"):
        gives(pandas.DataFrame(MASK))


FURTHER = {
    "mask and value": (torch.tensor(MASK), 1.5),
    "a named tuple": Result(np.array(MASK), 1.5),
    "a list and a value": (MASK, 1.5),
}


class TestFurtherOutputs:
    @pytest.mark.parametrize("value", FURTHER.values(), ids=FURTHER)
    def test_they_are_a_list_with_an_entry_for_each_row(self, value):
        z, others = BlackBox(lambda _: value, repeats=False)(torch.zeros(2, 3))
        assert (z.tolist(), others) == ([MASK, MASK], [1.5, 1.5])

    def test_a_tuple_of_the_solutions_rows_has_none(self):
        assert gives(([1.0, 0.0], [0.0, 1.0]), (2, 2)).tolist() == [[[1, 0], [0, 1]]]

    @pytest.mark.parametrize("executor", ["serial", "threads"])
    def test_repeated_rows_and_rows_known_from_before_have_theirs(self, executor):
        calls = []

        def counted(theta):
            calls.append(theta)
            return theta > 0, theta.argmax(), "row"

        solver = BlackBox(counted, executor=executor, jobs=2, cache=8)
        theta = torch.tensor([[1.0, 2.0], [3.0, 2.0], [1.0, 2.0]])
        for rows in (theta, theta.flip(0)):
            z, best, names = solver(rows)
            assert torch.equal(z, torch.ones(3, 2))
            assert [int(number) for number in best] == rows.argmax(dim=1).tolist()
            assert names == ["row"] * 3
            best[0].fill_(7)  # which is nobody else's
        assert len(calls) == 2

    def test_no_rows_have_none_once_it_is_known_how_many_there_are(self):
        solver = BlackBox(lambda theta: (theta > 0, 1, 2))
        solver(torch.zeros(1, 2))
        z, *others = solver(torch.zeros(0, 2))
        assert (z.shape, others) == ((0, 2), [[], []])

    def test_buffers_are_copied_row_by_row(self):
        buffer = torch.zeros(2)
        solver = BlackBox(lambda theta: (buffer.copy_(theta), buffer))
        z, others = solver(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        assert torch.equal(torch.stack(others), z)

    def test_another_number_of_them_is_refused(self):
        solver = BlackBox(lambda theta: (theta, 1) if theta[0] > 0 else (theta, 1, 2))
        message = r"^function: gave 2 further outputs, where row 0 has 1, for row 1; it must give as many for every row;"
        with pytest.raises(SolveError, match=message):
            solver(torch.tensor([[1.0], [-1.0]]))
        with pytest.raises(SolveError, match=r"gave 0 further outputs, where row 0 has 1, for row 1;"):
            BlackBox(lambda theta: (theta, 1) if theta[0] > 0 else theta)(torch.tensor([[1.0], [-1.0]]))


class TestStructures:
    @pytest.mark.parametrize("arrays", [False, True])
    def test_a_function_gets_and_gives_those_of_one_instance(self, arrays):
        calls = []

        def best(theta):
            calls.append(theta)
            assert isinstance(theta["edges"], np.ndarray if arrays else torch.Tensor)
            return {"edges": theta["edges"] > 0, "nodes": theta["nodes"] == theta["nodes"].max()}, "words"

        solver = BlackBox(best, arrays=arrays)
        theta = {"nodes": torch.tensor([[1.0, 2.0], [3.0, 0.0]]), "edges": torch.tensor([[[1.0], [-1.0]], [[2.0], [3.0]]])}
        for _ in range(2):
            z, words = solver(theta)
            assert (z["nodes"].tolist(), words) == ([[0, 1], [1, 0]], ["words", "words"])
            assert z["edges"].tolist() == [[[1], [0]], [[1], [1]]]
        assert calls[0]["edges"].shape == (2, 1)
        assert (solver.rows, solver.solved) == (4, 4)
        layer = imle(solver, KnownTargetDistribution(theta))
        leaves = {name: value.requires_grad_() for name, value in theta.items()}
        z, _ = layer(leaves)
        z["nodes"].sum().backward()
        assert not leaves["nodes"].grad.any()
        assert solver.solved == 6  # what the forward pass solved is known in the backward pass

    def test_other_shapes_do_not_mix(self):
        solver = BlackBox(lambda theta: theta, cache=9)
        for sizes in ((2, 3), (3, 2), (2, 3)):
            z = solver(tuple(torch.ones(1, size) for size in sizes))
            assert [value.shape[1] for value in z] == list(sizes)

    def test_what_is_none(self):
        cases = {
            "gave Tensor for row 0; it must have the structure of theta, a tuple of 2; give a solution for each": lambda t: (
                t[0]
            ),
            "gave shape (1,) at [1] for row 0 of shape (3,); it must give (*event) for (*event)": lambda t: (t[0], t[1][:1]),
            "gave NaN at [0] for row 0; a solution has numbers": lambda t: (t[0] * torch.nan, t[1]),
        }
        for message, function in cases.items():
            with pytest.raises(SolveError, match=f"^{re.escape(f'function: {message}')}"):
                BlackBox(function)((torch.ones(1, 2), torch.ones(1, 3)))
