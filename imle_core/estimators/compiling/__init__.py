"""Layers in code that torch compiles, and in programs that it exports."""
