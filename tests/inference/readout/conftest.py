"""Contracts with measured figures."""

from contracts import clinical, contract, measured  # noqa: F401
