"""The bundled clip: one native sweep through a plainly visible tumour, from a seed of its own."""

from dataclasses import replace
from pathlib import Path

from training.simulation import files, scanning
from training.simulation.parameters import CohortKind, Echogenicity, Scanner, Tumour
from training.simulation.patient import FULL, draw_patient

# A lobulated hyperechoic tumour of 4 cm with a small cyst, on a good day of a good scanner; both inside the ranges.
_TUMOUR = Tumour(
    echogenicity=Echogenicity.HYPER,
    radius_mm=15.0,
    stretch=(1.1, 1.0, 0.91),
    cover_mm=9.0,
    border_mm=0.6,
    finger=0.26,
    level_db=11.5,
    rim_db=1.5,
    texture_db=1.2,
    oedema_db=1.2,
    cyst_fraction=0.3,
    calcified=False,
)
_SCANNER = Scanner(
    depth_mm=66.0,
    face_radius_mm=22.0,
    half_angle_deg=29.0,
    frequency_mhz=8.0,
    focus_mm=30.0,
    beam_mm=0.32,
    attenuation=0.5,
    tgc=0.95,
    noise=1.2e-4,
    haze=0.006,
    looks=4,
    brightness=0.9,
)


def simulate_clip(out: Path | str, seed: int, frames: int = 210, *, truth: Path | str | None = None) -> None:
    """Write a calibrated 512 x 512 multi-frame DICOM that sweeps into a tumour, through it and out again.

    Args:
        out: the DICOM file.
        seed: of the patient and the hand; not that of a cohort.
        frames: at 30 frames a second.
        truth: where to write the true tumour of every frame (.nii.gz; columns, rows, frames), if anywhere.
    """
    patient = draw_patient(seed, 0, CohortKind.TRAIN, replace(FULL, frames=frames), _TUMOUR, _SCANNER)
    poses = scanning.sweep_poses(patient.rng, patient.anatomy, frames)
    grey = scanning.set_grey_map(patient.scene, scanning.render_fan(patient.scene, poses[:: max(1, frames // 12)]))
    sweep = scanning.record(patient.scene, patient.anatomy, poses, grey, FULL.frame_size)
    files.write_sweep(Path(out), sweep.frames, sweep.pixel_mm, f"Clip{seed}")
    if truth is not None:
        files.write_nifti(Path(truth), files.sweep_mask(sweep.truth, sweep.pixel_mm, sweep.step_mm))
