"""The tumour areas at which the paper divides slices: three size bands and nine cut-offs, in mm² (Faanes et al.).

The only table of them: reports, figures, the parity proof and the exported contract read it here. The viewer reads
the limits that the model's contract carries.
"""

import math

import numpy as np
from numpy.typing import NDArray

from inference.outcome import above

VERY_SMALL_MM2 = 35.0
"""Up to this area nearly every model of the paper fails; a false contour no larger is forgiven by one specificity."""
MIN_RELIABLE_MM2 = 200.0
"""Over this area the paper's models compare with a human expert; at or under it they do not (its Results)."""
BANDS: tuple[tuple[float, float], ...] = (
    (0.0, VERY_SMALL_MM2),
    (VERY_SMALL_MM2, MIN_RELIABLE_MM2),
    (MIN_RELIABLE_MM2, math.inf),
)
"""(low, high] in mm², open below and closed above (Tables 1 and 2)."""
CUT_OFFS_MM2 = (0.0, 5.0, 15.0, 25.0, 35.0, 70.0, 100.0, 200.0, 300.0)
"""A training slice passes a cut-off if its tumour is larger (section 2.3)."""


def within(area_mm2: float, band: tuple[float, float]) -> bool:
    """Whether an area lies in a band, open below and closed above."""
    return above(area_mm2, band[0]) and not above(area_mm2, band[1])


def all_within(areas_mm2: NDArray[np.float64], band: tuple[float, float]) -> NDArray[np.bool_]:
    """The same of each of several areas, (n,)."""
    return np.array([within(float(area), band) for area in areas_mm2], np.bool_)


def band_words(band: tuple[float, float]) -> str:
    """`35–200 mm²`; `> 200 mm²`."""
    return f"> {band[0]:g} mm²" if math.isinf(band[1]) else f"{band[0]:g}–{band[1]:g} mm²"
