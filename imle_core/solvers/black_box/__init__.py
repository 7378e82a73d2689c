"""A function of one instance as a batched solver, on threads or processes."""

from imle_core.solvers.black_box.solver import BlackBox, SolveError

__all__ = ["BlackBox", "SolveError"]
