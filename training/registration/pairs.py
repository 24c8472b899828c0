"""Which MRI belongs to which ultrasound: pairs by hand, or the rows of a case table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.errors import FormatError
from training.cohort.cases import read_cases

NEEDED = ("case", "us", "mri")


@dataclass(frozen=True, slots=True)
class Pair:
    """An ultrasound volume and its MRI.

    Attributes:
        case: names the results.
        us: ultrasound volume; None where the table has none.
        mris: one MRI or several in one world.
        label: tumour mask in the MRI's world.
        start: transform to begin with, MRI to ultrasound; None takes the files' worlds as one.
    """

    case: str
    us: Path | None
    mris: tuple[Path, ...]
    label: Path | None = None
    start: Path | None = None

    @property
    def files(self) -> list[Path]:
        """Every file of the pair."""
        return [path for path in (self.us, *self.mris, self.label, self.start) if path is not None]


def case_name(us: Path) -> str:
    """A volume's file name without its endings."""
    return us.name.partition(".")[0]


def chosen_pairs(paths: Sequence[Path], label: Path | None = None, start: Path | None = None) -> list[Pair]:
    """What a command line names: one case table, or one ultrasound volume and its MRI.

    Raises:
        NotFoundError: if there is no such table.
        FormatError: if the table cannot be used, or comes with what belongs to one pair.
    """
    if len(paths) > 1:
        return [Pair(case_name(paths[0]), paths[0], tuple(paths[1:]), label, start)]
    if label is not None or start is not None:
        raise FormatError("A table has its labels and starts in its columns mri_label and start: write them there.")
    return read_pairs(paths[0])


def read_pairs(table: Path) -> list[Pair]:
    """The cases of a table that are not excluded; it may lack every column but case, us and mri.

    One without any MRI is no pair if it has a mask of its own: there is nothing to carry over.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it cannot be read as a case table, or none of its cases has an MRI.
    """
    cases = [case for case in read_cases(table, NEEDED) if not case.exclude]
    wanted = [case for case in cases if case.mri or case.mri_label or not (case.us_label or case.sweep_label)]
    if cases and not wanted:
        raise FormatError(
            f"{table} names no MRI for any of its {len(cases)} cases, so nothing can be registered: write "
            "theirs into the column mri, or simulate patients with --mri."
        )
    return [Pair(case.case, case.us, case.mri, case.mri_label, case.start) for case in wanted]
