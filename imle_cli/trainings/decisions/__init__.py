"""Trainings of networks on decisions, and grids of them."""
