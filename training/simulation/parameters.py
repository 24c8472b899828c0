"""What is drawn for each simulated patient: the tumour and the scanner, with the ranges of each kind of cohort."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from training.simulation.artefacts import Artefacts, draw_artefacts

# In-sector grey levels (p5, p25, p50, p75, p95, p99) that an operator reaches with gain, dynamic range and grey map.
# The two ends of a segment well inside the nine RESECT volumes of `realism.REAL_RANGES`: a dark and a bright image.
DARK_IMAGE = (9.5, 18.0, 25.0, 36.0, 65.0, 101.5)
BRIGHT_IMAGE = (14.0, 25.5, 35.0, 46.5, 75.0, 106.0)


class Echogenicity(StrEnum):
    """How a tumour looks against white matter."""

    HYPER = "hyperechoic"
    MILD = "mildly hyperechoic"
    ISO = "isoechoic with a rim"
    HYPO = "hypoechoic with a rim"
    CYSTIC = "cystic"
    BLENDED = "isoechoic"
    """As bright as what lies around it, told by an even texture, lost folds and the sulci that it pushes aside."""


class CohortKind(StrEnum):
    """What a cohort is for.

    `train` holds the folds of the demonstration model; `sealed` is scored once and holds out part of the scanner and
    tumour ranges. `mini` and `test6` are the paper in miniature, its patients and its test set: coarser, no sweeps.
    `even` is to train on beside `train`: every kind of tumour as often as the others, the small ones more often, no
    sweeps. `hard` looks more like the real volumes: half of its tumours are as bright as what lies around them, and
    anatomy, scanner and sweep disturb (`Look`, `Artefacts`); `sealed-hard` is drawn alike and scored once. In
    `resected`, drawn alike too, part of most tumours was resected: the cavity has a mask of its own. It has no sweeps.
    """

    TRAIN = "train"
    SEALED = "sealed"
    # Their places are part of the random seeds: new ones come last.
    MINI = "mini"
    TEST6 = "test6"
    EVEN = "even"
    HARD = "hard"
    SEALED_HARD = "sealed-hard"
    RESECTED = "resected"

    @property
    def miniature(self) -> bool:
        """Whether it is scanned coarsely and without sweeps."""
        return self in (CohortKind.MINI, CohortKind.TEST6)

    @property
    def hard(self) -> bool:
        """Whether anatomy, scanner and sweep disturb as they do in real volumes."""
        return self in (CohortKind.HARD, CohortKind.SEALED_HARD, CohortKind.RESECTED)

    @property
    def cavities(self) -> float:
        """The share of patients with a resection cavity."""
        return 0.85 if self is CohortKind.RESECTED else 0.15 if self.hard else 0.0

    @property
    def sweeps(self) -> bool:
        """Whether native frames are recorded."""
        return not self.miniature and self not in (CohortKind.EVEN, CohortKind.RESECTED)


@dataclass(frozen=True, slots=True)
class Tumour:
    """One tumour. Echo levels are dB against white matter."""

    echogenicity: Echogenicity
    radius_mm: float
    stretch: tuple[float, float, float]
    cover_mm: float
    """Tissue between the cortex and the nearest part of an equal sphere, in mm."""
    border_mm: float
    """Half width of the fade across the border."""
    finger: float
    """Amplitude of the finger-like irregularity, as a share of the radius."""
    level_db: float
    rim_db: float
    texture_db: float
    oedema_db: float
    cyst_fraction: float
    """Radius of the largest cyst as a share of the tumour's; 0 for none."""
    calcified: bool
    contrast_db: float | None = None
    """Against the mean of what lies within 6 mm around it; `level_db` then does not count."""
    edged: float = 0.0
    """Share of its border along which a sulcus runs."""
    folds: float = 0.45
    """How much of a fold's brightness is left inside."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """One scanner and its settings. Lengths in mm, angles in degrees, levels in dB."""

    depth_mm: float
    face_radius_mm: float
    half_angle_deg: float
    frequency_mhz: float
    focus_mm: float
    beam_mm: float
    attenuation: float
    """Attenuation of brain, dB/cm/MHz one way."""
    tgc: float
    """Share of the expected attenuation that time gain compensation returns."""
    noise: float
    haze: float
    looks: int
    """Number of independent looks averaged (spatial compounding)."""
    brightness: float
    """0 is `DARK_IMAGE`, 1 is `BRIGHT_IMAGE`."""
    artefacts: Artefacts | None = None


@dataclass(frozen=True, slots=True)
class Ranges:
    """Ranges that differ between the kinds of cohort."""

    echogenicity: dict[Echogenicity, float]
    radius_mm: tuple[float, float]
    cyst_share: float
    depth_mm: tuple[float, float]
    face_radius_mm: tuple[float, float]
    frequency_mhz: tuple[float, float]
    attenuation: tuple[float, float]
    noise: tuple[float, float]


RANGES = {
    CohortKind.TRAIN: Ranges(
        echogenicity={
            Echogenicity.HYPER: 0.54,
            Echogenicity.MILD: 0.26,
            Echogenicity.ISO: 0.06,
            Echogenicity.HYPO: 0.06,
            Echogenicity.CYSTIC: 0.08,
        },
        radius_mm=(5.5, 22.0),
        cyst_share=0.2,
        depth_mm=(55.0, 70.0),
        face_radius_mm=(10.0, 38.0),
        frequency_mhz=(6.0, 8.5),
        attenuation=(0.45, 0.60),
        noise=(1e-4, 3e-4),
    ),
    # Deeper, lower frequencies, flatter probes, noisier receivers, more cysts: shifted, and partly outside the folds.
    CohortKind.SEALED: Ranges(
        echogenicity={
            Echogenicity.HYPER: 0.46,
            Echogenicity.MILD: 0.30,
            Echogenicity.ISO: 0.07,
            Echogenicity.HYPO: 0.05,
            Echogenicity.CYSTIC: 0.12,
        },
        radius_mm=(5.0, 23.0),
        cyst_share=0.3,
        depth_mm=(62.0, 75.0),
        face_radius_mm=(14.0, 48.0),
        frequency_mhz=(5.2, 7.5),
        attenuation=(0.50, 0.65),
        noise=(1.5e-4, 3.6e-4),
    ),
}
# Drawn as the folds are: the paper's test set is RESECT's sister.
RANGES |= dict.fromkeys((CohortKind.MINI, CohortKind.TEST6), RANGES[CohortKind.TRAIN])
# Patients with iso- and hypoechoic tumours are few elsewhere, and are the ones that a network fails.
RANGES[CohortKind.EVEN] = replace(
    RANGES[CohortKind.TRAIN],
    echogenicity=dict.fromkeys(list(Echogenicity)[:5], 1.0 / 5.0),
    radius_mm=(4.0, 18.0),
)
# Half of the tumours of the real volumes at hand are hardly brighter than their surroundings, and most are large.
RANGES |= dict.fromkeys(
    (CohortKind.HARD, CohortKind.SEALED_HARD, CohortKind.RESECTED),
    Ranges(
        echogenicity={
            Echogenicity.HYPER: 0.16,
            Echogenicity.MILD: 0.16,
            Echogenicity.ISO: 0.04,
            Echogenicity.HYPO: 0.06,
            Echogenicity.CYSTIC: 0.08,
            Echogenicity.BLENDED: 0.5,
        },
        radius_mm=(6.5, 24.0),
        cyst_share=0.15,
        depth_mm=(50.0, 76.0),
        face_radius_mm=(10.0, 48.0),
        frequency_mhz=(5.2, 9.0),
        attenuation=(0.42, 0.65),
        noise=(1e-4, 1.2e-3),
    ),
)

_LEVEL_DB = {
    Echogenicity.HYPER: (9.5, 13.5),
    Echogenicity.MILD: (7.0, 9.5),
    Echogenicity.ISO: (0.0, 2.0),
    Echogenicity.HYPO: (-10.0, -6.0),
    Echogenicity.CYSTIC: (7.0, 11.0),
    Echogenicity.BLENDED: (0.0, 0.0),
}
_RIM_DB = {
    Echogenicity.HYPER: (0.0, 2.0),
    Echogenicity.MILD: (0.0, 3.0),
    Echogenicity.ISO: (7.0, 10.0),
    Echogenicity.HYPO: (9.0, 13.0),
    Echogenicity.CYSTIC: (2.0, 5.0),
    Echogenicity.BLENDED: (0.0, 0.0),
}
# Half the width, in mm, of the widest picture: 512 pixels of 0.17 mm.
_HALF_WIDTH_MM = 43.0


def draw_tumour(rng: np.random.Generator, kind: CohortKind) -> Tumour:
    """Draw a tumour; radii are log-uniform, so small ones are as frequent as large ones an octave."""
    ranges = RANGES[kind]
    kinds = list(ranges.echogenicity)
    echogenicity = kinds[int(rng.choice(len(kinds), p=list(ranges.echogenicity.values())))]
    radius = float(np.exp(rng.uniform(*np.log(ranges.radius_mm))))
    stretch = np.exp(rng.normal(0.0, 0.16, 3))
    cystic = echogenicity is Echogenicity.CYSTIC or rng.random() < ranges.cyst_share
    drawn = Tumour(
        echogenicity=echogenicity,
        radius_mm=radius,
        stretch=tuple(float(s) for s in stretch / np.cbrt(stretch.prod())),  # type: ignore[arg-type]
        cover_mm=float(rng.uniform(0.0, 15.0)),
        border_mm=float(rng.uniform(0.3, 1.5) * min(1.0, radius / 8.0)),
        finger=float(rng.uniform(0.12, 0.32)),
        level_db=float(rng.uniform(*_LEVEL_DB[echogenicity])),
        rim_db=float(rng.uniform(*_RIM_DB[echogenicity])),
        texture_db=float(rng.uniform(0.6, 1.8)),
        oedema_db=float(rng.uniform(0.5, 2.2)),
        cyst_fraction=_cyst_fraction(rng, echogenicity) if cystic else 0.0,
        calcified=bool(rng.random() < 0.12),
    )
    return _harder(rng, drawn) if kind.hard else drawn


def _harder(rng: np.random.Generator, tumour: Tumour) -> Tumour:
    """With a border that fades over 1 to 6 mm, an even texture as often as not, and sulci that run around it."""
    blended = tumour.echogenicity is Echogenicity.BLENDED
    edged = rng.uniform(0.3, 0.95) if blended else rng.uniform(0.0, 0.8) * (rng.random() < 0.6)
    return replace(
        tumour,
        border_mm=float(rng.uniform(0.3, 2.0) * min(1.0, tumour.radius_mm / 8.0)),
        finger=float(rng.uniform(0.06, 0.30)),
        texture_db=float(rng.uniform(0.1, 0.7) if rng.random() < 0.65 else rng.uniform(0.6, 1.8)),
        contrast_db=float(rng.uniform(-0.8, 1.0)) if blended else None,
        edged=float(edged),
        folds=float(rng.uniform(0.0, 0.25)),
    )


def _cyst_fraction(rng: np.random.Generator, echogenicity: Echogenicity) -> float:
    return float(rng.uniform(0.55, 0.75) if echogenicity is Echogenicity.CYSTIC else rng.uniform(0.25, 0.5))


def draw_scanner(rng: np.random.Generator, kind: CohortKind) -> Scanner:
    """Draw a scanner whose picture fits 512 pixels of at most 0.17 mm."""
    if kind.hard:
        return _draw_probe(rng, RANGES[kind])
    ranges = RANGES[kind]
    depth = float(rng.uniform(*ranges.depth_mm))
    face_radius = float(rng.uniform(*ranges.face_radius_mm))
    widest = float(np.degrees(np.arcsin(min(1.0, _HALF_WIDTH_MM / (face_radius + depth)))))
    return Scanner(
        depth_mm=depth,
        face_radius_mm=face_radius,
        half_angle_deg=float(rng.uniform(0.85, 1.0) * min(widest, 42.0)),
        frequency_mhz=float(rng.uniform(*ranges.frequency_mhz)),
        focus_mm=float(rng.uniform(20.0, 40.0)),
        beam_mm=float(rng.uniform(0.30, 0.45)),
        attenuation=float(rng.uniform(*ranges.attenuation)),
        tgc=float(rng.uniform(0.86, 0.98)),
        noise=float(np.exp(rng.uniform(*np.log(ranges.noise)))),
        haze=float(rng.uniform(0.004, 0.014)),
        looks=int(rng.integers(2, 6)),
        brightness=float(rng.uniform(0.0, 1.0)),
    )


# Linear, phased and curvilinear probes: how often; depth and face radius in mm, frequency in MHz; half the width of the
# face (mm) or half the angle (degrees). None takes the cohort's.
_LINEAR, _PHASED = 0.3, 0.2


def _draw_probe(rng: np.random.Generator, ranges: Ranges) -> Scanner:
    """A linear, phased or curvilinear probe, with what disturbs its pictures."""
    kind = rng.random()
    depth, frequency = float(rng.uniform(*ranges.depth_mm)), float(rng.uniform(*ranges.frequency_mhz))
    face, angle = float(rng.uniform(*ranges.face_radius_mm)), 42.0
    if kind < _LINEAR:
        depth, frequency, face = float(rng.uniform(40.0, 62.0)), float(rng.uniform(7.5, 11.0)), 400.0
        angle = float(np.degrees(rng.uniform(19.0, 27.0) / face))
    elif kind < _LINEAR + _PHASED:
        frequency, face, angle = float(rng.uniform(4.5, 7.0)), float(rng.uniform(3.0, 9.0)), 44.0
    widest = float(np.degrees(np.arcsin(min(1.0, _HALF_WIDTH_MM / (face + depth)))))
    return Scanner(
        depth_mm=depth,
        face_radius_mm=face,
        half_angle_deg=float(rng.uniform(0.85, 1.0) * min(widest, angle)),
        frequency_mhz=frequency,
        focus_mm=float(rng.uniform(15.0, 45.0)),
        beam_mm=float(rng.uniform(0.22, 0.45)),
        attenuation=float(rng.uniform(*ranges.attenuation)),
        tgc=float(rng.uniform(0.82, 1.0)),
        noise=float(np.exp(rng.uniform(*np.log(ranges.noise)))),
        haze=float(np.exp(rng.uniform(*np.log((0.002, 0.03))))),
        looks=int(rng.integers(1, 6)),
        brightness=float(rng.uniform(-0.1, 1.1)),
        artefacts=draw_artefacts(rng),
    )
