"""Speeds and memory on this machine: the measurements of ``imle bench``."""
