"""Losses of decisions against true parameters or costs, and what they share."""
