"""Compiled kernels of solvers of permutations."""
