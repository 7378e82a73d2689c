"""Integer programs: brute force, tolerances, ties, limits, errors."""

import itertools
import pickle
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix, csr_array

from imle_core import ArgumentError
from imle_core.solvers import GapError, InfeasibleError, IntegerProgram, ProgramError, TimeLimitError, UnboundedError

WEIGHTS = [-3.0, -1.0, -0.25, 0.0, 0.5, 1.0, 1.0, 2.5]
SCALES = [1e-30, 1e-6, 1.0, 1e8, 1e30]


def feasible_points(program):
    """All integer points of a program given by keyword arguments, with bounds ``lower`` and ``upper``."""
    ranges = [range(int(low), int(high) + 1) for low, high in zip(program["lower"], program["upper"], strict=True)]
    points = np.array(list(itertools.product(*ranges)), dtype=float)
    keep = (points @ np.transpose(program["A"]) <= program["b"]).all(axis=1)
    if "A_eq" in program:
        keep &= (points @ np.transpose(program["A_eq"]) == program["b_eq"]).all(axis=1)
    return points[keep]


@st.composite
def programs(draw):
    entries, rows = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    coefficients = st.integers(-4, 4)
    program = {
        "A": np.array(draw(st.lists(coefficients, min_size=rows * entries, max_size=rows * entries))).reshape(rows, entries),
        "b": np.array(draw(st.lists(st.integers(-3, 8), min_size=rows, max_size=rows))),
        "lower": np.array(draw(st.lists(st.integers(-2, 0), min_size=entries, max_size=entries))),
    }
    program["upper"] = program["lower"] + np.array(draw(st.lists(st.integers(0, 3), min_size=entries, max_size=entries)))
    if draw(st.booleans()):
        program["A_eq"] = np.array([draw(st.lists(coefficients, min_size=entries, max_size=entries))])
        program["b_eq"] = np.array([draw(st.integers(-2, 4))])
    weights = st.lists(st.sampled_from(WEIGHTS), min_size=entries, max_size=entries)
    theta = np.array(draw(st.lists(weights, min_size=1, max_size=3))) * draw(st.sampled_from(SCALES))
    return program, theta


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(programs(), st.sampled_from([torch.float32, torch.float64]))
def test_the_best_of_all_points(drawn, dtype):
    program, values = drawn
    theta, points = torch.tensor(values, dtype=dtype), feasible_points(program)
    solver = IntegerProgram(**program)
    if not len(points):
        with pytest.raises(InfeasibleError):
            solver(theta)
        return
    z = solver(theta)
    assert (z.dtype, z.shape) == (dtype, theta.shape)
    for chosen, weights in zip(z.double().numpy(), theta.double().numpy(), strict=True):
        assert (points == chosen).all(axis=1).any()
        assert chosen @ weights >= (points @ weights).max() - 1e-10 * np.abs(weights).max()


@pytest.mark.slow
def test_differences_far_below_the_absolute_gap_of_highs_count():
    generator = np.random.default_rng(1)
    points = np.array(list(itertools.product([0, 1], repeat=10)), dtype=float)
    for _ in range(15):
        sizes = generator.integers(1, 20, (2, 10))
        theta = 1 + 1e-8 * generator.normal(size=10)
        z = IntegerProgram(A=sizes, b=sizes.sum(axis=1) // 2)(torch.tensor(theta[None]))[0].numpy()
        best = (points[(points @ sizes.T <= sizes.sum(axis=1) // 2).all(axis=1)] @ theta).max()
        assert z @ theta == pytest.approx(best, abs=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [2.0**-1070, 2.0**-100, 0.5, 2.0, 2.0**900])
def test_powers_of_two_change_nothing(scale):
    solver = IntegerProgram(A=[[3, 5, 2, 7, 4]], b=[11])
    theta = torch.tensor([[1.0, 2.0, 1.0, 3.0, 2.0], [1.0, 1.0, 1.0, 1.0, -1.0]], dtype=torch.float64)
    assert torch.equal(solver(theta * scale), solver(theta))


def test_a_tiny_entry_beside_a_huge_one():
    assert IntegerProgram(A=[[1, 1]], b=[2])(torch.tensor([[1e300, 1e-300]], dtype=torch.float64))[0, 0] == 1


def test_knapsack():
    theta = torch.tensor([[60.0, 100.0, 120.0], [-1.0, -2.0, -3.0], [100.0, 2.0, 1.0]])
    assert IntegerProgram(A=[[10, 20, 30]], b=[50])(theta).tolist() == [[0, 1, 1], [0, 0, 0], [1, 1, 0]]


def test_equations():
    theta = torch.tensor([[1.0, 5.0, 2.0, 4.0], [-1.0, -5.0, -2.0, -4.0]])
    assert IntegerProgram(A_eq=[[1, 1, 1, 1]], b_eq=[2])(theta).tolist() == [[0, 1, 0, 1], [1, 0, 1, 0]]


def test_bounds_alone():
    solver = IntegerProgram(lower=[-2, 0, -1], upper=[3, 1, 4])
    assert solver(torch.tensor([[1.0, -1.0, -1.0]])).tolist() == [[3, 0, -1]]
    assert IntegerProgram(lower=0.5, upper=[2.5])(torch.tensor([1.0, -1.0])).tolist() == [2, 1]


def test_continuous_is_linprog():
    generator = np.random.default_rng(0)
    matrix, right = generator.normal(size=(6, 9)), generator.random(6) + 0.5
    equal, level = generator.normal(size=(2, 9)), np.zeros(2)
    theta = generator.normal(size=(5, 9)) * 1e4
    solver = IntegerProgram(A=matrix, b=right, A_eq=equal, b_eq=level, lower=-1, upper=2, integrality=False)
    z = solver(torch.tensor(theta)).numpy()
    assert (matrix @ z.T <= right[:, None] + 1e-6).all()
    assert np.abs(equal @ z.T).max() < 1e-6
    for chosen, weights in zip(z, theta, strict=True):
        best = -scipy.optimize.linprog(-weights, matrix, right, equal, level, bounds=(-1, 2)).fun
        assert chosen @ weights == pytest.approx(best, rel=1e-9)


@pytest.mark.slow
def test_mixed():
    generator = np.random.default_rng(3)
    matrix, right = generator.integers(1, 9, (3, 5)), np.array([9.5, 8.25, 10.75])
    theta = generator.normal(size=(4, 5)) + 0.5
    z = IntegerProgram(A=matrix, b=right, upper=2, integrality=[1, 1, 1, 0, 0])(torch.tensor(theta)).numpy()
    assert (z[:, :3] == z[:, :3].round()).all()
    assert (matrix @ z.T <= right[:, None] + 1e-6).all()
    for chosen, weights in zip(z, theta, strict=True):
        best = -np.inf
        for fixed in itertools.product(range(3), repeat=3):
            rest = scipy.optimize.linprog(-weights[3:], matrix[:, 3:], right - matrix[:, :3] @ fixed, bounds=(0, 2))
            if rest.status == 0:
                best = max(best, weights[:3] @ fixed - rest.fun)
        assert chosen @ weights == pytest.approx(best, rel=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [csr_array, coo_matrix])
def test_sparse_equals_dense(kind):
    generator = np.random.default_rng(0)
    matrix, equal = generator.integers(-1, 4, (3, 8)), np.ones((1, 8))
    theta = torch.tensor(generator.normal(size=(6, 8)))
    dense = IntegerProgram(A=matrix, b=[6, 7, 8], A_eq=equal, b_eq=[4])
    assert torch.equal(IntegerProgram(A=kind(matrix), b=[6, 7, 8], A_eq=kind(equal), b_eq=[4])(theta), dense(theta))


def test_the_program_is_a_copy():
    matrix, right, upper = np.array([[1.0, 1.0]]), np.array([1.0]), np.ones(2)
    solver = IntegerProgram(A=matrix, b=right, upper=upper)
    matrix[:], right[:], upper[:] = 5, -5, 7
    assert solver(torch.tensor([[1.0, 2.0]])).tolist() == [[0, 1]]


def test_batched_equals_one_by_one_in_any_order_with_ties():
    theta = torch.randn(12, 7, generator=torch.Generator().manual_seed(0)).round()
    solver = IntegerProgram(A=[[3, 1, 4, 1, 5, 9, 2]], b=[11])
    z = solver(theta)
    assert torch.equal(torch.cat([solver(row[None]) for row in theta]), z)
    assert torch.equal(solver(theta.flip(0)).flip(0), z)
    assert torch.equal(IntegerProgram(A=[[3, 1, 4, 1, 5, 9, 2]], b=[11])(theta), z)
    with ThreadPoolExecutor(2) as pool:
        assert torch.equal(torch.cat(list(pool.map(solver, theta.split(1)))), z)


def test_equal_rows_are_solved_once(monkeypatch):
    calls, milp = [], scipy.optimize.milp
    monkeypatch.setattr(scipy.optimize, "milp", lambda *args, **kwargs: calls.append(1) or milp(*args, **kwargs))
    theta = torch.tensor([[1.0, 0.0], [2.0, -0.0], [0.0, 1.0], [1.0, 0.0]])
    assert IntegerProgram(A=[[1, 1]], b=[1])(theta)[:, 0].tolist()[:2] == [1, 1]
    assert len(calls) == 2


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_types(dtype):
    theta = torch.tensor([[1.0, 3.0, -3.0]], dtype=dtype, requires_grad=True)
    z = IntegerProgram(A=[[1, 1, 1]], b=[1])(theta)
    assert (z.dtype, z.tolist(), z.requires_grad) == (dtype, [[0, 1, 0]], False)


def test_shapes_and_strides():
    solver = IntegerProgram(A=[[1, 2, 3, 4, 5, 6]], b=[8])
    theta = torch.randn(4, 3, 2, generator=torch.Generator().manual_seed(0)).transpose(1, 2)
    kept = theta.clone()
    assert torch.equal(solver(theta).flatten(1), solver(theta.flatten(1)))
    assert torch.equal(theta, kept)
    assert solver(torch.zeros(0, 2, 3)).shape == (0, 2, 3)


def test_nothing_is_printed(capfd):
    IntegerProgram(A=[[3, 4, 2]], b=[6])(torch.randn(3, 3))
    assert capfd.readouterr() == ("", "")


def hard(**limits):
    """A program with many small differences, whose search takes minutes."""
    generator = np.random.default_rng(0)
    matrix = generator.integers(1, 100, (12, 90))
    theta = torch.tensor(generator.integers(50, 100, (1, 90)).astype(float))
    return IntegerProgram(A=matrix, b=matrix.sum(axis=1) // 3, time_limit=0.2, **limits), matrix, theta


@pytest.mark.slow
def test_an_incumbent_is_taken_when_asked_for_and_counted():
    solver, matrix, theta = hard(incumbent=True)
    assert solver.incumbents == 0
    z = solver(theta.expand(2, 90))
    assert solver.incumbents == 2
    assert set(z.flatten().tolist()) == {0, 1}
    assert (matrix @ z[0].numpy() <= matrix.sum(axis=1) // 3).all()


@pytest.mark.slow
def test_a_gap_that_is_good_enough():
    solver, _, theta = hard(gap=0.5)
    best = hard(incumbent=True)[0](theta)
    assert (solver(theta) * theta).sum() >= (best * theta).sum() / 1.5


@pytest.mark.slow
def test_time_and_gap_errors():
    with pytest.raises(
        TimeLimitError,
        match=r"^time_limit: got 0\.2; instance 0 took longer, with one found that is feasible; "
        r"allow more, a gap, or incumbent=True$",
    ):
        hard()[0](hard()[2])
    with pytest.raises(
        GapError,
        match=r"^incumbent_gap: got 1e-09; a gap of \S+ is left in instance 0; allow more time or a larger gap$",
    ) as caught:
        hard(incumbent=True, incumbent_gap=1e-9)[0](hard()[2])
    assert caught.value.row == 0


def test_no_incumbent_is_found():
    matrix = np.random.default_rng(0).integers(0, 100, (4, 30))
    message = "time_limit: got 0.1; instance 0 took longer, with none found that is feasible; allow more, or a gap"
    with pytest.raises(TimeLimitError, match=f"^{re.escape(message)}$"):
        IntegerProgram(A_eq=matrix, b_eq=matrix.sum(axis=1) // 2, time_limit=0.1, incumbent=True)(torch.zeros(1, 30))


def altered(monkeypatch, solves=1, **changes):
    """Lets the first solves give other numbers than HiGHS."""
    milp, left = scipy.optimize.milp, [changes] * solves

    def changed(*args, **kwargs):
        result = milp(*args, **kwargs)
        result.update(left.pop() if left else {})
        return result

    monkeypatch.setattr(scipy.optimize, "milp", changed)


def test_a_gap_left_without_a_time_limit(monkeypatch):
    altered(monkeypatch, mip_dual_bound=-(2.0**20))
    with pytest.raises(
        GapError, match=r"^gap: got 0\.0; a gap of \S+ is left in instance 0; allow more time or a larger gap$"
    ):
        IntegerProgram(A=[[1, 1]], b=[1])(torch.tensor([[1.0, 2.0]]))


def test_numbers_that_rounding_breaks_are_solved_for_again(monkeypatch):
    solver = IntegerProgram(A=[[1, -1e6]], b=[0], integrality=[0, 1])
    altered(monkeypatch, x=np.array([0.05, 5e-8]), mip_dual_bound=None)
    assert solver(torch.tensor([[1.0, -100.0]])).tolist() == [[0, 0]]


def test_numbers_that_cannot_be_rounded(monkeypatch):
    solver = IntegerProgram(A=[[1, -1e6]], b=[0], A_eq=[[1, 0]], b_eq=[0.05], integrality=[0, 1])
    altered(monkeypatch, x=np.array([0.05, 5e-8]), mip_dual_bound=None)
    message = (
        "A: got rows that HiGHS meets only with numbers 1e-06 off whole ones in instance 0; rounding breaks them; "
        "use smaller coefficients or tighter bounds"
    )
    with pytest.raises(ProgramError, match=f"^{re.escape(message)}$"):
        solver(torch.tensor([[0.0, -1.0]]))


def test_highs_fails_for_another_reason(monkeypatch):
    altered(monkeypatch, 2, x=None, status=4, message="out of\n memory")
    message = "theta: HiGHS failed in instance 0 (out of memory); check the program's coefficients"
    with pytest.raises(ProgramError, match=f"^{re.escape(message)}$"):
        IntegerProgram(A=[[1, 1]], b=[1])(torch.tensor([[1.0, 2.0]]))


def test_errors_survive_the_way_from_a_worker():
    error = pickle.loads(pickle.dumps(InfeasibleError("A: no", 3)))
    assert (type(error), str(error), error.row, isinstance(error, ValueError)) == (InfeasibleError, "A: no", 3, True)


def call(values=((1.0, 1.0),), dtype=torch.float32, **program):
    return lambda: IntegerProgram(**program)(torch.tensor(values, dtype=dtype))


NO_SOLUTION = "A: got a program without solution in instance 0; some z must satisfy all constraints and bounds; loosen one"
NO_LIMIT = (
    "theta: got an objective without limit in instance {}; the constraints must bound it; give finite lower and upper bounds"
)
ERRORS = [
    (InfeasibleError, NO_SOLUTION, call(A=[[1, 1]], b=[-1])),
    (InfeasibleError, NO_SOLUTION, call(A_eq=[[2, -2]], b_eq=[1], upper=np.inf)),
    (InfeasibleError, NO_SOLUTION, call(A=[[1, 1], [-1, -1]], b=[0.7, -0.3])),
    (UnboundedError, NO_LIMIT.format(0), call(A=[[1, -1]], b=[0], upper=np.inf)),
    (UnboundedError, NO_LIMIT.format(1), call([[-1, -1], [1, 1]], A=[[1, -1]], b=[0], upper=np.inf, integrality=False)),
    (
        ArgumentError,
        "theta: got nan in instance 1; an integer program needs finite numbers; forbid an entry by its bounds",
        call([[0, 0], [0, np.nan]], upper=[1, 1]),
    ),
    (
        ArgumentError,
        "theta: got -inf in instance 0; an integer program needs finite numbers; forbid an entry by its bounds",
        call([[-np.inf, 0]], upper=[1, 1]),
    ),
    (
        ArgumentError,
        "theta: got shape (1, 2); the program has 3 variables; it must be (N, *event) with 3 entries an instance",
        call(upper=[1, 1, 1]),
    ),
    (
        ArgumentError,
        "theta: got shape (); the program has 1 variables; it must be (N, *event) with 1 entries an instance",
        call(1.0, upper=[1]),
    ),
    (
        ArgumentError,
        "theta: got torch.int64; z has 0.5 in instance 0, which it cannot hold; use theta.float()",
        call([[1, 2]], torch.int64, upper=[0.5, 1], integrality=False),
    ),
    (
        ArgumentError,
        "theta: got torch.float16; z has 2049 in instance 0, which it cannot hold; use a wider type or smaller bounds",
        call([[1.0]], torch.float16, upper=[2049]),
    ),
    (
        ArgumentError,
        "theta: got torch.float16; z has 70000 in instance 0, which it cannot hold; use a wider type or smaller bounds",
        call([[1.0]], torch.float16, upper=[7e4], integrality=False),
    ),
    (
        ArgumentError,
        "A: got no variables; a program needs at least one; give A, A_eq or bounds with n entries",
        call(),
    ),
    (ArgumentError, "b: got None; A and b go together; give both or neither", call(A=[[1, 1]])),
    (ArgumentError, "A_eq: got None; A_eq and b_eq go together; give both or neither", call(b_eq=[1])),
    (ArgumentError, "A: got shape (2,); it must be (rows, variables); give one row a constraint", call(A=[1, 1], b=[1])),
    (ArgumentError, "b: got shape (2,); A has 1 rows; b must be (1,)", call(A=[[1, 1]], b=[1, 2])),
    (
        ArgumentError,
        "A_eq: got 3 variables; A has 2; all must have as many as theta has entries",
        call(A=[[1, 1]], b=[1], A_eq=[[1, 1, 1]], b_eq=[1]),
    ),
    (
        ArgumentError,
        "upper: got 3 variables; A has 2; all must have as many as theta has entries",
        call(A=[[1, 1]], b=[1], upper=[1, 1, 1]),
    ),
    (
        ArgumentError,
        "A: got NaN or infinite coefficients; they must be finite; leave out what does not bind",
        call(A=[[1, np.nan]], b=[1]),
    ),
    (
        ArgumentError,
        "b: got nan; it must be finite or +inf; leave out what does not bind",
        call(A=[[1, 1]], b=[np.nan]),
    ),
    (ArgumentError, "b_eq: got inf; it must be finite; leave out what does not bind", call(A_eq=[[1, 1]], b_eq=[np.inf])),
    (ArgumentError, "A: got complex128; it must have real numbers; take their real parts", call(A=[[1j, 1]], b=[1])),
    (
        ArgumentError,
        "b: got complex64; it must have real numbers; take their real parts",
        call(A=[[1]], b=torch.tensor([1j])),
    ),
    (ArgumentError, "A: got complex128; it must have real numbers; take their real parts", call(A=csr_array([[1j]]), b=[1])),
    (
        ArgumentError,
        "A: got a coefficient of 1e+15; HiGHS takes those below 1e15; scale the row",
        call(A=[[1, -1e15]], b=[1]),
    ),
    (
        ArgumentError,
        "A: got list without numbers throughout; it must be an array of numbers; use numpy.array",
        call(A=[["x"]], b=[1]),
    ),
    (ArgumentError, "lower: got shape (1, 2); it must be one number or (variables,); flatten it", call(lower=[[0, 0]])),
    (
        ArgumentError,
        "lower: got 2.0 for entry 1, with upper 1.0; lower must be <= upper; -inf and inf are no bounds",
        call(lower=[0, 2]),
    ),
    (
        ArgumentError,
        "integrality: got other numbers than 0 and 1; it must say which entries are integer; use True or False",
        call(integrality=[1, 2]),
    ),
    (ArgumentError, "time_limit: got 0; it must be > 0 and finite; use None for no limit", call(time_limit=0)),
    (ArgumentError, "gap: got -1; it must be >= 0 and finite; use 0 for the best solution", call(gap=-1)),
    (ArgumentError, "incumbent_gap: got nan; it must be >= 0; use inf for any", call(incumbent_gap=float("nan"))),
]


@pytest.mark.parametrize(("kind", "message", "work"), ERRORS, ids=[message[:60] for _, message, _ in ERRORS])
def test_errors(kind, message, work):
    with pytest.raises(kind, match=f"^{re.escape(message)}$") as caught:
        work()
    assert type(caught.value) is kind


def test_repr():
    solver = IntegerProgram(A=[[1, 1, 1]], b=[1], integrality=[1, 1, 0])
    assert repr(solver) == "IntegerProgram(variables=3, integers=2, rows=1)"
    assert solver.names is None


def test_an_infeasible_program_on_which_presolving_fails():
    program = IntegerProgram(A_eq=[[0, 2, 2, 1]], b_eq=[0], lower=[0, 0, 0, -1], upper=[0, 0, 2, -1])
    with pytest.raises(InfeasibleError, match=r"^A: got a program without solution in instance 0;"):
        program(torch.ones(1, 4))
