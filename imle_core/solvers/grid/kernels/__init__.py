"""Compiled kernels on grids."""
