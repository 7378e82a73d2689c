"""Compiled kernels of pools of solutions."""
