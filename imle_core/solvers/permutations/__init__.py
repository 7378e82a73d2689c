"""Solvers that put items in order or into pairs: rankings, assignments, tours."""
