"""The list of cases that a model's training leaves out, with the reason for each."""

import csv
from pathlib import Path

from inference.errors import FormatError, NotFoundError


def read_exclusions(path: Path) -> dict[str, str]:
    """Read case -> reason from a CSV with the columns `case` and `reason`.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if a column is missing, or a case has no reason.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no list of exclusions at {path}.")
    with path.open(newline="") as stream:
        reader = csv.DictReader(stream)
        if not {"case", "reason"} <= set(reader.fieldnames or ()):
            raise FormatError(f"{path} is not a list of exclusions: it needs the columns case and reason.")
        listed = {row["case"]: (row["reason"] or "").strip() for row in reader}
    unexplained = next((case for case, reason in listed.items() if not reason), None)
    if unexplained is not None:
        raise FormatError(f"{path} does not say why {unexplained} is excluded: fill in its reason.")
    return listed
