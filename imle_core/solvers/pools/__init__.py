"""Solvers that choose from a list of solutions."""
