"""LP format: files as solvers and modelling languages write them, every form of a constraint, and what is refused."""

import math
import re

import numpy as np
import pytest

from imle_core.solvers.integer_program.linear_model import FormatError
from imle_core.solvers.integer_program.lp_format import read_lp

INF = math.inf
HEAD = "Maximize\n obj: x + y\nSubject To\n"


def read(text):
    """Names, dense rows with limits, bounds and integer variables."""
    program = read_lp(text.splitlines(keepends=True)).arrays()
    return (
        program.names,
        [
            (*limits, row)
            for *limits, row in zip(program.row_lower, program.row_upper, program.rows.toarray().tolist(), strict=True)
        ],
        list(zip(program.lower, program.upper, strict=True)),
        [name for name, whole in zip(program.names, program.integral, strict=True) if whole],
    )


def rows(text):
    return [(least, most, *row) for least, most, row in read(HEAD + text + "\nEnd\n")[1]]


def bounds(text):
    return read(HEAD + " c: x + y <= 9\nBounds\n" + text + "\nEnd\n")[2]


GUROBI = """\\ Model assignment
\\ LP format - for model browsing. Use MPS format to capture full model detail.
Maximize
  3 x[0,1] + 2 x[0,2] + 0 y[a-b] + 5 Constant
Subject To
 R0: x[0,1] + x[0,2] <= 1
 cover[a,1]: - x[0,1] + 2.5 y[a-b] + Rgcover = 4
 lazy: y[a-b] >= -1e+30
Bounds
 y[a-b] free
 -infinity <= x[0,2] <= 7
 Rgcover <= 3
 Constant = 1
Binaries
 x[0,1]
Generals
 x[0,2]
End
"""
CPLEX = """\\ENCODING=ISO-8859-1
\\Problem name: ilog.cplex

Minimize
 obj1: 2 x1 + 3 x2
       - x3
Subject To
 c1: x1 + x2
     + x3 >= 2
 c2:  -2 <= x1 - x3 <= 8
 c#3: x2 - 3 x3  = 0.5
Lazy Constraints
 l1: x1 + x3 <= 6
User Cuts
 u1: x1 <= 5.5
Bounds
      x1 >= 1
 -1 <= x2 <= 4
      x3 Free
Generals
 x1  x2
End
"""
HIGHS = """\\ File written by HiGHS .lp file handler
min
 obj:
st
 r1: +1 c0 +3 c1 -1 c2 >= -2
 r2: +1 c0 +1 c1 <= +4
 r3lo: >= -1
bounds
 -2 <= c0 <= 5
 c1 <= 1
 -inf <= c2 <= 9
bin
 c1
gen
 c2
semi
end
"""
SCIP = """\\ SCIP STATISTICS
\\   Problem name     : m
Minimize
 Obj: +1 x +2.5 y
Subject to
 c1: +1 x +1 y >= +1
 c2_rhs: +1 x -1 y <= +3
Bounds
 0 <= x <= +inf
 -5 <= y <= 5
Generals
 x
End
"""
PULP = """\\* The_Whiskas_Problem *\\
Minimize
OBJ: 0.013 Beef + 0.008 Chicken_%_
Subject To
Total: Beef + Chicken_%_ = 100
_C1: Beef >= 8
Bounds
-inf <= Beef <= 40
Chicken_%_ free
Generals
Beef
End
"""
PYOMO = """\\* Source Pyomo model name=unknown *\\

min
cost:
+1 x(1)
+2 x(2)

s.t.

c_e_sum_:
+1 x(1)
+1 x(2)
= 1

r_l_span_:
+1 x(1)
-1 x(2)
>= -0.5

bounds
   0 <= x(1) <= +inf
   -inf <= x(2) <= 4.0
general
  x(1)
end
"""
WRITTEN = {
    "gurobi": (
        GUROBI,
        ["x[0,1]", "x[0,2]", "y[a-b]", "Constant", "Rgcover"],
        [(-INF, 1, [1, 1, 0, 0, 0]), (4, 4, [-1, 0, 2.5, 0, 1]), (-INF, INF, [0, 0, 1, 0, 0])],
        [(0, 1), (-INF, 7), (-INF, INF), (1, 1), (0, 3)],
        ["x[0,1]", "x[0,2]"],
    ),
    "cplex": (
        CPLEX,
        ["x1", "x2", "x3"],
        [(2, INF, [1, 1, 1]), (-2, 8, [1, 0, -1]), (0.5, 0.5, [0, 1, -3]), (-INF, 6, [1, 0, 1]), (-INF, 5.5, [1, 0, 0])],
        [(1, INF), (-1, 4), (-INF, INF)],
        ["x1", "x2"],
    ),
    "highs": (
        HIGHS,
        ["c0", "c1", "c2"],
        [(-2, INF, [1, 3, -1]), (-INF, 4, [1, 1, 0]), (-INF, 1, [0, 0, 0])],
        [(-2, 5), (0, 1), (-INF, 9)],
        ["c1", "c2"],
    ),
    "scip": (SCIP, ["x", "y"], [(1, INF, [1, 1]), (-INF, 3, [1, -1])], [(0, INF), (-5, 5)], ["x"]),
    "pulp": (
        PULP,
        ["Beef", "Chicken_%_"],
        [(100, 100, [1, 1]), (8, INF, [1, 0])],
        [(-INF, 40), (-INF, INF)],
        ["Beef"],
    ),
    "pyomo": (
        PYOMO,
        ["x(1)", "x(2)"],
        [(1, 1, [1, 1]), (-0.5, INF, [1, -1])],
        [(0, INF), (-INF, 4)],
        ["x(1)"],
    ),
}


@pytest.mark.parametrize(("text", "names", "constraints", "limits", "integers"), WRITTEN.values(), ids=WRITTEN)
def test_files_as_they_are_written(text, names, constraints, limits, integers):
    assert read(text) == (names, constraints, limits, integers)
    assert read(text.replace("\n", " \r\n")) == (names, constraints, limits, integers)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("c: x + y <= 10", [(-INF, 10, 1, 1)]),
        ("x + y < 10", [(-INF, 10, 1, 1)]),
        ("x + y =< 10\n x - y => 1", [(-INF, 10, 1, 1), (1, INF, 1, -1)]),
        ("3x+2y<=4\n-x>=-2", [(-INF, 4, 3, 2), (-2, INF, -1, 0)]),
        ("c: x <-5", [(-INF, -5, 1, 0)]),
        ("c: 2 * x + y = 1e1", [(10, 10, 2, 1)]),
        ("c: x + y + 3 <= 10", [(-INF, 7, 1, 1)]),
        ("c: 3 >= x + y", [(-INF, 3, 1, 1)]),
        ("c: 3 <= x + y - 1", [(4, INF, 1, 1)]),
        ("c: -2 <= x + y <= 8", [(-2, 8, 1, 1)]),
        ("-2 <= x + y <= 8\n x <= 3", [(-2, 8, 1, 1), (-INF, 3, 1, 0)]),
        ("c: 8 >= x + y + 1 >= -2", [(-3, 7, 1, 1)]),
        ("c: -2 <= x\n + y\n <= 8\n d: x <= 3", [(-2, 8, 1, 1), (-INF, 3, 1, 0)]),
        ("c: -inf <= x + y <= 8", [(-INF, 8, 1, 1)]),
        ("c: 4 = x + y", [(4, 4, 1, 1)]),
        ("c: x + y <= 1e20\n d: x >= -infinity", [(-INF, INF, 1, 1), (-INF, INF, 1, 0)]),
        ("c: x + x - 3 x <= 1", [(-INF, 1, -1, 0)]),
        ("c: - - x <= 1", [(-INF, 1, 1, 0)]),
        ("c: x + y <=\n 4", [(-INF, 4, 1, 1)]),
        ("c: 0 <= 5\n d: 0 x >= -1", [(-5, INF, 0, 0), (-1, INF, 0, 0)]),
        ("1: x <= 1\n 2: y <= 2", [(-INF, 1, 1, 0), (-INF, 2, 0, 1)]),
        ("bin: x <= 1\n end: y <= 2", [(-INF, 1, 1, 0), (-INF, 2, 0, 1)]),
        ("c: x <= 1 d: y <= 2", [(-INF, 1, 1, 0), (-INF, 2, 0, 1)]),
        ("c: x \\ a comment <= 3\n <= 1", [(-INF, 1, 1, 0)]),
    ],
)
def test_constraints(text, expected):
    assert rows(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x <= 4\n y >= -1", [(0, 4), (-1, INF)]),
        ("4 >= x >= 2\n -1 <= y", [(2, 4), (-1, INF)]),
        ("x = 3\n y FREE", [(3, 3), (-INF, INF)]),
        ("-inf <= x <= 4\n y <= +Infinity", [(-INF, 4), (0, INF)]),
        ("x >= -1e30\n y <= 1e20", [(-INF, INF), (0, INF)]),
        ("x <= 4 y <= 5", [(0, 4), (0, 5)]),
        ("x <= 4\n x <= 5", [(0, 5), (0, INF)]),
        ("x <= 9\nBinary\n x", [(0, 1), (0, INF)]),
        ("-3 <= x <= 0\n y >= 1\nBinary\n x y", [(0, 0), (1, 1)]),
    ],
)
def test_bounds(text, expected):
    assert bounds(text) == expected


@pytest.mark.parametrize("word", ["Minimise", "MAXIMUM", "min", "Max"])
@pytest.mark.parametrize("st", ["subject to", "Such That", "ST", "s.t.", "st.", "Subject To:", "subject   to"])
def test_names_of_sections(word, st):
    text = f"{word} x + y\n{st}\n c: x <= 2\nBOUND\n x <= 1\nINTEGERS\n x\nEND\n anything\n"
    assert read(text) == (["x", "y"], [(-INF, 2, [1, 0])], [(0, 1), (0, INF)], ["x"])


def test_names_are_apart_by_letter_case_and_a_name_may_be_that_of_a_section():
    assert read("max\n X + x\nst\n c: X + 2 x + binary_1 <= 4\nend\n")[:2] == (
        ["X", "x", "binary_1"],
        [(-INF, 4, [1, 2, 1])],
    )


LINEAR = "constraints and objective must be linear"
BIG = "write them with binary variables and large constants"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + " i1: b = 1 -> x <= 5\nEnd", f"it has indicator constraints (line 4, i1); {LINEAR}; {BIG}"),
        (HEAD + " c: x <= 1\n b = 0 -> x <= 5\nEnd", f"it has indicator constraints (line 5, b); {LINEAR}; {BIG}"),
        (HEAD + " i: b = 1 <-> x <= 5\nEnd", f"it has indicator constraints (line 4, i); {LINEAR}; {BIG}"),
        (HEAD + " c: x <= 1\nSOS\n s1: S1:: x:1 y:2\nEnd", f"it has special ordered sets (line 6, s1); {LINEAR}; {BIG}"),
        (HEAD + " c: x <= 1\nSOS2\n s1: x:1 y:2\nEnd", f"it has special ordered sets (line 6, s1); {LINEAR}; {BIG}"),
        (
            HEAD + " c: x <= 1\nGeneral Constraints\n g: r = MAX ( x , y , 3 )\nEnd",
            f"it has general constraints (line 6, g); {LINEAR}; {BIG}",
        ),
        (
            HEAD + " c: x <= 1\nPWLObj\n x: ( 1 , 2 ) ( 3 , 4 )\nEnd",
            f"it has piecewise linear functions (line 6, x); {LINEAR}; {BIG}",
        ),
        (
            HEAD + " c: x <= 1\nSemi-Continuous\n y\nEnd",
            f"it has semi-continuous variables (line 6, y); {LINEAR}; model each with a binary variable",
        ),
        (
            HEAD + " q1: x + [ x ^ 2 + 2 x * y ] <= 1\nEnd",
            f"it has quadratic constraints (line 4, q1); {LINEAR}; replace it by a linear one",
        ),
        (
            HEAD + " q1: x * y <= 1\nEnd",
            f"it has quadratic constraints (line 4, q1); {LINEAR}; replace it by a linear one",
        ),
        (
            "Minimize\n obj: x + [ x^2 ] / 2\nSubject To\nEnd",
            f"it has a quadratic objective (line 2, obj); {LINEAR}; replace it by a linear one",
        ),
        (
            "Minimize multi-objectives\n OBJ0: Priority=2 Weight=1\n x\nSubject To\nEnd",
            f"it has several objectives (line 1, multi-objectives); {LINEAR}; keep one, or none",
        ),
        (
            HEAD + " c: x <= 1\nScenario s\n x = 1\nEnd",
            f"it has scenarios (line 5, s); {LINEAR}; write each to a file of its own",
        ),
        (
            "max: 3x + 2y;\nc1: x + y <= 4;\n",
            "line 1: got 'max'; an LP file begins with Minimize or Maximize; check that it is in CPLEX's LP format",
        ),
        (
            "hello world",
            "line 1: got 'hello'; an LP file begins with Minimize or Maximize; check that it is in CPLEX's LP format",
        ),
        ("", "line 0: it ends without End; an LP file ends with it; check that it is whole"),
        (HEAD + " c: x <= 1\n", "line 4: it ends without End; an LP file ends with it; check that it is whole"),
        (
            HEAD + " c: x +\nEnd",
            "line 5: got 'end'; terms are numbers times variables, with + or - between them; mend the line",
        ),
        (
            HEAD + " c: x y <= 1\nEnd",
            "line 4: got 'y'; terms are numbers times variables, with + or - between them; mend the line",
        ),
        (HEAD + " c: x + y\nEnd", "line 5: got 'end'; a constraint or bound goes on with <=, >= or =; mend the line"),
        (
            HEAD + " c: x >= 2 y\nEnd",
            "line 4: got 'y'; a right-hand side is a number, and each constraint has a line; move it to the left",
        ),
        (HEAD + " c: x >= y\nEnd", "line 4: got 'y'; a number belongs here, variables to the left; mend the line"),
        (HEAD + " c: 3 (x + y) <= 4\nEnd", "line 4: got '('; constraints are sums without brackets; multiply them out"),
        (HEAD + " c: 1 <= x + y >= 0\nEnd", "line 4: got 'c'; a range is between two <= or two >=; mend the line"),
        (
            HEAD + " 3 >= x\n - y >= -5\nEnd",
            "line 5: got '>='; it may begin another constraint; write each in one line, or name them",
        ),
        (HEAD + " c: x = inf\nEnd", "line 4: got 'c'; no finite sum meets its infinite limit; give it a finite one"),
        (
            HEAD + " c: 1e999 x <= 1\nEnd",
            "line 4: got '1e999'; a finite number belongs here; write it with a decimal point and digits",
        ),
        (
            HEAD + " c: x <= 1\nBounds\n 2 x <= 4\nEnd",
            "line 6: got 'x'; a constraint or bound goes on with <=, >= or =; mend the line",
        ),
        (
            HEAD + " c: x <= 1\nBounds\n x <= y\nEnd",
            "line 6: got 'y'; a number belongs here, variables to the left; mend the line",
        ),
        (
            HEAD + " c: x <= 1\nBounds\n 1 <= 4\nEnd",
            "line 6: got '4'; a bound is a number on either side of a variable; mend the line",
        ),
        (HEAD + " c: x <= 1\nGenerals\n x, y\nEnd", "line 6: got 'x,'; names stand between blanks; take the comma away"),
        (HEAD + " c: x <= 1\nBinary\n 3\nEnd", "line 6: got '3'; names of variables belong here; mend the line"),
        (HEAD + " c: x <= 1\nMinimize\n x\nEnd", "line 6: got 'x'; a file has one objective; remove the other"),
        (
            HEAD + " c: x <= 1\nBounds\n x <= -5\nEnd",
            "variable 'x' has lower bound 0 and upper bound -5; the lower one must be finite or -inf and no larger "
            "(it is 0 where none is given); give both",
        ),
        (
            HEAD + " c: x + y + z >= 2\nBounds\n x >= inf\nEnd",
            "variable 'x' has lower bound inf and upper bound inf; the lower one must be finite or -inf and no larger "
            "(it is 0 where none is given); give both",
        ),
        (
            HEAD + " c: 1e308 x + 1e308 x <= 1\nEnd",
            "a variable's numbers add up to infinity in a constraint; they must be finite; scale it",
        ),
        ("Minimize\nSubject To\nEnd\n", "it has no variables; a program needs at least one; check that it is whole"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(FormatError, match=f"^{re.escape(message)}$"):
        read(text)


def test_a_long_name_is_cut_in_a_message():
    with pytest.raises(FormatError) as caught:
        read(HEAD + f" {'n' * 5000} x <= 1\nEnd")
    assert len(str(caught.value)) < 200


@pytest.mark.slow
def test_a_large_file_is_read_in_time():
    text = "Minimize\n obj: 0\nSubject To\n" + "".join(
        f" c{i}: {' + '.join(f'{j} x{i + j}' for j in range(1, 11))} <= {i}\n" for i in range(2000)
    )
    program = read_lp((text + "End\n").splitlines()).arrays()
    assert program.rows.shape == (2000, 2009)
    assert np.array_equal(program.rows.sum(axis=1), np.full(2000, 55.0))
