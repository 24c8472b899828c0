"""Experiments, declared: one YAML file each, and what may stand in it."""
