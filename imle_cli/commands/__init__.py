"""One file a command: read, call imle_core, draw, report."""
