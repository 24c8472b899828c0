"""The list of cases that a model's training leaves out, with the reason for each."""

from pathlib import Path

from inference.errors import FormatError, NotFoundError
from training.io.spreadsheet import read_table


def read_exclusions(path: Path) -> dict[str, str]:
    """Read case -> reason from a CSV with the columns `case` and `reason`.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if a column is missing, or a case has no reason.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no list of exclusions at {path}.")
    titles, rows = read_table(path)
    if not {"case", "reason"} <= set(titles):
        raise FormatError(f"{path} is not a list of exclusions: it needs the columns case and reason.")
    listed = {row["case"].strip(): row["reason"].strip() for row in rows}
    unexplained = next((case for case, reason in listed.items() if not reason), None)
    if unexplained is not None:
        raise FormatError(f"{path} does not say why {unexplained} is excluded: fill in its reason.")
    return listed
