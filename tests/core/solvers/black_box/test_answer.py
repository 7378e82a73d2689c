"""What functions of one instance give: solutions, and what is none, with the way out."""

import re
from collections import namedtuple

import networkx as nx
import numpy as np
import pytest
import scipy.sparse
import torch

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
ALONE = "it must give the solution alone; return entry {} alone, which has the shape (3,)"
OBJECT = "gave {}, which is no array of real numbers, for row 0; " + FORM
SHAPE = "for row 0 of shape (3,); it must give (*event) for (*event)"
REFUSED = {
    "mask and value": ((torch.tensor(MASK), 1.0), f"gave (Tensor, float) for row 0; {ALONE.format(1)}"),
    "value and mask": ((1.0, np.array(MASK)), f"gave (float, ndarray) for row 0; {ALONE.format(2)}"),
    "a named tuple": (Result(np.array(MASK), 1.0), f"gave (ndarray, float) for row 0; {ALONE.format(1)}"),
    "rows and columns": (
        (np.array([0, 1]), np.array([1, 0])),
        "gave (ndarray, ndarray) for row 0; it must give the solution alone; return one array of shape (3,)",
    ),
    "a list and a value": (
        (MASK, 1.0),
        f"{OBJECT.format('(list, float)')}; return entry 1 alone, which has the shape (3,)",
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
        SolveError, match=r"^function: gave \(ndarray, ndarray\) for row 0; it must give the solution alone;"
    ):
        gives((np.array([0, 1]), np.array([1, 0])), (2, 2))


def test_data_frames():
    pandas = pytest.importorskip("pandas")
    assert gives(pandas.Series(MASK)).tolist() == [MASK]
    with pytest.raises(SolveError, match=r"^function: gave shape \(3, 1\) for row 0 of shape \(3,\);"):
        gives(pandas.DataFrame(MASK))
