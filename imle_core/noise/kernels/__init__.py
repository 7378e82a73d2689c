"""Compiled draws of noise."""
