"""Declared experiments: one YAML file each, and the format of these files."""
