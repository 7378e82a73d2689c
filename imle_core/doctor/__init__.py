"""Conformance of a solver: :func:`check` examines whether it is what the estimators take it for."""

from imle_core.doctor.examination import CHECKS, Finding, check

__all__ = ["CHECKS", "Finding", "check"]
