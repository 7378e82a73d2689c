"""Compiled kernels of projections."""
