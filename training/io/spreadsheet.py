"""CSV tables as people save them: by Excel in any of its encodings, with commas, semicolons or tabs."""

import csv
import io
from pathlib import Path

from inference.errors import FormatError
from inference.tables import as_read

_SEPARATORS = (",", ";", "\t")
_NAMED = "sep="
"""Excel's own first line that names the separator."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The titles and the rows of a table; a cell that is not there is empty, and a row without any is left out.

    A file that is not UTF-8 is taken for Windows' Latin-1 (CP1252), which is what Excel writes as "CSV" in the West.

    Raises:
        FormatError: if it is neither, or a row has more cells than there are titles: some stand below a wrong one then.
    """
    text = _decoded(path)
    first, _, rest = text.partition("\n")
    if first.lower().startswith(_NAMED):
        separator, text = first.strip()[len(_NAMED) :] or "\t", rest
    else:
        separator = max(_SEPARATORS, key=first.count)
    try:
        titles, *rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator)) or [[]]
    except csv.Error as error:
        raise FormatError(f"{path} cannot be read as a table ({error}): save it as CSV.") from error
    names = [title.strip() for title in titles]
    if any(any(row[len(names) :]) for row in rows):
        raise FormatError(
            f"{path} has a row with more cells than titles: put texts that hold a '{separator}' in quotes."
        )
    filled = ([as_read(cell) for cell in row] + [""] * (len(names) - len(row)) for row in rows if any(row))
    return names, [dict(zip(names, row, strict=False)) for row in filled]


def _decoded(path: Path) -> str:
    """The file as text."""
    content = path.read_bytes()
    try:
        return content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is in an unknown encoding: save it as CSV UTF-8.") from error
