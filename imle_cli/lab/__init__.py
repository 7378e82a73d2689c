"""Measurements of estimators and noise, ready to be reported."""
