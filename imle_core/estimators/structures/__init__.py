"""Layers of several parameters at once, and of instances of several sizes."""
