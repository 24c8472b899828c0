"""Simulated patients with the appearance of recorded volumes, as files and cases of their own."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its own documentation's name

from inference.errors import NotFoundError
from training.cohort.cases import Case, with_volumes, write_cases
from training.io.files import alone_in, written_aside
from training.io.progress import Bar
from training.registration.volume import read_image
from training.simulation import CohortError
from training.simulation.appearance import Appearance, Spacing, appearance_of, with_appearance
from training.simulation.noise import Field

TABLE = "cases.csv"


def match_cases(cases: Sequence[Case], recorded: Sequence[Path], out: Path, seed: int) -> list[Case]:
    """Write each simulated volume with the appearance of a recorded one, drawn for its case, and a table of them.

    A case's name gets the seed, so that one training can take it beside the original; its patient stays, so that no
    split parts the two. Sweeps are left out: they would look as before.

    Args:
        cases: simulated patients; excluded ones are left out.
        recorded: volumes whose appearance is taken over; nothing else of them is.
        out: gets the volumes and `cases.csv`.
        seed: of the draws.

    Raises:
        CohortError: if a case is recorded, since no recorded picture may be changed, or a volume has no appearance.
        NotFoundError: if no volume is left, or one is missing.
        FormatError: if a file is no volume.
        OutputError: if the folder cannot be made.
    """
    used = with_volumes(cases)
    for case, _ in used:
        if not case.simulated:
            raise CohortError(f"{case.case} is no simulated patient: a recorded picture is never changed.")
    for volume in recorded:
        if not volume.is_file():
            raise NotFoundError(f"There is no image at {volume}.")
    with alone_in(out):
        (out / TABLE).unlink(missing_ok=True)  # of other volumes than those that are there from now on
        appearances = [appearance_of(*_read(read_image(volume))) for volume in recorded]
        matched = [
            _match(case, volume, appearances, out, seed) for case, volume in Bar(used, desc="match", unit="volume")
        ]
        write_cases(matched, out / TABLE)
    return matched


def _match(case: Case, volume: Path, appearances: Sequence[Appearance], out: Path, seed: int) -> Case:
    """Write one volume on its own grid; gives its case."""
    name = f"{case.case}m{seed}"
    drawn = int(np.random.default_rng((seed, crc32(case.case.encode()))).integers(len(appearances)))
    image = read_image(volume)
    matched = sitk.GetImageFromArray(with_appearance(*_read(image), appearances[drawn]))
    matched.CopyInformation(image)
    path = out / f"{name}-US-{case.phase or 'before'}.nii.gz"
    with written_aside(path) as aside:
        sitk.WriteImage(matched, str(aside), useCompression=True)
    return replace(case, case=name, us=path, sweep=None, sweep_label=None)


def _read(image: sitk.Image) -> tuple[Field, Spacing]:
    """Grey values, (k, j, i), and mm along those axes."""
    i_mm, j_mm, k_mm = image.GetSpacing()
    return sitk.GetArrayFromImage(image).astype(np.float32), (k_mm, j_mm, i_mm)
