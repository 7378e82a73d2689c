"""Engines of the grid solver: each solves a batch of maps, and all agree to the tile."""
