"""Opens a file as the program would, and reports what came of it."""

from pathlib import Path

from inference.errors import IusError
from inference.sources import open_source

FIRST_FRAMES = 5
"""How many frames of a file are read."""


def tried(path: Path) -> str:
    """What opening a file and reading its first frames came to: `ok`, or the sentence.

    Raises:
        AssertionError: if a scale is implausible or missing without a reason, or a sentence has more than one line.
    """
    try:
        with open_source(str(path)) as source:
            spacing = source.info.spacing
            assert spacing is None or (0.005 <= spacing.row_mm <= 3 and 0.005 <= spacing.col_mm <= 3)
            said = source.info.no_spacing_reason
            assert bool(said) == (spacing is None)
            for index in range(min(len(source), FIRST_FRAMES)):
                try:
                    source.read(index)
                except IusError as error:
                    said = str(error)
    except IusError as error:
        said = str(error)
    assert "\n" not in said
    return said or "ok"
