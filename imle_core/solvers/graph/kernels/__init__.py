"""Compiled kernels on graphs."""
