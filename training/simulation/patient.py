"""One simulated patient from a number: draw, build, scan, write."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from training.simulation import files, scanning
from training.simulation.acoustics import Scene, build_scene
from training.simulation.anatomy import Anatomy, build_anatomy
from training.simulation.parameters import CohortKind, Scanner, Tumour, draw_scanner, draw_tumour


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


FULL = Detail()
SMALL = Detail(voxel_mm=0.7, plane_mm=1.5, tissue_mm=1.0, samples=400, lines=128, frame_size=192, frames=10)


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient in front of a scanner, and the random stream that goes on from there."""

    number: int
    tumour: Tumour
    scanner: Scanner
    anatomy: Anatomy
    scene: Scene
    rng: np.random.Generator


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
    rng = np.random.default_rng([seed, list(CohortKind).index(kind), number])
    drawn_tumour, drawn_scanner = draw_tumour(rng, kind), draw_scanner(rng, kind)
    tumour, scanner = tumour or drawn_tumour, scanner or drawn_scanner
    anatomy = build_anatomy(rng, tumour, scanner.face_radius_mm, detail.tissue_mm)
    scene = build_scene(rng, anatomy.box, anatomy.tissue, scanner, detail.samples, detail.lines)
    return Patient(number, tumour, scanner, anatomy, scene, rng)


def write_patient(out: Path, patient: Patient, detail: Detail) -> dict[str, Any]:
    """Scan a patient, write volume, truth and sweep below `out`, and return its entry in the cohort's table."""
    case = f"Case{patient.number}"
    scene, anatomy, rng = patient.scene, patient.anatomy, patient.rng
    poses = scanning.volume_poses(rng, anatomy, detail.plane_mm)
    levels = scanning.render_fan(scene, poses)
    grey = scanning.set_grey_map(scene, levels)
    volume = scanning.compound(rng, scene, anatomy, poses, grey.apply(levels), detail.voxel_mm)
    sweep = scanning.record(scene, anatomy, scanning.sweep_poses(rng, anatomy, detail.frames), grey, detail.frame_size)
    written = {
        "volume": f"RESECT/NIFTI/{case}/US/{case}-US-before.nii.gz",
        "truth": f"RESECT_segmentation/{case}/{case}-US-before-tumor.nii.gz",
        "sweep": f"sweeps/{case}/{case}-sweep.dcm",
        "sweep_truth": f"sweeps/{case}/{case}-sweep-tumor.nii.gz",
    }
    files.write_nifti(out / written["volume"], files.resect_volume(volume.image, volume.affine))
    files.write_nifti(out / written["truth"], files.resect_mask(volume.truth, volume.affine))
    files.write_sweep(out / written["sweep"], sweep.frames, sweep.pixel_mm, case)
    files.write_nifti(out / written["sweep_truth"], files.sweep_mask(sweep.truth, sweep.pixel_mm, sweep.step_mm))
    return {
        "case": case,
        "tumour": asdict(patient.tumour),
        "scanner": asdict(patient.scanner),
        "tumour_cm3": round(float((anatomy.tissue.tumour > 0).sum()) * anatomy.box.step_mm**3 / 1000.0, 3),
        "tumour_centre_ras_mm": [round(float(c), 2) for c in anatomy.site.centre],
        "largest_frame_mm2": round(float(sweep.truth.sum(axis=(1, 2)).max()) * sweep.pixel_mm**2, 1),
        "pixel_mm": sweep.pixel_mm,
        "files": written,
    }
