"""Trainings of weights against a gold path, and grids of them."""
