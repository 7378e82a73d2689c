"""Graphs from files of many formats."""
