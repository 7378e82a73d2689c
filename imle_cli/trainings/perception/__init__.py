"""Trainings of networks on images of maps, and grids of them."""
