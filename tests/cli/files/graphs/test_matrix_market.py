"""Matrices of Matrix Market as graphs, and what is wrong with files."""

import io
from pathlib import Path

import numpy as np
import pytest
from scipy.io import mmwrite
from scipy.sparse import coo_array, random_array

from imle_cli.files.graphs.matrix_market import read_matrix
from refusals import refused

HEAD = "%%MatrixMarket matrix coordinate "


def edges(found):
    return [(edge.source, edge.target, edge.directed, edge.data) for edge in found.edges]


def read(text):
    return read_matrix(Path("g.mtx"), text.encode())


def test_a_symmetric_matrix_has_edges_without_direction():
    found = read(HEAD + "real symmetric\n% a comment\n3 3 3\n2 1 1.5\n3 2 2\n3 3 4\n")
    assert edges(found) == [
        ("1", "2", False, {"weight": 1.5}),
        ("2", "3", False, {"weight": 2.0}),
        ("3", "3", False, {"weight": 4.0}),
    ]
    both = read(HEAD + "real general\n2 2 2\n1 2 5\n2 1 5\n")
    assert edges(both) == [("1", "2", False, {"weight": 5.0})]


def test_any_other_matrix_has_directed_edges():
    found = read(HEAD + "integer general\n3 3 3\n1 2 5\n2 1 7\n3 1 0\n")
    assert sorted(edges(found)) == [("1", "2", True, {"weight": 5.0}), ("2", "1", True, {"weight": 7.0})]
    assert list(found.nodes) == ["1", "2", "3"]


def test_a_pattern_has_no_weights():
    assert edges(read(HEAD + "pattern symmetric\n2 2 1\n2 1\n")) == [("1", "2", False, {})]


def test_an_array():
    assert edges(read("%%MatrixMarket matrix array real general\n2 2\n0\n0\n3\n0\n")) == [("1", "2", True, {"weight": 3.0})]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "cannot be read as Matrix Market ("),
        (HEAD + "real general\n2 2 2\n1 2 5\n", "cannot be read as Matrix Market ("),
        (HEAD + "real general\n2 3 1\n1 2 5\n", "holds 2 x 3 real numbers; edges need a square matrix of real ones"),
        (
            HEAD + "complex general\n2 2 1\n1 2 5 1\n",
            "holds 2 x 2 complex numbers; edges need a square matrix of real ones",
        ),
    ],
)
def test_files_that_are_wrong(text, message):
    assert refused("g.mtx", read, text).startswith(message)


@pytest.mark.parametrize("symmetry", ["general", "symmetric", "skew-symmetric"])
@pytest.mark.parametrize("dense", [True, False])
def test_what_scipy_writes(symmetry, dense):
    matrix = random_array((7, 7), density=0.6, rng=np.random.default_rng(0)).toarray()
    matrix = {"general": matrix, "symmetric": matrix + matrix.T, "skew-symmetric": matrix - matrix.T}[symmetry]
    file, read_back = io.BytesIO(), np.zeros((7, 7))
    mmwrite(file, matrix if dense else coo_array(matrix), symmetry=symmetry, precision=17)
    for source, target, directed, data in edges(read(file.getvalue().decode())):
        assert directed == (symmetry != "symmetric")
        read_back[int(source) - 1, int(target) - 1] = data["weight"]
        if not directed:
            read_back[int(target) - 1, int(source) - 1] = data["weight"]
    np.testing.assert_array_equal(read_back, matrix)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEAD + "real general\n3 3\n", "line 2 has no numbers of rows, columns and entries"),
        (HEAD + "real general\n999999 999999 1\n1 2 3\n", "line 2 speaks of 999999 rows"),
        (HEAD + "real general\n3 3 2\n1 2 3\n", "it has 1 entries, and line 2 says 2"),
        (HEAD + "real general\n3 3 1\n1 4 3\n", "line 3 is '1 4 3', no entry of 3 rows and columns"),
        (HEAD + "real general\n3 3 1\n1 2 x\n", "line 3 is '1 2 x', no entry of 3 rows and columns"),
        (HEAD + "pattern general\n3 3 1\n1 2 5\n", "line 3 is '1 2 5', no entry of 3 rows and columns"),
        ("%%MatrixMarket matrix array real general\n2 2\n1 2 x", "line 3 has 'x', which is no number"),
        ("%%MatrixMarket matrix array real general\n2 2\n1 2 3", "numbers are missing at its end"),
        ("%%MatrixMarket matrix array real general\n2 2\n1 2 3 4 5", "line 3 has more numbers than a matrix of 2 rows"),
    ],
)
def test_what_a_damaged_file_is_told(text, reason):
    message = f"cannot be read as Matrix Market ({reason}); save it again, with networkx for instance"
    assert refused("g.mtx", read, text) == message
