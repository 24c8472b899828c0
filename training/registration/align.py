"""Rigid alignment of MRI to ultrasound: LC2 from coarse to fine, MIND-SSC, or the one after the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from inference.errors import FormatError
from training.registration.deformation import Deformation
from training.registration.mapping import Mapping, warped
from training.registration.search import Parameters, grid_of, maximise
from training.registration.similarity import Lc2Similarity, MindSimilarity, Similarity
from training.registration.transforms import Matrix, angle_deg, apply, rigid
from training.registration.volume import Volume

Metric = Literal["lc2+mind", "lc2", "mind", "none"]
METRICS: tuple[Metric, ...] = get_args(Metric)

COARSE_MM, COARSE_PATCH = 2.0, 5
FINE_MM, FINE_PATCH = 1.0, 7
"""Voxel sides, and LC2's patches in voxels; 7 at the fine one are Fuerst et al. 2014's."""
GRID_MM = np.arange(-8.0, 9.0, 4.0)
KEPT, FINISHED = 3, 2
"""How many translations of the grid a climb starts from, and how many climbs are finished at fine resolution."""
SAME = (1.0, 0.02)
"""Coarse results closer to each other than this (mm, rad: the first steps of the next climb) are refined only once."""
DISTANCE_PENALTY = 0.0015
"""LC2 subtracted for each mm away from the start: enough to decide a tie, too little to hold back a better result."""


@dataclass(frozen=True, slots=True)
class Climb:
    """One BOBYQA search.

    Attributes:
        reach: how far translations (mm) and rotations (rad) may go.
        step: the first step of either.
        evaluations: at most so many.
    """

    reach: tuple[float, float]
    step: tuple[float, float]
    evaluations: int


COARSE = Climb((6.0, 0.15), (1.5, 0.03), 80)
FINE = Climb((5.0, 0.10), (1.0, 0.02), 120)
ALONE = Climb((12.0, 0.15), (3.0, 0.05), 150)
"""MIND-SSC has no coarse stage: on a grid of translations it would prefer those that leave little overlap."""


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """A transform with the figures that can be computed without knowing the truth.

    Attributes:
        matrix: MRI to ultrasound, RAS mm; of a deformation, what it began from.
        similarity: the last stage's, at the result.
        similarity_start: the same at the start.
        shift_mm: how far the centre of the sector moved from the start.
        rotation_deg: by how much it turned.
        overlap_percent: share of the sector with MRI in it.
        support: LC2 at the result above what it is anywhere around the start, as a share of what was left up to 1.
        deformation: a field that takes the matrix's place; None where the result is linear.
        refined_mm: how far at most the refinement moved anything in the sector; None where there was none.
        refused: why a refinement that was asked for was not kept; empty otherwise.
    """

    matrix: Matrix
    similarity: float
    similarity_start: float
    shift_mm: float
    rotation_deg: float
    overlap_percent: float
    support: float
    deformation: Deformation | None = None
    refined_mm: float | None = None
    refused: str = ""

    @property
    def mapping(self) -> Mapping:
        """What the registration found."""
        return self.matrix if self.deformation is None else self.deformation


def align(us: Volume, mris: Sequence[Volume], start: Matrix | None = None, metric: Metric = "lc2+mind") -> Alignment:
    """Register MRI to ultrasound, rigidly, six degrees of freedom about the sector's centre.

    Args:
        us: ultrasound; 0 outside the sector.
        mris: one MRI or several in one world.
        start: where to begin, MRI to ultrasound; None is the navigation's alignment: both in one world.
        metric: the paper's is `lc2`; `none` keeps the start, an external transform.

    Raises:
        FormatError: if the ultrasound is empty, or no MRI lies in it at the start.
    """
    begin = np.eye(4) if start is None else start
    if not (us.pixels > 0).any():
        raise FormatError("The ultrasound volume is empty: nothing in it is above 0.")
    if overlap_percent(us, mris, begin) == 0:
        raise FormatError("MRI and ultrasound do not overlap: give their alignment as the start, or check the files.")
    centre = sector_centre(us)

    def scored(similarity: Similarity) -> Callable[[Parameters], float]:
        return lambda at: similarity(rigid(at, centre) @ begin)

    coarse = scored(Lc2Similarity(us, mris, COARSE_MM, COARSE_PATCH))
    grid = [(coarse(at), at) for at in grid_of(GRID_MM)]
    if metric in ("mind", "none"):
        last: Similarity = MindSimilarity(us, mris, FINE_MM)
        found = np.zeros(6) if metric == "none" else _climb(scored(last), np.zeros(6), ALONE)[1]
    else:
        near = _coarse(coarse, grid)
        fine = metric == "lc2"
        last = Lc2Similarity(us, mris, FINE_MM, FINE_PATCH) if fine else MindSimilarity(us, mris, FINE_MM)
        _, found = max((_climb(scored(last), start, FINE) for start in near), key=lambda one: one[0])
    moved = rigid(found, centre)
    matrix = moved @ begin
    anywhere = float(np.median([value for value, _ in grid]))
    return Alignment(
        matrix=matrix,
        similarity=last(matrix),
        similarity_start=last(begin),
        shift_mm=float(np.linalg.norm(found[:3])),
        rotation_deg=angle_deg(moved),
        overlap_percent=overlap_percent(us, mris, matrix),
        support=(coarse(found) - anywhere) / (1 - anywhere),
    )


def sector_centre(us: Volume) -> NDArray[np.float64]:
    """Centroid of the ultrasound's voxels above 0, RAS mm."""
    inside = us.pixels > 0
    axes = [np.arange(n) @ inside.sum(axis=tuple({0, 1, 2} - {axis})) for axis, n in enumerate(inside.shape)]
    return np.asarray(apply(us.affine, np.array([axes]) / inside.sum())[0], np.float64)


def overlap_percent(us: Volume, mris: Sequence[Volume], mapping: Mapping) -> float:
    """Share of the sector where every MRI has data: inside its grid and not exactly 0, as stripped skulls are."""
    step = tuple(slice(None, None, max(1, round(COARSE_MM / mm))) for mm in us.spacing)
    affine = us.affine.copy()
    affine[:3, :3] *= [part.step for part in step]
    sparse = Volume(us.pixels[step], affine)
    inside = sparse.pixels > 0
    covered = np.ones(inside.shape, bool)
    for mri in mris:
        covered &= np.nan_to_num(warped(mri, sparse, mapping)) != 0
    return 100.0 * float((covered & inside).sum()) / max(1, int(inside.sum()))


def _coarse(similar: Callable[[Parameters], float], grid: list[tuple[float, Parameters]]) -> list[Parameters]:
    """The results of climbing from the best translations of the grid: the best first, each once."""

    def held_back(value: float, at: Parameters) -> float:
        return value - DISTANCE_PENALTY * float(np.linalg.norm(at[:3]))

    best = sorted(grid, key=lambda one: held_back(*one), reverse=True)[:KEPT]
    climbs = [_climb(lambda at: held_back(similar(at), at), start, COARSE) for _, start in best]
    ends: list[Parameters] = []
    for _, end in sorted(climbs, key=lambda one: one[0], reverse=True):
        if not any(_same(end, other) for other in ends):
            ends.append(end)
    return ends[:FINISHED]


def _same(one: Parameters, other: Parameters) -> bool:
    """Whether the next climb would take the same path from both."""
    apart = np.abs(one - other)
    return bool((apart[:3] < SAME[0]).all() and (apart[3:] < SAME[1]).all())


def _climb(score: Callable[[Parameters], float], start: Parameters, how: Climb) -> tuple[float, Parameters]:
    """One BOBYQA search from a start."""
    return maximise(score, start, np.repeat(how.reach, 3), np.repeat(how.step, 3), how.evaluations)
