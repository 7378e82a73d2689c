"""Portfolios of the most return within a limit on their risk."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from imle_core.checks import ArgumentError, check_finite, wrong_shape
from imle_core.solvers.integer_program.solver import ProgramError
from imle_core.solvers.rows import as_full_array, as_rows

Matrix = NDArray[np.float64]

_SYMMETRIC = 1e-9  # relative to the largest entry
_TOLERANCE = 1e-10  # Clarabel's, for a scaled problem


class Portfolio:
    """``argmax_z <z, theta>`` over shares ``z >= 0`` that sum to 1 with ``z^T covariance z <= risk * mean(covariance)``.

    theta holds the returns of the assets. A convex program, solved by Clarabel (``pip install 'imle[convex]'``), row by row,
    to 1e-10 relative to the spread of the returns. Shares are no zeros and ones. A row of equal returns has many best
    portfolios, of which Clarabel chooses one within, the same for the same row in any batch.

    Args:
        covariance: symmetric, without negative eigenvalues, ``(n, n)``.
        risk: largest variance, in units of the mean of the covariance's entries, > 0.

    Attributes:
        covariance: ``(n, n)`` float64.
        limit: largest variance.

    Raises:
        ArgumentError: Clarabel is not installed; a covariance that is none; a risk that no portfolio keeps to; when
            called, parameters that are not ``(N, n)`` and finite.
        ProgramError: when called, Clarabel fails.

    Source: Markowitz 1952, "Portfolio selection"; Goulart and Chen 2024, "Clarabel: an interior-point solver for conic
    programs with quadratic objectives".
    """

    pure, sense, takes_padding = True, "max", False

    def __init__(self, covariance: ArrayLike, risk: float = 2.25) -> None:
        _clarabel()
        self.covariance = _checked(as_full_array("covariance", covariance))
        check_finite("risk", risk, "the usual one is 2.25", positive=True)
        self.risk, self.limit = float(risk), float(risk) * float(self.covariance.mean())
        values, vectors = np.linalg.eigh(self.covariance)
        self._factor: Matrix = (vectors * np.sqrt(values.clip(0))).T  # the variance is |factor z|^2
        least = self._least_variance()
        if not self.limit > least:
            raise ArgumentError(
                "risk",
                f"{risk}, a variance of {self.limit:.3g}",
                f"no portfolio has less than {least:.3g}",
                "allow more" if self.covariance.mean() > 0 else "covariances that sum to 0 or less have no such unit",
            )

    def __repr__(self) -> str:
        return f"Portfolio({len(self.covariance)} assets, risk={self.risk:g})"

    def __call__(self, theta: Tensor) -> Tensor:
        """Shares of the best portfolios, ``(N, n)``, in theta's type and on its device."""
        rows = as_rows(theta)
        if rows.ndim != 2 or rows.shape[1] != len(self.covariance):
            raise wrong_shape(
                "theta", theta, f"{len(self.covariance)} assets need (N, {len(self.covariance)})", "give a return an asset"
            )
        if not np.isfinite(rows).all():
            count = int((~np.isfinite(rows)).sum())
            raise ArgumentError("theta", f"{count} NaN or infinite", "returns must be finite", "leave the asset out")
        bound = self._factor / np.sqrt(self.limit)
        shares = [self._solve(-_unit(row.astype(np.float64)), bound, row=number) for number, row in enumerate(rows)]
        z = np.stack(shares) if shares else np.zeros(rows.shape)
        return torch.from_numpy(z).to(theta)

    def _least_variance(self) -> float:
        """Variance of the portfolio with the least."""
        scale = float(np.abs(self.covariance).max()) or 1.0
        z = self._solve(np.zeros(len(self.covariance)), None, quadratic=2 * self.covariance / scale)
        return float(z @ self.covariance @ z)

    def _solve(self, costs: Matrix, bound: Matrix | None, *, quadratic: Matrix | None = None, row: int = 0) -> Matrix:
        """Shares of least ``1/2 z^T quadratic z + <costs, z>``, with ``|bound z| <= 1`` where there is one."""
        from scipy.sparse import csc_array  # here, since scipy takes long to import

        clarabel, count = _clarabel(), len(costs)
        blocks: list[Matrix] = [np.ones((1, count)), -np.eye(count)]
        sides: list[Matrix] = [np.ones(1), np.zeros(count)]
        cones: list[Any] = [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(count)]
        if bound is not None:
            blocks += [np.zeros((1, count)), -bound]
            sides += [np.ones(1), np.zeros(len(bound))]
            cones.append(clarabel.SecondOrderConeT(1 + len(bound)))
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.max_threads = 1
        settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = _TOLERANCE
        upper = csc_array(np.zeros((count, count)) if quadratic is None else np.triu(quadratic))
        system = csc_array(np.concatenate(blocks))
        solution = clarabel.DefaultSolver(upper, costs, system, np.concatenate(sides), cones, settings).solve()
        if str(solution.status) not in ("Solved", "AlmostSolved"):
            raise ProgramError(
                f"theta: Clarabel ended with {solution.status} in instance {row}; check the covariance's scale", row
            )
        shares = np.array(solution.x).clip(0)
        whole: Matrix = shares / shares.sum()
        return whole

    def typical_ones(self, event: Sequence[int]) -> float:  # noqa: ARG002
        """1, the sum of the shares."""
        return 1.0


def _unit(row: Matrix) -> Matrix:
    """Returns from -1 to 0: moved, since shares have a fixed sum, and scaled; 0 where all are equal."""
    lowered = row / 2 - row.max() / 2  # halves, whose difference is finite
    spread = -lowered.min()
    unit: Matrix = lowered / spread if spread > 0 else lowered
    return unit


def _checked(covariance: NDArray[Any]) -> Matrix:
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1] or covariance.size == 0:
        raise wrong_shape("covariance", covariance, "it must be (n, n)", "give a row and a column an asset")
    if covariance.dtype.kind not in "iuf" or not np.isfinite(covariance).all():
        raise ArgumentError("covariance", "entries that are no finite numbers", "it must have these", "correct them")
    matrix = covariance.astype(np.float64)
    room = _SYMMETRIC * float(np.abs(matrix).max())
    if np.abs(matrix - matrix.T).max() > room:
        raise ArgumentError("covariance", "a matrix that is not symmetric", "covariances are", "use (C + C.T) / 2")
    least = float(np.linalg.eigvalsh(matrix)[0])
    if least < -len(matrix) * room:
        raise ArgumentError(
            "covariance", f"an eigenvalue of {least:.3g}", "no variance is negative", "take the covariance of data"
        )
    return matrix


def _clarabel() -> Any:
    try:
        import clarabel
    except ImportError:
        raise ArgumentError(
            "Portfolio", "no solver of convex programs", "it needs Clarabel", "pip install 'imle[convex]'"
        ) from None
    return clarabel
