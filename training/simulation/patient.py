"""One simulated patient from a number: draw, build, scan, write."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from training.simulation import files, scanning
from training.simulation.acoustics import Scene, build_scene
from training.simulation.anatomy import Anatomy, build_anatomy
from training.simulation.cavity import Cavity, draw_cavity
from training.simulation.greymap import GreyMap
from training.simulation.label_error import LabelError
from training.simulation.look import PLAIN, Look, draw_look
from training.simulation.parameters import CohortKind, Scanner, Tumour, draw_scanner, draw_tumour
from training.simulation.preoperative import Seen, write_preoperative


@dataclass(frozen=True, slots=True)
class Detail:
    """How finely a patient is scanned: mm for voxels, planes and tissue grid; samples, lines, pixels, frames."""

    voxel_mm: float = 0.35
    plane_mm: float = 0.6
    tissue_mm: float = 0.5
    samples: int = 640
    lines: int = 208
    frame_size: int = 512
    frames: int = 64

    @property
    def sweeps(self) -> bool:
        """Whether native frames are recorded."""
        return self.frames > 0


FULL = Detail()
MINI = Detail(voxel_mm=0.5, plane_mm=0.8, tissue_mm=0.6, samples=512, lines=176, frames=0)
HARD = Detail(voxel_mm=0.5, plane_mm=0.9, tissue_mm=0.6, samples=480, lines=168, frame_size=400, frames=12)
SMALL = Detail(voxel_mm=0.7, plane_mm=1.5, tissue_mm=1.0, samples=400, lines=128, frame_size=192, frames=10)


def detail_of(kind: CohortKind, small: bool) -> Detail:
    """How finely a cohort's patients are scanned."""
    if kind.miniature:
        return replace(SMALL, frames=0) if small else MINI
    detail = SMALL if small else HARD if kind.hard else FULL
    return detail if kind.sweeps else replace(detail, frames=0)


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient in front of a scanner, and the random stream that goes on from there."""

    number: int
    tumour: Tumour
    scanner: Scanner
    anatomy: Anatomy
    scene: Scene
    rng: np.random.Generator
    seed: tuple[int, int, int]
    kind: CohortKind
    look: Look = PLAIN
    cavity: Cavity | None = None


def draw_patient(
    seed: int,
    number: int,
    kind: CohortKind,
    detail: Detail,
    tumour: Tumour | None = None,
    scanner: Scanner | None = None,
) -> Patient:
    """Draw patient `number` of a cohort, or the given tumour and scanner; equal arguments give equal patients."""
    cv2.setNumThreads(1)
    seeds = (seed, list(CohortKind).index(kind), number)
    rng = np.random.default_rng(seeds)
    drawn_tumour, drawn_scanner = draw_tumour(rng, kind), draw_scanner(rng, kind)
    tumour, scanner = tumour or drawn_tumour, scanner or drawn_scanner
    look, cavity = (draw_look(rng), draw_cavity(rng, tumour.radius_mm, kind.cavities)) if kind.hard else (PLAIN, None)
    anatomy = build_anatomy(rng, tumour, scanner.face_radius_mm, detail.tissue_mm, look, cavity)
    scene = build_scene(rng, anatomy.box, anatomy.tissue, scanner, detail.samples, detail.lines)
    return Patient(number, tumour, scanner, anatomy, scene, rng, seeds, kind, look, cavity)


def write_patient(out: Path, patient: Patient, detail: Detail, label_error: LabelError | None = None) -> dict[str, Any]:
    """Scan a patient, write the files below `out`, and return the entry in the cohort's table.

    Args:
        out: folder of the cohort.
        patient: whom.
        detail: how finely; without frames there is no sweep.
        label_error: with MRI, landmarks and a second reader at this level; None for none of them.
    """
    case = f"Case{patient.number}"
    scene, anatomy, rng = patient.scene, patient.anatomy, patient.rng
    poses = scanning.volume_poses(rng, anatomy, detail.plane_mm)
    levels = scanning.render_fan(scene, poses)
    grey = scanning.set_grey_map(scene, levels)
    voxel_mm = detail.voxel_mm if patient.look is PLAIN else detail.voxel_mm * float(rng.uniform(0.75, 1.3))
    volume = scanning.compound(rng, scene, anatomy, poses, grey.apply(levels), voxel_mm)
    cavity = anatomy.tissue.cavity if patient.kind is CohortKind.RESECTED else None
    phase = "before" if cavity is None else "during"
    written = {
        "volume": f"RESECT/NIFTI/{case}/US/{case}-US-{phase}.nii.gz",
        "truth": f"RESECT_segmentation/{case}/{case}-US-{phase}-tumor.nii.gz",
    }
    files.write_nifti(out / written["volume"], files.resect_volume(volume.image, volume.affine))
    files.write_nifti(out / written["truth"], files.resect_mask(volume.truth, volume.affine))
    if cavity is not None:
        written["cavity"] = f"RESECT_segmentation/{case}/{case}-US-{phase}-resection.nii.gz"
        hole = (scanning.on_grid(cavity, anatomy, volume) > 0).astype(np.uint8)
        files.write_nifti(out / written["cavity"], files.resect_mask(hole, volume.affine))
    entry: dict[str, Any] = {
        "case": case,
        "tumour": asdict(patient.tumour),
        "scanner": asdict(patient.scanner),
        "tumour_cm3": round(float((anatomy.tissue.tumour > 0).sum()) * anatomy.box.step_mm**3 / 1000.0, 3),
        "tumour_centre_ras_mm": [round(float(c), 2) for c in anatomy.site.centre],
    }
    if patient.look is not PLAIN:
        entry |= {"look": asdict(patient.look), "cavity": None if patient.cavity is None else asdict(patient.cavity)}
    if detail.sweeps:
        entry |= _write_sweep(out, patient, detail, grey, written)
    if label_error is not None:
        seen = Seen(case, anatomy, patient.tumour, volume)
        made = write_preoperative(out, seen, label_error, patient.seed)
        written |= made["files"]
        entry["mri"] = made["mri"]
    return entry | {"files": written}


def _write_sweep(
    out: Path, patient: Patient, detail: Detail, grey: GreyMap, written: dict[str, str]
) -> dict[str, float]:
    """Record and write native frames; their names go into `written`."""
    case, scene, anatomy = f"Case{patient.number}", patient.scene, patient.anatomy
    poses = scanning.sweep_poses(patient.rng, anatomy, detail.frames)
    sweep = scanning.record(scene, anatomy, poses, grey, detail.frame_size)
    written["sweep"] = f"sweeps/{case}/{case}-sweep.dcm"
    written["sweep_truth"] = f"sweeps/{case}/{case}-sweep-tumor.nii.gz"
    files.write_sweep(out / written["sweep"], sweep.frames, sweep.pixel_mm, case)
    files.write_nifti(out / written["sweep_truth"], files.sweep_mask(sweep.truth, sweep.pixel_mm, sweep.step_mm))
    largest = round(float(sweep.truth.sum(axis=(1, 2)).max()) * sweep.pixel_mm**2, 1)
    return {"largest_frame_mm2": largest, "pixel_mm": sweep.pixel_mm}
