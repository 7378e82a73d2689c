"""Solvers that choose items: the k best, those that fit into knapsacks, those of a portfolio of constraints."""
