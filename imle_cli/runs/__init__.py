"""Folders of runs and sweeps, which outlive kills and company, and the processes that work on them."""
