"""Declared experiments: one YAML file each, and the format of these files."""

from pathlib import Path

FOLDER = Path(__file__).parent
"""The folder of the experiments in the package: NAME.yaml."""


def known() -> str:
    """The names of the declared experiments, in words."""
    return ", ".join(sorted(one.stem for one in FOLDER.glob("*.yaml")))
