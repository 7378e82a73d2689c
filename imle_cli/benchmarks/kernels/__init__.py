"""Compiled rivals of our own solvers."""
