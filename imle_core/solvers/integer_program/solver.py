"""Linear and integer programs, solved by HiGHS."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from imle_core.checks import ArgumentError, wrong_shape
from imle_core.concurrency import OwnLock
from imle_core.solvers.binding import normals_at
from imle_core.solvers.integer_program.constraints import Matrix, Vector, check_bounds, system, vector_of
from imle_core.solvers.integer_program.files import read_program
from imle_core.solvers.rows import as_rows, in_type_of

_TOLERANCE = 1e-6  # HiGHS's on feasibility and integrality
_FAILED = 4  # status of a solve that ended with an error
_LARGEST = 16  # the largest entry of a scaled objective is in [2^15, 2^16)


class ProgramError(ValueError):
    """An instance that has no answer, or none within the limits; ``row`` is its index in the batch."""

    def __init__(self, message: str, row: int | None = None) -> None:
        super().__init__(message)
        self.row = row


class InfeasibleError(ProgramError):
    """No z satisfies the constraints."""


class UnboundedError(ProgramError):
    """The objective grows without limit."""


class TimeLimitError(ProgramError):
    """The time limit came before the answer."""


class GapError(ProgramError):
    """The solution found is proved to be no closer to the best than a gap that is larger than asked for."""


class IntegerProgram:
    """``argmax_z <z, theta>`` over z with ``A z <= b``, ``A_eq z = b_eq``, ``lower <= z <= upper``, some z_i integer.

    Domain: every finite theta; an entry is forbidden by its bounds, not by -inf. Integer programs are NP-hard: exponential
    time at worst; without integer entries it is a linear program. Rows are solved one after another, each on its own;
    equal rows of a call are solved once. Nothing is printed.

    HiGHS's tolerances are absolute, so each row is first scaled, exactly, by the power of two that brings its largest
    entry to between 2^15 and 2^16: theta and 2^k theta have bitwise the same solution, and the absolute gap of 1e-6 at
    which HiGHS stops whatever gap is asked for is below 4e-11 of that entry. Constraints and bounds hold to 1e-6 (relative
    to ``|b|`` where that is above 1). Integer entries are rounded to whole numbers; where that breaks a constraint, the
    other entries are solved for again with the integers held.

    Ties: HiGHS's choice, by no rule that can be stated. It is the same for the same theta, program and version of HiGHS,
    alone or in any batch, unless a time limit cuts the search short; another order of variables or constraints may
    give another of the best solutions.

    Args:
        A: inequalities, ``(m, n)``, dense or scipy.sparse; None for none.
        b: their right-hand sides, ``(m,)``; +inf for a row that does not bind.
        A_eq: equations, ``(p, n)``, likewise.
        b_eq: their right-hand sides, ``(p,)``.
        lower: lower bounds, ``(n,)`` or one number for all; -inf for none.
        upper: upper bounds, likewise; +inf for none.
        integrality: which entries are integer, ``(n,)`` or one for all.
        time_limit: seconds a solve may take, > 0; HiGHS looks at the clock now and then, so it may take longer; None for
            no limit.
        gap: relative gap ``(bound - value) / |value|`` at which an integer solution is good enough, >= 0.
        incumbent: at the time limit, take the best integer solution found so far; ``incumbents`` counts such rows.
        incumbent_gap: largest relative gap of a solution that is so taken.

    Raises:
        ArgumentError: an argument outside its range, or shapes that do not agree; when called, theta that is not finite or
            not ``(N, *event)`` with n entries an instance, or of a type that does not hold a solution.
        InfeasibleError: when called, no z satisfies the constraints.
        UnboundedError: when called, the objective grows without limit.
        TimeLimitError: when called, the time limit is over, and no incumbent found or none wanted.
        GapError: when called, a gap is left that is larger than asked for.
        ProgramError: when called, HiGHS fails for another reason. The errors above are such errors, and all ValueErrors.

    >>> import torch
    >>> IntegerProgram(A=[[3, 4, 2]], b=[6])(torch.tensor([[4.0, 5.0, 3.0], [4.0, -5.0, 3.0]]))
    tensor([[0., 1., 1.],
            [1., 0., 1.]])
    """

    pure, sense, takes_padding = True, "max", False

    names: tuple[str, ...] | None = None
    """Names of the entries of theta and z, for a program from a file."""

    def __init__(
        self,
        *,
        A: Matrix | None = None,  # noqa: N803 - as in the formula
        b: ArrayLike | None = None,
        A_eq: Matrix | None = None,  # noqa: N803
        b_eq: ArrayLike | None = None,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = 1.0,
        integrality: ArrayLike = True,
        time_limit: float | None = None,
        gap: float = 0.0,
        incumbent: bool = False,
        incumbent_gap: float = math.inf,
    ) -> None:
        from scipy.optimize import Bounds, LinearConstraint  # here, since scipy takes long to import
        from scipy.sparse import csc_array, vstack

        _check_limits(time_limit, gap, incumbent_gap)
        blocks = {"A": system("A", A, "b", b, np.inf), "A_eq": system("A_eq", A_eq, "b_eq", b_eq, None)}
        given = {"lower": lower, "upper": upper, "integrality": integrality}
        vectors = {name: vector_of(name, value) for name, value in given.items()}
        self.entries = _common_size(
            {name: block[0].shape[1] for name, block in blocks.items() if block is not None}
            | {name: len(vector) for name, vector in vectors.items() if vector.ndim}
        )
        self._low, self._high, whole = (np.array(np.broadcast_to(vector, self.entries)) for vector in vectors.values())
        check_bounds(self._low, self._high, whole)
        self.time_limit, self.gap = time_limit, float(gap)
        self.incumbent, self.incumbent_gap, self.incumbents = bool(incumbent), float(incumbent_gap), 0
        self._integral, self._bounds = whole == 1, Bounds(self._low, self._high)
        present = [block for block in blocks.values() if block is not None]
        self._rows: Any = csc_array(vstack([rows for rows, _ in present])) if present else csc_array((0, self.entries))
        self._largest = np.concatenate([sides for _, sides in present] or [np.zeros(0)])
        inequalities = len(self._largest) - (0 if blocks["A_eq"] is None else len(blocks["A_eq"][1]))
        self._smallest = np.where(np.arange(len(self._largest)) < inequalities, -np.inf, self._largest)
        self._constraints = LinearConstraint(self._rows, self._smallest, self._largest) if present else ()
        self._counting = OwnLock()

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        order: Sequence[str] | None = None,
        time_limit: float | None = None,
        gap: float = 0.0,
        incumbent: bool = False,
        incumbent_gap: float = math.inf,
    ) -> "IntegerProgram":
        """The constraints, bounds and integrality of an LP or MPS file; its objective is ignored, theta takes its place.

        The program maximises even where the file says to minimise. A file may be packed (.gz, .bz2, .xz); text that is
        not UTF-8 is read as Latin-1. Ranges become two constraints; lazy constraints and user cuts are constraints like
        others; binary variables are 0 or 1 within their bounds; an integer one of an MPS file is 0 or 1 where it has no
        bounds; numbers from 1e20 on are infinite as bounds. A variable in no constraint and not in the objective is left
        out, with a :class:`ProgramWarning`, unless ``order`` names it.

        Args:
            path: a file whose name ends in .lp (CPLEX's format, not lp_solve's) or .mps, or in one of these and .gz, .bz2
                or .xz.
            order: every variable's name once, in the order of theta's entries; the file's order, of first mention, if None.
                ``names`` has it.
            time_limit: as in the constructor.
            gap: as in the constructor.
            incumbent: as in the constructor.
            incumbent_gap: as in the constructor.

        Raises:
            ArgumentError: no such file, no program in its format, or an order that is not one; what no linear or integer
                program has: quadratic terms, special ordered sets, indicator, general and piecewise linear constraints,
                semi-continuous variables, several objectives or scenarios; the message says where.
        """
        constraints, names = read_program(Path(path), order)
        limits: dict[str, Any] = {"gap": gap, "incumbent": incumbent, "incumbent_gap": incumbent_gap}
        program = cls(**constraints, time_limit=time_limit, **limits)
        program.names = names
        return program

    def __repr__(self) -> str:
        return f"IntegerProgram(variables={self.entries}, integers={self._integral.sum()}, rows={len(self._largest)})"

    def normals(self, gold: Tensor) -> Tensor:
        """Normals at solutions ``(B, *event)``, as :class:`imle_core.contracts.BindingSolver` says: rows and bounds.

        Sides count as equal within the tolerance of 1e-6.
        """
        rows, equal = self._rows.toarray(), np.isfinite(self._smallest)
        return normals_at(
            gold,
            self.entries,
            rows[equal],
            rows=rows[~equal],
            limits=self._largest[~equal],
            low=self._low,
            high=self._high,
            tolerance=_TOLERANCE,
        )

    def __call__(self, theta: Tensor) -> Tensor:
        """Solutions ``(N, *event)`` for parameters ``(N, *event)``, in theta's type and on its device."""
        gains = as_rows(theta)
        if gains.ndim == 0 or math.prod(gains.shape[1:]) != self.entries:
            raise wrong_shape(
                "theta",
                theta,
                f"the program has {self.entries} variables",
                f"it must be (N, *event) with {self.entries} entries an instance",
            )
        rows: Vector = gains.astype(np.float64).reshape(len(gains), self.entries)
        if not np.isfinite(rows).all():
            row, entry = np.argwhere(~np.isfinite(rows))[0]
            raise ArgumentError(
                "theta",
                f"{rows[row, entry]} in instance {row}",
                "an integer program needs finite numbers",
                "forbid an entry by its bounds",
            )
        solved: dict[bytes, tuple[Vector, bool]] = {}
        solutions, cut_short = np.empty_like(rows), 0
        for row, values in enumerate(rows):
            costs = _costs(values)
            key = costs.tobytes()
            if key not in solved:
                solved[key] = self._solve(costs, row)
            solutions[row], early = solved[key]
            cut_short += early
        z, lost = in_type_of(theta, solutions)
        lost |= (z.double().numpy() != solutions) & self._integral
        if lost.any():
            row, entry = np.argwhere(lost)[0]
            remedy = "use a wider type or smaller bounds" if theta.is_floating_point() else "use theta.float()"
            raise ArgumentError(
                "theta",
                str(theta.dtype),
                f"z has {solutions[row, entry]:.10g} in instance {row}, which it cannot hold",
                remedy,
            )
        with self._counting:
            self.incumbents += cut_short
        return z.to(theta.device).view(theta.shape)

    def _solve(self, costs: Vector, row: int) -> tuple[Vector, bool]:
        """The z of least cost, and whether the time limit cut the search short."""
        result = self._milp(costs, self._integral, self._bounds)
        early = result.status == 1
        if early and (not self.incumbent or result.x is None):
            number = "none" if result.x is None else "one"
            raise TimeLimitError(
                f"time_limit: got {self.time_limit}; instance {row} took longer, with {number} found that is feasible; "
                + ("allow more, or a gap" if self.incumbent else "allow more, a gap, or incumbent=True"),
                row,
            )
        if result.status not in (0, 1):
            raise self._failure(result, row)
        z = self._rounded(costs, result.x, row)
        asked = self.incumbent_gap if early else self.gap
        if result.mip_dual_bound is not None:
            value, bound = float(costs @ z), float(result.mip_dual_bound)
            # Entries may lie off by the tolerance, and the value with them.
            slack = _TOLERANCE * (1 + float(np.abs(costs) @ np.abs(z).clip(1)))
            if value - bound > (asked * abs(value) if value else 0) + slack:
                left = (value - bound) / abs(value) if value else math.inf
                name = "incumbent_gap" if early else "gap"
                raise GapError(
                    f"{name}: got {asked}; a gap of {left:.3g} is left in instance {row}; allow more time or a larger gap",
                    row,
                )
        return z, early

    def _rounded(self, costs: Vector, solution: Vector, row: int) -> Vector:
        """``solution`` within its bounds, with whole numbers where they must be."""
        from scipy.optimize import Bounds

        z = solution.clip(self._low, self._high)
        z[self._integral] = solution[self._integral].round()
        if self._holds(z):
            return z + 0.0  # -0.0 becomes 0.0
        held = Bounds(np.where(self._integral, z, self._low), np.where(self._integral, z, self._high))
        again = self._milp(costs, np.zeros_like(self._integral), held)
        if again.status:
            raise ProgramError(
                f"A: got rows that HiGHS meets only with numbers {_TOLERANCE} off whole ones in instance {row}; "
                "rounding breaks them; use smaller coefficients or tighter bounds",
                row,
            )
        return np.where(self._integral, z, again.x.clip(self._low, self._high)) + 0.0

    def _holds(self, z: Vector) -> bool:
        values = self._rows @ z
        above = values - self._largest > _TOLERANCE * np.abs(self._largest).clip(1)
        below = self._smallest - values > _TOLERANCE * np.abs(self._smallest).clip(1)
        return not (above | below).any()

    def _failure(self, result: Any, row: int) -> ProgramError:
        """The error for a result without z; only a solve without objective tells unbounded from infeasible."""
        status = int(result.status)
        if status != 2 and "unbounded" in result.message.lower():
            status = int(self._milp(np.zeros(self.entries), self._integral, self._bounds).status)
            if status == 0:
                return UnboundedError(
                    f"theta: got an objective without limit in instance {row}; the constraints must bound it; "
                    "give finite lower and upper bounds",
                    row,
                )
        if status == 2:
            return InfeasibleError(
                f"A: got a program without solution in instance {row}; some z must satisfy all constraints and bounds; "
                "loosen one",
                row,
            )
        reason = " ".join(str(result.message).split())
        return ProgramError(f"theta: HiGHS failed in instance {row} ({reason}); check the program's coefficients", row)

    def _milp(self, costs: Vector, integral: NDArray[np.bool_], bounds: Any) -> Any:
        from scipy.optimize import milp

        options: dict[str, Any] = {"mip_rel_gap": self.gap}
        if self.time_limit is not None:
            options["time_limit"] = float(self.time_limit)
        for presolve in (True, False):  # with which HiGHS fails on some small infeasible programs
            options["presolve"] = presolve
            result = milp(costs, integrality=integral, bounds=bounds, constraints=self._constraints, options=options)
            if result.status != _FAILED:
                break
        return result


def _check_limits(time_limit: float | None, gap: float, incumbent_gap: float) -> None:
    if time_limit is not None and not 0 < time_limit < math.inf:
        raise ArgumentError("time_limit", repr(time_limit), "it must be > 0 and finite", "use None for no limit")
    if not 0 <= gap < math.inf:
        raise ArgumentError("gap", repr(gap), "it must be >= 0 and finite", "use 0 for the best solution")
    if not incumbent_gap >= 0:
        raise ArgumentError("incumbent_gap", repr(incumbent_gap), "it must be >= 0", "use inf for any")


def _common_size(sizes: dict[str, int]) -> int:
    """Number of variables, on which all arguments that have one must agree."""
    if not any(sizes.values()):
        raise ArgumentError("A", "no variables", "a program needs at least one", "give A, A_eq or bounds with n entries")
    first, entries = next(iter(sizes.items()))
    for name, size in sizes.items():
        if size != entries:
            raise ArgumentError(
                name, f"{size} variables", f"{first} has {entries}", "all must have as many as theta has entries"
            )
    return entries


def _costs(values: Vector) -> Vector:
    """Costs to minimise: ``-values``, scaled; without -0.0, so that equal rows are equal bytes."""
    exponent = int(np.frexp(np.abs(values).max())[1])
    costs: Vector = 0.0 - np.ldexp(values, _LARGEST - exponent)
    return costs
