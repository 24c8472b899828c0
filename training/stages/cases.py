"""`ius-train cases`: find the cases of data sets on disk and write their table."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from training.datasets.inclusion import WIDER, Inclusion
from training.stages.numbers import within

if TYPE_CHECKING:
    from training.cohort.cases import Case
    from training.datasets.pictures import PictureSet

WORDS = "find the cases of data sets on disk and write their table"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the data sets and what to take from them."""
    one.add_argument(
        "--resect",
        type=Path,
        metavar="DIR",
        help="RESECT: NIFTI/CaseN/{US,MRI,Landmarks}, all in CaseN, or as torch_em downloads it",
    )
    one.add_argument("--resect-seg", type=Path, metavar="DIR", help="RESECT-SEG: CaseN/CaseN-US-before-tumor.nii.gz")
    one.add_argument("--sweeps", type=Path, metavar="DIR", help="simulated cohorts: CaseN/CaseN-sweep.dcm")
    one.add_argument(
        "--easy-resect", type=Path, metavar="DIR", help="EASY-RESECT: NIFTI/CaseN/CaseN-US-before-resize.nii"
    )
    one.add_argument("--remind", type=Path, metavar="DIR", help="ReMIND: DICOM as TCIA's downloader lays it out")
    one.add_argument("--clinical", type=Path, metavar="TABLE", help="ReMIND's clinical table (.xlsx, .csv)")
    one.add_argument(
        "--clinical-columns",
        nargs=3,
        default=("", "", ""),
        metavar=("PATIENT", "DIAGNOSIS", "SURGERY"),
        help="titles of its columns, where they are not recognised; SURGERY says whether there was an earlier one",
    )
    one.add_argument(
        "--remind-drawn",
        type=Path,
        metavar="DIR",
        help="masks drawn on ReMIND's ultrasound (Zenodo 22214974): ReMIND-001-pre-us-segmentation.nii.gz",
    )
    one.add_argument("--remind2reg", type=Path, metavar="DIR", help="ReMIND2Reg: imagesTr/ReMIND2Reg_0001_0000.nii.gz")
    _add_patterns(one)
    one.add_argument(
        "--folder", type=Path, nargs="+", default=[], metavar="CSV", help="manifests: case tables of your own"
    )
    one.add_argument(
        "--raidionics", type=Path, metavar="DIR", help="masks of MRI without one: DIR/CASE/…labels_Tumor.nii.gz"
    )
    one.add_argument(
        "--mri",
        choices=("flair", "ce-t1", "both", "own"),
        default="both",
        help="what to register; own is the one that the mask was drawn on (default: %(default)s)",
    )
    one.add_argument(
        "--include",
        nargs="+",
        choices=WIDER,
        default=[],
        help="ReMIND and manifests: more than the paper took, which is before resection, at the first surgery, gliomas "
        "and metastases",
    )
    one.add_argument(
        "--check", action="store_true", help="read every picture and mask: grids, swapped or inverted masks"
    )
    one.add_argument("--cache", type=Path, metavar="DIR", help="NIfTI made from DICOM, and calibrated copies")
    one.add_argument("--convert-excluded", action="store_true", help="convert excluded DICOM too, to take it back in")
    one.add_argument(
        "--out", type=Path, required=True, help="the case table (CSV); what was found is told beside it (.txt)"
    )


def _add_patterns(one: argparse.ArgumentParser) -> None:
    """Add the arguments for data sets described by patterns."""
    one.add_argument(
        "--curious",
        nargs=3,
        metavar=("IMAGES", "MASKS", "PATIENT"),
        help="CuRIOUS-SEG: two globs, a regular expression",
    )
    one.add_argument(
        "--images",
        nargs=4,
        action="append",
        default=[],
        metavar=("NAME", "IMAGES", "MASKS", "PATIENT"),
        help="any other set: name, two globs, a regular expression; again for more",
    )
    one.add_argument("--bratious", nargs=2, metavar=("DIR", "PATIENT"), help="BraTioUS: folder, a regular expression")
    one.add_argument(
        "--nnunet",
        nargs=2,
        metavar=("DIR", "PATIENT"),
        help="a raw data set of nnU-Net's: DatasetNNN_Name, a regular expression",
    )
    one.add_argument(
        "--pixel-mm", type=within(0.005, 3.0), metavar="MM", help="side of the pixels of 2D pictures without scale"
    )


def run(arguments: argparse.Namespace) -> None:
    """Find the cases, check them, write the table and report what was found."""
    from training.cohort.cases import write_cases
    from training.datasets.raidionics import HOW, with_masks
    from training.datasets.report import told, write_told

    cases = list(_found(arguments))
    if arguments.raidionics:
        cases = list(with_masks(cases, arguments.raidionics))
    if arguments.check:
        from training.datasets.checks import checked_files

        cases = checked_files(cases)
    _check_names(cases)
    write_cases(cases, arguments.out)
    write_told(cases, arguments.out.with_suffix(".txt"))
    print(told(cases))
    lacking = sum(bool(case.us and case.mri and not case.mri_label and not case.us_label) for case in cases)
    if lacking:
        print(f"{lacking} cases have MRI but no mask: {HOW}", file=sys.stderr)
    excluded = sum(case.exclude for case in cases)
    print(f"{len(cases)} cases, {excluded} excluded: {arguments.out}", file=sys.stderr)


def _check_names(cases: "list[Case]") -> None:
    """Refuse a table in which two cases have the same name."""
    from inference.errors import FormatError, NotFoundError
    from training.cohort.cases import of_one_name

    if not cases:
        raise NotFoundError("No data set was named: give --resect, --remind, --folder or another.")
    twice = of_one_name(cases)
    if twice is not None:
        raise FormatError(
            f"Two cases would be called {twice.removesuffix(' twice')}: rename a file, or give the sets one by one."
        )


def _found(arguments: argparse.Namespace) -> "Iterator[Case]":
    """Every case of every named data set."""
    from inference.errors import NotFoundError
    from training.datasets import easy_resect, manifest, nnunet_raw, pictures, remind2reg, resect

    if arguments.resect:
        yield from resect.find_cases(arguments.resect, arguments.resect_seg, arguments.sweeps, arguments.mri)
    if arguments.easy_resect:
        yield from easy_resect.find_cases(arguments.easy_resect, arguments.resect_seg, arguments.mri)
    if arguments.remind:
        yield from _remind(arguments)
    elif arguments.remind_drawn or arguments.clinical:
        raise NotFoundError("--remind-drawn and --clinical are of ReMIND's patients: give --remind DIR too.")
    if arguments.remind2reg:
        yield from remind2reg.find_cases(arguments.remind2reg)
    if arguments.nnunet:
        yield from nnunet_raw.find_cases(
            Path(arguments.nnunet[0]), arguments.nnunet[1], arguments.cache, arguments.pixel_mm
        )
    for chosen in _patterns(arguments):
        yield from pictures.find_cases(chosen, arguments.cache, arguments.pixel_mm)
    for path in arguments.folder:
        yield from manifest.find_cases(path, Inclusion(arguments.include))


def _remind(arguments: argparse.Namespace) -> "list[Case]":
    """ReMIND's cases, converted to NIfTI."""
    from inference.errors import NotFoundError
    from training.datasets.clinical import Columns
    from training.datasets.remind import Choice, find_cases
    from training.datasets.remind_drawn import DrawnMasks

    if arguments.cache is None:
        raise NotFoundError("ReMIND is DICOM: give --cache DIR for the NIfTI made from it.")
    choice = Choice(
        arguments.cache,
        arguments.clinical,
        Columns(*arguments.clinical_columns),
        Inclusion(arguments.include),
        arguments.mri,
        arguments.convert_excluded,
        None if arguments.remind_drawn is None else DrawnMasks(arguments.remind_drawn, arguments.cache),
    )
    found = find_cases(arguments.remind, choice)
    if choice.drawn is not None and choice.drawn.left:
        left = ", ".join(path.name for path in choice.drawn.left)
        print(f"On no volume that was taken: {left}", file=sys.stderr)
    return found


def _patterns(arguments: argparse.Namespace) -> "Iterator[PictureSet]":
    """The data sets described by patterns."""
    from training.datasets.pictures import PictureSet, bratious

    if arguments.curious:
        yield PictureSet("CuRIOUS-SEG", *arguments.curious)
    if arguments.bratious:
        yield bratious(Path(arguments.bratious[0]), arguments.bratious[1])
    for given in arguments.images:
        yield PictureSet(*given)
