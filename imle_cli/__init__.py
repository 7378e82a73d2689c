"""Paths and options in, pictures and reports out."""
