"""Foundations of all compiled kernels: the compiler and its cache, vectors, elementary functions, random bits."""
