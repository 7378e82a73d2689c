"""Compiled kernels of the solvers on plain rows."""
