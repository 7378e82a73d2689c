"""Losses over a pool of solutions, which solve nothing: contrastive ones, and rankings."""
