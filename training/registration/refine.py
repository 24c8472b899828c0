"""What may follow a rigid registration: an affine transform within bounds, or a deformation that nowhere folds.

Neither ever begins from scratch, and neither is kept unless it is more alike by the registration's own metric: else the
rigid result stays, and its row says why.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from training.registration.align import FINE_MM, FINE_PATCH, Alignment, Metric, align, overlap_percent, sector_centre
from training.registration.deformation import Deformation
from training.registration.elastic import deform
from training.registration.mapping import Mapping, apart_mm, grid_over, least_jacobian
from training.registration.result import flags
from training.registration.search import Parameters, maximise
from training.registration.similarity import Lc2Similarity, MindSimilarity, Similarity
from training.registration.transforms import Matrix, rigid
from training.registration.volume import Volume

Refine = Literal["none", "affine", "deformable"]
REFINEMENTS: tuple[Refine, ...] = get_args(Refine)
STRETCH = (0.85, 1.15)
"""Least and greatest singular value of an affine refinement: brain does not stretch further in one piece."""
_BOUND = 0.005
"""A singular value this near to its bound was held there by it, and is no result."""
_REACH = np.repeat((3.0, 0.06, 0.15), (3, 3, 6))
_STEP = np.repeat((0.5, 0.01, 0.02), (3, 3, 6))
"""Translation (mm), rotation (rad), logarithm of the stretch."""
_EVALUATIONS = 250


def refine(us: Volume, mris: Sequence[Volume], found: Alignment, metric: Metric, how: Refine) -> Alignment:
    """Refine a linear alignment.

    Args:
        us: ultrasound; 0 outside the sector.
        mris: the MRI volumes that it was found with.
        found: the alignment; where it is flagged itself, it is kept as it is.
        metric: the one that judges: LC2 after `lc2`, else MIND-SSC.
        how: the refinement.

    Returns:
        The refined alignment, or the one given with the reason in `refused`.
    """
    if how == "none":
        return found
    doubts = flags(found, None)
    if doubts:
        return replace(found, refused=f"the registration before it is flagged ({' '.join(doubts)})")
    lc2 = metric == "lc2"
    judge: Similarity = Lc2Similarity(us, mris, FINE_MM, FINE_PATCH) if lc2 else MindSimilarity(us, mris, FINE_MM)
    mapping: Mapping
    if how == "affine":
        matrix = affine(judge, found.matrix, sector_centre(us))
        mapping, refused = matrix, stretched(matrix @ np.linalg.inv(found.matrix))
    else:
        mapping = deform(us, mris, found.matrix, grid_over(us))
        refused = folded(mapping, us)
    before, after = judge(found.matrix), judge(mapping)
    if not refused and after <= before:
        refused = "it is no more alike than before"
    return replace(found, refused=refused) if refused else _with(found, mapping, after, us, mris)


def keep(us: Volume, mris: Sequence[Volume], deformation: Deformation) -> Alignment:
    """The figures of a deformation that was given, beside those of its own linear part."""
    linear = align(us, mris, np.asarray(np.linalg.inv(deformation.linear()), np.float64), "none")
    return _with(linear, deformation, MindSimilarity(us, mris, FINE_MM)(deformation), us, mris)


def affine(judge: Similarity, matrix: Matrix, centre: NDArray[np.float64]) -> Matrix:
    """Climb from a rigid transform in twelve degrees of freedom, its stretch held within `STRETCH`."""

    def moved(at: Parameters) -> Matrix:
        return rigid(at[:6], centre) @ stretch(at[6:], centre) @ matrix

    return moved(maximise(lambda at: judge(moved(at)), np.zeros(12), _REACH, _STEP, _EVALUATIONS)[1])


def stretch(parameters: Parameters, centre: NDArray[np.float64]) -> Matrix:
    """A stretch along three axes at right angles, about a point.

    Args:
        parameters: its logarithm: xx, yy, zz, xy, xz, yz; what goes beyond `STRETCH` is held at it.
        centre: the point that stays, mm.
    """
    xx, yy, zz, xy, xz, yz = parameters
    values, axes = np.linalg.eigh(np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]))
    matrix = np.eye(4)
    matrix[:3, :3] = axes @ np.diag(np.clip(np.exp(values), *STRETCH)) @ axes.T
    matrix[:3, 3] = centre - matrix[:3, :3] @ centre
    return matrix


def stretched(by: Matrix) -> str:
    """Why an affine refinement cannot be kept: it stretches as far as its bounds, or further; empty if it can."""
    values = np.linalg.svd(by[:3, :3], compute_uv=False)
    within = values.min() > STRETCH[0] + _BOUND and values.max() < STRETCH[1] - _BOUND
    return "" if within else f"it stretches by {values.min():.2f} to {values.max():.2f}, its bounds or beyond"


def folded(deformation: Deformation, us: Volume) -> str:
    """Why a deformation cannot be kept: it folds within the sector; empty if it can."""
    least = least_jacobian(deformation, us)
    return "" if least > 0 else f"it folds: the least Jacobian determinant in the sector is {least:.2f}"


def _with(found: Alignment, mapping: Mapping, similarity: float, us: Volume, mris: Sequence[Volume]) -> Alignment:
    """The alignment with another mapping in its place."""
    deformation = mapping if isinstance(mapping, Deformation) else None
    return replace(
        found,
        matrix=found.matrix if isinstance(mapping, Deformation) else mapping,
        deformation=deformation,
        similarity=similarity,
        overlap_percent=overlap_percent(us, mris, mapping),
        refined_mm=float(apart_mm(mapping, found.matrix, us).max()),
    )
