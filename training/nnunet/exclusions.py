"""The list of cases that a model's training leaves out, with the reason for each."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from inference.errors import FormatError, NotFoundError
from training.io.spreadsheet import read_table
from training.slicing.slices import read_slices
from training.slicing.store import LEFT_OUT, read_left_out


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


def check_exclusions(excluded: Iterable[str], stores: Sequence[Path], path: Path) -> None:
    """Refuse a list that names a case which no store knows: written in another way, it would be trained on.

    Args:
        excluded: the cases.
        stores: the slice stores of the training; what they left out counts too.
        path: the list, for the sentence.

    Raises:
        FormatError: naming the case.
    """
    known = {row.case for store in stores for row in read_slices(store)}
    known |= {case for store in stores if (store / LEFT_OUT).is_file() for case in read_left_out(store)}
    unknown = next((case for case in excluded if case not in known), None)
    if unknown is not None:
        raise FormatError(
            f"{path} excludes the case {unknown}, which none of the slice stores holds: write its name as in the case "
            "table, or remove its row."
        )
