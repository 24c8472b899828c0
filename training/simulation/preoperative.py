"""What is known before surgery of a simulated patient, and by a second reader: files in the layouts of RESECT."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.io.files import written_aside
from training.registration.landmarks import Landmarks, best_rigid, mtre_mm
from training.registration.transforms import angle_deg, apply, write_transform
from training.simulation import files
from training.simulation.anatomy import Anatomy
from training.simulation.border import drawn_border
from training.simulation.displacement import Displacement, draw_displacement
from training.simulation.label_error import IMPERFECTIONS, READER, LabelError, Reader
from training.simulation.mri import render_mri
from training.simulation.parameters import Tumour
from training.simulation.scanning import Volume, on_grid

_POINTS = (15, 16)
_CANDIDATES = 400
_BORDER_MM = 0.7


@dataclass(frozen=True, slots=True)
class Seen:
    """A patient and the ultrasound volume, from which MRI, labels and landmarks follow."""

    case: str
    anatomy: Anatomy
    tumour: Tumour
    volume: Volume


def write_preoperative(out: Path, seen: Seen, level: LabelError, seed: tuple[int, ...]) -> dict[str, Any]:
    """Write MRI, its label, landmarks, the true transform and the second reader's mask; return what is true of them.

    Args:
        out: folder of the cohort.
        seen: the patient.
        level: of brain shift and label error; it changes how far things are off, never what is drawn at random.
        seed: of the patient.
    """
    case, anatomy, imperfection = seen.case, seen.anatomy, IMPERFECTIONS[level]
    moved_rng, mri_rng, label_rng, reader_rng, landmark_rng = (np.random.default_rng((*seed, at)) for at in range(5))
    displacement = draw_displacement(moved_rng, anatomy.box, anatomy.centre, imperfection)
    annotator = Reader(imperfection.border_mm, imperfection.habit_mm, missed_share=0.0)
    drawn = drawn_border(label_rng, anatomy.box, anatomy.tissue.tumour, annotator)
    mri = render_mri(mri_rng, anatomy, seen.tumour, displacement, drawn)
    landmarks = _pick(landmark_rng, seen, displacement)
    written = {
        "t1": f"RESECT/NIFTI/{case}/MRI/{case}-T1.nii.gz",
        "flair": f"RESECT/NIFTI/{case}/MRI/{case}-FLAIR.nii.gz",
        "mri_label": f"RESECT_segmentation/{case}/{case}-FLAIR-tumor.nii.gz",
        "landmarks": f"RESECT/NIFTI/{case}/Landmarks/{case}-MRI-beforeUS.tag",
        "annotator2": f"annotator2/{case}/{case}-US-before-tumor.nii.gz",
        "mri_to_us": f"truth/{case}-mri-to-us.txt",
    }
    files.write_nifti(out / written["t1"], files.resect_volume(mri.t1, mri.affine))
    files.write_nifti(out / written["flair"], files.resect_volume(mri.flair, mri.affine))
    files.write_nifti(out / written["mri_label"], files.resect_mask(mri.label, mri.affine))
    second = on_grid(drawn_border(reader_rng, anatomy.box, anatomy.tissue.tumour, READER), anatomy, seen.volume) > 0
    files.write_nifti(out / written["annotator2"], files.resect_mask(second.astype(np.uint8), seen.volume.affine))
    _write_tag(out / written["landmarks"], landmarks)
    write_transform(displacement.navigation, (out / written["mri_to_us"]).with_suffix(""))
    return {"files": written, "mri": _truth(seen, displacement, landmarks, second)}


def _truth(seen: Seen, moved: Displacement, landmarks: Landmarks, second: NDArray[np.bool_]) -> dict[str, float]:
    """Sizes of what was done to the patient, for the cohort's table."""
    box = seen.anatomy.box
    at = np.argwhere(seen.anatomy.tissue.tumour > 0)[:, [2, 0, 1]]
    tumour = np.stack([axis[at[:, n]] for n, axis in enumerate((box.x, box.y, box.z))], axis=1).astype(np.float64)
    shift, first = moved.size_mm(tumour), seen.volume.truth > 0
    middle = apply(box.to_ras, seen.anatomy.centre[None])
    sizes = {
        "navigation_mm": float(np.linalg.norm(apply(moved.navigation, middle) - middle)),
        "navigation_deg": angle_deg(moved.navigation),
        "brain_shift_mean_mm": float(shift.mean()),
        "brain_shift_max_mm": float(shift.max()),
        "mtre_navigation_mm": mtre_mm(landmarks),
        "mtre_true_rigid_mm": mtre_mm(landmarks, moved.navigation),
        "mtre_best_rigid_mm": mtre_mm(landmarks, best_rigid(landmarks)),
        "annotator2_dice": float(2 * (first & second).sum() / max(1, int(first.sum() + second.sum()))),
    }
    return {name: round(size, 3) for name, size in sizes.items()}


def _pick(rng: np.random.Generator, seen: Seen, displacement: Displacement) -> Landmarks:
    """15 or 16 points on folds and the tumour's border within the sector, far from each other; no picking error."""
    anatomy, box = seen.anatomy, seen.anatomy.box
    edge = (anatomy.sulci > 0.5) | (np.abs(anatomy.tissue.tumour) < _BORDER_MM)
    index = np.argwhere(edge)
    y, z, x = (axis[index[:, n]] for n, axis in enumerate((box.y, box.z, box.x)))
    points = np.stack([x, y, z], axis=1).astype(np.float64)
    visible = points[_in_sector(seen.volume, apply(box.to_ras, points))]
    candidates = visible[rng.permutation(len(visible))[:_CANDIDATES]]
    chosen = _spread(candidates, int(rng.integers(_POINTS[0], _POINTS[1] + 1)))
    return Landmarks(seen.case, displacement.to_mri(chosen), apply(box.to_ras, chosen))


def _in_sector(volume: Volume, world: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the ultrasound shows the points."""
    index = np.rint(apply(np.asarray(np.linalg.inv(volume.affine), np.float64), world)).astype(int)
    inside = ((index >= 0) & (index < volume.image.shape)).all(axis=1)
    shown = np.zeros(len(world), bool)
    shown[inside] = volume.image[tuple(index[inside].T)] > 0
    return shown


def _spread(points: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The first point and then, each time, the one farthest from all chosen."""
    chosen = [0]
    distance = np.linalg.norm(points - points[0], axis=1)
    while len(chosen) < min(count, len(points)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return points[chosen]


def _write_tag(path: Path, landmarks: Landmarks) -> None:
    """Write an MNI tag point file as RESECT's are, byte for byte: no end of line after the last `;`."""
    number = landmarks.case.removeprefix("Case")
    pairs = np.concatenate([landmarks.mri, landmarks.us], axis=1)
    lines = [" " + " ".join(f"{value:.6f}" for value in pair) + ' ""' for pair in pairs]
    head = f"MNI Tag Point File\nVolumes = 2;\n% Case {number}: MRI-beforeUS landmarks\n\nPoints =\n"
    with written_aside(path) as aside:
        aside.write_bytes((head + "\n".join(lines) + ";").encode())
