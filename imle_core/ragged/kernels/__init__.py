"""Compiled copies of ragged batches."""
