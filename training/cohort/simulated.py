"""The mark of a folder of simulated patients: cohort.json, which the simulation writes last."""

import json
from pathlib import Path

from inference.errors import FormatError

COHORT, RECIPE = "cohort.json", "recipe.json"
"""Written when the simulation has ended, and when it begins."""
_OURS = frozenset({"version", "seed", "kind", "detail"})


def refuse_half_simulated(folder: Path) -> None:
    """Refuse a folder whose simulation was stopped: without their mark its patients would pass for recorded ones.

    Raises:
        FormatError: if so.
    """
    recipe = folder / RECIPE
    if (folder / COHORT).is_file() or not recipe.is_file():
        return
    try:
        told = json.loads(recipe.read_text(encoding="utf-8"))
    except ValueError:  # somebody else's
        return
    if isinstance(told, dict) and told.keys() >= _OURS:
        raise FormatError(
            f"{folder} holds simulated patients, and its simulation was stopped: run 'ius-train simulate' again, which "
            "goes on."
        )
