"""Programs from files: equal to arrays and to what HiGHS wrote, packed, in other encodings, damaged, with a note."""

import bz2
import gzip
import lzma
import random
import re
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from imle_core.solvers import IntegerProgram, ProgramWarning

LP = """Minimize
 cost: 9 x - 5 y + z
Subject To
 most: x + 2 y + 3 z <= 4
 least: x + z >= 1
Bounds
 z <= 1.5
General
 x
Binary
 y
End
"""
MPS = """NAME T
ROWS
 N COST
 L RANGED
 E EVEN
COLUMNS
 M1 'MARKER' 'INTORG'
 x COST 1 RANGED 1
 x EVEN 1
 M2 'MARKER' 'INTEND'
 y COST 1 RANGED 1
 y EVEN 2
RHS
 RHS RANGED 4 EVEN 6
RANGES
 RNG RANGED 0.5
BOUNDS
 UP BND x 4
ENDATA
"""
THETA = torch.tensor([[1.0, 3.0, 1.0], [-1.0, 1.0, 2.0], [-3.0, -1.0, -1.0]])
TEXTS = {"program.lp": LP, "program.mps": MPS}


def written(folder, text, name="program.lp"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(path, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        IntegerProgram.from_file(path)


def test_lp(tmp_path, capfd):
    solver = IntegerProgram.from_file(str(written(tmp_path, LP)))
    arrays = IntegerProgram(A=[[1, 2, 3], [-1, 0, -1]], b=[4, -1], upper=[np.inf, 1, 1.5], integrality=[True, True, False])
    assert solver.names == ("x", "y", "z")
    assert torch.allclose(solver(THETA), arrays(THETA))
    assert capfd.readouterr() == ("", "")


def test_order(tmp_path):
    path = written(tmp_path, LP)
    solver = IntegerProgram.from_file(path, order=["z", "x", "y"], time_limit=60, gap=1e-9, incumbent=True)
    assert solver.names == ("z", "x", "y")
    assert (solver.time_limit, solver.gap, solver.incumbent) == (60, 1e-9, True)
    assert torch.allclose(solver(THETA[:, [2, 0, 1]]), IntegerProgram.from_file(path)(THETA)[:, [2, 0, 1]])


def test_mps_with_ranges_and_equations(tmp_path):
    solver = IntegerProgram.from_file(written(tmp_path, MPS, "program.MPS"))
    assert solver.names == ("x", "y")
    assert solver(torch.tensor([[1.0, 0.0], [-1.0, 0.0]])).tolist() == [[2, 2], [1, 2.5]]


def test_a_file_without_constraints(tmp_path):
    text = "Minimize\n cost: x + y\nSubject To\nBounds\n x <= 2\n y <= 3\nEnd\n"
    assert IntegerProgram.from_file(written(tmp_path, text))(torch.tensor([[1.0, -1.0]])).tolist() == [[2, 0]]


def test_two_sided_and_lazy_constraints_bind(tmp_path):
    text = "Minimize\n x\nSubject To\n a: 2 <= x + y <= 8\nLazy Constraints\n l: x <= 3\nBounds\n y <= 4\nEnd\n"
    solver = IntegerProgram.from_file(written(tmp_path, text))
    assert solver(torch.tensor([[1.0, 1.0], [-1.0, -1.0], [-1.0, 1.0]])).tolist()[::2] == [[3, 4], [0, 4]]
    assert solver(torch.tensor([[-1.0, -1.0]])).sum() == 2


@pytest.mark.slow
@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, bytes])
@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".GZ", ""])
@pytest.mark.parametrize("name", TEXTS)
def test_packed_files_are_known_by_their_first_bytes(tmp_path, name, ending, pack):
    path = tmp_path / (name + ending)
    path.write_bytes(pack(TEXTS[name].encode()))
    assert IntegerProgram.from_file(path).names == IntegerProgram.from_file(written(tmp_path, TEXTS[name], name)).names


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("name", TEXTS)
def test_names_in_other_encodings(tmp_path, name, encoding):
    path = tmp_path / name
    path.write_bytes(TEXTS[name].replace("x", "größe").encode(encoding))
    assert "größe" in IntegerProgram.from_file(path).names


class TestNotes:
    TEXT = "Maximize\n x + 0 y\nSubject To\n c: x <= 1\nBounds\n z <= 4\nGenerals\n w\nEnd\n"
    COLUMNS = MPS.replace("RHS\n RHS", " z\nRHS\n RHS")

    def test_a_variable_in_no_constraint_and_not_in_the_objective_is_left_out(self, tmp_path):
        path = written(tmp_path, self.TEXT)
        note = f"path: {path}: left out z, w, in no constraint and not in the objective; give an order to keep them"
        with pytest.warns(ProgramWarning, match=f"^{re.escape(note)}$") as caught:
            solver = IntegerProgram.from_file(path)
        assert (solver.names, caught[0].filename) == (("x", "y"), __file__)

    def test_an_order_keeps_it(self, tmp_path):
        solver = IntegerProgram.from_file(written(tmp_path, self.TEXT), order=["w", "x", "y", "z"])
        assert solver.names == ("w", "x", "y", "z")
        assert solver(torch.tensor([[-1.0, 1.0, -1.0, 1.0]])).tolist() == [[0, 1, 0, 4]]

    def test_an_order_may_keep_some(self, tmp_path):
        with pytest.warns(ProgramWarning, match="left out w, in"):
            assert IntegerProgram.from_file(written(tmp_path, self.TEXT), order=["z", "x", "y"]).entries == 3

    def test_a_column_without_entries(self, tmp_path):
        with pytest.warns(ProgramWarning, match="left out z, in"):
            assert IntegerProgram.from_file(written(tmp_path, self.COLUMNS, "p.mps")).names == ("x", "y")

    def test_nothing_is_left(self, tmp_path):
        path = written(tmp_path, "Minimize\nSubject To\nBounds\n z <= 4\nEnd\n")
        refused(
            path,
            f"path: {path}: no variable is in a constraint or in the objective; a program needs one; check that it is whole",
        )


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (["x", "y"], "order: got no z; every variable of {} needs a place; add what is missing"),
        (["x", "y", "z", "w"], "order: got 'w'; {} has no such variable; it has x, y, z"),
        (["x", "y", "z", "x"], "order: got 'x' more than once; each variable of {} has one place; name it once"),
    ],
)
def test_orders_that_are_none(tmp_path, monkeypatch, order, message):
    written(tmp_path, LP)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f"^{re.escape(message.format('program.lp'))}$"):
        IntegerProgram.from_file("program.lp", order=order)


BOMB = "it cannot be read (a line of 16 million letters, or 100 times the bytes of the file); check that the file is whole"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.txt",
            LP.encode(),
            "its name must end in .lp or .mps, or these and .gz, .bz2 or .xz; write the program as one of them",
        ),
        ("a.lp", None, "no such file; check the path"),
        (
            "a.lp",
            b"hello world",
            "line 1: got 'hello'; an LP file begins with Minimize or Maximize; check that it is in CPLEX's LP format",
        ),
        (
            "a.lp.gz",
            gzip.compress(LP.encode())[:-20],
            "it cannot be read (Compressed file ended before the end-of-stream marker was reached); "
            "check that the file is whole",
        ),
        (
            "a.lp",
            b"\xff\xfea",
            "it cannot be read ('utf-16-le' codec can't decode byte 0x61 in position 0: truncated data); "
            "check that the file is whole",
        ),
        ("a.mps.gz", (partial(gzip.compress, compresslevel=1), b"\n"), BOMB),
        ("a.lp.xz", (partial(lzma.compress, preset=0), b"x"), BOMB),
    ],
)
def test_files_that_are_no_program(tmp_path, name, content, message, capfd):
    path = tmp_path / name
    if isinstance(content, tuple):  # packed here: it takes longer than all that is done while tests are collected
        pack, letter = content
        content = pack(letter * 2**25)
    if content is not None:
        path.write_bytes(content)
    refused(path, f"path: {path}: {message}")
    assert capfd.readouterr() == ("", "")


def test_a_message_has_at_most_300_letters_and_the_name_of_the_file(tmp_path):
    folder = tmp_path / ("a" * 200) / ("b" * 200)
    folder.mkdir(parents=True)
    path = written(folder, LP.replace("General\n x", f"SOS\n {'s' * 4000}: S1:: x:1"))
    with pytest.raises(ValueError, match=r"b/program\.lp: it has special ordered sets \(line 9, s") as caught:
        IntegerProgram.from_file(path)
    assert len(str(caught.value)) == 300
    path = written(folder, LP.replace("x", "x" * 250))
    for order in (["y"], ["q" * 4000], ["y", "y"]):
        with pytest.raises(ValueError, match=r"program\.lp") as caught:
            IntegerProgram.from_file(path, order=order)
        assert len(str(caught.value)) <= 300


def random_model(generator):
    """A random program of highspy, with rows and bounds of all kinds."""
    highspy = pytest.importorskip("highspy")
    columns, count = int(generator.integers(1, 6)), int(generator.integers(0, 6))
    dense = generator.integers(-3, 4, (count, columns)) * generator.choice([0.5, 1.0, 1e-3, 1234.5], (count, columns))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, count
    model.col_cost_ = generator.integers(1, 4, columns).astype(float)

    def limits(size):
        low, high = np.sort(generator.integers(-4, 5, (2, size)).astype(float), axis=0)
        low[generator.random(size) < 0.3], high[generator.random(size) < 0.3] = -np.inf, np.inf
        return low, high

    model.row_lower_, model.row_upper_ = limits(count)
    model.col_lower_, model.col_upper_ = limits(columns)
    kinds = generator.integers(0, 2, columns)
    model.integrality_ = [highspy.HighsVarType(int(kind)) for kind in kinds]
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.concatenate([[0], (dense != 0).sum(1).cumsum()]).astype(np.int32)
    model.a_matrix_.index_, model.a_matrix_.value_ = np.nonzero(dense)[1].astype(np.int32), dense[dense != 0]
    return model, dense, kinds


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".lp", ".mps"])
def test_what_highs_writes_is_read_as_it_was(tmp_path, ending):
    pytest.importorskip("highspy")
    from highspy._core import _Highs

    generator, path = np.random.default_rng(0), tmp_path / f"model{ending}"
    for _ in range(60):
        model, dense, kinds = random_model(generator)
        writer = _Highs()
        writer.setOptionValue("output_flag", False)
        writer.passModel(model)
        writer.writeModel(str(path))
        low, high = np.array(model.col_lower_), np.array(model.col_upper_)
        solver = IntegerProgram.from_file(path, order=[f"c{i}" for i in range(len(low))])
        assert np.array_equal(solver._low, low)
        assert np.array_equal(solver._high, high)
        assert np.array_equal(solver._integral, kinds == 1)
        least, most = np.array(model.row_lower_), np.array(model.row_upper_)
        expected = {
            (*sign * row, limit)
            for row, *ends in zip(dense, least, most, strict=True)
            for sign, limit in zip((-1, 1), (-ends[0], ends[1]), strict=True)
            if limit < np.inf and (sign > 0 or ends[0] < ends[1])
        }
        found = {(*row, limit) for row, limit in zip(solver._rows.toarray(), solver._largest, strict=True)}
        assert {row for row in found if any(row[:-1])} == {row for row in expected if any(row[:-1])}


MUTANTS = [
    "-",
    "<=",
    ":",
    "inf",
    "1e400",
    "[",
    "]",
    "^ 2",
    "->",
    "free",
    "End",
    "ENDATA",
    "COLUMNS",
    "RHS",
    "BOUNDS",
    "é",
    "\0",
]
MUTANTS += [
    "ROWS",
    "SOS",
    "SC",
    "'MARKER'",
    "Subject To",
    "Bounds",
    "Binary",
    "\\",
    "*",
    "nan",
    "0",
    "x" * 3000,
    "\t",
    "\n",
    "=",
    "",
]


def mutated(text, generator):
    """A text of which some words or lines were lost, doubled, swapped or exchanged for words of the format."""
    for _ in range(generator.randint(1, 4)):
        parts = re.split(r"(\s+)" if generator.random() < 0.7 else r"(\n)", text)
        at, to = generator.randrange(len(parts)), generator.randrange(len(parts))
        kind = generator.randrange(5)
        if kind == 0:
            del parts[at]
        elif kind == 1:
            parts.insert(at, parts[to])
        elif kind == 2:
            parts[at], parts[to] = parts[to], parts[at]
        elif kind == 3:
            parts[at] = generator.choice(MUTANTS)
        else:
            del parts[max(at, len(parts) // 2) :]
        text = "".join(parts)
    return text


def expect_a_line(refusal, path):
    assert refusal.startswith(f"path: {path}: ")
    assert len(refusal) <= 300
    assert len(refusal.splitlines()) == 1


def read_or_refusal(path, bounded):
    with warnings.catch_warnings(), bounded():
        warnings.simplefilter("ignore", ProgramWarning)
        try:
            assert IntegerProgram.from_file(path).names
        except ValueError as error:
            return str(error)
    return None


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text"), TEXTS.items(), ids=TEXTS)
def test_whatever_happened_to_a_file_it_is_read_or_refused_by_name(tmp_path, monkeypatch, name, text, capfd, bounded):
    monkeypatch.chdir(tmp_path)  # a long path would be shortened
    generator, path, refusals = random.Random(0), Path(name), 0
    for _ in range(300):
        path.write_bytes(mutated(text, generator).encode(generator.choice(["utf-8", "latin-1"]), "replace"))
        refusal = read_or_refusal(path, bounded)
        if refusal is not None:
            refusals += 1
            expect_a_line(refusal, path)
    assert 150 < refusals < 300
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_whatever_happened_to_a_packed_file(tmp_path, monkeypatch, compress, bounded):
    monkeypatch.chdir(tmp_path)
    generator, path, content = random.Random(1), Path("program.mps.gz"), compress(MPS.encode())
    for number in range(200):
        damaged = bytearray(content if number % 2 else compress(mutated(MPS, generator).encode()))
        for at in (generator.randrange(len(damaged)) for _ in range(number % 2)):
            damaged[at] = generator.randrange(256)
        path.write_bytes(damaged[: generator.randrange(len(damaged)) if generator.random() < 0.2 else None])
        refusal = read_or_refusal(path, bounded)
        if refusal is not None:
            expect_a_line(refusal, path)
