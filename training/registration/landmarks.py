"""Corresponding landmarks of MRI and ultrasound (.tag files), and the target registration error computed from them."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError, NotFoundError
from training.registration.mapping import FIELD, Mapping, read_mapping, to_us
from training.registration.output import refuse_unfinished
from training.registration.result import TABLE, read_results
from training.registration.transforms import Matrix

_FIRST_LINE = "MNI Tag Point File"
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_PAIR = re.compile(rf"\s*({_NUMBER}(?:\s+{_NUMBER}){{5}})(?![\w.])")
_COMMENT = re.compile(r"(?m)^\s*%.*$")
_RESECT = re.compile(r"(?i)-MRI-beforeUS$")
_FEWEST_FOR_RIGID = 3


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """The landmarks of one case.

    Attributes:
        case: the file's name without its ending, and without RESECT's `-MRI-beforeUS`.
        mri: (n, 3) in MRI world, RAS mm.
        us: (n, 3) in ultrasound world, RAS mm.
    """

    case: str
    mri: NDArray[np.float64]
    us: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Errors:
    """Target registration error over cases.

    Attributes:
        each: mean distance of corresponding landmarks of each case, mm.
        mean_mm: their mean.
        sd_mm: their standard deviation (n − 1); None for a single case.
    """

    each: dict[str, float]
    mean_mm: float
    sd_mm: float | None

    def as_json(self) -> str:
        """As JSON: cases, mtre_mean_mm, mtre_sd_mm, and mtre_mm of each case."""
        return json.dumps(
            {"cases": len(self.each), "mtre_mean_mm": self.mean_mm, "mtre_sd_mm": self.sd_mm, "mtre_mm": self.each}
        )

    def as_text(self) -> str:
        """As lines: each case, then the mean and standard deviation over them."""
        lines = [f"{case:<12} {value:6.2f} mm" for case, value in self.each.items()]
        spread = "" if self.sd_mm is None else f" ± {self.sd_mm:.2f}"
        plural = "" if len(self.each) == 1 else "s"
        return "\n".join([*lines, f"{len(self.each)} case{plural}: mTRE {self.mean_mm:.2f}{spread} mm"])


def read_landmarks(path: Path) -> Landmarks:
    """Read an MNI tag point file of two volumes: MRI x y z, then ultrasound x y z, RAS mm.

    Raises:
        NotFoundError: if there is no such file.
        FormatError: if it is no tag file of two volumes, or holds no landmark.
    """
    if not path.is_file():
        raise NotFoundError(f"There is no landmark file at {path}.")
    text = path.read_text(encoding="utf-8", errors="replace")
    if not text.startswith(_FIRST_LINE):
        raise FormatError(f"{path} is not an MNI tag file: its first line is not '{_FIRST_LINE}'.")
    if not re.search(r"Volumes\s*=\s*2\s*;", text):
        raise FormatError(f"{path} does not hold landmarks of two volumes (Volumes = 2).")
    _, _, listed = _COMMENT.sub("", text).partition("Points")
    pairs = [_pair(line, path) for line in listed.lstrip(" =").splitlines() if line.strip(" \t;")]
    if not pairs:
        raise FormatError(f"{path} holds no landmarks.")
    points = np.array(pairs)
    return Landmarks(_RESECT.sub("", path.stem), points[:, :3], points[:, 3:])


def _pair(line: str, path: Path) -> list[float]:
    """The six numbers at the start of a line; the label and a closing `;` are ignored."""
    found = _PAIR.match(line)
    if found is None:
        raise FormatError(f"{path} has a landmark without six numbers: {line.strip()!r}.")
    return [float(word) for word in found[1].split()]


def mtre_mm(landmarks: Landmarks, mapping: Mapping | None = None) -> float:
    """Mean distance of corresponding landmarks under a matrix MRI to ultrasound or a deformation, mm."""
    moved = landmarks.mri if mapping is None else to_us(mapping, landmarks.mri)
    return float(np.linalg.norm(moved - landmarks.us, axis=1).mean())


def best_rigid(landmarks: Landmarks) -> Matrix:
    """The rigid transform, MRI to ultrasound, of least squared landmark error (Kabsch 1976): no other fits better.

    Raises:
        FormatError: if there are fewer than three landmarks.
    """
    if len(landmarks.mri) < _FEWEST_FOR_RIGID:
        raise FormatError(f"{landmarks.case} has {len(landmarks.mri)} landmarks: a rigid transform needs three.")
    mri, us = landmarks.mri.mean(axis=0), landmarks.us.mean(axis=0)
    left, _, right = np.linalg.svd((landmarks.us - us).T @ (landmarks.mri - mri))
    matrix = np.eye(4)
    matrix[:3, :3] = left @ np.diag([1.0, 1.0, float(np.sign(np.linalg.det(left @ right)))]) @ right
    matrix[:3, 3] = us - matrix[:3, :3] @ mri
    return matrix


def measure(files: Iterable[Path], transform: Path | None = None) -> Errors:
    """The error of each landmark file and over all.

    Args:
        files: .tag files, one a case.
        transform: a transform for all cases, or a folder that holds one for each, as `transform_of` finds it; None
            measures the navigation's.

    Raises:
        NotFoundError: if a file is missing.
        FormatError: if one cannot be read, or two are of one case.
    """
    each: dict[str, float] = {}
    for path in files:
        landmarks = read_landmarks(path)
        if landmarks.case in each:
            raise FormatError(f"{path} is the second file of the case {landmarks.case}: give each case once.")
        mapping = None if transform is None else read_mapping(transform_of(transform, landmarks.case))
        each[landmarks.case] = mtre_mm(landmarks, mapping)
    values = np.array(list(each.values()))
    return Errors(each, float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else None)


def transform_of(transform: Path, case: str) -> Path:
    """The case's own transform if there is a folder of them, which may be that of `ius-train register`.

    A landmark file calls its case `Case1`, and a case table puts the data set before it: `RESECT-Case1`.

    Raises:
        NotFoundError: if the folder has none, or the case's registration was not finished.
        FormatError: if it has those of two data sets, or the case's last registration failed.
    """
    if not transform.is_dir():
        _refuse_unfinished(transform)
        return transform
    folders = (transform, transform / "transforms")
    known = [
        path for folder in folders for kind in ("*.txt", "*.tfm", f"*{FIELD}") for path in sorted(folder.glob(kind))
    ]
    found = [path for path in known if _named(path) == case] or [
        path for path in known if _named(path).endswith(f"-{case}")
    ]
    if not found:
        raise NotFoundError(f"{transform} holds no {case}.txt or {case}.tfm, nor does its folder transforms.")
    if len({_named(path) for path in found}) > 1:
        named = " and ".join(sorted({_named(path) for path in found}))
        raise FormatError(f"{transform} holds {named}: give the transform file that is meant.")
    _refuse_failed(transform, _named(found[0]))
    _refuse_unfinished(found[0])
    return found[0]


def _refuse_unfinished(path: Path) -> None:
    """Refuse a transform in a folder of `ius-train register` that was stopped while it registered the case."""
    folder = path.resolve().parents[1]
    if path.resolve().parent.name == "transforms" and (folder / "cases").is_dir():
        refuse_unfinished(folder, _named(path))


def _refuse_failed(folder: Path, case: str) -> None:
    """Refuse the transform of an earlier run, where the case's last registration failed: its files are others now.

    Raises:
        FormatError: if so.
    """
    rows = read_results(folder) if (folder / TABLE).is_file() else []
    failed = next((row.error for row in rows if row.case == case and row.error), "")
    if failed:
        raise FormatError(f"{folder} holds an earlier transform of {case}, whose last registration failed: {failed}")


def _named(path: Path) -> str:
    """The case that a transform is named after."""
    return path.name.removesuffix(FIELD) if path.name.endswith(FIELD) else path.stem
