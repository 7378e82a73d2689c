"""MPS format: files as solvers and languages write them, every kind of row, range and bound, and what is refused."""

import math
import re

import pytest

from imle_core.solvers.integer_program.linear_model import FormatError
from imle_core.solvers.integer_program.mps_format import read_mps

INF = math.inf
ROWS = "NAME T\nROWS\n N COST\n L L1\n G G1\n E E1\nCOLUMNS\n"
COLUMNS = "    X COST 1 L1 1\n    X G1 1\n    Y COST 2 L1 1\n    Y E1 1\n"
SIDES = "RHS\n    RHS L1 4 G1 1\n    RHS E1 3\n"
INTEGERS = f"    M1 'MARKER' 'INTORG'\n{COLUMNS}    M2 'MARKER' 'INTEND'\n"


def read(text):
    """Names, dense rows with limits, bounds and integer variables."""
    program = read_mps(lambda: text.splitlines(keepends=True)).arrays()
    return (
        program.names,
        [
            (*limits, row)
            for *limits, row in zip(program.row_lower, program.row_upper, program.rows.toarray().tolist(), strict=True)
        ],
        list(zip(program.lower, program.upper, strict=True)),
        [name for name, whole in zip(program.names, program.integral, strict=True) if whole],
    )


def whole(rest="", columns=COLUMNS, sides=SIDES):
    return f"{ROWS}{columns}{sides}{rest}ENDATA\n"


HIGHS = """NAME
ROWS
 N  NoObj
 G  r1
 L  r2
 L  r_ekk0
COLUMNS
    x         r1        1
    x         r2        1
    MARK0000  'MARKER'                 'INTORG'
    y         r1        3
    y         r_ekk0    -1
    z[1,2]    r1        -1
    empty     NoObj     0
    MARK0001  'MARKER'                 'INTEND'
RHS
    RHS_V     r1        -2
    RHS_V     r2        4
    RHS_V     r_ekk0    8
RANGES
    RANGE     r_ekk0    9
BOUNDS
 LO BOUND     x         -2
 UP BOUND     x         5
 BV BOUND     y
 MI BOUND     z[1,2]
 UI BOUND     z[1,2]    9
ENDATA
"""
GUROBI = """NAME assignment
* Max problem is converted into Min one
OBJSENSE
    MAX
ROWS
 N  OBJ
 L  R0
LAZYCONS
 G  R1
COLUMNS
    MARKER    'MARKER'                 'INTORG'
    x[0]      OBJ       -3
    x[0]      R0        1
    MARKER    'MARKER'                 'INTEND'
    y         R0        2.5e+00  R1        -1.
RHS
    RHS1      OBJ       -5
    RHS1      R0        1e+30
BOUNDS
 UP BND1      x[0]      1e+30
 FR BND1      y
ENDATA
"""
FIXED = """NAME          FIXED FORMAT
ROWS
 N  COST
 L  LIM 1
 E  MYEQN
COLUMNS
    X ONE     COST                 1   LIM 1                1
    X ONE     MYEQN               -1
    MARKER                 'MARKER'                 'INTORG'
    Y         COST                 4   LIM 1                1
    MARKER                 'MARKER'                 'INTEND'
RHS
              LIM 1                4   MYEQN               -7
BOUNDS
 UP BND       X ONE                4
 LO BND       Y                   -1
 UP BND       Y                    1
ENDATA
"""
WRITTEN = {
    "highs": (
        HIGHS,
        ["x", "y", "z[1,2]", "empty"],
        [(-2, INF, [1, 3, -1, 0]), (-INF, 4, [1, 0, 0, 0]), (-1, 8, [0, -1, 0, 0])],
        [(-2, 5), (0, 1), (-INF, 9), (0, 1)],
        ["y", "z[1,2]", "empty"],
    ),
    "gurobi": (GUROBI, ["x[0]", "y"], [(-INF, INF, [1, 2.5]), (0, INF, [0, -1])], [(0, INF), (-INF, INF)], ["x[0]"]),
    "fixed": (FIXED, ["X ONE", "Y"], [(-INF, 4, [1, 1]), (-7, -7, [-1, 0])], [(0, 4), (-1, 1)], ["Y"]),
}


@pytest.mark.parametrize(("text", "names", "constraints", "limits", "integers"), WRITTEN.values(), ids=WRITTEN)
def test_files_as_they_are_written(text, names, constraints, limits, integers):
    assert read(text) == (names, constraints, limits, integers)
    assert read(text.replace("\n", " \r\n")) == (names, constraints, limits, integers)


def test_names_of_sets_may_be_left_out():
    text = whole("RANGES\n    G1 2\nBOUNDS\n UP X 4\n MI Y\n", sides="RHS\n    L1 4 G1 1\n    E1 3\n")
    assert read(text)[1:3] == ([(-INF, 4, [1, 1]), (1, 3, [1, 0]), (3, 3, [0, 1])], [(0, 4), (-INF, INF)])


def test_right_hand_sides_are_0_where_none_is_given():
    assert [row[:2] for row in read(whole(sides=""))[1]] == [(-INF, 0), (0, INF), (0, 0)]


@pytest.mark.parametrize(
    ("row", "width", "expected"),
    [
        ("L1", 2, (2, 4)),
        ("L1", -2, (2, 4)),
        ("G1", 2, (1, 3)),
        ("G1", -2, (1, 3)),
        ("E1", 2, (3, 5)),
        ("E1", -2, (1, 3)),
        ("E1", 0, (3, 3)),
        ("L1", 0, (4, 4)),
    ],
)
def test_ranges(row, width, expected):
    limits = [line[:2] for line in read(whole(f"RANGES\n    RNG {row} {width}\n"))[1]]
    assert limits[["L1", "G1", "E1"].index(row)] == expected


@pytest.mark.parametrize(
    ("bound", "expected", "is_integer"),
    [
        ("UP BND X 4", (0, 4), False),
        ("LO BND X 2", (2, INF), False),
        ("LO BND X -2\n UP BND X -1", (-2, -1), False),
        ("MI BND X", (-INF, INF), False),
        ("MI BND X\n UP BND X -1", (-INF, -1), False),
        ("PL BND X", (0, INF), False),
        ("FR BND X", (-INF, INF), False),
        ("FX BND X -3", (-3, -3), False),
        ("BV BND X", (0, 1), True),
        ("BV BND X 1", (0, 1), True),
        ("LI BND X 2", (2, INF), True),
        ("UI BND X 5", (0, 5), True),
        ("UP BND X 1e30", (0, INF), False),
        ("LO BND X -Inf", (-INF, INF), False),
    ],
)
def test_bounds(bound, expected, is_integer):
    _, _, limits, integers = read(whole(f"BOUNDS\n {bound}\n"))
    assert (limits[0], "X" in integers) == (expected, is_integer)
    _, _, limits, integers = read(whole(f"BOUNDS\n {bound}\n", INTEGERS))
    assert (limits, integers) == ([expected, (0, 1)], ["X", "Y"])


LINEAR = "constraints and objective must be linear"
BIG = "write them with binary variables and large constants"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (whole("SOS\n S1 SOS1 5\n    X 1\n"), f"it has special ordered sets (line 16, SOS1); {LINEAR}; {BIG}"),
        (whole("INDICATORS\n IF L1 X 1\n"), f"it has indicator constraints (line 16, L1); {LINEAR}; {BIG}"),
        (
            whole("QUADOBJ\n    X Y 1\n"),
            f"it has a quadratic objective (line 16, X); {LINEAR}; replace it by a linear one",
        ),
        (
            whole("QCMATRIX L1\n    X Y 1\n"),
            f"it has quadratic constraints (line 16, X); {LINEAR}; replace them by linear ones",
        ),
        (whole("GENCONS\n MAX GC0\n"), f"it has general constraints (line 16, GC0); {LINEAR}; {BIG}"),
        (whole("PWLOBJ\n    X 1 1\n"), f"it has piecewise linear functions (line 16, X); {LINEAR}; {BIG}"),
        (
            whole("BOUNDS\n SC BND X 4\n"),
            f"it has semi-continuous variables (line 16, X); {LINEAR}; model each with a binary variable",
        ),
        (
            whole("BOUNDS\n SC X 4\n"),
            f"it has semi-continuous variables (line 16, X); {LINEAR}; model each with a binary variable",
        ),
        (
            whole(columns=f"    S1 'MARKER' 'SOSORG'\n{COLUMNS}"),
            f"it has special ordered sets (line 8, S1); {LINEAR}; {BIG}",
        ),
        (ROWS + COLUMNS, "line 11: it ends without ENDATA; an MPS file ends with it; check that the file is whole"),
        ("", "line 0: it ends without ENDATA; an MPS file ends with it; check that the file is whole"),
        ("NAME\nENDATA\n", "it has no variables; a program needs at least one; check that it is whole"),
        ("  x y\n", "line 1: got 'x y'; a section such as ROWS comes first; check that it is an MPS file"),
        (
            "hello\n",
            "line 1: got 'hello'; sections are BOUNDS, COLUMNS, ENDATA, LAZYCONS, NAME, OBJNAME, OBJSENSE, RANGES, RHS, "
            "ROWS, USERCUTS; other lines begin with a blank; mend or remove the line",
        ),
        (
            "ROWS L1\n",
            "line 1: got 'ROWS L1'; a section's name stands alone, data begin with a blank; mend the line",
        ),
        ("ROWS\n A B C D\n", "line 2: got 'A B C D'; a row has a kind (N, L, G or E) and a name; mend the line"),
        ("ROWS\n N R\n L R\n", "line 3: got 'R'; each row is named once; rename one"),
        (whole("COLUMNS\n"), "line 15: got 'COLUMNS'; a file has one such section; remove one"),
        (
            whole(columns="    X COST 1 L1\n"),
            "line 8: got 'X COST 1 L1'; a column has a name, then rows with numbers; mend the line",
        ),
        (whole(columns="    X Q 1\n"), "line 8: got 'Q'; section ROWS has no such row; add it or mend the name"),
        (
            whole(columns="    X L1 one\n"),
            "line 8: got 'one'; a finite number belongs here; write it with a decimal point and digits",
        ),
        (
            whole(columns="    X L1 1_0\n"),
            "line 8: got '1_0'; a finite number belongs here; write it with a decimal point and digits",
        ),
        (
            whole(columns=COLUMNS + "    X E1 5\n"),
            "line 12: got 'X'; all entries of a column stand together; sort the lines",
        ),
        (
            whole(columns=COLUMNS + "    Y E1 5\n"),
            "line 12: got 'E1'; column 'Y' has an entry there already; remove one of them",
        ),
        (whole(columns="    M 'MARKER' 'INT'\n"), "line 8: got \"'INT'\"; a marker is 'INTORG' or 'INTEND'; mend the line"),
        (whole(sides=SIDES + "    RHS L1 7\n"), "line 15: got 'L1'; RHS has a number for it already; remove one of them"),
        (whole(sides=SIDES + "    RHS2 L1 7\n"), "line 15: got 'RHS2'; RHS has the set 'RHS' already; keep one set"),
        (
            whole(sides="RHS\n    RHS\n"),
            "line 13: got 'RHS'; the name of a set comes first, then rows with numbers; mend the line",
        ),
        (whole("BOUNDS\n UP B Z 4\n"), "line 16: got 'Z'; section COLUMNS has no such column; add it or mend the name"),
        (
            whole("BOUNDS\n UX B X 4\n"),
            "line 16: got 'UX'; kinds of bounds are BV, FR, FX, LI, LO, MI, PL, UI, UP; mend the line",
        ),
        (whole("BOUNDS\n UP\n"), "line 16: got 'UP'; a bound has a kind, a set, a column and maybe a number; mend the line"),
        (
            whole("BOUNDS\n UP B X 4\n UP B X 5\n"),
            "line 17: got 'UP X'; the column has such a bound already; remove one of them",
        ),
        (whole("BOUNDS\n UP B X 4\n UP C Y 5\n"), "line 17: got 'C'; BOUNDS has the set 'B' already; keep one set"),
        (
            whole("BOUNDS\n UP B X -4\n"),
            "variable 'X' has lower bound 0 and upper bound -4; the lower one must be finite or -inf and no larger "
            "(it is 0 where none is given); give both",
        ),
        (
            whole(sides="RHS\n    RHS L1 -1e30\n"),
            "row 'L1' has right-hand side -inf; nothing meets it; give a finite one",
        ),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(FormatError, match=f"^{re.escape(message)}$"):
        read(text)


def test_lines_that_never_ended_in_other_readers():
    text = "NAME T\nROWS\n N COST\n L LIM1\nCOLUMNS\n    NDATA\n\n    Y COST 2 LIM1 1\nBOUNDS\n UP BND Y 4\nENDATA\n"
    assert read(text) == (["NDATA", "Y"], [(-INF, 0, [0, 1])], [(0, INF), (0, 4)], [])
