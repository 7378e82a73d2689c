"""Compiled kernels of solvers that choose items."""
